/* SPDX-License-Identifier: MIT */
/*
 * Hosts as people paste them: what is the same application compares equal, and whatever could be
 * read in two ways is no host.
 */
#undef NDEBUG
#include <assert.h>

#include "common/host.h"

#define LABEL_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

typedef struct Pair {
        const char *text;
        const char *want;
} Pair;

typedef int (*Read)(char **ret, const char *text);

static void check_one(Read fn, const char *text, const char *want) {
        CLEANUP(freep) char *got = NULL;
        int r;

        r = fn(&got, text);
        if (r != (want ? 0 : -EINVAL) || !streq(got, want)) {
                fprintf(stderr, "'%s' gave %d '%s'\n", text, r, got ?: "");
                abort();
        }
}

static void check(Read fn, const Pair *pairs, size_t n) {
        for (size_t i = 0; i < n; i++)
                check_one(fn, pairs[i].text, pairs[i].want);
}

static void refuse(Read fn, const char *const *texts, size_t n) {
        for (size_t i = 0; i < n; i++)
                check_one(fn, texts[i], NULL);
}

static void test_one_application_has_one_spelling(void) {
        static const Pair pairs[] = {
                { "contoso.azureiotcentral.com", "contoso.azureiotcentral.com" },
                { "Contoso.AzureIoTCentral.COM", "contoso.azureiotcentral.com" },
                { "contoso.azureiotcentral.com.", "contoso.azureiotcentral.com" },
                { "contoso.azureiotcentral.com:443", "contoso.azureiotcentral.com" },
                { "contoso.azureiotcentral.com.:443", "contoso.azureiotcentral.com" },
                { "https://contoso.azureiotcentral.com", "contoso.azureiotcentral.com" },
                { "HTTPS://contoso.azureiotcentral.com/", "contoso.azureiotcentral.com" },
                { "https://contoso.azureiotcentral.com:443/devices?a=b@c#d",
                  "contoso.azureiotcentral.com" },
                { "https://contoso.azureiotcentral.com/a%20b/\xc3\xa9",
                  "contoso.azureiotcentral.com" },
                { "https://contoso.azureiotcentral.com?x", "contoso.azureiotcentral.com" },
                { "https://contoso.azureiotcentral.com#x", "contoso.azureiotcentral.com" },
                { "https://contoso.com:8443/x", "contoso.com:8443" },
                { "https://contoso.com:80", "contoso.com:80" },
                { "https://xn--bcher-kva.example/", "xn--bcher-kva.example" },
                { "10.0.0.1:8443", "10.0.0.1:8443" },
                { "10.0.0.1.", "10.0.0.1" },
                { "localhost", "localhost" },
                { "my-host", "my-host" },
                { "1a.2b", "1a.2b" },
                { "3com.example", "3com.example" },
                { "0x.example", "0x.example" },
                { LABEL_63 ".example", LABEL_63 ".example" },
                /* http is for loopback, where the default port is 80 */
                { "http://127.0.0.1:8080/x", "http://127.0.0.1:8080" },
                { "http://127.0.0.1:80/x", "http://127.0.0.1" },
                { "http://127.0.0.8:443", "http://127.0.0.8:443" },
                { "http://localhost:443", "http://localhost:443" },
                { "HTTP://App.localhost.:3000/", "http://app.localhost:3000" },
                { "http://[::1]:8080/x", "http://[::1]:8080" },
                { "http://[0:0:0:0:0:0:0:1]", "http://[::1]" },
                { "[::1]:443", "[::1]" },
                { "127.0.0.1:80", "127.0.0.1:80" },
                { "https://127.0.0.1:80", "127.0.0.1:80" },
                { "https://[2001:DB8::A]:443/", "[2001:db8::a]" },
                { "[2001:db8:0:0::1]:8443", "[2001:db8::1]:8443" },
        };

        check(host_normalize, pairs, ARRAY_SIZE(pairs));
}

/* What is written to a file, shown or passed on reads back as the same application. */
static void test_round_trips(void) {
        static const char *const schemes[] = { "", "https://", "http://", "HTTPS://", "Http://" };
        static const char *const names[] = {
                "contoso.com",   "CONTOSO.com.", "xn--bcher-kva.example",
                "127.0.0.1",     "127.0.0.8",    "localhost",
                "A.LocalHost.",  "[::1]",        "[0:0::1]",
                "[2001:DB8::A]", "10.0.0.1"
        };
        static const char *const ports[] = { "", ":80", ":443", ":1", ":4000", ":65535" };
        static const char *const rests[] = { "", "/", "/a?b@c#d" };
        unsigned n = 0;

        for (size_t i = 0; i < 5 * 11 * 6 * 3; i++) {
                CLEANUP(freep)
                char *text = NULL, *once = NULL, *twice = NULL, *url = NULL, *of_url = NULL;

                assert(asprintf(&text, "%s%s%s%s", schemes[i % 5], names[i / 5 % 11],
                                ports[i / 55 % 6], rests[i / 330]) > 0);
                if (host_normalize(&once, text) < 0)
                        continue;
                n++;
                assert(host_normalize(&twice, once) == 0);
                assert(streq(once, twice));
                assert(host_equal(once, twice));
                /* its URL is the same application, and spoken in the same way */
                assert(asprintf(&url, "%s%s/x", host_name(once) == once ? "https://" : "", once) >
                       0);
                assert(host_normalize(&of_url, url) == 0);
                assert(streq(of_url, once));
        }
        assert(n > 400);
}

