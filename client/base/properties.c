/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/display.h"
#include "base/properties.h"

static void property_deinit(Property *p) {
        for (char **s = p->strings; s && *s; s++)
                free(*s);
        free(p->strings);
        free(p->numbers);
        free(p->signature);
        free(p->name);
        *p = (Property){ 0 };
}

void properties_deinit(Properties *properties) {
        for (size_t i = 0; i < properties->n; i++)
                property_deinit(&properties->items[i]);
        free(properties->items);
        *properties = (Properties){ 0 };
}

static int property_add_string(Property *p, const char *s) {
        size_t n = 0;
        char **strings;

        while (p->strings && p->strings[n])
                n++;
        strings = reallocarray(p->strings, n + 2, sizeof(*strings));
        if (!strings)
                return -ENOMEM;
        p->strings = strings;
        strings[n + 1] = NULL;
        strings[n] = strdup(s);
        return strings[n] ? 0 : -ENOMEM;
}

static int property_add_number(Property *p, size_t n, uint64_t value) {
        uint64_t *numbers;

        numbers = reallocarray(p->numbers, n + 1, sizeof(*numbers));
        if (!numbers)
                return -ENOMEM;
        p->numbers = numbers;
        numbers[n] = value;
        return 0;
}

static int property_read_number(Property *p, sd_bus_message *m) {
        uint32_t u;
        uint64_t t;
        int r;

        if (streq(p->signature, "t") || streq(p->signature, "x")) {
                r = sd_bus_message_read(m, p->signature, &t);
        } else { /* b is an int of 0 or 1 to sd-bus, and u as large */
                r = sd_bus_message_read(m, p->signature, &u);
                t = r < 0 ? 0 : u;
        }
        return r < 0 ? r : property_add_number(p, 0, t);
}

