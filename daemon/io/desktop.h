/* SPDX-License-Identifier: MIT */
/*
 * One notification on the person's desktop: org.freedesktop.Notifications, version 1.2, of whatever
 * server there is on the session bus, and the page that its button opens, by the program
 * iotc-token-open, because portals refuse a process that can't be looked into. There is a
 * connection of its own while there is something to show, and none otherwise: servers take away
 * what a client has shown when it leaves the bus.
 */
#pragma once

#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct Desktop Desktop;

enum {
        DESKTOP_ACTIONS_MAX = 2
};

/* Plain clean UTF-8, owned. */
typedef struct DesktopNote {
        char *summary, *body;
        char *command; /* a line below the body where there are no buttons; "" for none */
        bool command_always;
        bool urgent; /* a person is waiting for it: no server hides it by itself */
        char *actions[2 * DESKTOP_ACTIONS_MAX +
                      1]; /* key, label, ...; the first is a click's too */
} DesktopNote;

/* 0 or -ENOMEM. */
int desktop_note_add_action(DesktopNote *note, const char *key, const char *label);
/* Frees what is inside. */
void desktop_note_deinit(DesktopNote *note);
/* The body for a server that has these capabilities, to be freed by free(); NULL when memory is
 * short. */
char *desktop_note_body(const DesktopNote *note, bool actions, bool markup);

typedef enum DesktopEnd {
        DESKTOP_END_EXPIRED, /* nobody has done anything, or what was done has closed it */
        DESKTOP_END_PERSON,  /* closed it by hand */
        DESKTOP_END_LOST,    /* the server is gone, or would not take it */
} DesktopEnd;

/* Called from the loop. */
typedef struct DesktopHandler {
        void (*shown)(void *userdata); /* the server has what was given last */
        void (*ended)(DesktopEnd end, void *userdata);
        void (*action)(const char *key, void *userdata);
        void (*page_failed)(void *userdata);
} DesktopHandler;

/* Nothing is opened yet. 0 or -ENOMEM. */
int desktop_new(Desktop **ret, sd_event *event, const DesktopHandler *handler, void *userdata);
/* Takes the notification away. NULL is fine. Returns NULL. */
Desktop *desktop_free(Desktop *d);

/*
 * Show it, in the place of the one that shows. Without a server nothing happens until one comes up;
 * the bus is asked once to start one. Takes over what is inside note.
 */
void desktop_show(Desktop *d, DesktopNote *note);
/* Take it away, shown or not. */
void desktop_hide(Desktop *d);
/* Is one on the screen, or in the server's list, as far as we know? */
bool desktop_is_shown(const Desktop *d);
/* Have the page of that sign-in (its number) opened, because of the last action. */
void desktop_open_page(Desktop *d, uint64_t signin);

CLEANUP_FUNC(Desktop, desktop_free)
