/* SPDX-License-Identifier: MIT */
/*
 * The verbs that are one call to the daemon: refresh, logout, remove, default, unlock. Each says
 * on standard error what it did, where that is not plain.
 */
#include <time.h>

#include "base/bus.h"
#include "base/display.h"
#include "base/loop.h"
#include "base/say.h"
#include "command/verbs.h"

static const Option no_options[] = { { 0 } };

/* Find the account, read it, and call a method of it, which waits for a person if the keyring asks
 * one. 0 or an exit code. */
static int account_do(sd_bus *bus, const char *selector, const char *member,
                      Properties *properties) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        CLEANUP(freep) char *path = NULL;
        int r;

        r = bus_find_account(bus, selector, &path);
        r = r ?: bus_get_all(bus, path, IOTC_INTERFACE_ACCOUNT, properties);
        r = r ?: bus_method(bus, &m, path, IOTC_INTERFACE_ACCOUNT, member);
        return r ?: loop_call_person(bus, m, NULL, NULL);
}

int verb_refresh(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(properties_deinit) Properties before = { 0 }, account = { 0 };
        CLEANUP(freep) char *path = NULL;
        char left[DISPLAY_DURATION_SIZE];
        uint64_t expires_at, renewed, now;
        int r;

        r = args_parse(verb, no_options, &argc, argv, 0, 1);
        r = r ?: bus_open(&bus);
        r = r ?: bus_find_account(bus, args_selector(argc, argv), &path);
        r = r ?: bus_get_all(bus, path, IOTC_INTERFACE_ACCOUNT, &before);
        r = r ?: bus_account_do(bus, path, "Refresh", BUS_TIMEOUT_FETCH);
        r = r ?: bus_get_all(bus, path, IOTC_INTERFACE_ACCOUNT, &account);
        if (r)
                return r;
        expires_at = properties_number(&account, "ExpiresAt");
        renewed = properties_number(&account, "LastRefreshAt");
        now = (uint64_t)time(NULL);
        /* Within a minute of the last one the daemon asks for no other. */
        if (renewed && renewed == properties_number(&before, "LastRefreshAt"))
                say("The token of '%s' was renewed %llu s ago; no other was asked for. It is valid "
                    "for %s.",
                    properties_string(&account, "Name"),
                    (long long unsigned)(now - MIN(renewed, now)),
                    display_left(left, expires_at, now));
        else if (expires_at)
                say("The token of '%s' is valid for %s.", properties_string(&account, "Name"),
                    display_left(left, expires_at, now));
        return EXIT_DONE;
}

/* What is forgotten here is not over elsewhere. */
static void say_what_lives_on(const Properties *account) {
        if (streq(properties_string(account, "Source"), "api-token"))
                say("The API token itself lives on until it is revoked at the application.");
        else
                say("Tokens that were issued before live on at Entra until they expire.");
}

int verb_logout(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(properties_deinit) Properties account = { 0 };
        int r;

        r = args_parse(verb, no_options, &argc, argv, 1, 1);
        if (r)
                return r;
        /* A variable that is not set is no way to name the default account here. */
        if (str_empty(argv[0]))
                return args_wrong(verb, "an argument is missing");
        r = bus_open(&bus);
        r = r ?: account_do(bus, argv[0], "SignOut", &account);
        if (r)
                return r;
        say("Signed out of '%s': its secret is forgotten here.",
            properties_string(&account, "Name"));
        say_what_lives_on(&account);
        return EXIT_DONE;
}

int verb_remove(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(properties_deinit) Properties account = { 0 };
        bool leave = false;
        const Option options[] = {
                { "leave-secret", NULL, N_("leave its secret in the keyring"), OPTION_FLAG,
                  &leave },
                { 0 },
        };
        int r;

        r = args_parse(verb, options, &argc, argv, 1, 1);
        if (r)
                return r;
        if (str_empty(argv[0]) || strpbrk(argv[0], "/:."))
                return args_wrong(verb, "'%s' is not the name of an account", argv[0]);
        r = bus_open(&bus);
        r = r ?: account_do(bus, argv[0], leave ? "Forget" : "Remove", &account);
        if (r)
                return r;
        if (leave) {
                say("Removed the account '%s'. If the keyring has a secret of it, that stays "
                    "there; "
                    "the next account of this name overwrites it.",
                    properties_string(&account, "Name"));
                say_what_lives_on(&account);
                return EXIT_DONE;
        }
        say("Removed the account '%s', and its secret from here.",
            properties_string(&account, "Name"));
        say_what_lives_on(&account);
        return EXIT_DONE;
}

static int default_print(sd_bus *bus) {
        CLEANUP(properties_deinit) Properties manager = { 0 };
        const char *name;
        int r;

        r = bus_get_all(bus, IOTC_PATH, IOTC_INTERFACE_MANAGER, &manager);
        if (r)
                return r;
        name = properties_string(&manager, "DefaultAccount");
        if (!*name)
                return fail(EXIT_NO_ACCOUNT, "there is no default account; set one with "
                                             "'iotc-token default NAME', or add one with "
                                             "'iotc-token login'");
        display_print(stdout, name);
        putchar('\n');
        return EXIT_DONE;
}

int verb_default(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = args_parse(verb, no_options, &argc, argv, 0, 1);
        r = r ?: bus_open(&bus);
        if (r)
                return r;
        if (argc == 0)
                return default_print(bus);

        r = bus_method(bus, &m, IOTC_PATH, "org.freedesktop.DBus.Properties", "Set");
        if (r)
                return r;
        r = sd_bus_message_append(m, "ssv", IOTC_INTERFACE_MANAGER, "DefaultAccount", "s", argv[0]);
        r = r < 0 ? fail_errno(r) : bus_call(bus, m, BUS_TIMEOUT_SEC, NULL);
        if (r)
                return r;
        if (*argv[0])
                say("The default account is '%s' now.", argv[0]);
        else
                say("The settings name no default account any more.");
        return EXIT_DONE;
}

int verb_unlock(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r, unlocked;

        r = args_parse(verb, no_options, &argc, argv, 0, 0);
        r = r ?: bus_open(&bus);
        r = r ?: bus_method(bus, &m, IOTC_PATH, IOTC_INTERFACE_MANAGER, "Unlock");
        r = r ?: loop_call_person(bus, m, NULL, &reply);
        if (r)
                return r;
        r = sd_bus_message_read(reply, "b", &unlocked);
        if (r < 0)
                return fail_errno(r);
        if (!unlocked)
                return fail(EXIT_KEYRING, "the keyring was not unlocked; try again and answer its "
                                          "dialog, or unlock it in the keyring's own program");
        return EXIT_DONE;
}
