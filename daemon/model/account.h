/* SPDX-License-Identifier: MIT */
/*
 * The description of one account: where its tokens come from and what they are for. Made from the
 * settings file or from D-Bus, checked key by key on the way in (contract, sections 2 and 5), so
 * that every Account anybody holds is sound, or says in `problem` why it is not. No secret is in
 * here.
 */
#pragma once

#include <iotc-util.h>

typedef enum AccountSource {
        ACCOUNT_SOURCE_ENTRA,
        ACCOUNT_SOURCE_AZURE_CLI,
        ACCOUNT_SOURCE_CLIENT_CREDENTIALS,
        ACCOUNT_SOURCE_API_TOKEN,
        ACCOUNT_SOURCE_COMMAND,
        _ACCOUNT_SOURCE_MAX,
} AccountSource;

/* Who hands in a setting: some may come from the file alone. */
typedef enum AccountOrigin {
        ACCOUNT_ORIGIN_FILE,
        ACCOUNT_ORIGIN_BUS,
} AccountOrigin;

/* Named outcomes of account_set(). */
enum {
        _ACCOUNT_E_SUCCESS,
        ACCOUNT_E_UNKNOWN_KEY, /* no setting of this source */
        ACCOUNT_E_BAD_VALUE,   /* the text says what is expected */
        ACCOUNT_E_FILE_ONLY,   /* from the settings file only: Denied over D-Bus */
};

typedef struct Account {
        char *name;
        AccountSource source;
        bool builtin;    /* the azure-cli account that nobody set up */
        bool system;     /* from the system's file: can't be changed or removed */
        char *sign_in;   /* entra: "auto", "browser" or "device-code" */
        char *authority; /* URL without trailing slash; never NULL for entra, client-credentials */
        char *tenant;    /* never NULL for entra; may be NULL for azure-cli */
        char *client_id; /* NULL: the build's default */
        char *resource;  /* never NULL */
        char *subscription; /* azure-cli, or NULL */
        char *config_dir;   /* azure-cli, or NULL */
        char *az;           /* azure-cli: absolute path, or NULL */
        char *command;      /* command: absolute path */
        char **resources;   /* others that may be asked; NULL-terminated or NULL */
        char **apps;        /* normalized "host" or "host:port"; NULL-terminated or NULL */
        char *problem;      /* why it can't be used ("FILE, line 12: ..."), never the content */
} Account;

/* An account with the defaults of its source. 0, or -EINVAL for a name that is none. */
int account_new(Account **ret, const char *name, AccountSource source);
int account_copy(Account **ret, const Account *from);
/* NULL is fine. Returns NULL. */
Account *account_free(Account *a);

/*
 * Set one setting by its name in section 5 of the contract. values is a NULL-terminated list (one
 * entry unless the key is a list; an empty list resets to the default). 0, an ACCOUNT_E_ outcome
 * with *ret_problem a sentence fragment for a person (caller frees; never quotes a value). A failed
 * call changes nothing.
 */
int account_set(Account *a, const char *key, const char *const *values, AccountOrigin origin,
                char **ret_problem);
/* True for the settings that are lists: apps, resources. */
bool account_key_is_list(const char *key);
/* What is still missing once every setting is in (command without a path, tenant and subscription
 * together, ...): 0, or ACCOUNT_E_BAD_VALUE and a text. */
int account_check(const Account *a, char **ret_problem);
/*
 * The settings that differ from the source's defaults, for the settings file: calls fn for each
 * with its NULL-terminated values, in a stable order.
 */
void account_each_setting(const Account *a,
                          void (*fn)(const char *key, const char *const *values, void *userdata),
                          void *userdata);

/* [A-Za-z0-9][A-Za-z0-9_-]{0,63} */
bool account_name_valid(const char *name);
const char *account_source_to_string(AccountSource source);
/* 0 or -EINVAL. */
int account_source_from_string(AccountSource *ret, const char *s);
/* True for sources that give Entra bearer tokens: all but api-token. */
bool account_is_bearer(const Account *a);
/* The client id that is used: the account's or the build's. */
const char *account_client_id(const Account *a);
/* True when stored tokens of one may be used for the other: source, authority, tenant, client id,
 * and what tells whose tokens the source's program gives (subscription, config-dir, command). */
bool account_same_identity(const Account *a, const Account *b);
/* True when not one setting differs, nor what is wrong with them. */
bool account_same_settings(const Account *a, const Account *b);
/* The account's own resource, or the one of those it lists, that was asked for, be it as a scope
 * ("/.default" behind it) or a GUID in upper case. Borrowed from a; NULL: none. */
const char *account_find_resource(const Account *a, const char *asked);
/* True for the account's own resource and those it lists, as they are spelled there. */
bool account_allows_resource(const Account *a, const char *resource);
bool account_has_app(const Account *a, const char *host);

CLEANUP_FUNC(Account, account_free)
