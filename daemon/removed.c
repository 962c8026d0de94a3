/* SPDX-License-Identifier: MIT */
#include "removed.h"
#include "io/log.h"
#include "io/state.h"
#include "io/timer.h"
#include "model/limits.h"

/* After a fault of the keyring; its coming back is told. */
#define AGAIN_USEC (300 * USEC_PER_SEC)

typedef struct Item {
        struct Item *next;
        Removed *all;
        char *account;
        bool lent; /* an account of this name sees to it */
        bool told; /* the log knows that it waits */
        KeyringOp *op;
} Item;

struct Removed {
        Env *env;
        Timer *timer;
        Item *items; /* Item.next; oldest first */
};

static Item *item_find(const Removed *r, const char *account) {
        for (Item *i = r ? r->items : NULL; i; i = i->next)
                if (streq(i->account, account))
                        return i;
        return NULL;
}

static void item_free(Item *item) {
        Item **p = &item->all->items;

        while (*p != item)
                p = &(*p)->next;
        *p = item->next;
        keyring_op_free(item->op);
        free(item->account);
        free(item);
}

static int item_forget(Item *item) {
        int r;

        r = state_set_removed(item->all->env->state, item->account, false);
        if (r == 0)
                item_free(item);
        return r;
}

/* Another daemon of this user may have seen to it: then the item is that of a new account. */
static bool item_is_struck(const Item *item) {
        State *state = item->all->env->state;

        return state && !state_is_removed(state, item->account);
}

static int item_new(Removed *r, const char *account) {
        size_t n = 0;
        Item **tail;

        for (tail = &r->items; *tail; tail = &(*tail)->next)
                n++;
        if (n == REMOVED_MAX) {
                log_warning("%s: too many removed accounts wait for the keyring: its item stays "
                            "there",
                            r->items->account);
                (void)state_set_removed(r->env->state, r->items->account, false);
                item_free(r->items);
                return item_new(r, account);
        }
        *tail = calloc(1, sizeof(Item));
        if (!*tail)
                return -ENOMEM;
        **tail = (Item){ .all = r, .account = strdup(account), .lent = true };
        if (!(*tail)->account) {
                item_free(*tail);
                return -ENOMEM;
        }
        return 0;
}

static void item_on_deleted(int outcome, const char *secret, void *userdata) {
        Item *item = userdata;
        Removed *r = item->all;

        item->op = keyring_op_free(item->op);
        if (outcome == 0 && item_forget(item) == 0)
                return;
        if (!item->told)
                log_warning("%s: its item is deleted when the keyring can do it", item->account);
        item->told = true;
        if (outcome == 0 || outcome == KEYRING_E_FAILED)
                timer_arm(r->timer, clock_boottime() + AGAIN_USEC);
}

static void item_delete(Item *item) {
        Removed *r = item->all;

        if (item->lent || item->op)
                return;
        if (item_is_struck(item)) {
                item_free(item);
                return;
        }
        if (keyring_delete(r->env->keyring, &item->op, item->account, item_on_deleted, item) < 0)
                timer_arm(r->timer, clock_boottime() + AGAIN_USEC);
}

static void removed_on_time(void *userdata) {
        Removed *r = userdata;
        Item *next;

        for (Item *i = r->items; i; i = next) {
                next = i->next;
                item_delete(i);
        }
}

int removed_new(Removed **ret, Env *env) {
        CLEANUP(removed_freep) Removed *r = NULL;
        const char *account;
        int q;

        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->env = env;
        q = timer_new(&r->timer, env->event, removed_on_time, r);
        if (q < 0)
                return q;
        for (size_t i = 0; (account = state_removed(env->state, i)); i++) {
                q = item_new(r, account);
                if (q < 0)
                        return q;
                item_find(r, account)->lent = false;
        }
        *ret = STEAL(r);
        return 0;
}

Removed *removed_free(Removed *r) {
        if (r) {
                while (r->items)
                        item_free(r->items);
                timer_free(r->timer);
                free(r);
        }
        return NULL;
}

int removed_note(Removed *r, const char *account) {
        int q;

        if (item_find(r, account)) {
                (void)state_set_removed(r->env->state, account, true);
                return 0;
        }
        q = item_new(r, account);
        if (q < 0)
                return q;
        (void)state_set_removed(r->env->state, account, true);
        return 1;
}

bool removed_lend(Removed *r, const char *account) {
        Item *item = item_find(r, account);

        if (!item)
                return false;
        if (item_is_struck(item)) {
                item_free(item);
                return false;
        }
        item->lent = true;
        item->op = keyring_op_free(item->op);
        return true;
}

void removed_resume(Removed *r, const char *account) {
        Item *item = item_find(r, account);

        if (!item)
                return;
        item->lent = false;
        item_delete(item);
}

void removed_start(Removed *r) {
        removed_on_time(r);
}

bool removed_has(const Removed *r, const char *account) {
        return item_find(r, account) != NULL;
}

int removed_done(Removed *r, const char *account) {
        Item *item = item_find(r, account);

        return item ? item_forget(item) : 0;
}

void removed_on_keyring(Removed *r, KeyringState state) {
        if (state == KEYRING_STATE_OK)
                removed_on_time(r);
}

bool removed_flush(const Removed *r) {
        for (const Item *i = r->items; i; i = i->next)
                if (i->op)
                        return false;
        return true;
}
