/* SPDX-License-Identifier: MIT */
/*
 * Reading: the user's file is laid over the system's. See config.h.
 */
#include "io/config/config.h"

#include "io/config/file.h"
#include "model/limits.h"
#include "model/strv.h"

#define CONFIG_DEFAULT_SUFFIX "azureiotcentral.com"

/* The first account that lists one of a's applications before it. */
static const Account *config_find_claim(const Config *c, const Account *a) {
        for (size_t i = 0; i < c->n_accounts; i++)
                for (char **app = a->apps; app && *app; app++)
                        if (account_has_app(c->accounts[i], *app))
                                return c->accounts[i];
        return NULL;
}

/* Move a file's accounts over, but for those that the other file has a group for. */
static int config_take_accounts(Config *c, ConfigFile *file, const ConfigFile *over) {
        int r;

        for (size_t i = 0; i < file->n_groups; i++) {
                ConfigGroup *group = &file->groups[i];
                CLEANUP(freep) char *text = NULL;
                const Account *claim;

                if (over && config_file_find(over, group->account->name))
                        continue;
                if (c->n_accounts == ACCOUNTS_MAX) {
                        if (c->problem)
                                return 0;
                        return asprintf(&c->problem,
                                        "%s, line %u: too many accounts: this one and those below "
                                        "are left out",
                                        file->path, group->line) < 0
                                       ? -ENOMEM
                                       : 0;
                }
                claim = config_find_claim(c, group->account);
                if (claim) {
                        if (asprintf(&text, "apps: the account %s lists one of them already",
                                     claim->name) < 0)
                                return -ENOMEM;
                        r = config_file_blame(file, group->account, group->apps_line, text);
                        if (r < 0)
                                return r;
                }
                c->accounts[c->n_accounts++] = STEAL(group->account);
        }
        return 0;
}

static int config_take_globals(Config *c, ConfigFile *file) {
        const char *const fallback[] = { CONFIG_DEFAULT_SUFFIX, NULL };
        ConfigGlobals *g = &file->globals;

        c->default_account = STEAL(g->default_account);
        c->proxy = STEAL(g->proxy);
        c->proxy_credentials = STEAL(g->proxy_credentials);
        c->ca_bundle = STEAL(g->ca_bundle);
        c->key_file = STEAL(g->key_file);
        c->quiet = streq(g->notifications, "no");
        if (g->store_bad || c->unread)
                c->store = CONFIG_STORE_UNKNOWN;
        else if (streq(g->store, "file"))
                c->store = CONFIG_STORE_FILE;
        c->app_suffixes = STEAL(g->app_suffixes);
        if (c->app_suffixes)
                return 0;
        c->app_suffixes = strv_copy((char *const *)fallback);
        return 0;
}

int config_load(Config **ret, const char *system_path, const char *user_path) {
        CLEANUP(config_file_freep) ConfigFile *system = NULL, *user = NULL;
        CLEANUP(config_freep) Config *c = NULL;
        int r;

        r = config_file_load(&system, system_path, true);
        if (r < 0)
                return r;
        r = config_file_load(&user, user_path, false);
        if (r < 0)
                return r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->accounts = calloc(ACCOUNTS_MAX, sizeof(*c->accounts));
        if (!c->accounts)
                return -ENOMEM;
        c->bad = user->bad;
        c->unread = user->unread || system->unread;
        c->problem = user->unread || (user->problem && !system->unread) ? STEAL(user->problem)
                                                                        : STEAL(system->problem);
        r = config_take_globals(c, user->has_globals ? user : system);
        if (r < 0)
                return r;
        /* Either file may say of the other's accounts who they are, or who may not ask. */
        r = c->unread ? 0 : config_take_accounts(c, system, user);
        if (r == 0 && !c->unread)
                r = config_take_accounts(c, user, NULL);
        if (r < 0)
                return r;

        *ret = STEAL(c);
        return 0;
}

Config *config_free(Config *c) {
        if (!c)
                return NULL;
        for (size_t i = 0; i < c->n_accounts; i++)
                account_free(c->accounts[i]);
        free(c->accounts);
        free(c->default_account);
        strv_free(c->app_suffixes);
        free(c->proxy);
        free(c->proxy_credentials);
        free(c->ca_bundle);
        free(c->key_file);
        free(c->problem);
        free(c);
        return NULL;
}
