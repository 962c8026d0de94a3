/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "table.h"

static const char *const headings[] = { "NAME", "STATE", "USER" };

static const char *printed(Table *table, bool person, bool colour) {
        static char buf[1024];
        FILE *f;

        buf[0] = '\0';
        f = fmemopen(buf, sizeof(buf), "w");
        assert(f);
        assert(table_print(table, f, person, colour) == 0);
        assert(fclose(f) == 0);
        return buf;
}

static Table *two_accounts(void) {
        Table *table;

        assert(table_new(&table, ARRAY_SIZE(headings), headings) == 0);
        table_add(table, "contoso", "contoso", TABLE_PLAIN);
        table_add(table, "ready", "ready", TABLE_GREEN);
        table_add(table, "jörg@contoso.com", "jörg@contoso.com", TABLE_PLAIN);
        table_add(table, "Zürich", "Zürich", TABLE_PLAIN);
        table_add(table, "51 min", "3060", TABLE_RED);
        table_add(table, "", "", TABLE_PLAIN);
        return table;
}

static void test_a_person_sees_columns(void) {
        CLEANUP(table_freep) Table *table = two_accounts();

        assert(streq(printed(table, true, false), "NAME     STATE   USER\n"
                                                  "contoso  ready   jörg@contoso.com\n"
                                                  "Zürich   51 min  -\n"));
}

static void test_colour_takes_no_room(void) {
        CLEANUP(table_freep) Table *table = two_accounts();

        assert(streq(printed(table, true, true),
                     "NAME     STATE   USER\n"
                     "contoso  \033[32mready\033[0m   jörg@contoso.com\n"
                     "Zürich   \033[31m51 min\033[0m  -\n"));
}

static void test_a_program_reads_values(void) {
        CLEANUP(table_freep) Table *table = two_accounts();

        assert(streq(printed(table, false, true), "contoso\tready\tjörg@contoso.com\n"
                                                  "Zürich\t3060\t\n"));
}

static void test_a_cell_can_not_break_the_table(void) {
        CLEANUP(table_freep) Table *table = NULL;

        assert(table_new(&table, 2, headings) == 0);
        table_add(table, "a\tb\nc", "a\tb\nc", TABLE_PLAIN);
        table_add(table, "\033[2J", "\033[2J", TABLE_PLAIN);
        assert(streq(printed(table, false, false), "a?b?c\t?[2J\n"));
        assert(streq(printed(table, true, false), "NAME   STATE\na?b?c  ?[2J\n"));
}

static void test_no_rows(void) {
        CLEANUP(table_freep) Table *table = NULL;

        assert(table_new(&table, 2, headings) == 0);
        assert(streq(printed(table, false, false), ""));
}

int main(void) {
        test_a_person_sees_columns();
        test_colour_takes_no_room();
        test_a_program_reads_values();
        test_a_cell_can_not_break_the_table();
        test_no_rows();
        return 0;
}
