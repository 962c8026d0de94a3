/* SPDX-License-Identifier: MIT */
/*
 * Two daemons of one user, on two buses: two managers with the same settings, keyring, locks and
 * state file, and programs that ask each of them. Whatever dies or is gone, at the strict servers
 * no refresh token is spent twice, the keyring keeps the newest, and either serves. While the
 * keyring can't be read neither can know what the other has in memory: what that costs is counted
 * (Client.apart).
 */
#include "simulate-pair.h"
#include "io/state.h"
#include "keeper/turn.h"

#define FAULT_EACH (DAY / 40)
Pair *pair;

static Client *client_named(const char *name) {
        size_t i = 0;

        while (!streq(pair->machine.clients[i].name, name))
                i++;
        return &pair->machine.clients[i];
}

static void on_account(Keeper *k, void *userdata) {
}

static void on_account_changed(Keeper *k, unsigned what, void *userdata) {
}

static void on_signin(SignIn *s, void *userdata) {
}

static void on_signin_changed(SignIn *s, void *userdata) {
        SignInView view;
        Client *c;

        signin_view(s, &view);
        c = client_named(keeper_account(view.keeper)->name);
        if (view.state == SIGNIN_STATE_DONE)
                client_take_grant(c);
        if (view.state != SIGNIN_STATE_PENDING)
                pair->signing_in[c->index] = false;
}

static void on_manager_changed(unsigned what, void *userdata) {
}

static const Listener listener = {
        .account_added = on_account,
        .account_changed = on_account_changed,
        .account_removed = on_account,
        .signin_added = on_signin,
        .signin_changed = on_signin_changed,
        .signin_removed = on_signin,
        .manager_changed = on_manager_changed,
};

static void on_keyring(KeyringState state, void *userdata) {
        for (size_t i = 0; i < ARRAY_SIZE(pair->sides); i++)
                if (pair->sides[i].manager)
                        manager_on_keyring(pair->sides[i].manager, state);
}

static void pair_feel(void) {
        Machine *m = &pair->machine;
        bool keyring = keyring_state(m->keyring) == KEYRING_STATE_OK && !m->keyring_held;
        bool well = keyring && m->network && m->service == SERVICE_OK && pair->sides[0].manager &&
                    pair->sides[1].manager;

        m->keyring_well_since = keyring ? sim_now() : USEC_INFINITY;
        m->well_since = well ? sim_now() : USEC_INFINITY;
}

static void side_start(Side *s) {
        Machine *m = &pair->machine;

        s->start_at = USEC_INFINITY;
        s->env = (Env){ .listener = &listener,
                        .listener_userdata = s,
                        .keyring = m->keyring,
                        .online = m->network,
                        .runtime_dir = (char *)"/run/nowhere" };
        story("daemon %u starts", s->number);
        assert(state_new(&s->env.state, NULL, s->state) == 0);
        assert(manager_new(&s->manager, &s->env, NULL, m->settings) == 0);
        manager_on_keyring(s->manager, keyring_state(m->keyring));
        pair_feel();
}

/* What it alone knew is gone. */
static void side_end(Side *s) {
        Machine *m = &pair->machine;
        bool owes[N_ACCOUNTS];

        for (size_t i = 0; i < N_ACCOUNTS; i++) {
                const Keeper *k = manager_find(s->manager, m->clients[i].name);

                owes[i] = k->running.slot || vault_is_dirty(k->vault);
                if (signins_pending(&k->signins) || signins_is_saving(&k->signins))
                        pair->signing_in[i] = false;
        }
        s->ending = true;
        s->manager = manager_free(s->manager);
        s->ending = false;
        s->env.state = state_free(s->env.state);
        for (size_t i = 0; i < N_ACCOUNTS; i++)
                if (owes[i] && m->clients[i].strict && !m->clients[i].apart)
                        identity_cut(m, &m->clients[i]);
        s->start_at = sim_now() + chance_span(SEC(1) / 10, HOUR);
        m->totals->kills++;
        pair_feel();
}

static void side_kill(Side *s) {
        if (!s->manager)
                return;
        story("daemon %u is killed", s->number);
        fake_keyring_do(pair->machine.keyring, (unsigned)chance_below(4));
        side_end(s);
}

static void side_stop(Side *s) {
        if (!s->manager)
                return;
        story("daemon %u is stopped", s->number);
        (void)manager_flush(s->manager);
        fake_time_pass(SEC(1));
        side_end(s);
}

static void each_told(void (*fn)(Manager *m, bool what), bool what) {
        for (size_t i = 0; i < ARRAY_SIZE(pair->sides); i++)
                if (pair->sides[i].manager)
                        fn(pair->sides[i].manager, what);
}

static void pair_fault(void) {
        Machine *m = &pair->machine;
        Side *s = &pair->sides[chance_below(ARRAY_SIZE(pair->sides))];

        m->totals->faults++;
        m->fault_at = sim_now() + chance_wait(FAULT_EACH);
        switch (chance_below(8)) {
        case 0:
        case 1:
                side_kill(s);
                break;
        case 2:
                side_stop(s);
                break;
        case 3:
                story("the network is gone");
                m->network = false;
                each_told(manager_on_online, false);
                m->network_at = sim_now() + chance_span(SEC(1), 6 * HOUR);
                break;
        case 4:
        case 5:
                m->service = (Service)(1 + chance_below(SERVICE_BLOCKED - 1));
                story("the identity service is %d", m->service);
                m->service_at = sim_now() + chance_span(SEC(10), 3 * HOUR);
                break;
        case 6:
                story("the keyring hangs, is locked or gone");
                m->keyring_held = chance_of(0.5);
                if (m->keyring_held)
                        fake_keyring_hold(m->keyring, true);
                else
                        fake_keyring_set_state(m->keyring, chance_of(0.5) ? KEYRING_STATE_LOCKED
                                                                          : KEYRING_STATE_ABSENT);
                m->keyring_at = sim_now() + chance_span(SEC(1), 3 * HOUR);
                break;
        default:
                story("the machine sleeps");
                each_told(manager_on_sleep, true);
                fake_time_pass(chance_below(SEC(2)));
                fake_time_sleep(chance_span(MINUTE, DAY));
                each_told(manager_on_sleep, false);
                m->totals->sleeps++;
        }
        pair_feel();
}

