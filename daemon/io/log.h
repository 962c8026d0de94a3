/* SPDX-License-Identifier: MIT */
/*
 * One line to standard error for the journal or a terminal: with the journal's level prefix when
 * standard error is the journal (sd-daemon(3)). Text that came from outside has been cleaned before
 * it gets here; secrets never come here, and what looks like credentials in a URL is left out.
 */
#pragma once

#include <syslog.h>

#include <iotc-util.h>

/* The most verbose level that is written: LOG_INFO at first, LOG_DEBUG with --verbose. */
void log_set_max_level(int level);
PRINTF_LIKE(2, 3) void log_write(int level, const char *format, ...);

#define log_error(...)   log_write(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_DEBUG, __VA_ARGS__)
