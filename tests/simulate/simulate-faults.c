/* SPDX-License-Identifier: MIT */
/*
 * All that befalls a machine, and how each fault ends.
 */
#include "simulate.h"

/* 20 faults a day, measured: while the machine sleeps or is off, none come. */
#define FAULT_EACH (DAY / 62)

void fault_kill(Machine *m) {
        m->kill_at = USEC_INFINITY;
        story("the daemon is killed");
        fake_keyring_do(m->keyring, (unsigned)chance_below(4));
        machine_end_daemon(m);
}

/* It is started at once, and killed again soon, so many times. */
static void fault_kill_often(Machine *m) {
        m->kills_left = (unsigned)(5 + chance_below(60));
        fault_kill(m);
}

static void fault_stop(Machine *m) {
        if (!m->manager)
                return;
        story("the daemon is stopped");
        (void)manager_flush(m->manager);
        fake_time_pass(SEC(1));
        machine_end_daemon(m);
}

static void network_set(Machine *m, bool there) {
        story("the network is %s", there ? "there" : "gone");
        m->network = there;
        if (m->manager)
                manager_on_online(m->manager, there);
        machine_feel(m, true);
}

static void fault_network(Machine *m) {
        network_set(m, false);
        m->network_at = sim_now() + chance_span(SEC(1), 12 * HOUR);
}

void network_back(Machine *m) {
        m->network_at = USEC_INFINITY;
        network_set(m, true);
}

static void fault_service(Machine *m) {
        m->service = (Service)(1 + chance_below(_SERVICE_MAX - 1));
        m->service_at = sim_now() + chance_span(SEC(10), 6 * HOUR);
        story("the identity service is %d", m->service);
        machine_feel(m, true);
}

void service_back(Machine *m) {
        m->service_at = USEC_INFINITY;
        m->service = SERVICE_OK;
        story("the identity service is well");
        machine_feel(m, true);
}

static void fault_keyring(Machine *m) {
        uint64_t longest = 5 * MINUTE;

        switch (chance_below(5)) {
        case 0:
                story("the keyring hangs");
                m->keyring_held = true;
                fake_keyring_hold(m->keyring, true);
                break;
        case 1:
                story("the keyring hangs, and does its work late");
                m->keyring_held = true;
                fake_keyring_hold_late(m->keyring);
                break;
        case 2:
                story("the keyring is gone");
                fake_keyring_set_state(m->keyring, KEYRING_STATE_ABSENT);
                longest = 6 * HOUR;
                break;
        default:
                story("the keyring is locked");
                fake_keyring_set_state(m->keyring, KEYRING_STATE_LOCKED);
                longest = 2 * DAY;
                break;
        }
        m->keyring_at = sim_now() + chance_span(SEC(1), longest);
        machine_feel(m, true);
}

void keyring_back(Machine *m) {
        m->keyring_at = USEC_INFINITY;
        m->keyring_held = false;
        story("the keyring is well");
        fake_keyring_hold(m->keyring, false);
        fake_keyring_set_state(m->keyring, KEYRING_STATE_OK);
        machine_feel(m, true);
}

static void fault_sleep(Machine *m) {
        uint64_t span = chance_span(MINUTE, 2 * DAY);
        bool told = chance_of(0.9); /* by logind */

        story("the machine sleeps %u s", (unsigned)(span / USEC_PER_SEC));
        if (chance_of(0.5))
                fault_network(m);
        if (m->manager && told) {
                manager_on_sleep(m->manager, true);
                fake_time_pass(chance_below(SEC(2)));
        }
        m->totals->sleeps++;
        fake_time_sleep(span);
        m->woke = sim_now();
        if (m->network_at != USEC_INFINITY)
                m->network_at = sim_now() + chance_span(SEC(1), 2 * MINUTE);
        story("the machine wakes");
        if (m->manager && told)
                manager_on_sleep(m->manager, false);
        machine_feel(m, true);
}

static void clock_set(Machine *m, int64_t skew) {
        story("the wall clock is %d s wrong", (int)skew);
        m->skew = skew;
        m->clock_lied = true;
        m->lied_at = skew ? USEC_INFINITY : sim_now();
        fake_time_set_wall((uint64_t)((int64_t)(WALL + (sim_now() - DAY) / USEC_PER_SEC) + skew));
        machine_feel(m, true);
}

static void fault_clock(Machine *m) {
        int64_t skew = (int64_t)(chance_span(SEC(1), 12 * HOUR) / USEC_PER_SEC);

        clock_set(m, chance_of(0.5) ? skew : -skew);
        m->clock_at = sim_now() + chance_span(MINUTE, 2 * DAY);
}

void clock_back(Machine *m) {
        m->clock_at = USEC_INFINITY;
        clock_set(m, 0);
}

static void fault_az(Machine *m) {
        story("az hangs");
        m->az_hangs = true;
        m->az_at = sim_now() + chance_span(MINUTE, 2 * HOUR);
        machine_feel(m, true);
}

void az_back(Machine *m) {
        m->az_at = USEC_INFINITY;
        m->az_hangs = false;
        machine_feel(m, true);
}

