/* SPDX-License-Identifier: MIT */
/*
 * The floor that GetToken is measured against: the least service that one can write with sd-bus,
 * with the same method on the same path, which answers every call with a string of LENGTH bytes. A
 * NAME that begins with a slash is a socket to listen at, for peers without any bus.
 *
 * usage: bench-service NAME LENGTH
 */
#include <sys/socket.h>
#include <sys/un.h>

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

static int serve(sd_bus *bus, sd_event *event, char *token) {
        int r;

        r = sd_bus_add_object_vtable(bus, NULL, IOTC_PATH, IOTC_INTERFACE_MANAGER, vtable, token);
        return r < 0 ? r : sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *token) {
        sd_id128_t id;
        sd_bus *bus;
        int peer, r;

        peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_id128_randomize(&id);
        if (r >= 0)
                r = sd_bus_set_fd(bus, peer, peer);
        if (r >= 0)
                r = sd_bus_set_server(bus, true, id);
        if (r >= 0)
                r = sd_bus_start(bus);
        return r < 0 ? r : serve(bus, sd_event_source_get_event(source), token);
}

static int listen_at(const char *path, sd_event *event, char *token) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(fd, SOMAXCONN) < 0)
                return -errno;
        return sd_event_add_io(event, NULL, fd, EPOLLIN, on_connection, token);
}

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
        if (r >= 0 && *argv[1] == '/') {
                r = listen_at(argv[1], event, token);
        } else if (r >= 0) {
                r = sd_bus_open_user(&bus);
                if (r >= 0)
                        r = serve(bus, event, token);
                if (r >= 0)
                        r = sd_bus_request_name(bus, argv[1], 0);
        }
        if (r >= 0)
                r = sd_event_loop(event);
        (void)fprintf(stderr, "bench-service: %s\n", strerror(-r));
        return EXIT_FAILURE;
}
