/* SPDX-License-Identifier: MIT */
#include "base/table.h"
#include "base/display.h"
#include "base/i18n.h"

enum {
        TABLE_COLUMNS_MAX = 16,
        TABLE_WIDTH_MIN = 12, /* no column is cut below */
};

typedef struct Cell {
        char *shown;
        char *value;
        TableColour colour;
} Cell;

struct Table {
        size_t n_columns;
        const char *headings[TABLE_COLUMNS_MAX];
        Cell *cells;
        size_t n_cells;
        bool failed;
};

int table_new(Table **ret, size_t n, const char *const *headings) {
        Table *table;

        if (n == 0 || n > TABLE_COLUMNS_MAX)
                return -EINVAL;
        table = calloc(1, sizeof(*table));
        if (!table)
                return -ENOMEM;
        table->n_columns = n;
        memcpy(table->headings, headings, n * sizeof(*headings));
        *ret = table;
        return 0;
}

Table *table_free(Table *table) {
        if (!table)
                return NULL;
        for (size_t i = 0; i < table->n_cells; i++) {
                free(table->cells[i].shown);
                free(table->cells[i].value);
        }
        free(table->cells);
        free(table);
        return NULL;
}

void table_add(Table *table, const char *shown, const char *value, TableColour colour) {
        Cell *cells;

        cells = reallocarray(table->cells, table->n_cells + 1, sizeof(*cells));
        if (!cells) {
                table->failed = true;
                return;
        }
        table->cells = cells;
        cells[table->n_cells] = (Cell){
                .shown = strdup(str_empty(shown) ? "-" : shown),
                .value = strdup(str_empty(value) ? "-" : value),
                .colour = colour,
        };
        if (!cells[table->n_cells].shown || !cells[table->n_cells].value)
                table->failed = true;
        table->n_cells++;
}

const char *table_escape(TableColour colour) {
        static const char *const escapes[] = {
                [TABLE_PLAIN] = "",        [TABLE_GREEN] = "\033[32m", [TABLE_YELLOW] = "\033[33m",
                [TABLE_RED] = "\033[31m",  [TABLE_FAINT] = "\033[2m",  [TABLE_BOLD] = "\033[1m",
                [TABLE_RESET] = "\033[0m",
        };

        return escapes[colour];
}

/* The bytes of s that fill so many columns. */
static size_t bytes_of(const char *s, size_t width) {
        size_t n = 0;

        for (; s[n]; n++)
                if (((unsigned char)s[n] & 0xc0) != 0x80 && width-- == 0)
                        break;
        return n;
}

static void table_print_cell(FILE *f, const char *s, size_t width, TableColour colour,
                             const TableLook *look) {
        const char *more = look->utf8 ? "\u2026" : "..";
        size_t n = display_width(s), cut = look->utf8 ? 1 : 2;

        fputs(look->colour ? table_escape(colour) : "", f);
        if (n > width) {
                CLEANUP(freep) char *start = strndup(s, bytes_of(s, width - cut));

                display_print(f, start ?: "");
                fputs(more, f);
        } else {
                display_print(f, s);
        }
        if (look->colour && colour != TABLE_PLAIN)
                fputs(table_escape(TABLE_RESET), f);
        for (; n < width; n++)
                fputc(' ', f);
}

/* What each column takes. Returns how many columns there is room for, once they are cut. */
static size_t table_measure(const Table *table, size_t widths[TABLE_COLUMNS_MAX], size_t columns) {
        size_t n = 0, sum = 0, least = 0;

        for (size_t i = 0; i < table->n_columns; i++)
                widths[i] = table->headings[i] ? display_width(_(table->headings[i])) : 0;
        for (size_t i = 0; i < table->n_cells; i++)
                widths[i % table->n_columns] =
                        MAX(widths[i % table->n_columns], display_width(table->cells[i].shown));
        for (size_t i = 0; i < table->n_columns; i++) {
                if (!table->headings[i])
                        continue;
                least += MIN(widths[i], (size_t)TABLE_WIDTH_MIN) + (n ? 2 : 0);
                if (n && least > columns)
                        break;
                sum += widths[i] + (n ? 2 : 0);
                n = i + 1;
        }
        for (size_t i = n; i-- > 0 && sum > columns;)
                if (table->headings[i] && widths[i] > TABLE_WIDTH_MIN) {
                        size_t cut = MIN(sum - columns, widths[i] - TABLE_WIDTH_MIN);

                        widths[i] -= cut;
                        sum -= cut;
                }
        return n;
}

static void table_print_row(const Table *table, FILE *f, const Cell *cells, const size_t *widths,
                            size_t n, const TableLook *look) {
        for (size_t i = 0; i < n; i++) {
                size_t width = widths[i];

                if (!table->headings[i])
                        continue;
                if (i == n - 1) /* nothing follows it: no spaces either */
                        width = MIN(width, display_width(cells[i].shown));
                table_print_cell(f, cells[i].shown, width, cells[i].colour, look);
                fputs(i < n - 1 ? "  " : "\n", f);
        }
}

static void table_print_person(const Table *table, FILE *f, const TableLook *look) {
        size_t widths[TABLE_COLUMNS_MAX], n = table_measure(table, widths, look->columns);
        Cell headings[TABLE_COLUMNS_MAX] = { 0 };

        for (size_t i = 0; i < n; i++)
                headings[i].shown = (char *)_(table->headings[i] ?: "");
        table_print_row(table, f, headings, widths, n, look);
        for (size_t i = 0; i < table->n_cells; i += table->n_columns)
                table_print_row(table, f, &table->cells[i], widths, n, look);
}

int table_print(Table *table, FILE *f, const TableLook *look) {
        if (table->failed)
                return -ENOMEM;
        if (look) {
                table_print_person(table, f, look);
                return 0;
        }
        for (size_t i = 0; i < table->n_cells; i++) {
                display_print(f, table->cells[i].value);
                fputc((i + 1) % table->n_columns ? '\t' : '\n', f);
        }
        return 0;
}
