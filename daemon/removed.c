/* SPDX-License-Identifier: MIT */
#include "removed.h"
#include "io/lock.h"
#include "io/log.h"
#include "io/state.h"
#include "io/timer.h"
#include "model/limits.h"

/* After a fault of the keyring; its coming back is told. */
#define AGAIN_USEC      (300 * USEC_PER_SEC)
#define LOCK_NAME       "removed.lock"
#define LOCK_AGAIN_USEC (100 * 1000)

typedef struct Item {
        struct Item *next;
        Removed *all;
        char *account;
        bool lent;         /* an account of this name says when */
        bool told;         /* the log knows that it waits */
        uint64_t due_usec; /* when it is to be deleted; USEC_INFINITY: not by itself */
        KeyringOp *op;
        KeyringAsk ask;
        RemovedFn fn; /* who waits for that, or NULL */
        void *userdata;
} Item;

struct Removed {
        Env *env;
        Timer *timer;
        uint64_t wait_usec; /* the other daemon has the lock: until then nothing is tried */
        int lock_fd;        /* held while a deletion is under way */
        Item *items;        /* Item.next; oldest first; of at most one an op is under way */
};

static void removed_arm(Removed *r) {
        uint64_t next = USEC_INFINITY;

        for (const Item *i = r->items; i; i = i->next)
                next = MIN(next, i->due_usec);
        timer_arm(r->timer, MAX(next, r->wait_usec));
}

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

/* Another daemon of this user may have seen to it: then the item is that of a new account. 1, 0 or
 * -ENOMEM. */
static int item_is_struck(const Item *item) {
        State *state = item->all->env->state;
        int q = state ? state_is_removed(state, item->account) : 1;

        return q < 0 ? q : !q;
}

static int item_new(Removed *r, const char *account) {
        size_t n = 0;
        Item **tail;

        for (tail = &r->items; *tail; tail = &(*tail)->next)
                n++;
        if (n == REMOVED_MAX) {
                Item *oldest = r->items;

                while (oldest->lent) /* there are not as many accounts */
                        oldest = oldest->next;
                log_warning("%s: too many removed accounts wait for the keyring: its item stays "
                            "there",
                            oldest->account);
                (void)state_set_removed(r->env->state, oldest->account, false);
                item_free(oldest);
                return item_new(r, account);
        }
        *tail = calloc(1, sizeof(Item));
        if (!*tail)
                return -ENOMEM;
        **tail = (Item){
                .all = r, .account = strdup(account), .lent = true, .due_usec = USEC_INFINITY
        };
        if (!(*tail)->account) {
                item_free(*tail);
                return -ENOMEM;
        }
        return 0;
}

/* The answer, from the loop alone. It may add and free items. */
static void item_end(Item *item, int outcome) {
        RemovedFn fn = STEAL(item->fn);
        void *userdata = item->userdata;

        item->ask = (KeyringAsk){ 0 };
        item->op = keyring_op_free(item->op);
        if (outcome == 0 || outcome == KEYRING_E_NOT_FOUND)
                item_free(item);
        else {
                if (!item->told && !item->lent)
                        log_warning("%s: its item is deleted when the keyring can do it",
                                    item->account);
                item->told = item->told || !item->lent;
                if (outcome == KEYRING_E_FAILED && !item->lent)
                        item->due_usec = clock_boottime() + AGAIN_USEC;
        }
        if (fn)
                fn(outcome, userdata);
}

static void removed_next(Removed *r);

static void item_on_deleted(int outcome, const char *secret, void *userdata) {
        Item *item = userdata;
        Removed *r = item->all;

        /* The disk knows that it is gone, or it is not done: in its next life this daemon would
         * delete what there is then. */
        if (outcome == 0 && state_set_removed(r->env->state, item->account, false) < 0)
                outcome = KEYRING_E_FAILED;
        item_end(item, outcome);
        removed_next(r);
}

