/* SPDX-License-Identifier: MIT */
/*
 * Where things are: the fetcher that belongs to this daemon, and files of ours in a person's home.
 */
#pragma once

#include <iotc-util.h>

/* iotc-token-fetch: beside this program when it runs from its build folder, else where it was
 * installed. 0 and *ret (caller frees), or -ENOMEM. */
int path_of_fetcher(char **ret);
/*
 * The file iotc-token/FILE in the folder that variable names, else in fallback below HOME (XDG Base
 * Directory Specification; relative paths are ignored). 0 and *ret (caller frees), NULL when there
 * is no home; -ENOMEM.
 */
int path_in_home(char **ret, const char *variable, const char *fallback, const char *file);
