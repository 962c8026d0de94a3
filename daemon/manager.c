/* SPDX-License-Identifier: MIT */
#include "manager.h"
#include "io/config.h"
#include "io/log.h"
#include "model/host.h"
#include "model/limits.h"
#include "model/program.h"
#include "model/strv.h"

#define BUILTIN_NAME "azure-cli"

struct Manager {
        Env *env;
        char *system_path, *user_path;
        Keeper *accounts[ACCOUNTS_MAX + 1]; /* and the built-in one */
        size_t n_accounts;
        Keeper *leaving[ACCOUNTS_MAX]; /* removed; their item waits for the keyring */
        size_t n_leaving;
        Keeper *chosen; /* the default account */
        char *default_account;
        char **app_suffixes;
        bool ready; /* the first settings are in: news may go up */
};

struct ManagerOp {
        Manager *manager;
        Keeper *keeper; /* ours until it is in the list */
        KeeperOp *op;
        ManagerOpFn fn;
        void *userdata;
};

Keeper *manager_account(const Manager *m, size_t i) {
        return i < m->n_accounts ? m->accounts[i] : NULL;
}

Keeper *manager_find(const Manager *m, const char *name) {
        for (size_t i = 0; i < m->n_accounts; i++)
                if (streq(keeper_account(m->accounts[i])->name, name))
                        return m->accounts[i];
        return NULL;
}

Keeper *manager_default(const Manager *m) {
        return m->chosen;
}

/* The setting; else the only account of a person's own that gives bearer tokens; else the built-in
 * one. Worked out when the accounts change, not when somebody asks. */
static void manager_choose_default(Manager *m) {
        Keeper *before = m->chosen, *only = NULL, *builtin = NULL;
        size_t n = 0;

        for (size_t i = 0; i < m->n_accounts; i++) {
                const Account *a = keeper_account(m->accounts[i]);

                if (a->builtin)
                        builtin = m->accounts[i];
                else if (account_is_bearer(a)) {
                        only = m->accounts[i];
                        n++;
                }
        }
        if (m->default_account)
                m->chosen = manager_find(m, m->default_account);
        else
                m->chosen = n == 1 ? only : n == 0 ? builtin : NULL;
        if (m->ready && m->chosen != before)
                m->env->listener->manager_changed(MANAGER_CHANGED_DEFAULT_ACCOUNT,
                                                  m->env->listener_userdata);
}

static void accounts_append(Manager *m, Keeper *k) {
        m->accounts[m->n_accounts++] = k;
        m->env->listener->account_added(k, m->env->listener_userdata);
}

static void accounts_take(Manager *m, size_t i) {
        Keeper *k = m->accounts[i];

        m->env->listener->account_removed(k, m->env->listener_userdata);
        memmove(&m->accounts[i], &m->accounts[i + 1],
                (m->n_accounts - i - 1) * sizeof(m->accounts[0]));
        m->n_accounts--;
        if (m->chosen == k)
                m->chosen = NULL;
}

static int keeper_add(Manager *m, Account *account) {
        Keeper *k;
        int r;

        if (m->n_accounts == ARRAY_SIZE(m->accounts)) {
                account_free(account);
                return -ENOSPC;
        }
        r = keeper_new(&k, m->env, account);
        if (r == 0)
                accounts_append(m, k);
        return r;
}

/* The built-in account is there while nobody set up one of its source and az can be run. */
static int manager_update_builtin(Manager *m) {
        CLEANUP(freep) char *az = NULL;
        Account *account;
        bool wanted;
        int r;

        wanted = program_find(&az, "az", getenv("PATH")) == 0;
        for (size_t i = 0; i < m->n_accounts; i++) {
                const Account *a = keeper_account(m->accounts[i]);

                if (a->source == ACCOUNT_SOURCE_AZURE_CLI && !a->builtin)
                        wanted = false;
        }
        for (size_t i = 0; i < m->n_accounts; i++)
                if (keeper_account(m->accounts[i])->builtin) {
                        Keeper *k = m->accounts[i];

                        if (wanted)
                                return 0;
                        accounts_take(m, i);
                        keeper_free(k);
                        return 0;
                }
        if (!wanted || manager_find(m, BUILTIN_NAME))
                return 0;
        r = account_new(&account, BUILTIN_NAME, ACCOUNT_SOURCE_AZURE_CLI);
        if (r < 0)
                return r;
        account->builtin = true;
        return keeper_add(m, account);
}

static bool config_names(const Config *c, const char *name) {
        for (size_t i = 0; i < c->n_accounts; i++)
                if (streq(c->accounts[i]->name, name))
                        return true;
        return false;
}

