/* SPDX-License-Identifier: MIT */
#include "policy/rules.h"

#define ANY (~0u)

#define GOOD KEEPER_SETTINGS_GOOD
#define BAD  KEEPER_SETTINGS_BAD

#define LOADING KEEPER_SECRET_LOADING
#define LOCKED  KEEPER_SECRET_LOCKED
#define ABSENT  KEEPER_SECRET_ABSENT
#define NOTHING KEEPER_SECRET_NONE
#define TOKEN   KEEPER_SECRET_TOKEN
#define AZ      KEEPER_SECRET_AZ
#define SECRET  (KEEPER_SECRET_HELD | KEEPER_SECRET_FREE)

#define NONE     KEEPER_FAILURE_NONE
#define PASSING  KEEPER_FAILURE_PASSING
#define PERSON   KEEPER_FAILURE_PERSON
#define POLICY   KEEPER_FAILURE_POLICY
#define SETTINGS KEEPER_FAILURE_SETTINGS

#define VALID KEEPER_TOKEN_VALID
#define ENDED (KEEPER_TOKEN_NONE | KEEPER_TOKEN_ENDED)

#define RULE(settings, secret, failure, token, state, timer, asked)                           \
        {                                                                                     \
                settings, secret, failure, token, KEEPER_STATE_##state, KEEPER_TIMER_##timer, \
                        KEEPER_TRY_##asked                                                    \
        }

/* clang-format off */
static const KeeperRule rules[] = {
        /*   settings secret   failure   token  | state          timer     a caller may try */
        RULE(BAD,     ANY,     ANY,      ANY,     MISCONFIGURED,  OFF,      NEVER),
        RULE(ANY,     LOADING, ANY,      ANY,     READY,          OFF,      WAIT),

        /* az's own sign-in: the keyring has no say, and it may be mended at any moment. */
        RULE(ANY,     AZ,      NONE,     ANY,     READY,          REFRESH,  NOW),
        RULE(ANY,     AZ,      PASSING,  VALID,   READY,          BACK_OFF, SOON),
        RULE(ANY,     AZ,      PASSING,  ENDED,   UNAVAILABLE,    BACK_OFF, SOON),
        RULE(ANY,     AZ,      PERSON,   ANY,     SIGN_IN_NEEDED, OFF,      SOON),
        RULE(ANY,     AZ,      POLICY,   ANY,     BLOCKED,        OFF,      SOON),
        RULE(ANY,     AZ,      SETTINGS, ANY,     MISCONFIGURED,  OFF,      SOON),

        /* No secret: who is signed in is not known, or nobody is. */
        RULE(ANY,     LOCKED,  ANY,      ANY,     LOCKED,         OFF,      NEVER),
        RULE(ANY,     ABSENT,  ANY,      ANY,     UNAVAILABLE,    OFF,      NEVER),
        RULE(ANY,     NOTHING, ANY,      ANY,     SIGN_IN_NEEDED, OFF,      NEVER),

        /* A secret that is the token. */
        RULE(ANY,     TOKEN,   ANY,      VALID,   READY,          END,      NEVER),
        RULE(ANY,     TOKEN,   ANY,      ENDED,   SIGN_IN_NEEDED, OFF,      NEVER),

        /* A secret to get tokens with. */
        RULE(ANY,     SECRET,  NONE,     ANY,     READY,          REFRESH,  NOW),
        RULE(ANY,     SECRET,  PASSING,  VALID,   READY,          BACK_OFF, BACK_OFF),
        RULE(ANY,     SECRET,  PASSING,  ENDED,   UNAVAILABLE,    BACK_OFF, BACK_OFF),
        RULE(ANY,     SECRET,  PERSON,   ANY,     SIGN_IN_NEEDED, OFF,      FORCED),
        RULE(ANY,     SECRET,  POLICY,   ANY,     BLOCKED,        OFF,      SLOWLY),
        RULE(ANY,     SECRET,  SETTINGS, ANY,     MISCONFIGURED,  OFF,      SLOWLY),
};
/* clang-format on */

const KeeperRule *keeper_rule(const KeeperFacts *facts) {
        const KeeperRule *rule = rules;

        while (!(rule->settings & facts->settings && rule->secret & facts->secret &&
                 rule->failure & facts->failure && rule->token & facts->token))
                rule++;
        return rule;
}

KeeperState keeper_state_of(const KeeperFacts *facts, bool signing_in) {
        return signing_in && facts->settings == KEEPER_SETTINGS_GOOD ? KEEPER_STATE_SIGNING_IN
                                                                     : keeper_rule(facts)->state;
}

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

KeeperFailure keeper_failure_of(Outcome outcome) {
        switch (outcome) {
        case OUTCOME_OK:
                return KEEPER_FAILURE_NONE;
        case OUTCOME_SIGN_IN_NEEDED:
                return KEEPER_FAILURE_PERSON;
        case OUTCOME_BLOCKED:
                return KEEPER_FAILURE_POLICY;
        case OUTCOME_MISCONFIGURED:
        case OUTCOME_SOURCE_MISSING:
                return KEEPER_FAILURE_SETTINGS;
        default:
                return KEEPER_FAILURE_PASSING;
        }
}

const KeeperEffect *keeper_effect(KeeperEvent event) {
#define EFFECT(exchange, signin, tokens, secret, failure) \
        { KEEPER_##exchange, KEEPER_##signin, KEEPER_##tokens, KEEPER_##secret, KEEPER_##failure }
        /* clang-format off */
        static const KeeperEffect effects[_KEEPER_EVENT_MAX] = {
                /*                                    exchange sign-in tokens secret failure */
                [KEEPER_EVENT_FETCHED]        = EFFECT(GONE,   KEPT,   NEW,   KEPT,  GONE),
                [KEEPER_EVENT_FAILED]         = EFFECT(GONE,   KEPT,   KEPT,  KEPT,  NEW),
                [KEEPER_EVENT_ITEM_GONE]      = EFFECT(GONE,   KEPT,   GONE,  GONE,  NEW),
                [KEEPER_EVENT_SIGNED_IN]      = EFFECT(GONE,   GONE,   NEW,   NEW,   GONE),
                [KEEPER_EVENT_SIGNIN_FAILED]  = EFFECT(KEPT,   GONE,   KEPT,  KEPT,  KEPT),
                [KEEPER_EVENT_SIGNED_OUT]     = EFFECT(GONE,   GONE,   GONE,  GONE,  GONE),
                [KEEPER_EVENT_SECRET_SET]     = EFFECT(GONE,   KEPT,   GONE,  NEW,   GONE),
                [KEEPER_EVENT_AZ_CHANGED]     = EFFECT(KEPT,   KEPT,   GONE,  KEPT,  GONE),
                [KEEPER_EVENT_OTHER_IDENTITY] = EFFECT(GONE,   GONE,   GONE,  GONE,  GONE),
                [KEEPER_EVENT_OTHER_RESOURCE] = EFFECT(KEPT,   KEPT,   GONE,  KEPT,  GONE),
                [KEEPER_EVENT_CONFIGURED]     = EFFECT(KEPT,   KEPT,   KEPT,  KEPT,  KEPT),
        };
        /* clang-format on */

        return &effects[event];
}
