/* SPDX-License-Identifier: MIT */
/*
 * The end of an API token, told in time: in the log, in LastError, and to the listener, who may
 * show it to the person. The token itself is good until then, and so is the account.
 */
#include <time.h>

#include "io/log.h"
#include "keeper/turn.h"
#include "model/limits.h"

/* The text is read on later days: it says when, not how long from now. */
static int warning_set(Problem *problem, const char *name, uint64_t ends_at) {
        time_t at = (time_t)ends_at;
        char shown[32] = "";
        struct tm tm;

        if (gmtime_r(&at, &tm))
                (void)strftime(shown, sizeof(shown), "%Y-%m-%d %H:%M UTC", &tm);
        return problem_set(problem, OUTCOME_SIGN_IN_NEEDED,
                           "%s: its API token ends at %s. Put a new one in its place: iotc-token "
                           "api-token rotate %s, or api-token add %s --replace",
                           name, shown, name, name);
}

void keeper_warn(Keeper *k) {
        const Token *token = k->slots->token;
        uint64_t now = clock_boottime(), seconds = token_left_usec(token, now) / USEC_PER_SEC;
        unsigned days = policy_warning(token, now);
        Problem problem = { 0 };

        if (k->warned && (!token || token->ends_at != k->warned_ends_at))
                k->warned = 0; /* another token */
        if (!days || (k->warned && k->warned <= days))
                return;
        k->warned = days;
        k->warned_ends_at = token->ends_at;
        (void)warning_set(&problem, k->account->name, token->ends_at);
        log_warning("%s", problem_text(&problem));
        keeper_set_last_error(k, &problem);
        problem_clear(&problem);
        if (k->env->listener->account_ends_soon)
                k->env->listener->account_ends_soon(k, seconds, k->env->listener_userdata);
}
