/* SPDX-License-Identifier: MIT */
/*
 * Somebody signs in to az, or out: what was given out before may be somebody else's, and is not
 * served any more.
 */
#include "io/log.h"
#include "keeper/turn.h"

/* Asked for so recently that a new token is had at once, and not when somebody asks. */
#define IN_USE_SECONDS 3600

static void keeper_on_az(bool changing, void *userdata) {
        Keeper *k = userdata;
        uint64_t now = clock_boottime(), used_at = keeper_used_at(k);
        Slot *own = k->slots;

        if (changing) {
                log_debug("%s: the sign-in of the Azure CLI changes", k->account->name);
                /* az may have read its files before or after: what it answers is asked for again.
                 */
                if (k->running.exchange && !k->running.repeated)
                        exchange_outdate(k->running.exchange);
                keeper_apply_event(k, KEEPER_EVENT_AZ_CHANGED);
                keeper_drop_stored_tokens(k);
        } else if (used_at && env_true_of(k->env, now) < used_at + IN_USE_SECONDS &&
                   keeper_can_fetch(k) && k->running.slot != own && slot_has_budget(own, now)) {
                /* An az that writes its profile whenever it runs must not have us run it for ever.
                 */
                own->due = own->counts = true;
        }
        keeper_due(k);
}

void keeper_watch_az(Keeper *k) {
        k->az = az_watch_free(k->az);
        k->az = az_watch_new(k->env, k->account, keeper_on_az, k);
}
