/* SPDX-License-Identifier: MIT */
#include "io/config.h"
#include "io/log.h"
#include "manager-private.h"
#include "model/program.h"
#include "model/strv.h"

/* After a sleep the route comes back within this time or is not waited for ... */
#define RESUME_WAIT_USEC   (5 * USEC_PER_SEC)
/* ... and machines that wake together do not ask together. */
#define RESUME_SPREAD_USEC (1 * USEC_PER_SEC)

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
void manager_choose_default(Manager *m) {
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

void manager_append(Manager *m, Keeper *k) {
        /* One of the same name that was removed: the deletion of its item is the new one's now. */
        for (size_t i = 0; i < m->n_leaving; i++)
                if (streq(keeper_account(m->leaving[i])->name, keeper_account(k)->name)) {
                        keeper_free(m->leaving[i]);
                        m->leaving[i] = m->leaving[--m->n_leaving];
                        keeper_forget_former(k);
                        break;
                }
        m->accounts[m->n_accounts++] = k;
        m->env->listener->account_added(k, m->env->listener_userdata);
}

void manager_take(Manager *m, Keeper *k) {
        size_t i = 0;

        while (m->accounts[i] != k)
                i++;
        keeper_close(k);
        m->env->listener->account_removed(k, m->env->listener_userdata);
        memmove(&m->accounts[i], &m->accounts[i + 1],
                (m->n_accounts - i - 1) * sizeof(m->accounts[0]));
        m->n_accounts--;
        if (m->chosen == k)
                m->chosen = NULL;
}

void manager_sweep(Manager *m) {
        for (size_t i = 0; i < m->n_leaving;)
                if (keeper_is_forgotten(m->leaving[i])) {
                        keeper_free(m->leaving[i]);
                        m->leaving[i] = m->leaving[--m->n_leaving];
                } else
                        i++;
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
                manager_append(m, k);
        return r;
}

/* The built-in account is there while nobody set up one of its source and az can be run. */
int manager_update_builtin(Manager *m) {
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
                        manager_take(m, k);
                        keeper_free(k);
                        return 0;
                }
        if (!wanted || manager_find(m, MANAGER_BUILTIN_NAME))
                return 0;
        r = account_new(&account, MANAGER_BUILTIN_NAME, ACCOUNT_SOURCE_AZURE_CLI);
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
                manager_take(m, k);
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

/* The accounts that somebody waits for come first. */
static void manager_try_again(Manager *m) {
        for (size_t i = 0; i < m->n_accounts; i++)
                if (keeper_is_awaited(m->accounts[i]))
                        keeper_on_online(m->accounts[i]);
        for (size_t i = 0; i < m->n_accounts; i++)
                if (!keeper_is_awaited(m->accounts[i]))
                        keeper_on_online(m->accounts[i]);
}

static void manager_on_resume_time(void *userdata) {
        Manager *m = userdata;

        m->resuming = false;
        m->env->asleep = false;
        manager_try_again(m);
}

static void resume_arm(Manager *m, uint64_t delay) {
        timer_arm(m->resume, clock_boottime() + delay + random_number() % RESUME_SPREAD_USEC);
}

int manager_new(Manager **ret, Env *env, const char *system_path, const char *user_path) {
        CLEANUP(manager_freep) Manager *m = NULL;
        int r;

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->env = env;
        r = timer_new(&m->resume, env->event, manager_on_resume_time, m);
        if (r < 0)
                return r;
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

                        manager_take(m, k);
                        keeper_free(k);
                }
                while (m->n_leaving)
                        keeper_free(m->leaving[--m->n_leaving]);
                strv_free(m->app_suffixes);
                free(m->default_account);
                timer_free(m->resume);
                free(m->system_path);
                free(m->user_path);
                free(m);
        }
        return NULL;
}

void manager_on_keyring(Manager *m, KeyringState state) {
        manager_sweep(m);
        for (size_t i = 0; i < m->n_accounts; i++)
                keeper_on_keyring(m->accounts[i], state);
        for (size_t i = 0; i < m->n_leaving; i++)
                keeper_on_keyring(m->leaving[i], state);
        m->env->listener->manager_changed(MANAGER_CHANGED_KEYRING_STATE, m->env->listener_userdata);
}

void manager_on_online(Manager *m, bool online) {
        if (m->env->online != online) {
                m->env->online = online;
                m->env->listener->manager_changed(MANAGER_CHANGED_ONLINE,
                                                  m->env->listener_userdata);
        }
        if (!online)
                return;
        if (m->resuming)
                resume_arm(m, 0);
        else
                manager_try_again(m);
}

void manager_on_sleep(Manager *m, bool asleep) {
        m->resuming = !asleep;
        if (m->resuming) {
                resume_arm(m, m->env->online ? 0 : RESUME_WAIT_USEC);
                return;
        }
        timer_arm(m->resume, USEC_INFINITY);
        m->env->asleep = true;
        for (size_t i = 0; i < m->n_accounts; i++)
                keeper_on_sleep(m->accounts[i]);
}

bool manager_is_settled(const Manager *m) {
        for (size_t i = 0; i < m->n_accounts; i++)
                if (!keeper_is_settled(m->accounts[i]))
                        return false;
        return true;
}

bool manager_flush(Manager *m) {
        bool clean = true;

        manager_sweep(m);
        for (size_t i = 0; i < m->n_accounts; i++)
                clean = keeper_flush(m->accounts[i]) && clean;
        for (size_t i = 0; i < m->n_leaving; i++)
                clean = keeper_flush(m->leaving[i]) && clean;
        return clean;
}
