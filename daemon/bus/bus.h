/* SPDX-License-Identifier: MIT */
/*
 * The daemon on D-Bus: the objects of the contract and their change signals, on each connection.
 * Nothing outside this folder knows sd-bus; nothing in it decides anything.
 */
#pragma once

#include "accounts/manager.h"

typedef struct Bus Bus;

/* The listener to put into the Env, with the Bus as its userdata. */
extern const Listener bus_listener;

/* Without any connection yet. */
Bus *bus_new(Env *env);
/* Connect to the session bus, without the name yet. lost is called when the connection ends. 0 or
 * -errno. */
int bus_connect(Bus *b, void (*lost)(void *userdata), void *userdata);
/* Who has the bus name; *ret is 0 when nobody has it. A round trip to the bus. 0 or -errno. */
int bus_find_owner(Bus *b, pid_t *ret);
/* Take the bus name: calls may come. 0, -EEXIST when another process has it, or -errno. */
int bus_take_name(Bus *b);

/* Serve a program that connected to the direct socket. fd is taken over in every case. 0; -EPERM:
 * another user's; -EUSERS: there are too many; -errno. */
int bus_accept(Bus *b, int fd);

/* Serve the accounts of this manager. */
void bus_serve(Bus *b, Manager *manager);
/* Serve no more: parked callers are told that the daemon stops. Before the Manager is freed. */
void bus_stop(Bus *b);
/* After the Manager, whose news it hears to the end. NULL is fine. Returns NULL. */
Bus *bus_free(Bus *b);

CLEANUP_FUNC(Bus, bus_free)
