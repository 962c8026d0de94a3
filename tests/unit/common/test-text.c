/* SPDX-License-Identifier: MIT */
/*
 * What reaches a bus, a terminal or a header: the borders of UTF-8, of control characters and of
 * b64token, each by a string that a server or an az could send.
 */
#undef NDEBUG
#include <assert.h>

#include "common/text.h"

static void test_text_is_cleaned(void) {
        static const struct {
                const char *in;
                size_t max;
                const char *out;
                bool clean; /* the input as it is */
        } cases[] = {
                { "", 80, "", true },
                { "Sign in", 80, "Sign in", true },
                { "Gr\xc3\xbc\xc3\x9f Gott \xf0\x9f\x98\x80", 80,
                  "Gr\xc3\xbc\xc3\x9f Gott \xf0\x9f\x98\x80", true },
                { "two  spaces stay", 80, "two  spaces stay", true },
                /* lines become one */
                { "one\r\ntwo\n", 80, "one two", false },
                { "\n\t one \n two", 80, "one  two", false },
                { "a\x1b[31mred", 80, "a [31mred", false },
                { "del\x7f!", 80, "del !", false },
                { "c1\xc2\x9b!", 80, "c1 !", false },
                { "nbsp\xc2\xa0!", 80, "nbsp\xc2\xa0!", true },
                { "line\xe2\x80\xa8para\xe2\x80\xa9.", 80, "line para .", false },
                { "over\xe2\x80\xaeride\xe2\x80\xac", 80, "over ride", false },
                { "iso\xe2\x81\xa6late\xe2\x81\xa9.", 80, "iso late .", false },
                /* what is no UTF-8: one mark for each byte */
                { "\xff", 80, "\xef\xbf\xbd", false },
                { "a\xc3", 80, "a\xef\xbf\xbd", false },
                { "\xc3(", 80, "\xef\xbf\xbd(", false },
                { "\xc0\xaf", 80, "\xef\xbf\xbd\xef\xbf\xbd", false },
                { "\xe0\x80\xaf", 80, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false },
                { "\xed\xa0\x80", 80, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false },
                { "\xf4\x90\x80\x80", 9, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false },
                { "\xef\xbf\xbe", 3, "\xef\xbf\xbd", false },
                { "\xf8\x88\x80\x80\x80", 3, "\xef\xbf\xbd", false },
                /* the cut never splits a character, nor ends on a space */
                { "abcdef", 3, "abc", true },
                { "ab\xc3\xbc", 3, "ab", true },
                { "ab\xc3\xbc", 4, "ab\xc3\xbc", true },
                { "ab\ncd", 3, "ab", false },
                { "abc", 0, "", true },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(freep) char *out = text_clean(cases[i].in, cases[i].max);

                assert(streq(out, cases[i].out));
                assert(text_is_clean(out));
                assert(text_is_clean(cases[i].in) == cases[i].clean);
        }
        assert(!text_clean(NULL, 80));
}

static void test_bearer_tokens(void) {
        static const char *const good[] = { "a", "eyJ0.eyJh-b_c~d+e/f.sig", "abc=", "abc==" };
        static const char *const bad[] = { "", "=", "a=b", "a b", "a\n", "a\"", "a,b", "\xc3\xbc" };

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert(text_is_b64token(good[i]));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert(!text_is_b64token(bad[i]));
}

static void test_printable_ascii(void) {
        assert(text_is_printable_ascii("SharedAccessSignature sr=a&sig=b%3d&skn=c&se=1"));
        assert(text_is_printable_ascii(" ~"));
        assert(!text_is_printable_ascii(""));
        assert(!text_is_printable_ascii("a\tb"));
        assert(!text_is_printable_ascii("a\r\nX-Header: b"));
        assert(!text_is_printable_ascii("\x7f"));
        assert(!text_is_printable_ascii("\xc3\xbc"));
}

static void test_words_for_a_shell(void) {
        static const char *const table[][2] = {
                { "/home/me/.config/a-b_c.conf", "/home/me/.config/a-b_c.conf" },
                { "", "''" },
                { "/home/my folder/x", "'/home/my folder/x'" },
                { "/o'hara/$(x)", "'/o'\\''hara/$(x)'" },
                { "~/x", "'~/x'" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                char *quoted = text_quoted(table[i][0]);

                assert(streq(quoted, table[i][1]));
                free(quoted);
        }
}

int main(void) {
        test_text_is_cleaned();
        test_bearer_tokens();
        test_printable_ascii();
        test_words_for_a_shell();
        return 0;
}