static void test_one_name_and_port(void) {
        assert(host_equal("http://127.0.0.1:4000", "127.0.0.1:4000"));
        assert(host_equal("http://127.0.0.1:443", "127.0.0.1"));
        assert(host_equal("http://[::1]", "[::1]:80"));
        assert(!host_equal("http://127.0.0.1", "127.0.0.1"));
        assert(!host_equal("[::1]:1", "[::1]"));
        assert(!host_equal("a.example", "b.example"));
        assert(!host_equal("a.example", "a.example:8443"));
        assert(!host_equal("a.example", "a.example.com"));
}

static void test_what_is_no_application(void) {
        static const char *const bad[] = {
                "",
                ".",
                ":",
                ":443",
                "https://",
                "https:///x",
                "https://:443",
                "http://",
                "http://example.com",
                "http://127.0.0.1.example.com/",
                "http://localhost.example.com/",
                "http://10.0.0.1:8080",
                "http://[::2]/",
                "ftp://example.com",
                "example.com/path",
                "//example.com",
                "example.com?x",
                "https:example.com",
                "https:/example.com",
                "https://https://example.com",
                /* who is it really? */
                "https://user@example.com",
                "https://user:password@example.com/",
                "https://@example.com",
                "user@example.com",
                "https://example.com\\@evil.example/",
                "https://example.com\\evil.example",
                "https://example.com%2eevil.example",
                "exam%70le.com",
                "https://b\xc3\xbc\x63her.example",
                "https://\xef\xbd\x85xample.com",
                "https://example.com/\xff",
                "example.com\n",
                "exam\tple.com",
                " example.com",
                "example.com ",
                "https://example.com/a b",
                "https://example.com/\x7f",
                "https://example.com/\xe2\x80\xae",
                /* labels */
                "example..com",
                ".example.com",
                "example.com..",
                "-example.com",
                "example-.com",
                "exa_mple.com",
                "*.example.com",
                "exam'ple.com",
                LABEL_63 "h.example",
                LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63,
                /* ports */
                "example.com:",
                "example.com:0",
                "example.com:0443",
                "example.com:65536",
                "example.com:99999999999999999999",
                "example.com:+443",
                "example.com:-1",
                "example.com:https",
                "example.com:443:443",
                "https://example.com: 443",
                /* numbers that a resolver takes for an address */
                "127.1",
                "2130706433",
                "0177.0.0.1",
                "0x7f000001",
                "0x7f.0.0.1",
                "1.2.3.4.5",
                "256.0.0.1",
                "example.1",
                "example.0x1",
                "example.0x",
                /* IPv6 */
                "::1",
                "[::1",
                "[]",
                "[",
                "]",
                "[::1]x",
                "[::1]]:80",
                "[::1%25lo]",
                "[::1%lo]:80",
                "[127.0.0.1]",
                "[example.com]",
                "https://[::1/]",
        };

        refuse(host_normalize, bad, ARRAY_SIZE(bad));
}

static void test_a_url_has_an_end(void) {
        CLEANUP(freep) char *host = NULL;
        char url[URL_LENGTH_MAX + 2] = "https://example.com/";

        memset(url + strlen(url), 'a', URL_LENGTH_MAX - strlen(url));
        assert(strlen(url) == URL_LENGTH_MAX);
        assert(host_normalize(&host, url) == 0);
        url[URL_LENGTH_MAX] = 'a';
        assert(host_normalize(&host, url) == -EINVAL);
}

static void test_a_suffix_ends_at_a_dot(void) {
        assert(host_under("contoso.azureiotcentral.com", "azureiotcentral.com"));
        assert(host_under("contoso.azureiotcentral.com", ".azureiotcentral.com"));
        assert(host_under("contoso.azureiotcentral.com", "AzureIoTCentral.com"));
        assert(host_under("azureiotcentral.com", "azureiotcentral.com"));
        assert(host_under("a.b.azureiotcentral.com", "azureiotcentral.com"));

        assert(!host_under("evilazureiotcentral.com", "azureiotcentral.com"));
        assert(!host_under("azureiotcentral.com.evil.example", "azureiotcentral.com"));
        assert(!host_under("com", "azureiotcentral.com"));
        assert(!host_under("contoso.azureiotcentral.com:8443", "azureiotcentral.com"));
        assert(!host_under("[::1]", "1]"));
        assert(!host_under("contoso.azureiotcentral.com", ""));
        assert(!host_under("contoso.azureiotcentral.com", "."));
        assert(!host_under("", "azureiotcentral.com"));
}

