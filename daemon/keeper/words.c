/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "keeper/words.h"
#include "model/limits.h"
#include "model/value.h"

static long long unsigned seconds_up(uint64_t usec) {
        return (usec + USEC_PER_SEC - 1) / USEC_PER_SEC;
}

/* The keyring answers, and has nothing for it. */
static void words_nothing(const Account *a, const Vault *vault, Problem *ret) {
        const char *name = a->name, *what = "nobody is signed in. Sign in", *option = "";
        const char *command = "login";

        if (a->source == ACCOUNT_SOURCE_API_TOKEN) {
                what = "no API token is stored. Store one";
                command = "api-token add";
                option = " --replace";
        } else if (a->source == ACCOUNT_SOURCE_CLIENT_CREDENTIALS)
                what = "no client secret is stored. Store one";
        if (vault_is_unread(vault))
                what = "the keyring's item for it is none that this version of iotc-tokend can "
                       "read. To store a new one in its place";
        (void)problem_set(ret, OUTCOME_SIGN_IN_NEEDED, "%s: %s: iotc-token %s %s%s", name, what,
                          command, name, option);
}

void words_sign_in(const Account *a, const Vault *vault, Problem *ret) {
        const char *name = a->name, *why = vault_complaint(vault);

        switch (vault_state(vault)) {
        case VAULT_STATE_LOCKED:
                if (why)
                        (void)problem_set(ret, OUTCOME_KEYRING_LOCKED, "%s: %s", name, why);
                else
                        (void)problem_set(ret, OUTCOME_KEYRING_LOCKED,
                                          "%s: the keyring is locked. Unlock it: iotc-token unlock",
                                          name);
                break;
        case VAULT_STATE_ABSENT:
                if (why)
                        (void)problem_set(ret, OUTCOME_KEYRING_ABSENT, "%s: %s", name, why);
                else
                        (void)problem_set(
                                ret, OUTCOME_KEYRING_ABSENT,
                                "%s: no keyring answers, so its secret can't be read. Start one "
                                "(gnome-keyring-daemon), or sign in until restart: iotc-token "
                                "login %s",
                                name, name);
                break;
        default:
                words_nothing(a, vault, ret);
                break;
        }
}

static void refuse_api_token(const RefusalFacts *f, Problem *ret) {
        const char *name = f->account->name;

        if (!f->slot->token)
                words_sign_in(f->account, f->vault, ret);
        else if (token_left_usec(f->slot->token, f->now) == 0)
                (void)problem_set(
                        ret, OUTCOME_SIGN_IN_NEEDED,
                        "%s: the API token has expired. Make a new one in the application "
                        "and store it: iotc-token api-token add %s --replace",
                        name, name);
        else
                (void)problem_set(ret, OUTCOME_UNAVAILABLE,
                                  "%s: the API token ends in under %u s. Make a new one in the "
                                  "application and store it: iotc-token api-token add %s --replace",
                                  name, f->wish.min_valid, name);
}

static void refuse_too_short(const RefusalFacts *f, Problem *ret) {
        uint64_t left = token_left_usec(f->slot->token, f->now) / USEC_PER_SEC;

        if (f->account->source == ACCOUNT_SOURCE_AZURE_CLI && f->wish.min_valid > 300)
                (void)problem_set(ret, OUTCOME_UNAVAILABLE,
                                  "%s: its token is valid for %llu s more, not %u s. az renews a "
                                  "token only in its last 300 s: ask for min-valid 300 at most, or "
                                  "use an account of source entra.",
                                  f->account->name, (long long unsigned)left, f->wish.min_valid);
        else
                (void)problem_set(ret, OUTCOME_UNAVAILABLE,
                                  "%s: a token just fetched is valid for %llu s, not %u s. Ask for "
                                  "a shorter min-valid.",
                                  f->account->name, (long long unsigned)left, f->wish.min_valid);
}

static void refuse_failure(const RefusalFacts *f, Problem *ret) {
        const Slot *s = f->slot;
        uint64_t next = MAX(s->failure.not_before, s->failure.retry_at);

        if (f->again && next > f->now)
                (void)problem_set(ret, s->failure.outcome, "%s Next try in %llu s.",
                                  problem_text(&s->problem), seconds_up(next - f->now));
        else
                problem_copy(ret, &s->problem);
}

static void refuse_too_often(const RefusalFacts *f, Problem *ret) {
        const Slot *s = f->slot;
        long long unsigned wait = seconds_up(MAX(slot_may_ask_at(s), f->now) - f->now);
        char spent[160];

        slot_explain_spent(s, f->now, spent, sizeof(spent));
        if (s->failure.outcome != OUTCOME_OK)
                (void)problem_set(ret, s->failure.outcome,
                                  "%s Not tried: after %s the identity service would take more for "
                                  "a loop. Try again in %llu s.",
                                  problem_text(&s->problem), spent, wait);
        else
                (void)problem_set(ret, OUTCOME_UNAVAILABLE,
                                  "%s: new tokens were asked for too often: %s; the identity "
                                  "service would take more for a loop. Try again in %llu s.",
                                  f->account->name, spent, wait);
}

