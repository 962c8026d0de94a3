/* SPDX-License-Identifier: MIT */
/*
 * A sign-in, followed from this terminal: what the person has to do, how long there is for it,
 * and how it ended.
 */
#pragma once

#include <iotc-util.h>
#include <systemd/sd-bus.h>

/*
 * Start or join the sign-in of the account at path and see it through. EXIT_DONE; or an exit code,
 * with the reason said. *ret_cancelled tells whether a person ended it, here by Ctrl-C (which
 * cancels it at the daemon too; 130) or elsewhere. method is a word of the contract, or NULL: the
 * account's setting, else the browser if there is one here, else a code.
 */
int signin_run(sd_bus *bus, const char *path, const char *method, bool *ret_cancelled);
