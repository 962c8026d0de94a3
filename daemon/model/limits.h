/* SPDX-License-Identifier: MIT */
/*
 * Every limit on what users, programs and servers may ask of the daemon, by name and in one place
 * (contract: LimitsExceeded). It lives in model/ because that is the floor that all others stand
 * on, and because a "limits.h" on the include path would hide the C library's.
 */
#pragma once

/* Accounts of the settings files together; the built-in one comes on top. */
#define ACCOUNTS_MAX            64
/* Entries of a setting that is a list: apps, resources, app-suffixes. */
#define LIST_ENTRIES_MAX        64
/* Bytes of a URL or URI in a setting or a selector. */
#define URL_LENGTH_MAX          2048
/* Bytes of a subscription's name or id. */
#define SUBSCRIPTION_LENGTH_MAX 256
/* Bytes of a path in a setting: PATH_MAX without its NUL. */
#define PATH_LENGTH_MAX         4095
/* Bytes of a settings file, and of one line of it. */
#define CONFIG_FILE_MAX         (1024 * 1024)
#define CONFIG_LINE_MAX         (64 * 1024)
