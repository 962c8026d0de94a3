/* SPDX-License-Identifier: MIT */
/*
 * A person's sign-in, as the account lives through it: at most one under way, its token stored
 * before it is handed out, everything of the former person dropped, its end shown for a minute.
 */
#include "io/log.h"
#include "keeper/stored.h"
#include "keeper/turn.h"
#include "model/limits.h"

void keeper_drop_claims(Keeper *k) {
        free(k->claims);
        k->claims = NULL;
}

void keeper_want_claims(Keeper *k, const char *claims) {
        char *copy = claims ? strdup(claims) : NULL;

        if (!copy)
                return;
        keeper_drop_claims(k);
        k->claims = copy;
}

void keeper_drop_signin(Keeper *k) {
        SignIn *signin = keeper_pending_signin(k);
        Problem problem = { 0 };

        if (k->finish) {
                k->finish = vault_op_free(k->finish);
                k->finishing = NULL;
                k->fetched = token_unref(k->fetched);
        }
        if (!signin)
                return;
        (void)problem_set(&problem, OUTCOME_CANCELLED, "%s: the sign-in was cancelled.",
                          k->account->name);
        signin_end(signin, &problem);
        problem_clear(&problem);
}

/* The sign-in's tokens are in the keyring, or wait for it in memory. */
static void finish_on_saved(int outcome, void *userdata) {
        Problem none = { 0 };
        Keeper *k = userdata;
        SignIn *signin = k->finishing;
        bool fresh = k->fetched != NULL; /* unless the account has got another resource */

        k->finish = vault_op_free(k->finish);
        k->finishing = NULL;
        /* The others may be of another person. */
        for (Slot *s = fresh ? k->slots->next : k->slots; s; s = s->next)
                slot_happened(s, KEEPER_EVENT_OTHER_IDENTITY);
        if (fresh) {
                keeper_put_token(k, k->slots, k->fetched);
                k->slots->wanted = false;
                k->slots->used_usec = clock_boottime();
                k->fetched = token_unref(k->fetched);
        }
        keeper_set_last_error(k, &none);
        keeper_drop_claims(k);
        keeper_tell_unsaved(k, outcome);
        k->last_refresh_usec = clock_boottime();
        log_info("%s: signed in", k->account->name);
        if (signin)
                signin_end(signin, &none);
        slot_settle(k, k->slots, fresh);
        for (Slot *s = k->slots->next; s; s = s->next)
                slot_settle(k, s, false);
        keeper_wake(k);
        keeper_publish(k);
}

static void keeper_on_signin_token(SignIn *signin, const FetchToken *fetched, void *userdata) {
        const char *resource = signin_resource(signin);
        Keeper *k = userdata;
        int r;

        /* An exchange of the former refresh token has lost its meaning. */
        keeper_abort_exchange(k, true);
        vault_start_over(k->vault);
        record_drop_tokens(vault_record(k->vault));
        (void)record_set_user(vault_record(k->vault), NULL);
        (void)record_set_seen_tenant(vault_record(k->vault), NULL);
        if (!fetched->refresh_token)
                (void)record_set_secret(vault_record(k->vault), NULL);
        r = stored_put_fetched(k->env, k->vault, k->account->source, resource, fetched,
                               &k->fetched);
        if (!streq(resource, k->account->resource))
                k->fetched = token_unref(k->fetched); /* the settings have changed meanwhile */
        if (r < 0) {
                Problem problem = { .outcome = OUTCOME_FAILED };

                k->fetched = token_unref(k->fetched);
                signin_end(signin, &problem);
                return;
        }
        k->finishing = signin;
        if (vault_save(k->vault, &k->finish, finish_on_saved, k) < 0) {
                vault_save_later(k->vault);
                finish_on_saved(KEYRING_E_FAILED, k);
        }
}