static int property_read_map(Property *p, sd_bus_message *m) {
        const char *key;
        uint64_t value;
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{st}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "{st}", &key, &value)) > 0) {
                r = property_add_string(p, key);
                if (r >= 0)
                        r = property_add_number(p, n++, value);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* The value inside the variant that m has entered. 1 when it was read, 0 for an unknown type. */
static int property_read_value(Property *p, sd_bus_message *m) {
        const char *s, *t;
        int r;

        if (streq(p->signature, "s") || streq(p->signature, "o")) {
                r = sd_bus_message_read(m, p->signature, &s);
                if (r >= 0)
                        r = property_add_string(p, s);
        } else if (streq(p->signature, "b") || streq(p->signature, "u") ||
                   streq(p->signature, "t") || streq(p->signature, "x")) {
                r = property_read_number(p, m);
        } else if (streq(p->signature, "as")) {
                r = sd_bus_message_read_strv(m, &p->strings);
        } else if (streq(p->signature, "(ss)")) {
                r = sd_bus_message_read(m, "(ss)", &s, &t);
                if (r >= 0)
                        r = property_add_string(p, s);
                if (r >= 0)
                        r = property_add_string(p, t);
        } else if (streq(p->signature, "a{st}")) {
                r = property_read_map(p, m);
        } else {
                r = sd_bus_message_skip(m, p->signature);
                return r < 0 ? r : 0;
        }
        return r < 0 ? r : 1;
}

static void propertyp(Property *p) {
        property_deinit(p);
}

/* One {sv}. 1 and *ret, 0 for a type that we don't know, or -errno. */
static int property_read(Property *ret, sd_bus_message *m) {
        CLEANUP(propertyp) Property p = { 0 };
        const char *name, *signature;
        int r, known;

        r = sd_bus_message_read(m, "s", &name);
        if (r >= 0)
                r = sd_bus_message_peek_type(m, NULL, &signature);
        if (r < 0)
                return r;
        p.name = strdup(name);
        p.signature = strdup(signature);
        if (!p.name || !p.signature)
                return -ENOMEM;
        r = sd_bus_message_enter_container(m, 'v', p.signature);
        if (r < 0)
                return r;
        known = property_read_value(&p, m);
        if (known < 0)
                return known;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        if (known) {
                *ret = p;
                p = (Property){ 0 };
        }
        return known;
}

static Property *properties_find(const Properties *properties, const char *name) {
        for (size_t i = 0; i < properties->n; i++)
                if (streq(properties->items[i].name, name))
                        return &properties->items[i];
        return NULL;
}

static int properties_put(Properties *properties, Property *p) {
        Property *old = properties_find(properties, p->name), *items;

        if (old) {
                property_deinit(old);
                *old = *p;
                return 0;
        }
        items = reallocarray(properties->items, properties->n + 1, sizeof(*items));
        if (!items) {
                property_deinit(p);
                return -ENOMEM;
        }
        properties->items = items;
        items[properties->n++] = *p;
        return 0;
}

int properties_read(Properties *properties, sd_bus_message *m) {
        Property p;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = property_read(&p, m);
                if (r > 0)
                        r = properties_put(properties, &p);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

const char *properties_string(const Properties *properties, const char *name) {
        char *const *strings = properties_strings(properties, name);

        return *strings ?: "";
}

uint64_t properties_number(const Properties *properties, const char *name) {
        const Property *p = properties_find(properties, name);

        return p && p->numbers && !p->strings ? *p->numbers : 0;
}

char *const *properties_strings(const Properties *properties, const char *name) {
        static char *const none[] = { NULL };
        const Property *p = properties_find(properties, name);

        return p && p->strings ? p->strings : none;
}

/* Is it a time in seconds since 1970? Durations are u on this bus. */
static bool property_is_time(const Property *p) {
        size_t n = strlen(p->name);

        return streq(p->signature, "t") && n > 2 && streq(p->name + n - 2, "At");
}

static void property_json(const Property *p, JsonWriter *out) {
        char key[DISPLAY_KEY_SIZE], inner[DISPLAY_KEY_SIZE];

        display_key(key, p->name);
        if (property_is_time(p)) {
                display_json_time(out, key, *p->numbers);
        } else if (streq(p->signature, "b")) {
                json_writer_bool(out, key, *p->numbers);
        } else if (streq(p->signature, "a{st}")) {
                json_writer_open(out, key, '{');
                for (size_t i = 0; p->strings && p->strings[i]; i++)
                        json_writer_uint(out, display_key(inner, p->strings[i]), p->numbers[i]);
                json_writer_close(out, '}');
        } else if (streq(p->signature, "x")) {
                json_writer_int(out, key, (int64_t)*p->numbers);
        } else if (p->numbers) {
                json_writer_uint(out, key, *p->numbers);
        } else if (streq(p->signature, "as")) {
                json_writer_open(out, key, '[');
                for (char **s = p->strings; s && *s; s++)
                        json_writer_string_or_null(out, NULL, *s);
                json_writer_close(out, ']');
        } else if (streq(p->signature, "(ss)") && str_empty(p->strings[0])) {
                json_writer_string_or_null(out, key, NULL);
        } else if (streq(p->signature, "(ss)")) {
                json_writer_open(out, key, '{');
                json_writer_string_or_null(out, "name", p->strings[0]);
                json_writer_string_or_null(out, "message", p->strings[1]);
                json_writer_close(out, '}');
        } else {
                json_writer_string_or_null(out, key, p->strings[0]);
        }
}

void properties_json(const Properties *properties, JsonWriter *out) {
        for (size_t i = 0; i < properties->n; i++)
                property_json(&properties->items[i], out);
}

void property_print(const Property *p, FILE *f, bool person) {
        const char *between = streq(p->signature, "(ss)") ? " " : ",";
        bool empty = !p->numbers;
        char iso[DISPLAY_TIME_SIZE], clock[DISPLAY_CLOCK_SIZE];

        if (person && property_is_time(p))
                fputs(display_time_iso(iso, *p->numbers), f);
        else if (person && streq(p->signature, "x"))
                fputs(display_clock(clock, (int64_t)*p->numbers), f);
        else if (streq(p->signature, "x"))
                fprintf(f, "%" PRIi64, (int64_t)*p->numbers);
        else if (streq(p->signature, "b"))
                fputs(*p->numbers ? "yes" : "no", f);
        else if (p->numbers && !p->strings)
                fprintf(f, "%" PRIu64, *p->numbers);
        for (size_t i = 0; p->strings && p->strings[i]; i++) {
                if (*p->strings[i]) {
                        fputs(i > 0 ? between : "", f);
                        empty = false;
                }
                display_print(f, p->strings[i]);
                if (p->numbers)
                        fprintf(f, "=%" PRIu64, p->numbers[i]);
        }
        if (empty)
                fputc('-', f);
}
