/* SPDX-License-Identifier: MIT */
/*
 * Who calls, as far as one can know: a Flatpak or a Snap program may get tokens, but not change
 * what there is (contract, section 3). Only management calls ask, and only a sender's first: it
 * costs a round trip to the bus daemon, behind all that others have sent.
 */
#include <fcntl.h>
#include <sys/syscall.h>

#include <iotc-dbus.h>

#include "bus/bus-private.h"
#include "model/limits.h"

/* /proc/PID/FILE, at most n - 1 bytes, as a string. */
static int proc_read(pid_t pid, const char *file, char *buf, size_t n) {
        CLEANUP(fd_closep) int fd = -1;
        char path[64];
        ssize_t got;

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        got = read(fd, buf, n - 1);
        if (got < 0)
                return -errno;
        buf[got] = '\0';
        return 0;
}

/* Flatpak puts /.flatpak-info into the sandbox's root; its calls come through xdg-dbus-proxy, whose
 * own root has it too. */
static bool pid_is_flatpak(pid_t pid, const char *cgroup) {
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/root/.flatpak-info", (int)pid);
        return access(path, F_OK) == 0 || strstr(cgroup, "/app-flatpak-");
}

static bool pid_is_snap(pid_t pid, const char *cgroup) {
        char label[256];

        if (strstr(cgroup, "/snap."))
                return true;
        return proc_read(pid, "attr/current", label, sizeof(label)) == 0 &&
               str_starts(label, "snap.");
}

static int pid_is_sandboxed(pid_t pid) {
        CLEANUP(fd_closep) int pidfd = -1;
        char cgroup[4096];
        bool sandboxed;
        int r;

        pidfd = (int)syscall(SYS_pidfd_open, pid, 0U);
        if (pidfd < 0)
                return -errno;
        r = proc_read(pid, "cgroup", cgroup, sizeof(cgroup));
        if (r < 0)
                return r;
        sandboxed = pid_is_flatpak(pid, cgroup) || pid_is_snap(pid, cgroup);
        /* What was read is of this process only if it is still there. */
        if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0U) < 0)
                return -errno;
        return sandboxed;
}

/* A change is written to the disk while everybody waits: not too many of one program in a row. */
static int caller_count(Bus *b, sd_bus_error *error) {
        uint64_t now;
        int r;

        r = sd_event_now(b->env->event, CLOCK_MONOTONIC, &now);
        if (r < 0)
                return r;
        if (now - b->manages_usec >= LIMIT_CHANGES_SECONDS * USEC_PER_SEC) {
                b->manages_usec = now;
                b->n_manages = 0;
        }
        if (b->n_manages++ < LIMIT_CHANGES_PER_CLIENT)
                return 0;
        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                 "This program has changed accounts %d times within %d s. Wait for "
                                 "as long and try again.",
                                 LIMIT_CHANGES_PER_CLIENT, LIMIT_CHANGES_SECONDS);
}

int caller_check_manage(sd_bus_message *m, sd_bus_error *error) {
        CLEANUP(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        const char *sender = sd_bus_message_get_sender(m);
        Bus *b = bus_of(m);
        pid_t pid;
        int r;

        if (streq(b->manages, sender))
                return caller_count(b, error);
        r = sd_bus_query_sender_creds(m, SD_BUS_CREDS_PID, &creds);
        if (r >= 0)
                r = sd_bus_creds_get_pid(creds, &pid);
        if (r >= 0)
                r = pid_is_sandboxed(pid);
        if (r == 0) {
                (void)snprintf(b->manages, sizeof(b->manages), "%s", sender);
                b->manages_usec = b->n_manages = 0;
                return caller_count(b, error);
        }
        return sd_bus_error_set(
                error, IOTC_ERROR_DENIED,
                r > 0 ? "Programs in a Flatpak or Snap sandbox may get tokens, but not "
                        "change accounts. Use iotc-token outside of it."
                      : "The calling process could not be identified.");
}
