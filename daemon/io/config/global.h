/* SPDX-License-Identifier: MIT */
/*
 * The settings of the group [iotc-token], which belong to no account: one table says what each may
 * be, as in model/account.c. They come from a settings file alone.
 */
#pragma once

#include <iotc-util.h>

/* NULL is a setting that isn't there. */
typedef struct ConfigGlobals {
        char *default_account;   /* a valid name; the account itself may be absent */
        char **app_suffixes;     /* normalized; may be empty: no application but the listed ones */
        char *proxy;             /* http(s)://HOST:PORT */
        char *proxy_credentials; /* absolute path */
        char *ca_bundle;         /* absolute path */
        char *store;             /* "keyring" or "file" */
        bool store_bad;          /* set by the reader of the file when a line of it is bad */
        char *key_file;          /* absolute path */
        char *notifications;     /* "yes" or "no" */
} ConfigGlobals;

/*
 * Set one. 0; ACCOUNT_E_UNKNOWN_KEY or ACCOUNT_E_BAD_VALUE with *ret_problem a text for a person
 * that quotes no value (caller frees); -ENOMEM. A failed call changes nothing.
 */
int config_global_set(ConfigGlobals *g, const char *key, const char *const *values,
                      char **ret_problem);
bool config_global_is_list(const char *key);
/* Call fn for each that is there, with its NULL-terminated values, in a stable order. */
void config_globals_each(const ConfigGlobals *g,
                         void (*fn)(const char *key, const char *const *values, void *userdata),
                         void *userdata);
/* Free what is inside. */
void config_globals_deinit(ConfigGlobals *g);