static void refuse_untried(const RefusalFacts *f, Problem *ret) {
        const PolicyFailure *failure = &f->slot->failure;
        uint64_t at = policy_person_may_try_at(failure, f->sent_usec);

        (void)problem_set(ret, failure->outcome,
                          "%s Not tried; last try %llu s ago. Try again in %llu s.",
                          problem_text(&f->slot->problem),
                          (long long unsigned)((f->now - failure->tried) / USEC_PER_SEC),
                          seconds_up(MAX(at, f->now) - f->now));
}

static void refuse_timed_out(const RefusalFacts *f, Problem *ret) {
        const char *name = f->account->name;

        if (f->slot->failure.outcome != OUTCOME_OK)
                (void)problem_set(ret, OUTCOME_TIMED_OUT, "%s It is still being tried.",
                                  problem_text(&f->slot->problem));
        else
                (void)problem_set(ret, OUTCOME_TIMED_OUT,
                                  "%s: no token within %llu s; it is still being tried. Ask again, "
                                  "or see: iotc-token status %s",
                                  name, (long long unsigned)(f->timeout_usec / USEC_PER_SEC), name);
}

void words_refuse(Refusal why, const RefusalFacts *f, Problem *ret) {
        switch (why) {
        case REFUSAL_SIGN_IN:
                words_sign_in(f->account, f->vault, ret);
                break;
        case REFUSAL_API_TOKEN:
                refuse_api_token(f, ret);
                break;
        case REFUSAL_TOO_SHORT:
                refuse_too_short(f, ret);
                break;
        case REFUSAL_TOO_OFTEN:
                refuse_too_often(f, ret);
                break;
        case REFUSAL_UNTRIED:
                refuse_untried(f, ret);
                break;
        case REFUSAL_FAILURE:
                refuse_failure(f, ret);
                break;
        case REFUSAL_MISCONFIGURED:
                (void)words_misconfigured(f->account, ret);
                break;
        case REFUSAL_NOT_YET:
                (void)problem_set(ret, OUTCOME_UNAVAILABLE,
                                  "%s: no token is in memory yet; one is being fetched. Ask again "
                                  "in a moment.",
                                  f->account->name);
                break;
        case REFUSAL_TIMED_OUT:
                refuse_timed_out(f, ret);
                break;
        case REFUSAL_CHANGED:
                (void)problem_set(ret, OUTCOME_CANCELLED,
                                  "%s: its settings have changed. Ask again.", f->account->name);
                break;
        }
}

int words_misconfigured(const Account *a, Problem *ret) {
        if (!a->problem)
                return 0;
        return problem_set(ret, OUTCOME_MISCONFIGURED,
                           "%s: its settings can't be used (%s). Mend the line; the file is read "
                           "again when it is saved.",
                           a->name, a->problem);
}

int words_closed(const Account *a, Problem *ret) {
        return problem_set(ret, OUTCOME_CANCELLED, "%s: the account was removed or set up anew.",
                           a->name);
}

int words_challenges(const Account *a, Problem *ret) {
        return problem_set(ret, OUTCOME_LIMITS_EXCEEDED,
                           "%s: %d claims challenges wait for their tokens, and no more can. Try "
                           "again in a minute.",
                           a->name, LIMIT_CHALLENGES);
}

/* The text repeats the resource, so it has to be one. */
int words_resource(const Account *a, const char *resource, Problem *ret) {
        CLEANUP(freep) char *checked = NULL;

        if (value_read_resource(&checked, resource) < 0)
                return problem_set(
                        ret, OUTCOME_INVALID_ARGS,
                        "%s: what was asked for is no resource, which is a URI such as %s "
                        "or a GUID. Of a scope, it is what stands before /.default.",
                        a->name, a->resource);
        return problem_set(ret, OUTCOME_DENIED,
                           "%s: tokens for this resource are not allowed. Add it to the account's "
                           "line in accounts.conf: resources=%s",
                           a->name, checked);
}

