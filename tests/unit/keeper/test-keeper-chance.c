/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

/*
 * Years of an account in which anything happens at any moment: callers of every kind, an identity
 * side that fails, hangs and rotates, a keyring that locks and sticks, a person who signs in and
 * out, a machine that sleeps. Whatever happens, some things are never so; they are asserted here.
 * A failure names its seed: test-keeper-chance SEED plays that one alone.
 */
#define STEPS   600
#define SEEDS   150
#define CALLERS 24

typedef struct Asked {
        Caller caller;
        bool open;
        KeeperAsk ask;
        uint64_t at;
        char held[64]; /* the token that a plain caller would have been given at the call */
        bool signed_out;
        bool fetched_lately; /* a fetch had ended under a minute before */
} Asked;

typedef struct Op {
        KeeperOp *op;
        bool open;
} Op;

typedef struct Life {
        Stage s;
        uint64_t chance;
        Asked asked[CALLERS];
        Op op;
        unsigned n_tokens;
        uint64_t woke_at;
        uint64_t fetched_at;    /* when the last token was delivered; 0: never */
        char own[64];           /* the last token delivered for the account's own resource */
        char refresh_token[64]; /* what the identity side takes; "" : nobody is signed in */
} Life;

static uint64_t draw(Life *l, uint64_t n) {
        l->chance ^= l->chance << 13;
        l->chance ^= l->chance >> 7;
        l->chance ^= l->chance << 17;
        return l->chance % n;
}

/* What must be so of every answer. */
static void check_answer(Life *l, Asked *a) {
        const Caller *c = &a->caller;

        assert(c->answers == 1);
        /* In time; or when the machine woke, when its time was over. */
        assert(c->answered_usec <= a->at + a->ask.timeout_usec || c->answered_usec == l->woke_at);
        /* Signed out is signed out. */
        assert(!*c->token || *l->refresh_token || !a->signed_out);
        if (*c->token && a->ask.force && !a->fetched_lately && !a->ask.resource)
                assert(!streq(c->token, a->held));
        a->open = false;
}

static void check_all(Life *l) {
        unsigned refreshes = 0;

        for (size_t i = 0; i < CALLERS; i++) {
                Asked *a = &l->asked[i];

                if (a->open && a->caller.answers > 0)
                        check_answer(l, a);
                /* Nobody waits past its time. */
                assert(!a->open || clock_boottime() < a->at + a->ask.timeout_usec);
        }
        assert(fake_fetches_running() <= 2);
        refreshes = fake_fetches_running() - (fake_fetch_of("device-code") ? 1 : 0);
        assert(refreshes <= 1);
        /* One refresh token, spent once, and always the newest. */
        if (fake_fetch_of("refresh"))
                assert(streq(fake_fetch_request(fake_fetch_of("refresh"))->refresh_token,
                             l->refresh_token));
}

static void pass(Life *l, uint64_t usec) {
        fake_time_pass(usec);
        check_all(l);
}

static void do_ask(Life *l) {
        static const unsigned timeouts[] = { 0, 1, 5, 20, 90, 900 };
        Asked *a = &l->asked[draw(l, CALLERS)];
        unsigned kind = (unsigned)draw(l, 10);

        if (a->open) { /* it has had enough */
                caller_leave(&a->caller);
                a->open = false;
                return;
        }
        *a = (Asked){ .open = true, .at = clock_boottime() };
        a->ask = (KeeperAsk){
                .timeout_usec = SEC(timeouts[draw(l, ARRAY_SIZE(timeouts))]),
                .caller = draw(l, 2) ? ":1.1" : ":1.2",
                .force = kind == 0,
                .interactive = kind == 1,
                .resource = kind == 2 ? GRAPH : NULL,
                .claims = kind == 3 ? "{\"a\":1}" : NULL,
                .wish = { .strict = kind == 4, .min_valid = (uint32_t)draw(l, 5000) },
        };
        a->signed_out = !*l->refresh_token;
        snprintf(a->held, sizeof(a->held), "%s", l->own);
        /* A fetch ends when its token is in the keyring, which may take two calls of 10 s, and a
         * sleep between. */
        a->fetched_lately = l->fetched_at && a->at - MAX(l->fetched_at, l->woke_at) < SEC(60 + 20);
        caller_ask(&a->caller, l->s.keeper, &a->ask);
        if (a->caller.answers)
                check_answer(l, a);
        pass(l, 0);
}

static void deliver(Life *l, Fetch *f, bool rotate) {
        char token[64], refresh_token[64];
        bool own = streq(fake_fetch_request(f)->resource, RESOURCE);
        uint64_t life = draw(l, 8) ? 3600 : 1 + draw(l, 400);

        snprintf(token, sizeof(token), "secret-at-%u", ++l->n_tokens);
        snprintf(refresh_token, sizeof(refresh_token), "secret-rt-%u", l->n_tokens);
        if (rotate)
                snprintf(l->refresh_token, sizeof(l->refresh_token), "%s", refresh_token);
        if (own)
                snprintf(l->own, sizeof(l->own), "%s", token);
        l->fetched_at = clock_boottime();
        fake_fetch_token(f, &(FakeToken){ .access_token = token,
                                          .refresh_token = rotate ? refresh_token : NULL,
                                          .expires_in = life,
                                          .refresh_in = draw(l, 3) ? 0 : life / 2 });
}