static void pair_mend(void) {
        Machine *m = &pair->machine;
        uint64_t now = sim_now();

        if (m->network_at <= now) {
                story("the network is there");
                m->network_at = USEC_INFINITY;
                m->network = true;
                each_told(manager_on_online, true);
                pair_feel();
        }
        if (m->service_at <= now) {
                story("the identity service is well");
                m->service_at = USEC_INFINITY;
                m->service = SERVICE_OK;
                pair_feel();
        }
        if (m->keyring_at <= now) {
                story("the keyring is well");
                m->keyring_at = USEC_INFINITY;
                m->keyring_held = false;
                fake_keyring_hold(m->keyring, false);
                fake_keyring_set_state(m->keyring, KEYRING_STATE_OK);
                pair_feel();
        }
        if (m->kill_at <= now) {
                m->kill_at = USEC_INFINITY;
                side_kill(&pair->sides[chance_below(ARRAY_SIZE(pair->sides))]);
        }
        for (size_t i = 0; i < ARRAY_SIZE(pair->sides); i++)
                if (pair->sides[i].start_at <= now)
                        side_start(&pair->sides[i]);
}

/* Has one of them something that the keyring has not? */
static bool client_is_ahead(const Client *c) {
        for (size_t i = 0; i < ARRAY_SIZE(pair->sides); i++) {
                Manager *manager = pair->sides[i].manager;
                const Keeper *k = manager ? manager_find(manager, c->name) : NULL;

                if (k &&
                    (k->running.slot || signins_is_saving(&k->signins) || vault_is_dirty(k->vault)))
                        return true;
        }
        return false;
}

static void pair_check(void) {
        Machine *m = &pair->machine;

        for (size_t i = 0; i < N_ACCOUNTS; i++) {
                Client *c = &m->clients[i];
                const char *text = fake_keyring_get(m->keyring, c->name);
                unsigned grant = 0;
                bool kept = identity_honours(c, text, &grant);

                if (c->source != ACCOUNT_SOURCE_ENTRA || c->held <= c->revoked)
                        continue;
                if (!identity_is_newest(c, text))
                        c->apart = c->apart || m->keyring_well_since == USEC_INFINITY;
                else if (m->keyring_well_since != USEC_INFINITY && !client_is_ahead(c)) {
                        if (c->apart) /* of two sign-ins one has remained */
                                c->held = kept ? grant : c->revoked;
                        c->apart = false;
                }
                c->stored = c->stored || kept;
                if (c->stored && !kept && !c->apart && c->held > c->revoked)
                        story_fail("%s: the keyring has its refresh token no more", c->name);
        }
}

/* What the daemons do by themselves is no step: but while they ask, the next may be their end. */
static uint64_t pair_next(void) {
        const Machine *m = &pair->machine;
        const uint64_t times[] = { m->end,        m->fault_at, m->network_at,
                                   m->service_at, m->kill_at,  m->keyring_at };
        uint64_t next = fake_fetches_running() ? sim_now() + SEC(1) : USEC_INFINITY;

        for (size_t i = 0; i < ARRAY_SIZE(times); i++)
                next = MIN(next, times[i]);
        for (size_t i = 0; i < ARRAY_SIZE(pair->sides); i++)
                next = MIN(next, pair->sides[i].start_at);
        for (size_t i = 0; i < N_ACCOUNTS; i++)
                next = MIN(next, MIN(m->clients[i].person_at, m->clients[i].ask_at));
        return next;
}

void pair_live(uint64_t seed, const char *settings, Totals *totals) {
        Pair p = { .machine = { .settings = settings, .totals = totals, .paired = true } };
        Machine *m = &p.machine;
        uint64_t now;

        pair = &p;
        chance_seed(seed);
        machine_build(m, on_keyring);
        settings_write(m);
        m->clients[0].strict = m->clients[1].strict = true;
        m->clients[2].strict = false;
        for (size_t i = 0; i < ARRAY_SIZE(p.sides); i++) {
                p.sides[i].number = (unsigned)i + 1;
                snprintf(p.sides[i].state, sizeof(p.sides[i].state), "%s.state", settings);
                side_start(&p.sides[i]);
        }
        while ((now = sim_now()) < m->end) {
                uint64_t next = pair_next();

                fake_time_pass(next > now ? next - now : 0);
                pair_mend();
                if (m->fault_at <= sim_now())
                        pair_fault();
                for (size_t i = 0; i < N_ACCOUNTS; i++)
                        pair_act(&m->clients[i]);
                pair_check();
                totals->steps++;
        }
        totals->lives++;
        totals->days += YEAR / DAY;
        for (size_t i = 0; i < ARRAY_SIZE(p.sides); i++)
                if (p.sides[i].manager)
                        side_end(&p.sides[i]);
        (void)unlink(p.sides[0].state);
        m->keyring = keyring_free(m->keyring);
        if (pair_is_visited() || fake_fetches_running() || fake_timers() || fake_locks())
                story_fail("Something is left: %u fetches, %zu timers, %u locks",
                           fake_fetches_running(), fake_timers(), fake_locks());
}
