/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <time.h>

#include "api/token-text.h"

/* So soon after a token was made it is stored, if it is at once; clocks differ as well. */
#define STORED_SECONDS 600

bool token_id_is_valid(const char *id) {
        size_t n = strlen(id);

        if (n == 0 || n > TOKEN_ID_MAX || *id == '-')
                return false;
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char)id[i]) && id[i] != '-')
                        return false;
        return true;
}

static int hex_digit(char c) {
        return isdigit((unsigned char)c)    ? c - '0'
               : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10
                                            : -1;
}

char *token_id_of(const char *token) {
        const char *s = strchr(token, ' ');
        char *id, *out;
        size_t n;

        for (s = s ? s + 1 : token; !str_starts(s, "skn=");) {
                s = strchr(s, '&');
                if (!s)
                        return NULL;
                s++;
        }
        s += 4;
        n = strcspn(s, "&");
        id = out = strndup(s, n);
        for (size_t i = 0; id && i < n; i++) {
                if (s[i] == '%' && i + 2 < n && hex_digit(s[i + 1]) >= 0 &&
                    hex_digit(s[i + 2]) >= 0) {
                        *out++ = (char)(hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2]));
                        i += 2;
                } else
                        *out++ = s[i];
        }
        if (id)
                *out = '\0';
        return id;
}

/* The length of an id without its "-r<number>". */
static size_t stem_length(const char *id) {
        size_t n = strlen(id), i = n;

        while (i && isdigit((unsigned char)id[i - 1]))
                i--;
        return i < n && n - i <= 6 && i > 2 && id[i - 1] == 'r' && id[i - 2] == '-' ? i - 2 : n;
}

bool token_id_is_kin(const char *a, const char *b) {
        size_t n = stem_length(a);

        return n == stem_length(b) && strncmp(a, b, n) == 0;
}

unsigned token_id_number(const char *id) {
        size_t n = stem_length(id);

        return id[n] ? (unsigned)strtoul(id + n + 2, NULL, 10) : 1;
}

char *token_id_make(const char *id, unsigned number) {
        char suffix[16], *made;
        int room;

        room = TOKEN_ID_MAX - snprintf(suffix, sizeof(suffix), "-r%u", number);
        return asprintf(&made, "%.*s%s", (int)MIN(stem_length(id), (size_t)room), id, suffix) < 0
                       ? NULL
                       : made;
}

/* Seconds since 1970 of a date, or 0 when there is no such day. */
static uint64_t time_of(const char *text, const char *format) {
        struct tm tm = { 0 }, same;
        const char *end = strptime(text, format, &tm);
        time_t t;

        if (!end)
                return 0;
        if (*end == '.') /* fractions of a second */
                end += 1 + strspn(end + 1, "0123456789");
        if (!streq(end, "Z") && *end)
                return 0;
        same = tm;
        t = timegm(&tm);
        return t > 0 && tm.tm_mday == same.tm_mday ? (uint64_t)t : 0;
}

uint64_t token_time_parse(const char *text) {
        return text[0] && text[strlen(text) - 1] == 'Z' ? time_of(text, "%Y-%m-%dT%H:%M:%S") : 0;
}

static uint64_t duration_parse(const char *text) {
        static const struct {
                const char *unit;
                uint64_t seconds;
        } units[] = { { "h", 3600 }, { "d", 86400 }, { "w", 7 * 86400 }, { "y", 365 * 86400 } };
        size_t digits = strspn(text, "0123456789");

        if (digits == 0 || digits > 5)
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (streq(text + digits, units[i].unit))
                        return strtoul(text, NULL, 10) * units[i].seconds;
        return 0;
}

bool token_time_print(char ret[TOKEN_TIME_SIZE], uint64_t at) {
        time_t t = (time_t)at;
        struct tm tm;

        return gmtime_r(&t, &tm) && strftime(ret, TOKEN_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;
}

uint64_t token_life(uint64_t stored_at, uint64_t expires_at) {
        uint64_t here = expires_at > stored_at ? expires_at - stored_at : 0;
        uint64_t unit = here + STORED_SECONDS < 2 * 86400 ? 3600 : 86400;
        uint64_t life = (here + STORED_SECONDS) / unit * unit;

        return stored_at && life + STORED_SECONDS >= here ? life : 0;
}

bool token_expiry_parse(char ret[TOKEN_TIME_SIZE], const char *text, uint64_t now) {
        uint64_t at = token_time_parse(text), duration = duration_parse(text);

        if (duration)
                at = now + duration;
        else if (!at && strlen(text) == 10 && time_of(text, "%Y-%m-%d"))
                at = time_of(text, "%Y-%m-%d") + 86399;
        return at > now && token_time_print(ret, at);
}
