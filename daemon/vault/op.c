/* SPDX-License-Identifier: MIT */
/*
 * Who waits for a vault: each is answered once, from the loop, or takes the callback back.
 */
#include "common/memory.h"
#include "vault/vault-private.h"

VaultOp *vault_op_new(Vault *v, struct VaultOps *list, VaultOpFn fn, void *userdata) {
        VaultOp *op = xcalloc(1, sizeof(*op));

        *op = (VaultOp){
                .list = list, .generation = v->generation, .fn = fn, .userdata = userdata
        };
        TAILQ_INSERT_TAIL(list, op, link);
        return op;
}

VaultOp *vault_op_free(VaultOp *op) {
        if (op && op->list)
                TAILQ_REMOVE(op->list, op, link);
        free(op);
        return NULL;
}

void vault_ops_move(struct VaultOps *from, struct VaultOps *to, uint64_t generation) {
        VaultOp *op, *next;

        for (op = TAILQ_FIRST(from); op; op = next) {
                next = TAILQ_NEXT(op, link);
                if (op->generation > generation)
                        continue;
                TAILQ_REMOVE(from, op, link);
                TAILQ_INSERT_TAIL(to, op, link);
                op->list = to;
        }
}

void vault_ops_answer(struct VaultOps *ops, int outcome) {
        VaultOp *op;

        while ((op = TAILQ_FIRST(ops))) {
                TAILQ_REMOVE(ops, op, link);
                op->list = NULL;
                op->fn(outcome, op->userdata);
        }
}
