/* SPDX-License-Identifier: MIT */
/*
 * Writing: one group of the user's file is changed, of what is on the disk at that moment, and the
 * outcome is read once more before it is put in place, so that no program can write what the next
 * start would refuse. If somebody else has written the file meanwhile, it is read again.
 */
#include <stdarg.h>

#include "common/memory.h"
#include "common/secret.h"
#include "io/config/config.h"
#include "io/config/edit.h"
#include "io/config/file.h"
#include "io/file.h"
#include "model/limits.h"

#define CONFIG_GLOBALS "iotc-token"
/* A program that writes the file this often while it is being changed never leaves it alone. */
#define CONFIG_TRIES   16

/* The user's file as it is on the disk when it is about to be changed. */
typedef struct ConfigDraft {
        char *data; /* may be NULL when n is 0 */
        size_t n;
        ConfigFile *file, *system;
        GString *text; /* what it is to become */
} ConfigDraft;

/* What adding an account made of the file. */
struct ConfigUndo {
        char *before, *after; /* NULL when empty */
        size_t n_before, n_after;
};

/* Makes the draft's text what the file is to become. 0, or an outcome with *ret_problem. */
typedef int (*ConfigChangeFn)(ConfigDraft *d, const void *userdata, char **ret_problem);

static void config_draft_deinit(ConfigDraft *d) {
        config_file_free(d->file);
        config_file_free(d->system);
        if (d->text)
                g_string_free(d->text, true);
        if (d->data)
                secret_wipe(d->data, d->n);
        free(d->data);
        *d = (ConfigDraft){ 0 };
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

static int draft_read(ConfigDraft *d, const char *system_path, const char *user_path,
                      char **ret_problem) {
        int r;

        r = config_file_read(&d->file, &d->data, &d->n, user_path, false);
        if (r < 0)
                return r;
        d->text = g_string_new_len(d->data ?: "", (gssize)d->n);
        if (d->file->bad)
                return config_say(ret_problem, CONFIG_E_BAD_FILE, "%s", d->file->bad);
        return config_file_load(&d->system, system_path, true);
}

/* 0, a CONFIG_E_ outcome, -ESTALE when somebody else has written the file meanwhile, or -errno. */
static int draft_write(const ConfigDraft *d, const char *user_path, char **ret_problem) {
        CLEANUP(config_file_freep) ConfigFile *file = NULL;
        int r;

        if (d->text->len == d->n && memcmp(d->text->str, d->data ?: "", d->n) == 0)
                return 0;
        r = config_file_parse(&file, user_path, false, d->text->str, d->text->len);
        if (r < 0)
                return r;
        if (file->bad || d->text->len > CONFIG_FILE_MAX)
                return config_say(ret_problem, CONFIG_E_BAD_FILE,
                                  "the new settings would be too long for it");
        r = file_replace_if(user_path, d->text->str, d->text->len,
                            &(FileBytes){ .data = d->data, .n = d->n });
        return r == FILE_E_CHANGED ? -ESTALE : r;
}

/* Change the file by fn, which is called again if the file was another one meanwhile. */
static int config_change(const char *system_path, const char *user_path, ConfigChangeFn fn,
                         const void *userdata, ConfigUndo **ret_undo, char **ret_problem) {
        CLEANUP(config_draft_deinit) ConfigDraft draft = { 0 };
        ConfigUndo *undo;
        int r = -ESTALE;

        for (unsigned i = 0; i < CONFIG_TRIES && r == -ESTALE; i++) {
                config_draft_deinit(&draft);
                r = draft_read(&draft, system_path, user_path, ret_problem);
                r = r ?: fn(&draft, userdata, ret_problem);
                r = r ?: draft_write(&draft, user_path, ret_problem);
        }
        if (r == -ESTALE)
                return config_say(ret_problem, CONFIG_E_BAD_FILE,
                                  "another program writes it all the time");
        if (r || !ret_undo)
                return r;
        undo = xcalloc(1, sizeof(*undo));
        undo->n_before = draft.n;
        undo->before = STEAL(draft.data);
        undo->n_after = draft.text->len;
        undo->after = g_string_free(STEAL(draft.text), false);
        *ret_undo = undo;
        return 0;
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

static int draft_put_account(ConfigDraft *d, const void *userdata, char **ret_problem) {
        CLEANUP(config_settings_freep) ConfigSettings *old = NULL, *new = NULL;
        const Account *a = userdata;
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
        return 0;
}

/* name NULL takes it out. */
static void draft_set_default(ConfigDraft *d, const char *name) {
        CLEANUP(config_settings_freep) ConfigSettings *old = NULL, *new = NULL;
        ConfigGlobals wanted = d->file->has_globals ? d->file->globals : d->system->globals;

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
static const char *draft_default(const ConfigDraft *d) {
        return (d->file->has_globals ? d->file : d->system)->globals.default_account;
}

int config_put_account(const char *user_path, const Account *a, char **ret_problem) {
        if (a->system)
                return config_say(ret_problem, CONFIG_E_SYSTEM,
                                  "The account %s is of the system's settings file: only an "
                                  "administrator can change it.",
                                  a->name);
        return config_change(NULL, user_path, draft_put_account, a, NULL, ret_problem);
}

typedef struct Addition {
        const Account *account;
        const char *was, *name;
} Addition;

static int draft_add_account(ConfigDraft *d, const void *userdata, char **ret_problem) {
        const Addition *a = userdata;

        if (a->name && streq(draft_default(d), a->was))
                draft_set_default(d, a->name);
        return draft_put_account(d, a->account, ret_problem);
}

int config_add_account(const char *system_path, const char *user_path, const Account *a,
                       const char *was, const char *name, ConfigUndo **ret_undo,
                       char **ret_problem) {
        const Addition addition = { .account = a, .was = was, .name = name };

        *ret_undo = NULL;
        return config_change(system_path, user_path, draft_add_account, &addition, ret_undo,
                             ret_problem);
}

int config_undo_add(const char *user_path, const ConfigUndo *undo) {
        const FileBytes after = { .data = undo->after, .n = undo->n_after };
        int r;

        r = file_replace_if(user_path, undo->before ?: "", undo->n_before, &after);
        return r == 0 ? 1 : r == FILE_E_CHANGED ? 0 : r;
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
        CLEANUP(config_draft_deinit) ConfigDraft draft = { 0 };
        FileBytes as_it_is;
        int r;

        r = draft_read(&draft, NULL, user_path, ret_problem);
        if (r)
                return r;
        as_it_is = (FileBytes){ .data = draft.data, .n = draft.n };
        r = file_replace_if(user_path, draft.text->str, draft.text->len, &as_it_is);
        return r == FILE_E_CHANGED ? 0 : r; /* so somebody could */
}

static int draft_remove_account(ConfigDraft *d, const void *userdata, char **ret_problem) {
        g_autofree char *group = config_account_group(userdata);

        if (streq(draft_default(d), userdata))
                draft_set_default(d, NULL);
        draft_set_text(d, config_edit_remove(d->text->str, d->text->len, group));
        return 0;
}

int config_remove_account(const char *system_path, const char *user_path, const char *name,
                          char **ret_problem) {
        return config_change(system_path, user_path, draft_remove_account, name, NULL, ret_problem);
}

static int draft_change_default(ConfigDraft *d, const void *name, char **ret_problem) {
        if (d->system->unread && !d->file->has_globals)
                return config_say(ret_problem, CONFIG_E_BAD_FILE, "%s", d->system->bad);
        draft_set_default(d, name);
        return 0;
}

int config_set_default(const char *system_path, const char *user_path, const char *name,
                       char **ret_problem) {
        return config_change(system_path, user_path, draft_change_default, name, NULL, ret_problem);
}
