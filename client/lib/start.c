/* SPDX-License-Identifier: MIT */
#include <iotc-dbus.h>

#include "lib/start.h"

#define UNIT_PATH   "/org/freedesktop/systemd1/unit/iotc_2dtokend_2eservice"
#define START       "systemctl --user start iotc-tokend"
#define START_AGAIN "systemctl --user reset-failed iotc-tokend && " START
#define SPAWN       "org.freedesktop.DBus.Error.Spawn."

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

/* What systemd says of our unit; the words are the reply's. */
typedef struct Unit {
        const char *load_state, *file_state, *active_state, *sub_state, *result;
        int exit_status;
} Unit;

static int unit_read(Unit *unit, sd_bus_message *reply) {
        const struct {
                const char *name, *type;
                void *value;
        } fields[] = {
                { "LoadState", "s", &unit->load_state },
                { "UnitFileState", "s", &unit->file_state },
                { "ActiveState", "s", &unit->active_state },
                { "SubState", "s", &unit->sub_state },
                { "Result", "s", &unit->result },
                { "ExecMainStatus", "i", &unit->exit_status },
        };
        const char *name;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                size_t i = 0;

                r = sd_bus_message_read(reply, "s", &name);
                while (r >= 0 && i < ARRAY_SIZE(fields) && !streq(fields[i].name, name))
                        i++;
                if (r >= 0)
                        r = i < ARRAY_SIZE(fields) ? sd_bus_message_read(reply, "v", fields[i].type,
                                                                         fields[i].value)
                                                   : sd_bus_message_skip(reply, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r;
}

/* Why systemd does not start the unit; &not_running where it would, NULL where it is about it. */
static const Fault *unit_fault(const Unit *unit) {
        bool until_boot =
                streq(unit->load_state, "masked") && streq(unit->file_state, "masked-runtime");
        const Fault *fault = fault_find(load_states, ARRAY_SIZE(load_states),
                                        until_boot ? unit->file_state : unit->load_state);

        if (fault)
                return fault;
        if (!streq(unit->active_state, "failed") && !streq(unit->sub_state, "auto-restart"))
                return streq(unit->active_state, "inactive") ? &not_running : NULL;
        if (unit->exit_status == EXIT_STATUS_EXEC)
                return &program_is_gone;
        return fault_find(results, ARRAY_SIZE(results), unit->result);
}

/* One StartServiceByName: the bus joins those that wait for one name. */
int start_message(sd_bus *bus, sd_bus_message **ret) {
        int r;

        r = sd_bus_message_new_method_call(bus, ret, "org.freedesktop.DBus",
                                           "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                           "StartServiceByName");
        return r < 0 ? r : sd_bus_message_append(*ret, "su", IOTC_BUS_NAME, 0);
}

int start_look_message(sd_bus *bus, sd_bus_message **ret) {
        int r;

        r = sd_bus_message_new_method_call(bus, ret, "org.freedesktop.systemd1", UNIT_PATH,
                                           "org.freedesktop.DBus.Properties", "GetAll");
        if (r >= 0)
                r = sd_bus_message_append(*ret, "s", ""); /* of all interfaces */
        return r < 0 ? r : sd_bus_message_set_auto_start(*ret, false);
}

static bool fault_set(const char *text, sd_bus_error *error) {
        sd_bus_error_free(error);
        sd_bus_error_set(error, START_ERROR, text);
        return true;
}

bool start_explain_error(sd_bus_error *error) {
        const Fault *fault = fault_find(bus_errors, ARRAY_SIZE(bus_errors), error->name);
        CLEANUP(freep) char *text = NULL;

        if (fault)
                return fault_set(fault->text, error);
        if (!str_starts(error->name, SPAWN) &&
            !str_starts(error->name, "org.freedesktop.systemd1."))
                return false;
        if (asprintf(&text, "the session bus could not start iotc-tokend: %s",
                     error->message ?: error->name) < 0)
                text = NULL;
        return fault_set(text ?: "iotc-tokend could not be started", error);
}

int start_timed_out(sd_bus_error *error) {
        sd_bus_error_free(error);
        sd_bus_error_set(error, "org.freedesktop.DBus.Error.TimedOut", NULL);
        (void)start_explain_error(error);
        return -EHOSTUNREACH;
}

bool start_explain(sd_bus_message *unit, bool timed_out, bool over, sd_bus_error *error) {
        const Fault *fault = NULL;
        Unit facts = { 0 };

        if (unit && unit_read(&facts, unit) >= 0)
                fault = unit_fault(&facts);
        /* Not running: it may be about to be started. */
        if (fault && (fault != &not_running || !timed_out))
                return fault_set(fault->text, error);
        if (timed_out)
                return over && start_timed_out(error) < 0;
        return start_explain_error(error);
}

const char *start_command(const sd_bus_error *error) {
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
