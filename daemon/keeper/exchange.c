/* SPDX-License-Identifier: MIT */
#include "keeper/exchange.h"
#include "common/secret.h"
#include "io/lock.h"
#include "io/sleep.h"
#include "io/timer.h"
#include "keeper/source.h"
#include "keeper/stored.h"
#include "model/limits.h"
#include "policy/refresh.h"

#define LOCK_AGAIN_USEC (100 * 1000)

struct Exchange {
        Env *env;
        Account *account; /* its settings when it was begun */
        AccountSource source;
        Vault *vault;
        char *resource, *claims;
        Token *held;
        bool forced;
        const ExchangeHandler *handler;
        void *userdata;
        int lock_fd;
        Timer *timer; /* the lock is tried again; or the end that is to be told from the loop */
        SleepLock *sleep_lock;
        VaultOp *read, *save;
        Fetch *fetch;
        Token *token;           /* waits for the keyring */
        char *asked_with;       /* the secret that was sent */
        bool postponed, denied; /* the end that is to be told */
        bool outdated;          /* exchange_outdate() */
        bool repeated;          /* a second secret was tried already */
        FetchError error;       /* waits for the keyring, with strings of its own */
        char *error_claims;
};

static void exchange_fetch(Exchange *x);

/* A better token than ours, which another daemon of this user has put into the record. */
static int token_from_other(const Exchange *x, Token **ret) {
        const Record *record = vault_record(x->vault);
        Token *t;
        int r;

        for (size_t i = 0; i < record->n_tokens; i++) {
                if (!streq(record->tokens[i].resource, x->resource))
                        continue;
                /* Our own, which only looks younger when somebody has set the wall clock back. */
                if (x->held && streq(record->tokens[i].access_token, x->held->value))
                        continue;
                r = stored_read_token(x->env, &t, &record->tokens[i]);
                if (r < 0)
                        return r;
                if (policy_refresh_at(x->source, t, 0) > clock_boottime() &&
                    (!x->held || t->expires_usec > x->held->expires_usec + USEC_PER_SEC)) {
                        *ret = t;
                        return 0;
                }
                token_unref(t);
        }
        return -ENOENT;
}

static void exchange_on_saved(int outcome, void *userdata) {
        Exchange *x = userdata;

        x->save = vault_op_free(x->save);
        /* Not stored: the tokens live in memory, the vault tries again, the caller is served. */
        x->handler->token(x->token, outcome, x->userdata);
}

/* What has not been read may hold a refresh token of a program's, which a write would lose. */
static bool may_save(const Exchange *x) {
        return x->source != ACCOUNT_SOURCE_COMMAND || vault_record(x->vault)->secret ||
               vault_state(x->vault) == VAULT_STATE_LOADED;
}

static void exchange_on_token(const FetchToken *fetched, void *userdata) {
        FetchError memory_short = { .problem = { .outcome = OUTCOME_UNAVAILABLE } };
        Exchange *x = userdata;
        int r;

        if (x->outdated) {
                x->handler->outdated(x->userdata);
                return;
        }
        r = stored_put_fetched(x->env, x->vault, x->source, x->resource, fetched, &x->token);
        x->fetch = fetch_free(x->fetch);
        if (r < 0) {
                x->handler->failed(&memory_short, x->userdata);
                return;
        }
        /* The new refresh token is in the keyring before the access token is handed out. */
        if (r > 0 && vault_save(x->vault, &x->save, exchange_on_saved, x) == 0)
                return;
        if (may_save(x))
                vault_save_later(x->vault);
        x->handler->token(x->token, 0, x->userdata);
}

/* Somebody may have stored another sign-in: on a home that machines share, or by hand. */
static void exchange_on_read_again(int outcome, void *userdata) {
        const char *secret;
        Exchange *x = userdata;

        x->read = vault_op_free(x->read);
        secret = vault_record(x->vault)->secret;
        if (secret && !streq(secret, x->asked_with))
                exchange_fetch(x);
        else
                x->handler->failed(&x->error, x->userdata);
}

/* Before anybody is told to sign in, the record is read once more. */
static bool exchange_read_again(Exchange *x, const FetchError *error) {
        if (error->problem.outcome != OUTCOME_SIGN_IN_NEEDED || x->repeated ||
            x->source != ACCOUNT_SOURCE_ENTRA)
                return false;
        x->repeated = true;
        x->error = (FetchError){ .retry_after = error->retry_after, .unsent = error->unsent };
        problem_copy(&x->error.problem, &error->problem);
        x->error.claims = x->error_claims = error->claims ? strdup(error->claims) : NULL;
        return vault_reload(x->vault, &x->read, exchange_on_read_again, x) == 0;
}

static void exchange_on_error(const FetchError *error, void *userdata) {
        Exchange *x = userdata;

        if (x->outdated) {
                x->handler->outdated(x->userdata);
                return;
        }
        if (stored_put_secret(x->vault, x->source, error->refresh_token) > 0)
                vault_save_later(x->vault);
        if (exchange_read_again(x, error))
                x->fetch = fetch_free(x->fetch);
        else
                x->handler->failed(error, x->userdata);
}