static void keeper_on_signin_failed(SignIn *s, const Problem *cause, void *userdata) {
        Keeper *k = userdata;
        Problem problem = { 0 };
        SignInView view;

        signin_view(s, &view);
        if (cause->outcome == OUTCOME_BLOCKED && k->account->source == ACCOUNT_SOURCE_ENTRA &&
            streq(view.method, "device-code"))
                (void)problem_set(&problem, cause->outcome, BLOCKED_FORMAT, k->account->name,
                                  problem_text(cause), k->account->name);
        else
                (void)problem_set(&problem, cause->outcome, "%s: %s", k->account->name,
                                  problem_text(cause));
        signin_end(s, &problem);
        if (cause->outcome != OUTCOME_CANCELLED)
                keeper_set_last_error(k, &problem);
        /* They may be at fault; if they are wanted all the same, that will be said again. */
        if (cause->outcome == OUTCOME_MISCONFIGURED || cause->outcome == OUTCOME_BLOCKED)
                keeper_drop_claims(k);
        log_info("%s", problem_text(&problem));
        for (Slot *slot = k->slots; slot; slot = slot->next)
                slot_settle(k, slot, false);
        keeper_pump(k);
        keeper_publish(k);
        problem_clear(&problem);
}

static void keeper_on_signin_expired(SignIn *expired, void *userdata) {
        Keeper *k = userdata;
        SignIn *before = NULL, *next = signin_next(expired);

        if (k->signins != expired)
                for (before = k->signins; signin_next(before) != expired;)
                        before = signin_next(before);
        signin_free(expired); /* which tells: it is in the list until then */
        if (before)
                signin_link(before, next);
        else
                k->signins = next;
}

static const SignInHandler keeper_signin_handler = {
        .token = keeper_on_signin_token,
        .failed = keeper_on_signin_failed,
        .expired = keeper_on_signin_expired,
};

static size_t signins_count(const Keeper *k) {
        size_t n = 0;

        for (const SignIn *s = k->signins; s; s = signin_next(s))
                n++;
        return n;
}

static const char *keeper_signin_method(const Keeper *k, const SignInWish *wish) {
        const char *method = wish ? wish->method : NULL;

        if (method && !streq(method, "auto"))
                return method;
        if (k->account->source == ACCOUNT_SOURCE_COMMAND)
                return "auto"; /* its program knows best */
        if (!streq(k->account->sign_in, "auto"))
                return k->account->sign_in;
        return wish && wish->browser ? "browser" : "device-code";
}

int keeper_sign_in(Keeper *k, const SignInWish *wish, SignIn **ret, Problem *problem) {
        const char *name = k->account->name, *method;
        SignIn *s;
        int r;

        r = keeper_misconfigured(k, problem);
        if (r != 0)
                return r;
        if (k->account->source == ACCOUNT_SOURCE_AZURE_CLI)
                return problem_set(problem, OUTCOME_MISCONFIGURED,
                                   "%s: the Azure CLI signs in for it. Run: az login "
                                   "--allow-no-subscriptions",
                                   name);
        if (k->account->source == ACCOUNT_SOURCE_CLIENT_CREDENTIALS)
                return problem_set(problem, OUTCOME_MISCONFIGURED,
                                   "%s: nobody signs in for it: its client has a secret. To store "
                                   "a new one: iotc-token login %s",
                                   name, name);
        if (k->account->source == ACCOUNT_SOURCE_API_TOKEN)
                return problem_set(problem, OUTCOME_MISCONFIGURED,
                                   "%s: accounts of source %s have no sign-in.", name,
                                   account_source_to_string(k->account->source));
        method = keeper_signin_method(k, wish);
        if (!streq(method, "device-code") && !streq(method, "browser") && !streq(method, "auto"))
                return problem_set(
                        problem, OUTCOME_INVALID_ARGS,
                        "%s: the methods of a sign-in are auto, browser and device-code.", name);

        if (keeper_pending_signin(k)) {
                *ret = k->signins;
                return 0;
        }
        if (signins_count(k) >= LIMIT_SIGNINS_PER_ACCOUNT)
                return problem_set(problem, OUTCOME_LIMITS_EXCEEDED,
                                   "%s: too many sign-ins within a minute. Wait a moment.", name);
        r = signin_new(&s, k->env, k, k->account, method, k->claims, &keeper_signin_handler, k);
        if (r < 0)
                return r;
        signin_link(s, k->signins);
        k->signins = s;
        k->env->listener->signin_added(s, k->env->listener_userdata);
        keeper_publish(k);
        *ret = s;
        return 0;
}
