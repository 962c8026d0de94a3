/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "base/display.h"

static const char *printed(const char *s) {
        static char buf[256];
        FILE *f;

        buf[0] = '\0';
        f = fmemopen(buf, sizeof(buf), "w");
        assert(f);
        display_print(f, s);
        assert(fclose(f) == 0);
        return buf;
}

static void test_nothing_moves_the_cursor(void) {
        static const struct {
                const char *text, *clean;
        } table[] = {
                { "plain text", "plain text" },
                { "", "" },
                { "a\033[2Jb", "a?[2Jb" },
                { "tab\tline\nreturn\rbell\a\x7f", "tab?line?return?bell??" },
                { "c1 \xc2\x9b"
                  "31m",
                  "c1 ?31m" },
                { "\xe2\x80\xaetxt\xe2\x80\xac", "?txt?" },
                { "\xe2\x80\xa8\xe2\x81\xa6\xd8\x9c\xef\xbb\xbf", "????" },
                { "Zürich ✓ \xc2\xa0", "Zürich ✓ \xc2\xa0" },
                { "cut off \xe2\x80", "cut off \xe2\x80" },
                { "cut off \xc2", "cut off \xc2" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                char copy[64];

                strcpy(copy, table[i].text);
                display_clean(copy);
                assert(streq(copy, table[i].clean));
                assert(streq(printed(table[i].text), table[i].clean));
                assert(display_width(table[i].text) == display_width(table[i].clean));
        }
        assert(display_width("Zürich ✓") == 8);
        assert(display_width("a\033b") == 3);
}

static void test_seconds_in_words(void) {
        static const struct {
                uint64_t seconds;
                const char *words;
        } table[] = {
                { 0, "0 s" },
                { 1, "1 s" },
                { 59, "59 s" },
                { 60, "1 min" },
                { 119, "1 min 59 s" },
                { 599, "9 min 59 s" },
                { 600, "10 min" },
                { 3119, "51 min" },
                { 3600, "1 h" },
                { 4320, "1 h 12 min" },
                { 86400, "1 d" },
                { 86400 * 3 + 3600 * 4 + 59, "3 d 4 h" },
                { 86400 * 365, "365 d" },
                { UINT64_MAX, "213503982334601 d 7 h" },
        };
        char buf[DISPLAY_DURATION_SIZE];

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                assert(streq(display_duration(buf, table[i].seconds), table[i].words));
}

static void test_time_left(void) {
        char buf[DISPLAY_DURATION_SIZE], clock[DISPLAY_CLOCK_SIZE];

        assert(streq(display_left(buf, 0, 1000), "-"));
        assert(streq(display_left(buf, 999, 1000), "over"));
        assert(streq(display_left(buf, 1000, 1000), "over"));
        assert(streq(display_left(buf, 1045, 1000), "45 s"));
        assert(streq(display_clock(clock, 0), "right"));
        assert(streq(display_clock(clock, 3 * 3600 + 125), "3 h 2 min slow"));
        assert(streq(display_clock(clock, -7200), "2 h fast"));
        assert(strstr(display_clock(clock, INT64_MIN), " fast"));
        assert(strstr(display_clock(clock, INT64_MAX), " slow"));
}

static void test_bar(void) {
        static const struct {
                uint64_t from, to, now;
                const char *bar;
        } table[] = {
                { 1000, 4600, 1000, "##########" },
                { 1000, 4600, 1001, "##########" },
                { 1000, 4600, 1360, "#########-" },
                { 1000, 4600, 1361, "#########-" },
                { 1000, 4600, 2800, "#####-----" },
                { 1000, 4600, 4599, "#---------" },
                { 1000, 4600, 4600, "----------" },
                { 1000, 4600, 9000, "----------" },
                { 1000, 4600, 10, "##########" },
                { 1, UINT64_MAX, 2, "##########" },
                { 1000, 1001, 1000, "##########" },
                { 0, 4600, 1000, "" },
                { 4600, 4600, 1000, "" },
                { 4700, 4600, 1000, "" },
                { 0, 0, 1000, "" },
        };
        char buf[DISPLAY_BAR_SIZE];

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                assert(streq(display_bar(buf, table[i].from, table[i].to, table[i].now, false),
                             table[i].bar));
        assert(streq(display_bar(buf, 1000, 4600, 2800, true), "█████░░░░░"));
        assert(display_width(buf) == 10);
}

static void test_dates(void) {
        char buf[DISPLAY_TIME_SIZE];

        assert(streq(display_time_iso(buf, 1795467995), "2026-11-23T21:06:35Z"));
        assert(streq(display_time_iso(buf, 1), "1970-01-01T00:00:01Z"));
        assert(streq(display_time_iso(buf, 253402300799), "9999-12-31T23:59:59Z"));
        assert(streq(display_time_iso(buf, 253402300800), ""));
        assert(streq(display_time_iso(buf, UINT64_MAX), ""));
        assert(streq(display_time_iso(buf, 0), ""));
}

static void test_names_as_keys(void) {
        static const char *const table[][2] = {
                { "Name", "name" },
                { "ExpiresAt", "expires_at" },
                { "LastRefreshAt", "last_refresh_at" },
                { "ClientId", "client_id" },
                { "VerificationUri", "verification_uri" },
                { "cache-hits", "cache_hits" },
                { "", "" },
        };
        char buf[DISPLAY_KEY_SIZE], name[256];

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                assert(streq(display_key(buf, table[i][0]), table[i][1]));

        memset(name, 'A', sizeof(name) - 1);
        for (size_t i = 1; i < sizeof(name) - 1; i += 2)
                name[i] = 'a';
        name[sizeof(name) - 1] = '\0';
        assert(strlen(display_key(buf, name)) < DISPLAY_KEY_SIZE);
}

static void test_how_near_a_word_is(void) {
        assert(display_distance("login", "login") == 0);
        assert(display_distance("logn", "login") == 1);
        assert(display_distance("loggin", "login") == 1);
        assert(display_distance("stauts", "status") == 2);
        assert(display_distance("", "get") == 3);
        assert(display_distance("get", "") == 3);
        assert(display_distance("kitten", "sitting") == 3);
}

static void test_urls_without_a_password(void) {
        static const char *const table[][2] = {
                { "http://proxy:3128", "http://proxy:3128" },
                { "http://me:secret@proxy:3128/", "http://proxy:3128/" },
                { "http://me@proxy", "http://proxy" },
                { "me:secret@proxy:3128", "proxy:3128" },
                { "http://me:a@b/c@proxy:1", "http://proxy:1" },
                { "http://me:a://b@proxy:1", "http://proxy:1" },
                { "me:a://b@proxy:1", "proxy:1" },
                { "", "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                char *shown = display_url(table[i][0]);

                assert(streq(shown, table[i][1]));
                free(shown);
        }
}

static void is_folded(const char *s, size_t columns, size_t first, size_t indent,
                      const char *expected) {
        CLEANUP(freep) char *folded = display_fold(s, columns, first, indent);

        assert(streq(folded, expected));
}

static void test_fold(void) {
        is_folded("", 10, 0, 0, "");
        is_folded("one two three", 13, 0, 2, "one two three");
        is_folded("one two three", 12, 0, 2, "one two\n  three");
        is_folded("one two three", 13, 1, 2, "one two\n  three");
        is_folded("one  two", 80, 0, 0, "one two");
        is_folded("a-word-that-is-longer than that", 10, 4, 4,
                  "a-word-that-is-longer\n    than\n"
                  "    that");
        is_folded("Müßig gähnen", 12, 0, 0, "Müßig gähnen");
        is_folded("get [A | B] [C D] ]x [", 8, 0, 1, "get\n [A | B]\n [C D]\n ]x [");
        /* What is to be copied stays in one line. */
        is_folded("start it with 'systemctl --user start x'; then (a 'b c') d", 20, 0, 2,
                  "start it with\n  'systemctl --user start x';\n  then (a 'b c') d");
        is_folded("nobody is there. Run: iotc-token login work", 20, 0, 0,
                  "nobody is there.\nRun:\niotc-token login work");
        is_folded("Run: az logout; az login, az gave no token", 12, 0, 0,
                  "Run:\naz logout;\naz login, az\ngave no\ntoken");
        is_folded("it doesn't go, and can't", 14, 0, 0, "it doesn't go,\nand can't");
        is_folded("a\nb\033[2J", 80, 0, 0, "a?b?[2J");
}

int main(void) {
        test_fold();
        test_nothing_moves_the_cursor();
        test_seconds_in_words();
        test_time_left();
        test_bar();
        test_dates();
        test_names_as_keys();
        test_how_near_a_word_is();
        test_urls_without_a_password();
        return 0;
}
