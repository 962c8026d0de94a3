/* SPDX-License-Identifier: MIT */
/*
 * The set of accounts as the settings have it, now and whenever a file of them changes. What did
 * not change is left alone, so that a change of our own, which is noticed as well, costs a look. A
 * change of the files never deletes a secret from the keyring: a half-written line must not sign
 * anybody out, and a group that went may come back.
 */
#include "accounts/manager-private.h"
#include "common/program.h"
#include "io/config/config.h"
#include "io/log.h"
#include "model/strv.h"

/* It is looked that often whether an exchange has ended. */
#define AGAIN_USEC        (USEC_PER_SEC / 5)
#define FAILED_AGAIN_USEC (2 * USEC_PER_SEC)

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

/* An account that is to go by the settings ends an exchange first, whose refresh token may be the
 * only one that is good: the group may come back, or the slip be mended. */
static bool keeper_waits(Manager *m, const Keeper *k) {
        if (!keeper_expects_secret(k))
                return false;
        timer_arm(m->again, clock_boottime() + AGAIN_USEC);
        return true;
}

static void keeper_drop(Manager *m, Keeper *k) {
        manager_take(m, k);
        keeper_free(k);
}

/* The built-in account is there while nobody set up one of its source and az can be run. */
int manager_update_builtin(Manager *m) {
        CLEANUP(freep) char *az = NULL;
        Account *account;
        bool wanted;
        int r;

        if (m->unread)
                return 0;
        wanted = program_find(&az, "az", getenv("PATH")) == 0;
        for (size_t i = 0; i < m->n_accounts; i++) {
                const Account *a = keeper_account(m->accounts[i]);

                if (a->source == ACCOUNT_SOURCE_AZURE_CLI && !a->builtin)
                        wanted = false;
        }
        for (size_t i = 0; i < m->n_accounts; i++)
                if (keeper_account(m->accounts[i])->builtin) {
                        if (!wanted)
                                keeper_drop(m, m->accounts[i]);
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

/* The key is read again. Another store is for the next start: what is in memory has its place in
 * this one, and a line that is being edited is not to move a secret. */
static int store_take(Manager *m, const Config *c) {
        static const char *const kinds[] = {
                [CONFIG_STORE_KEYRING] = "secret-service",
                [CONFIG_STORE_FILE] = "file",
        };

        if (!m->ready || c->store == CONFIG_STORE_UNKNOWN)
                return 0;
        if (streq(kinds[c->store], keyring_kind(m->env->keyring))) {
                m->store_told = false;
                return keyring_set_key_file(m->env->keyring, c->key_file);
        }
        if (!m->store_told && streq(keyring_kind(m->env->keyring), "none")) {
                log_warning("The settings can be read again, and the store of secrets is used from "
                            "the next start on (systemctl --user restart iotc-tokend)");
                m->store_told = true;
        } else if (!m->store_told) {
                log_warning("The setting store has changed: it is used from the next start on "
                            "(systemctl --user restart iotc-tokend). What is stored is not moved: "
                            "sign in once more then (iotc-token login NAME)");
                m->store_told = true;
        }
        return 0;
}

/* 1 when something is different. */
static int globals_take(Manager *m, Config *c) {
        bool same = streq(m->default_account, c->default_account) &&
                    strv_equal(m->app_suffixes, c->app_suffixes) && streq(m->problem, c->problem);
        bool same_quiet = m->env->quiet == c->quiet;
        bool same_way = streq(m->env->proxy, c->proxy) &&
                        streq(m->env->proxy_credentials, c->proxy_credentials) &&
                        streq(m->env->ca_bundle, c->ca_bundle);
        int r;

        if (c->problem && !streq(m->problem, c->problem))
                log_warning("%s", c->problem);
        free(m->problem);
        m->problem = STEAL(c->problem);
        free(m->default_account);
        m->default_account = STEAL(c->default_account);
        m->app_suffixes = strv_free(m->app_suffixes);
        m->app_suffixes = STEAL(c->app_suffixes);
        free(m->env->proxy);
        m->env->proxy = STEAL(c->proxy);
        free(m->env->proxy_credentials);
        m->env->proxy_credentials = STEAL(c->proxy_credentials);
        free(m->env->ca_bundle);
        m->env->ca_bundle = STEAL(c->ca_bundle);
        m->env->quiet = c->quiet;
        if (m->ready && !same_quiet)
                m->env->listener->manager_changed(MANAGER_CHANGED_QUIET, m->env->listener_userdata);
        r = store_take(m, c);
        /* What could not be reached may be reached this way. */
        if (m->ready && !same_way)
                manager_try_again(m);
        return r < 0 ? r : !same || !same_quiet || !same_way;
}

/* Other settings (taken over) for an account that is there. 1 when something is different. */
static int keeper_change(Manager *m, Keeper *k, Account *account) {
        CLEANUP(account_freep) Account *a = account;
        CLEANUP(account_freep) Account *kept = NULL;
        int r;

        if (account_same_settings(keeper_account(k), a))
                return 0;
        if (a->problem && !streq(a->problem, keeper_account(k)->problem))
                log_warning("%s: %s", a->name, a->problem);
        if (a->problem && !keeper_account(k)->builtin) {
                /* Who it is can't be told from lines of which one is bad. It stays who it was, and
                 * waits. */
                r = account_copy(&kept, keeper_account(k));
                if (r < 0)
                        return r;
                free(kept->problem);
                kept->problem = STEAL(a->problem);
                strv_free(kept->apps);
                kept->apps = STEAL(a->apps);
                kept->system = a->system;
                r = keeper_configure(k, STEAL(kept));
        } else if (account_same_identity(keeper_account(k), a))
                r = keeper_configure(k, STEAL(a));
        else if (keeper_waits(m, k))
                return 0;
        else {
                keeper_drop(m, k);
                r = keeper_add(m, STEAL(a));
        }
        return r < 0 ? r : 1;
}

static int keeper_first(Manager *m, Account *account) {
        int r;

        if (account->problem)
                log_warning("%s: %s", account->name, account->problem);
        r = keeper_add(m, account);
        return r < 0 ? r : 1;
}

/* Make the accounts what the settings say. 1 when something is different. */
static int manager_apply(Manager *m, Config *c) {
        bool changed;
        int r;

        r = globals_take(m, c);
        if (r < 0)
                return r;
        changed = r > 0;
        for (size_t i = 0; i < m->n_accounts;) {
                Keeper *k = m->accounts[i];

                if (keeper_account(k)->builtin || config_names(c, keeper_account(k)->name) ||
                    keeper_waits(m, k)) {
                        i++;
                        continue;
                }
                keeper_drop(m, k);
                changed = true;
        }
        for (size_t i = 0; i < c->n_accounts; i++) {
                Keeper *k = manager_find(m, c->accounts[i]->name);

                r = k ? keeper_change(m, k, STEAL(c->accounts[i]))
                      : keeper_first(m, STEAL(c->accounts[i]));
                if (r < 0)
                        return r;
                changed = changed || r > 0;
        }
        r = manager_update_builtin(m);
        if (r < 0)
                return r;
        manager_choose_default(m);
        return changed;
}

/* Memory is short: some accounts may be as they were, and no change tells of them once more. */
static int reload_failed(Manager *m, int r) {
        if (m->ready) {
                log_warning("The settings could not be read again (%s); trying again",
                            strerror(-r));
                timer_arm(m->again, clock_boottime() + FAILED_AGAIN_USEC);
        }
        return r;
}

int manager_reload(Manager *m) {
        CLEANUP(config_freep) Config *c = NULL;
        int r;

        r = config_load(&c, m->system_path, m->user_path);
        if (r < 0)
                return reload_failed(m, r);
        m->unread = c->unread;
        if (c->unread && m->ready) {
                if (!streq(m->problem, c->problem))
                        log_warning("%s. All stays as it was", c->problem);
                free(m->problem);
                m->problem = STEAL(c->problem);
                return -ENODATA;
        }
        r = manager_apply(m, c);
        return r < 0 ? reload_failed(m, r) : r;
}

static void manager_on_settings(bool changing, void *userdata) {
        int r;

        if (changing)
                return;
        r = manager_reload(userdata);
        if (r > 0)
                log_info("The settings have changed; read them again");
        else if (r == 0)
                log_debug("The settings are as they were");
}

void manager_on_again(void *userdata) {
        manager_on_settings(false, userdata);
}

static void settings_watch(Manager *m, Notify **ret, const char *path) {
        int r;

        if (!path)
                return;
        r = notify_new(ret, m->env->event, path, manager_on_settings, m);
        if (r < 0)
                log_warning("%s: its changes will not be noticed (%s). After one: systemctl --user "
                            "reload iotc-tokend",
                            path, strerror(-r));
}

void manager_watch_settings(Manager *m) {
        settings_watch(m, &m->system_file, m->system_path);
        settings_watch(m, &m->user_file, m->user_path);
}
