/* SPDX-License-Identifier: MIT */
/*
 * A person signs in: the way in, and what its end leaves of the account.
 */
#include "io/log.h"
#include "keeper/turn.h"

/* An exchange of the former refresh token has lost its meaning. */
static void keeper_on_signin_arrived(void *userdata) {
        keeper_abort_exchange(userdata, true);
}

static void keeper_on_signin_done(Token *token, const char *resource, int saved, void *userdata) {
        const Problem none = { 0 };
        Keeper *k = userdata;
        Slot *own = k->slots;
        /* Unless the settings have changed meanwhile. */
        bool fresh = streq(resource, own->resource);

        /* The others may be of another person. */
        for (Slot *s = fresh ? own->next : own; s; s = s->next)
                slot_apply_event(s, KEEPER_EVENT_OTHER_IDENTITY);
        if (fresh) {
                keeper_put_token(k, own, token);
                own->due = false;
                own->ended = true;
                own->used_usec = clock_boottime();
        }
        view_set_error(&k->view, &none);
        keeper_note_saved(k, saved);
        k->times.refreshed_usec = clock_boottime();
        log_info("%s: signed in", k->account->name);
        keeper_wake(k);
        keeper_due(k);
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
                view_set_error(&k->view, &problem);
        log_info("%s", problem_text(&problem));
        problem_clear(&problem);
        keeper_due(k);
}

const SigninsHandler keeper_signins_handler = {
        .arrived = keeper_on_signin_arrived,
        .done = keeper_on_signin_done,
        .failed = keeper_on_signin_failed,
};

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
        int r;

        r = words_misconfigured(k->account, problem);
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

        *ret = signins_pending(&k->signins);
        if (*ret)
                return 0;
        r = signins_begin(&k->signins, k, k->account, method, ret);
        if (r == -E2BIG)
                return problem_set(problem, OUTCOME_LIMITS_EXCEEDED,
                                   "%s: too many sign-ins within a minute. Wait a moment.", name);
        if (r == 0)
                keeper_due(k);
        return r;
}
