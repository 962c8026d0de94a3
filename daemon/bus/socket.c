/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "bus/socket.h"
#include "common/memory.h"
#include "io/log.h"

#define PAUSE_USEC USEC_PER_SEC

struct Socket {
        Bus *bus;
        int fd;
        char *path; /* what we have bound; NULL: it is systemd's */
        struct stat bound;
        sd_event *event;
        sd_event_source *source;
        sd_event_source *pause; /* after a failure to accept */
        bool told;              /* that there are too many */
};

/* Does a program of this machine listen at a socket that it has bound by just this name? Ours were
 * bound by another one, before they got it. */
static bool is_listened_at(const char *path) {
        CLEANUP(file_closep) FILE *f = fopen("/proc/net/unix", "re");
        CLEANUP(freep) char *line = NULL;
        size_t size = 0;
        bool found = false;

        while (!found && f && getline(&line, &size, f) >= 0) {
                unsigned long flags;
                int at = 0;

                line[strcspn(line, "\n")] = '\0';
                found = sscanf(line, "%*s %*s %*s %lx %*s %*s %*s %n", &flags, &at) == 1 && at &&
                        (flags & 0x10000) && streq(line + at, path);
        }
        return found;
}

/* Nobody can connect before it is ready: only then it gets its name, from whatever was there. */
static int socket_bind(Socket *s, const char *folder) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        CLEANUP(freep) char *path = xasprintf("%s/bus", folder);

        if (is_listened_at(path))
                return -EBUSY;
        if (snprintf(address.sun_path, sizeof(address.sun_path), "%s.new", path) >=
            (int)sizeof(address.sun_path))
                return -ENAMETOOLONG;
        s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (s->fd < 0)
                return -errno;
        (void)unlink(address.sun_path);
        if (bind(s->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
            chmod(address.sun_path, 0600) < 0 || listen(s->fd, SOMAXCONN) < 0 ||
            stat(address.sun_path, &s->bound) < 0 || rename(address.sun_path, path) < 0)
                return -errno;
        s->path = STEAL(path);
        return 0;
}

static int socket_on_pause(sd_event_source *source, uint64_t usec, void *userdata) {
        Socket *s = userdata;

        (void)sd_event_source_set_enabled(s->source, SD_EVENT_ON);
        return 0;
}

static int socket_on_connection(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Socket *s = userdata;
        int peer, r;

        peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer < 0) {
                if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
                        return 0;
                /* No descriptor, for instance: it stays readable until one is free. */
                log_warning("Can't accept at the direct socket: %s", strerror(errno));
                s->pause = sd_event_source_disable_unref(s->pause);
                if (sd_event_add_time_relative(s->event, &s->pause, CLOCK_BOOTTIME, PAUSE_USEC, 0,
                                               socket_on_pause, s) >= 0)
                        (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
                return 0;
        }
        r = bus_accept(s->bus, peer);
        if (r == -EUSERS && !s->told)
                log_warning("There are too many connections at the direct socket: the next ones "
                            "are closed at once");
        else if (r < 0 && r != -EUSERS)
                log_warning("A connection at the direct socket is closed: %s",
                            r == -EPERM ? "it is another user's" : strerror(-r));
        s->told = r == -EUSERS;
        return 0;
}

int socket_new(Socket **ret, Bus *b, sd_event *event, const char *folder, int activated) {
        CLEANUP(socket_freep) Socket *s = xcalloc(1, sizeof(*s));
        int r;

        s->bus = b;
        s->event = event;
        s->fd = activated;
        if (activated >= 0)
                (void)fcntl(activated, F_SETFL, O_NONBLOCK);
        r = activated < 0 ? socket_bind(s, folder) : 0;
        if (r < 0)
                return r;
        *ret = STEAL(s);
        return 0;
}

int socket_begin(Socket *s) {
        int r;

        r = sd_event_add_io(s->event, &s->source, s->fd, EPOLLIN, socket_on_connection, s);
        return r < 0 ? r : 0;
}

Socket *socket_free(Socket *s) {
        struct stat there;

        if (s) {
                sd_event_source_disable_unref(s->source);
                sd_event_source_disable_unref(s->pause);
                if (s->path && lstat(s->path, &there) == 0 && there.st_dev == s->bound.st_dev &&
                    there.st_ino == s->bound.st_ino)
                        (void)unlink(s->path);
                (void)fd_close(s->fd);
                free(s->path);
                free(s);
        }
        return NULL;
}
