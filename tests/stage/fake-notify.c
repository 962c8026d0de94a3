/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "fake-notify.h"

struct Notify {
        Notify *next;
        bool az; /* else of the settings */
        void (*fn)(bool changing, void *userdata);
        void *userdata;
};

static Notify *watchers;
static uint64_t written_at;

int notify_new(Notify **ret, sd_event *event, const char *path,
               void (*fn)(bool changing, void *userdata), void *userdata) {
        Notify *n = malloc(sizeof(*n));

        assert(n);
        *n = (Notify){
                .next = watchers,
                .az = strstr(path, "azureProfile.json"),
                .fn = fn,
                .userdata = userdata,
        };
        *ret = watchers = n;
        return 0;
}

uint64_t notify_written_at(const Notify *n) {
        return n ? written_at : 0;
}

Notify *notify_free(Notify *n) {
        if (n) {
                Notify **p = &watchers;

                while (*p != n)
                        p = &(*p)->next;
                *p = n->next;
                free(n);
                if (!watchers)
                        written_at = 0;
        }
        return NULL;
}

bool fake_notify_watched(void) {
        for (const Notify *n = watchers; n; n = n->next)
                if (n->az)
                        return true;
        return false;
}

void fake_notify(bool changing) {
        for (Notify *n = watchers; n; n = n->next)
                if (n->az)
                        n->fn(changing, n->userdata);
}

void fake_notify_settings(bool changing) {
        for (Notify *n = watchers; n; n = n->next)
                if (!n->az)
                        n->fn(changing, n->userdata);
}

void fake_notify_set_written_at(uint64_t wall) {
        written_at = wall;
}
