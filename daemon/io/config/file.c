/* SPDX-License-Identifier: MIT */
/*
 * See file.h. One walk over the lines; each goes to the group it stands in. The source is
 * looked up ahead, because what the other keys may be hangs on it. No text here repeats anything of
 * a line but the name of a known setting: what is on a bad line may be a pasted secret.
 */
#include <glib.h>

#include "common/secret.h"
#include "common/text.h"
#include "io/config/file.h"
#include "io/config/values.h"
#include "io/file.h"
#include "model/limits.h"

#define CONFIG_SOURCES "entra, azure-cli, client-credentials, api-token or command"

typedef enum ConfigPlace {
        CONFIG_PLACE_NOWHERE, /* before the first header */
        CONFIG_PLACE_GLOBAL,
        CONFIG_PLACE_ACCOUNT,
        CONFIG_PLACE_SKIPPED, /* under a header that has its problem already */
} ConfigPlace;

typedef struct ConfigParser {
        ConfigFile *file;
        ConfigPlace place;
        ConfigGroup *group; /* the open one, at CONFIG_PLACE_ACCOUNT */
        bool has_source;    /* of the open account */
        GPtrArray *keys;    /* good keys of the open group so far */
} ConfigParser;

static int config_file_text(const ConfigFile *f, char **ret, unsigned line, const char *text) {
        if (*ret)
                return 0;
        return asprintf(ret, "%s, line %u: %s", f->path, line, text) < 0 ? -ENOMEM : 0;
}

int config_file_blame(const ConfigFile *f, Account *a, unsigned line, const char *text) {
        return config_file_text(f, &a->problem, line, text);
}

/* A bad line: its group has a problem, and the file is not to be rewritten. */
static int config_parser_bad(ConfigParser *p, const ConfigLine *line, const char *text) {
        int r;

        if (p->place == CONFIG_PLACE_SKIPPED)
                return 0;
        r = config_file_text(p->file, &p->file->bad, line->number, text);
        if (r < 0)
                return r;
        if (p->place == CONFIG_PLACE_ACCOUNT)
                return config_file_blame(p->file, p->group->account, line->number, text);
        return config_file_text(p->file, &p->file->problem, line->number, text);
}

/* The source's line in the group at scan: its value, or entra and false. *ret_line is 0 without. */
static bool config_find_source(AccountSource *ret, unsigned *ret_line, ConfigScan scan) {
        ConfigLine line;

        *ret = ACCOUNT_SOURCE_ENTRA;
        *ret_line = 0;
        while (config_scan_next(&scan, &line) && line.kind != CONFIG_LINE_GROUP) {
                g_auto(GStrv) values = NULL;

                if (!config_line_is(&line, CONFIG_LINE_KEY, "source"))
                        continue;
                *ret_line = line.number;
                return config_line_values(&values, &line, false) == 0 &&
                       account_source_from_string(ret, values[0]) == 0;
        }
        return false;
}

static int config_parser_open_account(ConfigParser *p, const ConfigLine *line, const char *name,
                                      ConfigScan scan) {
        CLEANUP(account_freep) Account *a = NULL;
        ConfigFile *f = p->file;
        AccountSource source;
        ConfigGroup *known;
        unsigned at;
        bool good;
        int r;

        known = config_file_find(f, name);
        if (known) {
                p->place = CONFIG_PLACE_ACCOUNT;
                p->group = known;
                r = config_parser_bad(p, line, "this group is there twice");
                p->place = CONFIG_PLACE_SKIPPED;
                return r;
        }
        if (f->n_groups >= ACCOUNTS_MAX) {
                p->place = CONFIG_PLACE_SKIPPED;
                return config_file_text(f, &f->problem, line->number,
                                        "too many accounts: this one and those below are left out");
        }

        good = config_find_source(&source, &at, scan);
        r = account_new(&a, name, source);
        if (r < 0)
                return r;
        a->system = f->system;
        p->group = &f->groups[f->n_groups++];
        *p->group = (ConfigGroup){ .account = STEAL(a), .line = line->number };
        p->place = CONFIG_PLACE_ACCOUNT;
        p->has_source = at > 0;
        if (good || !p->has_source)
                return 0;
        return config_parser_bad(p, &(ConfigLine){ .number = at },
                                 "source: expected " CONFIG_SOURCES);
}

