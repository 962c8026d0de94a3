/* SPDX-License-Identifier: MIT */
/*
 * What is done to an account: signing out, a new secret, other settings, its removal, and the news
 * from outside (keyring, network, a server that refuses a token).
 */
#include "common/text.h"
#include "io/log.h"
#include "keeper/source.h"
#include "keeper/turn.h"
#include "model/limits.h"

#define REPORT_AGAIN_USEC (60 * USEC_PER_SEC)

/* A change that the keyring is told first. It goes on when the caller leaves, unless a person is
 * being asked: who leaves then has thought better of it. */
struct KeeperOp {
        Keeper *keeper;
        VaultOp *op;
        KeeperEvent event; /* what has happened when it is done */
        KeeperOpFn fn;     /* NULL: the caller has left */
        void *userdata;
};

void keeper_op_give_up(KeeperOp *op) {
        vault_give_up(op->keeper->vault);
}

KeeperOp *keeper_op_free(KeeperOp *op) {
        if (op && op->op) {
                op->fn = NULL; /* freed when the keyring has answered */
                keeper_op_give_up(op);
        } else
                free(op);
        return NULL;
}

static int keyring_problem(const Keeper *k, int outcome, Problem *problem) {
        const char *name = k->account->name, *why = keyring_complaint(k->env->keyring);

        if (outcome != 0 && why)
                return problem_set(problem,
                                   outcome == KEYRING_E_LOCKED || outcome == KEYRING_E_UNREADABLE
                                           ? OUTCOME_KEYRING_LOCKED
                                   : outcome == KEYRING_E_ABSENT ? OUTCOME_KEYRING_ABSENT
                                                                 : OUTCOME_UNAVAILABLE,
                                   "%s: %s", name, why);
        switch (outcome) {
        case 0:
                return 0;
        case KEYRING_E_LOCKED:
                return problem_set(problem, OUTCOME_KEYRING_LOCKED,
                                   "%s: the keyring is locked. Unlock it and try again: iotc-token "
                                   "unlock",
                                   name);
        case KEYRING_E_ABSENT:
                return problem_set(problem, OUTCOME_KEYRING_ABSENT,
                                   "%s: no keyring answers. Start one (gnome-keyring-daemon, "
                                   "KeePassXC) and try again.",
                                   name);
        case KEYRING_E_REFUSED:
                return problem_set(problem, OUTCOME_CANCELLED,
                                   "%s: the keyring's dialog was declined, so nothing was changed. "
                                   "To be asked again, do the same once more.",
                                   name);
        case KEYRING_E_SILENT:
                return problem_set(problem, OUTCOME_UNAVAILABLE,
                                   "%s: the keyring does not answer. Try again in a moment.", name);
        default:
                return problem_set(problem, OUTCOME_UNAVAILABLE,
                                   "%s: the keyring can't do it now. Is the disk full? Make room "
                                   "and try again.",
                                   name);
        }
}

void keeper_tell_unsaved(Keeper *k, int outcome) {
        const char *why = keyring_complaint(k->env->keyring), *name = k->account->name;
        Problem problem = { 0 };

        if (outcome == KEYRING_E_FAILED)
                (void)problem_set(&problem, OUTCOME_UNAVAILABLE,
                                  "%s: the keyring can't store its sign-in%s%s. It is kept in "
                                  "memory, and stored when that works again.",
                                  name, why ? ": " : "; is the disk full?", why ? why : "");
        else if (outcome == KEYRING_E_ASKS)
                (void)problem_set(&problem, OUTCOME_KEYRING_LOCKED,
                                  "%s: the keyring's dialog waits for your answer. Its sign-in is "
                                  "kept in memory until you agree there.",
                                  name);
        else if (outcome == KEYRING_E_REFUSED)
                (void)problem_set(
                        &problem, OUTCOME_KEYRING_LOCKED,
                        "%s: the keyring's dialog was declined, so its sign-in is kept in "
                        "memory only. To be asked again: iotc-token unlock",
                        name);
        else
                return;
        k->unsaved = true;
        keeper_set_last_error(k, &problem);
        problem_clear(&problem);
}

void keeper_tell_saved(Keeper *k) {
        Problem none = { 0 };

        if (k->unsaved && (k->last_error.outcome == OUTCOME_UNAVAILABLE ||
                           k->last_error.outcome == OUTCOME_KEYRING_LOCKED))
                keeper_set_last_error(k, &none);
        k->unsaved = false;
}

/* A person has changed what it lives on: the old error is history, and who waits may be helped. */
static void keeper_start_over(Keeper *k) {
        Problem none = { 0 };

        keeper_set_last_error(k, &none);
        for (Slot *s = k->slots; s; s = s->next)
                slot_settle(k, s, false);
        keeper_publish(k);
}

