/* SPDX-License-Identifier: MIT */
/*
 * Programs that ask one of two daemons, or both, and the person who signs in at one of them.
 */
#include "simulate-pair.h"

/* All has been tried again and stored: the longest Retry-After, and a quarter by chance. */
#define SETTLED_USEC SEC(1200)

typedef struct Visitor {
        struct Visitor *next;
        Side *side;
        Client *client;
        uint64_t asked;
        Waiter *waiter;
        KeeperAsk ask;
} Visitor;

static Visitor *visitors;

static bool may_need_person(const Client *c) {
        return client_may_need_person(c) || c->apart;
}

static void visitor_told(const Visitor *v, const Token *t, const Problem *problem) {
        Machine *m = &pair->machine;
        Client *c = v->client;

        if (t) {
                client_check_token(m, c, 0, t);
                m->totals->served++;
                return;
        }
        m->totals->refused++;
        story("%s: daemon %u refuses: %s", c->name, v->side->number, problem_text(problem));
        if (problem->outcome == OUTCOME_SIGN_IN_NEEDED && may_need_person(c))
                return;
        if (problem->outcome == OUTCOME_CANCELLED && v->side->ending)
                return;
        if (m->well_since < v->asked - SETTLED_USEC && !may_need_person(c) && !v->ask.force)
                story_fail("%s: daemon %u sends a caller away, and all is well", c->name,
                           v->side->number);
}

static void visitor_free(Visitor *v) {
        Visitor **p = &visitors;

        while (*p != v)
                p = &(*p)->next;
        *p = v->next;
        waiter_free(v->waiter);
        free(v);
}

static void on_token(Token *token, const Problem *problem, void *userdata) {
        visitor_told(userdata, token, problem);
        visitor_free(userdata);
}

static void visitor_comes(Side *s, Client *c, bool force) {
        Visitor *v = calloc(1, sizeof(*v));
        Problem problem = { 0 };
        Token *token;

        assert(v);
        *v = (Visitor){ .next = visitors,
                        .side = s,
                        .client = c,
                        .asked = sim_now(),
                        .ask = { .caller = ":1.1", .force = force, .timeout_usec = SEC(60) } };
        visitors = v;
        pair->machine.totals->asked++;
        assert(keeper_get(manager_find(s->manager, c->name), &v->ask, &token, &v->waiter, on_token,
                          v, &problem) >= 0);
        if (!v->waiter) {
                visitor_told(v, token, &problem);
                visitor_free(v);
        }
        problem_clear(&problem);
}

/* At the daemon that says so: who was signed in by the other has it tried, else signs in. */
static void person_sees(Side *s, Client *c) {
        Keeper *k = s->manager ? manager_find(s->manager, c->name) : NULL;
        Problem problem = { 0 };
        KeeperView view;
        SignIn *signin;

        if (!k || pair->signing_in[c->index])
                return;
        keeper_view(k, &view);
        if (view.state != KEEPER_STATE_SIGN_IN_NEEDED)
                return;
        if (!may_need_person(c))
                visitor_comes(s, c, true);
        else if (c->source == ACCOUNT_SOURCE_AZURE_CLI)
                identity_az_login(&pair->machine, c);
        else if (keeper_sign_in(k, &(SignInWish){ .method = "device-code" }, &signin, &problem) ==
                 0) {
                story("%s: the person signs in at daemon %u", c->name, s->number);
                pair->signing_in[c->index] = true;
                pair->machine.totals->sign_ins++;
        }
        problem_clear(&problem);
}

void pair_act(Client *c) {
        Side *s = &pair->sides[chance_below(ARRAY_SIZE(pair->sides))];

        if (c->person_at <= sim_now()) {
                c->person_at = sim_now() + chance_span(10 * MINUTE, 4 * HOUR);
                person_sees(s, c);
        }
        if (c->ask_at > sim_now())
                return;
        c->ask_at = sim_now() + chance_wait(c->asks_each);
        for (size_t i = 0; i < ARRAY_SIZE(pair->sides); i++) /* often both at once */
                if (pair->sides[i].manager && chance_of(0.7))
                        visitor_comes(&pair->sides[i], c, chance_of(0.05));
}

bool pair_is_visited(void) {
        return visitors != NULL;
}
