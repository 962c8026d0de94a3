/* SPDX-License-Identifier: MIT */
/*
 * iotc-token api-token: IoT Central API tokens, which somebody made at the application and which
 * are kept here as they are.
 */
#include "bus.h"
#include "say.h"
#include "secret-input.h"
#include "verbs.h"

/* AddAccount. 0, -1 if there is an account of this name, or an exit code. */
static int api_token_add(sd_bus *bus, const char *name, const char *secret,
                         const StringList *apps) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = bus_method(bus, &m, IOTC_PATH, IOTC_INTERFACE_MANAGER, "AddAccount");
        if (r)
                return r;
        r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", name, "api-token");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "secret", "s", secret);
        if (r >= 0)
                r = bus_append_list(m, "apps", apps);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return fail_errno(r);
        return bus_call_unless(bus, m, BUS_TIMEOUT_SEC, IOTC_ERROR_ACCOUNT_EXISTS, NULL);
}

static int api_token_set(sd_bus *bus, const char *path, const char *secret) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = bus_method(bus, &m, path, IOTC_INTERFACE_ACCOUNT, "SetSecret");
        if (r)
                return r;
        r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", secret);
        return r < 0 ? fail_errno(r) : bus_call(bus, m, BUS_TIMEOUT_SEC, NULL);
}

static int api_token_set_apps(sd_bus *bus, const char *path, const StringList *apps) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (apps->n == 0)
                return 0;
        r = bus_method(bus, &m, path, IOTC_INTERFACE_ACCOUNT, "Configure");
        if (r)
                return r;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = bus_append_list(m, "apps", apps);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? fail_errno(r) : bus_call(bus, m, BUS_TIMEOUT_SEC, NULL);
}

static int verb_add(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(secret_input_freep) char *secret = NULL;
        CLEANUP(string_list_deinit) StringList apps = { 0 };
        CLEANUP(freep) char *path = NULL;
        bool replace = false;
        const Option options[] = {
                { "app", "HOST", "an application that the token is for; repeatable", OPTION_LIST,
                  &apps },
                { "replace", NULL, "give the account of this name a new token", OPTION_FLAG,
                  &replace },
                { 0 },
        };
        int r;

        r = args_parse(verb, options, &argc, argv, 1, 1);
        if (r)
                return r;
        if (str_empty(argv[0]) || strpbrk(argv[0], "/:."))
                return args_wrong(verb, "'%s' can't be the name of an account", argv[0]);
        r = bus_open(&bus);
        r = r ?: secret_input_read(&secret, "API token (not shown): ");
        r = r ?: api_token_add(bus, argv[0], secret, &apps);
        if (r >= 0)
                return r;
        if (!replace)
                return fail(EXIT_FAILED,
                            "there is an account '%s' already; --replace gives it the "
                            "new token",
                            argv[0]);
        r = bus_find_account(bus, argv[0], &path);
        r = r ?: api_token_set(bus, path, secret);
        return r ?: api_token_set_apps(bus, path, &apps);
}

static const Verb api_token_verbs[] = {
        { "add", "NAME [--app HOST]... [--replace]", "Keep an API token, read from standard input",
          verb_add },
        { 0 },
};

int verb_api_token(const Verb *verb, int argc, char **argv) {
        const Verb *found;
        Verb inner;

        if (argc < 2)
                return args_wrong(verb, "an argument is missing");
        if (streq(argv[1], "--help") || streq(argv[1], "-h")) {
                for (const Verb *v = api_token_verbs; v->name; v++)
                        printf("Usage: iotc-token api-token %s %s\n\n%s.\n", v->name, v->usage,
                               v->summary);
                return ARGS_E_HELP;
        }
        found = args_verb(api_token_verbs, "api-token ", argv[1]);
        if (!found) {
                args_say_usage(verb);
                return EXIT_USAGE;
        }
        inner = *found;
        inner.name = "api-token add";
        return found->run(&inner, argc - 1, argv + 1);
}
