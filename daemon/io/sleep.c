/* SPDX-License-Identifier: MIT */
/*
 * A client of logind that never waits for it. However many locks there are here, logind sees one:
 * a descriptor, asked for with the first and closed with the last.
 */
#include <fcntl.h>
#include <systemd/sd-bus.h>

#include "io/broadcast.h"
#include "io/log.h"
#include "io/sleep.h"

#define LOGIND_NAME      "org.freedesktop.login1"
#define LOGIND_PATH      "/org/freedesktop/login1"
#define LOGIND_INTERFACE "org.freedesktop.login1.Manager"

struct Sleep {
        sd_bus *bus;           /* NULL: there is none */
        sd_bus_slot *inhibits; /* Inhibit, not answered yet */
        int inhibitor;         /* logind's descriptor, or -1 */
        size_t n_locks;
        bool asleep;
        void (*fn)(bool asleep, void *userdata);
        void *userdata;
};

struct SleepLock {
        Sleep *sleep;
};

static void sleep_tell(Sleep *s, bool asleep) {
        if (s->asleep == asleep)
                return;
        s->asleep = asleep;
        s->fn(asleep, s->userdata);
}

static int sleep_on_prepare(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        int asleep;

        if (signal_is_broadcast(m) && sd_bus_message_read(m, "b", &asleep) >= 0)
                sleep_tell(userdata, asleep);
        return 0;
}

/* Another logind, or none: the one that would have told of the return is gone. */
static int sleep_on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        if (signal_is_broadcast(m))
                sleep_tell(userdata, false);
        return 0;
}

static int sleep_on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Sleep *s = userdata;

        s->inhibits = sd_bus_slot_unref(s->inhibits);
        s->bus = sd_bus_close_unref(s->bus);
        sleep_tell(s, false);
        return 0;
}

static int sleep_on_inhibited(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Sleep *s = userdata;
        int fd;

        s->inhibits = sd_bus_slot_unref(s->inhibits);
        if (sd_bus_message_is_method_error(m, NULL))
                log_debug("No lock against sleep: %s", sd_bus_message_get_error(m)->message);
        else if (sd_bus_message_read(m, "h", &fd) >= 0)
                s->inhibitor = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* fd is the message's */
        return 0;
}

/* When this fails the machine is not held: no worse than without logind. */
static void sleep_inhibit(Sleep *s) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        if (s->bus &&
            sd_bus_message_new_method_call(s->bus, &m, LOGIND_NAME, LOGIND_PATH, LOGIND_INTERFACE,
                                           "Inhibit") >= 0 &&
            sd_bus_message_set_auto_start(m, false) >= 0 &&
            sd_bus_message_append(m, "ssss", "sleep", "iotc-tokend", "Renewing a sign-in",
                                  "delay") >= 0)
                (void)sd_bus_call_async(s->bus, &s->inhibits, m, sleep_on_inhibited, s, 0);
}

int sleep_lock_new(SleepLock **ret, Sleep *s) {
        SleepLock *lock;

        *ret = NULL;
        if (!s)
                return 0;
        lock = malloc(sizeof(*lock));
        if (!lock)
                return -ENOMEM;
        lock->sleep = s;
        if (s->n_locks++ == 0)
                sleep_inhibit(s);
        *ret = lock;
        return 0;
}

SleepLock *sleep_lock_free(SleepLock *lock) {
        if (lock) {
                Sleep *s = lock->sleep;

                if (--s->n_locks == 0) {
                        s->inhibits = sd_bus_slot_unref(s->inhibits);
                        s->inhibitor = fd_close(s->inhibitor);
                }
                free(lock);
        }
        return NULL;
}

static int sleep_subscribe(Sleep *s) {
        int r;

        r = sd_bus_add_match_async(s->bus, NULL,
                                   "type='signal',sender='org.freedesktop.DBus.Local',"
                                   "path='/org/freedesktop/DBus/Local',"
                                   "interface='org.freedesktop.DBus.Local',member='Disconnected'",
                                   sleep_on_disconnected, NULL, s);
        if (r < 0)
                return r;
        r = sd_bus_add_match_async(s->bus, NULL,
                                   "type='signal',sender='org.freedesktop.DBus',"
                                   "path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
                                   "member='NameOwnerChanged',arg0='" LOGIND_NAME "'",
                                   sleep_on_owner_changed, NULL, s);
        if (r < 0)
                return r;
        return sd_bus_match_signal_async(s->bus, NULL, LOGIND_NAME, LOGIND_PATH, LOGIND_INTERFACE,
                                         "PrepareForSleep", sleep_on_prepare, NULL, s);
}

int sleep_new(Sleep **ret, sd_event *event, void (*fn)(bool asleep, void *userdata),
              void *userdata) {
        CLEANUP(sleep_freep) Sleep *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->inhibitor = -1;
        s->fn = fn;
        s->userdata = userdata;
        r = sd_bus_open_system(&s->bus);
        if (r >= 0)
                r = sd_bus_attach_event(s->bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sleep_subscribe(s);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                log_debug("No system bus, so that sleep is not noticed: %s", strerror(-r));
                s->bus = sd_bus_close_unref(s->bus);
        }
        *ret = STEAL(s);
        return 0;
}

Sleep *sleep_free(Sleep *s) {
        if (s) {
                sd_bus_slot_unref(s->inhibits);
                sd_bus_close_unref(s->bus);
                (void)fd_close(s->inhibitor);
                free(s);
        }
        return NULL;
}
