/* SPDX-License-Identifier: MIT */
/*
 * The settings files as files: there, readable, and nobody else's to write, because they name
 * programs that are run. What is in them the daemon judges: a bad line is told with its account.
 */
#include <sys/stat.h>

#include "common/text.h"
#include "common/trust.h"
#include "doctor/check.h"

/* A bad line that belongs to no account; told: what it is about has been told. */
static bool tell_bad_line(Doctor *d, bool told) {
        const char *problem = properties_string(&d->manager, "SettingsProblem");
        CLEANUP(freep) char *command = doctor_mend_command(d, problem);

        if (!*problem ||
            (told && (strstr(problem, "can't be read") || strstr(problem, "is not read"))))
                return told;
        doctor_tell(
                d,
                &(Finding){ .check = "settings",
                            .state = FINDING_PROBLEM,
                            .why = N_("The line is not in force, and the daemon writes nothing to "
                                      "the file as long as it is there."),
                            .command = command },
                "%s", problem);
        return true;
}

static void tell_unsafe(Doctor *d, const char *path, const Distrust *distrust) {
        CLEANUP(freep) char *command = distrust_command(distrust);

        doctor_tell(
                d,
                &(Finding){ .check = "settings",
                            .state = FINDING_PROBLEM,
                            .why = N_("They name programs to run and where passwords go: who can "
                                      "write them can be you."),
                            .command = command },
                distrust->foreign ? N_("%s is not read: %s belongs to another user.")
                                  : N_("%s is not read: %s can be written by other users."),
                path, distrust->path);
}

/* What makes the file at path readable, or takes it out of the way; to be freed by free(). */
static char *unread_command(const char *path, const char *folder, int fault) {
        bool ours = !streq(path, SETTINGS_SYSTEM_PATH);
        CLEANUP(freep) char *from = text_quoted(path);
        struct stat st;
        char *command;

        if (fault == EFBIG)
                return ours ? doctor_path_command("${EDITOR:-vi}", path)
                            : doctor_path_command("sudo ${EDITOR:-vi}", path);
        if (fault == EACCES || fault == EPERM) {
                const char *at = stat(path, &st) < 0 && folder ? folder : path;
                bool own = stat(at, &st) == 0 && st.st_uid == geteuid();

                if (!ours)
                        return doctor_path_command("sudo chmod -R a+rX", folder ?: path);
                return doctor_path_command(own ? "chmod u+rX" : "sudo chown -R \"$(id -u)\"", at);
        }
        return !from || asprintf(&command, "%smv %s %s.bad", ours ? "" : "sudo ", from, from) < 0
                       ? NULL
                       : command;
}

/* The file at path: 1 when it is fine, 0 when there is none, -1 when something has been told. */
static int check_file(Doctor *d, const char *path) {
        CLEANUP(freep) char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));
        CLEANUP(distrust_clear) Distrust distrust = { 0 };
        CLEANUP(file_closep) FILE *f = settings_open_own(path, &distrust);
        CLEANUP(freep) char *command = NULL;
        struct stat st;
        int fault = errno;

        if (distrust.path) {
                tell_unsafe(d, path, &distrust);
                return -1;
        }

        if (!f) {
                if (fault == ENOTDIR || (fault == ENOENT && lstat(path, &st) < 0))
                        return 0;
                command = unread_command(path, folder, fault);
                doctor_tell(d,
                            &(Finding){ .check = "settings",
                                        .state = FINDING_PROBLEM,
                                        .why = N_("Accounts that are set up there are known only "
                                                  "if they were before."),
                                        .command = command },
                            N_("%s can't be read: %s."), path,
                            doctor_word(d, settings_open_fault(fault)));
                return -1;
        }
        return 1;
}

/* The file that this shell's variables name, where that is another than the daemon's. */
static bool check_shell(Doctor *d) {
        CLEANUP(freep) char *here = NULL, *command = NULL;
        const char *config = getenv("XDG_CONFIG_HOME");
        bool there;

        if (*properties_strings(&d->manager, "SettingsFiles"))
                here = settings_user_path(NULL);
        if (!here || streq(here, d->settings_path))
                return false;
        there = access(here, F_OK) == 0;
        if (!str_empty(config))
                command = doctor_restart_command(d, "XDG_CONFIG_HOME");
        else if (doctor_daemon_variable(d, "XDG_CONFIG_HOME"))
                command = doctor_export_command(d, "XDG_CONFIG_HOME");
        else
                command = doctor_export_command(d, "HOME");
        doctor_tell(d,
                    &(Finding){ .check = "settings",
                                .state = there ? FINDING_PROBLEM : FINDING_NOTE,
                                .why = N_("XDG_CONFIG_HOME or HOME of this shell is another than "
                                          "the daemon's, which counts. To make them the same:"),
                                .command = command },
                    there ? N_("%s is not read: iotc-tokend reads %s.")
                          : N_("The settings of this shell would be in %s; iotc-tokend reads %s."),
                    here, d->settings_path ?: SETTINGS_SYSTEM_PATH);
        return true;
}

int doctor_check_settings(Doctor *d) {
        int mine = 0, system;
        bool told;

        if (d->settings_path)
                mine = check_file(d, d->settings_path);
        system = check_file(d, SETTINGS_SYSTEM_PATH);
        told = check_shell(d);
        if (tell_bad_line(d, mine < 0 || system < 0) || told || mine < 0 || system < 0)
                return 0;
        if (mine && system)
                doctor_tell(d, &(Finding){ .check = "settings" }, N_("%s and %s can be read."),
                            d->settings_path, SETTINGS_SYSTEM_PATH);
        else if (mine || system)
                doctor_tell(d, &(Finding){ .check = "settings" }, N_("%s can be read."),
                            mine ? d->settings_path : SETTINGS_SYSTEM_PATH);
        else
                doctor_tell(d, &(Finding){ .check = "settings" },
                            N_("There is no settings file; what is built in holds."));
        return 0;
}
