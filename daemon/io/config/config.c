/* SPDX-License-Identifier: MIT */
/*
 * See config.h. Reading lays the user's file over the system's; writing changes one group of the
 * user's, of what is on the disk at that moment, and reads the outcome once more before it is put
 * in place, so that no program can write what the next start would refuse.
 */
#include "io/config/config.h"
#include <stdarg.h>

#include "common/secret.h"
#include "io/config/edit.h"
#include "io/config/file.h"
#include "io/file.h"
#include "model/limits.h"
#include "model/strv.h"

#define CONFIG_DEFAULT_SUFFIX "azureiotcentral.com"
#define CONFIG_GLOBALS        "iotc-token"

/* The user's file as it is on the disk when it is about to be changed. */
typedef struct ConfigDraft {
        const char *path;
        char *data; /* may be NULL when n is 0 */
        size_t n;
        ConfigFile *file;
        GString *text; /* what it is to become */
} ConfigDraft;

/* What adding an account made of the file. */
struct ConfigUndo {
        char *before, *after; /* NULL when empty */
        size_t n_before, n_after;
};

static void config_draft_deinit(ConfigDraft *d) {
        config_file_free(d->file);
        if (d->text)
                g_string_free(d->text, true);
        if (d->data)
                secret_wipe(d->data, d->n);
        free(d->data);
}

/* Write the text and pass the outcome on. */
PRINTF_LIKE(3, 4)
static int config_say(char **ret, int outcome, const char *format, ...) {
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(ret, format, args);
        va_end(args);
        return r < 0 ? -ENOMEM : outcome;
}

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
                        return config_say(&c->problem, 0,
                                          "%s, line %u: too many accounts: this one and those "
                                          "below are left out",
                                          file->path, group->line);
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
        return strv_copy(&c->app_suffixes, (char *const *)fallback);
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

static int config_refuse_bad(char **ret_problem, const char *bad) {
        return config_say(ret_problem, CONFIG_E_BAD_FILE, "%s", bad);
}

static int config_draft_read(ConfigDraft *d, char **ret_problem) {
        int r;

        r = config_file_read(&d->file, &d->data, &d->n, d->path, false);
        if (r < 0)
                return r;
        d->text = g_string_new_len(d->data ?: "", (gssize)d->n);
        return d->file->bad ? config_refuse_bad(ret_problem, d->file->bad) : 0;
}

static int config_draft_write(const ConfigDraft *d, char **ret_problem) {
        CLEANUP(config_file_freep) ConfigFile *file = NULL;
        int r;

        if (d->text->len == d->n && memcmp(d->text->str, d->data ?: "", d->n) == 0)
                return 0;
        r = config_file_parse(&file, d->path, false, d->text->str, d->text->len);
        if (r < 0)
                return r;
        if (file->bad || d->text->len > CONFIG_FILE_MAX)
                return config_say(ret_problem, CONFIG_E_BAD_FILE,
                                  "the new settings would be too long for it");
        return file_replace(d->path, d->text->str, d->text->len);
}

static void draft_set_text(ConfigDraft *d, GString *text) {
        g_string_free(d->text, true);
        d->text = text;
}

static void add_account_setting(const char *key, const char *const *values, void *userdata) {
        config_settings_add(userdata, key, values, account_key_is_list(key));
}

static void add_global_setting(const char *key, const char *const *values, void *userdata) {
        config_settings_add(userdata, key, values, config_global_is_list(key));
}

static ConfigSettings *config_account_settings(const Account *a) {
        const char *const source[] = { account_source_to_string(a->source), NULL };
        ConfigSettings *s = config_settings_new();

        config_settings_add(s, "source", source, false);
        account_each_setting(a, add_account_setting, s);
        return s;
}

static char *config_account_group(const char *name) {
        return g_strconcat("account ", name, NULL);
}

static void draft_put_account(ConfigDraft *d, const Account *a) {
        CLEANUP(config_settings_freep) ConfigSettings *old = NULL, *new = NULL;
        g_autofree char *group = config_account_group(a->name);
        const ConfigGroup *known = config_file_find(d->file, a->name);

        new = config_account_settings(a);
        /* Of another source, none of its lines means what it did. */
        if (known && known->account->source != a->source) {
                draft_set_text(d, config_edit_remove(d->text->str, d->text->len, group));
                known = NULL;
        }
        old = known ? config_account_settings(known->account) : config_settings_new();
        draft_set_text(d, config_edit_group(d->text->str, d->text->len, group, old, new));
}

static void draft_set_default(ConfigDraft *d, const ConfigFile *system, const char *name) {
        CLEANUP(config_settings_freep) ConfigSettings *old = NULL, *new = NULL;
        ConfigGlobals wanted = d->file->has_globals ? d->file->globals : system->globals;

        if (!name && !wanted.default_account)
                return;
        old = config_settings_new();
        new = config_settings_new();
        if (d->file->has_globals)
                config_globals_each(&d->file->globals, add_global_setting, old);
        wanted.default_account = (char *)name;
        config_globals_each(&wanted, add_global_setting, new);
        draft_set_text(d, config_edit_group(d->text->str, d->text->len, CONFIG_GLOBALS, old, new));
}

