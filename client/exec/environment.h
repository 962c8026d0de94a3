/* SPDX-License-Identifier: MIT */
/*
 * What the command of `iotc-token exec` finds in its environment: where its tokens are, and nothing
 * that would lead the Azure SDKs to another place first.
 */
#pragma once

#include <iotc-util.h>

/*
 * Change this process's own environment (environ(7)), before it becomes the command. az_folder is
 * put in front of PATH; NULL: PATH stays. 0 or -ENOMEM.
 */
int environment_set(const char *account, const char *url, const char *secret,
                    const char *az_folder);
