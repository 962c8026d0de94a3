/* SPDX-License-Identifier: MIT */
/*
 * The machine: its time, its daemon, and what it shows of itself.
 */
#include "simulate.h"

Keeper *client_keeper(const Machine *m, const Client *c) {
        Keeper *k = manager_find(m->manager, c->name);

        assert(k);
        return k;
}

KeeperState client_state(const Machine *m, const Client *c) {
        KeeperView view;

        keeper_view(client_keeper(m, c), &view);
        return view.state;
}

static Client *client_named(Machine *m, const char *name) {
        for (size_t i = 0; i < N_ACCOUNTS; i++)
                if (streq(m->clients[i].name, name))
                        return &m->clients[i];
        return NULL;
}

static void on_account(Keeper *k, void *userdata) {
}

static void on_account_changed(Keeper *k, unsigned what, void *userdata) {
        Client *c = client_named(userdata, keeper_account(k)->name);
        KeeperView view;

        keeper_view(k, &view);
        if (what & ACCOUNT_CHANGED_STATE)
                c->told = view.state;
}

static void on_signin(SignIn *s, void *userdata) {
}

static void on_signin_changed(SignIn *s, void *userdata) {
        SignInView view;

        signin_view(s, &view);
        if (view.state == SIGNIN_STATE_DONE)
                client_take_grant(client_named(userdata, keeper_account(view.keeper)->name));
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
        Machine *m = userdata;

        if (m->manager)
                manager_on_keyring(m->manager, state);
}

void machine_feel(Machine *m, bool disturbed) {
        bool keyring =
                keyring_state(m->keyring) == KEYRING_STATE_OK && !m->keyring_held && m->manager;
        bool all = keyring && m->network && m->service == SERVICE_OK && !m->az_hangs &&
                   !m->clock_lied && !m->lock_held;

        if (!keyring)
                m->keyring_well_since = USEC_INFINITY;
        else if (m->keyring_well_since == USEC_INFINITY || disturbed)
                m->keyring_well_since = clock_boottime();
        if (!all)
                m->well_since = USEC_INFINITY;
        else if (m->well_since == USEC_INFINITY || disturbed)
                m->well_since = clock_boottime();
}

/* The back-off begins anew, which is the rule after a return of the network, a sleep, and a death.
 */
void machine_begin_anew(Machine *m) {
        for (size_t i = 0; i < N_ACCOUNTS; i++)
                memset(m->clients[i].recent, 0, sizeof(m->clients[i].recent));
}

void machine_start_daemon(Machine *m) {
        m->start_at = USEC_INFINITY;
        m->env = (Env){ .listener = &listener,
                        .listener_userdata = m,
                        .keyring = m->keyring,
                        .online = m->network,
                        .runtime_dir = (char *)"/run/nowhere" };
        for (size_t i = 0; i < N_ACCOUNTS; i++)
                m->clients[i].told = KEEPER_STATE_READY; /* what a new object shows */
        story("the daemon starts");
        assert(manager_new(&m->manager, &m->env, NULL, m->settings) == 0);
        m->started = clock_boottime();
        machine_begin_anew(m);
        m->clock_lied = m->skew != 0;
        manager_on_keyring(m->manager, keyring_state(m->keyring));
        machine_feel(m, true);
}

void machine_end_daemon(Machine *m) {
        if (!m->manager)
                return;
        for (size_t i = 0; i < N_ACCOUNTS; i++)
                m->clients[i].op = keeper_op_free(m->clients[i].op);
        if (chance_of(0.5))
                callers_cut(m);
        m->manager = manager_free(m->manager);
        assert(!m->callers);
        m->start_at = clock_boottime() + chance_span(SEC(1) / 10, 10 * MINUTE);
        m->totals->kills++;
        machine_check_killed(m);
        machine_feel(m, true);
}

