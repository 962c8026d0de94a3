/* SPDX-License-Identifier: MIT */
/*
 * iotc-token login: set an account up, if there is none of this name yet, and sign in. What was
 * set up here is taken back when the person gives up; what failed is kept, to be tried again.
 */
#include <signal.h>

#include "base/bus.h"
#include "base/loop.h"
#include "base/say.h"
#include "command/az-login.h"
#include "command/secret-input.h"
#include "command/signin.h"
#include "command/verbs.h"

/* What Entra calls "Microsoft Azure CLI". */
#define CLIENT_ID_AZURE_CLI "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

typedef enum LoginWay {
        LOGIN_WAY_BROWSER,
        LOGIN_WAY_DEVICE_CODE,
        LOGIN_WAY_AZURE_CLI,
        LOGIN_WAY_CLIENT,
        _LOGIN_WAY_MAX,
} LoginWay;

typedef struct Login {
        sd_bus *bus;
        const char *name;
        const char *source; /* of an account that is still to be made */
        bool chosen;        /* and of one that there is: a person named it */
        const char *method; /* of a person's sign-in; NULL: what the account and the display say */
        const char *tenant, *client_id, *authority;
        StringList apps, resources;
        char *secret; /* of client-credentials; by secret_input_free() */
        char *path;
        bool made; /* by us, just now */
        bool cancelled;
} Login;

static bool login_has_settings(const Login *l) {
        return l->tenant || l->client_id || l->authority || l->apps.n || l->resources.n;
}

static int login_append_string(sd_bus_message *m, const char *key, const char *value) {
        return value ? sd_bus_message_append(m, "{sv}", key, "s", value) : 0;
}

static int login_append_settings(sd_bus_message *m, const Login *l, const char *secret) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = login_append_string(m, "tenant", l->tenant);
        if (r >= 0)
                r = login_append_string(m, "client-id", l->client_id);
        if (r >= 0)
                r = login_append_string(m, "authority", l->authority);
        if (r >= 0)
                r = bus_append_list(m, "apps", &l->apps);
        if (r >= 0)
                r = bus_append_list(m, "resources", &l->resources);
        if (r >= 0 && secret)
                r = login_append_string(m, "secret", secret);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* AddAccount. 0 and l->path, -1 if there is an account of this name, or an exit code. */
static int login_add(Login *l) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *path;
        int r;

        r = bus_method(l->bus, &m, IOTC_PATH, IOTC_INTERFACE_MANAGER, "AddAccount");
        if (r)
                return r;
        r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", l->name, l->source);
        if (r >= 0)
                r = login_append_settings(m, l, l->secret);
        if (r < 0)
                return fail_errno(r);
        r = loop_call_person(l->bus, m, IOTC_ERROR_ACCOUNT_EXISTS, &reply);
        if (r)
                return r;
        l->made = true;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return fail_errno(r);
        l->path = strdup(path);
        return l->path ? 0 : fail_errno(-ENOMEM);
}

/* The account that there is: of the source that was asked for, with the settings that were. */
static int login_configure(Login *l, const char *source) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        /* The program of a command signs in as it is told. */
        if (l->chosen && !streq(l->source, source) && !(l->method && streq(source, "command")))
                return fail(EXIT_FAILED,
                            "the account '%s' is of the source %s, not %s; give another NAME, or "
                            "run 'iotc-token remove %s' first",
                            l->name, source, l->source, l->name);
        if (!login_has_settings(l))
                return 0;
        r = bus_method(l->bus, &m, l->path, IOTC_INTERFACE_ACCOUNT, "Configure");
        if (r)
                return r;
        r = login_append_settings(m, l, NULL);
        return r < 0 ? fail_errno(r) : bus_call(l->bus, m, BUS_TIMEOUT_SEC, NULL);
}

static int login_undo(Login *l, int code) {
        if (l->made && bus_account_do(l->bus, l->path, "Remove", BUS_TIMEOUT_SEC) == 0)
                say("The account '%s' was not kept.", l->name);
        return code;
}

/* Commands that name no account go on with the one that they went with. */
static void login_tell_default(const Login *l, const Properties *manager) {
        const char *name = properties_string(manager, "DefaultAccount");

        if (!l->made || streq(name, l->name))
                return;
        if (*name)
                say("The default account is still '%s'. To make it this one: iotc-token default %s",
                    name, l->name);
        else
                say("No account is the default, and commands have to name one. To make it this "
                    "one: iotc-token default %s",
                    l->name);
}

