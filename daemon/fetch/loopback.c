/* SPDX-License-Identifier: MIT */
/*
 * See loopback.h. Any user of this machine can connect, and is turned away at once (peer.h). Any
 * web page can make this user's browser do so: the Host header keeps out names that somebody points
 * at 127.0.0.1 (DNS rebinding), limits of connections, bytes and idleness keep out the rest.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "common/clock.h"
#include "common/memory.h"
#include "common/peer.h"
#include "fetch/loopback.h"
#include "fetch/page.h"

enum {
        LOOPBACK_PORT_TRIES = 16,
        LOOPBACK_LAST_USEC = 3000000, /* for a browser to come for the last page, and to take it */
        LOOPBACK_POLL_MSEC = 10000,   /* poll(2) stands still while the machine sleeps */
};

struct Loopback {
        LoopbackFn fn;
        void *userdata;
        struct MHD_Daemon *servers[2];
        size_t n_servers;
        uint16_t port;
        uint64_t until_usec; /* CLOCK_BOOTTIME: loopback_run() ends then */
};

struct LoopbackRequest {
        struct MHD_Connection *connection;
        const char *path;
};

/* ---- sockets ------------------------------------------------------------------------------ */

/* A listening socket at *port, 0: any, which is then put there. The descriptor or -errno. */
static int loopback_listen(int family, uint16_t *port) {
        CLEANUP(fd_closep) int fd = -1;
        union {
                struct sockaddr any;
                struct sockaddr_in v4;
                struct sockaddr_in6 v6;
        } address = { 0 };
        socklen_t n = family == AF_INET ? sizeof(address.v4) : sizeof(address.v6);
        int only = 1, r;

        if (family == AF_INET) {
                address.v4 = (struct sockaddr_in){ .sin_family = AF_INET,
                                                   .sin_port = htons(*port),
                                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        } else {
                address.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
                                                    .sin6_port = htons(*port),
                                                    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        }
        fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 ||
            (family == AF_INET6 &&
             setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0) ||
            bind(fd, &address.any, n) < 0 || listen(fd, 16) < 0 ||
            getsockname(fd, &address.any, &n) < 0)
                return -errno;
        *port = ntohs(family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
        r = fd;
        fd = -1;
        return r;
}

/*
 * Both at the same port, because "localhost" may mean either: somebody else's server at the other
 * one would be sent the code. 0 with fds, the second one -1 where there is no IPv6; or -errno.
 */
static int loopback_listen_both(int fds[2], uint16_t *ret_port) {
        for (int tries = 0; tries < LOOPBACK_PORT_TRIES; tries++) {
                *ret_port = 0;
                fds[0] = loopback_listen(AF_INET, ret_port);
                if (fds[0] < 0)
                        return fds[0];
                fds[1] = loopback_listen(AF_INET6, ret_port);
                if (fds[1] != -EADDRINUSE)
                        return 0;
                fds[0] = fd_close(fds[0]);
        }
        return -EADDRINUSE;
}

/* ---- requests ----------------------------------------------------------------------------- */

static bool loopback_host_is_ours(const Loopback *l, const char *host) {
        static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
        char expected[32];

        for (size_t i = 0; host && i < ARRAY_SIZE(names); i++) {
                (void)snprintf(expected, sizeof(expected), "%s:%u", names[i], l->port);
                if (strcasecmp(host, expected) == 0)
                        return true;
        }
        return false;
}

static enum MHD_Result loopback_answer(struct MHD_Connection *connection, LoopbackPage *page) {
        static const char *const headers[][2] = {
                { "Content-Type", "text/html; charset=utf-8" },
                { "Content-Security-Policy", PAGE_POLICY },
                { "Cache-Control", "no-store" },
                { "Referrer-Policy", "no-referrer" },
                { "X-Content-Type-Options", "nosniff" },
                { "Connection", "close" },
        };
        struct MHD_Response *response;
        enum MHD_Result r;

        response = MHD_create_response_from_buffer(page->html ? strlen(page->html) : 0, page->html,
                                                   MHD_RESPMEM_MUST_FREE);
        if (!response) {
                free(page->html);
                return MHD_NO;
        }
        for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
                (void)MHD_add_response_header(response, headers[i][0], headers[i][1]);
        if (page->status == MHD_HTTP_METHOD_NOT_ALLOWED)
                (void)MHD_add_response_header(response, "Allow", "GET");
        if (page->location)
                (void)MHD_add_response_header(response, "Location", page->location);
        r = MHD_queue_response(
                connection, page->status ? page->status : MHD_HTTP_INTERNAL_SERVER_ERROR, response);
        MHD_destroy_response(response);
        return r;
}

/* MHD_AcceptPolicyCallback. */
static enum MHD_Result loopback_on_connection(void *userdata, const struct sockaddr *peer,
                                              socklen_t n) {
        const Loopback *l = userdata;

        return peer_is_ours(peer, l->port) ? MHD_YES : MHD_NO;
}

static void loopback_refuse(LoopbackPage *page, unsigned int status, const char *text) {
        page->status = status;
        page->html = page_new(PAGE_OTHER, "Not here", text, NULL);
}

/* MHD_AccessHandlerCallback. Answers at the end of the headers: a body is nobody's wish. */
static enum MHD_Result loopback_on_request(void *userdata, struct MHD_Connection *connection,
                                           const char *url, const char *method, const char *version,
                                           const char *upload, size_t *n_upload, void **own) {
        LoopbackRequest request = { .connection = connection, .path = url };
        Loopback *l = userdata;
        LoopbackPage page = { 0 };

        if (!streq(method, MHD_HTTP_METHOD_GET))
                loopback_refuse(&page, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET is answered here.");
        else if (!loopback_host_is_ours(l, MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                                       MHD_HTTP_HEADER_HOST)))
                loopback_refuse(&page, MHD_HTTP_BAD_REQUEST, "Another host was asked for.");
        else
                l->fn(&page, &request, l->userdata);
        *own = page.last ? l : NULL;
        if (page.last || page.location)
                l->until_usec = clock_usec() + LOOPBACK_LAST_USEC;
        return loopback_answer(connection, &page);
}

static void loopback_on_completed(void *userdata, struct MHD_Connection *connection, void **own,
                                  enum MHD_RequestTerminationCode code) {
        Loopback *l = userdata;

        if (*own)
                l->until_usec = 0;
}

const char *loopback_path(const LoopbackRequest *request) {
        return request->path;
}

const char *loopback_query(const LoopbackRequest *request, const char *name) {
        return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* ---- its life ----------------------------------------------------------------------------- */

int loopback_new(Loopback **ret, LoopbackFn fn, void *userdata) {
        CLEANUP(loopback_freep) Loopback *l = NULL;
        int fds[2], r;

        l = xcalloc(1, sizeof(*l));
        l->fn = fn;
        l->userdata = userdata;
        r = loopback_listen_both(fds, &l->port);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(fds) && fds[i] >= 0; i++) {
                l->servers[i] = MHD_start_daemon(
                        MHD_USE_EPOLL, l->port, loopback_on_connection, l, loopback_on_request, l,
                        MHD_OPTION_LISTEN_SOCKET, fds[i], MHD_OPTION_CONNECTION_LIMIT,
                        (unsigned int)LOOPBACK_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                        (size_t)LOOPBACK_HEADER_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                        (unsigned int)LOOPBACK_IDLE_MAX, MHD_OPTION_NOTIFY_COMPLETED,
                        loopback_on_completed, l, MHD_OPTION_END);
                if (!l->servers[i])
                        return -ENOMEM;
                l->n_servers++;
        }
        *ret = STEAL(l);
        return 0;
}

Loopback *loopback_free(Loopback *l) {
        if (l) {
                /* Which closes the sockets as well. */
                for (size_t i = 0; i < l->n_servers; i++)
                        MHD_stop_daemon(l->servers[i]);
                free(l);
        }
        return NULL;
}

uint16_t loopback_port(const Loopback *l) {
        return l->port;
}

/* Milliseconds until one of the servers, or the end, wants to be looked at. */
static int loopback_wait(const Loopback *l, uint64_t now) {
        uint64_t msec = MIN((l->until_usec - now) / 1000 + 1, (uint64_t)LOOPBACK_POLL_MSEC);

        for (size_t i = 0; i < l->n_servers; i++) {
                MHD_UNSIGNED_LONG_LONG limit;

                if (MHD_get_timeout(l->servers[i], &limit) == MHD_YES)
                        msec = MIN(msec, (uint64_t)limit);
        }
        return (int)msec;
}

int loopback_run(Loopback *l, uint64_t until_usec) {
        struct pollfd fds[ARRAY_SIZE(l->servers)];
        uint64_t now;

        l->until_usec = until_usec;
        for (size_t i = 0; i < l->n_servers; i++)
                fds[i] = (struct pollfd){
                        .fd = MHD_get_daemon_info(l->servers[i], MHD_DAEMON_INFO_EPOLL_FD)
                                      ->epoll_fd,
                        .events = POLLIN,
                };
        while ((now = clock_usec()) < l->until_usec) {
                if (poll(fds, l->n_servers, loopback_wait(l, now)) < 0 && errno != EINTR)
                        return -errno;
                for (size_t i = 0; i < l->n_servers; i++)
                        if (MHD_run(l->servers[i]) != MHD_YES)
                                return -EIO;
        }
        return 0;
}
