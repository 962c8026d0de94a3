/* SPDX-License-Identifier: MIT */
/*
 * The way to the daemon: the session bus, the daemon on it and of which version, and whether it is
 * there from the beginning of the session to its end.
 */
#include <pwd.h>
#include <sys/stat.h>

#include "doctor/check.h"
#include "lib/connection.h"
#include "lib/start.h"

#define UNIT "iotc-tokend.service"

static bool is_private_folder(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
               !(st.st_mode & 022);
}

static const char *user_name(void) {
        const struct passwd *pw = getpwuid(geteuid());

        return pw ? pw->pw_name : "\"$(id -u)\"";
}

/* Who called sudo, where this is root by it; or NULL. */
static const char *sudo_user(void) {
        const struct passwd *pw = NULL;

        if (geteuid() == 0 && getenv("SUDO_UID"))
                pw = getpwuid((uid_t)strtoul(getenv("SUDO_UID"), NULL, 10));
        return pw && pw->pw_uid != 0 ? pw->pw_name : NULL;
}

/* What gives this shell a session bus, to be freed by free(); NULL when memory is short. */
static char *session_command(void) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        const char *named = getenv("DBUS_SESSION_BUS_ADDRESS"), *other = sudo_user();
        char folder[sizeof("/run/user/4294967295")], *command;

        (void)snprintf(folder, sizeof(folder), "/run/user/%u", geteuid());
        if (!str_empty(getenv("IOTC_TOKEN_SOCKET")))
                return strdup("unset IOTC_TOKEN_SOCKET");
        if (!str_empty(named) && connection_open_default(&bus) >= 0)
                return strdup("unset DBUS_SESSION_BUS_ADDRESS");
        if (!bus && (named || getenv("XDG_RUNTIME_DIR")) && is_private_folder(folder))
                return strdup("unset DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR");
        if (other)
                return asprintf(&command, "sudo -u %s iotc-token doctor", other) < 0 ? NULL
                                                                                     : command;
        if (access("/run/systemd/system", F_OK) < 0)
                return strdup("dbus-run-session -- bash");
        return asprintf(&command, "sudo loginctl enable-linger %s", user_name()) < 0 ? NULL
                                                                                     : command;
}

/* The daemon's lock is there; programs that this shell starts look for buses there. */
static bool check_runtime_dir(Doctor *d) {
        const char *path = getenv("XDG_RUNTIME_DIR");

        if (str_empty(path) || is_private_folder(path))
                return true;
        doctor_tell(
                d,
                &(Finding){ .check = "bus",
                            .state = FINDING_PROBLEM,
                            .why = N_("After su or sudo it is another user's: a program that is "
                                      "started here looks for the session bus there."),
                            .command = "unset XDG_RUNTIME_DIR" },
                N_("XDG_RUNTIME_DIR is %s, which is no folder that is this user's alone."), path);
        return false;
}

int doctor_check_bus(Doctor *d) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL, *daemon = NULL;
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(sd_bus_error_free) sd_bus_error none = SD_BUS_ERROR_NULL;
        CLEANUP(freep) char *command = NULL;

        if (connection_open_session(&bus, &none) >= 0 &&
            doctor_call(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                        "org.freedesktop.DBus", "GetId", &none, NULL) >= 0)
                d->bus = STEAL(bus);
        if (connection_open(&daemon, true, &error) >= 0) {
                d->daemon = connection_is_direct(daemon) ? STEAL(daemon)
                            : d->bus                     ? sd_bus_ref(d->bus)
                                                         : NULL;
        }
        if (d->daemon) {
                if (check_runtime_dir(d))
                        doctor_tell(d, &(Finding){ .check = "bus" },
                                    !connection_is_direct(d->daemon)
                                            ? N_("The session bus answers.")
                                    : d->bus ? N_("The session bus answers, and so does the "
                                                  "daemon's own socket.")
                                             : N_("The daemon's own socket answers; there is no "
                                                  "session bus."));
                return 0;
        }
        command = session_command();
        doctor_tell(d,
                    &(Finding){ .check = "bus",
                                .state = FINDING_PROBLEM,
                                .why = N_("Programs reach the daemon over it; daemon, keyring and "
                                          "accounts can't be looked at."),
                                .command = command },
                    N_("No way to the daemon: %s."),
                    doctor_word(d, error.message ?: none.message ?: N_("it does not answer")));
        return 0;
}

int doctor_read_daemon(Doctor *d, sd_bus_error *error) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL, *objects = NULL;
        Accounts accounts;
        int r;

        r = sd_bus_message_new_method_call(d->daemon, &m, IOTC_BUS_NAME, IOTC_PATH,
                                           "org.freedesktop.DBus.Properties", "GetAll");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", IOTC_INTERFACE_MANAGER);
        if (r >= 0)
                r = connection_call(d->daemon, m, false, BUS_TIMEOUT_SEC * USEC_PER_SEC, error,
                                    &reply);
        if (r >= 0)
                r = properties_read(&d->manager, reply);
        if (r >= 0)
                r = doctor_call(d->daemon, IOTC_BUS_NAME, IOTC_PATH,
                                "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", error,
                                &objects);
        if (r >= 0)
                r = bus_read_accounts(objects, &accounts);
        if (r < 0)
                return r;
        accounts_deinit(&d->accounts);
        d->accounts = accounts;
        return 0;
}

