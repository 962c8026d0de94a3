/* SPDX-License-Identifier: MIT */
/*
 * What a caller is told who can't have a token: what happened, and what to do next.
 */
#include "keeper/turn.h"
#include "model/limits.h"
#include "model/value.h"

Verdict refuse_too_short(const Keeper *k, const Slot *s, PolicyWish wish, uint64_t now,
                         Problem *problem) {
        const char *name = k->account->name;
        uint64_t left = token_left_usec(s->token, now) / USEC_PER_SEC;

        if (k->account->source == ACCOUNT_SOURCE_AZURE_CLI && wish.min_valid > 300)
                (void)problem_set(problem, OUTCOME_UNAVAILABLE,
                                  "%s: its token is valid for %llu s more, not %u s. az renews a "
                                  "token only in its last 300 s: ask for min-valid 300 at most, or "
                                  "use an account of source entra.",
                                  name, (long long unsigned)left, wish.min_valid);
        else
                (void)problem_set(problem, OUTCOME_UNAVAILABLE,
                                  "%s: a token just fetched is valid for %llu s, not %u s. Ask for "
                                  "a shorter min-valid.",
                                  name, (long long unsigned)left, wish.min_valid);
        return VERDICT_FAIL;
}

/* The keyring answers, and has nothing for it. */
static void refuse_nothing(const Keeper *k, Problem *problem) {
        const char *name = k->account->name, *what = "nobody is signed in. Sign in", *option = "";
        const char *command = "login";

        if (k->account->source == ACCOUNT_SOURCE_API_TOKEN) {
                what = "no API token is stored. Store one";
                command = "api-token add";
                option = " --replace";
        } else if (k->account->source == ACCOUNT_SOURCE_CLIENT_CREDENTIALS)
                what = "no client secret is stored. Store one";
        if (vault_is_unread(k->vault))
                what = "the keyring's item for it is none that this version of iotc-tokend can "
                       "read. To store a new one in its place";
        (void)problem_set(problem, OUTCOME_SIGN_IN_NEEDED, "%s: %s: iotc-token %s %s%s", name, what,
                          command, name, option);
}

Verdict refuse_sign_in(const Keeper *k, Problem *problem) {
        const char *name = k->account->name, *why = vault_complaint(k->vault);

        switch (vault_state(k->vault)) {
        case VAULT_STATE_LOCKED:
                if (why)
                        (void)problem_set(problem, OUTCOME_KEYRING_LOCKED, "%s: %s", name, why);
                else
                        (void)problem_set(problem, OUTCOME_KEYRING_LOCKED,
                                          "%s: the keyring is locked. Unlock it: iotc-token unlock",
                                          name);
                break;
        case VAULT_STATE_ABSENT:
                if (why)
                        (void)problem_set(problem, OUTCOME_KEYRING_ABSENT, "%s: %s", name, why);
                else
                        (void)problem_set(
                                problem, OUTCOME_KEYRING_ABSENT,
                                "%s: no keyring answers, so its secret can't be read. Start one "
                                "(gnome-keyring-daemon), or sign in until restart: iotc-token "
                                "login %s",
                                name, name);
                break;
        default:
                refuse_nothing(k, problem);
                break;
        }
        return VERDICT_FAIL;
}

Verdict refuse_api_token(const Keeper *k, const Slot *s, PolicyWish wish, uint64_t now,
                         Problem *problem) {
        const char *name = k->account->name;

        if (!s->token)
                return refuse_sign_in(k, problem);
        if (token_left_usec(s->token, now) == 0)
                (void)problem_set(
                        problem, OUTCOME_SIGN_IN_NEEDED,
                        "%s: the API token has expired. Make a new one in the application "
                        "and store it: iotc-token api-token add %s --replace",
                        name, name);
        else
                (void)problem_set(problem, OUTCOME_UNAVAILABLE,
                                  "%s: the API token ends in under %u s. Make a new one in the "
                                  "application and store it: iotc-token api-token add %s --replace",
                                  name, wish.min_valid, name);
        return VERDICT_FAIL;
}

Verdict refuse_failure(const Keeper *k, const Slot *s, uint64_t now, Problem *problem) {
        uint64_t next = MAX(s->failure.not_before, s->failure.retry_at);

        if (slot_rule(k, s, now)->timer == KEEPER_TIMER_BACK_OFF && next > now)
                (void)problem_set(
                        problem, s->failure.outcome, "%s Next try in %llu s.",
                        problem_text(&s->problem),
                        (long long unsigned)((next - now + USEC_PER_SEC - 1) / USEC_PER_SEC));
        else
                problem_copy(problem, &s->problem);
        return VERDICT_FAIL;
}

static long long unsigned seconds_up(uint64_t usec) {
        return (usec + USEC_PER_SEC - 1) / USEC_PER_SEC;
}

