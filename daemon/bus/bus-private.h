/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder share: the Bus, the calls that are answered later, the vtables.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "bus/bus.h"

typedef struct Call Call;
typedef struct Client Client;

struct Bus {
        Env *env;
        Manager *manager;
        sd_bus *bus;
        Client *clients; /* Client.next */
        /* The last sender that may change accounts; a bus never gives a unique name twice. */
        char manages[SD_BUS_MAXIMUM_NAME_LENGTH + 1];
        uint64_t manages_usec; /* CLOCK_MONOTONIC, since when they are counted */
        unsigned n_manages;
        void (*lost)(void *userdata);
        void *userdata;
};

/* A method call that is answered later. It goes when it is answered or its caller leaves the bus.
 */
struct Call {
        Bus *bus;
        Client *client;
        Call *next; /* Client.calls */
        sd_bus_message *message;
        bool authorization; /* of a Get call: the reply is GetAuthorization's */
        Waiter *waiter;     /* one of these */
        KeeperOp *keeper_op;
        ManagerOp *manager_op;
        KeyringOp *keyring_op;
};

/* bus.c */
/* The Bus of a handler, whatever its userdata is. */
Bus *bus_of(sd_bus_message *m);

/* calls.c */
/* Park a call; the handler returns 1 after it. 0; an Outcome with *problem when its caller has too
 * many parked already; -errno. */
int call_new(Call **ret, Bus *b, sd_bus_message *message, Problem *problem);
/* Drop it without an answer: what it waited for is left. Returns NULL. */
Call *call_free(Call *c);
/* Answer with an error, or with nothing but success, and free it. */
void call_fail(Call *c, const Problem *problem);
void call_done(Call *c);
/* Answer all that wait with an error. */
void calls_fail(Bus *b, const Problem *problem);
/* Turn what a core function returned (0, Outcome, -errno) into what a handler returns. Clears p. */
int handler_result(int r, Problem *p, sd_bus_error *error);

/* get.c: GetToken, GetAuthorization, Refresh */
int get_start(Bus *b, sd_bus_message *m, Keeper *k, bool authorization, sd_bus_error *error);
int refresh_start(Bus *b, sd_bus_message *m, Keeper *k, sd_bus_error *error);

/* dict.c */
/* Take the value of a key, as a variant from m. Negative ends it: what a handler returns. */
typedef int (*DictFn)(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error);
/* Read a{sv}: fn for each key, which comes once. 0 or more, or what a handler returns. */
int dict_read(sd_bus_message *m, DictFn fn, void *userdata, sd_bus_error *error);

/* settings.c */
/*
 * Read a{sv} into an account. secret may be NULL (then the key is unknown); *secret is freed by
 * secret_free(). 0 or what a handler returns, with error set.
 */
int settings_read(sd_bus_message *m, Account *a, char **secret, sd_bus_error *error);

/* caller.c */
/* May the sender do more than get tokens? Flatpak and Snap programs may not. A round trip to the
 * bus daemon, unless the last sender asks again. 0, or what a handler returns (error may be NULL).
 */
int caller_check(sd_bus_message *m, sd_bus_error *error);
/* May it change accounts now? The same, and nobody may all the time. */
int caller_check_manage(sd_bus_message *m, sd_bus_error *error);

/* environment.c: of the Manager */
int property_get_settings_files(sd_bus *bus, const char *path, const char *interface,
                                const char *property, sd_bus_message *reply, void *userdata,
                                sd_bus_error *error);
int property_get_environment(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error);

/* errors.c */
const char *outcome_to_error_name(Outcome outcome);

/* account.c, manager.c, sign-in.c: paths (free()) and vtables; userdata of each is the Bus */
int account_path(const Keeper *k, char **ret);
int signin_path(const SignIn *s, char **ret);
int account_serve(Bus *b);
int manager_serve(Bus *b);
int signin_serve(Bus *b);
void account_emit(Bus *b, Keeper *k, unsigned what);
void manager_emit(Bus *b, unsigned what);
void signin_emit(Bus *b, SignIn *s);
