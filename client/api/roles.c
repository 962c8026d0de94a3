/* SPDX-License-Identifier: MIT */
#include "api/roles.h"
#include "base/say.h"

const char *member_string(json_object *object, const char *name) {
        json_object *value;

        return json_object_object_get_ex(object, name, &value) &&
                               json_object_is_type(value, json_type_string)
                       ? json_object_get_string(value)
                       : "";
}

int roles_load(Session *s, json_object **ret) {
        return pages_get_all(s, ret, "/api/roles");
}

/* The built-in roles were "Operator" once and are "App Operator" now. */
static const char *without_app(const char *name) {
        return strncasecmp(name, "App ", 4) == 0 ? name + 4 : name;
}

static void roles_say(json_object *roles, const char *host) {
        for (size_t i = 0; i < json_object_array_length(roles); i++) {
                json_object *role = json_object_array_get_idx(roles, i);

                if (i == 0)
                        say("The roles of %s:", host);
                say("  %-36s  %s", member_string(role, "id"), member_string(role, "displayName"));
        }
}

const char *roles_find(json_object *roles, const char *host, const char *word) {
        const char *found = NULL;
        unsigned n = 0;

        for (size_t i = 0; i < json_object_array_length(roles); i++) {
                json_object *role = json_object_array_get_idx(roles, i);
                const char *id = member_string(role, "id");

                if (strcasecmp(id, word) == 0)
                        return id;
                if (strcasecmp(without_app(member_string(role, "displayName")),
                               without_app(word)) == 0) {
                        found = id;
                        n++;
                }
        }
        if (n == 1)
                return found;
        if (n)
                fail(EXIT_FAILED, "%s has %u roles that are called '%s': name it by its id", host,
                     n, word);
        else
                fail(EXIT_FAILED, "%s has no role '%s'", host, word);
        roles_say(roles, host);
        return NULL;
}

const char *roles_name(json_object *roles, const char *id) {
        for (size_t i = 0; roles && i < json_object_array_length(roles); i++) {
                json_object *role = json_object_array_get_idx(roles, i);

                if (streq(member_string(role, "id"), id) && *member_string(role, "displayName"))
                        return member_string(role, "displayName");
        }
        return id;
}