/* What happens by itself, and when. */
static uint64_t machine_next(const Machine *m) {
        const uint64_t times[] = { m->end,        m->fault_at, m->network_at,  m->service_at,
                                   m->keyring_at, m->clock_at, m->az_at,       m->lock_at,
                                   m->start_at,   m->kill_at,  callers_next(m) };
        uint64_t next = fake_timer_next();

        for (size_t i = 0; i < ARRAY_SIZE(times); i++)
                next = MIN(next, times[i]);
        for (size_t i = 0; i < N_ACCOUNTS; i++)
                next = MIN(next, MIN(m->clients[i].person_at, m->clients[i].ask_at));
        return next;
}

static void machine_events(Machine *m) {
        const struct {
                uint64_t at;
                void (*fn)(Machine *m);
        } events[] = {
                { m->network_at, network_back },
                { m->service_at, service_back },
                { m->keyring_at, keyring_back },
                { m->clock_at, clock_back },
                { m->az_at, az_back },
                { m->lock_at, lock_back },
                { m->start_at, machine_start_daemon },
                { m->kill_at, fault_kill },
                { m->fault_at, machine_fault },
        };
        uint64_t now = clock_boottime();

        for (size_t i = 0; i < ARRAY_SIZE(events); i++)
                if (events[i].at <= now) {
                        events[i].fn(m);
                        return; /* the others in the next step */
                }
        for (size_t i = 0; i < N_ACCOUNTS; i++) {
                if (m->clients[i].person_at <= now)
                        person_looks(m, &m->clients[i]);
                if (m->clients[i].ask_at <= now)
                        callers_come(m, &m->clients[i]);
        }
        callers_leave(m);
}

static uint64_t machine_chance(void) {
        return chance();
}

static void machine_build(Machine *m) {
        static const Client clients[N_ACCOUNTS] = {
                { .name = "work", .asks_each = 40 * MINUTE },
                { .name = "home", .asks_each = 5 * HOUR },
                { .name = "rare", .asks_each = 40 * DAY },
                { .name = "az", .asks_each = 3 * HOUR, .source = ACCOUNT_SOURCE_AZURE_CLI },
        };

        fake_time_init(DAY, WALL);
        fake_fetch_init();
        identity_begin();
        fake_random_by(machine_chance);
        fake_fetch_answer_by(identity_answer, SEC(1) / 20, m);
        m->keyring = fake_keyring_new(on_keyring, m);
        m->network = true;
        m->network_at = m->service_at = m->keyring_at = m->clock_at = USEC_INFINITY;
        m->az_at = m->lock_at = m->kill_at = USEC_INFINITY;
        m->fault_at = clock_boottime() + DAY;
        m->end = clock_boottime() + YEAR;
        m->well_since = m->keyring_well_since = USEC_INFINITY;
        for (size_t i = 0; i < N_ACCOUNTS; i++) {
                m->clients[i] = clients[i];
                m->clients[i].index = (unsigned)i;
                m->clients[i].person_at = clock_boottime() + MINUTE;
                m->clients[i].ask_at = clock_boottime() + HOUR;
        }
}

void machine_live(uint64_t seed, const char *settings, Totals *totals) {
        Machine m = { .settings = settings, .totals = totals };
        uint64_t next, now;

        chance_seed(seed);
        machine_build(&m);
        machine_start_daemon(&m);
        while ((now = clock_boottime()) < m.end) {
                next = machine_next(&m);
                fake_time_pass(next > now ? next - now : 0);
                machine_check(&m);
                machine_events(&m);
                machine_check(&m);
                totals->steps++;
        }
        totals->lives++;
        totals->days += YEAR / DAY;
        machine_end_daemon(&m);
        m.keyring = keyring_free(m.keyring);
        if (fake_fetches_running() || fake_timers() || fake_locks())
                story_fail("Something is left: %u fetches, %zu timers, %u locks",
                           fake_fetches_running(), fake_timers(), fake_locks());
}