static int globals_take(Manager *m, Config *c) {
        if (c->problem)
                log_warning("%s", c->problem);
        free(m->default_account);
        m->default_account = STEAL(c->default_account);
        m->app_suffixes = strv_free(m->app_suffixes);
        m->app_suffixes = STEAL(c->app_suffixes);
        free(m->env->proxy);
        m->env->proxy = STEAL(c->proxy);
        free(m->env->ca_bundle);
        m->env->ca_bundle = STEAL(c->ca_bundle);
        return 0;
}

/* Make the accounts what the settings say. */
static int manager_apply(Manager *m, Config *c) {
        int r;

        r = globals_take(m, c);
        if (r < 0)
                return r;
        for (size_t i = 0; i < m->n_accounts;) {
                Keeper *k = m->accounts[i];

                if (keeper_account(k)->builtin || config_names(c, keeper_account(k)->name)) {
                        i++;
                        continue;
                }
                /* Its secrets stay in the keyring: the group may come back. */
                accounts_take(m, i);
                keeper_free(k);
        }
        for (size_t i = 0; i < c->n_accounts; i++) {
                Keeper *k = manager_find(m, c->accounts[i]->name);

                if (c->accounts[i]->problem)
                        log_warning("%s: %s", c->accounts[i]->name, c->accounts[i]->problem);
                r = k ? keeper_configure(k, STEAL(c->accounts[i]))
                      : keeper_add(m, STEAL(c->accounts[i]));
                if (r < 0)
                        return r;
        }
        r = manager_update_builtin(m);
        if (r < 0)
                return r;
        manager_choose_default(m);
        return 0;
}

int manager_reload(Manager *m) {
        CLEANUP(config_freep) Config *c = NULL;
        int r;

        r = config_load(&c, m->system_path, m->user_path);
        if (r < 0)
                return r;
        return manager_apply(m, c);
}

int manager_new(Manager **ret, Env *env, const char *system_path, const char *user_path) {
        CLEANUP(manager_freep) Manager *m = NULL;
        int r;

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->env = env;
        m->system_path = system_path ? strdup(system_path) : NULL;
        m->user_path = user_path ? strdup(user_path) : NULL;
        if ((system_path && !m->system_path) || (user_path && !m->user_path))
                return -ENOMEM;
        r = manager_reload(m);
        if (r < 0)
                return r;
        m->ready = true;
        *ret = STEAL(m);
        return 0;
}

Manager *manager_free(Manager *m) {
        if (m) {
                while (m->n_accounts) {
                        Keeper *k = m->accounts[m->n_accounts - 1];

                        accounts_take(m, m->n_accounts - 1);
                        keeper_free(k);
                }
                while (m->n_leaving)
                        keeper_free(m->leaving[--m->n_leaving]);
                strv_free(m->app_suffixes);
                free(m->default_account);
                free(m->system_path);
                free(m->user_path);
                free(m);
        }
        return NULL;
}

static int resolve_default(const Manager *m, Keeper **ret, Problem *problem) {
        *ret = m->chosen;
        if (m->chosen)
                return 0;
        if (m->default_account)
                return problem_set(problem, OUTCOME_NO_SUCH_ACCOUNT,
                                   "The default account '%s' does not exist. Choose another: "
                                   "iotc-token default NAME",
                                   m->default_account);
        if (m->n_accounts == 0)
                return problem_set(problem, OUTCOME_NO_SUCH_ACCOUNT,
                                   "No account is set up. Sign in: iotc-token login");
        return problem_set(problem, OUTCOME_NO_SUCH_ACCOUNT,
                           "No account is the default. Name one, or choose one: iotc-token default "
                           "NAME (iotc-token list shows them)");
}

static bool host_is_trusted(const Manager *m, const char *host) {
        if (host_is_loopback(host))
                return true;
        for (char **s = m->app_suffixes; s && *s; s++)
                if (host_under(host, *s))
                        return true;
        return false;
}

static int resolve_app(const Manager *m, const char *selector, Keeper **ret, Problem *problem) {
        CLEANUP(freep) char *host = NULL;
        int r;

        r = host_normalize(&host, selector);
        if (r == -EINVAL)
                return problem_set(
                        problem, OUTCOME_INVALID_ARGS,
                        "The selector is no host name and no https URL (user names in it "
                        "are not allowed). Try: contoso.azureiotcentral.com");
        if (r < 0)
                return r;
        for (size_t i = 0; i < m->n_accounts; i++)
                if (account_has_app(keeper_account(m->accounts[i]), host)) {
                        *ret = m->accounts[i];
                        return 0;
                }
        if (!host_is_trusted(m, host))
                return problem_set(problem, OUTCOME_NO_SUCH_ACCOUNT,
                                   "No account lists %s, and it is under none of the setting "
                                   "app-suffixes. If the name is right: iotc-token login --app %s",
                                   host, host);
        r = resolve_default(m, ret, problem);
        if (r != 0)
                return r;
        if (!account_is_bearer(keeper_account(*ret)))
                return problem_set(
                        problem, OUTCOME_NO_SUCH_ACCOUNT,
                        "No account lists %s, and the default account holds an API token, "
                        "which is sent to its own applications only.",
                        host);
        return 0;
}