/* A sign-in works without a keyring, but not for long. */
static void login_warn(Login *l, bool person, const Properties *account) {
        char *const *error = properties_strings(account, "LastError");
        CLEANUP(properties_deinit) Properties manager = { 0 };
        const char *keyring;

        if (bus_get_all(l->bus, IOTC_PATH, IOTC_INTERFACE_MANAGER, &manager))
                return;
        login_tell_default(l, &manager);
        keyring = properties_string(&manager, "KeyringState");
        if (!person)
                return;
        if (streq(keyring, "absent"))
                say("Warning: there is no keyring: this sign-in is kept in memory only, until "
                    "restart.");
        else if (streq(keyring, "locked"))
                say("Warning: the keyring is locked: this sign-in is kept in memory only, until "
                    "restart, unless 'iotc-token unlock' unlocks it.");
        else if (*error && **error)
                say("Warning: %s", error[1]);
}

static void login_say_kept(const Login *l) {
        CLEANUP(properties_deinit) Properties manager = { 0 };

        if (!l->made)
                return;
        say("The account '%s' is kept: 'iotc-token login %s' tries again, 'iotc-token "
            "remove %s' removes it.",
            l->name, l->name, l->name);
        if (bus_get_all(l->bus, IOTC_PATH, IOTC_INTERFACE_MANAGER, &manager) == 0)
                login_tell_default(l, &manager);
}

static int login_person(Login *l, const char *client_id) {
        int r;

        if (streq(client_id, CLIENT_ID_AZURE_CLI))
                say("No --client-id: Entra will show \"Microsoft Azure CLI\". To use a "
                    "registration "
                    "of your own: iotc-token login %s --client-id ID",
                    l->name);
        r = signin_run(l->bus, l->path, l->method, &l->cancelled);
        if (r && !l->cancelled)
                login_say_kept(l);
        return r;
}

/* While it is asked for, Ctrl-C ends us at once: nothing is made yet. */
static int login_read_secret(Login *l) {
        sigset_t blocked, none;
        int r;

        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, &blocked);
        r = secret_input_read(&l->secret, "Client secret (not shown): ");
        (void)sigprocmask(SIG_SETMASK, &blocked, NULL);
        return r;
}

static int login_set_secret(Login *l) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = l->secret ? 0 : login_read_secret(l);
        r = r ?: bus_method(l->bus, &m, l->path, IOTC_INTERFACE_ACCOUNT, "SetSecret");
        if (r)
                return r;
        r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", l->secret);
        return r < 0 ? fail_errno(r) : loop_call_person(l->bus, m, NULL, NULL);
}

/* A client signs in by itself: see that its secret gets a token. */
static int login_client(Login *l) {
        int r;

        r = l->made ? 0 : login_set_secret(l);
        if (r)
                return r;
        r = loop_refresh_unless(l->bus, l->path, NULL);
        l->cancelled = r >= 128;
        if (r && !l->cancelled)
                login_say_kept(l);
        return r;
}

/* What a new client needs is known before its secret is asked for. 0, -1: there is one, or a code.
 */
static int login_add_client(Login *l, const Verb *verb) {
        int r;

        r = bus_find_account_unless(l->bus, l->name, IOTC_ERROR_NO_SUCH_ACCOUNT, &l->path);
        if (r >= 0)
                return r ?: -1;
        if (!l->client_id || !l->tenant)
                return args_wrong(verb, "--client-credentials needs --tenant and --client-id");
        r = login_read_secret(l);
        return r ?: login_add(l);
}

/* Make the account, or take the one that there is. */
static int login_account(Login *l, const Verb *verb, Properties *account) {
        int r;

        r = streq(l->source, "client-credentials") ? login_add_client(l, verb) : login_add(l);
        if (r >= 0)
                return r ?: bus_get_all(l->bus, l->path, IOTC_INTERFACE_ACCOUNT, account);
        r = l->path ? 0 : bus_find_account(l->bus, l->name, &l->path);
        r = r ?: bus_get_all(l->bus, l->path, IOTC_INTERFACE_ACCOUNT, account);
        r = r ?: login_configure(l, properties_string(account, "Source"));
        if (r)
                return r;
        properties_deinit(account);
        return bus_get_all(l->bus, l->path, IOTC_INTERFACE_ACCOUNT, account);
}

