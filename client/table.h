/* SPDX-License-Identifier: MIT */
/*
 * Pure: rows of cells, printed for a person (a heading, aligned columns, colour if wanted) or for
 * a program (values alone, one row a line, a tab between). Each cell has both its texts.
 */
#pragma once

#include <iotc-util.h>

typedef enum TableColour {
        TABLE_PLAIN, /* no escape at all */
        TABLE_GREEN,
        TABLE_YELLOW,
        TABLE_RED,
        TABLE_FAINT,
        TABLE_BOLD,
        TABLE_RESET,
} TableColour;

typedef struct Table Table;

/* A table of n columns, at most 16, under these headings (borrowed: literals). 0 or -ENOMEM. */
int table_new(Table **ret, size_t n, const char *const *headings);
/* NULL is fine. Returns NULL. */
Table *table_free(Table *table);
/*
 * The next cell, row by row: what a person is shown ("" is shown as "-") and what a program reads.
 * Both are copied. A shortage of memory is kept, and told by table_print().
 */
void table_add(Table *table, const char *shown, const char *value, TableColour colour);
/* Print the whole rows. 0, or -ENOMEM when a cell could not be kept. */
int table_print(Table *table, FILE *f, bool person, bool colour);

/* What turns a terminal to this colour; TABLE_RESET turns it back. */
const char *table_escape(TableColour colour);

CLEANUP_FUNC(Table, table_free)
