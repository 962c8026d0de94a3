/* SPDX-License-Identifier: MIT */
/*
 * Both services tell by PropertiesChanged, and are asked once when they are there or come. What is
 * learned first is how things are, not that they have changed.
 */
#include <systemd/sd-bus.h>

#include "io/broadcast.h"
#include "io/log.h"
#include "io/network.h"

/* NetworkManager's D-Bus types: NMConnectivityState, NMState. */
#define NM_CONNECTIVITY_PORTAL  2
#define NM_CONNECTIVITY_FULL    4
#define NM_STATE_CONNECTED_SITE 60

typedef struct Service {
        Network *network;
        const char *name, *path, *interface;
        sd_bus_slot *asked; /* GetAll, not answered yet */
        unsigned known;     /* properties, by their place in a Property list */
        unsigned good;      /* of these, the ones that say the network is as it should be */
} Service;

struct Network {
        sd_bus *bus; /* NULL: there is none */
        Service services[2];
        bool portal;
        void (*fn)(bool better, void *userdata);
        void *userdata;
};

typedef struct Property {
        const char *name;
        const char *type;
        const char *good;  /* of type s */
        uint32_t at_least; /* of type u */
} Property;

static const Property properties[] = {
        { "Connectivity", "u", NULL, NM_CONNECTIVITY_FULL },
        { "State", "u", NULL, NM_STATE_CONNECTED_SITE },
        { "OperationalState", "s", "routable", 0 },
        { "OnlineState", "s", "online", 0 },
};

/* Read the value of a known property. 1 when it became good that was not before; 0; -errno. */
static int property_read(Service *s, sd_bus_message *m, size_t i) {
        const Property *p = &properties[i];
        unsigned bit = 1U << i;
        const char *text = NULL;
        uint32_t number = 0;
        bool good, was;
        int r;

        r = sd_bus_message_read(m, "v", p->type, *p->type == 'u' ? (void *)&number : &text);
        if (r < 0)
                return r;
        if (i == 0)
                s->network->portal = number == NM_CONNECTIVITY_PORTAL;
        good = text ? streq(text, p->good) : number >= p->at_least;
        was = s->good & bit || !(s->known & bit);
        s->known |= bit;
        s->good = good ? s->good | bit : s->good & ~bit;
        return good && !was;
}

/* a{sv}, as GetAll and PropertiesChanged have it. As property_read(). */
static int properties_read(Service *s, sd_bus_message *m) {
        bool better = false;
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                size_t i = 0;

                r = sd_bus_message_read_basic(m, 's', &name);
                if (r < 0)
                        return r;
                while (i < ARRAY_SIZE(properties) && !streq(properties[i].name, name))
                        i++;
                r = i < ARRAY_SIZE(properties) ? property_read(s, m, i)
                                               : sd_bus_message_skip(m, "v");
                if (r < 0)
                        return r;
                better = better || (i < ARRAY_SIZE(properties) && r > 0);
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : better;
}

static void network_tell(Network *n, bool better, bool portal) {
        if (better || n->portal != portal)
                n->fn(better, n->userdata);
}

static int service_on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Service *s = userdata;
        bool portal = s->network->portal;

        if (signal_is_broadcast(m) && sd_bus_message_skip(m, "s") >= 0)
                network_tell(s->network, properties_read(s, m) > 0, portal);
        return 0;
}

static int service_on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Service *s = userdata;
        bool portal = s->network->portal;

        s->asked = sd_bus_slot_unref(s->asked);
        if (!sd_bus_message_is_method_error(m, NULL))
                network_tell(s->network, properties_read(s, m) > 0, portal);
        return 0;
}

static int service_ask(Service *s) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        s->asked = sd_bus_slot_unref(s->asked);
        r = sd_bus_message_new_method_call(s->network->bus, &m, s->name, s->path,
                                           "org.freedesktop.DBus.Properties", "GetAll");
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", s->interface);
        if (r >= 0)
                r = sd_bus_call_async(s->network->bus, &s->asked, m, service_on_answer, s, 0);
        return r;
}

/* It came, went, or is another one: nothing that the former said counts. */
static int service_on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Service *s = userdata;
        bool portal = s->network->portal;
        const char *name, *before, *after;

        if (!signal_is_broadcast(m) || sd_bus_message_read(m, "sss", &name, &before, &after) < 0)
                return 0;
        s->known = s->good = 0;
        if (s == s->network->services)
                s->network->portal = false;
        if (*after)
                (void)service_ask(s);
        network_tell(s->network, false, portal);
        return 0;
}

static int network_on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Network *n = userdata;
        bool portal = n->portal;

        for (size_t i = 0; i < ARRAY_SIZE(n->services); i++)
                n->services[i].asked = sd_bus_slot_unref(n->services[i].asked);
        n->bus = sd_bus_close_unref(n->bus);
        n->portal = false;
        network_tell(n, false, portal);
        return 0;
}

static int service_follow(Service *s) {
        char match[512];
        int r;

        (void)snprintf(match, sizeof(match),
                       "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                       "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
                       s->name);
        r = sd_bus_add_match_async(s->network->bus, NULL, match, service_on_owner_changed, NULL, s);
        if (r < 0)
                return r;
        (void)snprintf(match, sizeof(match),
                       "type='signal',sender='%s',path='%s',"
                       "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
                       "arg0='%s'",
                       s->name, s->path, s->interface);
        r = sd_bus_add_match_async(s->network->bus, NULL, match, service_on_changed, NULL, s);
        return r < 0 ? r : service_ask(s);
}

static int network_follow(Network *n) {
        int r;

        r = sd_bus_add_match_async(n->bus, NULL,
                                   "type='signal',sender='org.freedesktop.DBus.Local',"
                                   "path='/org/freedesktop/DBus/Local',"
                                   "interface='org.freedesktop.DBus.Local',member='Disconnected'",
                                   network_on_disconnected, NULL, n);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(n->services); i++)
                r = service_follow(&n->services[i]);
        return r;
}

int network_new(Network **ret, sd_event *event, void (*fn)(bool better, void *userdata),
                void *userdata) {
        CLEANUP(network_freep) Network *n = NULL;
        int r;

        n = calloc(1, sizeof(*n));
        if (!n)
                return -ENOMEM;
        n->fn = fn;
        n->userdata = userdata;
        n->services[0] = (Service){
                .network = n,
                .name = "org.freedesktop.NetworkManager",
                .path = "/org/freedesktop/NetworkManager",
                .interface = "org.freedesktop.NetworkManager",
        };
        n->services[1] = (Service){
                .network = n,
                .name = "org.freedesktop.network1",
                .path = "/org/freedesktop/network1",
                .interface = "org.freedesktop.network1.Manager",
        };
        r = sd_bus_open_system(&n->bus);
        if (r >= 0)
                r = sd_bus_attach_event(n->bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = network_follow(n);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                log_debug("No system bus, so that only the kernel tells of the network: %s",
                          strerror(-r));
                n->bus = sd_bus_close_unref(n->bus);
        }
        *ret = STEAL(n);
        return 0;
}

bool network_has_portal(const Network *n) {
        return n->portal;
}

Network *network_free(Network *n) {
        if (n) {
                for (size_t i = 0; i < ARRAY_SIZE(n->services); i++)
                        sd_bus_slot_unref(n->services[i].asked);
                sd_bus_close_unref(n->bus);
                free(n);
        }
        return NULL;
}
