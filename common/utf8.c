/* SPDX-License-Identifier: MIT */
#include "common/utf8.h"

size_t utf8_decode(const char *s, size_t n, uint32_t *ret) {
        static const uint32_t least[] = { 0, 1, 0x80, 0x800, 0x10000 };
        const unsigned char *u = (const unsigned char *)s;
        uint32_t c = n ? u[0] : 0;
        size_t length = c < 0x80   ? 1
                        : c < 0xc2 ? 0
                        : c < 0xe0 ? 2
                        : c < 0xf0 ? 3
                        : c < 0xf5 ? 4
                                   : 0;

        if (length == 0 || length > n)
                return 0;
        if (length > 1)
                c &= 0x7fU >> length;
        for (size_t i = 1; i < length; i++) {
                if ((u[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (u[i] & 0x3f);
        }
        if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return length;
}

size_t utf8_encode(char out[4], uint32_t c) {
        size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

        for (size_t i = length - 1; i > 0; i--, c >>= 6)
                out[i] = (char)(0x80 | (c & 0x3f));
        out[0] = (char)(length == 1 ? c : (0xf00U >> length & 0xf0) | c);
        return length;
}

bool utf8_is_valid(const char *s, size_t n) {
        uint32_t c;
        size_t length;

        for (; n > 0; s += length, n -= length) {
                length = utf8_decode(s, n, &c);
                if (!length)
                        return false;
        }
        return true;
}
