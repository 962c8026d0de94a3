/* SPDX-License-Identifier: MIT */
/*
 * What the daemon needs of the machine: a keyring that keeps secrets, and a clock that is right.
 */
#include <sys/stat.h>
#include <time.h>

#include "base/display.h"
#include "common/text.h"
#include "doctor/check.h"

static bool store_is_file(const Doctor *d) {
        return streq(properties_string(&d->manager, "Store"), "file");
}

static bool keyring_has_owner(Doctor *d) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int owned = 0;

        if (!d->bus || sd_bus_call_method(d->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                          "org.freedesktop.DBus", "NameHasOwner", NULL, &reply, "s",
                                          "org.freedesktop.secrets") < 0)
                return false;
        return sd_bus_message_read(reply, "b", &owned) >= 0 && owned;
}

/* KWallet is started by its own name alone: by the one of the Secret Service nobody finds it. */
static const char *keyring_start_command(Doctor *d) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *name, *command = NULL;

        if (!d->bus ||
            sd_bus_call_method(d->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                               "org.freedesktop.DBus", "ListActivatableNames", NULL, &reply,
                               "") < 0 ||
            sd_bus_message_enter_container(reply, 'a', "s") < 0)
                return NULL;
        while (sd_bus_message_read(reply, "s", &name) > 0)
                if (streq(name, "org.kde.kwalletd6"))
                        command =
                                "busctl --user call org.kde.kwalletd6 / org.freedesktop.DBus.Peer "
                                "Ping";
                else if (streq(name, "org.kde.kwalletd5") && !command)
                        command =
                                "busctl --user call org.kde.kwalletd5 / org.freedesktop.DBus.Peer "
                                "Ping";
        return command;
}

static void keyring_absent(Doctor *d) {
        const char *start = keyring_start_command(d);
        CLEANUP(freep) char *install = doctor_install_command("gnome-keyring");

        if (keyring_has_owner(d))
                doctor_tell(d,
                            &(Finding){ .check = "keyring",
                                        .state = FINDING_PROBLEM,
                                        .why = N_("A sign-in is kept until the daemon ends. Log in "
                                                  "again, or end the process that owns it:"),
                                        .command = "busctl --user status org.freedesktop.secrets" },
                            N_("The keyring (Secret Service) is there but does not answer."));
        else if (start)
                doctor_tell(d,
                            &(Finding){ .check = "keyring",
                                        .state = FINDING_PROBLEM,
                                        .why = N_("A sign-in is kept until the daemon ends, and "
                                                  "has to be made again then."),
                                        .command = start },
                            N_("There is no keyring (Secret Service) in this session: KWallet is "
                               "installed, but not started."));
        else
                doctor_tell(
                        d,
                        &(Finding){
                                .check = "keyring",
                                .state = FINDING_PROBLEM,
                                .why = N_("A sign-in is kept until the daemon ends, and has to be "
                                          "made again then."),
                                .command = install },
                        N_("There is no keyring (Secret Service) in this session. Install GNOME "
                           "Keyring, KWallet or KeePassXC; or keep secrets in encrypted files: "
                           "store=file, see iotc-token(1), SECRETS."));
}

/* The key file that the words of store-key.c are about, as a shell wants it; or NULL. */
static char *key_file(const char *problem) {
        static const char *const lead = "The key file ", *const ends[] = { " is not there",
                                                                           " is open to" };
        CLEANUP(freep) char *path = NULL;

        if (!str_starts(problem, lead))
                return NULL;
        for (size_t i = 0; i < ARRAY_SIZE(ends) && !path; i++) {
                const char *end = strstr(problem, ends[i]);

                if (end)
                        path = strndup(problem + strlen(lead),
                                       (size_t)(end - problem) - strlen(lead));
        }
        return path ? text_quoted(path) : NULL;
}

/* What mends a store that is none of the Secret Service's, to be freed by free(). A store that
 * could not be opened is opened at the next start, and so is a credential read. */
static char *store_command(const Doctor *d, const char *problem) {
        CLEANUP(freep) char *edit = doctor_edit_command(d), *key = key_file(problem);
        CLEANUP(freep) char *restart = doctor_restart_command(d, NULL);
        bool none = streq(properties_string(&d->manager, "Store"), "none");
        char *command = NULL;
        int n = 0;

        if (str_starts(problem, "KeePassXC"))
                return strdup("keepassxc"); /* shows its window */
        if (none)
                n = asprintf(&command, "%s && %s", edit ?: "", restart ?: "");
        else if (strstr(problem, "restart iotc-tokend"))
                return STEAL(restart);
        else if (key && strstr(problem, "is open to"))
                n = asprintf(&command, "chmod 600 %s && iotc-token unlock", key);
        else if (key)
                n = asprintf(&command,
                             "(umask 077; head -c 32 /dev/urandom > %s) && iotc-token unlock", key);
        else if (str_starts(problem, "The key file ") || strstr(problem, "needs a key"))
                return STEAL(edit);
        else
                return strdup("iotc-token unlock");
        return n < 0 ? NULL : command;
}

