/* SPDX-License-Identifier: MIT */
/*
 * All that befalls a machine, and how each fault ends.
 */
#include "simulate.h"

/* 20 faults a day: while the machine sleeps, none come. */
#define FAULT_EACH (DAY / 32)

void fault_kill(Machine *m) {
        m->kill_at = USEC_INFINITY;
        story("the daemon is killed");
        fake_keyring_do(m->keyring, (unsigned)chance_below(4));
        machine_end_daemon(m);
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
        m->network_at = clock_boottime() + chance_span(SEC(1), 12 * HOUR);
}

void network_back(Machine *m) {
        m->network_at = USEC_INFINITY;
        network_set(m, true);
}

static void fault_service(Machine *m) {
        m->service = (Service)(1 + chance_below(_SERVICE_MAX - 1));
        m->service_at = clock_boottime() + chance_span(SEC(10), 6 * HOUR);
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
        m->keyring_at = clock_boottime() + chance_span(SEC(1), longest);
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
        m->woke = clock_boottime();
        if (m->network_at != USEC_INFINITY)
                m->network_at = clock_boottime() + chance_span(SEC(1), 2 * MINUTE);
        story("the machine wakes");
        if (m->manager && told)
                manager_on_sleep(m->manager, false);
        machine_feel(m, true);
}

static void clock_set(Machine *m, int64_t skew) {
        story("the wall clock is %d s wrong", (int)skew);
        m->skew = skew;
        m->clock_lied = true;
        m->lied_at = skew ? USEC_INFINITY : clock_boottime();
        fake_time_set_wall(
                (uint64_t)((int64_t)(WALL + (clock_boottime() - DAY) / USEC_PER_SEC) + skew));
        machine_feel(m, true);
}

static void fault_clock(Machine *m) {
        int64_t skew = (int64_t)(chance_span(SEC(1), 12 * HOUR) / USEC_PER_SEC);

        clock_set(m, chance_of(0.5) ? skew : -skew);
        m->clock_at = clock_boottime() + chance_span(MINUTE, 2 * DAY);
}

void clock_back(Machine *m) {
        m->clock_at = USEC_INFINITY;
        clock_set(m, 0);
}

static void fault_az(Machine *m) {
        story("az hangs");
        m->az_hangs = true;
        m->az_at = clock_boottime() + chance_span(MINUTE, 2 * HOUR);
        machine_feel(m, true);
}

void az_back(Machine *m) {
        m->az_at = USEC_INFINITY;
        m->az_hangs = false;
        machine_feel(m, true);
}

static void fault_lock(Machine *m) {
        story("another daemon holds the locks");
        m->lock_held = true;
        fake_lock_hold(true);
        m->lock_at = clock_boottime() + chance_span(SEC(1), 2 * MINUTE);
        machine_feel(m, true);
}

void lock_back(Machine *m) {
        m->lock_at = USEC_INFINITY;
        m->lock_held = false;
        fake_lock_hold(false);
        machine_feel(m, true);
}

static void fault_reload(Machine *m) {
        story("the settings are read again");
        if (m->manager)
                assert(manager_reload(m->manager) >= 0);
}

static const struct {
        void (*fn)(Machine *m);
        unsigned weight;
} faults[] = {
        { fault_kill, 12 },    { fault_stop, 4 },   { fault_network, 16 }, { fault_service, 24 },
        { fault_keyring, 16 }, { fault_sleep, 12 }, { fault_clock, 6 },    { fault_az, 4 },
        { fault_lock, 3 },     { fault_reload, 2 }, { person_changes, 1 },
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
        m->fault_at = clock_boottime() + chance_wait(FAULT_EACH);
        faults[i].fn(m);
}
