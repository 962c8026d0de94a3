/* SPDX-License-Identifier: MIT */
#include <sys/inotify.h>
#include <sys/stat.h>

#include "io/notify.h"
#include "io/timer.h"

#define SETTLE_USEC     (1 * USEC_PER_SEC)
#define SETTLE_MAX_USEC (5 * USEC_PER_SEC)

/* A folder itself going away, and another coming. */
#define WATCH_FOLDERS (IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define WATCH_FILE    (WATCH_FOLDERS | IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM)

struct Notify {
        sd_event *event;
        sd_event_source *source; /* NULL: no folder could be watched */
        char *path;
        const char *next; /* in path: what comes below the folder that is watched */
        Timer *settle;
        uint64_t since_usec; /* when it started to change; 0: it rests */
        void (*fn)(bool changing, void *userdata);
        void *userdata;
};

static int notify_attach(Notify *n);

static void notify_on_settled(void *userdata) {
        Notify *n = userdata;

        n->since_usec = 0;
        n->fn(false, n->userdata);
}

static void notify_change(Notify *n) {
        uint64_t now = clock_boottime();
        bool first = n->since_usec == 0;

        if (first)
                n->since_usec = now;
        timer_arm(n->settle, MIN(now + SETTLE_USEC, n->since_usec + SETTLE_MAX_USEC));
        if (first)
                n->fn(true, n->userdata);
}

/* Is name the next part of the path? */
static bool notify_is_next(const Notify *n, const char *name) {
        size_t length = strcspn(n->next, "/");

        return strncmp(n->next, name, length) == 0 && name[length] == '\0';
}

static int notify_on_event(sd_event_source *source, const struct inotify_event *e, void *userdata) {
        Notify *n = userdata;
        bool below = e->len > 0 && !(e->mask & IN_Q_OVERFLOW);

        if (below && !notify_is_next(n, e->name))
                return 0;
        /* A folder came or went, or the kernel lost count: look again from where the path exists.
         */
        if (!below || strchr(n->next, '/'))
                (void)notify_attach(n);
        notify_change(n);
        return 0;
}

/* Watch the folder that ends before next. */
static int notify_watch(Notify *n, char *next) {
        bool last = !strchr(next, '/');
        char kept = *next;
        int r;

        *next = '\0';
        r = sd_event_add_inotify(n->event, &n->source, n->path, last ? WATCH_FILE : WATCH_FOLDERS,
                                 notify_on_event, n);
        *next = kept;
        n->next = next;
        if (r < 0)
                return r;
        /* Before a request that was sent after the file was written. */
        return sd_event_source_set_priority(n->source, SD_EVENT_PRIORITY_IMPORTANT);
}

/* Is the folder that comes next there? It may have been made while the one above was tried. */
static bool notify_has_next(const Notify *n) {
        char *end = strchr(n->next, '/');
        struct stat st;
        bool found;

        if (!end)
                return false;
        *end = '\0';
        found = stat(n->path, &st) == 0 && S_ISDIR(st.st_mode);
        *end = '/';
        return found;
}

/* Watch the deepest folder that there is. */
static int notify_attach(Notify *n) {
        int r;

        do {
                char *next = strrchr(n->path, '/') + 1;

                n->source = sd_event_source_disable_unref(n->source);
                while ((r = notify_watch(n, next)) == -ENOENT || r == -ENOTDIR) {
                        if (next == n->path + 1)
                                return r;
                        for (next--; next[-1] != '/'; next--)
                                ;
                }
        } while (r >= 0 && notify_has_next(n));
        return r;
}

/* With single slashes. */
static int path_copy(char **ret, const char *path) {
        char *to;

        *ret = to = malloc(strlen(path) + 1);
        if (!to)
                return -ENOMEM;
        for (; *path; path++)
                if (path[0] != '/' || path[1] != '/')
                        *to++ = *path;
        *to = '\0';
        return 0;
}

int notify_new(Notify **ret, sd_event *event, const char *path,
               void (*fn)(bool changing, void *userdata), void *userdata) {
        CLEANUP(notify_freep) Notify *n = NULL;
        int r;

        if (*path != '/')
                return -EINVAL;
        n = calloc(1, sizeof(*n));
        if (!n)
                return -ENOMEM;
        n->event = sd_event_ref(event);
        n->fn = fn;
        n->userdata = userdata;
        r = path_copy(&n->path, path);
        if (r < 0)
                return r;
        r = timer_new(&n->settle, event, notify_on_settled, n);
        if (r < 0)
                return r;
        r = notify_attach(n);
        if (r < 0)
                return r;
        *ret = STEAL(n);
        return 0;
}

uint64_t notify_written_at(const Notify *n) {
        struct stat st;

        return n && stat(n->path, &st) == 0 && st.st_mtime > 0 ? (uint64_t)st.st_mtime : 0;
}

Notify *notify_free(Notify *n) {
        if (n) {
                sd_event_source_disable_unref(n->source);
                timer_free(n->settle);
                sd_event_unref(n->event);
                free(n->path);
                free(n);
        }
        return NULL;
}
