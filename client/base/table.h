/* SPDX-License-Identifier: MIT */
/*
 * Pure: rows of cells, printed for a person (a heading, aligned columns, colour if wanted, cut to
 * the terminal) or for a program (values alone, one row a line, a tab between). Each cell has both
 * its texts.
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

/* How a person is to see it. */
typedef struct TableLook {
        size_t columns; /* the terminal's: cut there, the last columns first, or left out */
        bool colour, utf8;
} TableLook;

/*
 * A table of n columns, at most 16, under these headings (borrowed: literals); a column without one
 * is for programs alone. 0 or -ENOMEM.
 */
int table_new(Table **ret, size_t n, const char *const *headings);
/* NULL is fine. Returns NULL. */
Table *table_free(Table *table);
/*
 * The next cell, row by row: what a person is shown ("" is shown as "-") and what a program reads.
 * Both are copied. A shortage of memory is kept, and told by table_print().
 */
void table_add(Table *table, const char *shown, const char *value, TableColour colour);
/* Print the whole rows, for a program if look is NULL. 0, or -ENOMEM when a cell could not be kept.
 */
int table_print(Table *table, FILE *f, const TableLook *look);

/* What turns a terminal to this colour; TABLE_RESET turns it back. */
const char *table_escape(TableColour colour);

CLEANUP_FUNC(Table, table_free)
