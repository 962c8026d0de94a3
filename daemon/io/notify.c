/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "io/notify.h"
#include "io/timer.h"

#define SETTLE_USEC     (1 * USEC_PER_SEC)
#define SETTLE_MAX_USEC (5 * USEC_PER_SEC)

/* The name comes, goes, or is another file's; or its folder goes. */
#define WATCH_NAME                                                                             \
        (IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF | \
         IN_ONLYDIR)
#define WATCH_CONTENT (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB)

/* Links on the way are followed so far: a loop is none (path_resolution(7) has 40). */
#define LINKS_MAX 16

typedef struct Point Point;

/* A name in a folder that decides what the path leads to. */
struct Point {
        Notify *notify;
        Point *next;
        sd_event_source *source;
        char *name;
};

struct Notify {
        sd_event *event;
        Point *points; /* Point.next */
        char *path;
        Timer *settle;
        uint64_t since_usec; /* when it started to change; 0: it rests */
        void (*fn)(bool changing, void *userdata);
        void *userdata;
};

static int notify_attach(Notify *n);

static Point *points_free(Point *p) {
        while (p) {
                Point *next = p->next;

                sd_event_source_disable_unref(p->source);
                free(p->name);
                free(p);
                p = next;
        }
        return NULL;
}

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

static int notify_on_event(sd_event_source *source, const struct inotify_event *e, void *userdata) {
        const Point *p = userdata;
        Notify *n = p->notify;
        bool below = e->len > 0 && !(e->mask & IN_Q_OVERFLOW);

        if (below && !streq(e->name, p->name))
                return 0;
        /* Another file or link of that name, or the kernel lost count: go the way anew, which frees
         * the point. */
        if (!below || !(e->mask & WATCH_CONTENT))
                (void)notify_attach(n);
        notify_change(n);
        return 0;
}

static int point_add(Notify *n, const char *folder, const char *name, uint32_t events) {
        Point *p;
        int r;

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->notify = n;
        p->name = strdup(name);
        r = p->name ? sd_event_add_inotify(n->event, &p->source, folder, events, notify_on_event, p)
                    : -ENOMEM;
        /* Before a request that was sent after the file was written. */
        if (r >= 0)
                r = sd_event_source_set_priority(p->source, SD_EVENT_PRIORITY_IMPORTANT);
        if (r < 0) {
                points_free(p);
                return r;
        }
        p->next = n->points;
        n->points = p;
        return 0;
}

static bool is_folder(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Go on with a link's target and what comes after it. */
static int way_follow(char **way, char **next, char *folder, const char *target) {
        char *joined;

        if (asprintf(&joined, "%s/%s", target, *next ?: "") < 0)
                return -ENOMEM;
        free(*way);
        *way = *next = joined;
        if (*target == '/')
                *folder = '\0';
        return 0;
}

/*
 * Go along the path as the kernel does, and watch each link on the way, and what it leads to or
 * the first part that is not there. Looked at is what is watched already: it may change meanwhile.
 */
static int notify_walk(Notify *n) {
        CLEANUP(freep) char *way = strdup(n->path);
        char folder[PATH_MAX] = "", path[PATH_MAX], target[PATH_MAX];
        unsigned links = 0;
        char *next = way;
        int r;

        if (!way)
                return -ENOMEM;
        while (next) {
                const char *name = strsep(&next, "/");
                bool last = !next || !next[strspn(next, "/")];
                ssize_t length;

                if (!*name || streq(name, "."))
                        continue;
                if (streq(name, "..")) {
                        *(strrchr(folder, '/') ?: folder) = '\0';
                        continue;
                }
                if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
                        return -ENAMETOOLONG;
                if (last || !is_folder(path)) {
                        r = point_add(n, *folder ? folder : "/", name,
                                      last ? WATCH_NAME | WATCH_CONTENT : WATCH_NAME);
                        length = readlink(path, target, sizeof(target) - 1);
                        /* A link in a folder that we may not read stays what it is. */
                        if (r < 0 && (r != -EACCES || length < 0))
                                return r;
                        if (length >= 0) {
                                if (++links > LINKS_MAX)
                                        return 0;
                                target[length] = '\0';
                                r = way_follow(&way, &next, folder, target);
                                if (r < 0)
                                        return r;
                                continue;
                        }
                        if (last || !is_folder(path))
                                return 0;
                }
                memcpy(folder, path, strlen(path) + 1);
        }
        return 0;
}

/* Watch the way as it is now. The former watches go last: what is watched on stays so. */
static int notify_attach(Notify *n) {
        Point *former = n->points;
        int r;

        n->points = NULL;
        /* A folder that was there may be gone a moment later. */
        for (unsigned i = 0; i < 8; i++) {
                n->points = points_free(n->points);
                r = notify_walk(n);
                if (r != -ENOENT && r != -ENOTDIR)
                        break;
        }
        points_free(former);
        return r;
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
        n->path = strdup(path);
        if (!n->path)
                return -ENOMEM;
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
                points_free(n->points);
                timer_free(n->settle);
                sd_event_unref(n->event);
                free(n->path);
                free(n);
        }
        return NULL;
}
