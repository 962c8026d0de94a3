/* SPDX-License-Identifier: MIT */
/*
 * A write that a person is asked about by the keyring: who waits for it is told and goes on, and
 * what to do with it when the daemon ends.
 */
#include "io/log.h"
#include "vault/vault-private.h"

/* A person may take their time, and others can be served until then. */
static void vault_on_asked(void *userdata) {
        Vault *v = userdata;

        v->asked = v->late = true;
        log_info("%s: the keyring asks a person before it is %s", v->name,
                 v->erases ? "deleted there" : "stored");
        (void)vault_answer(v, &v->saves, UINT64_MAX, KEYRING_E_ASKS);
}

KeyringAsk vault_ask(const Vault *v) {
        return (KeyringAsk){
                .wish = v->carries || v->fresh ? KEYRING_WISH_PERSON
                        : v->beside            ? KEYRING_WISH_BESIDE
                        : v->record->secret    ? KEYRING_WISH_BACKGROUND
                                               : KEYRING_WISH_SILENT,
                .asked = vault_on_asked,
        };
}

void vault_unask(Vault *v) {
        if (!v->asked)
                return;
        v->asked = false;
        v->write = keyring_op_free(v->write);
}

void vault_give_up(Vault *v) {
        if (v->asked && v->carries)
                keyring_op_give_up(v->write);
}

/* What a person has not agreed to yet is put beside what may not be written over: else a sign-in
 * whose former refresh token is spent would be lost. */
static void vault_flush_asked(Vault *v) {
        bool beside = !v->carries && !v->erases;

        vault_unask(v);
        if (!beside || !vault_is_dirty(v))
                return;
        v->beside = true;
        v->fresh = false;
        vault_write(v);
}

bool vault_flush(Vault *v) {
        if (v->asked)
                vault_flush_asked(v);
        else if (vault_is_dirty(v) && !v->write && v->flushed != v->generation &&
                 keyring_state(v->env->keyring) == KEYRING_STATE_OK) {
                v->flushed = v->generation; /* it is no use to try it over and over */
                vault_write(v);
        }
        return !v->write;
}
