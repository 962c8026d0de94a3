/* SPDX-License-Identifier: MIT */
/*
 * Pure: what a person reads, made from what the bus said. Control characters taken out, seconds
 * turned into words, names into JSON keys. Time is an argument.
 */
#pragma once

#include <iotc-util.h>

#include "common/json.h"

enum {
        DISPLAY_DURATION_SIZE = 32, /* room for display_duration() and display_left() */
        DISPLAY_TIME_SIZE = 32,     /* room for display_time_iso() */
        DISPLAY_KEY_SIZE = 64,      /* room for display_key() */
        DISPLAY_CLOCK_SIZE = 48,    /* room for display_clock() */
        DISPLAY_BAR_SIZE = 40,      /* room for display_bar() */
};

/*
 * The length of the sequence at s that must not reach a terminal or a table: a control character
 * (C0, DEL, C1), a line separator or a change of the writing direction; else 0. s is UTF-8.
 */
size_t display_unsafe(const char *s);
/* Replace what is unsafe by '?', in place. */
void display_clean(char *s);
/* Write s to f, cleaned. */
void display_print(FILE *f, const char *s);
/* How many columns s takes once cleaned, a character taken as one. */
size_t display_width(const char *s);

/*
 * s cleaned and in lines of so many columns, broken between words, but not inside of [brackets],
 * and not inside of a command, which stands in 'quotes' or behind a colon: it can be copied as it
 * is. What is longer than a line stays whole. The first line begins at the column first, the others
 * are indented. To be freed by free(); NULL when memory is short.
 */
char *display_fold(const char *s, size_t columns, size_t first, size_t indent);

/* "45 s", "52 min", "1 h 12 min", "3 d 4 h": two units at most, rounded down. Returns buf. */
char *display_duration(char buf[DISPLAY_DURATION_SIZE], uint64_t seconds);
/* The same from now to a time, seconds since 1970: "-" when that is 0, "over" when it is past. */
char *display_left(char buf[DISPLAY_DURATION_SIZE], uint64_t at, uint64_t now);
/*
 * What is left at now of the time between two times, seconds since 1970, as a bar ten columns wide:
 * full for all, a cell for the last second, empty when it is over; of ASCII alone unless utf8. ""
 * when it isn't known how much it was: from is 0, or not before to. Returns buf.
 */
char *display_bar(char buf[DISPLAY_BAR_SIZE], uint64_t from, uint64_t to, uint64_t now, bool utf8);
/* By how much a clock is off, seconds that the right one is ahead: "right" for 0, "3 h 2 min slow",
 * "25 min fast". Returns buf. */
char *display_clock(char buf[DISPLAY_CLOCK_SIZE], int64_t offset);
/* RFC 3339 in UTC, "2026-11-23T21:06:35Z"; "" for 0 or what has no calendar date. Returns buf. */
char *display_time_iso(char buf[DISPLAY_TIME_SIZE], uint64_t at);
/* A D-Bus member's name in snake_case: "LastRefreshAt", "cache-hits" as they are in JSON. */
char *display_key(char buf[DISPLAY_KEY_SIZE], const char *name);

/* A URL without what may be a user's name and password in it (RFC 3986, section 3.2.1), to be freed
 * by free(); NULL when memory is short. */
char *display_url(const char *url);

/* How many letters have to be changed, added or left out to make a into b; at most 255. */
unsigned display_distance(const char *a, const char *b);

/* A time in seconds since 1970, and beside it KEY_iso in RFC 3339, null for 0. */
void display_json_time(JsonWriter *w, const char *key, uint64_t at);
