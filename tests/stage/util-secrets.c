/* SPDX-License-Identifier: MIT */
/*
 * The Secret Service API 0.2 draft, sections "Service", "Collection" and "Prompt", as far as
 * prompt.c and watch.c use it: one collection, one locked item in it, one prompt.
 */
#undef NDEBUG
#include <assert.h>

#include "util-secrets.h"

#define SECRETS    "/org/freedesktop/secrets"
#define COLLECTION SECRETS "/collection/mine"
#define ITEM       COLLECTION "/1"
#define PROMPT     SECRETS "/prompt/1"

static int method_read_alias(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        UtilSecrets *s = userdata;
        const char *alias;

        assert(sd_bus_message_read(m, "s", &alias) >= 0);
        assert(streq(alias, "default"));
        return sd_bus_reply_method_return(m, "o", s->exists ? COLLECTION : "/");
}

static int method_open_session(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_error_set_const(error, "org.freedesktop.Secret.Error.IsLocked", "locked");
}

static int method_search_items(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "aoao", 0, 1, ITEM);
}

static int method_unlock(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        UtilSecrets *s = userdata;
        const char *path;

        assert(sd_bus_message_read(m, "ao", 1, &path) >= 0);
        assert(streq(path, COLLECTION) || streq(path, ITEM));
        s->n_unlocked++;
        if (!s->trusts)
                return sd_bus_reply_method_return(m, "aoo", 0, PROMPT);
        s->locked = false;
        return sd_bus_reply_method_return(m, "aoo", 1, COLLECTION, "/");
}

static int method_create_collection(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *alias;

        assert(sd_bus_message_skip(m, "a{sv}") >= 0);
        assert(sd_bus_message_read(m, "s", &alias) >= 0);
        assert(streq(alias, "default"));
        return sd_bus_reply_method_return(m, "oo", "/", PROMPT);
}

void util_secrets_set_locked(UtilSecrets *s, bool locked) {
        s->locked = locked;
        assert(sd_bus_emit_properties_changed(s->bus, COLLECTION,
                                              "org.freedesktop.Secret.Collection", "Locked",
                                              NULL) >= 0);
}

static int method_prompt(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        UtilSecrets *s = userdata;

        assert(sd_bus_reply_method_return(m, "") >= 0);
        s->n_prompts++;
        if (!s->dismiss) {
                s->exists = true;
                util_secrets_set_locked(s, false);
        }
        assert(sd_bus_emit_signal(s->bus, PROMPT, "org.freedesktop.Secret.Prompt", "Completed",
                                  "bv", s->dismiss, "s", "") >= 0);
        return 1;
}

static int property_get_locked(sd_bus *bus, const char *path, const char *interface,
                               const char *property, sd_bus_message *reply, void *userdata,
                               sd_bus_error *error) {
        UtilSecrets *s = userdata;

        return sd_bus_message_append(reply, "b", s->locked);
}

static const sd_bus_vtable service_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("ReadAlias", "s", "o", method_read_alias, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("OpenSession", "sv", "vo", method_open_session, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("SearchItems", "a{ss}", "aoao", method_search_items,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Unlock", "ao", "aoo", method_unlock, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("CreateCollection", "a{sv}s", "oo", method_create_collection,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable collection_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Locked", "b", property_get_locked, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable prompt_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Prompt", "s", "", method_prompt, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL("Completed", "bv", 0),
        SD_BUS_VTABLE_END,
};

void util_secrets_start(UtilSecrets *s, sd_event *event) {
        assert(sd_bus_open_user(&s->bus) >= 0);
        assert(sd_bus_add_object_vtable(s->bus, NULL, SECRETS, "org.freedesktop.Secret.Service",
                                        service_vtable, s) >= 0);
        assert(sd_bus_add_object_vtable(s->bus, NULL, COLLECTION,
                                        "org.freedesktop.Secret.Collection", collection_vtable,
                                        s) >= 0);
        assert(sd_bus_add_object_vtable(s->bus, NULL, PROMPT, "org.freedesktop.Secret.Prompt",
                                        prompt_vtable, s) >= 0);
        assert(sd_bus_request_name(s->bus, "org.freedesktop.secrets", 0) >= 0);
        assert(sd_bus_attach_event(s->bus, event, SD_EVENT_PRIORITY_NORMAL) >= 0);
}

void util_secrets_stop(UtilSecrets *s) {
        s->bus = sd_bus_flush_close_unref(s->bus);
}
