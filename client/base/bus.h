/* SPDX-License-Identifier: MIT */
/*
 * The daemon as the verbs other than `get` see it: method calls with the error said, and a
 * snapshot of its accounts. Every function here that fails has told the person why.
 */
#pragma once

#include <iotc-dbus.h>
#include <iotc-util.h>

#include "base/args.h"
#include "base/properties.h"

enum {
        BUS_TIMEOUT_SEC = 30,     /* what the daemon answers from memory or by one write */
        BUS_TIMEOUT_FETCH = 120,  /* what waits for a fetch; az alone may take 60 s */
        BUS_TIMEOUT_PERSON = 900, /* what waits for a person */
};

typedef struct Accounts {
        Properties *items; /* one account each, sorted by name */
        size_t n;
} Accounts;

/* Connect. 0 and *ret, to be freed by sd_bus_flush_close_unref(); or an exit code. */
int bus_open(sd_bus **ret);
/* By the session bus alone; and only if the daemon runs, without starting it. */
int bus_open_session(sd_bus **ret);
int bus_open_running(sd_bus **ret);
/* Signals of the daemon's; rule: what else they have, as sd_bus_add_match() wants it. 0 or -errno.
 */
int bus_match(sd_bus *bus, sd_bus_slot **ret, const char *rule, sd_bus_message_handler_t handler,
              void *userdata);
/* A call that is still to be filled and made by bus_call(). 0 or an exit code. */
int bus_method(sd_bus *bus, sd_bus_message **ret, const char *path, const char *interface,
               const char *member);
/* Make the call; ret may be NULL. 0, or an exit code after the error has been said. */
int bus_call(sd_bus *bus, sd_bus_message *m, unsigned timeout_sec, sd_bus_message **ret);
/*
 * The same, but an error of this name is not said and comes back as -1, for the caller to handle.
 */
int bus_call_unless(sd_bus *bus, sd_bus_message *m, unsigned timeout_sec, const char *name,
                    sd_bus_message **ret);
/* The same once more; *ret_lost: nothing is said either, and -1 comes back, because the daemon went
 * away or did not answer, and may have done it. */
int bus_call_lost(sd_bus *bus, sd_bus_message *m, unsigned timeout_sec, const char *name,
                  bool *ret_lost);

/* A method without arguments or results of the account at path. 0 or an exit code. */
int bus_account_do(sd_bus *bus, const char *path, const char *member, unsigned timeout_sec);
/* FindAccount: the path, to be freed by free(). 0 or an exit code. */
int bus_find_account(sd_bus *bus, const char *selector, char **ret);
/* The same; -1, and nothing said, for an error of that name. */
int bus_find_account_unless(sd_bus *bus, const char *selector, const char *name, char **ret);
/* GetAll of an interface, read into *properties. 0 or an exit code. */
int bus_get_all(sd_bus *bus, const char *path, const char *interface, Properties *properties);
/* All accounts. 0 and *ret, to be freed by accounts_deinit(); or an exit code. */
int bus_get_accounts(sd_bus *bus, Accounts *ret);
void accounts_deinit(Accounts *accounts);
/* The same from the reply to GetManagedObjects. 0 and *ret, or -errno, unsaid. */
int bus_read_accounts(sd_bus_message *m, Accounts *ret);
/* The account's properties among the interfaces of an object, the a{sa{sv}} that m is at. 1 when
 * there are any, 0, or -errno. */
int bus_read_account(sd_bus_message *m, Properties *properties);
/* A setting that is a list, into the a{sv} that m is in; none when it is empty. 0 or -errno. */
int bus_append_list(sd_bus_message *m, const char *key, const StringList *list);
/* Say the error, free it, and return its exit code; r is used when it is not set. */
int bus_fail(sd_bus_error *error, int r);
/* The account's name out of its path, to be freed by free(); NULL for any other path. */
char *account_name(const char *path);
