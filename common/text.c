/* SPDX-License-Identifier: MIT */
#include "common/text.h"
#include "common/memory.h"
#include "common/utf8.h"

#define TEXT_REPLACEMENT "\xef\xbf\xbd"

/* As utf8_decode(), but no noncharacter (U+FDD0 to U+FDEF, U+xxFFFE, U+xxFFFF). */
static size_t text_decode(const char *s, uint32_t *ret) {
        size_t n = utf8_decode(s, 4, ret);

        if (n == 0 || (*ret >= 0xfdd0 && *ret <= 0xfdef) || (*ret & 0xfffe) == 0xfffe)
                return 0;
        return n;
}

bool text_is_control(uint32_t c) {
        return c < 0x20 || (c >= 0x7f && c < 0xa0) ||       /* C0, DEL, C1 */
               c == 0x2028 || c == 0x2029 ||                /* line and paragraph separator */
               c == 0x061c || c == 0x200e || c == 0x200f || /* marks of direction */
               (c >= 0x202a && c <= 0x202e) ||              /* embeddings and overrides */
               (c >= 0x2066 && c <= 0x2069) ||              /* isolates */
               c == 0xfeff;                                 /* byte order mark */
}

bool text_is_clean(const char *s) {
        uint32_t c;
        size_t n;

        for (; *s; s += n) {
                n = text_decode(s, &c);
                if (!n || text_is_control(c))
                        return false;
        }
        return true;
}

char *text_clean(const char *s, size_t max) {
        size_t size, n, out = 0;
        char *clean;

        if (!s)
                return NULL;
        /* An invalid byte grows to three. */
        size = strnlen(s, max);
        size = MIN(size * 3, max);
        clean = xmalloc(size + 1);

        for (; *s; s += n) {
                const char *from = s;
                size_t len;
                uint32_t c = 0;

                len = n = text_decode(s, &c);
                if (!n) {
                        from = TEXT_REPLACEMENT;
                        len = strlen(TEXT_REPLACEMENT);
                        n = 1;
                } else if (text_is_control(c)) {
                        if (out > 0 && clean[out - 1] == ' ')
                                continue;
                        from = " ";
                        len = 1;
                }
                if (out == 0 && *from == ' ')
                        continue;
                if (out + len > size)
                        break;
                memcpy(clean + out, from, len);
                out += len;
        }
        while (out > 0 && clean[out - 1] == ' ')
                out--;
        clean[out] = '\0';
        return clean;
}

static bool text_is_alnum(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool text_is_b64token(const char *s) {
        size_t n = 0;

        while (text_is_alnum(s[n]) || (s[n] && strchr("-._~+/", s[n])))
                n++;
        return n > 0 && s[n + strspn(s + n, "=")] == '\0';
}

bool text_is_printable_ascii(const char *s) {
        size_t n = 0;

        while (s[n] >= 0x20 && s[n] <= 0x7e)
                n++;
        return n > 0 && s[n] == '\0';
}

char *text_quoted(const char *word) {
        static const char *const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789_/.:@%+,-";
        char *quoted, *end;

        if (*word && word[strspn(word, plain)] == '\0')
                return xstrdup(word);
        quoted = xmalloc(4 * strlen(word) + 3);
        end = stpcpy(quoted, "'");
        for (; *word; word++)
                end = *word == '\'' ? stpcpy(end, "'\\''") : (*end = *word, end + 1);
        (void)stpcpy(end, "'");
        return quoted;
}