static void do_answer(Life *l) {
        static const Outcome failures[] = { OUTCOME_UNAVAILABLE,    OUTCOME_UNAVAILABLE,
                                            OUTCOME_UNAVAILABLE,    OUTCOME_MISCONFIGURED,
                                            OUTCOME_SIGN_IN_NEEDED, OUTCOME_BLOCKED };
        Fetch *f = fake_fetch_of("refresh"), *signin = fake_fetch_of("device-code");

        if (signin && (!f || draw(l, 2)))
                f = signin;
        if (!f)
                return;
        if (f == signin && draw(l, 3) == 0)
                fake_fetch_prompt(f, "ABCD-EFGH");
        else if (draw(l, 4))
                deliver(l, f, f == signin || draw(l, 2));
        else
                fake_fetch_error(f, failures[draw(l, ARRAY_SIZE(failures))],
                                 draw(l, 2) ? 0 : draw(l, 4000));
        pass(l, 0);
}

static void on_done(const Problem *problem, void *userdata) {
        Life *l = userdata;

        if (problem->outcome == OUTCOME_OK)
                *l->refresh_token = '\0';
        l->op.open = false;
        l->op.op = keeper_op_free(l->op.op);
}

static void do_person(Life *l) {
        Problem problem = { 0 };
        SignIn *signin;

        switch (draw(l, 6)) {
        case 0:
                if (!l->op.open &&
                    keeper_sign_out(l->s.keeper, &l->op.op, on_done, l, &problem) == 0)
                        l->op.open = true;
                break;
        case 1:
                if (keeper_signins(l->s.keeper))
                        signin_cancel(keeper_signins(l->s.keeper));
                break;
        default:
                (void)keeper_sign_in(l->s.keeper, NULL, &signin, &problem);
                break;
        }
        problem_clear(&problem);
        pass(l, 0);
}

static void do_world(Life *l) {
        static const KeyringState states[] = { KEYRING_STATE_OK, KEYRING_STATE_OK,
                                               KEYRING_STATE_LOCKED, KEYRING_STATE_ABSENT,
                                               KEYRING_STATE_PROMPTING };
        switch (draw(l, 9)) {
        case 0:
        case 1:
                fake_keyring_set_state(l->s.keyring, states[draw(l, ARRAY_SIZE(states))]);
                break;
        case 2:
        case 7:
        case 8:
                fake_keyring_hold(l->s.keyring, draw(l, 2));
                break;
        case 3:
                keeper_on_online(l->s.keeper);
                break;
        case 4:
                l->s.env.asleep = true;
                keeper_on_sleep(l->s.keeper);
                l->woke_at = clock_boottime() + SEC(draw(l, 20000));
                fake_time_sleep(l->woke_at - clock_boottime());
                l->s.env.asleep = false;
                keeper_on_online(l->s.keeper);
                break;
        case 5:
                assert(keeper_report_rejected(l->s.keeper, l->own, draw(l, 2) ? "{\"b\":2}" : NULL,
                                              ":1.1", NULL) == 0);
                break;
        case 6:
                assert(keeper_configure(l->s.keeper, stage_account(ACCOUNT_SOURCE_ENTRA)) == 0);
                break;
        }
        pass(l, 0);
}

/* In the end everything is well again: then so is the account, and the keyring has it all. */
static void happy_end(Life *l) {
        Caller c = { 0 };

        fake_keyring_hold(l->s.keyring, false);
        fake_keyring_set_state(l->s.keyring, KEYRING_STATE_OK);
        pass(l, SEC(1000));
        if (*l->refresh_token) {
                uint64_t end = clock_boottime() + SEC(5000);

                ASK(&c, &l->s, 900, .force = true);
                while (c.answers == 0 || !*c.token) {
                        Fetch *f = fake_fetch_of("refresh");

                        assert(clock_boottime() < end);
                        if (f)
                                deliver(l, f, true);
                        pass(l, SEC(10));
                        if (c.answers)
                                ASK(&c, &l->s, 900, .force = true);
                }
                caller_leave(&c);
        }
        pass(l, SEC(700));
        assert(streq(stage_stored_secret(&l->s), l->refresh_token));
}

static void live(uint64_t seed) {
        Life l = { .chance = seed * UINT64_C(0x9e3779b97f4a7c15) + 1,
                   .refresh_token = "secret-rt-0" };

        stage_init(&l.s);
        stage_put_record(&l.s, ACCOUNT_SOURCE_ENTRA, "secret-rt-0", NULL, 0, 0);
        stage_start(&l.s, ACCOUNT_SOURCE_ENTRA);
        for (unsigned i = 0; i < STEPS; i++) {
                uint64_t what = draw(&l, 100);

                fake_random_set(draw(&l, UINT64_MAX));
                if (what < 40)
                        do_ask(&l);
                else if (what < 65)
                        do_answer(&l);
                else if (what < 72)
                        do_person(&l);
                else if (what < 80)
                        do_world(&l);
                else
                        for (uint64_t n = draw(&l, 100); n > 0; n--)
                                pass(&l, draw(&l, 3) ? SEC(1) : SEC(30));
        }
        happy_end(&l);
        l.s.keeper = keeper_free(l.s.keeper);
        for (size_t i = 0; i < CALLERS; i++)
                assert(!l.asked[i].open || l.asked[i].caller.answers == 1);
        assert(!l.op.open);
        stage_deinit(&l.s);
}

int main(int argc, char *argv[]) {
        if (argc > 1) {
                live(strtoull(argv[1], NULL, 10));
                return 0;
        }
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                fprintf(stderr, "%llu ", (long long unsigned)seed);
                live(seed);
        }
        return 0;
}
