/* SPDX-License-Identifier: MIT */
/*
 * Changing the set of accounts: each change is in the settings file, or it has not happened.
 */
#include "accounts/manager-private.h"
#include "common/memory.h"
#include "common/text.h"
#include "io/config/config.h"
#include "io/log.h"
#include "model/limits.h"

static int check_writable(const Manager *m, Problem *problem) {
        if (m->user_path)
                return 0;
        return problem_set(
                problem, OUTCOME_FAILED,
                "There is no place for settings: neither XDG_CONFIG_HOME nor HOME is set.");
}

static int file_problem(int r, char *text, const char *name, Problem *problem) {
        switch (r) {
        case 0:
                free(text);
                return 0;
        case CONFIG_E_SYSTEM:
                r = problem_set(problem, OUTCOME_DENIED,
                                "%s: it is set up in the system's file; only an administrator can "
                                "change it there.",
                                name);
                break;
        case CONFIG_E_BAD_FILE:
                r = problem_set(problem, OUTCOME_MISCONFIGURED,
                                "%s: the settings file is not changed while something is wrong "
                                "with it: %s. Mend that first.",
                                name, text ? text : "see 'iotc-token status'");
                break;
        case -ENOMEM:
                break;
        default:
                r = problem_set(problem, OUTCOME_FAILED,
                                "%s: the settings file can't be written: %s. Nothing was changed.",
                                name, strerror(-r));
                break;
        }
        free(text);
        return r;
}

int manager_check_changeable(const Manager *m, const Keeper *k, Problem *problem) {
        const Account *a = keeper_account(k);

        if (a->system)
                return file_problem(CONFIG_E_SYSTEM, NULL, a->name, problem);
        if (a->builtin)
                return problem_set(
                        problem, OUTCOME_DENIED,
                        "%s: the built-in account can't be changed or removed. Set up one of "
                        "your own: iotc-token login",
                        a->name);
        return check_writable(m, problem);
}

/* Whoever else lists an application, be it only on the way in. */
static const Account *app_owner(const Manager *m, const char *app, const Keeper *self) {
        for (size_t i = 0; i < m->n_accounts; i++)
                if (m->accounts[i] != self && account_has_app(keeper_account(m->accounts[i]), app))
                        return keeper_account(m->accounts[i]);
        for (const ManagerOp *op = m->ops; op; op = op->next)
                if (op->keeper != self && account_has_app(keeper_account(op->keeper), app))
                        return keeper_account(op->keeper);
        return NULL;
}

static int check_apps(const Manager *m, const Account *a, const Keeper *self, Problem *problem) {
        for (char **app = a->apps; app && *app; app++) {
                const Account *owner = app_owner(m, *app, self);

                if (owner)
                        return problem_set(problem, OUTCOME_INVALID_ARGS,
                                           "%s: %s belongs to the account %s already. To "
                                           "take it from there: iotc-token app remove %s",
                                           a->name, *app, owner->name, *app);
        }
        return 0;
}

int manager_check_new(const Manager *m, const Account *a, const Keeper *self, Problem *problem) {
        const Keeper *existing = manager_find(m, a->name);
        size_t n = m->n_accounts;
        bool taken;

        taken = existing &&
                !(keeper_account(existing)->builtin && a->source == ACCOUNT_SOURCE_AZURE_CLI);
        for (const ManagerOp *op = m->ops; op; op = op->next)
                if (!op->removes && op->keeper != self) {
                        taken = taken || streq(keeper_account(op->keeper)->name, a->name);
                        n++;
                }
        if (existing && keeper_account(existing)->system)
                return problem_set(problem, OUTCOME_ACCOUNT_EXISTS,
                                   "%s: there is such an account already, set up in the system's "
                                   "file. Choose another name.",
                                   a->name);
        if (taken)
                return problem_set(
                        problem, OUTCOME_ACCOUNT_EXISTS,
                        "%s: there is such an account already. Remove it first: iotc-token "
                        "remove %s",
                        a->name, a->name);
        if (n >= ACCOUNTS_MAX)
                return problem_set(problem, OUTCOME_LIMITS_EXCEEDED,
                                   "There are %d accounts already. Remove one first.",
                                   ACCOUNTS_MAX);
        return check_apps(m, a, self, problem);
}

