/* SPDX-License-Identifier: MIT */
/*
 * What an account shows: its state, worked out from what the keeper holds, and the news of changes.
 */
#include "io/state.h"
#include "keeper/turn.h"

static KeeperSecret keeper_secret(const Keeper *k) {
        AccountSource source = k->account->source;

        if (vault_state(k->vault) == VAULT_STATE_LOADING)
                return KEEPER_SECRET_LOADING;
        if (!source_needs_secret(source))
                return source == ACCOUNT_SOURCE_AZURE_CLI ? KEEPER_SECRET_AZ : KEEPER_SECRET_FREE;
        if (vault_record(k->vault)->secret)
                return source == ACCOUNT_SOURCE_API_TOKEN ? KEEPER_SECRET_TOKEN
                                                          : KEEPER_SECRET_HELD;
        switch (vault_state(k->vault)) {
        case VAULT_STATE_LOCKED:
                return KEEPER_SECRET_LOCKED;
        case VAULT_STATE_ABSENT:
                return KEEPER_SECRET_ABSENT;
        default:
                return KEEPER_SECRET_NONE;
        }
}

static KeeperFacts slot_facts(const Keeper *k, const Slot *s, uint64_t now) {
        return (KeeperFacts){
                .settings = k->account->problem ? KEEPER_SETTINGS_BAD : KEEPER_SETTINGS_GOOD,
                .secret = keeper_secret(k),
                .failure = keeper_failure_of(s->failure.outcome),
                .token = !s->token                            ? KEEPER_TOKEN_NONE
                         : token_left_usec(s->token, now) > 0 ? KEEPER_TOKEN_VALID
                                                              : KEEPER_TOKEN_ENDED,
        };
}

const KeeperRule *slot_rule(const Keeper *k, const Slot *s, uint64_t now) {
        KeeperFacts facts = slot_facts(k, s, now);

        return keeper_rule(&facts);
}

static KeeperState keeper_state(const Keeper *k) {
        KeeperFacts facts = slot_facts(k, k->slots, clock_boottime());

        return keeper_state_of(&facts, keeper_pending_signin(k) != NULL);
}

uint64_t token_expires_at(const Token *t) {
        return clock_wall_of(t->expires_usec);
}

uint64_t keeper_used_at(const Keeper *k) {
        return k->last_used_usec ? env_true_of(k->env, k->last_used_usec) : k->former_used_at;
}

void keeper_note_use(const Keeper *k) {
        if (k->last_used_usec)
                state_note_use(k->env->state, k->account->name, keeper_used_at(k));
}

/* There is a secret or a token of somebody who was signed in, but it serves no more. */
static bool keeper_is_lapsed(const Keeper *k) {
        const Record *record = vault_record(k->vault);

        if (keeper_state(k) != KEEPER_STATE_SIGN_IN_NEEDED)
                return false;
        return source_needs_secret(k->account->source) ? record->secret != NULL
                                                       : k->slots->token || record->n_tokens;
}

/* When a token last came; an API token, when it was stored. */
static uint64_t keeper_last_refresh_at(const Keeper *k) {
        uint64_t secret_at = vault_record(k->vault)->secret_at;

        if (k->last_refresh_usec)
                return clock_wall_of(k->last_refresh_usec);
        return k->account->source == ACCOUNT_SOURCE_API_TOKEN && secret_at
                       ? clock_wall_of(env_boottime_of(k->env, secret_at))
                       : 0;
}

void keeper_view(const Keeper *k, KeeperView *ret) {
        const Slot *own = k->slots;

        *ret = (KeeperView){
                .state = keeper_state(k),
                .user = vault_record(k->vault)->user,
                .tenant = vault_record(k->vault)->seen_tenant ?: k->account->tenant,
                .expires_at = own->token ? token_expires_at(own->token) : 0,
                .last_refresh_at = keeper_last_refresh_at(k),
                .last_used_at =
                        k->last_used_usec ? clock_wall_of(k->last_used_usec) : k->former_used_at,
                .lapsed = keeper_is_lapsed(k),
                .ends_soon = k->warned != 0,
                .last_error = &k->last_error,
        };
        if (own->token && own->refresh_usec != USEC_INFINITY)
                ret->refresh_at = clock_wall_of(MAX(own->refresh_usec, clock_boottime()));
}

static void keeper_tell(Keeper *k, unsigned what) {
        if (what)
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
        const Slot *own = k->slots;
        uint64_t refresh_at;
        unsigned what = 0;
        KeeperView view;

        keeper_prune(k);
        keeper_warn(k);
        keeper_arm(k);
        keeper_view(k, &view);
        if (view.state != k->told_state)
                what |= ACCOUNT_CHANGED_STATE;
        refresh_at = own->token ? clock_wall_of(own->refresh_usec) : 0;
        if (view.expires_at != k->told_expires_at)
                what |= ACCOUNT_CHANGED_EXPIRES_AT;
        if (refresh_at != k->told_refresh_at)
                what |= ACCOUNT_CHANGED_REFRESH_AT;
        if (view.last_refresh_at != k->told_last_refresh_at)
                what |= ACCOUNT_CHANGED_LAST_REFRESH_AT;
        if (text_differs(&k->told_user, view.user))
                what |= ACCOUNT_CHANGED_USER;
        if (text_differs(&k->told_tenant, view.tenant))
                what |= ACCOUNT_CHANGED_USER;
        k->told_state = view.state;
        k->told_expires_at = view.expires_at;
        k->told_refresh_at = refresh_at;
        k->told_last_refresh_at = view.last_refresh_at;
        keeper_tell(k, what);
}