/* The setting as the files have it now, or NULL. */
static const char *draft_default(const ConfigDraft *d, const ConfigFile *system) {
        return d->file->has_globals ? d->file->globals.default_account
                                    : system->globals.default_account;
}

static int refuse_system(const Account *a, char **ret_problem) {
        return config_say(ret_problem, CONFIG_E_SYSTEM,
                          "The account %s is of the system's settings file: only an "
                          "administrator can change it.",
                          a->name);
}

int config_put_account(const char *user_path, const Account *a, char **ret_problem) {
        CLEANUP(config_draft_deinit) ConfigDraft draft = { .path = user_path };
        int r;

        if (a->system)
                return refuse_system(a, ret_problem);
        r = config_draft_read(&draft, ret_problem);
        if (r)
                return r;
        draft_put_account(&draft, a);
        return config_draft_write(&draft, ret_problem);
}

int config_add_account(const char *system_path, const char *user_path, const Account *a,
                       const char *was, const char *name, ConfigUndo **ret_undo,
                       char **ret_problem) {
        CLEANUP(config_draft_deinit) ConfigDraft draft = { .path = user_path };
        CLEANUP(config_file_freep) ConfigFile *system = NULL;
        CLEANUP(config_undo_freep) ConfigUndo *undo = NULL;
        int r;

        *ret_undo = NULL;
        r = config_draft_read(&draft, ret_problem);
        if (r)
                return r;
        r = config_file_load(&system, system_path, true);
        if (r < 0)
                return r;
        undo = calloc(1, sizeof(*undo));
        if (!undo)
                return -ENOMEM;
        if (name && streq(draft_default(&draft, system), was))
                draft_set_default(&draft, system, name);
        draft_put_account(&draft, a);
        r = config_draft_write(&draft, ret_problem);
        if (r)
                return r;
        undo->n_before = draft.n;
        undo->before = STEAL(draft.data);
        undo->n_after = draft.text->len;
        undo->after = g_string_free(STEAL(draft.text), false);
        *ret_undo = STEAL(undo);
        return 0;
}

int config_undo_add(const char *user_path, const ConfigUndo *undo) {
        CLEANUP(freep) char *data = NULL;
        size_t n = 0;
        int r;

        r = file_read(&data, &n, user_path, CONFIG_FILE_MAX);
        if (r < 0)
                return r;
        if (n != undo->n_after || memcmp(data ?: "", undo->after, n) != 0)
                return 0;
        r = file_replace(user_path, undo->before ?: "", undo->n_before);
        return r < 0 ? r : 1;
}

ConfigUndo *config_undo_free(ConfigUndo *undo) {
        if (undo) {
                if (undo->before)
                        secret_wipe(undo->before, undo->n_before);
                if (undo->after)
                        secret_wipe(undo->after, undo->n_after);
                free(undo->before);
                g_free(undo->after);
                free(undo);
        }
        return NULL;
}

int config_try_write(const char *user_path, char **ret_problem) {
        CLEANUP(config_draft_deinit) ConfigDraft draft = { .path = user_path };
        int r;

        r = config_draft_read(&draft, ret_problem);
        return r ?: file_replace(draft.path, draft.text->str, draft.text->len);
}

int config_remove_account(const char *system_path, const char *user_path, const char *name,
                          char **ret_problem) {
        CLEANUP(config_draft_deinit) ConfigDraft draft = { .path = user_path };
        CLEANUP(config_file_freep) ConfigFile *system = NULL;
        g_autofree char *group = config_account_group(name);
        int r;

        r = config_draft_read(&draft, ret_problem);
        if (r)
                return r;
        r = config_file_load(&system, system_path, true);
        if (r < 0)
                return r;
        if (streq(draft_default(&draft, system), name))
                draft_set_default(&draft, system, NULL);
        draft_set_text(&draft, config_edit_remove(draft.text->str, draft.text->len, group));
        return config_draft_write(&draft, ret_problem);
}

int config_set_default(const char *system_path, const char *user_path, const char *name,
                       char **ret_problem) {
        CLEANUP(config_draft_deinit) ConfigDraft draft = { .path = user_path };
        CLEANUP(config_file_freep) ConfigFile *system = NULL;
        int r;

        r = config_draft_read(&draft, ret_problem);
        if (r)
                return r;
        r = config_file_load(&system, system_path, true);
        if (r < 0)
                return r;
        if (system->unread && !draft.file->has_globals)
                return config_refuse_bad(ret_problem, system->bad);
        draft_set_default(&draft, system, name);
        return config_draft_write(&draft, ret_problem);
}
