/* SPDX-License-Identifier: MIT */
/*
 * The settings file: GKeyFile syntax behind a line scanner that knows the number of every bad line,
 * so that a fault in one account leaves the others served (contract, section 5). The user's file is
 * laid over the system's, group by group; it is rewritten atomically, with its comments, and only
 * while no line of it is bad.
 */
#pragma once

#include "model/account.h"

typedef enum ConfigStore {
        CONFIG_STORE_KEYRING,
        CONFIG_STORE_FILE,
        CONFIG_STORE_UNKNOWN, /* its line is bad, or the file can't be read: `problem` says so */
} ConfigStore;

typedef struct Config {
        Account **accounts; /* owned; in the order of the file, the system's first */
        size_t n_accounts;
        char *default_account;   /* or NULL */
        char **app_suffixes;     /* NULL-terminated, never NULL: default azureiotcentral.com */
        char *proxy;             /* URL or NULL */
        char *proxy_credentials; /* the same */
        char *ca_bundle;         /* absolute path or NULL */
        ConfigStore store;       /* where secrets are kept */
        char *key_file;          /* of CONFIG_STORE_FILE: absolute path, or NULL: a credential */
        bool quiet;              /* notifications=no: nothing is shown on the desktop */
        char *problem; /* of [iotc-token] or a line outside any group: "FILE, line 3: ..." or NULL
                        */
        bool unread;   /* a file is there but can't be read, or others could have changed it:
                          `problem` says   why, and there are no accounts */
        bool bad;      /* a bad line exists in the user's file: it is not rewritten */
} Config;

typedef struct ConfigUndo ConfigUndo;

/* Named outcomes of what writes. */
enum {
        _CONFIG_E_SUCCESS,
        CONFIG_E_BAD_FILE, /* a bad line exists: *ret_problem names file and line */
        CONFIG_E_SYSTEM,   /* the account is of the system's file */
};

/*
 * Read both files (either may be absent; a path may be NULL). Bad lines are no error: they are in
 * `problem` of the account or of the Config. A file that can't be read at all (permission, a
 * folder, a pipe, a link that leads nowhere, over 1 MiB) is a `problem` too, with `bad` set. 0 or
 * -ENOMEM.
 */
int config_load(Config **ret, const char *system_path, const char *user_path);
Config *config_free(Config *c);

/*
 * Write one account's group into the user's file (made with its folder, 0700 and 0600, if need be),
 * leaving all else as it stands. What is written is what the settings differ in; the comments, and
 * lines that stay true, stay. Atomic: temporary file, fsync, rename; a link is followed. 0, a
 * CONFIG_E_ outcome with *ret_problem (caller frees), or -errno of the file system.
 */
int config_put_account(const char *user_path, const Account *a, char **ret_problem);
/*
 * The same for a new account and, if the setting `default` is `was` (NULL: not set), that setting
 * with `name` (NULL: it stays) at one go. *ret_undo: what takes it all back.
 */
int config_add_account(const char *system_path, const char *user_path, const Account *a,
                       const char *was, const char *name, ConfigUndo **ret_undo,
                       char **ret_problem);
/* Make the file what it was before. 1; 0 when it was changed since, and nothing is done; -errno. */
int config_undo_add(const char *user_path, const ConfigUndo *undo);
ConfigUndo *config_undo_free(ConfigUndo *undo);
/* Write the user's file as it is: can it be written? Results as above. */
int config_try_write(const char *user_path, char **ret_problem);
/* Take an account's group out (one that isn't there is no error), and the setting `default` with it
 * if that names this account. Results as above. */
int config_remove_account(const char *system_path, const char *user_path, const char *name,
                          char **ret_problem);
/*
 * The setting `default` of the user's [iotc-token]; name NULL takes it out. A group of the user's
 * replaces the system's whole, so when it is made here, it starts with what the system's says
 * (proxy, ca-bundle, ...). system_path may be NULL.
 */
int config_set_default(const char *system_path, const char *user_path, const char *name,
                       char **ret_problem);

CLEANUP_FUNC(Config, config_free)
CLEANUP_FUNC(ConfigUndo, config_undo_free)