int doctor_check_keyring(Doctor *d) {
        const char *state = properties_string(&d->manager, "KeyringState");
        const char *problem = properties_string(&d->manager, "StoreProblem");
        CLEANUP(freep) char *command = NULL;

        if (!d->has_daemon)
                return 0;
        if (streq(state, "ok"))
                doctor_tell(d, &(Finding){ .check = "keyring" },
                            store_is_file(d)
                                    ? N_("Secrets are kept in encrypted files (store=file).")
                                    : N_("The keyring is unlocked."));
        else if (*problem) { /* another store; the words hold what to do before the command */
                command = store_command(d, problem);
                doctor_tell(
                        d,
                        &(Finding){ .check = "keyring",
                                    .state = FINDING_PROBLEM,
                                    .why = N_("Sign-ins can neither be read nor kept until then."),
                                    .command = command },
                        "%s", problem);
        } else if (streq(state, "absent"))
                keyring_absent(d);
        else if (streq(state, "prompting"))
                doctor_tell(
                        d,
                        &(Finding){ .check = "keyring",
                                    .state = FINDING_NOTE,
                                    .why = N_("Sign-ins can't be read before it is answered.") },
                        N_("The keyring's dialog waits for an answer."));
        else
                doctor_tell(
                        d,
                        &(Finding){ .check = "keyring",
                                    .state = FINDING_PROBLEM,
                                    .why = N_("Sign-ins can neither be read nor kept until it is "
                                              "unlocked."),
                                    .command = "iotc-token unlock" },
                        N_("The keyring is locked."));
        return 0;
}

/* It can't be earlier than when this program was built. */
static bool clock_is_absurd(void) {
        struct stat st;

        return stat("/proc/self/exe", &st) == 0 && time(NULL) < st.st_mtime - 86400;
}

/* Does the machine say that its clock follows a server? -errno when it says nothing. */
static int clock_is_synchronized(void) {
        static const char *const timedate[] = {
                "org.freedesktop.timedate1",
                "/org/freedesktop/timedate1",
                "org.freedesktop.timedate1",
        };
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *system = NULL;
        int r, synchronized;

        r = sd_bus_open_system(&system);
        if (r >= 0)
                r = sd_bus_get_property_trivial(system, timedate[0], timedate[1], timedate[2],
                                                "NTPSynchronized", NULL, 'b', &synchronized);
        return r < 0 ? r : synchronized;
}

int doctor_check_clock(Doctor *d) {
        static const Finding wrong = {
                .check = "clock",
                .state = FINDING_PROBLEM,
                .why = N_("Certificates and API tokens are judged by it, and so is a sign-in."),
                .command = "sudo timedatectl set-ntp true",
        };
        char much[DISPLAY_DURATION_SIZE];
        int64_t offset = (int64_t)properties_number(&d->manager, "ClockOffset");
        int synchronized = clock_is_synchronized();

        if (offset < 0)
                doctor_tell(d, &wrong,
                            N_("This machine's clock is %s fast, by the identity service's."),
                            display_duration(much, -(uint64_t)offset));
        else if (offset)
                doctor_tell(d, &wrong,
                            N_("This machine's clock is %s slow, by the identity service's."),
                            display_duration(much, (uint64_t)offset));
        else if (clock_is_absurd())
                doctor_tell(d, &wrong,
                            N_("This machine's clock stands at a time before this program "
                               "was installed."));
        else if (d->n_reached || synchronized > 0)
                doctor_tell(d, &(Finding){ .check = "clock" },
                            synchronized > 0
                                    ? N_("The clock is right, and kept right by the network.")
                                    : N_("The clock is right within a minute."));
        else if (synchronized == 0)
                doctor_tell(d,
                            &(Finding){ .check = "clock",
                                        .state = FINDING_NOTE,
                                        .why = wrong.why,
                                        .command = wrong.command },
                            N_("The clock does not follow a time server."));
        else
                doctor_tell(
                        d, &(Finding){ .check = "clock" },
                        N_("Nothing speaks against the clock; no server was reached to compare."));
        return 0;
}
