/* SPDX-License-Identifier: MIT */
/*
 * What servers and programs repeat of ours, in each of the forms in which they do, and what is not
 * to be touched.
 */
#undef NDEBUG
#include <assert.h>

#include "common/redact.h"

#define TOKEN "0.AXoA-b~c_d.e*f!g\"h\\i/j+k=l&m%n o'p<q>r{s}t\xc3\xbcu"
#define SHORT "s3cr+t"

static void assert_redacted(const char *in, const char *out) {
        const char *const secrets[] = { NULL, TOKEN, SHORT, "", "abc" };
        CLEANUP(freep) char *text = redact(in, secrets, ARRAY_SIZE(secrets));

        if (!streq(text, out))
                fprintf(stderr, "in   %s\nout  %s\nwant %s\n", in, text, out);
        assert(streq(text, out));
}

static void test_urls(void) {
        static const struct {
                const char *in, *out;
        } cases[] = {
                { "http://user:pw@host:3128", "http://***@host:3128" },
                { "'http://user:p@ssSECRET@host'", "'http://***@host'" },
                { "ftp://user:pw@x", "ftp://***@x" },
                { "http://token@host/", "http://***@host/" },
                { "http://:pw@host/", "http://***@host/" },
                { "http://user:pw@[::1]:3128 is bad", "http://***@[::1]:3128 is bad" },
                { "proxy user:pw@host:3128 no", "proxy ***@host:3128 no" },
                { "http://user:p/w@host", "http://***@host" },
                { "http://user:p?w#x@host", "http://***@host" },
                { "http://user:p'w,(x)@host", "http://***@host" },
                { "HTTP://us%65r:p%40w@host", "HTTP://***@host" },
                { "a http%3A%2F%2Fuser%3Apw%40host b", "a http%3A%2F%2F***%40host b" },
                { "http%253a%252f%252fuser%253apw%2540host", "http%253a%252f%252f***%2540host" },
                { "http:\\/\\/user:pw\\u0040host", "http:\\/\\/***\\u0040host" },
                { "http://user:my%20pw@host", "http://***@host" },
                { "{\"a\":\"http://u:p@h\",\"b\":\"ada@x.example\"}",
                  "{\"a\":\"http://***@h\",\"b\":\"ada@x.example\"}" },
                { "https://h/cb?to=http://u:p@x", "https://h/cb?to=http://***@x" },
                { "http://a,http://u:p@b", "http://a,http://***@b" },
                /* Whole they stay. */
                { "https://host/users/ada@contoso.example", NULL },
                { "http://host:3128/a@b", NULL },
                { "http://[::1]:3128/a@b", NULL },
                { "Signed in as ada@contoso.example: now", NULL },
                { "at 12:30 https://host:443/x?y#z", NULL },
                { "http://host and ada@host", NULL },
                { "100% of &copy; &amp; \\ \\q %zz %", NULL },
                { "@", NULL },
                { "", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_redacted(cases[i].in, cases[i].out ?: cases[i].in);
        assert(redact(NULL, NULL, 0) == NULL);
}

static void test_secrets(void) {
        static const char *const forms[] = {
                TOKEN,
                /* percent-encoded, in either case; as a form; twice */
                "0.AXoA-b~c_d.e%2Af%21g%22h%5Ci%2Fj%2Bk%3Dl%26m%25n%20o%27p%3Cq%3Er%7Bs%7Dt%C3%BCu",
                "0.AXoA-b~c_d.e%2af%21g%22h%5ci%2fj%2bk%3dl%26m%25n+o%27p%3cq%3er%7bs%7dt%c3%bcu",
                "0.AXoA-b~c_d.e%252af%2521g%2522h%255ci%252fj%252bk%253dl%2526m%2525n%2520o%2527p"
                "%253cq%253er%257bs%257dt%25c3%25bcu",
                /* JSON, as different writers have it */
                "0.AXoA-b~c_d.e*f!g\\\"h\\\\i\\/j+k=l&m%n o'p<q>r{s}t\xc3\xbcu",
                "0.AXoA-b~c_d.e*f!g\\u0022h\\u005Ci/j+k=l\\u0026m%n o\\u0027p\\u003cq\\u003er{s}"
                "t\\u00fcu",
                /* HTML */
                "0.AXoA-b~c_d.e*f!g&quot;h\\i/j&#43;k=l&amp;m%n o&#x27;p&lt;q&gt;r{s}t&#252;u",
        };

        for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
                CLEANUP(freep) char *in = NULL;

                assert(asprintf(&in, "AADSTS1: '%s'.", forms[i]) > 0);
                assert_redacted(in, "AADSTS1: '***'.");
        }
        assert_redacted("x " SHORT "y s3cr%2Bt s3cr%2bt s3cr\\u002bt s3cr t",
                        "x ***y *** *** *** ***");
        assert_redacted("s3cr", "s3cr");
        assert_redacted("abc", "abc");
}

static void test_pieces(void) {
        static const char letters[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
        char secret[994], text[1200];
        const char *const secrets[] = { secret };

        for (size_t i = 0; i < 993; i++)
                secret[i] = letters[i * i * 31 % 61 % 64 ^ (i & 3)];
        secret[993] = '\0';
        for (size_t n = 1; n < 40; n++)
                for (size_t from = 0; from < 40; from++) {
                        CLEANUP(freep) char *out = NULL;

                        (void)snprintf(text, sizeof(text), "%.*s<%.*s>", (int)(from % 9),
                                       "?????????", (int)n, secret + from * 23);
                        out = redact(text, secrets, 1);
                        assert((strstr(out, "<***>") != NULL) == (n >= REDACT_RUN));
                }
        (void)snprintf(text, sizeof(text), "The token '%s' is bad", secret);
        for (size_t cut = 11 + REDACT_RUN; cut < 11 + 993; cut += 7) {
                CLEANUP(freep) char *out = NULL;

                text[cut] = '\0';
                out = redact(text, secrets, 1);
                assert(streq(out, "The token '***"));
                text[cut] = secret[cut - 11];
        }
}

static void test_jwt(void) {
        assert_redacted("got eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln: no",
                        "got ***: no");
        assert_redacted("eyJ0 is short", "eyJ0 is short");
}

/* No secret, however dull, and no text takes the daemon's time. */
static void test_worst(void) {
        enum {
                N = 64 * 1024
        };
        CLEANUP(freep) char *text = malloc(N + 1), *secret = malloc(N + 1);
        static const char *const dull[] = { "a", "://", "@", "%25", "a:@/", "eyJ", "ab ", "&" };

        for (size_t i = 0; i < ARRAY_SIZE(dull); i++) {
                size_t n = strlen(dull[i]);

                for (size_t k = 0; k < N; k++) {
                        text[k] = dull[i][k % n];
                        secret[k] = k % 16 == 15 ? 'b' : 'a';
                }
                text[N] = secret[N] = '\0';
                free(redact(text, (const char *const[]){ secret, text + N / 2 }, 2));
        }
}

int main(void) {
        test_urls();
        test_secrets();
        test_pieces();
        test_jwt();
        test_worst();
        return 0;
}
