/* SPDX-License-Identifier: MIT */
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "io/network.h"
#include "io/timer.h"
#include "io/watch.h"

/* A new network brings a burst of news; name servers and routes follow the address. */
#define WATCH_SETTLE_USEC     (1 * USEC_PER_SEC)
#define WATCH_SETTLE_MAX_USEC (5 * USEC_PER_SEC)

struct Watch {
        sd_event_source *source;
        Network *network;
        Timer *settle;
        uint64_t since_usec; /* when the news began; 0: there are none */
        int fd;
        bool online, grown;
        void (*fn)(bool online, void *userdata);
        void *userdata;
};

static bool address_counts(const struct ifaddrs *a) {
        if (!a->ifa_addr || !(a->ifa_flags & IFF_UP) || !(a->ifa_flags & IFF_RUNNING) ||
            a->ifa_flags & IFF_LOOPBACK)
                return false;
        if (a->ifa_addr->sa_family == AF_INET)
                return true;
        return a->ifa_addr->sa_family == AF_INET6 &&
               !IN6_IS_ADDR_LINKLOCAL(&((struct sockaddr_in6 *)(void *)a->ifa_addr)->sin6_addr);
}

static bool network_is_up(void) {
        struct ifaddrs *list;
        bool up = false;

        if (getifaddrs(&list) < 0)
                return true; /* not known: nothing is held back */
        for (const struct ifaddrs *a = list; a && !up; a = a->ifa_next)
                up = address_counts(a);
        freeifaddrs(list);
        return up;
}

static bool watch_look(const Watch *w) {
        return network_is_up() && !network_has_portal(w->network);
}

static void watch_on_settled(void *userdata) {
        Watch *w = userdata;
        bool was = w->online, grown = w->grown;

        w->since_usec = 0;
        w->online = watch_look(w);
        w->grown = false;
        if (w->online != was || (w->online && grown))
                w->fn(w->online, w->userdata);
}

/* Something has changed: look when it has come to rest, or does not. */
static void watch_stir(Watch *w) {
        uint64_t now = clock_boottime();

        if (w->since_usec == 0)
                w->since_usec = now;
        timer_arm(w->settle, MIN(now + WATCH_SETTLE_USEC, w->since_usec + WATCH_SETTLE_MAX_USEC));
}

static void watch_on_network(bool better, void *userdata) {
        Watch *w = userdata;

        w->grown = w->grown || better;
        watch_stir(w);
}

static int watch_on_news(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        /* Aligned for the headers in it. */
        union {
                struct nlmsghdr header;
                char bytes[8192];
        } buf;
        Watch *w = userdata;
        ssize_t n;

        while ((n = recv(fd, &buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
                size_t left = (size_t)n;

                for (struct nlmsghdr *h = &buf.header; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left))
                        if (h->nlmsg_type == RTM_NEWADDR)
                                w->grown = true;
        }
        watch_stir(w);
        return 0;
}

int watch_new(Watch **ret, sd_event *event, void (*fn)(bool online, void *userdata),
              void *userdata) {
        struct sockaddr_nl address = {
                .nl_family = AF_NETLINK,
                .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
        };
        CLEANUP(watch_freep) Watch *w = NULL;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->fn = fn;
        w->userdata = userdata;
        w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        if (w->fd < 0 || bind(w->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        r = timer_new(&w->settle, event, watch_on_settled, w);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &w->source, w->fd, EPOLLIN, watch_on_news, w);
        if (r < 0)
                return r;
        r = network_new(&w->network, event, watch_on_network, w);
        if (r < 0)
                return r;
        w->online = watch_look(w);
        *ret = STEAL(w);
        return 0;
}

bool watch_is_online(const Watch *w) {
        return w->online;
}

Watch *watch_free(Watch *w) {
        if (w) {
                sd_event_source_disable_unref(w->source);
                network_free(w->network);
                timer_free(w->settle);
                (void)fd_close(w->fd);
                free(w);
        }
        return NULL;
}