static void op_on_saved(int outcome, void *userdata) {
        KeeperOp *op = userdata;
        Keeper *k = op->keeper;
        Problem problem = { 0 };

        op->op = vault_op_free(op->op);
        if (outcome == 0) {
                keeper_happened(k, op->event);
                keeper_adopt_record(k);
                keeper_start_over(k);
        }
        if (!op->fn) {
                free(op);
                return;
        }
        if (k->closed)
                (void)refuse_closed(k, &problem);
        else
                (void)keyring_problem(k, outcome, &problem);
        op->fn(&problem, op->userdata);
        problem_clear(&problem);
}

/* Another secret, or none: nothing has changed before the keyring has it. */
static int keeper_change(Keeper *k, KeeperEvent event, const char *secret, KeeperOp **ret,
                         KeeperOpFn fn, void *userdata, Problem *problem) {
        CLEANUP(freep) KeeperOp *op = NULL;
        int r;

        op = calloc(1, sizeof(*op));
        if (!op)
                return -ENOMEM;
        *op = (KeeperOp){ .keeper = k, .event = event, .fn = fn, .userdata = userdata };
        r = vault_replace(k->vault, &op->op, secret, op_on_saved, op);
        if (r == -EBUSY)
                return problem_set(problem, OUTCOME_UNAVAILABLE,
                                   "%s: another change of its secret is under way. Try again in a "
                                   "moment.",
                                   k->account->name);
        if (r < 0)
                return r;
        *ret = STEAL(op);
        return 0;
}

int keeper_set_secret(Keeper *k, const char *secret, KeeperOp **ret, KeeperOpFn fn, void *userdata,
                      Problem *problem) {
        int r;

        r = source_check_secret(k->account, secret, env_true_of(k->env, clock_boottime()), problem);
        if (r != 0)
                return r;
        return keeper_change(k, KEEPER_EVENT_SECRET_SET, secret, ret, fn, userdata, problem);
}

int keeper_sign_out(Keeper *k, KeeperOp **ret, KeeperOpFn fn, void *userdata, Problem *problem) {
        if (k->account->source == ACCOUNT_SOURCE_AZURE_CLI)
                return problem_set(problem, OUTCOME_MISCONFIGURED,
                                   "%s: its sign-in belongs to the Azure CLI. Sign out there: az "
                                   "logout",
                                   k->account->name);
        return keeper_change(k, KEEPER_EVENT_SIGNED_OUT, NULL, ret, fn, userdata, problem);
}

bool keeper_may_be_stored(const Keeper *k) {
        return vault_may_be_stored(k->vault);
}

int keeper_clear(Keeper *k, KeeperOp **ret, KeeperOpFn fn, void *userdata, Problem *problem) {
        return keeper_change(k, KEEPER_EVENT_SIGNED_OUT, NULL, ret, fn, userdata, problem);
}

bool keeper_owes_secret(const Keeper *k) {
        return exchange_owes_secret(k->exchange);
}

/* Resources that the settings do not name any more are not kept fresh. */
static void keeper_drop_slots(Keeper *k) {
        for (Slot *s = k->slots->next; s; s = s->next) {
                Problem problem = { 0 };

                if (account_allows_resource(k->account, s->resource))
                        continue;
                (void)problem_set(&problem, OUTCOME_CANCELLED,
                                  "%s: its settings have changed. Ask again.", k->account->name);
                slot_fail_waiters(s, &problem);
                problem_clear(&problem);
                s->wanted = false;
                if (k->exchanging == s && !exchange_owes_secret(k->exchange))
                        keeper_abort_exchange(k, false);
        }
}

/* Another resource of its own. An exchange for the former one, whose refresh token is owed to us,
 * ends in the former one's slot. */
static int keeper_set_resource(Keeper *k, const char *resource) {
        Slot *former = k->slots, *own = slot_get(&k->slots, resource, NULL);
        Slot **p = &k->slots;

        if (!own)
                return -ENOMEM;
        if (!exchange_owes_secret(k->exchange))
                keeper_abort_exchange(k, false);
        keeper_happened(k, KEEPER_EVENT_OTHER_RESOURCE);
        if (k->finish)
                k->fetched = token_unref(k->fetched); /* a sign-in's, for the former resource */
        while (*p != own)
                p = &(*p)->next;
        *p = own->next;
        own->next = k->slots;
        k->slots = own;
        own->used_usec = MAX(own->used_usec, former->used_usec);
        former->forced = false;
        slot_move_unnamed(former, own);
        return 0;
}

