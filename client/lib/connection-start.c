/* SPDX-License-Identifier: MIT */
/*
 * Starting the daemon, and why it does not start. A bus waits up to two minutes for a service that
 * systemd gave up within a second, and says no more than "timed out" then: so systemd is asked what
 * became of the unit.
 */
#include <iotc-dbus.h>
#include <time.h>

#include "lib/connection.h"

#define UNIT_PATH   "/org/freedesktop/systemd1/unit/iotc_2dtokend_2eservice"
#define UNIT        "org.freedesktop.systemd1.Unit"
#define SERVICE     "org.freedesktop.systemd1.Service"
#define START       "systemctl --user start iotc-tokend"
#define START_AGAIN "systemctl --user reset-failed iotc-tokend && " START
#define SPAWN       "org.freedesktop.DBus.Error.Spawn."

#define LOOK_USEC    (2 * USEC_PER_SEC)
#define START_USEC   (30 * USEC_PER_SEC)
#define SYSTEMD_USEC (2 * USEC_PER_SEC) /* it answers from memory */

enum {
        EXIT_STATUS_EXEC = 203, /* systemd.exec(5), PROCESS EXIT CODES */
};

typedef struct Fault {
        const char *state; /* a word of systemd's, or an error's name */
        const char *text, *command;
} Fault;

static const Fault load_states[] = {
        { "masked",
          N_("iotc-tokend can't be started, because its unit is masked; run 'systemctl --user "
             "unmask iotc-tokend'"),
          "systemctl --user unmask iotc-tokend && " START },
        { "masked-runtime",
          N_("iotc-tokend can't be started, because its unit is masked; run 'systemctl --user "
             "unmask --runtime iotc-tokend'"),
          "systemctl --user unmask --runtime iotc-tokend && " START },
        { "not-found",
          N_("iotc-tokend can't be started: systemd has no unit of that name; install the package "
             "again"),
          NULL },
        { "bad-setting",
          N_("iotc-tokend can't be started: a setting of its unit is wrong; see 'systemctl --user "
             "status iotc-tokend'"),
          NULL },
        { "error",
          N_("iotc-tokend can't be started: its unit can't be read; see 'systemctl --user status "
             "iotc-tokend'"),
          NULL },
};

static const Fault program_is_gone = {
        NULL,
        N_("iotc-tokend can't be started: its program is not there or can't be run; install the "
           "package again, then run 'systemctl --user reset-failed iotc-tokend'"),
        NULL,
};

static const Fault results[] = {
        { "start-limit-hit",
          N_("iotc-tokend ended too often in a row, so that systemd starts it no more; see "
             "'journalctl --user -u iotc-tokend -n 20', then run 'systemctl --user reset-failed "
             "iotc-tokend'"),
          START_AGAIN },
        { "exit-code",
          N_("iotc-tokend ends with an error as soon as it is started; see 'journalctl --user -u "
             "iotc-tokend -n 20', then run 'systemctl --user reset-failed iotc-tokend'"),
          START_AGAIN },
        { "timeout",
          N_("iotc-tokend was started and did not get ready; see 'journalctl --user -u "
             "iotc-tokend -n 20', then run 'systemctl --user reset-failed iotc-tokend'"),
          START_AGAIN },
        { "oom-kill",
          N_("iotc-tokend was ended at its start, because memory is short; see 'journalctl --user "
             "-u iotc-tokend -n 20', then run 'systemctl --user reset-failed iotc-tokend'"),
          START_AGAIN },
        { "signal",
          N_("iotc-tokend crashes at its start; see 'journalctl --user -u iotc-tokend -n 20', "
             "then run 'systemctl --user reset-failed iotc-tokend'"),
          START_AGAIN },
        { "core-dump",
          N_("iotc-tokend crashes at its start; see 'journalctl --user -u iotc-tokend -n 20', "
             "then run 'systemctl --user reset-failed iotc-tokend'"),
          START_AGAIN },
        { NULL,
          N_("systemd could not start iotc-tokend; see 'systemctl --user status iotc-tokend'"),
          START_AGAIN },
};

/* What a bus that starts programs itself says. */
static const Fault bus_errors[] = {
        { SPAWN "ChildExited",
          N_("iotc-tokend ended as soon as the session bus had started it; run 'iotc-tokend' to "
             "see "
             "why"),
          NULL },
        { SPAWN "ChildSignaled",
          N_("iotc-tokend crashed as soon as the session bus had started it; run 'iotc-tokend' to "
             "see why"),
          NULL },
        { SPAWN "ExecFailed",
          N_("the session bus can't run iotc-tokend: its program is not there or can't be run; "
             "install the package again"),
          NULL },
        { SPAWN "ServiceNotValid",
          N_("the session bus can't start iotc-tokend: its service file org.iotc.Token1.service is "
             "wrong; install the package again"),
          NULL },
        { SPAWN "FileInvalid",
          N_("the session bus can't start iotc-tokend: its service file org.iotc.Token1.service is "
             "wrong; install the package again"),
          NULL },
        { "org.freedesktop.DBus.Error.TimedOut",
          N_("iotc-tokend was started and does not get ready; run 'iotc-tokend --replace' to see "
             "why"),
          NULL },
        { SD_BUS_ERROR_SERVICE_UNKNOWN,
          N_("iotc-tokend is not running, and the session bus can't start it; run 'iotc-tokend &', "
             "or install the package again"),
          "(iotc-tokend &)" },
};

