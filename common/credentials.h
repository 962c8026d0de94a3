/* SPDX-License-Identifier: MIT */
/*
 * A name and password in a file of the user's own: what the setting proxy-credentials names.
 */
#pragma once

#include <iotc-util.h>

/*
 * Read "user:password", one line, from a regular file that is the user's and nobody else may read
 * or write. To be freed by secret_free(); NULL, and *ret_why (static) says what is wrong with the
 * file: "is missing". Never waits, whatever the file is.
 */
char *credentials_read(const char *path, const char **ret_why);