/* What makes a daemon answer that did not, to be freed by free(); NULL where no one command does.
 */
static char *daemon_command(const Doctor *d, const sd_bus_error *error) {
        const char *command = start_command(error);

        if (sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT))
                return doctor_restart_command(d, NULL);
        return command ? strdup(command) : NULL;
}

int doctor_check_daemon(Doctor *d) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(freep) char *command = NULL;
        const char *version;
        int r;

        if (!d->daemon)
                return 0;
        doctor_progress(d, "calling iotc-tokend");
        r = doctor_read_daemon(d, &error);
        if (r < 0) {
                command = daemon_command(d, &error);
                doctor_tell(d,
                            &(Finding){ .check = "daemon",
                                        .state = FINDING_PROBLEM,
                                        .why = N_("Without it there are no tokens; keyring and "
                                                  "accounts can't be looked at."),
                                        .command = command },
                            "%s.", error.message ? doctor_word(d, error.message) : strerror(-r));
                sd_bus_error_free(&error);
                return 0;
        }
        d->has_daemon = true;
        version = properties_string(&d->manager, "Version");
        if (streq(version, IOTC_VERSION)) {
                doctor_tell(d, &(Finding){ .check = "daemon" }, N_("iotc-tokend %s runs."),
                            version);
                return 0;
        }
        command = doctor_restart_command(d, NULL);
        doctor_tell(d,
                    &(Finding){ .check = "daemon",
                                .state = FINDING_PROBLEM,
                                .why = N_("It was not restarted after an upgrade, or another "
                                          "installation was started."),
                                .command = command },
                    N_("The daemon that runs is iotc-tokend %s, this is iotc-token %s."), version,
                    IOTC_VERSION);
        return 0;
}

/* The command for a unit file in this state, or NULL: a unit that something else makes. */
static const char *can_be_enabled(const char *state) {
        if (streq(state, "masked-runtime"))
                return "systemctl --user unmask --runtime iotc-tokend && systemctl --user enable "
                       "--now iotc-tokend";
        if (streq(state, "masked"))
                return "systemctl --user unmask iotc-tokend && systemctl --user enable --now "
                       "iotc-tokend";
        return streq(state, "disabled") || str_starts(state, "linked")
                       ? "systemctl --user enable --now iotc-tokend"
                       : NULL;
}

static void check_enabled(Doctor *d) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *state;
        int r;

        r = sd_bus_call_method(d->bus, doctor_systemd[0], doctor_systemd[1], doctor_systemd[2],
                               "GetUnitFileState", NULL, &reply, "s", UNIT);
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &state);
        if (r < 0) /* no systemd, or no such unit: something else starts it */
                return;
        if (str_starts(state, "enabled")) {
                doctor_tell(d, &(Finding){ .check = "start" },
                            N_("iotc-tokend is started at login."));
                return;
        }
        doctor_tell(d,
                    &(Finding){ .check = "start",
                                .state = FINDING_NOTE,
                                .why = N_("The first call starts it, and waits for a token to be "
                                          "fetched. Started at login, it has one by then."),
                                .command = can_be_enabled(state) },
                    N_("iotc-tokend is not started at login (systemd: %s)."), state);
}

/* With a graphical session the daemon lives as long as that. */
static void check_linger(Doctor *d) {
        static const char *const login1 = "org.freedesktop.login1";
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *system = NULL;
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP(freep) char *command = NULL;
        const char *user;
        int r, linger;

        if (getenv("DISPLAY") || getenv("WAYLAND_DISPLAY") || sd_bus_open_system(&system) < 0)
                return;
        r = sd_bus_call_method(system, login1, "/org/freedesktop/login1",
                               "org.freedesktop.login1.Manager", "GetUser", NULL, &reply, "u",
                               (uint32_t)geteuid());
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &user);
        if (r >= 0)
                r = doctor_get(system,
                               (const char *const[]){ login1, user, "org.freedesktop.login1.User" },
                               "Linger", 'b', &linger);
        if (r < 0 || linger)
                return;
        if (asprintf(&command, "sudo loginctl enable-linger %s", user_name()) < 0)
                command = NULL;
        doctor_tell(d,
                    &(Finding){ .check = "start",
                                .state = FINDING_NOTE,
                                .why = N_("No graphical session here: what runs without anybody "
                                          "logged in, as by cron, finds no daemon."),
                                .command = command },
                    N_("iotc-tokend ends with the last session of this user."));
}

int doctor_check_start(Doctor *d) {
        if (d->bus)
                check_enabled(d);
        check_linger(d);
        return 0;
}
