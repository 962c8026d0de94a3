/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <inttypes.h>
#include <time.h>

#include "base/display.h"
#include "base/i18n.h"
#include "common/text.h"
#include "common/utf8.h"

size_t display_unsafe(const char *s) {
        uint32_t c;
        size_t n = utf8_decode(s, 4, &c);

        return n && text_is_control(c) ? n : 0;
}

void display_clean(char *s) {
        char *out = s;

        while (*s) {
                size_t n = display_unsafe(s);

                *out++ = n ? '?' : *s;
                s += n ?: 1;
        }
        *out = '\0';
}

void display_print(FILE *f, const char *s) {
        while (*s) {
                size_t n = display_unsafe(s);

                putc_unlocked(n ? '?' : *s, f);
                s += n ?: 1;
        }
}

size_t display_width(const char *s) {
        size_t width = 0;

        while (*s) {
                size_t n = display_unsafe(s);

                if (n || ((unsigned char)*s & 0xc0) != 0x80)
                        width++;
                s += n ?: 1;
        }
        return width;
}

/* Does a command begin here? A sentence that says "run:" or the like ends with one. */
static bool is_command(const char *s) {
        static const char *const programs[] = { "iotc-token ", "az ",   "systemctl ",
                                                "journalctl ", "sudo ", "head ",
                                                "timedatectl " };

        for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
                if (str_starts(s, programs[i]))
                        return true;
        return false;
}

/* The bytes up to the next space, but not one in [brackets], in 'quotes', or in a command that
 * stands behind a colon. */
static size_t word_length(const char *s, bool after_colon) {
        bool command = after_colon && is_command(s);
        size_t n = 0, depth = 0, open = s[0] == '(';
        const char *close = s[open] == '\'' ? strchr(s + open + 1, '\'') : NULL;

        if (close)
                n = (size_t)(close - s) + 1;
        for (; s[n] && (depth || command || s[n] != ' '); n++) {
                depth += s[n] == '[';
                depth -= depth && s[n] == ']';
                if (command &&
                    (str_starts(s + n + 1, " [") || (s[n + 1] == ' ' && strchr(",;.", s[n]))))
                        command = false;
        }
        return n;
}

char *display_fold(const char *s, size_t columns, size_t first, size_t indent) {
        size_t column = first, start = first, size;
        char *folded = NULL;
        bool colon = false;
        FILE *f;

        f = open_memstream(&folded, &size);
        if (!f)
                return NULL;
        while (*s) {
                size_t n = word_length(s, colon);
                CLEANUP(freep) char *word = strndup(s, n);
                size_t width = word ? display_width(word) : 0;

                if (column > start && column + 1 + width > columns) {
                        fprintf(f, "\n%*s", (int)indent, "");
                        column = start = indent;
                } else if (column > start) {
                        fputc(' ', f);
                        column++;
                }
                display_print(f, word ?: "");
                column += width;
                colon = n && s[n - 1] == ':';
                s += n + strspn(s + n, " ");
        }
        if (fclose(f) == 0)
                return folded;
        free(folded);
        return NULL;
}

char *display_duration(char buf[DISPLAY_DURATION_SIZE], uint64_t seconds) {
        static const struct {
                uint64_t seconds;
                const char *name;
        } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
        size_t i = 0;
        uint64_t rest;
        int n;

        while (i < ARRAY_SIZE(units) - 1 && seconds < units[i].seconds)
                i++;
        n = snprintf(buf, DISPLAY_DURATION_SIZE, "%" PRIu64 " %s", seconds / units[i].seconds,
                     units[i].name);

        /* Seconds beside minutes only where they matter. */
        rest = i + 1 < ARRAY_SIZE(units) ? seconds % units[i].seconds / units[i + 1].seconds : 0;
        if (rest && (units[i].seconds > 60 || seconds < 600))
                snprintf(buf + n, (size_t)(DISPLAY_DURATION_SIZE - n), " %" PRIu64 " %s", rest,
                         units[i + 1].name);
        return buf;
}