int manager_resolve(const Manager *m, const char *selector, Keeper **ret, Problem *problem) {
        Keeper *k;

        if (!*selector)
                return resolve_default(m, ret, problem);
        k = manager_find(m, selector);
        if (k) {
                *ret = k;
                return 0;
        }
        if (strlen(selector) > LIMIT_SELECTOR)
                return problem_set(problem, OUTCOME_INVALID_ARGS,
                                   "The selector is over %d bytes long.", LIMIT_SELECTOR);
        if (strpbrk(selector, "/:."))
                return resolve_app(m, selector, ret, problem);
        if (!account_name_valid(selector))
                return problem_set(
                        problem, OUTCOME_NO_SUCH_ACCOUNT,
                        "The selector is neither an account's name nor a host. iotc-token "
                        "list shows the accounts.");
        return problem_set(
                problem, OUTCOME_NO_SUCH_ACCOUNT,
                "There is no account '%s'. iotc-token list shows the accounts; iotc-token "
                "login %s makes it.",
                selector, selector);
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
                                "%s: the settings file is not rewritten while a line of it is bad "
                                "(%s). Mend the line first.",
                                name, text ? text : "see iotc-token status");
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
        return 0;
}

static int check_apps(const Manager *m, const Account *a, const Keeper *self, Problem *problem) {
        for (char **app = a->apps; app && *app; app++)
                for (size_t i = 0; i < m->n_accounts; i++)
                        if (m->accounts[i] != self &&
                            account_has_app(keeper_account(m->accounts[i]), *app))
                                return problem_set(problem, OUTCOME_INVALID_ARGS,
                                                   "%s: %s belongs to the account %s already.",
                                                   a->name, *app,
                                                   keeper_account(m->accounts[i])->name);
        return 0;
}

/* Write the new account's group and show it. On failure the keeper is gone. */
static int manager_admit(Manager *m, Keeper *k, Problem *problem) {
        const Account *a = keeper_account(k);
        char *text = NULL;
        Keeper *builtin;
        int r;

        r = config_put_account(m->user_path, a, &text);
        r = file_problem(r, text, a->name, problem);
        if (r != 0)
                return r;
        builtin = manager_find(m, a->name);
        for (size_t i = 0; builtin && i < m->n_accounts; i++)
                if (m->accounts[i] == builtin) {
                        accounts_take(m, i);
                        keeper_free(builtin);
                        break;
                }
        accounts_append(m, k);
        (void)manager_update_builtin(m);
        manager_choose_default(m);
        log_info("%s: added (%s)", a->name, account_source_to_string(a->source));
        return 0;
}

ManagerOp *manager_op_free(ManagerOp *op) {
        if (op) {
                keeper_op_free(op->op);
                keeper_free(op->keeper);
                free(op);
        }
        return NULL;
}

static void manager_leave(Manager *m, Keeper *k) {
        keeper_remove(k);
        if (keeper_is_forgotten(k) || m->n_leaving == ACCOUNTS_MAX)
                keeper_free(k);
        else
                m->leaving[m->n_leaving++] = k;
}

static void add_on_stored(const Problem *stored, void *userdata) {
        ManagerOp *op = userdata;
        Problem problem = { 0 };
        int r = (int)stored->outcome;

        op->op = keeper_op_free(op->op);
        problem_copy(&problem, stored);
        if (r == 0 && manager_find(op->manager, keeper_account(op->keeper)->name))
                r = problem_set(&problem, OUTCOME_ACCOUNT_EXISTS,
                                "%s: there is such an account now.",
                                keeper_account(op->keeper)->name);
        else if (r == 0) {
                r = manager_admit(op->manager, op->keeper, &problem);
                if (r > 0)
                        manager_leave(op->manager, STEAL(op->keeper));
        }
        if (r < 0)
                (void)problem_set(&problem, OUTCOME_FAILED, "Memory is short; try again.");
        op->fn(r == 0 ? STEAL(op->keeper) : NULL, &problem, op->userdata);
        problem_clear(&problem);
}