static const Fault not_running = {
        NULL,
        N_("iotc-tokend is not running; start it with 'systemctl --user start iotc-tokend'"),
        START,
};

static const Fault *fault_find(const Fault *faults, size_t n, const char *state) {
        for (size_t i = 0; i < n; i++)
                if (!faults[i].state || streq(faults[i].state, state))
                        return &faults[i];
        return NULL;
}

/* A property of our unit, of type s or i; nothing is started for it. 0 or -errno. */
static int unit_get(sd_bus *bus, const char *interface, const char *name, const char *type,
                    sd_bus_message **ret) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, "org.freedesktop.systemd1", UNIT_PATH,
                                           "org.freedesktop.DBus.Properties", "Get");
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", interface, name);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0)
                r = sd_bus_call(bus, m, SYSTEMD_USEC, NULL, &reply);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'v', type);
        if (r < 0)
                return r;
        *ret = STEAL(reply);
        return 0;
}

static bool unit_is(sd_bus *bus, const char *name, const char *state) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *value;

        return unit_get(bus, UNIT, name, "s", &reply) >= 0 &&
               sd_bus_message_read(reply, "s", &value) >= 0 && streq(value, state);
}

/* Why systemd does not start the unit; &not_running where it would, NULL where it is about it or
 * there is no systemd. */
static const Fault *unit_fault(sd_bus *bus) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *load = NULL, *result = NULL, *code = NULL;
        const Fault *fault;
        const char *word;
        int status;

        if (unit_get(bus, UNIT, "LoadState", "s", &load) < 0 ||
            sd_bus_message_read(load, "s", &word) < 0)
                return NULL;
        if (streq(word, "masked") && unit_is(bus, "UnitFileState", "masked-runtime"))
                word = "masked-runtime";
        fault = fault_find(load_states, ARRAY_SIZE(load_states), word);
        if (fault)
                return fault;
        if (unit_get(bus, SERVICE, "Result", "s", &result) < 0 ||
            sd_bus_message_read(result, "s", &word) < 0)
                return NULL;
        if (!unit_is(bus, "ActiveState", "failed") && !unit_is(bus, "SubState", "auto-restart"))
                return unit_is(bus, "ActiveState", "inactive") ? &not_running : NULL;
        if (unit_get(bus, SERVICE, "ExecMainStatus", "i", &code) >= 0 &&
            sd_bus_message_read(code, "i", &status) >= 0 && status == EXIT_STATUS_EXEC)
                return &program_is_gone;
        return fault_find(results, ARRAY_SIZE(results), word);
}

static uint64_t now_usec(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

/* One StartServiceByName: the bus joins those that wait for one name. */
static int start_service(sd_bus *bus, uint64_t timeout_usec, sd_bus_error *error) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                           "org.freedesktop.DBus", "StartServiceByName");
        if (r >= 0)
                r = sd_bus_message_append(m, "su", IOTC_BUS_NAME, 0);
        return r < 0 ? sd_bus_error_set_errno(error, r)
                     : sd_bus_call(bus, m, timeout_usec, error, NULL);
}

static int fault_set(const Fault *fault, sd_bus_error *error) {
        sd_bus_error_free(error);
        sd_bus_error_set(error, CONNECTION_NOT_STARTED, fault->text);
        return -EHOSTUNREACH;
}

int connection_start_failed(sd_bus_error *error) {
        const Fault *fault = fault_find(bus_errors, ARRAY_SIZE(bus_errors), error->name);
        CLEANUP(freep) char *text = NULL;

        if (fault)
                return fault_set(fault, error);
        if (!str_starts(error->name, SPAWN) &&
            !str_starts(error->name, "org.freedesktop.systemd1."))
                return 0;
        if (asprintf(&text, "the session bus could not start iotc-tokend: %s",
                     error->message ?: error->name) < 0)
                text = NULL;
        return fault_set(&(Fault){ .text = text ?: "iotc-tokend could not be started" }, error);
}

int connection_start(sd_bus *bus, uint64_t timeout_usec, sd_bus_error *error) {
        uint64_t now = now_usec(), end = now + MIN(timeout_usec ?: START_USEC, START_USEC);
        const Fault *fault;
        int r;

        for (;;) {
                sd_bus_error_free(error);
                r = start_service(bus, MIN(LOOK_USEC, end - now), error);
                if (r >= 0 || sd_bus_is_open(bus) <= 0)
                        return r;
                now = now_usec();
                fault = unit_fault(bus);
                if (fault && (fault != &not_running || r != -ETIMEDOUT))
                        return fault_set(fault, error);
                if (r != -ETIMEDOUT)
                        return connection_start_failed(error) ?: r;
                if (now >= end) {
                        sd_bus_error_free(error);
                        sd_bus_error_set(error, "org.freedesktop.DBus.Error.TimedOut", NULL);
                        return connection_start_failed(error);
                }
        }
}

const char *connection_start_command(const sd_bus_error *error) {
        static const struct {
                const Fault *faults;
                size_t n;
        } tables[] = {
                { load_states, ARRAY_SIZE(load_states) },
                { results, ARRAY_SIZE(results) },
                { bus_errors, ARRAY_SIZE(bus_errors) },
                { &not_running, 1 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                for (size_t j = 0; j < tables[i].n; j++)
                        if (streq(tables[i].faults[j].text, error->message))
                                return tables[i].faults[j].command;
        return NULL;
}