static int login_run(Login *l, const Verb *verb) {
        CLEANUP(properties_deinit) Properties account = { 0 };
        const char *source, *user;
        bool person;
        int r;

        r = login_account(l, verb, &account);
        if (r)
                return r;
        source = properties_string(&account, "Source");
        person = streq(source, "entra") || streq(source, "command");
        if (streq(source, "azure-cli")) {
                r = az_login(l->bus, l->path, l->tenant);
                l->cancelled = r >= 128;
                if (r && !l->cancelled)
                        login_say_kept(l);
        } else if (person) {
                r = login_person(l, properties_string(&account, "ClientId"));
        } else if (streq(source, "client-credentials")) {
                r = login_client(l);
        } else {
                return fail(EXIT_FAILED,
                            "the account '%s' is of the source %s, which needs no "
                            "sign-in; give another NAME",
                            l->name, source);
        }
        if (r)
                return l->cancelled ? login_undo(l, r) : r;

        properties_deinit(&account);
        r = bus_get_all(l->bus, l->path, IOTC_INTERFACE_ACCOUNT, &account);
        if (r)
                return r;
        user = properties_string(&account, "User");
        if (*user)
                say("Signed in to '%s' as %s.", l->name, user);
        else
                say("Signed in to '%s'.", l->name);
        login_warn(l, person, &account);
        return EXIT_DONE;
}

static void login_deinit(Login *l) {
        string_list_deinit(&l->apps);
        string_list_deinit(&l->resources);
        secret_input_free(l->secret);
        free(l->path);
        sd_bus_flush_close_unref(l->bus);
}

/* Of the ways to sign in, one. */
static int login_choose(Login *l, const Verb *verb, const bool ways[_LOGIN_WAY_MAX]) {
        int n = 0;

        for (size_t i = 0; i < _LOGIN_WAY_MAX; i++)
                n += ways[i];
        if (n > 1)
                return args_wrong(verb, "--browser, --device-code, --azure-cli and "
                                        "--client-credentials exclude each other");
        l->method = ways[LOGIN_WAY_BROWSER]       ? "browser"
                    : ways[LOGIN_WAY_DEVICE_CODE] ? "device-code"
                                                  : NULL;
        l->source = ways[LOGIN_WAY_AZURE_CLI] ? "azure-cli"
                    : ways[LOGIN_WAY_CLIENT]  ? "client-credentials"
                                              : "entra";
        l->chosen = n > 0;
        if (ways[LOGIN_WAY_AZURE_CLI] && (l->client_id || l->authority))
                return args_wrong(verb, "--azure-cli excludes --client-id and --authority");
        return 0;
}

int verb_login(const Verb *verb, int argc, char **argv) {
        CLEANUP(login_deinit) Login l = { 0 };
        bool ways[_LOGIN_WAY_MAX] = { false };
        const Option options[] = {
                { "browser", NULL, N_("sign in by a browser on this machine"), OPTION_FLAG,
                  &ways[LOGIN_WAY_BROWSER] },
                { "device-code", NULL, N_("sign in by a code, in a browser on any device"),
                  OPTION_FLAG, &ways[LOGIN_WAY_DEVICE_CODE] },
                { "azure-cli", NULL, N_("use the sign-in of the Azure CLI, az"), OPTION_FLAG,
                  &ways[LOGIN_WAY_AZURE_CLI] },
                { "client-credentials", NULL, N_("use a client's secret, read from standard input"),
                  OPTION_FLAG, &ways[LOGIN_WAY_CLIENT] },
                { "tenant", "T", N_("the tenant: a domain, a GUID or 'organizations'"),
                  OPTION_STRING, &l.tenant },
                { "client-id", "ID", N_("an app registration of your own"), OPTION_STRING,
                  &l.client_id },
                { "app", "HOST", N_("an application that this account is for; repeatable"),
                  OPTION_LIST, &l.apps },
                { "resource", "URI", N_("another resource that may be asked for; repeatable"),
                  OPTION_LIST, &l.resources },
                { "authority", "URL", N_("an identity service other than Entra's public one"),
                  OPTION_STRING, &l.authority },
                { 0 },
        };
        int r;

        r = args_parse(verb, options, &argc, argv, 0, 1);
        r = r ?: login_choose(&l, verb, ways);
        if (r)
                return r;
        l.name = argc > 0 ? argv[0] : "default";
        if (str_empty(l.name) || strpbrk(l.name, "/:."))
                return args_no_name(verb, "login", l.name);

        r = bus_open(&l.bus);
        if (r)
                return r;
        /* From here on Ctrl-C waits until there is a loop to see it. */
        (void)loop_block_signals();
        return login_run(&l, verb);
}
