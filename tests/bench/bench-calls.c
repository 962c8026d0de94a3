/* SPDX-License-Identifier: MIT */
/*
 * What a call costs: CLIENTS connections to the session bus, each with one call on its way at any
 * time, CALLS in all, to the service NAME: GetToken with a selector or, as the floor of what a bus
 * can do, Ping. A NAME that begins with a slash is the socket of a service without any bus. Prints
 * median and 99th percentile in microseconds and calls a second.
 *
 * usage: bench-calls NAME CLIENTS CALLS [SELECTOR]
 */
#include <time.h>

#include <iotc-dbus.h>
#include <iotc-util.h>

typedef struct Bench Bench;
typedef struct Client Client;

struct Bench {
        const char *name;     /* of the service; NULL: there is no bus */
        const char *selector; /* NULL: Ping */
        sd_event *event;
        size_t n_calls;
        size_t n_sent;
        size_t n_done;
        double *usec; /* n_calls of them */
};

struct Client {
        Bench *bench;
        sd_bus *bus;
        double sent;
};

static double now_usec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void die(const char *what, int r) {
        (void)fprintf(stderr, "bench-calls: %s: %s\n", what, strerror(-r));
        exit(EXIT_FAILURE);
}

static void client_send(Client *client);

static int client_on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Client *client = userdata;
        Bench *bench = client->bench;

        if (sd_bus_message_is_method_error(reply, NULL)) {
                (void)fprintf(stderr, "bench-calls: %s\n",
                              sd_bus_message_get_error(reply)->message);
                exit(EXIT_FAILURE);
        }
        bench->usec[bench->n_done++] = now_usec() - client->sent;
        if (bench->n_done == bench->n_calls)
                return sd_event_exit(bench->event, 0);
        client_send(client);
        return 0;
}

static void client_send(Client *client) {
        Bench *bench = client->bench;
        int r;

        if (bench->n_sent == bench->n_calls)
                return;
        bench->n_sent++;
        client->sent = now_usec();
        if (bench->selector)
                r = sd_bus_call_method_async(client->bus, NULL, bench->name, IOTC_PATH,
                                             IOTC_INTERFACE_MANAGER, "GetToken", client_on_reply,
                                             client, "sa{sv}", bench->selector, 0);
        else
                r = sd_bus_call_method_async(client->bus, NULL, bench->name, IOTC_PATH,
                                             "org.freedesktop.DBus.Peer", "Ping", client_on_reply,
                                             client, NULL);
        if (r < 0)
                die("sending a call", r);
}

static int client_connect(Client *client, const char *name) {
        CLEANUP(freep) char *address = NULL;
        int r;

        if (*name != '/')
                return sd_bus_open_user(&client->bus);
        if (asprintf(&address, "unix:path=%s", name) < 0)
                return -ENOMEM;
        r = sd_bus_new(&client->bus);
        if (r >= 0)
                r = sd_bus_set_address(client->bus, address);
        return r < 0 ? r : sd_bus_start(client->bus);
}

static int compare(const void *a, const void *b) {
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

int main(int argc, char **argv) {
        CLEANUP(freep) Client *clients = NULL;
        CLEANUP(freep) double *usec = NULL;
        Bench bench = { 0 };
        size_t n_clients;
        double start, took;
        int r;

        if (argc < 4 || argc > 5 || atoi(argv[2]) < 1 || atoi(argv[3]) < 1) {
                (void)fprintf(stderr, "usage: bench-calls NAME CLIENTS CALLS [SELECTOR]\n");
                return 2;
        }
        bench.name = *argv[1] == '/' ? NULL : argv[1];
        n_clients = (size_t)atoi(argv[2]);
        bench.n_calls = (size_t)atoi(argv[3]);
        bench.selector = argv[4];
        clients = calloc(n_clients, sizeof(*clients));
        bench.usec = usec = calloc(bench.n_calls, sizeof(*usec));
        if (!clients || !usec)
                die("memory", -ENOMEM);

        r = sd_event_new(&bench.event);
        for (size_t i = 0; r >= 0 && i < n_clients; i++) {
                clients[i].bench = &bench;
                r = client_connect(&clients[i], argv[1]);
                if (r >= 0)
                        r = sd_bus_attach_event(clients[i].bus, bench.event, 0);
        }
        if (r < 0)
                die("connecting", r);

        start = now_usec();
        for (size_t i = 0; i < n_clients; i++)
                client_send(&clients[i]);
        r = sd_event_loop(bench.event);
        if (r < 0)
                die("the loop", r);
        took = now_usec() - start;

        qsort(usec, bench.n_calls, sizeof(*usec), compare);
        (void)printf("%.0f %.0f %.0f\n", usec[bench.n_calls / 2], usec[bench.n_calls * 99 / 100],
                     (double)bench.n_calls / took * 1e6);
        for (size_t i = 0; i < n_clients; i++)
                sd_bus_flush_close_unref(clients[i].bus);
        sd_event_unref(bench.event);
        return 0;
}