/* What can only be said at the group's end: no line is bad, so a change may put it right. */
static int config_parser_close(ConfigParser *p) {
        CLEANUP(freep) char *problem = NULL;
        int r = 0;

        if (p->place == CONFIG_PLACE_ACCOUNT) {
                r = account_check(p->group->account, &problem);
                if (r >= 0 && !p->has_source)
                        r = config_file_blame(p->file, p->group->account, p->group->line,
                                              "source is missing: expected " CONFIG_SOURCES);
                else if (r > 0)
                        r = config_file_blame(p->file, p->group->account, p->group->line, problem);
        }
        g_ptr_array_set_size(p->keys, 0);
        p->place = CONFIG_PLACE_NOWHERE;
        p->group = NULL;
        return r;
}

static int config_parser_open(ConfigParser *p, const ConfigLine *line, ConfigScan scan) {
        CLEANUP(freep) char *name = NULL;
        const char *problem = NULL;
        int r;

        r = config_parser_close(p);
        if (r < 0)
                return r;
        if (line->name) {
                name = strndup(line->name, line->n_name);
                if (!name)
                        return -ENOMEM;
        }

        if (config_line_is(line, CONFIG_LINE_GROUP, "iotc-token")) {
                if (!p->file->has_globals) {
                        p->file->has_globals = true;
                        p->place = CONFIG_PLACE_GLOBAL;
                        return 0;
                }
                problem = "this group is there twice";
        } else if (!name || strlen(name) != line->n_name || !str_starts(name, "account ")) {
                problem = "unknown group: expected [iotc-token] or [account NAME]";
        } else if (!account_name_valid(name + strlen("account "))) {
                problem = "an account's name is 1 to 64 letters, digits, - and _, and starts with "
                          "a letter or a digit";
        } else {
                return config_parser_open_account(p, line, name + strlen("account "), scan);
        }

        r = config_parser_bad(p, line, problem);
        p->place = CONFIG_PLACE_SKIPPED;
        return r;
}

/* A key of the open group: 0, an outcome with *ret_problem, or -ENOMEM. */
static int config_parser_set(ConfigParser *p, const ConfigLine *line, const char *key,
                             char **ret_problem) {
        g_auto(GStrv) values = NULL;
        Account *a;
        bool list;
        int r;

        list = p->group ? account_key_is_list(key) : config_global_is_list(key);
        r = config_line_values(&values, line, list);
        if (r < 0) {
                *ret_problem = strdup("a backslash is no part of an escape: write it twice");
                return *ret_problem ? ACCOUNT_E_BAD_VALUE : -ENOMEM;
        }
        if (!p->group)
                return config_global_set(&p->file->globals, key, (const char *const *)values,
                                         ret_problem);
        /* Read when the group was opened. */
        if (streq(key, "source"))
                return 0;
        a = p->group->account;
        if (streq(key, "apps"))
                p->group->apps_line = line->number;
        return account_set(a, key, (const char *const *)values, ACCOUNT_ORIGIN_FILE, ret_problem);
}

static int config_parser_key(ConfigParser *p, const ConfigLine *line) {
        CLEANUP(freep) char *problem = NULL, *key = NULL;
        int r;

        if (p->place == CONFIG_PLACE_SKIPPED)
                return 0;
        if (p->place == CONFIG_PLACE_NOWHERE)
                return config_parser_bad(p, line, "it stands before the first group");
        key = strndup(line->name, line->n_name);
        if (!key)
                return -ENOMEM;
        if (g_ptr_array_find_with_equal_func(p->keys, key, g_str_equal, NULL)) {
                problem = strdup("this setting is there twice");
                r = problem ? ACCOUNT_E_BAD_VALUE : -ENOMEM;
        } else
                r = config_parser_set(p, line, key, &problem);
        if (r > 0) {
                /* secrets go nowhere then, rather than to the wrong place */
                if (!p->group && streq(key, "store"))
                        p->file->globals.store_bad = true;
                return config_parser_bad(p, line, problem);
        }
        if (r == 0)
                g_ptr_array_add(p->keys, g_strdup(key));
        return r;
}

