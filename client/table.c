/* SPDX-License-Identifier: MIT */
#include "table.h"
#include "display.h"
#include "i18n.h"

enum {
        TABLE_COLUMNS_MAX = 16
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
                .value = strdup(value),
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

static void table_print_cell(FILE *f, const char *s, size_t width, TableColour colour) {
        fputs(table_escape(colour), f);
        display_print(f, s);
        if (colour != TABLE_PLAIN)
                fputs(table_escape(TABLE_RESET), f);
        for (size_t n = display_width(s); n < width; n++)
                fputc(' ', f);
}

static void table_print_person(Table *table, FILE *f, bool colour) {
        size_t last = table->n_columns - 1, widths[TABLE_COLUMNS_MAX];

        for (size_t i = 0; i <= last; i++)
                widths[i] = display_width(_(table->headings[i]));
        for (size_t i = 0; i < table->n_cells; i++)
                widths[i % table->n_columns] =
                        MAX(widths[i % table->n_columns], display_width(table->cells[i].shown));
        widths[last] = 0;

        for (size_t i = 0; i <= last; i++) {
                table_print_cell(f, _(table->headings[i]), widths[i], TABLE_PLAIN);
                fputs(i < last ? "  " : "\n", f);
        }
        for (size_t i = 0; i < table->n_cells; i++) {
                Cell *cell = &table->cells[i];
                size_t column = i % table->n_columns;

                table_print_cell(f, cell->shown, widths[column],
                                 colour ? cell->colour : TABLE_PLAIN);
                fputs(column < last ? "  " : "\n", f);
        }
}

int table_print(Table *table, FILE *f, bool person, bool colour) {
        if (table->failed)
                return -ENOMEM;
        if (person) {
                table_print_person(table, f, colour);
                return 0;
        }
        for (size_t i = 0; i < table->n_cells; i++) {
                display_print(f, table->cells[i].value);
                fputc((i + 1) % table->n_columns ? '\t' : '\n', f);
        }
        return 0;
}
