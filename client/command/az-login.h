/* SPDX-License-Identifier: MIT */
/*
 * An account of the source azure-cli, made to work from this terminal: the daemon asks az, and if
 * az is not signed in, its own sign-in runs here.
 */
#pragma once

#include <iotc-util.h>
#include <systemd/sd-bus.h>

/*
 * Have the account at path refreshed, with one `az login` in between if that is what it takes;
 * tenant may be NULL. EXIT_DONE, or an exit code with the reason said; 128 + a signal's number
 * after Ctrl-C.
 */
int az_login(sd_bus *bus, const char *path, const char *tenant);
