/* SPDX-License-Identifier: MIT */
/*
 * iotc-token app: which account an application's tokens come from. A host is bound to an account,
 * or taken from it, without a new sign-in.
 */
#include "base/bus.h"
#include "base/say.h"
#include "command/verbs.h"
#include "common/host.h"

static const Option no_options[] = { { 0 } };

static bool has_app(const Properties *account, const char *host) {
        return host_in(properties_strings(account, "Apps"), host);
}

/* HOST [NAME]: the host as the daemon compares it, to be freed by free(). 0 or an exit code. */
static int app_args(const Verb *verb, int *argc, char **argv, char **ret_host) {
        int r;

        r = args_parse(verb, no_options, argc, argv, 1, 2);
        if (r)
                return r;
        if (*argc > 1 && (str_empty(argv[1]) || strpbrk(argv[1], "/:.")))
                return args_wrong(verb, "'%s' is not the name of an account", argv[1]);
        r = host_normalize(ret_host, argv[0]);
        if (r == -EINVAL)
                return args_wrong(verb, "'%s' is no host name and no https URL", argv[0]);
        return r < 0 ? fail_errno(r) : 0;
}

/* The account's applications with that host, or without it. 0 or an exit code. */
static int app_set(sd_bus *bus, const char *path, const Properties *account, const char *host,
                   bool with) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = bus_method(bus, &m, path, "org.freedesktop.DBus.Properties", "Set");
        if (r)
                return r;
        r = sd_bus_message_append(m, "ss", IOTC_INTERFACE_ACCOUNT, "Apps");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "s");
        for (char *const *app = properties_strings(account, "Apps"); r >= 0 && app && *app; app++)
                if (!host_equal(*app, host))
                        r = sd_bus_message_append(m, "s", *app);
        if (r >= 0 && with)
                r = sd_bus_message_append(m, "s", host);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? fail_errno(r) : bus_call(bus, m, BUS_TIMEOUT_SEC, NULL);
}

static int app_add(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(properties_deinit) Properties account = { 0 };
        CLEANUP(freep) char *host = NULL, *path = NULL;
        const char *name;
        bool there = false;
        int r;

        r = app_args(verb, &argc, argv, &host);
        r = r ?: bus_open(&bus);
        r = r ?: bus_find_account(bus, args_selector(argc - 1, argv + 1), &path);
        r = r ?: bus_get_all(bus, path, IOTC_INTERFACE_ACCOUNT, &account);
        if (r)
                return r;
        name = properties_string(&account, "Name");
        /* The same one with another scheme is written anew. */
        for (char *const *app = properties_strings(&account, "Apps"); *app; app++)
                there = there || streq(*app, host);
        if (there) {
                say("%s is an application of '%s' already.", host, name);
                return EXIT_DONE;
        }
        r = app_set(bus, path, &account, host, true);
        if (r == 0)
                say("%s is an application of '%s' now.", host, name);
        return r;
}

/* Without a NAME, whoever lists it. 0 and *ret_path, or an exit code. */
static int app_owner(sd_bus *bus, const char *host, char **ret_path) {
        CLEANUP(accounts_deinit) Accounts accounts = { 0 };
        int r;

        r = bus_get_accounts(bus, &accounts);
        if (r)
                return r;
        for (size_t i = 0; i < accounts.n; i++)
                if (has_app(&accounts.items[i], host))
                        return bus_find_account(bus, properties_string(&accounts.items[i], "Name"),
                                                ret_path);
        return fail(EXIT_FAILED, "no account lists %s; 'iotc-token list' shows what they list",
                    host);
}

static int app_remove(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(properties_deinit) Properties account = { 0 };
        CLEANUP(freep) char *host = NULL, *path = NULL;
        const char *name;
        int r;

        r = app_args(verb, &argc, argv, &host);
        r = r ?: bus_open(&bus);
        if (r == 0)
                r = argc > 1 ? bus_find_account(bus, argv[1], &path) : app_owner(bus, host, &path);
        r = r ?: bus_get_all(bus, path, IOTC_INTERFACE_ACCOUNT, &account);
        if (r)
                return r;
        name = properties_string(&account, "Name");
        if (!has_app(&account, host))
                return fail(EXIT_FAILED,
                            "the account '%s' does not list %s; 'iotc-token status %s' shows what "
                            "it lists",
                            name, host, name);
        r = app_set(bus, path, &account, host, false);
        if (r == 0)
                say("%s is no application of '%s' any more.", host, name);
        return r;
}

static const Verb app_verbs[] = {
        { "add",
          "HOST [NAME]",
          N_("Bind an application's host to an account"),
          app_add,
          { "iotc-token app add plant.example.com", "iotc-token app add plant.example.com work" } },
        { "remove",
          "HOST [NAME]",
          N_("Take an application's host from its account"),
          app_remove,
          { "iotc-token app remove plant.example.com",
            "iotc-token app remove plant.example.com work" } },
        { 0 },
};

int verb_app(const Verb *verb, int argc, char **argv) {
        return args_group(verb, app_verbs, argc, argv);
}
