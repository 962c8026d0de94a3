/* SPDX-License-Identifier: MIT */
/*
 * What is done to an account: another secret, signing out, other settings, and a server that
 * refuses a token.
 */
#include <assert.h>

#include "common/memory.h"
#include "io/log.h"
#include "keeper/turn.h"

#define REPORT_AGAIN_USEC (60 * USEC_PER_SEC)

/* A change that the keyring is told first. It goes on when the caller leaves, unless a person is
 * being asked: who leaves then has thought better of it. */
struct KeeperOp {
        KeeperOp *next;  /* Keeper.ops */
        KeeperOp **list; /* NULL once it was answered */
        Vault *vault;
        VaultOp *op;       /* NULL: the keyring has answered */
        KeeperEvent event; /* what has happened when it is done */
        int outcome;       /* the keyring's */
        bool applied;
        Problem problem; /* its answer */
        Keeper *keeper;
        KeeperOpFn fn; /* NULL: the caller has left */
        void *userdata;
};

static void op_link(KeeperOp *op, KeeperOp **list) {
        KeeperOp **tail = list;

        while (*tail)
                tail = &(*tail)->next;
        *tail = op;
        op->next = NULL;
        op->list = list;
}

static void op_unlink(KeeperOp *op) {
        KeeperOp **p = op->list;

        while (*p != op)
                p = &(*p)->next;
        *p = op->next;
        op->list = NULL;
}

void keeper_op_give_up(KeeperOp *op) {
        if (op->op)
                vault_give_up(op->vault);
}

KeeperOp *keeper_op_free(KeeperOp *op) {
        if (op && op->list) {
                op->fn = NULL; /* freed when its turn comes */
                keeper_op_give_up(op);
        } else if (op) {
                problem_clear(&op->problem);
                free(op);
        }
        return NULL;
}

static void op_on_saved(int outcome, void *userdata) {
        KeeperOp *op = userdata;

        assert(!op->applied);
        op->op = vault_op_free(op->op);
        op->outcome = outcome;
        keeper_due(op->keeper);
}

void keeper_apply_ops(Keeper *k) {
        const Problem none = { 0 };

        for (KeeperOp *op = k->ops; op; op = op->next) {
                if (op->op || op->applied)
                        continue;
                op->applied = true;
                (void)words_keyring(k->account, k->env->keyring, op->outcome, &op->problem);
                if (op->outcome != 0)
                        continue;
                /* A person has changed what it lives on: the old error is history. */
                keeper_apply_event(k, op->event);
                keeper_adopt_record(k);
                view_set_error(&k->view, &none);
        }
}

void keeper_end_ops(Keeper *k, KeeperOp **ended) {
        KeeperOp *next;

        for (KeeperOp *op = k->ops; op; op = next) {
                next = op->next;
                if (k->closed && op->op) {
                        op->op = vault_op_free(op->op);
                        (void)words_closed(k->account, &op->problem);
                } else if (k->closed && !op->applied)
                        (void)words_keyring(k->account, k->env->keyring, op->outcome, &op->problem);
                else if (!op->applied)
                        continue;
                op_unlink(op);
                op_link(op, ended);
        }
}

void keeper_answer_ops(KeeperOp **ended) {
        while (*ended) {
                KeeperOp *op = *ended;
                Problem problem = op->problem;

                op->problem = (Problem){ 0 };
                op_unlink(op);
                if (op->fn)
                        op->fn(&problem, op->userdata); /* which frees it */
                else
                        keeper_op_free(op);
                problem_clear(&problem);
        }
}

/* Another secret, or none: nothing has changed before the keyring has it. */
static int keeper_change(Keeper *k, KeeperEvent event, const char *secret, KeeperOp **ret,
                         KeeperOpFn fn, void *userdata, Problem *problem) {
        CLEANUP(freep) KeeperOp *op = xcalloc(1, sizeof(*op));
        int r;

        *op = (KeeperOp){
                .keeper = k, .vault = k->vault, .event = event, .fn = fn, .userdata = userdata
        };
        r = vault_replace(k->vault, &op->op, secret, op_on_saved, op);
        if (r == -EBUSY)
                return problem_set(problem, OUTCOME_UNAVAILABLE,
                                   "%s: another change of its secret is under way. Try again in a "
                                   "moment.",
                                   k->account->name);
        if (r < 0)
                return r;
        op_link(op, &k->ops);
        *ret = STEAL(op);
        return 0;
}

int keeper_set_secret(Keeper *k, const char *secret, KeeperOp **ret, KeeperOpFn fn, void *userdata,
                      Problem *problem) {
        int r;

        r = source_check_secret(k->account, secret, env_true_of(k->env, clock_boottime()), problem);
        if (r != 0)
                return r;
        return keeper_change(k, KEEPER_EVENT_SECRET_SET, secret, ret, fn, userdata, problem);
}

