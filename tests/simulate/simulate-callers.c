/* SPDX-License-Identifier: MIT */
/*
 * Programs that want tokens: in bursts, with all sorts of wishes, patient or not. Each remembers
 * what it asked, and is told once.
 */
#include "simulate.h"

/* A timer may be this late. */
#define TICK_USEC (1000)

struct Caller {
        Caller *next;
        Machine *machine;
        Client *client;
        unsigned number, resource;
        KeeperAsk ask;
        uint64_t asked, leave_at;
        uint64_t well_for; /* when it asked */
        Waiter *waiter;
        unsigned answers;
};

static void caller_free(Caller *c) {
        Caller **p = &c->machine->callers;

        while (*p && *p != c)
                p = &(*p)->next;
        if (*p)
                *p = c->next;
        waiter_free(c->waiter);
        free(c);
}

/* Two callers are on no bus: nothing distinguishes them but their names. */
static const char *caller_name(unsigned n) {
        static const char *const names[] = { ":1.1", ":1.2", ":1.3" };

        return names[n % ARRAY_SIZE(names)];
}

static void caller_take(Caller *c, const Token *t) {
        uint64_t issued, expires, now = sim_now();
        unsigned client, resource;

        (void)identity_knows(t->value, &client, &resource, &issued, &expires);
        /* The account's own resource has become another one while it waited. */
        if (c->ask.resource || c->machine->changed < c->asked)
                resource = c->resource;
        client_check_token(c->machine, c->client, resource, t);
        if (c->ask.wish.strict && !machine_lied_about(c->machine, issued) &&
            expires + SEC(1) < now + c->ask.wish.min_valid * USEC_PER_SEC)
                story_fail("%s: caller %u was promised %u s", c->client->name, c->number,
                           c->ask.wish.min_valid);
        if (c->ask.force && c->client->source == ACCOUNT_SOURCE_ENTRA &&
            issued >= c->machine->woke && issued + SEC(150) < c->asked)
                story_fail("%s: caller %u forced, and got a token of before", c->client->name,
                           c->number);
        c->machine->totals->served++;
}

/* Nothing was in its way for so long, it asks for nothing special, and is sent away. */
static bool caller_deserves(const Caller *c) {
        return c->well_for > 4600 * USEC_PER_SEC && !c->ask.claims && !c->ask.wish.strict &&
               c->ask.timeout_usec >= SEC(60) && c->client->held > c->client->revoked &&
               c->client->setting == SETTING_WHOLE && !client_may_need_person(c->client);
}

static void caller_refused(Caller *c, const Problem *problem) {
        const Client *client = c->client;

        story("%s: caller %u is told %d: %s", client->name, c->number, problem->outcome,
              problem_text(problem));
        c->machine->totals->refused++;
        switch (problem->outcome) {
        case OUTCOME_SIGN_IN_NEEDED:
                if (client_may_need_person(client))
                        break;
                /* The request that it waited for may have been on its way when it came. */
                if (c->ask.claims &&
                    client->refused_claims_at + SEC(LIMIT_FETCH_SECONDS) >= c->asked)
                        break;
                story_fail("%s: caller %u is told to sign in, for nothing", client->name,
                           c->number);
        case OUTCOME_UNAVAILABLE:
        case OUTCOME_TIMED_OUT:
        case OUTCOME_BLOCKED:
        case OUTCOME_LIMITS_EXCEEDED:
        case OUTCOME_CANCELLED:
                break;
        case OUTCOME_KEYRING_LOCKED:
        case OUTCOME_KEYRING_ABSENT:
                if (client->source == ACCOUNT_SOURCE_ENTRA)
                        break;
                story_fail("%s: caller %u is told of the keyring", client->name, c->number);
        case OUTCOME_MISCONFIGURED:
                if (client->setting == SETTING_BAD)
                        break;
                story_fail("%s: caller %u is told of bad settings", client->name, c->number);
        case OUTCOME_DENIED:
                if (client->setting == SETTING_NARROW && c->resource == 1)
                        break;
                /* fall through */
        default:
                story_fail("%s: caller %u has a wrong answer", client->name, c->number);
        }
        if (problem->outcome != OUTCOME_CANCELLED && problem->outcome != OUTCOME_MISCONFIGURED &&
            problem->outcome != OUTCOME_DENIED && problem->outcome != OUTCOME_LIMITS_EXCEEDED &&
            !c->ask.claims && !c->ask.wish.strict && !c->ask.force &&
            client_has_token(c->machine, client, c->resource))
                story_fail("%s: caller %u is sent away though its token is good", client->name,
                           c->number);
        if (problem->outcome != OUTCOME_CANCELLED && caller_deserves(c))
                story_fail("%s: caller %u is sent away though all was well for %u s", client->name,
                           c->number, (unsigned)(c->well_for / USEC_PER_SEC));
}

static void caller_told(Caller *c, Token *token, const Problem *problem) {
        if (c->answers++ > 0)
                story_fail("%s: caller %u is answered again", c->client->name, c->number);
        if (token)
                caller_take(c, token);
        else
                caller_refused(c, problem);
}

static void on_token(Token *token, const Problem *problem, void *userdata) {
        Caller *c = userdata;

        caller_told(c, token, problem);
        caller_free(c);
}

