/* SPDX-License-Identifier: MIT */
/*
 * Is the account's item still there? It is looked at when the keyring tells that some item was
 * deleted, and where secrets are kept in files, which tell nothing, before each exchange.
 */
#include "io/log.h"
#include "keeper/turn.h"

/* Somebody who deletes the item in a keyring's editor signs out. */
void keeper_on_item_gone(Keeper *k) {
        const char *name = k->account->name;
        bool api_token = k->account->source == ACCOUNT_SOURCE_API_TOKEN;
        Problem problem = { 0 };

        if (!source_needs_secret(k->account->source))
                return;
        record_drop_tokens(vault_record(k->vault));
        keeper_apply_event(k, KEEPER_EVENT_ITEM_GONE);
        (void)problem_set(&problem, OUTCOME_SIGN_IN_NEEDED,
                          "%s: its item is gone from the keyring. Run: iotc-token %s %s%s", name,
                          api_token ? "api-token add" : "login", name,
                          api_token ? " --replace" : "");
        log_info("%s", problem_text(&problem));
        view_set_error(&k->view, &problem);
        problem_clear(&problem);
        keeper_due(k);
}

static void look_on_read(int outcome, void *userdata) {
        Keeper *k = userdata;

        k->look = vault_op_free(k->look);
        k->looked = true;
        if (outcome == KEYRING_E_NOT_FOUND && !vault_record(k->vault)->secret)
                keeper_on_item_gone(k);
        keeper_due(k);
}

static bool keeper_look(Keeper *k) {
        /* What was not stored yet is not lost. */
        if (!source_needs_secret(k->account->source) || !vault_is_stored(k->vault))
                return false;
        return k->look || vault_reload(k->vault, &k->look, look_on_read, k) == 0;
}

void keeper_on_deletion(Keeper *k) {
        (void)keeper_look(k);
}

bool keeper_looks_first(Keeper *k) {
        return !k->looked && streq(keyring_kind(k->env->keyring), "file") && keeper_look(k);
}
