/* SPDX-License-Identifier: MIT */
#include "attention/attention-private.h"
#include "attention/rules.h"
#include "io/log.h"
#include "io/state.h"
#include "model/limits.h"

static const char *item_name(const AttentionItem *item) {
        return keeper_account(item->keeper)->name;
}

static AttentionPast item_past(const Attention *a, const AttentionItem *item) {
        StateTold told = state_told(a->env->state, item_name(item));

        return (AttentionPast){ told.at, told.quiet_until };
}

AttentionItem *attention_item_find(const Attention *a, const Keeper *k) {
        for (AttentionItem *item = a->items; item; item = item->next)
                if (item->keeper == k)
                        return item;
        return NULL;
}

/* Found or made; NULL when memory is short. */
static AttentionItem *item_make(Attention *a, Keeper *k) {
        AttentionItem *item = attention_item_find(a, k), **tail;

        if (item)
                return item;
        item = calloc(1, sizeof(*item));
        if (!item)
                return NULL;
        item->keeper = k;
        for (tail = &a->items; *tail; tail = &(*tail)->next)
                ;
        return *tail = item;
}

void attention_item_case(const AttentionItem *item, AttentionCase *ret) {
        const Account *account = keeper_account(item->keeper);
        uint64_t now = clock_wall();
        KeeperView view;

        keeper_view(item->keeper, &view);
        *ret = (AttentionCase){ .name = account->name,
                                .user = view.user,
                                .source = account->source,
                                .ends_in = item->ends_at > now ? item->ends_at - now : 0 };
}

static void attention_show_list(Attention *a) {
        CLEANUP(desktop_note_deinit) DesktopNote note = { 0 };
        AttentionCase cases[ACCOUNTS_MAX + 1];
        size_t n = 0;

        for (AttentionItem *item = a->items; item && n < ARRAY_SIZE(cases); item = item->next)
                if (item->listed)
                        attention_item_case(item, &cases[n++]);
        if (n == 0)
                desktop_hide(a->desktop);
        else if (attention_note(&note, cases, n) >= 0)
                desktop_show(a->desktop, &note);
}

static void attention_show(Attention *a) {
        if (!attention_show_sign_in(a))
                attention_show_list(a);
}

static bool item_is_used(const AttentionItem *item, uint64_t now) {
        KeeperView view;

        keeper_view(item->keeper, &view);
        return attention_is_used(view.last_used_at, now);
}

void attention_review(Attention *a, bool changed) {
        uint64_t now = clock_wall(), next = UINT64_MAX;

        for (AttentionItem *item = a->items; item; item = item->next) {
                uint64_t at;

                if (a->env->quiet) {
                        item->listed = false;
                        continue;
                }
                if (item->listed || !item->met || !item_is_used(item, now))
                        continue;
                at = attention_at(item_past(a, item), now);
                if (at > now)
                        next = MIN(next, at);
                else {
                        log_info("%s: it needs a person, who is told on the desktop",
                                 item_name(item));
                        item->listed = changed = true;
                }
        }
        timer_arm(a->timer, next == UINT64_MAX ? USEC_INFINITY
                                               : clock_boottime() + (next - now) * USEC_PER_SEC);
        if (changed)
                attention_show(a);
}

static void attention_on_time(void *userdata) {
        attention_review(userdata, false);
}

void attention_item_drop(Attention *a, AttentionItem *item) {
        bool listed = item->listed;

        for (AttentionItem **p = &a->items; *p; p = &(*p)->next)
                if (*p == item) {
                        *p = item->next;
                        break;
                }
        free(item);
        attention_review(a, listed);
}

static void attention_need(Attention *a, Keeper *k, uint64_t ends_at) {
        AttentionItem *item = item_make(a, k);

        if (!item)
                return;
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
                told = state_told(a->env->state, item_name(item));
                told.at = now;
                item->met = false;
                state_set_told(a->env->state, item_name(item), told);
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
                told = state_told(a->env->state, item_name(item));
                told.quiet_until = clock_wall() + ATTENTION_LATER_SECONDS;
                state_set_told(a->env->state, item_name(item), told);
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

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
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
