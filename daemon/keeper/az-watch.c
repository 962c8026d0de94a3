/* SPDX-License-Identifier: MIT */
/*
 * Who is signed in to the Azure CLI is decided there, by az login and az logout. az writes its
 * azureProfile.json then: a hint, which says when and not who, so that nothing is read of it. What
 * was given out before may be somebody else's, and is not served any more.
 */
#include "io/log.h"
#include "keeper/turn.h"

/* Asked for so recently that a new token is had at once, and not when somebody asks. */
#define IN_USE_SECONDS 3600
/* az's own rule for its folder. NULL without a home. */
static int az_profile_path(char **ret, const Account *a) {
        const char *dir = a->config_dir ? a->config_dir : getenv("AZURE_CONFIG_DIR");
        const char *home = getenv("HOME");
        int n;

        *ret = NULL;
        if (!str_empty(dir))
                n = asprintf(ret, "%s/azureProfile.json", dir);
        else if (!str_empty(home))
                n = asprintf(ret, "%s/.azure/azureProfile.json", home);
        else
                return 0;
        return n < 0 ? -ENOMEM : 0;
}

static void keeper_drop_az_tokens(Keeper *k) {
        /* az may have read its files before or after: what it answers is asked for again. */
        if (k->exchange && !k->repeated)
                exchange_outdate(k->exchange);
        keeper_happened(k, KEEPER_EVENT_AZ_CHANGED);
        keeper_drop_stored_tokens(k);
}

/* az must not be run while another one writes the file: it takes a half of it for broken, and
 * writes an empty one over it. */
static void keeper_on_az(bool changing, void *userdata) {
        Keeper *k = userdata;
        uint64_t now = clock_boottime(), used_at = keeper_used_at(k);

        k->az_changing = changing;
        if (changing) {
                log_debug("%s: the sign-in of the Azure CLI changes", k->account->name);
                keeper_drop_az_tokens(k);
        } else if (used_at && env_true_of(k->env, now) < used_at + IN_USE_SECONDS &&
                   keeper_can_fetch(k) && k->exchanging != k->slots &&
                   slot_has_budget(k->slots, now)) {
                /* An az that writes its profile whenever it runs must not have us run it for ever.
                 */
                k->slots->wanted = true;
                k->slots->wished = true;
        }
        for (Slot *s = k->slots; s; s = s->next)
                slot_settle(k, s, false);
        keeper_pump(k);
        keeper_publish(k);
}

void keeper_watch_az(Keeper *k) {
        CLEANUP(freep) char *path = NULL;
        int r;

        k->az_profile = notify_free(k->az_profile);
        k->az_changing = false;
        if (k->account->source != ACCOUNT_SOURCE_AZURE_CLI)
                return;
        r = az_profile_path(&path, k->account);
        if (r >= 0 && path)
                r = notify_new(&k->az_profile, k->env->event, path, keeper_on_az, k);
        if (r < 0)
                log_warning("%s: a new sign-in to the Azure CLI will not be noticed: %s",
                            k->account->name, strerror(-r));
}

/* az counts by the wall clock. When that is set back, it takes a token of its cache for younger
 * than it is, and goes on giving it out when it has ended. */
int keeper_az_check(const Keeper *k, const Slot *s, Token *fetched, Problem *problem) {
        if (k->account->source != ACCOUNT_SOURCE_AZURE_CLI || !s->token ||
            !streq(s->token->value, fetched->value))
                return 0;
        fetched->expires_usec = MIN(fetched->expires_usec, s->token->expires_usec);
        if (token_left_usec(fetched, clock_boottime()) > 0)
                return 0;
        return problem_set(problem, OUTCOME_UNAVAILABLE,
                           "the Azure CLI gives out a token that has ended: this machine's clock "
                           "was set back since it got it. It will renew it late, or at once after: "
                           "az logout; az login --allow-no-subscriptions");
}

bool keeper_az_is_newer(const Keeper *k, const RecordToken *t) {
        uint64_t issued_at = t->issued_at;

        /* Both by the wall clock as it was then: if that was set since, the earlier reading is the
         * careful one. */
        if (t->boot && streq(t->boot, clock_boot_id()))
                issued_at = MIN(issued_at, clock_wall_of(t->issued_usec));
        return k->az_profile && notify_written_at(k->az_profile) >= issued_at;
}
