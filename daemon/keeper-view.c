/* SPDX-License-Identifier: MIT */
/*
 * What an account shows: its state, worked out from what the keeper holds, and the news of changes.
 */
#include "keeper-private.h"

const char *keeper_state_to_string(KeeperState state) {
        static const char *const names[_KEEPER_STATE_MAX] = {
                [KEEPER_STATE_READY] = "ready",
                [KEEPER_STATE_SIGNING_IN] = "signing-in",
                [KEEPER_STATE_LOCKED] = "locked",
                [KEEPER_STATE_SIGN_IN_NEEDED] = "sign-in-needed",
                [KEEPER_STATE_UNAVAILABLE] = "unavailable",
                [KEEPER_STATE_MISCONFIGURED] = "misconfigured",
                [KEEPER_STATE_BLOCKED] = "blocked",
        };

        return names[state];
}

static KeeperState keeper_state(const Keeper *k) {
        const Slot *own = k->slots;
        bool valid = token_left_usec(own->token, clock_boottime()) > 0;

        if (k->account->problem)
                return KEEPER_STATE_MISCONFIGURED;
        if (keeper_pending_signin(k))
                return KEEPER_STATE_SIGNING_IN;
        if (keeper_needs_secret(k) && vault_state(k->vault) == VAULT_STATE_LOCKED)
                return KEEPER_STATE_LOCKED;
        switch (own->failure.outcome) {
        case OUTCOME_SIGN_IN_NEEDED:
                return KEEPER_STATE_SIGN_IN_NEEDED;
        case OUTCOME_BLOCKED:
                return KEEPER_STATE_BLOCKED;
        case OUTCOME_MISCONFIGURED:
        case OUTCOME_SOURCE_MISSING:
                return KEEPER_STATE_MISCONFIGURED;
        case OUTCOME_OK:
                break;
        default:
                return valid ? KEEPER_STATE_READY : KEEPER_STATE_UNAVAILABLE;
        }
        if (keeper_needs_secret(k) && vault_state(k->vault) != VAULT_STATE_LOADING &&
            !vault_record(k->vault)->secret)
                /* A keyring that is not there yet says nothing of who is signed in. */
                return vault_state(k->vault) == VAULT_STATE_ABSENT ? KEEPER_STATE_UNAVAILABLE
                                                                   : KEEPER_STATE_SIGN_IN_NEEDED;
        if (k->account->source == ACCOUNT_SOURCE_API_TOKEN && own->token && !valid)
                return KEEPER_STATE_SIGN_IN_NEEDED;
        return KEEPER_STATE_READY;
}

void keeper_view(const Keeper *k, KeeperView *ret) {
        uint64_t now = clock_boottime();
        const Slot *own = k->slots;

        *ret = (KeeperView){
                .state = keeper_state(k),
                .user = vault_record(k->vault)->user,
                .tenant = k->tenant ? k->tenant : k->account->tenant,
                .expires_at = own->token ? own->token->expires_at : 0,
                .last_refresh_at = k->last_refresh_at,
                .last_used_at = k->last_used_at,
                .last_error = &k->last_error,
        };
        if (own->token && own->refresh_usec != USEC_INFINITY)
                ret->refresh_at =
                        clock_wall() +
                        (own->refresh_usec > now ? own->refresh_usec - now : 0) / USEC_PER_SEC;
}

static void keeper_tell(Keeper *k, unsigned what) {
        if (what && !k->removed)
                k->env->listener->account_changed(k, what, k->env->listener_userdata);
}

void keeper_set_last_error(Keeper *k, const Problem *problem) {
        bool changed = problem->outcome != k->last_error.outcome ||
                       !streq(problem->text, k->last_error.text);

        problem_copy(&k->last_error, problem);
        keeper_tell(k, changed ? ACCOUNT_CHANGED_LAST_ERROR : 0);
}

/* Is the text another one than was told? It counts as told then. */
static bool text_differs(char **told, const char *now) {
        if (streq(*told, now))
                return false;
        free(*told);
        *told = now ? strdup(now) : NULL;
        return true;
}

void keeper_publish(Keeper *k) {
        unsigned what = 0;
        KeeperView view;

        keeper_prune(k);
        keeper_arm(k);
        keeper_view(k, &view);
        if (view.state != k->told_state)
                what |= ACCOUNT_CHANGED_STATE;
        if (view.expires_at != k->told_expires_at)
                what |= ACCOUNT_CHANGED_EXPIRES_AT | ACCOUNT_CHANGED_REFRESH_AT;
        if (view.last_refresh_at != k->told_last_refresh_at)
                what |= ACCOUNT_CHANGED_LAST_REFRESH_AT;
        if (text_differs(&k->told_user, view.user))
                what |= ACCOUNT_CHANGED_USER;
        if (text_differs(&k->told_tenant, view.tenant))
                what |= ACCOUNT_CHANGED_USER;
        k->told_state = view.state;
        k->told_expires_at = view.expires_at;
        k->told_last_refresh_at = view.last_refresh_at;
        keeper_tell(k, what);
}