static void ask_by_chance(Caller *c) {
        static const uint32_t wishes[] = { 0, 30, 300, 900, 1800, 3000, 5000 };
        static const char *const claims[] = { "{\"a\":1}", "{\"a\":2}" };

        c->ask = (KeeperAsk){ .caller = caller_name(c->number), .timeout_usec = SEC(20) };
        if (chance_of(0.15))
                c->ask.wish = (PolicyWish){ .strict = true,
                                            .min_valid = wishes[chance_below(ARRAY_SIZE(wishes))] };
        if (chance_of(0.05))
                c->ask.force = true;
        if (chance_of(0.02) && c->client->source == ACCOUNT_SOURCE_ENTRA)
                c->ask.claims = claims[chance_below(ARRAY_SIZE(claims))];
        if (chance_of(0.1))
                c->ask.interactive = true;
        if (chance_of(0.1))
                c->ask.timeout_usec = 0;
        else if (chance_of(0.5))
                c->ask.timeout_usec = SEC(1 + chance_below(LIMIT_TIMEOUT_SECONDS));
        if (chance_of(0.1)) {
                c->resource = 1;
                c->ask.resource = GRAPH;
        } else if (c->client->setting == SETTING_OTHER && chance_of(0.5))
                c->ask.resource = RESOURCE;
        else if (c->client->setting == SETTING_OTHER)
                c->resource = 1;
}

static void caller_asks(Machine *m, Client *client) {
        Keeper *k = client_keeper(m, client);
        Problem problem = { 0 };
        Token *token;
        Caller *c;
        int r;

        c = calloc(1, sizeof(*c));
        assert(c);
        *c = (Caller){ .machine = m, .client = client, .number = ++m->n_callers };
        m->totals->asked++;
        c->asked = sim_now();
        c->well_for = machine_well_for(m);
        ask_by_chance(c);
        c->leave_at = chance_of(0.1) && c->ask.timeout_usec
                              ? c->asked + chance_below(c->ask.timeout_usec)
                              : USEC_INFINITY;
        r = keeper_get(k, &c->ask, &token, &c->waiter, on_token, c, &problem);
        assert(r >= 0);
        assert((r > 0) + (token != NULL) + (c->waiter != NULL) == 1 && c->answers == 0);
        if (c->waiter) {
                story("%s: caller %u waits %u s%s%s%s", client->name, c->number,
                      (unsigned)(c->ask.timeout_usec / USEC_PER_SEC), c->ask.force ? ", force" : "",
                      c->ask.claims ? ", claims" : "", c->ask.wish.strict ? ", min-valid" : "");
                c->next = m->callers;
                m->callers = c;
                return;
        }
        caller_told(c, token, &problem);
        problem_clear(&problem);
        caller_free(c);
}

/* A server has answered 401 to the token that is held now. */
static void report_rejected(Machine *m, Client *client) {
        KeeperAsk ask = { .caller = caller_name(0) };
        Problem problem = { 0 };
        char value[80];
        Waiter *waiter = NULL;
        Token *token;

        if (keeper_get(client_keeper(m, client), &ask, &token, &waiter, on_token, NULL, &problem) ==
                    0 &&
            token) {
                story("%s: a server rejects its token", client->name);
                snprintf(value, sizeof(value), "%s", token->value);
                if (client->source == ACCOUNT_SOURCE_AZURE_CLI)
                        client->az_rejected = true;
                assert(keeper_report_rejected(client_keeper(m, client), value,
                                              chance_of(0.2) ? "{\"c\":1}" : NULL, ask.caller,
                                              &problem) >= 0);
        }
        waiter_free(waiter);
        problem_clear(&problem);
}

void callers_come(Machine *m, Client *c) {
        uint64_t n = chance_of(0.02) ? 1 + chance_below(40) : 1 + chance_below(2);

        c->ask_at = sim_now() + chance_wait(c->asks_each);
        if (!m->manager)
                machine_start_daemon(m); /* D-Bus activation */
        if (!client_keeper(m, c))
                return;
        while (n-- > 0)
                caller_asks(m, c);
        if (chance_of(0.01))
                report_rejected(m, c);
        if (chance_of(0.01))
                m->kill_at = sim_now() + chance_below(SEC(3));
}

void callers_leave(Machine *m) {
        Caller *next;

        for (Caller *c = m->callers; c; c = next) {
                next = c->next;
                if (c->leave_at > sim_now())
                        continue;
                m->totals->left++;
                caller_free(c);
        }
}

uint64_t callers_next(const Machine *m) {
        uint64_t next = USEC_INFINITY;

        for (const Caller *c = m->callers; c; c = c->next)
                next = MIN(next, c->leave_at);
        return next;
}

void callers_cut(Machine *m) {
        Caller *next;

        for (Caller *c = m->callers; c; c = next) {
                next = c->next;
                m->totals->died++;
                caller_free(c);
        }
}

void callers_check(Machine *m) {
        for (Caller *c = m->callers; c; c = c->next)
                if (sim_now() > c->asked + c->ask.timeout_usec + TICK_USEC)
                        story_fail("%s: caller %u has waited over %u s", c->client->name, c->number,
                                   (unsigned)(c->ask.timeout_usec / USEC_PER_SEC));
}
