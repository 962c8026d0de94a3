/* SPDX-License-Identifier: MIT */
/*
 * What accounts.conf says of the way to the network: the daemon's settings `proxy` and `ca-bundle`,
 * which are for everything that asks a server. The daemon alone judges that file; here a line that
 * can't be read is passed over.
 */
#pragma once

#include <iotc-util.h>

typedef struct Settings {
        char *proxy;     /* or NULL: as the environment says */
        char *ca_bundle; /* or NULL: the system's */
} Settings;

/*
 * From the user's file, or the system's when the user's has no group [iotc-token]; without a
 * setting, the CA bundle is that of CURL_CA_BUNDLE or SSL_CERT_FILE. 0 or -ENOMEM.
 */
int settings_load(Settings *ret);
/* The same from a file: 1 when it has the group, 0, or -ENOMEM. */
int settings_read(Settings *settings, FILE *f);
void settings_deinit(Settings *settings);
