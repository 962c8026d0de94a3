/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the daemon and for a person at once: an event loop on the bus that Ctrl-C ends, so
 * that a verb can put away what it had begun.
 */
#pragma once

#include <iotc-util.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct Loop {
        sd_event *event;
        sd_bus *bus; /* borrowed; attached to event as long as the loop lives */
        sd_bus_slot *disconnected, *owner;
        int (*on_daemon)(bool there, void *userdata); /* or NULL */
        void *userdata;
        int code; /* -1 as long as it runs: sd_event_exit() would close the bus */
} Loop;

/*
 * Block SIGINT, SIGTERM and SIGHUP, and make a loop that runs bus and that these signals end with
 * 128 + their number. Losing the bus is said and ends it with EXIT_FAILED. 0 and *ret, to be freed
 * by loop_free(), or an exit code. Slots that use the loop are to be freed before it.
 */
int loop_new(Loop **ret, sd_bus *bus);
/* NULL is fine. Returns NULL. The signals stay blocked. */
Loop *loop_free(Loop *loop);
/* Let loop_run() return code; the first one counts. Returns 0, as a callback has to. */
int loop_end(Loop *loop, int code);
/* Tell when the daemon goes (not there) or comes: on a connection of the daemon's own, which ends
 * with it, only that it goes, and nothing else is said then. Returns as a callback does. 0 or
 * -errno. */
int loop_watch_daemon(Loop *loop, int (*on_daemon)(bool there, void *userdata), void *userdata);
/* Run it to its end, once. Its exit code. */
int loop_run(Loop *loop);
/*
 * bus_call_unless() in a loop of its own, of a call for which the keyring may ask a person, who is
 * told that it does and has the time: 128 + a signal's number when that came first. It is given up
 * when this program ends. ret may be NULL.
 */
int loop_call_person(sd_bus *bus, sd_bus_message *m, const char *name, sd_bus_message **ret);
/* Refresh of the account at path, likewise, but nobody is asked. */
int loop_refresh_unless(sd_bus *bus, const char *path, const char *name);
/* Block the signals, for what has to be put away before they may end the process. 0 or -errno. */
int loop_block_signals(void);
/* A descriptor that is readable while one of the signals, which are blocked, waits: for poll(2), to
 * be closed by the caller. Or -errno. */
int loop_signals_fd(void);
/* Has one of the signals come, while nothing looked? Then 128 + its number, else 0. */
int loop_interrupted(void);

CLEANUP_FUNC(Loop, loop_free)