int keeper_configure(Keeper *k, Account *taken) {
        CLEANUP(account_freep) Account *account = taken;
        bool same = account_same_identity(k->account, account);
        int r;

        if (!streq(k->slots->resource, account->resource)) {
                r = keeper_set_resource(k, account->resource);
                if (r < 0)
                        return r;
        }
        if (!same) {
                keeper_happened(k, KEEPER_EVENT_OTHER_IDENTITY);
                /* A record does not name all of it: a subscription, a command. */
                keeper_drop_stored_tokens(k);
        }
        r = vault_set_account(k->vault, account);
        if (r < 0)
                return r;
        if (k->account->problem && k->last_error.outcome == OUTCOME_MISCONFIGURED)
                problem_clear(&k->last_error);
        account_free(k->account);
        k->account = STEAL(account);
        keeper_watch_az(k);
        (void)keeper_misconfigured(k, &k->last_error);
        keeper_drop_slots(k);
        for (Slot *s = k->slots; s; s = s->next)
                slot_settle(k, s, false);
        keeper_wake(k);
        k->env->listener->account_changed(k, ACCOUNT_CHANGED_SETTINGS | ACCOUNT_CHANGED_LAST_ERROR,
                                          k->env->listener_userdata);
        keeper_publish(k);
        return 0;
}

int keeper_report_rejected(Keeper *k, const char *token, const char *claims, const char *caller,
                           Problem *problem) {
        uint64_t now = clock_boottime();
        Problem rejected = { 0 };
        Slot *s, *fetch;

        for (s = k->slots; s; s = s->next)
                if (s->token && streq(s->token->value, token))
                        break;
        if (!s)
                return 0;
        log_info("%s: a server rejected its token", k->account->name);
        if (k->account->source == ACCOUNT_SOURCE_API_TOKEN) {
                (void)problem_set(&rejected, OUTCOME_SIGN_IN_NEEDED,
                                  "%s: the application rejected the API token. If it was deleted "
                                  "there, store a new one: iotc-token api-token add %s --replace",
                                  k->account->name, k->account->name);
                keeper_set_last_error(k, &rejected);
                problem_clear(&rejected);
                return 0;
        }
        if ((k->rejected_usec && now - k->rejected_usec < REPORT_AGAIN_USEC) ||
            !policy_may_try(slot_rule(k, s, now)->asked, &s->failure, true, now) ||
            !slot_has_budget(s, now))
                return 0;
        fetch = claims ? slot_get(&k->slots, s->resource, claims) : s;
        if (!fetch)
                return refuse_challenge(k, problem);
        k->rejected_usec = now;
        free(s->reporter);
        s->reporter = caller ? strdup(caller) : NULL;
        fetch->wanted = true;
        fetch->wished = true;
        fetch->forced = true;
        fetch->trusted = true; /* none from a sandbox comes this far */
        keeper_pump(k);
        keeper_publish(k);
        return 0;
}

void keeper_on_keyring(Keeper *k, KeyringState state) {
        vault_on_keyring(k->vault, state);
        keeper_publish(k);
}

void keeper_on_online(Keeper *k) {
        uint64_t now = clock_boottime();

        for (Slot *s = k->slots; s; s = s->next) {
                const KeeperRule *rule = slot_rule(k, s, now);
                uint64_t at = slot_may_ask_at(s);

                /* What az would rather wait for is its own pause, and no server's. */
                if (rule->timer != KEEPER_TIMER_BACK_OFF || k->exchanging == s ||
                    (s->failure.not_before > now && rule->asked != KEEPER_TRY_SOON))
                        continue;
                s->failures = 0;
                s->failure.retry_at = MIN(s->failure.retry_at, MAX(at, now));
                s->wanted = s->wanted || at <= now;
        }
        keeper_pump(k);
        keeper_publish(k);
}

void keeper_on_sleep(Keeper *k) {
        if (k->exchange && !exchange_is_sent(k->exchange))
                keeper_abort_exchange(k, true);
        for (Slot *s = k->slots; s; s = s->next)
                slot_settle(k, s, false);
        keeper_publish(k);
}

bool keeper_is_awaited(const Keeper *k) {
        for (const Slot *s = k->slots; s; s = s->next)
                if (s->waiters)
                        return true;
        return false;
}

bool keeper_is_settled(const Keeper *k) {
        return vault_state(k->vault) != VAULT_STATE_LOADING;
}

bool keeper_flush(Keeper *k) {
        return vault_flush(k->vault) &&
               (k->account->source != ACCOUNT_SOURCE_ENTRA || !keeper_owes_secret(k));
}
