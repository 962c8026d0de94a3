/* SPDX-License-Identifier: MIT */
/*
 * The direct socket, $XDG_RUNTIME_DIR/iotc-token/bus: the same objects as on the session bus, for
 * every session of the user, and on no bus that a monitor could record.
 */
#pragma once

#include "bus/bus.h"

typedef struct Socket Socket;

/*
 * Listen, but accept nothing yet: who connects waits. activated is a socket that systemd listens
 * at, taken over in every case, or -1: then one is bound in folder, whose lock we hold. 0, -EBUSY
 * when systemd listens there without having started us, or -errno.
 */
int socket_new(Socket **ret, Bus *b, sd_event *event, const char *folder, int activated);
/* Calls may come. 0 or -errno. */
int socket_begin(Socket *s);
/* What we have bound is removed. NULL is fine. Returns NULL. */
Socket *socket_free(Socket *s);

CLEANUP_FUNC(Socket, socket_free)
