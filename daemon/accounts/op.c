/* SPDX-License-Identifier: MIT */
/*
 * Accounts that come and go with what the keyring has of them: that is stored before the group is
 * written, and deleted before the group goes.
 */
#include "accounts/manager-private.h"
#include "common/memory.h"
#include "io/log.h"
#include "io/state.h"

static ManagerOp *op_new(Manager *m, Keeper *k, ManagerOpFn fn, void *userdata) {
        ManagerOp *op = xcalloc(1, sizeof(*op));

        *op = (ManagerOp){
                .manager = m, .next = m->ops, .keeper = k, .fn = fn, .userdata = userdata
        };
        m->ops = op;
        return op;
}

static void op_free(ManagerOp *op) {
        ManagerOp **p = &op->manager->ops;

        while (*p != op)
                p = &(*p)->next;
        *p = op->next;
        keeper_op_free(op->op);
        if (!op->removes)
                keeper_free(op->keeper);
        problem_clear(&op->problem);
        free(op);
}

ManagerOp *manager_op_free(ManagerOp *op) {
        if (op && op->op) {
                op->fn = NULL;
                keeper_op_give_up(op->op);
        } else if (op)
                op_free(op);
        return NULL;
}

void manager_free_ops(Manager *m) {
        while (m->ops)
                op_free(m->ops);
}

bool manager_flush_ops(const Manager *m) {
        bool clean = true;

        for (const ManagerOp *op = m->ops; op; op = op->next)
                if (!op->removes)
                        clean = keeper_flush(op->keeper) && clean;
        return clean;
}

/* Answer; the caller frees the op. */
static void op_end(ManagerOp *op, Keeper *added, const Problem *problem) {
        if (op->fn)
                op->fn(added, problem, op->userdata);
        else
                op_free(op);
}

/* What was stored of an account that was not added after all is gone, or is of no use to anybody.
 */
static void add_on_undone(const Problem *cleared, void *userdata) {
        ManagerOp *op = userdata;

        op->op = keeper_op_free(op->op);
        if (cleared->outcome != OUTCOME_OK)
                (void)state_set_item(op->manager->env->state, keeper_account(op->keeper)->name,
                                     STATE_ITEM_LEFT);
        op_end(op, NULL, &op->problem);
}

static void add_on_stored(const Problem *stored, void *userdata) {
        Problem unused = { 0 };
        ManagerOp *op = userdata;
        Keeper *k = op->keeper;
        int r = (int)stored->outcome;

        op->op = keeper_op_free(op->op);
        problem_copy(&op->problem, stored);
        if (r == 0 && !op->fn)
                r = problem_set(&op->problem, OUTCOME_CANCELLED, "The caller has left.");
        /* The settings may have been read again meanwhile. */
        if (r == 0)
                r = manager_check_new(op->manager, keeper_account(k), k, &op->problem);
        if (r == 0)
                r = manager_admit(op->manager, k, &op->problem);
        if (r == 0) {
                op->keeper = NULL; /* the list's */
                op_end(op, k, &op->problem);
                return;
        }
        if (r < 0)
                (void)problem_set(&op->problem, OUTCOME_FAILED, "Memory is short; try again.");
        /* It is stored, or may be all the same. */
        if ((stored->outcome == OUTCOME_OK || stored->outcome == OUTCOME_UNAVAILABLE) &&
            keeper_clear(k, &op->op, add_on_undone, op, &unused) == 0)
                return;
        problem_clear(&unused);
        op_end(op, NULL, &op->problem);
}

int manager_add(Manager *m, Account *account, const char *secret, ManagerOp **ret, ManagerOpFn fn,
                void *userdata, Problem *problem) {
        CLEANUP(account_freep) Account *a = account;
        CLEANUP(keeper_freep) Keeper *k = NULL;
        ManagerOp *op;
        int r;

        *ret = NULL;
        r = manager_check_new(m, a, NULL, problem);
        if (r != 0)
                return r;
        if (streq(a->name, MANAGER_BUILTIN_NAME) && a->source != ACCOUNT_SOURCE_AZURE_CLI)
                return problem_set(problem, OUTCOME_INVALID_ARGS,
                                   "The name azure-cli is kept for accounts of that source.");

        if (state_item(m->env->state, a->name) == STATE_ITEM_UNKNOWN)
                (void)state_set_item(m->env->state, a->name, STATE_ITEM_NONE);
        r = keeper_new(&k, m->env, STEAL(a));
        if (r < 0)
                return r;
        if (!secret) {
                r = manager_admit(m, k, problem);
                if (r == 0)
                        k = NULL; /* the list's */
                return r;
        }
        op = op_new(m, STEAL(k), fn, userdata);
        r = keeper_set_secret(op->keeper, secret, &op->op, add_on_stored, op, problem);
        if (r != 0)
                op_free(op);
        else
                *ret = op;
        return r;
}

static void remove_on_cleared(const Problem *cleared, void *userdata) {
        ManagerOp *op = userdata;
        Problem problem = { 0 };

        op->op = keeper_op_free(op->op);
        switch (cleared->outcome) {
        case OUTCOME_OK:
                (void)manager_take_out(op->manager, op->keeper, &problem);
                break;
        case OUTCOME_KEYRING_LOCKED:
        case OUTCOME_KEYRING_ABSENT:
        case OUTCOME_UNAVAILABLE:
                (void)problem_set(&problem, cleared->outcome,
                                  "%s Or leave its secret there: iotc-token remove --leave-secret "
                                  "%s",
                                  problem_text(cleared), keeper_account(op->keeper)->name);
                break;
        default:
                problem_copy(&problem, cleared);
                break;
        }
        op_end(op, NULL, &problem);
        problem_clear(&problem);
}

int manager_remove(Manager *m, Keeper *k, ManagerOp **ret, ManagerOpFn fn, void *userdata,
                   Problem *problem) {
        ManagerOp *op;
        int r;

        *ret = NULL;
        if (!keeper_may_be_stored(k))
                return manager_take_out(m, k, problem);
        r = manager_check_removable(m, k, problem);
        if (r != 0)
                return r;
        op = op_new(m, k, fn, userdata);
        op->removes = true;
        r = keeper_clear(k, &op->op, remove_on_cleared, op, problem);
        if (r != 0)
                op_free(op);
        else
                *ret = op;
        return r;
}

int manager_forget(Manager *m, Keeper *k, Problem *problem) {
        CLEANUP(freep) char *name = xstrdup(keeper_account(k)->name);
        bool stored = keeper_may_be_stored(k);
        int r;

        r = manager_take_out(m, k, problem);
        if (r == 0 && stored) {
                log_info("%s: its item stays in the keyring", name);
                (void)state_set_item(m->env->state, name, STATE_ITEM_LEFT);
        }
        return r;
}
