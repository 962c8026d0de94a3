/* SPDX-License-Identifier: MIT */
#include "keeper/view.h"
#include "common/memory.h"

void view_set_error(View *v, const Problem *problem) {
        v->error_changed = v->error_changed || problem->outcome != v->last_error.outcome ||
                           !streq(problem->text, v->last_error.text);
        problem_copy(&v->last_error, problem);
}

/* Is the text another one than was told? It counts as told then. */
static bool text_differs(char **told, const char *now) {
        if (streq(*told, now))
                return false;
        free(*told);
        *told = xstrdup(now);
        return true;
}

unsigned view_update(View *v, const KeeperView *now, uint64_t refresh_at) {
        bool user = text_differs(&v->user, now->user);
        bool tenant = text_differs(&v->tenant, now->tenant);
        unsigned what = user || tenant ? ACCOUNT_CHANGED_USER : 0;

        if (now->state != v->state)
                what |= ACCOUNT_CHANGED_STATE;
        if (now->expires_at != v->expires_at)
                what |= ACCOUNT_CHANGED_EXPIRES_AT;
        if (refresh_at != v->refresh_at)
                what |= ACCOUNT_CHANGED_REFRESH_AT;
        if (now->last_refresh_at != v->last_refresh_at)
                what |= ACCOUNT_CHANGED_LAST_REFRESH_AT;
        if (v->error_changed)
                what |= ACCOUNT_CHANGED_LAST_ERROR;
        v->state = now->state;
        v->expires_at = now->expires_at;
        v->refresh_at = refresh_at;
        v->last_refresh_at = now->last_refresh_at;
        v->error_changed = false;
        return what;
}

void view_deinit(View *v) {
        problem_clear(&v->last_error);
        free(v->user);
        free(v->tenant);
}