int manager_add(Manager *m, Account *account, const char *secret, ManagerOp **ret, ManagerOpFn fn,
                void *userdata, Problem *problem) {
        CLEANUP(manager_op_freep) ManagerOp *op = NULL;
        CLEANUP(account_freep) Account *a = account;
        Keeper *existing = manager_find(m, a->name);
        int r;

        *ret = NULL;
        if (existing &&
            !(keeper_account(existing)->builtin && a->source == ACCOUNT_SOURCE_AZURE_CLI))
                return problem_set(
                        problem, OUTCOME_ACCOUNT_EXISTS,
                        "%s: there is such an account already. Remove it first: iotc-token "
                        "remove %s",
                        a->name, a->name);
        if (streq(a->name, BUILTIN_NAME) && a->source != ACCOUNT_SOURCE_AZURE_CLI)
                return problem_set(problem, OUTCOME_INVALID_ARGS,
                                   "The name azure-cli is kept for accounts of that source.");
        if (m->n_accounts >= ACCOUNTS_MAX)
                return problem_set(problem, OUTCOME_LIMITS_EXCEEDED,
                                   "There are %d accounts already. Remove one first.",
                                   ACCOUNTS_MAX);
        r = check_apps(m, a, existing, problem);
        if (r != 0)
                return r;

        op = calloc(1, sizeof(*op));
        if (!op)
                return -ENOMEM;
        *op = (ManagerOp){ .manager = m, .fn = fn, .userdata = userdata };
        r = keeper_new(&op->keeper, m->env, STEAL(a));
        if (r < 0)
                return r;
        if (!secret) {
                r = manager_admit(m, op->keeper, problem);
                if (r == 0)
                        op->keeper = NULL; /* the list's */
                return r;
        }
        r = keeper_set_secret(op->keeper, secret, &op->op, add_on_stored, op, problem);
        if (r != 0)
                return r;
        *ret = STEAL(op);
        return 0;
}

int manager_remove(Manager *m, Keeper *k, Problem *problem) {
        const char *name = keeper_account(k)->name;
        char *text = NULL;
        int r;

        r = manager_check_changeable(m, k, problem);
        if (r != 0)
                return r;
        r = config_remove_account(m->user_path, name, &text);
        r = file_problem(r, text, name, problem);
        if (r != 0)
                return r;
        log_info("%s: removed", name);
        if (streq(m->default_account, name)) {
                text = NULL;
                (void)config_set_default(m->system_path, m->user_path, NULL, &text);
                free(text);
                free(m->default_account);
                m->default_account = NULL;
        }
        for (size_t i = 0; i < m->n_accounts; i++)
                if (m->accounts[i] == k) {
                        accounts_take(m, i);
                        break;
                }
        manager_leave(m, k);
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
        if (r != 0)
                return r;
        return keeper_configure(k, STEAL(a));
}

int manager_set_default(Manager *m, const char *name, Problem *problem) {
        char *copy = NULL, *text = NULL;
        int r;

        if (!str_empty(name)) {
                if (!manager_find(m, name))
                        return problem_set(
                                problem, OUTCOME_NO_SUCH_ACCOUNT,
                                "There is no account of that name. iotc-token list shows "
                                "the accounts.");
                copy = strdup(name);
                if (!copy)
                        return -ENOMEM;
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

static void leaving_sweep(Manager *m) {
        for (size_t i = 0; i < m->n_leaving;)
                if (keeper_is_forgotten(m->leaving[i])) {
                        keeper_free(m->leaving[i]);
                        m->leaving[i] = m->leaving[--m->n_leaving];
                } else
                        i++;
}

void manager_on_keyring(Manager *m, KeyringState state) {
        leaving_sweep(m);
        for (size_t i = 0; i < m->n_accounts; i++)
                keeper_on_keyring(m->accounts[i], state);
        for (size_t i = 0; i < m->n_leaving; i++)
                keeper_on_keyring(m->leaving[i], state);
        m->env->listener->manager_changed(MANAGER_CHANGED_KEYRING_STATE, m->env->listener_userdata);
}

void manager_on_online(Manager *m) {
        for (size_t i = 0; i < m->n_accounts; i++)
                keeper_on_online(m->accounts[i]);
}

bool manager_is_settled(const Manager *m) {
        for (size_t i = 0; i < m->n_accounts; i++)
                if (!keeper_is_settled(m->accounts[i]))
                        return false;
        return true;
}

bool manager_flush(Manager *m) {
        bool clean = true;

        leaving_sweep(m);
        for (size_t i = 0; i < m->n_accounts; i++)
                clean = keeper_flush(m->accounts[i]) && clean;
        for (size_t i = 0; i < m->n_leaving; i++)
                clean = keeper_flush(m->leaving[i]) && clean;
        return clean;
}
