/* SPDX-License-Identifier: MIT */
/*
 * See text.h. The decoder is the strict one of RFC 3629: no overlong form, no surrogate, nothing
 * above U+10FFFF.
 */
#include "common/text.h"

#define TEXT_REPLACEMENT "\xef\xbf\xbd"

/* The bytes of the character at s and its code point; 0 when s starts no valid character. */
static size_t text_decode(const char *s, uint32_t *ret) {
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        const unsigned char *p = (const unsigned char *)s;
        uint32_t c = p[0];
        size_t n;

        if (c < 0x80) {
                *ret = c;
                return 1;
        }
        n = c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : (c & 0xf8) == 0xf0 ? 4 : 0;
        if (!n)
                return 0;
        c &= 0x7fU >> n;
        for (size_t i = 1; i < n; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3f);
        }
        if (c < least[n] || c > 0x10ffff || (c & 0xfffff800) == 0xd800)
                return 0;
        if ((c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe)
                return 0;
        *ret = c;
        return n;
}

static bool text_is_control(uint32_t c) {
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
        clean = malloc(size + 1);
        if (!clean)
                return NULL;

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
                return strdup(word);
        quoted = malloc(4 * strlen(word) + 3);
        if (!quoted)
                return NULL;
        end = stpcpy(quoted, "'");
        for (; *word; word++)
                end = *word == '\'' ? stpcpy(end, "'\\''") : (*end = *word, end + 1);
        (void)stpcpy(end, "'");
        return quoted;
}
