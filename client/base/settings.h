/* SPDX-License-Identifier: MIT */
/*
 * What accounts.conf says of the way to the network, for all who ask a server or look for a fault:
 * the daemon's settings `proxy`, `proxy-credentials` and `ca-bundle`, and an account's `az`. The
 * daemon alone judges that file; here a line that can't be read is passed over.
 */
#pragma once

#include <iotc-util.h>
#include <sys/types.h>

#include "common/trust.h"

enum {
        SETTINGS_CA_MAX = 16 * 1024 * 1024,
};

typedef struct Settings {
        char *proxy;             /* or NULL: as the environment says */
        char *proxy_credentials; /* path of a file, or NULL */
        char *ca_bundle;         /* or NULL: the system's */
        char *az;                /* of the first account that names one, or NULL: as PATH says */
} Settings;

#define SETTINGS_SYSTEM_PATH "/etc/iotc-token/accounts.conf"

/*
 * From the user's file, NULL for none, or the system's when the user's has no group [iotc-token].
 * *ret is to be freed by settings_deinit().
 */
void settings_load_files(Settings *ret, const char *user_path);
/*
 * The same for who asks a server itself: without a setting, the CA bundle is that of CURL_CA_BUNDLE
 * or SSL_CERT_FILE.
 */
void settings_load(Settings *ret, const char *user_path);
/*
 * The user's file, to be freed by free(): as the daemon's property SettingsFiles has it; where that
 * is empty (an older daemon, or none) as this environment does, NULL when no variable says where.
 */
char *settings_user_path(char *const *files);
/* Open a regular file of at most max bytes to be read; never waits, whatever is there. NULL with
 * errno: EBADFD for a pipe, a socket or a device, EFBIG, EISDIR, or open(2)'s. */
FILE *settings_open(const char *path, off_t max);
/* The same for a settings file, and as the daemon does only one that nobody but the user and root
 * can change: else NULL, and where *ret says, which the caller clears. */
FILE *settings_open_own(const char *path, Distrust *ret);
/* That errno in words, to be translated; ENOENT is for a path at which there is a link. */
const char *settings_open_fault(int r);
/* The text of one file, over what is there: has it the group? */
bool settings_parse(Settings *settings, const char *text, size_t n);
void settings_deinit(Settings *settings);