/* It waits for a person: so does whoever wants to store one of this name. */
static void item_on_asked(void *userdata) {
        Item *item = userdata;

        if (item->fn && item->ask.asked)
                item->ask.asked(item->userdata);
}

static void item_delete(Item *item) {
        KeyringAsk ask = { .wish = item->ask.wish, .asked = item_on_asked };
        Removed *r = item->all;
        int q;

        item->due_usec = USEC_INFINITY;
        q = item_is_struck(item);
        if (q == 0)
                q = keyring_delete(r->env->keyring, &item->op, ask, item->account, item_on_deleted,
                                   item);
        if (q != 0)
                item_end(item, q > 0 ? KEYRING_E_NOT_FOUND : KEYRING_E_FAILED);
}

static Item *removed_due(const Removed *r) {
        for (Item *i = r->items; i; i = i->next)
                if (i->due_usec <= clock_boottime())
                        return i;
        return NULL;
}

static bool removed_is_busy(const Removed *r) {
        for (const Item *i = r->items; i; i = i->next)
                if (i->op)
                        return true;
        return false;
}

/* One after the other, under the lock: what one daemon has found to be a removed account's is not
 * made another's before it is gone. */
static void removed_next(Removed *r) {
        r->wait_usec = 0;
        while (!removed_is_busy(r) && removed_due(r)) {
                if (r->lock_fd < 0 && r->env->runtime_dir &&
                    lock_take(&r->lock_fd, r->env->runtime_dir, LOCK_NAME) == -EAGAIN) {
                        r->wait_usec = clock_boottime() + LOCK_AGAIN_USEC;
                        break;
                }
                item_delete(removed_due(r));
        }
        if (!removed_is_busy(r))
                r->lock_fd = fd_close(r->lock_fd);
        removed_arm(r);
}

static void removed_on_time(void *userdata) {
        removed_next(userdata);
}

static void item_make_due(Item *item) {
        if (item->op)
                return;
        item->due_usec = clock_boottime();
        removed_arm(item->all);
}

void removed_start(Removed *r) {
        for (Item *i = r->items; i; i = i->next)
                if (!i->lent)
                        item_make_due(i);
}

int removed_new(Removed **ret, Env *env) {
        CLEANUP(removed_freep) Removed *r = NULL;
        const char *account;
        int q;

        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->env = env;
        r->lock_fd = -1;
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
                (void)fd_close(r->lock_fd);
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

int removed_lend(Removed *r, const char *account) {
        Item *item = item_find(r, account);
        int q;

        if (!item) {
                q = state_is_removed(r->env->state, account);
                if (q > 0)
                        q = item_new(r, account);
                item = item_find(r, account);
                if (!item)
                        return q;
        } else if (!item->op) {
                q = item_is_struck(item);
                if (q > 0)
                        item_free(item);
                if (q != 0)
                        return MIN(q, 0);
        }
        item->lent = true;
        item->due_usec = USEC_INFINITY;
        return 1;
}

void removed_clear(Removed *r, const char *account, KeyringAsk ask, RemovedFn fn, void *userdata) {
        Item *item = item_find(r, account);

        item->ask = ask;
        item->fn = fn;
        item->userdata = userdata;
        item_make_due(item);
}

void removed_leave(Removed *r, const char *account) {
        Item *item = item_find(r, account);

        if (!item)
                return;
        item->fn = NULL;
        keyring_op_give_up(item->op);
}

void removed_give_up(Removed *r, const char *account) {
        Item *item = item_find(r, account);

        if (item)
                keyring_op_give_up(item->op);
}

void removed_resume(Removed *r, const char *account) {
        Item *item = item_find(r, account);

        if (!item)
                return;
        item->lent = false;
        item_make_due(item);
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
                removed_start(r);
}

bool removed_flush(const Removed *r) {
        for (const Item *i = r->items; i; i = i->next)
                if (i->op || i->due_usec <= clock_boottime())
                        return false;
        return true;
}
