/* SPDX-License-Identifier: MIT */
/*
 * The accounts that need a person, and what is shown of them.
 */
#include "attention/attention-private.h"
#include "attention/rules.h"
#include "common/memory.h"
#include "io/log.h"
#include "io/state.h"
#include "model/limits.h"

const char *attention_item_name(const AttentionItem *item) {
        return keeper_account(item->keeper)->name;
}

static AttentionPast item_past(const Attention *a, const AttentionItem *item) {
        StateTold told = state_told(a->env->state, attention_item_name(item));

        return (AttentionPast){ told.at, told.quiet_until };
}

AttentionItem *attention_item_find(const Attention *a, const Keeper *k) {
        for (AttentionItem *item = a->items; item; item = item->next)
                if (item->keeper == k)
                        return item;
        return NULL;
}

/* Found or made. */
AttentionItem *attention_item_make(Attention *a, Keeper *k) {
        AttentionItem *item = attention_item_find(a, k), **tail;

        if (item)
                return item;
        item = xcalloc(1, sizeof(*item));
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

/* Is what the person has to do for the sign-in known, and worth the room? */
bool attention_show_sign_in(Attention *a) {
        CLEANUP(desktop_note_deinit) DesktopNote note = { 0 };
        SignInView view;

        if (!a->signin)
                return false;
        signin_view(a->signin, &view);
        if (!*view.verification_uri)
                return true; /* in a moment */
        if (!*view.user_code && !a->page_failed && !desktop_is_shown(a->desktop))
                return true; /* the browser says all */
        if (attention_note_signin(&note, keeper_account(a->keeper)->name, view.verification_uri,
                                  view.user_code, !a->page_failed) >= 0)
                desktop_show(a->desktop, &note);
        return true;
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
                                 attention_item_name(item));
                        item->listed = changed = true;
                }
        }
        timer_arm(a->timer, next == UINT64_MAX ? USEC_INFINITY
                                               : clock_boottime() + (next - now) * USEC_PER_SEC);
        if (changed)
                attention_show(a);
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
