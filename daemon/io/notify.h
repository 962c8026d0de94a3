/* SPDX-License-Identifier: MIT */
/*
 * A file that another program writes: when it changes, and when it has come to rest (inotify(7)).
 * Neither the file nor its folders need to exist yet: the nearest folder that does is watched for
 * the next one on the way. Of links on the way (a home that stow or home-manager makes) each is
 * watched, and what it leads to. A hint only: what is not noticed (another machine's write on a
 * network file system, a folder above that is renamed) is found out later.
 */
#pragma once

#include <systemd/sd-event.h>

#include <iotc-util.h>

typedef struct Notify Notify;

/*
 * path is absolute. fn is called from the loop: with changing when the file starts to change, is
 * made or goes, and without when nothing happened to it for a second (or 5 s are over). fn must not
 * free the handle. 0 or -errno (ENOSPC: the user's limit of watches).
 */
int notify_new(Notify **ret, sd_event *event, const char *path,
               void (*fn)(bool changing, void *userdata), void *userdata);
/* When the file was last written: wall clock, s; 0: it is not there. NULL is fine. */
uint64_t notify_written_at(const Notify *n);
/* NULL is fine. Returns NULL. */
Notify *notify_free(Notify *n);

CLEANUP_FUNC(Notify, notify_free)