static void fault_reload(Machine *m) {
        story("the settings are read again");
        if (m->manager)
                assert(manager_reload(m->manager) >= 0);
}

/* It is read from another file of each process, and as it was again some time later. */
void settings_write(const Machine *m) {
        FILE *file = fopen(m->settings, "we");

        assert(file);
        for (size_t i = 0; i < N_ACCOUNTS; i++) {
                const Client *c = &m->clients[i];

                if (c->setting == SETTING_GONE)
                        continue;
                fprintf(file, "[account %s]\nsource=%s\ntenant=%s\n", c->name,
                        account_source_to_string(c->source), c->name);
                if (c->client_id)
                        fprintf(file, "client-id=00000000-0000-0000-0000-%012u\n", c->client_id);
                if (c->setting == SETTING_OTHER)
                        fprintf(file, "resource=" GRAPH "\nresources=" RESOURCE "\n");
                else if (c->setting != SETTING_NARROW)
                        fprintf(file, "resources=" GRAPH "\n");
                if (c->setting == SETTING_BAD)
                        fprintf(file, "colour=blue\n");
        }
        assert(fclose(file) == 0);
}

static void settings_change(Machine *m) {
        settings_write(m);
        m->totals->changes++;
        m->changed = sim_now();
        if (m->manager)
                assert(manager_reload(m->manager) >= 0);
}

static void fault_settings(Machine *m) {
        Client *c = &m->clients[chance_below(N_ACCOUNTS)];

        /* Without an account of az the manager makes one of its own. */
        c->setting = (Setting)(1 + chance_below(_SETTING_MAX - 1));
        if (c->setting == SETTING_GONE && c->source == ACCOUNT_SOURCE_AZURE_CLI)
                c->setting = SETTING_BAD;
        story("%s: its settings are %d", c->name, c->setting);
        m->settings_at = sim_now() + chance_span(SEC(1), 2 * DAY);
        settings_change(m);
}

void settings_back(Machine *m) {
        m->settings_at = USEC_INFINITY;
        for (size_t i = 0; i < N_ACCOUNTS; i++)
                m->clients[i].setting = SETTING_WHOLE;
        story("the settings are as they were");
        settings_change(m);
        machine_feel(m, true);
}

/* Another registration: what was got by the former one is of no use. */
static void fault_client_id(Machine *m) {
        Client *c = &m->clients[chance_below(N_ACCOUNTS)];

        if (c->source != ACCOUNT_SOURCE_ENTRA || c->setting == SETTING_BAD)
                return;
        story("%s: its client id is another one", c->name);
        c->client_id++;
        c->revoked = c->grant;
        settings_change(m);
}

static void fault_reboot(Machine *m) {
        story("the machine is switched off");
        m->totals->boots++;
        if (m->manager && chance_of(0.5))
                (void)manager_flush(m->manager);
        machine_end_daemon(m);
        m->keyring_held = false;
        m->keyring_at = m->kill_at = USEC_INFINITY;
        fake_keyring_hold(m->keyring, false);
        machine_boot(chance_span(SEC(20), 3 * DAY));
        for (size_t i = 0; i < N_ACCOUNTS; i++) /* what was counted goes with the boot */
                memset(m->clients[i].recent, 0, sizeof(m->clients[i].recent));
        m->woke = sim_now();
        m->start_at = sim_now() + chance_span(SEC(1), MINUTE);
        story("the machine is switched on");
        fake_keyring_set_state(m->keyring, KEYRING_STATE_OK);
        if (chance_of(0.3)) { /* who logs in by a fingerprint has no password for it */
                fake_keyring_set_state(m->keyring, KEYRING_STATE_LOCKED);
                m->keyring_at = sim_now() + chance_span(SEC(1), DAY);
        }
        if (chance_of(0.3))
                fault_network(m);
        if (chance_of(0.1)) { /* its battery is empty: the clock stands still */
                clock_set(m, -(int64_t)chance_below(3 * DAY / USEC_PER_SEC));
                m->clock_at = sim_now() + chance_span(SEC(5), 10 * MINUTE);
        } else if (m->skew == 0)
                clock_set(m, 0);
}

static const struct {
        void (*fn)(Machine *m);
        unsigned weight;
} faults[] = {
        { fault_kill, 12 },     { fault_stop, 4 },       { fault_network, 16 },
        { fault_service, 24 },  { fault_keyring, 16 },   { fault_sleep, 12 },
        { fault_clock, 6 },     { fault_az, 4 },         { fault_reload, 2 },
        { person_changes, 1 },  { fault_settings, 4 },   { fault_reboot, 3 },
        { fault_client_id, 1 }, { fault_kill_often, 1 },
};

void machine_fault(Machine *m) {
        unsigned total = 0, pick;
        size_t i = 0;

        for (size_t n = 0; n < ARRAY_SIZE(faults); n++)
                total += faults[n].weight;
        pick = (unsigned)chance_below(total);
        while (pick >= faults[i].weight)
                pick -= faults[i++].weight;
        m->totals->faults++;
        m->fault_at = sim_now() + chance_wait(FAULT_EACH);
        faults[i].fn(m);
}
