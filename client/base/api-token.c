/* SPDX-License-Identifier: MIT */
#include "base/api-token.h"
#include "base/loop.h"
#include "base/say.h"

CLEANUP_FUNC(iotc_token_client, iotc_token_close)

/* 0; -1 for an account of this name, or with *ret_lost; or an exit code. */
static int add_once(sd_bus *bus, const char *name, const char *secret, const StringList *apps,
                    bool *ret_lost) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        *ret_lost = false;
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
        return bus_call_lost(bus, m, BUS_TIMEOUT_PERSON, IOTC_ERROR_ACCOUNT_EXISTS, ret_lost);
}

/* The daemon went away, and with it maybe the connection: it is started again, and what it has not
 * done it does now. */
static int add_again(const char *name, const char *secret, const StringList *apps,
                     bool *ret_unsure) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(iotc_token_freep) iotc_token *held = NULL;
        bool lost = false;
        int r;

        say("iotc-tokend went away, or did not answer in time; asking it once more");
        r = bus_open(&bus);
        if (r == 0)
                r = add_once(bus, name, secret, apps, &lost);
        if (lost)
                r = fail(EXIT_FAILED,
                         "iotc-tokend went away once more; look at 'journalctl --user -u "
                         "iotc-tokend'");
        else if (r == -1) {
                r = api_token_held(name, &held);
                if (r == 0)
                        return streq(iotc_token_value(held), secret) ? 0 : -1;
        }
        *ret_unsure = r > 0;
        return r;
}

int api_token_add(sd_bus *bus, const char *name, const char *secret, const StringList *apps,
                  bool *ret_unsure) {
        bool lost, unsure = false;
        int r;

        r = add_once(bus, name, secret, apps, &lost);
        if (lost)
                r = add_again(name, secret, apps, &unsure);
        if (ret_unsure)
                *ret_unsure = unsure;
        return r;
}

int api_token_held(const char *name, iotc_token **ret) {
        CLEANUP(iotc_token_closep) iotc_token_client *client = NULL;

        if (iotc_token_open(&client) < 0)
                return fail_errno(-ENOMEM);
        if (iotc_token_get(client, name, NULL, ret) < 0)
                return fail_error(iotc_token_error_name(client), iotc_token_error_text(client));
        return 0;
}

int api_token_set(sd_bus *bus, const char *path, const char *secret) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = bus_method(bus, &m, path, IOTC_INTERFACE_ACCOUNT, "SetSecret");
        if (r)
                return r;
        r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", secret);
        return r < 0 ? fail_errno(r) : loop_call_person(bus, m, NULL, NULL);
}

int api_token_set_apps(sd_bus *bus, const char *path, const StringList *apps) {
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
