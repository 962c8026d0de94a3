/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "common/memory.h"
#include "common/secret.h"
#include "io/sleep.h"
#include "keeper/exchange.h"
#include "keeper/source.h"
#include "keeper/stored.h"
#include "model/limits.h"

struct Exchange {
        Env *env;
        Account *account; /* its settings when it was begun */
        Vault *vault;
        char *resource, *claims;
        const ExchangeHandler *handler;
        void *userdata;
        SleepLock *sleep_lock;
        Fetch *fetch;
        VaultOp *save, *read;
        Token *token;     /* waits for the keyring */
        char *asked_with; /* the secret that was sent */
        bool outdated;    /* exchange_outdate() */
        bool read_again;  /* the record was, and another secret tried if there was one */
        FetchError error; /* waits for that; its claims are ours */
};

static void exchange_on_saved(int outcome, void *userdata) {
        Exchange *x = userdata;

        x->save = vault_op_free(x->save);
        /* Not stored: the tokens live in memory, the vault tries again, the caller is served. */
        x->handler->token(x->token, outcome, x->userdata);
}

/* What has not been read may hold a refresh token of a program's, which a write would lose. */
static bool may_save(const Exchange *x) {
        return x->account->source != ACCOUNT_SOURCE_COMMAND || vault_record(x->vault)->secret ||
               vault_state(x->vault) == VAULT_STATE_LOADED;
}

static void exchange_on_token(const FetchToken *fetched, void *userdata) {
        Exchange *x = userdata;
        bool rotated;

        if (x->outdated) {
                x->handler->outdated(x->userdata);
                return;
        }
        assert(!x->token && !x->save);
        rotated = stored_put_fetched(x->env, x->vault, x->account->source, x->resource, fetched,
                                     &x->token);
        x->fetch = fetch_free(x->fetch);
        /* The new refresh token is in the keyring before the access token is handed out. */
        if (rotated && vault_save(x->vault, &x->save, exchange_on_saved, x) == 0)
                return;
        if (may_save(x))
                vault_save_later(x->vault);
        x->handler->token(x->token, 0, x->userdata);
}

static int exchange_send(Exchange *x);

static void exchange_on_read(int outcome, void *userdata) {
        const char *secret;
        Exchange *x = userdata;

        x->read = vault_op_free(x->read);
        secret = vault_record(x->vault)->secret;
        if (!secret || streq(secret, x->asked_with) || exchange_send(x) != 0)
                x->handler->failed(&x->error, x->userdata);
}

/* Before anybody is told to sign in, the record is read once more: on a home that machines share,
 * another refresh token may be there by now. */
static bool exchange_read_again(Exchange *x, const FetchError *error) {
        if (error->problem.outcome != OUTCOME_SIGN_IN_NEEDED || x->read_again ||
            x->account->source != ACCOUNT_SOURCE_ENTRA)
                return false;
        x->read_again = true;
        x->error = (FetchError){ .retry_after = error->retry_after,
                                 .unsent = error->unsent,
                                 .claims = xstrdup(error->claims) };
        problem_copy(&x->error.problem, &error->problem);
        return vault_reload(x->vault, &x->read, exchange_on_read, x) == 0;
}

static void exchange_on_error(const FetchError *error, void *userdata) {
        Exchange *x = userdata;

        if (x->outdated) {
                x->handler->outdated(x->userdata);
                return;
        }
        if (stored_put_secret(x->vault, x->account->source, error->refresh_token))
                vault_save_later(x->vault);
        if (exchange_read_again(x, error))
                x->fetch = fetch_free(x->fetch);
        else
                x->handler->failed(error, x->userdata);
}

static const FetchHandler fetch_handler = {
        .token = exchange_on_token,
        .error = exchange_on_error,
};

static int exchange_send(Exchange *x) {
        FetchRequest request;

        assert(!x->fetch && !x->save && !x->read);
        if (!x->handler->may_send(x->userdata))
                return EXCHANGE_E_DENIED;
        secret_free(x->asked_with);
        x->asked_with = secret_dup(vault_record(x->vault)->secret);
        source_request(&request, x->env, x->account, x->asked_with);
        request.method = x->account->source == ACCOUNT_SOURCE_ENTRA ? "refresh" : NULL;
        request.resource = x->resource;
        request.claims = x->claims;
        request.deadline = LIMIT_FETCH_SECONDS;
        x->env->stats.fetches++;
        return fetch_start(&x->fetch, x->env->launcher, x->env->event, &request, &fetch_handler, x);
}

int exchange_new(Exchange **ret, Env *env, const Account *account, Vault *vault,
                 const char *resource, const char *claims, const ExchangeHandler *handler,
                 void *userdata) {
        CLEANUP(exchange_freep) Exchange *x = xcalloc(1, sizeof(*x));
        int r;

        x->env = env;
        x->vault = vault;
        x->resource = xstrdup(resource);
        x->claims = xstrdup(claims);
        x->handler = handler;
        x->userdata = userdata;
        r = account_copy(&x->account, account);
        if (r < 0)
                return r;
        /* A refresh token may be worth nothing once it is spent: hold off the machine's sleep. */
        if (source_secret(account->source) == SOURCE_SECRET_REFRESH_TOKEN)
                (void)sleep_lock_new(&x->sleep_lock, env->sleep);
        r = exchange_send(x);
        if (r == 0)
                *ret = STEAL(x);
        return r;
}

Exchange *exchange_free(Exchange *x) {
        if (x) {
                fetch_free(x->fetch);
                vault_op_free(x->save);
                vault_op_free(x->read);
                sleep_lock_free(x->sleep_lock);
                token_unref(x->token);
                secret_free(x->asked_with);
                problem_clear(&x->error.problem);
                free((char *)x->error.claims);
                free(x->resource);
                free(x->claims);
                account_free(x->account);
                free(x);
        }
        return NULL;
}

bool exchange_expects_secret(const Exchange *x) {
        return x && (x->fetch || x->save) &&
               source_secret(x->account->source) == SOURCE_SECRET_REFRESH_TOKEN;
}

void exchange_outdate(Exchange *x) {
        x->outdated = true;
}
