/* SPDX-License-Identifier: MIT */
/*
 * The floor that GetToken is measured against: the least service that one can write with sd-bus,
 * with the same method on the same path, which answers every call with a string of LENGTH bytes.
 *
 * usage: bench-service NAME LENGTH
 */
#include <iotc-dbus.h>
#include <iotc-util.h>

static int method_get_token(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return sd_bus_reply_method_return(m, "sst", userdata, "bearer", UINT64_C(1));
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetToken", "sa{sv}", "sst", method_get_token, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int main(int argc, char **argv) {
        CLEANUP(freep) char *token = NULL;
        sd_event *event = NULL;
        sd_bus *bus = NULL;
        size_t n;
        int r;

        if (argc != 3 || atoi(argv[2]) < 1) {
                (void)fprintf(stderr, "usage: bench-service NAME LENGTH\n");
                return 2;
        }
        n = (size_t)atoi(argv[2]);
        token = malloc(n + 1);
        if (!token)
                return EXIT_FAILURE;
        memset(token, 'x', n);
        token[n] = '\0';

        r = sd_event_new(&event);
        if (r >= 0)
                r = sd_bus_open_user(&bus);
        if (r >= 0)
                r = sd_bus_add_object_vtable(bus, NULL, IOTC_PATH, IOTC_INTERFACE_MANAGER, vtable,
                                             token);
        if (r >= 0)
                r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_request_name(bus, argv[1], 0);
        if (r >= 0)
                r = sd_event_loop(event);
        (void)fprintf(stderr, "bench-service: %s\n", strerror(-r));
        return EXIT_FAILURE;
}
