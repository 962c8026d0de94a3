/* SPDX-License-Identifier: MIT */
/*
 * One connection to the daemon: the session bus, or a peer of the direct socket. What the objects
 * on it need: who calls, their paths, dictionaries, errors.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "bus/bus.h"

typedef struct Client Client;
typedef struct Link Link;

/* What is served, and on which connections. */
struct Bus {
        Env *env;
        Manager *manager; /* NULL: not yet, or no more */
        Link *links;      /* Link.next */
        Link *session;    /* that of the session bus; NULL: there is none */
        void (*lost)(void *userdata);
        void *userdata;
};

/* The program at the other end of the direct socket. */
typedef struct Peer {
        pid_t pid;        /* which connected */
        uint64_t started; /* when that process began; 0: the kernel knows it all the time */
        char name[32];    /* unique */
        bool connected;   /* it has authenticated */
        bool ended;       /* the connection goes as soon as the loop turns */
        bool hello;       /* it takes us for a bus, and gets signals when it asks for them */
        unsigned n_matches;
        sd_event_source *later;
} Peer;

struct Link {
        Bus *bus;
        Link *next; /* Bus.links */
        sd_bus *sd;
        bool is_peer; /* else it is the session bus */
        Peer peer;
        Client *clients; /* calls.c */
        /* The last sender that may change accounts; a bus never gives a unique name twice. */
        char manages[SD_BUS_MAXIMUM_NAME_LENGTH + 1];
        uint64_t manages_usec; /* CLOCK_MONOTONIC, since when they are counted */
        unsigned n_manages;
        void (*gone)(Link *l);
};

/* Connect to the session bus. gone is called, from the loop, when the connection has ended. 0 or
 * -errno. */
int link_new(Link **ret, Bus *b, void (*gone)(Link *l));
/* peer.c: the same of a program that connected to the direct socket. fd is taken over in every
 * case. 0, -EPERM when another user connected, or -errno. */
int peer_new(Link **ret, Bus *b, int fd, void (*gone)(Link *l));
/* Does it get a signal now? One that does not read does not, and its connection ends. */
bool peer_hears(Link *l);
/* Sends what waits to be sent. No call of it waits any more. NULL is fine. Returns NULL. */
Link *link_free(Link *l);
/* The connection of a handler, whatever its userdata is: to be asked first of all, before anything
 * may send a signal, after which sd-bus no longer knows. */
Link *link_of(sd_bus_message *m);
/* Who has sent it: a name that nobody else ever has on this connection. */
const char *link_sender(const Link *l, sd_bus_message *m);

/* paths.c: to be freed by free() */
int account_path(const Keeper *k, char **ret);
int signin_path(const SignIn *s, char **ret);

/* dict.c */
/* Take the value of a key, as a variant from m. Negative ends it: what a handler returns. */
typedef int (*DictFn)(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error);
/* Read a{sv}: fn for each key, which comes once. 0 or more, or what a handler returns. */
int dict_read(sd_bus_message *m, DictFn fn, void *userdata, sd_bus_error *error);

/* errors.c */
const char *outcome_to_error_name(Outcome outcome);
/* Turn what a core function returned (0, Outcome, -errno) into what a handler returns. Clears p. */
int handler_result(int r, Problem *p, sd_bus_error *error);

/* caller.c */
/* May the sender do more than get tokens? Flatpak and Snap programs may not. A round trip to the
 * bus daemon, unless the last sender asks again. 0, or what a handler returns (error may be NULL).
 */
int caller_check(Link *l, sd_bus_message *m, sd_bus_error *error);
/* For a peer: when the process that connected began, if the kernel can't tell which it is later. */
uint64_t caller_started(int fd, pid_t pid);
/* May it change accounts now? The same, and nobody may all the time. */
int caller_check_manage(Link *l, sd_bus_message *m, sd_bus_error *error);

CLEANUP_FUNC(Link, link_free)
