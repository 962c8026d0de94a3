/* SPDX-License-Identifier: MIT */
/*
 * The tables of policy/rules.c, in every combination of facts. test-keeper-diagram.c works out what
 * can follow what, test-keeper-rules.c holds the real keeper to the same tables.
 */
#undef NDEBUG
#include <assert.h>

#include "policy/rules.h"

static bool needs_a_person_elsewhere(KeeperState state) {
        return state == KEEPER_STATE_SIGN_IN_NEEDED || state == KEEPER_STATE_BLOCKED ||
               state == KEEPER_STATE_MISCONFIGURED || state == KEEPER_STATE_LOCKED;
}

static void check_rule(const KeeperFacts *f, const KeeperRule *rule) {
        bool passes = f->failure == KEEPER_FAILURE_PASSING || f->failure == KEEPER_FAILURE_NONE;
        bool can_ask = f->secret & (KEEPER_SECRET_HELD | KEEPER_SECRET_FREE | KEEPER_SECRET_AZ);

        /* No timer runs where only somebody else can help. */
        if (needs_a_person_elsewhere(rule->state))
                assert(rule->timer == KEEPER_TIMER_OFF);
        /* What passes is tried again, and asks nobody to do anything. */
        if (f->settings == KEEPER_SETTINGS_GOOD && can_ask && passes) {
                assert(rule->timer == KEEPER_TIMER_REFRESH || rule->timer == KEEPER_TIMER_BACK_OFF);
                assert(!needs_a_person_elsewhere(rule->state));
        }
        /* A token that is served makes the account ready, whatever passes meanwhile. */
        if (f->settings == KEEPER_SETTINGS_GOOD && can_ask && passes &&
            f->token == KEEPER_TOKEN_VALID)
                assert(rule->state == KEEPER_STATE_READY);
        /* A timer starts exchanges, so that there is something to ask with; a caller's wish too. */
        if (rule->timer == KEEPER_TIMER_REFRESH || rule->timer == KEEPER_TIMER_BACK_OFF)
                assert(can_ask && rule->asked >= KEEPER_TRY_NOW);
        assert((rule->asked >= KEEPER_TRY_NOW) == (can_ask && f->settings == KEEPER_SETTINGS_GOOD));
        assert(rule->asked == KEEPER_TRY_NEVER || rule->asked < _KEEPER_TRY_MAX);
}

/* The n-th of all combinations; false when there are no more. */
static bool facts_of(KeeperFacts *ret, unsigned n) {
        static const unsigned sizes[] = { 2, 8, 5, 3 };
        unsigned bits[ARRAY_SIZE(sizes)];

        for (size_t i = 0; i < ARRAY_SIZE(sizes); n /= sizes[i++])
                bits[i] = 1u << n % sizes[i];
        *ret = (KeeperFacts){ bits[0], bits[1], bits[2], bits[3] };
        assert(_KEEPER_SECRET_MAX == 1 << 8 && _KEEPER_FAILURE_MAX == 1 << 5 &&
               _KEEPER_TOKEN_MAX == 1 << 3);
        return n == 0;
}

static void test_every_combination_has_a_rule(void) {
        const KeeperRule *first = NULL, *last = NULL, *seen[64];
        unsigned n_seen = 0;
        KeeperFacts f;

        for (unsigned n = 0; facts_of(&f, n); n++) {
                const KeeperRule *rule = keeper_rule(&f);
                unsigned i = 0;

                check_rule(&f, rule);
                while (i < n_seen && seen[i] != rule)
                        i++;
                if (i == n_seen)
                        seen[n_seen++] = rule;
                first = !first || rule < first ? rule : first;
                last = !last || rule > last ? rule : last;
        }
        /* None is dead. */
        assert(n_seen == (size_t)(last - first) + 1);
}

static void test_every_outcome_has_a_meaning(void) {
        for (Outcome o = OUTCOME_OK; o < _OUTCOME_MAX; o++) {
                KeeperFailure failure = keeper_failure_of(o);

                assert((failure == KEEPER_FAILURE_NONE) == (o == OUTCOME_OK));
                assert((failure == KEEPER_FAILURE_PERSON) == (o == OUTCOME_SIGN_IN_NEEDED));
                assert((failure == KEEPER_FAILURE_POLICY) == (o == OUTCOME_BLOCKED));
                assert((failure == KEEPER_FAILURE_SETTINGS) ==
                       (o == OUTCOME_MISCONFIGURED || o == OUTCOME_SOURCE_MISSING));
        }
}

static void test_what_an_event_may_drop(void) {
        for (KeeperEvent e = 0; e < _KEEPER_EVENT_MAX; e++) {
                const KeeperEffect *effect = keeper_effect(e);
                bool dropped = effect->secret == KEEPER_GONE;

                /* A refresh token goes when its owner says so, and never by an error. */
                assert(dropped == (e == KEEPER_EVENT_SIGNED_OUT || e == KEEPER_EVENT_ITEM_GONE ||
                                   e == KEEPER_EVENT_OTHER_IDENTITY));
                /* With it goes all that it has brought, or is bringing. */
                if (dropped)
                        assert(effect->tokens == KEEPER_GONE && effect->exchange == KEEPER_GONE);
                if (effect->secret == KEEPER_NEW)
                        assert(effect->tokens != KEEPER_KEPT && effect->failure == KEEPER_GONE);
                /* An exchange has one end. */
                if (e == KEEPER_EVENT_FETCHED || e == KEEPER_EVENT_FAILED)
                        assert(effect->exchange == KEEPER_GONE && effect->signin == KEEPER_KEPT);
        }
}

int main(void) {
        test_every_combination_has_a_rule();
        test_every_outcome_has_a_meaning();
        test_what_an_event_may_drop();
        return 0;
}
