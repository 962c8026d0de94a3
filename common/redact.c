/* SPDX-License-Identifier: MIT */
/*
 * See redact.h. Text and secrets are decoded until nothing is left to decode, and compared in that
 * form; each decoded byte knows where in the text it came from. All of it is linear in the text but
 * the comparison, which looks up every eighth place of the text in a secret.
 */
#include <ctype.h>

#include "common/memory.h"
#include "common/redact.h"
#include "common/utf8.h"

enum {
        DECODE_PASSES = 6, /* encodings on top of each other */
        STEP = REDACT_RUN / 2,
        TRIES = 64, /* for the same STEP bytes: a secret that repeats itself so often is none */
};

typedef struct Origin {
        uint32_t from, to;   /* in the text */
        unsigned char depth; /* how often it was decoded */
} Origin;

/* Bytes in their decoded form. */
typedef struct Plain {
        char *c;
        Origin *origin;
        size_t n;
} Plain;

static void plain_deinit(Plain *p) {
        if (p->c)
                explicit_bzero(p->c, p->n);
        free(p->c);
        free(p->origin);
}

/* ---- decoding ----------------------------------------------------------------------------- */

/* A number of so many digits, at most max; 0 when there is none. */
static size_t number_read(const char *s, size_t n, size_t max, int base, uint32_t *ret) {
        size_t i = 0;

        *ret = 0;
        for (; i < n && i < max; i++) {
                unsigned char c = (unsigned char)s[i];

                if (!isxdigit(c) || (base == 10 && !isdigit(c)))
                        break;
                *ret = *ret * (uint32_t)base +
                       (uint32_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
        }
        return i;
}

/* What HTML, JSON and C write as a number, as UTF-8. Returns the bytes, 0: not of a text. */
static size_t number_write(char out[4], uint32_t c) {
        return c == 0 || c > 0xffff ? 0 : utf8_encode(out, c);
}

static size_t html_decode(const char *s, size_t n, char out[4], size_t *ret_out) {
        static const char *const names[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&apos;" };
        size_t digits, hex = n > 2 && (s[2] == 'x' || s[2] == 'X');
        uint32_t c;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (n >= strlen(names[i]) && memcmp(s, names[i], strlen(names[i])) == 0)
                        return out[0] = "&<>\"'"[i], *ret_out = 1, strlen(names[i]);
        if (n < 4 || s[1] != '#')
                return 0;
        digits = number_read(s + 2 + hex, n - 2 - hex, 6, hex ? 16 : 10, &c);
        if (digits == 0 || 2 + hex + digits >= n || s[2 + hex + digits] != ';')
                return 0;
        *ret_out = number_write(out, c);
        return *ret_out ? 2 + hex + digits + 1 : 0;
}

/* The escape at s[0..n): its length, and in out what it stands for; 0 when it is none. */
static size_t escape_decode(const char *s, size_t n, char out[4], size_t *ret_out) {
        uint32_t c;

        if (*s == '&')
                return html_decode(s, n, out, ret_out);
        if (*s == '%' && n >= 3 && number_read(s + 1, 2, 2, 16, &c) == 2 && c)
                return out[0] = (char)c, *ret_out = 1, 3;
        if (*s != '\\' || n < 2)
                return 0;
        if (strchr("\"'/\\", s[1]) && s[1])
                return out[0] = s[1], *ret_out = 1, 2;
        if (s[1] == 'x' && n >= 4 && number_read(s + 2, 2, 2, 16, &c) == 2 && c)
                return out[0] = (char)c, *ret_out = 1, 4;
        if (s[1] != 'u' || n < 6 || number_read(s + 2, 4, 4, 16, &c) < 4)
                return 0;
        *ret_out = number_write(out, c);
        return *ret_out ? 6 : 0;
}

/* Once over it, in place: no escape is shorter than what it stands for. */
static bool plain_decode(Plain *p) {
        size_t n = 0, used, n_out = 1;
        bool changed = false;
        char out[4];

        for (size_t i = 0; i < p->n; i += used) {
                Origin origin = p->origin[i];

                used = escape_decode(p->c + i, p->n - i, out, &n_out);
                if (used) {
                        for (size_t k = i; k < i + used; k++)
                                origin.depth = MAX(origin.depth, p->origin[k].depth);
                        origin.depth++;
                        origin.to = p->origin[i + used - 1].to;
                        changed = true;
                } else {
                        used = n_out = 1;
                        out[0] = p->c[i];
                }
                for (size_t k = 0; k < n_out; k++) {
                        p->origin[n] = origin;
                        p->c[n++] = out[k];
                }
        }
        p->n = n;
        return changed;
}

static void plain_init(Plain *ret, const char *text) {
        *ret = (Plain){ .n = strlen(text) };
        ret->c = xmalloc(ret->n + 1);
        ret->origin = xcalloc(ret->n + 1, sizeof(*ret->origin));
        memcpy(ret->c, text, ret->n);
        for (size_t i = 0; i < ret->n; i++)
                ret->origin[i] = (Origin){ (uint32_t)i, (uint32_t)i + 1, 0 };
        for (int pass = 0; pass < DECODE_PASSES && plain_decode(ret); pass++)
                continue;
}

/* ---- what is to be hidden ----------------------------------------------------------------- */

/* hidden: one flag for each byte of the text. */
static void plain_hide(const Plain *p, size_t from, size_t to, char *hidden) {
        for (size_t i = from; i < to; i++)
                memset(hidden + p->origin[i].from, 1, p->origin[i].to - p->origin[i].from);
}

/* The end of the authority at start (RFC 3986 section 3.2); what is encoded deeper than the URL
 * itself ends nothing. */
static size_t authority_end(const Plain *p, size_t start, size_t end) {
        unsigned char depth = p->origin[start - 1].depth;

        while (start < end && (!strchr("/?#", p->c[start]) || p->origin[start].depth > depth))
                start++;
        return start;
}

/* Can this be HOST or HOST:PORT? Else it may be a user's name and the beginning of a password. */
static bool is_host(const char *c, size_t n) {
        const char *bracket = n && *c == '[' ? memchr(c, ']', n) : NULL;
        const char *from = bracket ?: c;
        const char *colon = memchr(from, ':', (size_t)(c + n - from));

        if (memchr(c, '@', n))
                return false;
        for (const char *p = colon; p && p < c + n; p++)
                if (p > colon && !isdigit((unsigned char)*p))
                        return false;
        return true;
}

/* User information in a word: up to its last @, since a password may hold one, or a slash. */
static void word_hide(const Plain *p, size_t from, size_t to, char *hidden) {
        const char *at = memrchr(p->c + from, '@', to - from);
        size_t last = at ? (size_t)(at - p->c) : from;
        const char *scheme;

        if (!at)
                return;
        scheme = memmem(p->c + from, last - from, "://", 3);
        if (!scheme && memchr(p->c + from, ':', last - from))
                plain_hide(p, from, last, hidden);
        for (; scheme; scheme = memmem(scheme, (size_t)(at - scheme), "://", 3)) {
                size_t start = (size_t)(scheme - p->c) + 3;

                if (!is_host(p->c + start, authority_end(p, start, to) - start)) {
                        plain_hide(p, start, last, hidden);
                        return;
                }
                scheme += 3;
        }
}

static void hide_userinfo(const Plain *p, char *hidden) {
        size_t from = 0;

        for (size_t i = 0; i <= p->n; i++)
                if (i == p->n || (p->origin[i].depth == 0 &&
                                  ((unsigned char)p->c[i] <= ' ' || strchr("\"<>", p->c[i])))) {
                        word_hide(p, from, i, hidden);
                        from = i + 1;
                }
}

/* RFC 7519: the head of each begins with {" in base64url. */
static void hide_jwt(const Plain *p, char *hidden) {
        for (size_t i = 0, n; i + REDACT_RUN <= p->n; i += MAX(n, (size_t)1)) {
                for (n = 0; i + n < p->n &&
                            (isalnum((unsigned char)p->c[i + n]) || strchr("-_.", p->c[i + n]));)
                        n++;
                for (size_t k = 0; k + REDACT_RUN <= n; k++)
                        if (memcmp(p->c + i + k, "eyJ", 3) == 0) {
                                plain_hide(p, i + k, i + n, hidden);
                                break;
                        }
        }
}

/* The run that both have around p[at] and secret[s], if it is long enough. */
static bool hide_run(const Plain *p, size_t at, const Plain *secret, size_t s, char *hidden) {
        size_t before = 0, after = 0;

        while (before < MIN(at, s) && p->c[at - before - 1] == secret->c[s - before - 1])
                before++;
        while (at + after < p->n && s + after < secret->n &&
               p->c[at + after] == secret->c[s + after])
                after++;
        if (before + after < MIN((size_t)REDACT_RUN, secret->n))
                return false;
        plain_hide(p, at - before, at + after, hidden);
        return true;
}

static void hide_secret(const Plain *p, const Plain *secret, char *hidden) {
        /* Whatever run is long enough has one of these places, and all of the STEP bytes there. */
        size_t step = secret->n < REDACT_RUN ? 1 : STEP, n = step == 1 ? secret->n : STEP;

        for (size_t at = 0; at + n <= p->n; at += step) {
                const char *found = secret->c, *end = secret->c + secret->n;

                if (hidden[p->origin[at].from] && hidden[p->origin[at + n - 1].from])
                        continue;
                for (int i = 0; i < TRIES; i++, found++) {
                        found = memmem(found, (size_t)(end - found), p->c + at, n);
                        if (!found || hide_run(p, at, secret, (size_t)(found - secret->c), hidden))
                                break;
                }
        }
}

/* A form has + for a blank. */
static void plain_fold(Plain *p) {
        for (size_t i = 0; i < p->n; i++)
                if (p->c[i] == ' ')
                        p->c[i] = '+';
}

static void hide_secrets(Plain *p, const char *const *secrets, size_t n, char *hidden) {
        plain_fold(p);
        for (size_t i = 0; i < n; i++) {
                Plain secret = { 0 };

                if (!secrets[i] || strlen(secrets[i]) < REDACT_MIN)
                        continue;
                plain_init(&secret, secrets[i]);
                if (secret.n >= REDACT_MIN) {
                        plain_fold(&secret);
                        hide_secret(p, &secret, hidden);
                }
                plain_deinit(&secret);
        }
}

/* ------------------------------------------------------------------------------------------- */

char *redact(const char *text, const char *const *secrets, size_t n) {
        CLEANUP(plain_deinit) Plain p = { 0 };
        CLEANUP(freep) char *hidden = NULL;
        size_t size, out = 0;
        char *ret;

        if (!text)
                return NULL;
        size = strlen(text);
        hidden = xcalloc(1, size + 1);
        plain_init(&p, text);
        hide_userinfo(&p, hidden);
        hide_jwt(&p, hidden);
        hide_secrets(&p, secrets, n, hidden);

        /* A run of one byte grows to the mark. */
        ret = xmalloc(size * strlen(REDACT_MARK) + 1);
        for (size_t i = 0; i < size; i++)
                if (!hidden[i])
                        ret[out++] = text[i];
                else if (i == 0 || !hidden[i - 1])
                        out += (size_t)sprintf(ret + out, "%s", REDACT_MARK);
        ret[out] = '\0';
        return ret;
}
