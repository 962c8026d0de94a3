/* SPDX-License-Identifier: MIT */
/*
 * One settings file, read: its accounts, its global settings and what is wrong with it. Nothing of
 * the other file is known here; config.c lays one over the other.
 */
#pragma once

#include "io/config/global.h"
#include "model/account.h"

typedef struct ConfigGroup {
        Account *account;
        unsigned line;      /* of its header */
        unsigned apps_line; /* of its apps, 0 without */
} ConfigGroup;

typedef struct ConfigFile {
        char *path; /* clean text, for problems */
        bool system;
        ConfigGroup *groups; /* in the order of the file */
        size_t n_groups;
        bool has_globals;
        ConfigGlobals globals;
        char *problem; /* the first of [iotc-token] or outside any group, or NULL */
        bool unread;   /* the file is there, but nothing of it could be read */
        char *bad;     /* the first bad line anywhere: why the file is not rewritten, or NULL */
} ConfigFile;

/* Read data[0..n) as the file at path, which is not opened. 0 or -ENOMEM. */
int config_file_parse(ConfigFile **ret, const char *path, bool system, const char *data, size_t n);
/*
 * Read the file; an absent one, or path NULL, is an empty one; one that can't be read, or that
 * somebody but the user and root could change, has `problem`, `bad` and `unread`. *ret_data, which
 * the caller wipes and frees, is what is in it, or NULL. 0 or -ENOMEM.
 */
int config_file_read(ConfigFile **ret, char **ret_data, size_t *ret_n, const char *path,
                     bool system);
int config_file_load(ConfigFile **ret, const char *path, bool system);
/* NULL is fine. Returns NULL. */
ConfigFile *config_file_free(ConfigFile *f);

/* The group of the account, or NULL. */
ConfigGroup *config_file_find(const ConfigFile *f, const char *name);
/* "FILE, line N: text" in a's problem, unless it has one. 0 or -ENOMEM. */
int config_file_blame(const ConfigFile *f, Account *a, unsigned line, const char *text);

CLEANUP_FUNC(ConfigFile, config_file_free)
