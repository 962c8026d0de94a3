/* SPDX-License-Identifier: MIT */
/*
 * A name and password in a file of the user's own: what the setting proxy-credentials names.
 */
#pragma once

#include <iotc-util.h>

enum {
        _CREDENTIALS_E_SUCCESS,
        CREDENTIALS_E_BAD, /* such a file that it can't be used */
};

/*
 * Read "user:password", one line, from a regular file that is the user's and nobody else may read
 * or write. 0 and *ret, to be freed by secret_free(); CREDENTIALS_E_BAD and in *ret_why (static)
 * what is wrong with it: "is missing"; -ENOMEM. Never waits, whatever the file is.
 */
int credentials_read(char **ret, const char *path, const char **ret_why);