Verdict refuse_too_often(Keeper *k, Slot *s, uint64_t now, Problem *problem) {
        long long unsigned wait = seconds_up(MAX(slot_may_ask_at(s), now) - now);
        char spent[160];

        slot_explain_spent(s, now, spent, sizeof(spent));
        if (s->failure.outcome != OUTCOME_OK)
                (void)problem_set(problem, s->failure.outcome,
                                  "%s Not tried: after %s the identity service would take more for "
                                  "a loop. Try again in %llu s.",
                                  problem_text(&s->problem), spent, wait);
        else
                (void)problem_set(problem, OUTCOME_UNAVAILABLE,
                                  "%s: new tokens were asked for too often: %s; the identity "
                                  "service would take more for a loop. Try again in %llu s.",
                                  k->account->name, spent, wait);
        return VERDICT_FAIL;
}

Verdict refuse_untried(const Keeper *k, const Slot *s, uint64_t now, Problem *problem) {
        uint64_t at = policy_person_may_try_at(&s->failure, k->ledger.sent_usec);

        (void)problem_set(problem, s->failure.outcome,
                          "%s Not tried; last try %llu s ago. Try again in %llu s.",
                          problem_text(&s->problem),
                          (long long unsigned)((now - s->failure.tried) / USEC_PER_SEC),
                          seconds_up(MAX(at, now) - now));
        return VERDICT_FAIL;
}

int refuse_closed(const Keeper *k, Problem *problem) {
        return problem_set(problem, OUTCOME_CANCELLED,
                           "%s: the account was removed or set up anew.", k->account->name);
}

int refuse_challenge(const Keeper *k, Problem *problem) {
        return problem_set(problem, OUTCOME_LIMITS_EXCEEDED,
                           "%s: %d claims challenges wait for their tokens, and no more can. Try "
                           "again in a minute.",
                           k->account->name, LIMIT_CHALLENGES);
}

/* The text repeats the resource, so it has to be one. */
int refuse_resource(const Keeper *k, const char *resource, Problem *problem) {
        CLEANUP(freep) char *checked = NULL;

        if (value_read_resource(&checked, resource) < 0)
                return problem_set(
                        problem, OUTCOME_INVALID_ARGS,
                        "%s: what was asked for is no resource, which is a URI such as %s "
                        "or a GUID. Of a scope, it is what stands before /.default.",
                        k->account->name, k->account->resource);
        return problem_set(problem, OUTCOME_DENIED,
                           "%s: tokens for this resource are not allowed. Add it to the account's "
                           "line in accounts.conf: resources=%s",
                           k->account->name, checked);
}

/* Which command helps, if one does. */
static const char *explain_command(AccountSource source, const Problem *cause) {
        if (source == ACCOUNT_SOURCE_AZURE_CLI)
                return NULL;
        if (cause->outcome == OUTCOME_SIGN_IN_NEEDED)
                return "Run: iotc-token login";
        /* A proxy or a ca-bundle is not mended by another secret. */
        if (cause->outcome == OUTCOME_MISCONFIGURED &&
            source == ACCOUNT_SOURCE_CLIENT_CREDENTIALS && strstr(problem_text(cause), "secret "))
                return "To store a new secret: iotc-token login";
        return NULL;
}

void keeper_explain(const Keeper *k, const Problem *cause, Problem *ret) {
        const char *name = k->account->name;
        const char *command = explain_command(k->account->source, cause);

        if (k->account->source == ACCOUNT_SOURCE_COMMAND &&
            cause->outcome == OUTCOME_SIGN_IN_NEEDED && vault_state(k->vault) == VAULT_STATE_LOCKED)
                (void)problem_set(ret, OUTCOME_KEYRING_LOCKED,
                                  "%s: its program wants a person (%s), but the keyring is locked "
                                  "and may hold what it needs. Unlock it: iotc-token unlock",
                                  name, problem_text(cause));
        else if (command)
                (void)problem_set(ret, cause->outcome, "%s: %s %s %s", name, problem_text(cause),
                                  command, name);
        else if (k->account->builtin && cause->outcome == OUTCOME_SIGN_IN_NEEDED)
                (void)problem_set(ret, cause->outcome,
                                  "%s: %s Or sign in without az: iotc-token login", name,
                                  problem_text(cause));
        else if (k->account->source == ACCOUNT_SOURCE_AZURE_CLI &&
                 cause->outcome == OUTCOME_SIGN_IN_NEEDED)
                (void)problem_set(ret, cause->outcome, "%s: %s Or: iotc-token login %s", name,
                                  problem_text(cause), name);
        else if (cause->outcome == OUTCOME_BLOCKED && k->account->source == ACCOUNT_SOURCE_ENTRA)
                (void)problem_set(ret, cause->outcome, BLOCKED_FORMAT, name, problem_text(cause),
                                  name);
        else
                (void)problem_set(ret, cause->outcome, "%s: %s", name, problem_text(cause));
}
