/* SPDX-License-Identifier: MIT */
#include "api/fields.h"
#include "api/address.h"
#include "api/input.h"
#include "api/pages.h"
#include "base/say.h"
#include "common/utf8.h"

/* One field, taken apart. */
typedef struct Field {
        const char *text; /* as it was given */
        char *key;        /* "a[b][]" */
        char *value;      /* NULL: "a[]" alone, an empty array */
        bool typed;
        bool of_file; /* text, whatever it looks like */
} Field;

static void field_deinit(Field *f) {
        free(f->key);
        free(f->value);
}

/* "a", "a[b]", "a[]", "a[b][c][]" ... */
static bool key_is_sound(const char *key) {
        size_t n = strcspn(key, "[]");

        if (n == 0)
                return false;
        for (key += n; *key == '['; key += n + 2) {
                n = strcspn(key + 1, "[]");
                if (key[n + 1] != ']' || (n == 0 && str_starts(key + 2, "[]")))
                        return false;
        }
        return !*key;
}

static int field_parse(const Verb *verb, Field *f, const char *option, const char *text) {
        const char *end = strchr(text, '=');
        size_t n = end ? (size_t)(end - text) : strlen(text);

        *f = (Field){ .text = text, .typed = !streq(option, FIELDS_RAW), .key = strndup(text, n) };
        if (!f->key)
                return fail_errno(-ENOMEM);
        if (!key_is_sound(f->key) || (!end && (n < 2 || !streq(text + n - 2, "[]"))))
                return args_wrong(verb,
                                  "a field is KEY=VALUE, KEY[SUB]=VALUE or KEY[]=VALUE, not '%s'",
                                  text);
        f->of_file = f->typed && end && end[1] == '@';
        if (f->of_file) {
                int r = input_read(verb, &f->value, &n, end + 2);

                if (r)
                        return r;
        } else if (end) {
                n = strlen(end + 1);
                f->value = strdup(end + 1);
                if (!f->value)
                        return fail_errno(-ENOMEM);
        }
        if (!utf8_is_valid(text, strlen(text)) || (end && !utf8_is_valid(f->value, n)))
                return fail(EXIT_FAILED, "the field '%s' is no text in UTF-8", f->key);
        return 0;
}

/* A whole number of 64 bits, as Go's Atoi() reads it for gh. */
static bool read_integer(int64_t *ret, const char *text) {
        const char *digits = text + (*text == '-' || *text == '+');
        char *end;

        if (!*digits || strspn(digits, "0123456789") != strlen(digits))
                return false;
        errno = 0;
        *ret = strtoll(text, &end, 10);
        return errno == 0;
}

/* To be freed by json_object_put(); NULL is null. False when memory is short. */
static bool field_value(json_object **ret, const Field *f) {
        bool typed = f->typed && !f->of_file;
        int64_t number;

        *ret = NULL;
        if (typed && streq(f->value, "null"))
                return true;
        if (typed && (streq(f->value, "true") || streq(f->value, "false")))
                *ret = json_object_new_boolean(*f->value == 't');
        else if (typed && read_integer(&number, f->value))
                *ret = json_object_new_int64(number);
        else
                *ret = json_object_new_string(f->value);
        return *ret;
}

/* What is there, of this type, or made. NULL: it is something else. */
static json_object *member_of(json_object *object, const char *name, json_type type) {
        json_object *member;

        if (json_object_object_get_ex(object, name, &member))
                return json_object_is_type(member, type) ? member : NULL;
        member = type == json_type_array ? json_object_new_array() : json_object_new_object();
        json_object_object_add(object, name, member);
        return member;
}

/* The object in an array that the next member belongs to: the last, until it has that already. */
static json_object *element_for(json_object *array, const char *name) {
        size_t n = json_object_array_length(array);
        json_object *last = n ? json_object_array_get_idx(array, n - 1) : NULL, *member;

        if (json_object_is_type(last, json_type_object) &&
            (!json_object_object_get_ex(last, name, &member) ||
             json_object_is_type(member, json_type_array)))
                return last;
        last = json_object_new_object();
        json_object_array_add(array, last);
        return last;
}

/* Put the value at its key; false when something else is there. */
static bool field_add(json_object *root, const Field *f, json_object *value) {
        char *name = f->key, *rest;

        for (json_object *at = root;;) {
                json_object *array;

                rest = name + strcspn(name, "[]");
                if (*rest == ']') /* behind the name of a member; an array's is kept */
                        *rest++ = '\0';
                if (!*rest) {
                        if (json_object_object_get_ex(at, name, NULL))
                                return false;
                        json_object_object_add(at, name, json_object_get(value));
                        return true;
                }
                *rest++ = '\0';
                if (*rest != ']') {
                        at = member_of(at, name, json_type_object);
                        name = rest;
                        if (!at)
                                return false;
                        continue;
                }
                array = member_of(at, name, json_type_array);
                if (!array)
                        return false;
                if (!rest[1]) {
                        if (f->value)
                                json_object_array_add(array, json_object_get(value));
                        return true;
                }
                name = rest + 2; /* "[][NAME]" */
                rest = name + strcspn(name, "]");
                *rest = '\0';
                at = element_for(array, name);
                *rest = ']';
        }
}

int fields_to_json(const Verb *verb, json_object **ret, const StringList *fields) {
        CLEANUP(json_objectp) json_object *root = json_object_new_object();

        if (!root)
                return fail_errno(-ENOMEM);
        for (size_t i = 0; i + 1 < fields->n; i += 2) {
                CLEANUP(json_objectp) json_object *value = NULL;
                CLEANUP(field_deinit) Field f = { 0 };
                int r;

                r = field_parse(verb, &f, fields->items[i], fields->items[i + 1]);
                if (r)
                        return r;
                if (f.value && !field_value(&value, &f))
                        return fail_errno(-ENOMEM);
                if (!field_add(root, &f, value))
                        return args_wrong(verb, "the field '%.*s' contradicts one before it",
                                          (int)strcspn(f.text, "="), f.text);
        }
        *ret = STEAL(root);
        return 0;
}

int fields_to_query(const Verb *verb, char **ret, const char *path, const StringList *fields) {
        CLEANUP(freep) char *query = strdup(path);

        for (size_t i = 0; query && i + 1 < fields->n; i += 2) {
                CLEANUP(field_deinit) Field f = { 0 };
                char *longer;
                int r;

                r = field_parse(verb, &f, fields->items[i], fields->items[i + 1]);
                if (r)
                        return r;
                if (!f.value)
                        continue;
                longer = address_add_field(
                        query, f.key,
                        f.typed && !f.of_file && streq(f.value, "null") ? "" : f.value);
                free(query);
                query = longer;
        }
        *ret = STEAL(query);
        return *ret ? 0 : fail_errno(-ENOMEM);
}