int keeper_sign_out(Keeper *k, KeeperOp **ret, KeeperOpFn fn, void *userdata, Problem *problem) {
        if (k->account->source == ACCOUNT_SOURCE_AZURE_CLI)
                return problem_set(problem, OUTCOME_MISCONFIGURED,
                                   "%s: its sign-in belongs to the Azure CLI. Sign out there: az "
                                   "logout",
                                   k->account->name);
        return keeper_change(k, KEEPER_EVENT_SIGNED_OUT, NULL, ret, fn, userdata, problem);
}

bool keeper_may_be_stored(const Keeper *k) {
        return vault_may_be_stored(k->vault);
}

int keeper_clear(Keeper *k, KeeperOp **ret, KeeperOpFn fn, void *userdata, Problem *problem) {
        return keeper_change(k, KEEPER_EVENT_SIGNED_OUT, NULL, ret, fn, userdata, problem);
}

/* Resources that the settings do not name any more are not kept fresh. */
static void keeper_drop_slots(Keeper *k) {
        for (Slot *s = k->slots->next; s; s = s->next) {
                if (account_allows_resource(k->account, s->resource))
                        continue;
                s->due = false;
                if (k->running.slot == s && !exchange_expects_secret(k->running.exchange))
                        keeper_abort_exchange(k, false);
        }
}

/* Another resource of its own. An exchange for the former one, whose refresh token is on its way,
 * ends in the former one's slot. */
static void keeper_set_resource(Keeper *k, const char *resource) {
        Slot *former = k->slots, *own = ledger_slot(&k->ledger, &k->slots, resource, NULL);
        Slot **p = &k->slots;

        if (!exchange_expects_secret(k->running.exchange))
                keeper_abort_exchange(k, false);
        keeper_apply_event(k, KEEPER_EVENT_OTHER_RESOURCE);
        while (*p != own)
                p = &(*p)->next;
        *p = own->next;
        own->next = k->slots;
        k->slots = own;
        own->used_usec = MAX(own->used_usec, former->used_usec);
        /* Who named no resource waits for the new one from now on. */
        for (Waiter *w = k->waiters; w; w = w->next)
                if (!w->named && w->slot->plain == former)
                        w->slot = ledger_slot(&k->ledger, &k->slots, resource, w->slot->claims)
                                          ?: own;
}

int keeper_configure(Keeper *k, Account *taken) {
        CLEANUP(account_freep) Account *account = taken;
        bool same = account_same_identity(k->account, account);
        int r;

        if (!streq(k->slots->resource, account->resource)) {
                keeper_set_resource(k, account->resource);
        }
        if (!same) {
                keeper_apply_event(k, KEEPER_EVENT_OTHER_IDENTITY);
                /* A record does not name all of it: a subscription, a command. */
                keeper_drop_stored_tokens(k);
        }
        r = vault_set_account(k->vault, account);
        if (r < 0)
                return r;
        if (k->account->problem && k->view.last_error.outcome == OUTCOME_MISCONFIGURED)
                problem_clear(&k->view.last_error);
        account_free(k->account);
        k->account = STEAL(account);
        keeper_watch_az(k);
        (void)words_misconfigured(k->account, &k->view.last_error);
        keeper_drop_slots(k);
        keeper_wake(k);
        keeper_due(k);
        k->env->listener->account_changed(k, ACCOUNT_CHANGED_SETTINGS | ACCOUNT_CHANGED_LAST_ERROR,
                                          k->env->listener_userdata);
        return 0;
}

int keeper_report_rejected(Keeper *k, const char *token, const char *claims, const char *caller,
                           Problem *problem) {
        uint64_t now = clock_boottime();
        Problem rejected = { 0 };
        Slot *s, *fetch;

        for (s = k->slots; s; s = s->next)
                if (s->token && streq(s->token->value, token))
                        break;
        if (!s)
                return 0;
        log_info("%s: a server rejected its token", k->account->name);
        if (k->account->source == ACCOUNT_SOURCE_API_TOKEN) {
                (void)problem_set(&rejected, OUTCOME_SIGN_IN_NEEDED,
                                  "%s: the application rejected the API token. If it was deleted "
                                  "there, store a new one: iotc-token api-token add %s --replace",
                                  k->account->name, k->account->name);
                view_set_error(&k->view, &rejected);
                keeper_due(k);
                problem_clear(&rejected);
                return 0;
        }
        if ((k->times.rejected_usec && now - k->times.rejected_usec < REPORT_AGAIN_USEC) ||
            !policy_may_try(keeper_rule_of(k, s, now)->asked, &s->failure, true, now) ||
            !slot_has_budget(s, now))
                return 0;
        fetch = claims ? ledger_slot(&k->ledger, &k->slots, s->resource, claims) : s;
        if (!fetch)
                return words_challenges(k->account, problem);
        k->times.rejected_usec = now;
        free(s->reporter);
        s->reporter = xstrdup(caller);
        fetch->due = true;
        fetch->counts = true;
        fetch->trusted = true; /* none from a sandbox comes this far */
        keeper_due(k);
        return 0;
}
