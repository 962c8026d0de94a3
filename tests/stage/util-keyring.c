/* SPDX-License-Identifier: MIT */
/*
 * How the two are started: the bus by a configuration without service folders (a killed keyring
 * would be started again, locked), the keyring in the foreground with folders of its own and no
 * display.
 */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "util-keyring.h"

#define NAME     "org.freedesktop.secrets"
#define SECRETS  "/org/freedesktop/secrets"
#define LOGIN    "/org/freedesktop/secrets/collection/login"
#define SERVICE  "org.freedesktop.Secret.Service"
#define INTERNAL "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"
#define PASSWORD "keyring password of a test"

static void util_write(const char *folder, const char *name, const char *text) {
        CLEANUP(freep) char *path = NULL;
        CLEANUP(file_closep) FILE *f = NULL;

        assert(asprintf(&path, "%s/%s", folder, name) > 0);
        f = fopen(path, "we");
        assert(f);
        assert(fputs(text, f) >= 0);
}

/* Run a program that dies with us; in: its standard input, out: its standard output, or -1. */
static pid_t util_spawn(char *const argv[], const char *folder, int in, int out) {
        pid_t pid, parent = getpid();
        int null;

        pid = fork();
        assert(pid >= 0);
        if (pid > 0)
                return pid;

        assert(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        assert(getppid() == parent);
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        assert(dup2(in < 0 ? null : in, 0) == 0);
        assert(dup2(out < 0 ? null : out, 1) == 1);
        assert(dup2(null, 2) == 2);
        setenv("HOME", folder, 1);
        setenv("XDG_DATA_HOME", folder, 1);
        setenv("XDG_RUNTIME_DIR", folder, 1);
        unsetenv("DISPLAY");
        unsetenv("WAYLAND_DISPLAY");
        execvp(argv[0], argv);
        _exit(127);
}

void util_bus_start(UtilKeyring *u, const char *folder, const char *service) {
        CLEANUP(freep) char *config = NULL;
        CLEANUP(freep) char *option = NULL;
        char address[1024];
        ssize_t n;
        int fds[2];

        *u = (UtilKeyring){ .folder = strdup(folder) };
        assert(u->folder);
        assert(asprintf(&config,
                        "<!DOCTYPE busconfig PUBLIC '-//freedesktop//DTD D-Bus Bus Configuration "
                        "1.0//EN' 'http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd'>"
                        "<busconfig><type>session</type><listen>unix:dir=%s</listen>"
                        "<auth>EXTERNAL</auth>%s%s%s<policy context='default'>"
                        "<allow send_destination='*' eavesdrop='true'/>"
                        "<allow eavesdrop='true'/><allow own='*'/></policy></busconfig>",
                        folder, service ? "<servicedir>" : "", service ? folder : "",
                        service ? "</servicedir>" : "") > 0);
        util_write(folder, "bus.conf", config);
        if (service) {
                CLEANUP(freep) char *file = NULL;

                assert(asprintf(&file, "[D-BUS Service]\nName=" NAME "\nExec=%s\n", service) > 0);
                util_write(folder, NAME ".service", file);
        }

        assert(asprintf(&option, "--config-file=%s/bus.conf", folder) > 0);
        assert(pipe2(fds, O_CLOEXEC) == 0);
        u->bus_pid = util_spawn((char *[]){ (char *)"dbus-daemon", (char *)"--nofork",
                                            (char *)"--print-address=1", option, NULL },
                                folder, -1, fds[1]);
        close(fds[1]);
        n = read(fds[0], address, sizeof(address) - 1);
        assert(n > 1);
        close(fds[0]);
        address[n - 1] = '\0';
        assert(setenv("DBUS_SESSION_BUS_ADDRESS", address, 1) == 0);
        assert(sd_bus_open_user(&u->control) >= 0);
}

bool util_keyring_owned(UtilKeyring *u) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int owned;

        assert(sd_bus_call_method(u->control, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                  "org.freedesktop.DBus", "NameHasOwner", NULL, &reply, "s",
                                  NAME) >= 0);
        assert(sd_bus_message_read(reply, "b", &owned) >= 0);
        return owned;
}

static int util_on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return 0;
}

