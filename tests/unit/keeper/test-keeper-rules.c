/* SPDX-License-Identifier: MIT */
/*
 * The real keeper, held to the tables of policy/rules.c: it is led into every situation that can
 * come to be, each time from the start, and there every event happens to it that can. What it
 * shows, what its timer waits for, what a caller gets and what the keyring has left is what the
 * tables say.
 */
#include "util-actor.h"

/* The timer, where nothing else has one: no exchange, no sign-in, no keyring that is asked. */
static void check_timer(Actor *a, const World *w) {
        KeeperTimer timer = keeper_rule(&w->facts)->timer;
        uint64_t next, now;
        Caller c = { 0 };

        if (keeper_signins(a->stage.keeper) || a->hangs || fake_fetches_running())
                return;
        if (timer == KEEPER_TIMER_OFF || timer == KEEPER_TIMER_END)
                fake_time_pass(SEC(3)); /* the vault has written what it had to */
        now = clock_boottime();
        next = fake_timer_next();
        switch (timer) {
        case KEEPER_TIMER_OFF:
                actor_expect(next == USEC_INFINITY, w, "a timer runs", a);
                break;
        case KEEPER_TIMER_BACK_OFF:
                actor_expect(next <= now + SEC(375), w, "it is not tried again", a);
                break;
        case KEEPER_TIMER_REFRESH:
                if (w->facts.token == KEEPER_TOKEN_VALID) {
                        ASK(&c, &a->stage, 0); /* one that nobody uses is not */
                        actor_expect(fake_timer_next() < now + SEC(LIFE_SECONDS), w,
                                     "it is not refreshed", a);
                }
                break;
        case KEEPER_TIMER_END:
                actor_expect(next <= now + SEC(LIFE_SECONDS), w, "its end is not waited for", a);
                break;
        }
}

/* The first of what is asked that the rule refuses. */
static Outcome refusal_of(const World *w) {
        if (w->facts.settings == KEEPER_SETTINGS_BAD)
                return OUTCOME_MISCONFIGURED;
        switch (w->facts.secret) {
        case KEEPER_SECRET_LOCKED:
                return OUTCOME_KEYRING_LOCKED;
        case KEEPER_SECRET_ABSENT:
                return OUTCOME_KEYRING_ABSENT;
        default:
                return OUTCOME_SIGN_IN_NEEDED;
        }
}

static void check_caller(Actor *a, const World *w) {
        bool valid = w->facts.token == KEEPER_TOKEN_VALID;
        KeeperTry asked = keeper_rule(&w->facts)->asked;
        unsigned before, started;
        Caller c = { 0 };

        if (valid && w->facts.settings == KEEPER_SETTINGS_GOOD) {
                ASK(&c, &a->stage, 20);
                actor_expect(c.answers == 1 && *c.token, w, "its token is not served", a);
                return;
        }
        if (fake_fetches_running()) {
                return; /* it waits for that one, or for the sign-in */
        }
        if (asked >= KEEPER_TRY_SLOWLY)
                fake_time_pass(SEC(31));
        before = fake_fetches();
        ASK(&c, &a->stage, 20);
        started = fake_fetches() - before;
        switch (asked) {
        case KEEPER_TRY_NEVER:
                if (a->hangs) /* it is asked whether somebody has signed in elsewhere */
                        fake_time_pass(SEC(10));
                actor_expect(c.answers == 1 && c.outcome == refusal_of(w) && !started, w,
                             "a caller is not refused at once", a);
                break;
        case KEEPER_TRY_WAIT:
                actor_expect(c.answers == 0 && !started, w, "a caller does not wait", a);
                break;
        case KEEPER_TRY_BACK_OFF:
                actor_expect(!started, w, "the back-off is not kept", a);
                break;
        case KEEPER_TRY_FORCED:
                actor_expect(c.answers == 1 && c.outcome == OUTCOME_SIGN_IN_NEEDED && !started, w,
                             "a caller is not told to sign in", a);
                ASK(&c, &a->stage, 20, .force = true);
                started = fake_fetches() - before;
                /* fall through */
        default:
                actor_expect(c.answers == 0 && started == 1, w, "a caller starts nothing", a);
                break;
        }
        caller_leave(&c);
}

/* What the tables say is held is in the keyring, if that is open. */
static bool keeps_its_secret(const Actor *a, const World *w) {
        return !(w->facts.secret & (KEEPER_SECRET_HELD | KEEPER_SECRET_TOKEN)) || a->hangs ||
               keyring_state(a->stage.keyring) != KEYRING_STATE_OK ||
               *stage_stored_secret(&a->stage);
}

static void check(const World *w) {
        Actor a = { 0 };

        actor_lead_to(&a, w);
        actor_expect(stage_state(&a.stage) == world_state(w), w,
                     keeper_state_to_string(world_state(w)), &a);
        actor_expect(keeps_its_secret(&a, w), w, "its secret is gone", &a);
        check_timer(&a, w);
        check_caller(&a, w);
        actor_leave(&a);
}

static void test_every_event_in_every_situation(void) {
        const World *worlds;
        unsigned n = worlds_all(&worlds);

        for (unsigned i = 0; i < n; i++) {
                check(&worlds[i]);
                for (WorldEvent e = 0; e < _WORLD_EVENT_MAX; e++) {
                        World to;

                        if (!world_step(&worlds[i], e, &to))
                                continue;
                        to.before = &worlds[i];
                        to.by = e;
                        check(&to);
                }
        }
}

int main(void) {
        test_every_event_in_every_situation();
        return 0;
}
