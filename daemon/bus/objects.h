/* SPDX-License-Identifier: MIT */
/*
 * The objects of the contract on one connection: each is put up once, and tells what has changed.
 */
#pragma once

#include "bus/link.h"

int account_serve(Link *l);
int manager_serve(Link *l);
int signin_serve(Link *l);
void account_emit(Link *l, Keeper *k, unsigned what);
void manager_emit(Link *l, unsigned what);
void signin_emit(Link *l, SignIn *s);

/* environment.c: properties of the Manager */
int property_get_settings_files(sd_bus *bus, const char *path, const char *interface,
                                const char *property, sd_bus_message *reply, void *userdata,
                                sd_bus_error *error);
int property_get_environment(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error);
