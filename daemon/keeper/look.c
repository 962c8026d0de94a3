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
        keeper_set_last_error(k, &problem);
        problem_clear(&problem);
}

void keeper_on_item_gone(Keeper *k) {
        if (!source_needs_secret(k->account->source))
                return;
        keeper_is_deleted(k);
        for (Slot *s = k->slots; s; s = s->next)
                slot_settle(k, s, false);
        keeper_publish(k);
}

/* Another daemon has stored it: what is known of the former one is history. */
static void keeper_is_replaced(Keeper *k) {
        Problem none = { 0 };

        log_info("%s: another program has stored a new sign-in", k->account->name);
        keeper_happened(k, KEEPER_EVENT_SECRET_SET);
        keeper_set_last_error(k, &none);
        keeper_adopt_record(k);
        keeper_wake(k);
}

static void keeper_on_looked(int outcome, void *userdata) {
        Keeper *k = userdata;
        const char *secret = vault_record(k->vault)->secret;
        /* Else it has only been refreshed. */
        bool wanted = !k->looked_at || slot_rule(k, k->slots, clock_boottime())->state ==
                                               KEEPER_STATE_SIGN_IN_NEEDED;
        bool differs = !streq(secret, k->looked_at);

        k->check = vault_op_free(k->check);
        secret_free(k->looked_at);
        k->looked_at = NULL;
        if (outcome == KEYRING_E_NOT_FOUND && !secret && k->was_stored)
                keeper_is_deleted(k); /* what was not stored yet is not lost */
        else if (outcome == 0 && secret && wanted && differs && !keeper_owes_secret(k))
                keeper_is_replaced(k);
        for (Slot *s = k->slots; s; s = s->next)
                slot_settle(k, s, false);
        keeper_pump(k);
        keeper_publish(k);
}

static bool keeper_look(Keeper *k) {
        if (k->check)
                return true;
        k->looked_usec = clock_boottime();
        k->was_stored = vault_is_stored(k->vault);
        secret_free(k->looked_at);
        k->looked_at = secret_dup(vault_record(k->vault)->secret);
        return vault_reload(k->vault, &k->check, keeper_on_looked, k) == 0;
}

void keeper_on_deletion(Keeper *k) {
        if (source_needs_secret(k->account->source) && vault_is_stored(k->vault))
                (void)keeper_look(k);
}

bool keeper_looks_again(Keeper *k, uint64_t now) {
        if (!source_needs_secret(k->account->source))
                return false;
        if (k->check)
                return true;
        if (k->looked_usec && now < k->looked_usec + LOOK_AGAIN_USEC)
                return false;
        return keeper_look(k);
}