/* Until the bus says that the name has, or has not, an owner. */
static void util_wait_owned(UtilKeyring *u, bool owned) {
        CLEANUP(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;

        assert(sd_bus_match_signal(u->control, &slot, "org.freedesktop.DBus", NULL,
                                   "org.freedesktop.DBus", "NameOwnerChanged", util_on_owner,
                                   NULL) >= 0);
        for (;;) {
                while (sd_bus_process(u->control, NULL) > 0)
                        ;
                if (util_keyring_owned(u) == owned)
                        return;
                assert(sd_bus_wait(u->control, UINT64_MAX) >= 0);
        }
}

void util_keyring_start(UtilKeyring *u, bool locked) {
        char *with[] = { (char *)"gnome-keyring-daemon", (char *)"--foreground",
                         (char *)"--components=secrets", (char *)"--unlock", NULL };
        int fds[2];

        assert(pipe2(fds, O_CLOEXEC) == 0);
        if (locked)
                with[3] = NULL;
        else
                assert(write(fds[1], PASSWORD, strlen(PASSWORD)) == (ssize_t)strlen(PASSWORD));
        close(fds[1]);
        u->keyring_pid = util_spawn(with, u->folder, fds[0], -1);
        close(fds[0]);
        util_wait_owned(u, true);
}

static void util_end(pid_t *pid) {
        if (*pid > 0) {
                assert(kill(*pid, SIGKILL) == 0);
                assert(waitpid(*pid, NULL, 0) == *pid);
        }
        *pid = 0;
}

void util_keyring_kill(UtilKeyring *u) {
        util_end(&u->keyring_pid);
        util_wait_owned(u, false);
}

void util_keyring_stop(UtilKeyring *u) {
        int status;

        assert(kill(u->keyring_pid, SIGSTOP) == 0);
        assert(waitpid(u->keyring_pid, &status, WUNTRACED) == u->keyring_pid);
        assert(WIFSTOPPED(status));
}

void util_keyring_continue(UtilKeyring *u) {
        assert(kill(u->keyring_pid, SIGCONT) == 0);
}

void util_keyring_lock(UtilKeyring *u) {
        assert(sd_bus_call_method(u->control, NAME, SECRETS, SERVICE, "Lock", NULL, NULL, "ao", 1,
                                  LOGIN) >= 0);
}

/* Send a call of gnome-keyring's own, which ends in the password of a collection. */
static sd_bus_message *util_call_with_password(UtilKeyring *u, sd_bus_message *m) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *session = NULL;
        sd_bus_message *reply = NULL;
        const char *path;

        assert(sd_bus_call_method(u->control, NAME, SECRETS, SERVICE, "OpenSession", NULL, &session,
                                  "sv", "plain", "s", "") >= 0);
        assert(sd_bus_message_skip(session, "v") >= 0);
        assert(sd_bus_message_read(session, "o", &path) >= 0);

        assert(sd_bus_message_open_container(m, 'r', "oayays") >= 0);
        assert(sd_bus_message_append(m, "o", path) >= 0);
        assert(sd_bus_message_append_array(m, 'y', NULL, 0) >= 0);
        assert(sd_bus_message_append_array(m, 'y', PASSWORD, strlen(PASSWORD)) >= 0);
        assert(sd_bus_message_append(m, "s", "text/plain") >= 0);
        assert(sd_bus_message_close_container(m) >= 0);
        assert(sd_bus_call(u->control, m, 0, NULL, &reply) >= 0);
        return reply;
}

void util_keyring_unlock(UtilKeyring *u) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        assert(sd_bus_message_new_method_call(u->control, &m, NAME, SECRETS, INTERNAL,
                                              "UnlockWithMasterPassword") >= 0);
        assert(sd_bus_message_append(m, "o", LOGIN) >= 0);
        reply = util_call_with_password(u, m);
}

static void util_set_default(UtilKeyring *u, const char *path) {
        assert(sd_bus_call_method(u->control, NAME, SECRETS, SERVICE, "SetAlias", NULL, NULL, "so",
                                  "default", path) >= 0);
}

void util_keyring_set_default(UtilKeyring *u) {
        util_set_default(u, LOGIN);
}

void util_keyring_add_default(UtilKeyring *u) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *path;

        assert(sd_bus_message_new_method_call(u->control, &m, NAME, SECRETS, INTERNAL,
                                              "CreateWithMasterPassword") >= 0);
        assert(sd_bus_message_append(m, "a{sv}", 1, "org.freedesktop.Secret.Collection.Label", "s",
                                     "another") >= 0);
        reply = util_call_with_password(u, m);
        assert(sd_bus_message_read(reply, "o", &path) >= 0);
        util_set_default(u, path);
}

unsigned util_keyring_items(UtilKeyring *u, char **ret_label) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *path;
        unsigned n = 0;

        assert(sd_bus_call_method(u->control, NAME, SECRETS, SERVICE, "SearchItems", NULL, &reply,
                                  "a{ss}", 1, "xdg:schema", "org.iotc.Token1") >= 0);
        assert(sd_bus_message_enter_container(reply, 'a', "o") >= 0);
        while (sd_bus_message_read(reply, "o", &path) > 0)
                if (n++ == 0 && ret_label)
                        assert(sd_bus_get_property_string(u->control, NAME, path,
                                                          "org.freedesktop.Secret.Item", "Label",
                                                          NULL, ret_label) >= 0);
        return n;
}

void util_keyring_kill_activated(UtilKeyring *u) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        uint32_t pid;

        assert(sd_bus_call_method(u->control, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                  "org.freedesktop.DBus", "GetConnectionUnixProcessID", NULL,
                                  &reply, "s", NAME) >= 0);
        assert(sd_bus_message_read(reply, "u", &pid) >= 0);
        assert(kill((pid_t)pid, SIGKILL) == 0);
        util_wait_owned(u, false);
}

void util_bus_kill(UtilKeyring *u) {
        util_end(&u->bus_pid);
}

void util_bus_stop(UtilKeyring *u) {
        u->control = sd_bus_close_unref(u->control);
        util_end(&u->keyring_pid);
        util_end(&u->bus_pid);
        free(u->folder);
}
