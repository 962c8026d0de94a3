/* SPDX-License-Identifier: MIT */
/*
 * Where things of ours are: programs, and files of the user's.
 */
#pragma once

#include <iotc-util.h>

/*
 * The path of a program of ours: in_build, relative to this program's folder, when there is one;
 * else installed, below libexec. To be freed by free().
 */
char *path_in_libexec(const char *in_build, const char *installed);
/*
 * A file of ours in the folder that the XDG variable names, or in fallback below HOME (XDG Base
 * Directory Specification). To be freed by free(); NULL when neither is set.
 */
char *path_in_home(const char *variable, const char *fallback, const char *file);
