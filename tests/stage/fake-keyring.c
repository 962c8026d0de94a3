/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <limits.h>

#include "common/secret.h"
#include "fake-keyring.h"
#include "fake-time.h"

#define TIME_LIMIT_USEC (10 * USEC_PER_SEC)

typedef struct Item {
        struct Item *next;
        char *account, *text;
} Item;

struct Keyring {
        KeyringState state;
        KeyringStateFn fn;
        void *userdata;
        KeyringDeletionFn deletion_fn;
        void *deletion_userdata;
        Item *items;
        KeyringOp *ops; /* oldest first */
        bool hold, late;
        bool silent;              /* a call got no answer: nothing is asked any more */
        unsigned writes, answers; /* done; to be given */
};

typedef enum OpKind {
        OP_LOAD,
        OP_STORE,
        OP_DELETE,
} OpKind;

struct KeyringOp {
        KeyringOp *next;
        Keyring *keyring; /* NULL once it has been answered */
        bool refused;     /* never asked */
        OpKind kind;
        char *account, *text;
        Timer *timer;
        KeyringFn fn;
        void *userdata;
};

static Item *item_find(const Keyring *k, const char *account) {
        for (Item *i = k->items; i; i = i->next)
                if (streq(i->account, account))
                        return i;
        return NULL;
}

void fake_keyring_put(Keyring *k, const char *account, const char *text) {
        Item *i = item_find(k, account);

        if (!i) {
                i = calloc(1, sizeof(*i));
                assert(i);
                i->account = strdup(account);
                i->next = k->items;
                k->items = i;
        }
        secret_free(i->text);
        i->text = secret_dup(text);
}

void keyring_set_deletion_fn(Keyring *k, KeyringDeletionFn fn, void *userdata) {
        k->deletion_fn = fn;
        k->deletion_userdata = userdata;
}

void fake_keyring_tell_deletion(Keyring *k) {
        if (k->deletion_fn)
                k->deletion_fn(k->deletion_userdata);
}

const char *fake_keyring_get(const Keyring *k, const char *account) {
        Item *i = item_find(k, account);

        return i ? i->text : NULL;
}

unsigned fake_keyring_writes(const Keyring *k) {
        return k->writes;
}

static int op_do(KeyringOp *op, const char **ret) {
        Keyring *k = op->keyring;

        if (op->refused || (k->hold && !(k->late && op->kind != OP_LOAD)))
                return KEYRING_E_SILENT;
        if (k->state == KEYRING_STATE_ABSENT)
                return KEYRING_E_ABSENT;
        if (k->state != KEYRING_STATE_OK)
                return KEYRING_E_LOCKED;
        if (op->kind == OP_LOAD) {
                *ret = fake_keyring_get(k, op->account);
                return *ret ? 0 : KEYRING_E_NOT_FOUND;
        }
        fake_keyring_put(k, op->account, op->text);
        k->writes++;
        return k->hold ? KEYRING_E_SILENT : 0;
}

static void op_unlink(KeyringOp *op) {
        KeyringOp **p = &op->keyring->ops;

        while (*p != op)
                p = &(*p)->next;
        *p = op->next;
        op->keyring = NULL;
        op->timer = timer_free(op->timer);
}

static void op_arm(KeyringOp *op) {
        bool waits = op->keyring->hold && !op->keyring->silent;

        timer_arm(op->timer, clock_boottime() + (waits ? TIME_LIMIT_USEC : 0));
}

static void op_on_time(void *userdata) {
        KeyringOp *op = userdata;
        Keyring *k = op->keyring;
        const char *text = NULL;
        bool trips;
        int outcome;

        if (k->answers == 0)
                return;
        k->answers--;
        outcome = op_do(op, &text);
        trips = k->hold && !k->silent;
        k->silent = k->hold;
        op_unlink(op);
        op->fn(outcome, text, op->userdata);
        if (!trips)
                return;
        for (KeyringOp *o = k->ops; o; o = o->next)
                op_arm(o);
        if (k->fn)
                k->fn(KEYRING_STATE_ABSENT, k->userdata);
}

