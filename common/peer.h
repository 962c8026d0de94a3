/* SPDX-License-Identifier: MIT */
/*
 * Whose is the other end of a TCP connection over loopback? The page of a sign-in is an argument of
 * the program that opens it, which every user of the machine can read: without this, another one
 * could bring the redirect with a code of its own, and sign us in as somebody else. And whoever may
 * connect may take up all connections that a server has.
 */
#pragma once

#include <sys/socket.h>

#include <iotc-util.h>

/*
 * peer: from accept(2), on a socket that listens at that port of 127.0.0.1 or ::1. True when it is
 * this user's or root's (which relays into containers and virtual machines), or when /proc/net
 * does not tell, not even of who listens (proc_pid_net(5)). False also for one that was closed: it
 * waits for no answer.
 */
bool peer_is_ours(const struct sockaddr *peer, uint16_t port);