static const FetchHandler exchange_fetch_handler = {
        .token = exchange_on_token,
        .error = exchange_on_error,
};

/* Its end is told from the loop: this may be inside exchange_new(). */
static void exchange_end_soon(Exchange *x, bool postponed) {
        x->postponed = postponed;
        x->denied = !postponed;
        timer_arm(x->timer, clock_boottime());
}

static void exchange_fetch(Exchange *x) {
        FetchRequest request;

        if (!x->handler->may_send(x->lock_fd, x->userdata)) {
                exchange_end_soon(x, false);
                return;
        }
        secret_free(x->asked_with);
        x->asked_with = secret_dup(vault_record(x->vault)->secret);
        source_request(&request, x->env, x->account, x->asked_with);
        request.method = x->source == ACCOUNT_SOURCE_ENTRA ? "refresh" : NULL;
        request.resource = x->resource;
        request.claims = x->claims;
        request.deadline = LIMIT_FETCH_SECONDS;
        x->env->stats.fetches++;
        if (fetch_start(&x->fetch, x->env->launcher, x->env->event, &request,
                        &exchange_fetch_handler, x) < 0)
                exchange_end_soon(x, true);
}

static void exchange_on_read(int outcome, void *userdata) {
        Exchange *x = userdata;

        x->read = vault_op_free(x->read);
        if (!vault_record(x->vault)->secret && source_needs_secret(x->source))
                x->handler->gone(x->userdata);
        else if (!x->forced && !x->claims && token_from_other(x, &x->token) == 0)
                x->handler->token(x->token, 0, x->userdata);
        else
                exchange_fetch(x);
}

static void exchange_take_lock(Exchange *x) {
        CLEANUP(freep) char *name = NULL;
        int r = -ENOENT;

        if (x->env->runtime_dir && asprintf(&name, "account-%s.lock", x->account->name) >= 0)
                r = lock_take(&x->lock_fd, x->env->runtime_dir, name);
        if (r == -EAGAIN) {
                timer_arm(x->timer, clock_boottime() + LOCK_AGAIN_USEC);
                return;
        }
        /* Without a runtime folder there is nobody to share it with. */
        if (source_secret(x->source) == SOURCE_SECRET_NONE)
                exchange_fetch(x);
        else if (vault_reload(x->vault, &x->read, exchange_on_read, x) < 0)
                exchange_end_soon(x, true);
}

static void exchange_on_time(void *userdata) {
        Exchange *x = userdata;

        if (x->postponed)
                x->handler->postponed(x->userdata);
        else if (x->denied)
                x->handler->denied(x->userdata);
        else
                exchange_take_lock(x);
}

int exchange_new(Exchange **ret, Env *env, const Account *account, Vault *vault,
                 const ExchangeTask *task, const ExchangeHandler *handler, void *userdata) {
        CLEANUP(exchange_freep) Exchange *x = NULL;
        int r;

        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        *x = (Exchange){
                .env = env,
                .source = account->source,
                .vault = vault,
                .held = task->held ? token_ref(task->held) : NULL,
                .forced = task->forced,
                .handler = handler,
                .userdata = userdata,
                .lock_fd = -1,
        };
        r = account_copy(&x->account, account);
        if (r < 0)
                return r;
        x->resource = strdup(task->resource);
        x->claims = task->claims ? strdup(task->claims) : NULL;
        if (!x->resource || (task->claims && !x->claims))
                return -ENOMEM;
        r = timer_new(&x->timer, env->event, exchange_on_time, x);
        if (r < 0)
                return r;
        /* A refresh token may be worth nothing once it is spent: hold off the machine's sleep. */
        if (source_secret(x->source) == SOURCE_SECRET_REFRESH_TOKEN)
                (void)sleep_lock_new(&x->sleep_lock, env->sleep);
        exchange_take_lock(x);
        *ret = STEAL(x);
        return 0;
}

Exchange *exchange_free(Exchange *x) {
        if (x) {
                fetch_free(x->fetch);
                vault_op_free(x->read);
                vault_op_free(x->save);
                timer_free(x->timer);
                fd_close(x->lock_fd);
                sleep_lock_free(x->sleep_lock);
                token_unref(x->token);
                token_unref(x->held);
                secret_free(x->asked_with);
                problem_clear(&x->error.problem);
                free(x->error_claims);
                account_free(x->account);
                free(x->resource);
                free(x->claims);
                free(x);
        }
        return NULL;
}

bool exchange_is_sent(const Exchange *x) {
        return x->fetch || x->save || x->repeated;
}

bool exchange_owes_secret(const Exchange *x) {
        return x && (x->fetch || x->save) &&
               source_secret(x->source) == SOURCE_SECRET_REFRESH_TOKEN;
}

void exchange_outdate(Exchange *x) {
        x->outdated = true;
}

int exchange_lock(const Exchange *x) {
        return x->lock_fd;
}