static void test_loopback(void) {
        static const char *const yes[] = {
                "http://localhost", "http://127.0.0.1:80", "http://[::1]:1",  "localhost",
                "localhost:8080",   "app.localhost",       "a.b.localhost:1", "LOCALHOST",
                "127.0.0.1",        "127.0.0.1:80",        "127.255.255.254", "[::1]",
                "[::1]:65535",
        };
        static const char *const no[] = {
                "",
                "example.com",
                "localhost.example.com",
                "notlocalhost",
                "128.0.0.1",
                "127.0.0.1.example.com",
                "127.1",
                "[::2]",
                "[::1]x",
                "[::11]",
                "::1",
                "[::ffff:127.0.0.1]",
                "0.0.0.0",
                "10.0.0.1:8443",
        };

        for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
                assert(host_is_loopback(yes[i]));
        for (size_t i = 0; i < ARRAY_SIZE(no); i++)
                assert(!host_is_loopback(no[i]));
}

static void test_urls_that_may_be_spoken_to(void) {
        static const Pair pairs[] = {
                { "https://login.microsoftonline.com", "https://login.microsoftonline.com" },
                { "https://login.microsoftonline.com/", "https://login.microsoftonline.com" },
                { "https://login.microsoftonline.com//", "https://login.microsoftonline.com" },
                { "HTTPS://Login.MicrosoftOnline.us.:443/", "https://login.microsoftonline.us" },
                { "https://idp.example/adfs/", "https://idp.example/adfs" },
                { "https://idp.example/A%2f:@b", "https://idp.example/A%2f:@b" },
                { "https://idp.example:8443/x", "https://idp.example:8443/x" },
                { "http://127.0.0.1:8080/x/", "http://127.0.0.1:8080/x" },
                { "http://localhost", "http://localhost" },
                { "http://[::1]:80/", "http://[::1]" },
        };
        static const char *const bad[] = {
                "",
                "login.microsoftonline.com",
                "login.microsoftonline.com:443",
                "http://login.microsoftonline.com",
                "file:///etc/passwd",
                "javascript:alert(1)",
                "https://",
                "https://idp.example/?tenant=x",
                "https://idp.example?",
                "https://idp.example/#x",
                "https://user:password@idp.example/",
                "https://idp.example/a b",
                "https://idp.example/a\"b",
                "https://idp.example/a\nb",
                "https://idp.example/a%2",
                "https://idp.example/a%zz",
                "https://idp.example/%",
                "https://idp.example/\xc3\xa9",
                "https://idp.example\\x",
                "https://127.1/",
        };

        check(host_check_url, pairs, ARRAY_SIZE(pairs));
        refuse(host_check_url, bad, ARRAY_SIZE(bad));
}

static void test_which_url_is_safe(void) {
        static const char *const safe[] = {
                "https://login.microsoftonline.com",
                "https://login.example:8443/adfs",
                "HTTPS://LOGIN.example/",
                "http://localhost:8080",
                "http://127.0.0.1:1/x?y",
                "http://127.9.9.9",
                "http://[::1]:80/",
                "https://login.example/#/device",
        };
        static const char *const unsafe[] = {
                "",
                "login.microsoftonline.com",
                "http://login.microsoftonline.com",
                "http://127.0.0.1.example.com",
                "http://localhost.example.com",
                "http://128.0.0.1",
                "http://[::2]/",
                "http://0.0.0.0/",
                "ftp://localhost/",
                "file:///etc/passwd",
                "javascript:alert(1)",
                "https://user@login.example",
                "https://user:pw@login.example",
                "https://login.example/\"",
                "https://login.example/<x>",
                "https://login.example/a b",
                "https://login.example/\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(safe); i++)
                assert(host_url_is_safe(safe[i]));
        for (size_t i = 0; i < ARRAY_SIZE(unsafe); i++)
                assert(!host_url_is_safe(unsafe[i]));
}

static void test_the_host_of_a_url(void) {
        CLEANUP(freep) char *host = host_of_url("https://LOGIN.example:1/x");
        CLEANUP(freep) char *none = host_of_url("nonsense nonsense");

        assert(streq(host, "login.example"));
        assert(streq(none, "the server"));
}

int main(void) {
        test_which_url_is_safe();
        test_the_host_of_a_url();
        test_one_application_has_one_spelling();
        test_round_trips();
        test_one_name_and_port();
        test_what_is_no_application();
        test_a_url_has_an_end();
        test_a_suffix_ends_at_a_dot();
        test_loopback();
        test_urls_that_may_be_spoken_to();
        return 0;
}
