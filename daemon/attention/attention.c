/* SPDX-License-Identifier: MIT */
#include "attention/attention-private.h"
#include "attention/rules.h"
#include "common/memory.h"
#include "io/log.h"
#include "io/state.h"

static void attention_on_time(void *userdata) {
        attention_review(userdata, false);
}

static void attention_need(Attention *a, Keeper *k, uint64_t ends_at) {
        AttentionItem *item = attention_item_make(a, k);

        item->ends_at = ends_at;
        item->met = true;
        attention_review(a, item->listed);
}

static void attention_on_account_changed(Keeper *k, unsigned what, void *userdata) {
        Attention *a = userdata;
        AttentionItem *item = attention_item_find(a, k);
        KeeperView view;

        keeper_view(k, &view);
        if (view.lapsed && (!item || item->ends_at))
                attention_need(a, k, 0);
        else if (item && !view.lapsed && a->keeper != k && !(item->ends_at && view.ends_soon))
                attention_item_drop(a, item);
        else if (item && !item->listed && !item->met && view.lapsed && a->keeper != k &&
                 what & ACCOUNT_CHANGED_STATE)
                attention_need(a, k, 0); /* its sign-in has come to nothing */
}

static void attention_on_account_removed(Keeper *k, void *userdata) {
        Attention *a = userdata;
        AttentionItem *item = attention_item_find(a, k);

        if (a->keeper == k) {
                a->keeper = NULL;
                a->signin = NULL;
        }
        if (item)
                attention_item_drop(a, item);
}

static void attention_on_account_refused(Keeper *k, void *userdata) {
        Attention *a = userdata;
        AttentionItem *item = attention_item_find(a, k);

        if (!item || item->listed)
                return;
        item->met = true;
        attention_review(a, false);
}

static void attention_on_account_ends_soon(Keeper *k, uint64_t seconds, void *userdata) {
        Attention *a = userdata;
        StateTold told = state_told(a->env->state, keeper_account(k)->name);
        uint64_t now = clock_wall();
        KeeperView view;

        keeper_view(k, &view);
        if (view.expires_at &&
            !attention_end_was_told((AttentionPast){ told.at, told.quiet_until }, seconds, now))
                attention_need(a, k, view.expires_at);
}

static void attention_on_manager_changed(unsigned what, void *userdata) {
        if (what & MANAGER_CHANGED_QUIET)
                attention_review(userdata, true);
}

const Listener attention_listener = {
        .account_changed = attention_on_account_changed,
        .account_removed = attention_on_account_removed,
        .account_ends_soon = attention_on_account_ends_soon,
        .account_refused = attention_on_account_refused,
        .signin_changed = attention_on_signin_changed,
        .manager_changed = attention_on_manager_changed,
};

/* What is listed and new counts as told. */
static void attention_told(Attention *a) {
        uint64_t now = clock_wall();

        for (AttentionItem *item = a->items; item; item = item->next) {
                StateTold told;

                if (!item->listed || !item->met)
                        continue;
                told = state_told(a->env->state, attention_item_name(item));
                told.at = now;
                item->met = false;
                state_set_told(a->env->state, attention_item_name(item), told);
        }
}

static void attention_on_shown(void *userdata) {
        attention_told(userdata);
}

/* Not today. The end of a token is told again when it is near, anything else tomorrow. */
static void attention_later(Attention *a) {
        for (AttentionItem *item = a->items; item; item = item->next) {
                StateTold told;

                if (!item->listed)
                        continue;
                told = state_told(a->env->state, attention_item_name(item));
                told.quiet_until = clock_wall() + ATTENTION_LATER_SECONDS;
                state_set_told(a->env->state, attention_item_name(item), told);
                item->listed = false;
                item->met = item->ends_at == 0;
        }
        attention_review(a, false);
}

static void attention_on_ended(DesktopEnd end, void *userdata) {
        Attention *a = userdata;

        if (end == DESKTOP_END_PERSON) {
                attention_later(a);
                return;
        }
        attention_told(a);
        for (AttentionItem *item = a->items; item; item = item->next) {
                item->met = item->met || (item->listed && end == DESKTOP_END_LOST);
                item->listed = false;
        }
        attention_review(a, false);
}

static void attention_on_action(const char *key, void *userdata) {
        Attention *a = userdata;

        if (!streq(key, ATTENTION_ACTION_LATER) && attention_sign_in(a))
                return;
        desktop_hide(a->desktop);
        attention_later(a);
}

static const DesktopHandler attention_handler = {
        .shown = attention_on_shown,
        .ended = attention_on_ended,
        .action = attention_on_action,
        .page_failed = attention_on_page_failed,
};

int attention_new(Attention **ret, Env *env) {
        CLEANUP(attention_freep) Attention *a = NULL;
        int r;

        a = xcalloc(1, sizeof(*a));
        a->env = env;
        r = timer_new(&a->timer, env->event, attention_on_time, a);
        if (r < 0)
                return r;
        r = desktop_new(&a->desktop, env->event, &attention_handler, a);
        if (r < 0)
                return r;
        *ret = STEAL(a);
        return 0;
}

Attention *attention_free(Attention *a) {
        if (a) {
                while (a->items) {
                        AttentionItem *item = a->items;

                        a->items = item->next;
                        free(item);
                }
                desktop_free(a->desktop);
                timer_free(a->timer);
                free(a);
        }
        return NULL;
}
