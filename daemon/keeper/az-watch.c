/* SPDX-License-Identifier: MIT */
#include "keeper/az-watch.h"
#include "common/memory.h"
#include "io/log.h"
#include "io/notify.h"
#include "io/timer.h"

struct AzWatch {
        Notify *profile;
        bool changing;
        AzWatchFn fn;
        void *userdata;
};

/* az's own rule for its folder. NULL without a home. */
static char *az_profile_path(const Account *a) {
        const char *dir = a->config_dir ? a->config_dir : getenv("AZURE_CONFIG_DIR");
        const char *home = getenv("HOME");

        if (!str_empty(dir))
                return xasprintf("%s/azureProfile.json", dir);
        return str_empty(home) ? NULL : xasprintf("%s/.azure/azureProfile.json", home);
}

static void az_watch_on_notify(bool changing, void *userdata) {
        AzWatch *w = userdata;

        w->changing = changing;
        w->fn(changing, w->userdata);
}

AzWatch *az_watch_new(Env *env, const Account *a, AzWatchFn fn, void *userdata) {
        CLEANUP(freep) char *path = NULL;
        AzWatch *w;
        int r = 0;

        if (a->source != ACCOUNT_SOURCE_AZURE_CLI)
                return NULL;
        w = xcalloc(1, sizeof(*w));
        *w = (AzWatch){ .fn = fn, .userdata = userdata };
        path = az_profile_path(a);
        if (path)
                r = notify_new(&w->profile, env->event, path, az_watch_on_notify, w);
        if (r < 0)
                log_warning("%s: a new sign-in to the Azure CLI will not be noticed: %s", a->name,
                            strerror(-r));
        return w->profile ? w : az_watch_free(w);
}

AzWatch *az_watch_free(AzWatch *w) {
        if (w) {
                notify_free(w->profile);
                free(w);
        }
        return NULL;
}

bool az_watch_is_changing(const AzWatch *w) {
        return w && w->changing;
}

bool az_watch_is_newer(const AzWatch *w, const RecordToken *t) {
        uint64_t issued_at = t->issued_at;

        /* Both by the wall clock as it was then: if that was set since, the earlier reading is the
         * careful one. */
        if (t->boot && streq(t->boot, clock_boot_id()))
                issued_at = MIN(issued_at, clock_wall_of(t->issued_usec));
        return w && notify_written_at(w->profile) >= issued_at;
}