int words_keyring(const Account *a, const Keyring *keyring, int outcome, Problem *ret) {
        const char *name = a->name, *why = keyring_complaint(keyring);

        if (outcome != 0 && why)
                return problem_set(ret,
                                   outcome == KEYRING_E_LOCKED || outcome == KEYRING_E_UNREADABLE
                                           ? OUTCOME_KEYRING_LOCKED
                                   : outcome == KEYRING_E_ABSENT ? OUTCOME_KEYRING_ABSENT
                                                                 : OUTCOME_UNAVAILABLE,
                                   "%s: %s", name, why);
        switch (outcome) {
        case 0:
                return 0;
        case KEYRING_E_LOCKED:
                return problem_set(ret, OUTCOME_KEYRING_LOCKED,
                                   "%s: the keyring is locked. Unlock it and try again: iotc-token "
                                   "unlock",
                                   name);
        case KEYRING_E_ABSENT:
                return problem_set(ret, OUTCOME_KEYRING_ABSENT,
                                   "%s: no keyring answers. Start one (gnome-keyring-daemon, "
                                   "KeePassXC) and try again.",
                                   name);
        case KEYRING_E_REFUSED:
                return problem_set(ret, OUTCOME_CANCELLED,
                                   "%s: the keyring's dialog was declined, so nothing was changed. "
                                   "To be asked again, do the same once more.",
                                   name);
        case KEYRING_E_SILENT:
                return problem_set(ret, OUTCOME_UNAVAILABLE,
                                   "%s: the keyring does not answer. Try again in a moment.", name);
        default:
                return problem_set(ret, OUTCOME_UNAVAILABLE,
                                   "%s: the keyring can't do it now. Is the disk full? Make room "
                                   "and try again.",
                                   name);
        }
}

bool words_unsaved(const Account *a, const Keyring *keyring, int outcome, Problem *ret) {
        const char *why = keyring_complaint(keyring), *name = a->name;

        if (outcome == KEYRING_E_FAILED)
                (void)problem_set(ret, OUTCOME_UNAVAILABLE,
                                  "%s: the keyring can't store its sign-in%s%s. It is kept in "
                                  "memory, and stored when that works again.",
                                  name, why ? ": " : "; is the disk full?", why ? why : "");
        else if (outcome == KEYRING_E_ASKS)
                (void)problem_set(ret, OUTCOME_KEYRING_LOCKED,
                                  "%s: the keyring's dialog waits for your answer. Its sign-in is "
                                  "kept in memory until you agree there.",
                                  name);
        else if (outcome == KEYRING_E_REFUSED)
                (void)problem_set(
                        ret, OUTCOME_KEYRING_LOCKED,
                        "%s: the keyring's dialog was declined, so its sign-in is kept in "
                        "memory only. To be asked again: iotc-token unlock",
                        name);
        else
                return false;
        return true;
}

/* The text is read on later days: it says when, not how long from now. */
void words_ends_soon(const Account *a, uint64_t ends_at, Problem *ret) {
        time_t at = (time_t)ends_at;
        char shown[32] = "";
        struct tm tm;

        if (gmtime_r(&at, &tm))
                (void)strftime(shown, sizeof(shown), "%Y-%m-%d %H:%M UTC", &tm);
        (void)problem_set(ret, OUTCOME_SIGN_IN_NEEDED,
                          "%s: its API token ends at %s. Put a new one in its place: iotc-token "
                          "api-token rotate %s, or api-token add %s --replace",
                          a->name, shown, a->name, a->name);
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

void words_explain(const Account *a, const Vault *vault, const Problem *cause, Problem *ret) {
        const char *name = a->name;
        const char *command = explain_command(a->source, cause);

        if (a->source == ACCOUNT_SOURCE_COMMAND && cause->outcome == OUTCOME_SIGN_IN_NEEDED &&
            vault_state(vault) == VAULT_STATE_LOCKED)
                (void)problem_set(ret, OUTCOME_KEYRING_LOCKED,
                                  "%s: its program wants a person (%s), but the keyring is locked "
                                  "and may hold what it needs. Unlock it: iotc-token unlock",
                                  name, problem_text(cause));
        else if (command)
                (void)problem_set(ret, cause->outcome, "%s: %s %s %s", name, problem_text(cause),
                                  command, name);
        else if (a->builtin && cause->outcome == OUTCOME_SIGN_IN_NEEDED)
                (void)problem_set(ret, cause->outcome,
                                  "%s: %s Or sign in without az: iotc-token login", name,
                                  problem_text(cause));
        else if (a->source == ACCOUNT_SOURCE_AZURE_CLI && cause->outcome == OUTCOME_SIGN_IN_NEEDED)
                (void)problem_set(ret, cause->outcome, "%s: %s Or: iotc-token login %s", name,
                                  problem_text(cause), name);
        else if (cause->outcome == OUTCOME_BLOCKED && a->source == ACCOUNT_SOURCE_ENTRA)
                (void)problem_set(ret, cause->outcome, BLOCKED_FORMAT, name, problem_text(cause),
                                  name);
        else
                (void)problem_set(ret, cause->outcome, "%s: %s", name, problem_text(cause));
}
