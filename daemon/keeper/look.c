/* SPDX-License-Identifier: MIT */
/*
 * Others change the keyring's item, too: somebody deletes it, or another daemon of this user has
 * had a person sign in. It is looked at again when the keyring tells of a deletion, and when a
 * caller would be told to sign in.
 */
#include "common/secret.h"
#include "io/log.h"
#include "keeper/turn.h"

#define LOOK_AGAIN_USEC (30 * USEC_PER_SEC)

/* Somebody who deletes the item in a keyring's editor signs out. */
static void keeper_is_deleted(Keeper *k) {
        const char *name = k->account->name;
        bool api_token = k->account->source == ACCOUNT_SOURCE_API_TOKEN;
        Problem problem = { 0 };

        record_drop_tokens(vault_record(k->vault));
        keeper_happened(k, KEEPER_EVENT_ITEM_GONE);
        (void)problem_set(&problem, OUTCOME_SIGN_IN_NEEDED,
                          "%s: its item is gone from the keyring. Run: iotc-token %s %s%s", name,
                          api_token ? "api-token add" : "login", name,
                          api_token ? " --replace" : "");
        log_info("%s", problem_text(&problem));
        view_set_error(&k->view, &problem);
        problem_clear(&problem);
        keeper_due(k);
}

void keeper_on_item_gone(Keeper *k) {
        if (source_needs_secret(k->account->source))
                keeper_is_deleted(k);
}

/* Another daemon has stored it: what is known of the former one is history. */
static void keeper_is_replaced(Keeper *k) {
        const Problem none = { 0 };

        log_info("%s: another program has stored a new sign-in", k->account->name);
        keeper_happened(k, KEEPER_EVENT_SECRET_SET);
        view_set_error(&k->view, &none);
        keeper_adopt_record(k);
        keeper_wake(k);
}

static void look_on_read(int outcome, void *userdata) {
        Keeper *k = userdata;
        CLEANUP(secret_freep) char *before = STEAL(k->look.secret);
        const char *secret = vault_record(k->vault)->secret;
        /* Else it has only been refreshed. */
        bool wanted = !before || keeper_rule_of(k, k->slots, clock_boottime())->state ==
                                         KEEPER_STATE_SIGN_IN_NEEDED;

        k->look.op = vault_op_free(k->look.op);
        if (outcome == KEYRING_E_NOT_FOUND && !secret && k->look.was_stored)
                keeper_is_deleted(k); /* what was not stored yet is not lost */
        else if (outcome == 0 && secret && wanted && !streq(secret, before) &&
                 !exchange_owes_secret(k->running.exchange))
                keeper_is_replaced(k);
        keeper_due(k);
}

void keeper_look(Keeper *k) {
        if (k->look.op)
                return;
        k->look.usec = clock_boottime();
        k->look.was_stored = vault_is_stored(k->vault);
        secret_free(k->look.secret);
        k->look.secret = secret_dup(vault_record(k->vault)->secret);
        (void)vault_reload(k->vault, &k->look.op, look_on_read, k);
}

void keeper_on_deletion(Keeper *k) {
        if (source_needs_secret(k->account->source) && vault_is_stored(k->vault))
                keeper_look(k);
}

bool keeper_may_look(const Keeper *k, uint64_t now) {
        return source_needs_secret(k->account->source) &&
               (k->look.op || !k->look.usec || now >= k->look.usec + LOOK_AGAIN_USEC);
}
