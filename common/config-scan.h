/* SPDX-License-Identifier: MIT */
/*
 * The lines of a settings file, one by one, in GKeyFile's syntax. GKeyFile itself gives up at the
 * first bad line and names none; here every line has its number and a bad one says why, so that the
 * rest can be used. Nothing is copied: a line points into the scanned bytes.
 */
#pragma once

#include <iotc-util.h>

/* Bytes of a settings file, and of one line of it. */
#define CONFIG_FILE_MAX (1024 * 1024)
#define CONFIG_LINE_MAX (64 * 1024)

typedef enum ConfigLineKind {
        CONFIG_LINE_EMPTY,
        CONFIG_LINE_COMMENT, /* any bytes: nobody reads it */
        CONFIG_LINE_GROUP,   /* starts with a bracket, even if it is no good header */
        CONFIG_LINE_KEY,
        CONFIG_LINE_BAD,
} ConfigLineKind;

typedef struct ConfigLine {
        ConfigLineKind kind;
        unsigned number;  /* from 1 */
        const char *text; /* the whole line with its end, n_text bytes */
        size_t n_text;
        const char *name; /* group: between the brackets, NULL if it is no good header; key */
        size_t n_name;
        const char *value; /* key: raw, as escaped in the file */
        size_t n_value;
        const char *problem; /* bad: why, for a person, without the line's content */
} ConfigLine;

/* Where a scan stands. A copy of it scans on from there independently. */
typedef struct ConfigScan {
        const char *data;
        size_t n;
        size_t at;
        unsigned number;
} ConfigScan;

#define CONFIG_SCAN_INIT(bytes, length) ((ConfigScan){ .data = (bytes), .n = (length) })

/* The next line; false at the end. */
bool config_scan_next(ConfigScan *scan, ConfigLine *ret);
bool config_line_is(const ConfigLine *line, ConfigLineKind kind, const char *name);
