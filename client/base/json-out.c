/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/display.h"
#include "base/json-out.h"

/* The code point of the 1 to 3 bytes at s. */
static unsigned json_out_decode(const char *s, size_t n) {
        const unsigned char *c = (const unsigned char *)s;

        if (n == 1)
                return c[0];
        if (n == 2)
                return (c[0] & 0x1fU) << 6 | (c[1] & 0x3fU);
        return (c[0] & 0x0fU) << 12 | (c[1] & 0x3fU) << 6 | (c[2] & 0x3fU);
}

/* What would do something to a terminal is escaped, too. */
static void json_out_quoted(FILE *f, const char *s) {
        fputc('"', f);
        while (*s) {
                size_t n = display_unsafe(s);

                if (n)
                        fprintf(f, "\\u%04x", json_out_decode(s, n));
                else if (*s == '"' || *s == '\\')
                        fprintf(f, "\\%c", *s);
                else
                        fputc(*s, f);
                s += n ?: 1;
        }
        fputc('"', f);
}

static void json_out_key(JsonOut *out, const char *key) {
        if (out->comma)
                fputc(',', out->f);
        out->comma = true;
        if (key) {
                json_out_quoted(out->f, key);
                fputc(':', out->f);
        }
}

void json_out_open(JsonOut *out, const char *key, char bracket) {
        json_out_key(out, key);
        fputc(bracket, out->f);
        out->comma = false;
}

void json_out_close(JsonOut *out, char bracket) {
        fputc(bracket, out->f);
        out->comma = true;
}

void json_out_string(JsonOut *out, const char *key, const char *value) {
        json_out_key(out, key);
        if (value)
                json_out_quoted(out->f, value);
        else
                fputs("null", out->f);
}

void json_out_uint(JsonOut *out, const char *key, uint64_t value) {
        json_out_key(out, key);
        fprintf(out->f, "%" PRIu64, value);
}

void json_out_int(JsonOut *out, const char *key, int64_t value) {
        json_out_key(out, key);
        fprintf(out->f, "%" PRIi64, value);
}

void json_out_bool(JsonOut *out, const char *key, bool value) {
        json_out_key(out, key);
        fputs(value ? "true" : "false", out->f);
}

void json_out_time(JsonOut *out, const char *key, uint64_t value) {
        char key_iso[DISPLAY_KEY_SIZE + 4], iso[DISPLAY_TIME_SIZE];

        json_out_uint(out, key, value);
        snprintf(key_iso, sizeof(key_iso), "%s_iso", key);
        json_out_string(out, key_iso, *display_time_iso(iso, value) ? iso : NULL);
}

void json_out_end(JsonOut *out) {
        fputc('\n', out->f);
        out->comma = false;
}