static int config_parser_run(ConfigParser *p, ConfigScan scan) {
        ConfigLine line;
        int r = 0;

        while (r == 0 && config_scan_next(&scan, &line)) {
                if (line.kind == CONFIG_LINE_GROUP)
                        r = config_parser_open(p, &line, scan);
                else if (line.kind == CONFIG_LINE_KEY)
                        r = config_parser_key(p, &line);
                else if (line.kind == CONFIG_LINE_BAD)
                        r = config_parser_bad(p, &line, line.problem);
        }
        return r == 0 ? config_parser_close(p) : r;
}

static int config_file_new(ConfigFile **ret, const char *path, bool system) {
        CLEANUP(config_file_freep) ConfigFile *f = NULL;

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->system = system;
        f->path = text_clean(path ?: "", PATH_LENGTH_MAX);
        f->groups = calloc(ACCOUNTS_MAX, sizeof(*f->groups));
        if (!f->path || !f->groups)
                return -ENOMEM;
        *ret = STEAL(f);
        return 0;
}

int config_file_parse(ConfigFile **ret, const char *path, bool system, const char *data, size_t n) {
        CLEANUP(config_file_freep) ConfigFile *f = NULL;
        ConfigParser parser = { 0 };
        int r;

        r = config_file_new(&f, path, system);
        if (r < 0)
                return r;
        parser.file = f;
        parser.keys = g_ptr_array_new_with_free_func(g_free);
        r = config_parser_run(&parser, CONFIG_SCAN_INIT(data, n));
        g_ptr_array_unref(parser.keys);
        if (r < 0)
                return r;

        *ret = STEAL(f);
        return 0;
}

static const char *config_unread_why(int r) {
        switch (r) {
        case -EFBIG:
                return "it is larger than 1 MiB";
        case -EISDIR:
                return "it is a folder";
        case -EBADFD:
                return "it is no regular file";
        case -ENOENT:
                return "it is a link whose target is not there";
        default:
                return strerror(-r);
        }
}

/* Nothing of the file counts, and what is there is not written over. */
static int config_file_refuse(ConfigFile *f, int r, const Distrust *distrust) {
        CLEANUP(freep) char *why = r == TRUST_E_UNSAFE ? distrust_text(distrust) : NULL;

        f->unread = true;
        if (why)
                r = asprintf(&f->problem, "%s is not read: %s", f->path, why);
        else
                r = asprintf(&f->problem, "%s can't be read: %s", f->path, config_unread_why(r));
        if (r < 0) {
                f->problem = NULL;
                return -ENOMEM;
        }
        f->bad = strdup(f->problem);
        return f->bad ? 0 : -ENOMEM;
}

int config_file_read(ConfigFile **ret, char **ret_data, size_t *ret_n, const char *path,
                     bool system) {
        CLEANUP(config_file_freep) ConfigFile *f = NULL;
        CLEANUP(distrust_clear) Distrust distrust = { 0 };
        int r;

        *ret_data = NULL;
        *ret_n = 0;
        r = path ? file_read_own(ret_data, ret_n, &distrust, path, CONFIG_FILE_MAX) : -ENOENT;
        if (r == 0)
                return config_file_parse(ret, path, system, *ret_data, *ret_n);
        if (r == -ENOMEM)
                return r;
        if (config_file_new(&f, path, system) < 0)
                return -ENOMEM;
        if (r == -ENOENT ? path && file_leads_nowhere(path) : r != -ENOTDIR) {
                r = config_file_refuse(f, r, &distrust);
                if (r < 0)
                        return r;
        }
        *ret = STEAL(f);
        return 0;
}

int config_file_load(ConfigFile **ret, const char *path, bool system) {
        char *data;
        size_t n;
        int r;

        r = config_file_read(ret, &data, &n, path, system);
        if (data)
                secret_wipe(data, n);
        free(data);
        return r;
}

ConfigFile *config_file_free(ConfigFile *f) {
        if (!f)
                return NULL;
        for (size_t i = 0; i < f->n_groups; i++)
                account_free(f->groups[i].account);
        config_globals_deinit(&f->globals);
        free(f->groups);
        free(f->problem);
        free(f->bad);
        free(f->path);
        free(f);
        return NULL;
}

ConfigGroup *config_file_find(const ConfigFile *f, const char *name) {
        for (size_t i = 0; i < f->n_groups; i++)
                if (streq(f->groups[i].account->name, name))
                        return &f->groups[i];
        return NULL;
}