int manager_admit(Manager *m, Keeper *k, Problem *problem) {
        const Account *a = keeper_account(k);
        const char *written = manager_default_to_write(m, a);
        CLEANUP(added_deinit) Added added = { 0 };
        CLEANUP(freep) char *copy = NULL;
        char *text = NULL;
        Keeper *builtin;
        int r;

        r = check_writable(m, problem);
        if (r != 0)
                return r;
        added_init(&added, m, a->name);
        copy = xstrdup(written);
        r = config_add_account(m->system_path, m->user_path, a, m->default_account, copy,
                               &added.undo, &text);
        r = file_problem(r, text, a->name, problem);
        if (r != 0)
                return r;
        added_deinit(&m->added);
        m->added = added;
        added = (Added){ 0 };
        builtin = manager_find(m, a->name);
        if (builtin) {
                manager_take(m, builtin);
                keeper_free(builtin);
        }
        manager_append(m, k);
        (void)manager_update_builtin(m);
        if (copy) {
                free(m->default_account);
                m->default_account = STEAL(copy);
                log_info("%s: the default account, in the settings from now on",
                         m->default_account);
        }
        manager_choose_default(m);
        log_info("%s: added (%s)", a->name, account_source_to_string(a->source));
        return 0;
}

/* The account that was added last leaves the file as it was, if nothing changed it since. */
static int remove_from_file(Manager *m, const char *name, char **ret_problem) {
        int r;

        r = streq(m->added.name, name) ? config_undo_add(m->user_path, m->added.undo) : 0;
        if (r > 0) {
                free(m->default_account);
                m->default_account = STEAL(m->added.default_before);
                added_deinit(&m->added);
                return 0;
        }
        if (r == 0)
                r = config_remove_account(m->system_path, m->user_path, name, ret_problem);
        if (r == 0 && streq(m->default_account, name))
                free(STEAL(m->default_account));
        return r;
}

int manager_check_removable(Manager *m, Keeper *k, Problem *problem) {
        char *text = NULL;
        int r;

        r = manager_check_changeable(m, k, problem);
        if (r != 0)
                return r;
        r = config_try_write(m->user_path, &text);
        return file_problem(r, text, keeper_account(k)->name, problem);
}

int manager_take_out(Manager *m, Keeper *k, Problem *problem) {
        const char *name = keeper_account(k)->name;
        char *text = NULL;
        int r;

        r = manager_check_changeable(m, k, problem);
        if (r != 0)
                return r;
        r = remove_from_file(m, name, &text);
        r = file_problem(r, text, name, problem);
        if (r != 0)
                return r;
        log_info("%s: removed", name);
        manager_take(m, k);
        keeper_free(k);
        (void)manager_update_builtin(m);
        manager_choose_default(m);
        return 0;
}

int manager_configure(Manager *m, Keeper *k, Account *account, Problem *problem) {
        CLEANUP(account_freep) Account *a = account;
        char *text = NULL;
        int r;

        r = manager_check_changeable(m, k, problem);
        if (r == 0)
                r = check_apps(m, a, k, problem);
        if (r != 0)
                return r;
        r = config_put_account(m->user_path, a, &text);
        r = file_problem(r, text, a->name, problem);
        if (r != 0 || account_same_settings(keeper_account(k), a))
                return r;
        return keeper_configure(k, STEAL(a));
}

static int refuse_unknown(const char *name, Problem *problem) {
        CLEANUP(freep) char *shown = text_clean(name, LIMIT_KEY_SHOWN);

        return problem_set(problem, OUTCOME_NO_SUCH_ACCOUNT,
                           "There is no account '%s'. 'iotc-token list' shows the accounts.",
                           shown ?: "");
}

int manager_set_default(Manager *m, const char *name, Problem *problem) {
        char *copy = NULL, *text = NULL;
        int r;

        if (!str_empty(name)) {
                if (!manager_find(m, name))
                        return refuse_unknown(name, problem);
                copy = xstrdup(name);
        }
        r = check_writable(m, problem);
        if (r != 0) {
                free(copy);
                return r;
        }
        r = config_set_default(m->system_path, m->user_path, copy, &text);
        r = file_problem(r, text, "default", problem);
        if (r != 0) {
                free(copy);
                return r;
        }
        free(m->default_account);
        m->default_account = copy;
        manager_choose_default(m);
        return 0;
}
