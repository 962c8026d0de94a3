/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>

#include "common/peer.h"

enum {
        PEER_NAME_MAX =
                8 * 4 + 1 + 4 + 1, /* an IPv6 address and a port, as the kernel prints them */
        PEER_STATE_LISTEN = 0x0a,
};

/* The two ends of a connection, as the table of its family has them. */
typedef struct PeerNames {
        char local[PEER_NAME_MAX], remote[PEER_NAME_MAX];
} PeerNames;

static void peer_name_v6(char ret[PEER_NAME_MAX], const struct in6_addr *a, uint16_t port) {
        uint32_t words[4];

        memcpy(words, a, sizeof(words));
        (void)snprintf(ret, PEER_NAME_MAX,
                       "%08" PRIX32 "%08" PRIX32 "%08" PRIX32 "%08" PRIX32 ":%04X", words[0],
                       words[1], words[2], words[3], port);
}

/* An IPv4 address in an IPv6 socket. */
static struct in6_addr peer_mapped(in_addr_t v4) {
        struct in6_addr a = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

        memcpy(&a.s6_addr[12], &v4, sizeof(v4));
        return a;
}

/* Look a connection up. 1 or 0: its socket may ask, or may not; -ENOENT: it is not there. *seen:
 * but the socket that listens is. */
static int peer_look(const char *table, const PeerNames *names, bool *seen) {
        CLEANUP(file_closep) FILE *f = fopen(table, "re");
        char line[256], local[PEER_NAME_MAX], remote[PEER_NAME_MAX];
        unsigned long inode;
        unsigned int state, uid;

        while (f && fgets(line, sizeof(line), f)) {
                if (sscanf(line, "%*s %37[0-9A-F:] %37[0-9A-F:] %x %*s %*s %*s %u %*s %lu", local,
                           remote, &state, &uid, &inode) != 5)
                        continue;
                *seen = *seen || (state == PEER_STATE_LISTEN && streq(local, names->remote));
                if (state == PEER_STATE_LISTEN || !streq(local, names->local) ||
                    !streq(remote, names->remote))
                        continue;
                /* Of one that was closed nobody knows whose it was. */
                return inode != 0 && (uid == 0 || uid == geteuid());
        }
        return -ENOENT;
}

bool peer_is_ours(const struct sockaddr *peer, uint16_t port) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)peer;
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)peer;
        struct in6_addr from, to = IN6ADDR_LOOPBACK_INIT;
        PeerNames names;
        bool seen = false;
        int r = -ENOENT;

        from = peer->sa_family == AF_INET6 ? v6->sin6_addr : peer_mapped(v4->sin_addr.s_addr);
        if (peer->sa_family == AF_INET) {
                (void)snprintf(names.local, sizeof(names.local), "%08" PRIX32 ":%04X",
                               v4->sin_addr.s_addr, ntohs(v4->sin_port));
                (void)snprintf(names.remote, sizeof(names.remote), "%08" PRIX32 ":%04X",
                               htonl(INADDR_LOOPBACK), port);
                r = peer_look("/proc/net/tcp", &names, &seen);
                to = peer_mapped(htonl(INADDR_LOOPBACK));
        }
        if (r == -ENOENT) {
                peer_name_v6(names.local, &from,
                             ntohs(peer->sa_family == AF_INET6 ? v6->sin6_port : v4->sin_port));
                peer_name_v6(names.remote, &to, port);
                r = peer_look("/proc/net/tcp6", &names, &seen);
        }
        return r > 0 || (r == -ENOENT && !seen);
}
