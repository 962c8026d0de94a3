/* SPDX-License-Identifier: MIT */
/*
 * The machine: its time, its daemon, and what it shows of itself.
 */
#include "simulate.h"

static uint64_t before_boot; /* sim_now() when CLOCK_BOOTTIME was 0 */

uint64_t sim_now(void) {
        return before_boot + clock_boottime();
}

void machine_boot(uint64_t off) {
        uint64_t after = sim_now() + off;

        fake_time_reboot(SEC(5) + chance_below(SEC(60)));
        fake_counts_forget();
        before_boot = after - clock_boottime();
}

Keeper *client_keeper(const Machine *m, const Client *c) {
        Keeper *k = m->manager ? manager_find(m->manager, c->name) : NULL;

        assert(k || !m->manager || c->setting == SETTING_GONE);
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

static void on_account_removed(Keeper *k, void *userdata) {
        Machine *m = userdata;
        Client *c = client_named(m, keeper_account(k)->name);

        if (m->ending)
                return;
        story("%s: it is gone", c->name);
        c->op = keeper_op_free(c->op);
        client_check_killed(m, c);
        identity_drop(m, c);
}

static void on_account_added(Keeper *k, void *userdata) {
        Client *c = client_named(userdata, keeper_account(k)->name);

        c->told = keeper_account(k)->problem ? KEEPER_STATE_MISCONFIGURED : KEEPER_STATE_READY;
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
        .account_added = on_account_added,
        .account_changed = on_account_changed,
        .account_removed = on_account_removed,
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
        bool all =
                keyring && m->network && m->service == SERVICE_OK && !m->az_hangs && !m->clock_lied;

        if (!keyring)
                m->keyring_well_since = USEC_INFINITY;
        else if (m->keyring_well_since == USEC_INFINITY || disturbed)
                m->keyring_well_since = sim_now();
        if (!all)
                m->well_since = USEC_INFINITY;
        else if (m->well_since == USEC_INFINITY || disturbed)
                m->well_since = sim_now();
}

void machine_start_daemon(Machine *m) {
        m->start_at = USEC_INFINITY;
        m->env = (Env){ .listener = &listener,
                        .listener_userdata = m,
                        .keyring = m->keyring,
                        .online = m->network,
                        .runtime_dir = (char *)"/run/nowhere" };
        story("the daemon starts");
        assert(manager_new(&m->manager, &m->env, NULL, m->settings) == 0);
        m->started = sim_now();
        if (m->kills_left) {
                m->kills_left--;
                m->kill_at = sim_now() + chance_span(SEC(1) / 100, SEC(20));
                for (size_t i = 0; i < N_ACCOUNTS; i++)
                        m->clients[i].ask_at = sim_now() + chance_below(SEC(1));
        }
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
        m->ending = true;
        m->manager = manager_free(m->manager);
        m->ending = false;
        assert(!m->callers);
        for (size_t i = 0; i < N_ACCOUNTS; i++)
                identity_cut(m, &m->clients[i]);
        m->start_at = sim_now() + chance_span(SEC(1) / 10, m->kills_left ? SEC(10) : 10 * MINUTE);
        m->totals->kills++;
        machine_check_killed(m);
        machine_feel(m, true);
}

/* What happens by itself, and when. */
static uint64_t machine_next(const Machine *m) {
        const uint64_t times[] = { m->end,        m->fault_at,    m->network_at,  m->service_at,
                                   m->keyring_at, m->clock_at,    m->az_at,       m->start_at,
                                   m->kill_at,    m->settings_at, callers_next(m) };
        uint64_t next = fake_timer_next();

        if (next != USEC_INFINITY)
                next += before_boot;

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
                { m->settings_at, settings_back },
                { m->start_at, machine_start_daemon },
                { m->kill_at, fault_kill },
                { m->fault_at, machine_fault },
        };
        uint64_t now = sim_now();

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

void machine_build(Machine *m, KeyringStateFn on_keyring_fn) {
        static const Client clients[N_ACCOUNTS] = {
                { .name = "work", .asks_each = 40 * MINUTE },
                { .name = "home", .asks_each = 5 * HOUR },
                { .name = "rare", .asks_each = 40 * DAY },
                { .name = "az", .asks_each = 3 * HOUR, .source = ACCOUNT_SOURCE_AZURE_CLI },
        };

        before_boot = 0;
        fake_time_init(DAY, WALL);
        fake_fetch_init();
        identity_begin();
        fake_random_by(machine_chance);
        fake_fetch_answer_by(identity_answer, SEC(1) / 20, m);
        m->keyring = fake_keyring_new(on_keyring_fn, m);
        m->network = true;
        m->network_at = m->service_at = m->keyring_at = m->clock_at = USEC_INFINITY;
        m->az_at = m->kill_at = m->settings_at = USEC_INFINITY;
        m->fault_at = sim_now() + DAY;
        m->end = sim_now() + YEAR;
        m->well_since = m->keyring_well_since = USEC_INFINITY;
        for (size_t i = 0; i < N_ACCOUNTS; i++) {
                m->clients[i] = clients[i];
                m->clients[i].index = (unsigned)i;
                m->clients[i].strict = chance_of(0.5);
                m->clients[i].person_at = sim_now() + MINUTE;
                m->clients[i].ask_at = sim_now() + HOUR;
        }
}

void machine_live(uint64_t seed, const char *settings, Totals *totals) {
        Machine m = { .settings = settings, .totals = totals };
        uint64_t next, now;

        chance_seed(seed);
        machine_build(&m, on_keyring);
        settings_write(&m);
        machine_start_daemon(&m);
        while ((now = sim_now()) < m.end) {
                next = machine_next(&m);
                fake_time_pass(next > now ? next - now : 0);
                machine_check(&m);
                machine_events(&m);
                fake_time_pass(0); /* the keepers have their turn */
                machine_check(&m);
                totals->steps++;
        }
        totals->lives++;
        totals->days += YEAR / DAY;
        machine_end_daemon(&m);
        m.keyring = keyring_free(m.keyring);
        if (fake_fetches_running() || fake_timers() || fake_counts_open())
                story_fail("Something is left: %u fetches, %zu timers, %u files",
                           fake_fetches_running(), fake_timers(), fake_counts_open());
}