static int op_new(Keyring *k, KeyringOp **ret, OpKind kind, const char *account, const char *text,
                  KeyringFn fn, void *userdata) {
        KeyringOp *op = malloc(sizeof(*op)), **tail;

        assert(op);
        *op = (KeyringOp){ .keyring = k,
                           .refused = k->silent,
                           .kind = kind,
                           .account = strdup(account),
                           .text = secret_dup(text),
                           .fn = fn,
                           .userdata = userdata };
        (void)timer_new(&op->timer, NULL, op_on_time, op);
        for (tail = &k->ops; *tail; tail = &(*tail)->next)
                ;
        *ret = *tail = op;
        op_arm(op);
        return 0;
}

KeyringOp *keyring_op_free(KeyringOp *op) {
        if (op) {
                if (op->keyring)
                        op_unlink(op);
                free(op->account);
                secret_free(op->text);
                free(op);
        }
        return NULL;
}

void keyring_op_give_up(KeyringOp *op) {
}

int keyring_load(Keyring *k, KeyringOp **ret, const char *account, KeyringFn fn, void *userdata) {
        return op_new(k, ret, OP_LOAD, account, NULL, fn, userdata);
}

int keyring_store(Keyring *k, KeyringOp **ret, KeyringAsk ask, const char *account,
                  const char *label, const char *secret, KeyringFn fn, void *userdata) {
        assert(!strstr(label, "secret-"));
        return op_new(k, ret, OP_STORE, account, secret, fn, userdata);
}

int keyring_delete(Keyring *k, KeyringOp **ret, KeyringAsk ask, const char *account, KeyringFn fn,
                   void *userdata) {
        return op_new(k, ret, OP_DELETE, account, NULL, fn, userdata);
}

const char *keyring_kind(const Keyring *k) {
        return "secret-service";
}

const char *keyring_complaint(const Keyring *k) {
        return NULL;
}

int keyring_set_key_file(Keyring *k, const char *key_file) {
        return 0;
}

KeyringState keyring_state(const Keyring *k) {
        return k->silent ? KEYRING_STATE_ABSENT : k->state;
}

Keyring *fake_keyring_new(KeyringStateFn fn, void *userdata) {
        Keyring *k = calloc(1, sizeof(*k));

        assert(k);
        *k = (Keyring){ .state = KEYRING_STATE_OK, .fn = fn, .userdata = userdata };
        k->answers = UINT_MAX;
        return k;
}

void fake_keyring_answer(Keyring *k, unsigned n) {
        k->answers = n;
        for (KeyringOp *op = k->ops; op; op = op->next)
                op_arm(op);
}

void fake_keyring_set_state(Keyring *k, KeyringState state) {
        k->state = state;
        if (k->fn && !k->silent)
                k->fn(state, k->userdata);
}

void fake_keyring_hold(Keyring *k, bool hold) {
        bool back = k->silent && !hold;

        k->hold = hold;
        k->late = false;
        if (hold)
                return;
        k->silent = false;
        for (KeyringOp *op = k->ops; op; op = op->next)
                op_arm(op);
        if (back && k->fn)
                k->fn(k->state, k->userdata);
}

void fake_keyring_hold_late(Keyring *k) {
        k->hold = k->late = true;
}

void fake_keyring_do(Keyring *k, unsigned n) {
        for (KeyringOp *op = k->ops; op && n > 0; op = op->next, n--) {
                const char *text;

                (void)op_do(op, &text);
        }
}

Keyring *keyring_free(Keyring *k) {
        if (k) {
                assert(!k->ops); /* whoever asked has taken the callback back */
                while (k->items) {
                        Item *i = k->items;

                        k->items = i->next;
                        free(i->account);
                        secret_free(i->text);
                        free(i);
                }
                free(k);
        }
        return NULL;
}
