/* SPDX-License-Identifier: MIT */
/*
 * The properties of an object on the bus, as they came: read from an a{sv}, looked up by name,
 * written as JSON. Verbs need no struct for what the interface describes already.
 */
#pragma once

#include <iotc-util.h>
#include <systemd/sd-bus.h>

#include "common/json.h"

typedef struct Property Property;
typedef struct Properties Properties;

struct Property {
        char *name;
        char *signature; /* s, o, b, u, t, x, as, (ss) or a{st}; a property of any other is skipped
                          */
        char **strings;  /* s, o: one; as: all; (ss): two; a{st}: the keys; NULL-terminated */
        uint64_t *numbers; /* b, u, t, x (cast): one; a{st}: as many as keys; else NULL */
};

struct Properties {
        Property *items;
        size_t n;
};

/* Read the a{sv} that m is at; a property that is there already is replaced. 0 or -errno. */
int properties_read(Properties *properties, sd_bus_message *m);
void properties_deinit(Properties *properties);

/* Borrowed values; "", 0, an empty list when the property is absent or of another type. */
const char *properties_string(const Properties *properties, const char *name);
uint64_t properties_number(const Properties *properties, const char *name);
char *const *properties_strings(const Properties *properties, const char *name);

/* Each property as a member: its name in snake_case, with KEY_iso for times (t, name ends in At).
 */
void properties_json(const Properties *properties, JsonWriter *out);
/*
 * One property's value without an end of line: lists with ',', an error as "NAME TEXT"; for a
 * person a time in RFC 3339 and a clock's error in words, for a program both in seconds.
 */
void property_print(const Property *property, FILE *f, bool person);