char *display_left(char buf[DISPLAY_DURATION_SIZE], uint64_t at, uint64_t now) {
        if (at == 0)
                return strcpy(buf, "-");
        if (at <= now)
                return snprintf(buf, DISPLAY_DURATION_SIZE, "%s", _("over")), buf;
        return display_duration(buf, at - now);
}

char *display_bar(char buf[DISPLAY_BAR_SIZE], uint64_t from, uint64_t to, uint64_t now, bool utf8) {
        enum {
                CELLS = 10
        };
        const char *full = utf8 ? "\u2588" : "#", *empty = utf8 ? "\u2591" : "-";
        double left;
        unsigned cells;

        buf[0] = '\0';
        if (from == 0 || from >= to)
                return buf;
        left = now >= to ? 0 : MIN((double)(to - now) / (double)(to - from), 1);
        cells = (unsigned)(left * CELLS);
        cells += cells < left * CELLS; /* rounded up */
        for (unsigned i = 0; i < CELLS; i++)
                strcat(buf, i < cells ? full : empty);
        return buf;
}

char *display_clock(char buf[DISPLAY_CLOCK_SIZE], int64_t offset) {
        char much[DISPLAY_DURATION_SIZE];

        if (offset == 0)
                return strcpy(buf, "right");
        display_duration(much, offset < 0 ? -(uint64_t)offset : (uint64_t)offset);
        snprintf(buf, DISPLAY_CLOCK_SIZE, "%s %s", much, offset < 0 ? "fast" : "slow");
        return buf;
}

char *display_time_iso(char buf[DISPLAY_TIME_SIZE], uint64_t at) {
        time_t t = (time_t)at;
        struct tm tm;

        buf[0] = '\0';
        if (at && at <= INT64_C(253402300799) && gmtime_r(&t, &tm))
                strftime(buf, DISPLAY_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
        return buf;
}

char *display_key(char buf[DISPLAY_KEY_SIZE], const char *name) {
        size_t n = 0;

        for (size_t i = 0; name[i] && n < DISPLAY_KEY_SIZE - 2; i++) {
                if (i > 0 && isupper((unsigned char)name[i]) &&
                    !isupper((unsigned char)name[i - 1]))
                        buf[n++] = '_';
                buf[n++] = name[i] == '-' ? '_' : (char)tolower((unsigned char)name[i]);
        }
        buf[n] = '\0';
        return buf;
}

/* The last @, wherever it is: a password may have been written with its slashes as they are. */
char *display_url(const char *url) {
        const char *at = strrchr(url, '@');
        size_t scheme =
                strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        char *shown;

        if (!at)
                return strdup(url);
        scheme = str_starts(url + scheme, "://") ? scheme + 3 : 0;
        return asprintf(&shown, "%.*s%s", (int)scheme, url, at + 1) < 0 ? NULL : shown;
}

unsigned display_distance(const char *a, const char *b) {
        size_t n = strlen(b);
        unsigned row[33];

        if (n >= ARRAY_SIZE(row) || strlen(a) > 255)
                return 255;
        for (size_t j = 0; j <= n; j++)
                row[j] = (unsigned)j;
        for (size_t i = 0; a[i]; i++) {
                unsigned diagonal = row[0];

                row[0] = (unsigned)i + 1;
                for (size_t j = 0; j < n; j++) {
                        unsigned change = diagonal + (a[i] != b[j]);

                        diagonal = row[j + 1];
                        row[j + 1] = MIN(MIN(row[j], row[j + 1]) + 1, change);
                }
        }
        return row[n];
}

void display_json_time(JsonWriter *w, const char *key, uint64_t at) {
        char key_iso[DISPLAY_KEY_SIZE + 4], iso[DISPLAY_TIME_SIZE];

        json_writer_uint(w, key, at);
        (void)snprintf(key_iso, sizeof(key_iso), "%s_iso", key);
        json_writer_string_or_null(w, key_iso, *display_time_iso(iso, at) ? iso : NULL);
}
