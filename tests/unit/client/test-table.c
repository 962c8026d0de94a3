/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "base/table.h"

static const char *const headings[] = { "NAME", "STATE", "USER" };

static const TableLook plain = { .columns = 80, .utf8 = true };

/* look NULL: as a program reads it. */
static const char *printed(Table *table, const TableLook *look) {
        static char buf[1024];
        FILE *f;

        buf[0] = '\0';
        f = fmemopen(buf, sizeof(buf), "w");
        assert(f);
        assert(table_print(table, f, look) == 0);
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

        assert(streq(printed(table, &plain), "NAME     STATE   USER\n"
                                             "contoso  ready   jörg@contoso.com\n"
                                             "Zürich   51 min  -\n"));
}

static void test_colour_takes_no_room(void) {
        CLEANUP(table_freep) Table *table = two_accounts();

        assert(streq(printed(table, &(TableLook){ .columns = 80, .colour = true }),
                     "NAME     STATE   USER\n"
                     "contoso  \033[32mready\033[0m   jörg@contoso.com\n"
                     "Zürich   \033[31m51 min\033[0m  -\n"));
}

static void test_a_program_reads_values(void) {
        CLEANUP(table_freep) Table *table = two_accounts();

        assert(streq(printed(table, NULL), "contoso\tready\tjörg@contoso.com\n"
                                           "Zürich\t3060\t-\n"));
}

static void test_a_cell_can_not_break_the_table(void) {
        CLEANUP(table_freep) Table *table = NULL;

        assert(table_new(&table, 2, headings) == 0);
        table_add(table, "a\tb\nc", "a\tb\nc", TABLE_PLAIN);
        table_add(table, "\033[2J", "\033[2J", TABLE_PLAIN);
        assert(streq(printed(table, NULL), "a?b?c\t?[2J\n"));
        assert(streq(printed(table, &plain), "NAME   STATE\na?b?c  ?[2J\n"));
}

static void test_it_fits_the_terminal(void) {
        CLEANUP(table_freep) Table *table = NULL;

        assert(table_new(&table, 3, headings) == 0);
        table_add(table, "a-rather-long-name", "", TABLE_PLAIN);
        table_add(table, "ready", "", TABLE_GREEN);
        table_add(table, "jörg.müller@contoso.com", "", TABLE_RED);
        /* The last column first, down to 12; then the one before that is wider. */
        assert(streq(printed(table, &(TableLook){ .columns = 40, .utf8 = true }),
                     "NAME                STATE  USER\n"
                     "a-rather-long-name  ready  jörg.müller@…\n"));
        assert(streq(printed(table, &(TableLook){ .columns = 35, .colour = true }),
                     "NAME            STATE  USER\n"
                     "a-rather-lon..  \033[32mready\033[0m  \033[31mjörg.mülle..\033[0m\n"));
        /* No further: what then has no room is left out. */
        assert(streq(printed(table, &(TableLook){ .columns = 30, .utf8 = true }),
                     "NAME                STATE\n"
                     "a-rather-long-name  ready\n"));
        assert(streq(printed(table, &(TableLook){ .columns = 1, .utf8 = true }), "NAME\n"
                                                                                 "a-rather-lo…\n"));
}

static void test_a_column_for_programs(void) {
        CLEANUP(table_freep) Table *table = NULL;

        assert(table_new(&table, 2, (const char *const[]){ "NAME", NULL }) == 0);
        table_add(table, "* work", "work", TABLE_PLAIN);
        table_add(table, "", "yes", TABLE_PLAIN);
        assert(streq(printed(table, &plain), "NAME\n* work\n"));
        assert(streq(printed(table, NULL), "work\tyes\n"));
}

static void test_no_rows(void) {
        CLEANUP(table_freep) Table *table = NULL;

        assert(table_new(&table, 2, headings) == 0);
        assert(streq(printed(table, NULL), ""));
}

int main(void) {
        test_a_person_sees_columns();
        test_colour_takes_no_room();
        test_a_program_reads_values();
        test_a_cell_can_not_break_the_table();
        test_it_fits_the_terminal();
        test_a_column_for_programs();
        test_no_rows();
        return 0;
}
