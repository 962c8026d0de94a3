/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "api/address.h"

static void expect(const char *text, const char *origin, const char *host) {
        CLEANUP(address_deinit) Address a = { 0 };

        assert(address_parse(&a, text) == 0);
        assert(streq(a.origin, origin));
        assert(streq(a.host, host));
}

static void test_applications(void) {
        expect("contoso.azureiotcentral.com", "https://contoso.azureiotcentral.com",
               "contoso.azureiotcentral.com");
        expect("Contoso.AzureIotCentral.com.", "https://contoso.azureiotcentral.com",
               "contoso.azureiotcentral.com");
        expect("https://contoso.azureiotcentral.com:443/devices?a#b",
               "https://contoso.azureiotcentral.com", "contoso.azureiotcentral.com");
        expect("127.0.0.1:4000", "https://127.0.0.1:4000", "127.0.0.1:4000");
        expect("http://127.0.0.1:4000/api", "http://127.0.0.1:4000", "127.0.0.1:4000");
        expect("http://localhost", "http://localhost", "localhost");
        expect("http://[::1]:80/", "http://[::1]", "[::1]");
        expect("HTTP://LOCALHOST:80?x", "http://localhost", "localhost");
        expect("http://127.0.0.8:443", "http://127.0.0.8:443", "127.0.0.8:443");
}

static void test_what_is_none(void) {
        static const char *const texts[] = {
                "",
                "ftp://contoso.com",
                "http://contoso.com",
                "https://me:x@contoso.com",
                "me@contoso.com",
                "contoso.com/api",
                "a b",
                "https://",
                "contoso.com:99999",
                "http://127.0.0.1.thief.example",
                "http://localhost.thief.example",
                "x\ny",
                "http://127.1@thief.example",
        };
        Address a = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                assert(address_parse(&a, texts[i]) == ADDRESS_E_HOST);
}

static const Address app = { .origin = (char *)"https://c.com", .host = (char *)"c.com" };

static void expect_url(const char *path, const char *expected) {
        CLEANUP(freep) char *url = NULL;

        assert(address_url(&url, &app, path, "V") == 0);
        assert(streq(url, expected));
}

static void test_urls(void) {
        expect_url("/api/devices", "https://c.com/api/devices?api-version=V");
        expect_url("/api/devices?x=1", "https://c.com/api/devices?x=1&api-version=V");
        expect_url("/api/devices?api-version=1.0&x", "https://c.com/api/devices?api-version=1.0&x");
        expect_url("/a?x&API-Version=1", "https://c.com/a?x&API-Version=1");
        expect_url("/a?my-api-version=1", "https://c.com/a?my-api-version=1&api-version=V");
        expect_url("https://C.com:443/a?b", "https://c.com/a?b&api-version=V");
        expect_url("HTTPS://c.com./a", "https://c.com/a?api-version=V");
        expect_url("https://c.com?b", "https://c.com/?b&api-version=V");
        expect_url("https://c.com", "https://c.com/?api-version=V");
}

static void test_a_slash_left_out(void) {
        expect_url("devices", "https://c.com/api/devices?api-version=V");
        expect_url("api/devices", "https://c.com/api/devices?api-version=V");
        expect_url("devices/a.b:c?x=1", "https://c.com/api/devices/a.b:c?x=1&api-version=V");
        expect_url("devices?x=/a.b", "https://c.com/api/devices?x=/a.b&api-version=V");
        expect_url("apiTokens", "https://c.com/api/apiTokens?api-version=V");
        expect_url("api", "https://c.com/api?api-version=V");
        expect_url("/", "https://c.com/?api-version=V");
}

static void test_what_has_no_place_in_a_url(void) {
        expect_url("/api/devices?filter=displayName eq \"x\"",
                   "https://c.com/api/devices?filter=displayName%20eq%20%22x%22&api-version=V");
        expect_url("/a?f=K\xc3\xbc\x63he", "https://c.com/a?f=K%C3%BCche&api-version=V");
        expect_url("/a b/<|>?'x'", "https://c.com/a%20b/%3C%7C%3E?'x'&api-version=V");
        expect_url("https://c.com/a b?c d", "https://c.com/a%20b?c%20d&api-version=V");
        /* what is encoded, stays; what only looks like it, is text */
        expect_url("/a%20b%2Fc?x%3dy+z", "https://c.com/a%20b%2Fc?x%3dy+z&api-version=V");
        expect_url("/a?f=50%&g=%zz%4", "https://c.com/a?f=50%25&g=%25zz%254&api-version=V");
}

static void test_fields(void) {
        CLEANUP(freep) char *one = address_add_field("/a", "filter", "x eq \"50%20\"&b=c#");
        CLEANUP(freep) char *two = address_add_field("/a?b", "$top", "\n");

        assert(streq(one, "/a?filter=x%20eq%20%2250%2520%22%26b%3Dc%23"));
        assert(streq(two, "/a?b&$top=%0A"));
}

static void test_urls_that_are_none(void) {
        static const struct {
                const char *path;
                int r;
        } none[] = {
                { "//thief.example/", ADDRESS_E_PATH },
                { "c.com/api/devices", ADDRESS_E_PATH },
                { "localhost:80/api", ADDRESS_E_PATH },
                { "x@c.com", ADDRESS_E_PATH },
                { "/a\nb", ADDRESS_E_CONTROL },
                { "/a\x7f", ADDRESS_E_CONTROL },
                { "/a?x#b", ADDRESS_E_FRAGMENT },
                { "https://c.com#b", ADDRESS_E_FRAGMENT },
                { "https://d.com/", ADDRESS_E_OTHER },
                { "http://c.com/", ADDRESS_E_OTHER },
                { "https://c.com.thief.example/", ADDRESS_E_OTHER },
                { "https://c.com@thief.example/", ADDRESS_E_OTHER },
                { "https://x@c.com/", ADDRESS_E_OTHER },
                { "https://c.com:444/", ADDRESS_E_OTHER },
                { "https://c.com:x/", ADDRESS_E_OTHER },
                { "https://c.com\\@thief.example/", ADDRESS_E_OTHER },
                { "https://", ADDRESS_E_OTHER },
        };
        char *url;

        for (size_t i = 0; i < ARRAY_SIZE(none); i++)
                assert(address_url(&url, &app, none[i].path, "V") == none[i].r);
}

static void follow(const char *link, int r, const char *expected) {
        CLEANUP(freep) char *url = NULL;

        assert(address_follow(&url, &app, "https://c.com/api/devices?x=1", link) == r);
        assert(streq(url, expected));
}

/* RFC 3986, section 5.4, and where a token must not go. */
static void test_links(void) {
        follow("https://c.com/b?y", 0, "https://c.com/b?y");
        follow("HTTPS://C.com:443/b", 0, "https://c.com/b");
        follow("/b?$skiptoken=a b", 0, "https://c.com/b?$skiptoken=a%20b");
        follow("?y=2", 0, "https://c.com/api/devices?y=2");
        follow("b", 0, "https://c.com/api/b");
        follow("./b", 0, "https://c.com/api/b");
        follow("../b", 0, "https://c.com/b");
        follow("//c.com/b", 0, "https://c.com/b");
        follow("/\\thief.example/", 0, "https://c.com/%5Cthief.example/");

        follow("//thief.example/b", ADDRESS_E_OTHER, NULL);
        follow("//c.com:444/b", ADDRESS_E_OTHER, NULL);
        follow("//x@c.com/b", ADDRESS_E_OTHER, NULL);
        follow("http://c.com/b", ADDRESS_E_OTHER, NULL);
        follow("https://c.com@thief.example/", ADDRESS_E_OTHER, NULL);
        follow("file:///etc/passwd", ADDRESS_E_OTHER, NULL);
        follow("/b#c", ADDRESS_E_FRAGMENT, NULL);
        follow("/b\nc", ADDRESS_E_CONTROL, NULL);
}

/* The daemon, the settings and the URLs agree on what is one application. */
static void test_as_the_settings_have_it(void) {
        static const struct {
                const char *text, *listed;
                bool same;
        } pairs[] = {
                { "http://127.0.0.1:4000/x", "http://127.0.0.1:4000", true },
                { "http://127.0.0.1:4000", "127.0.0.1:4000", true },
                { "127.0.0.1:4000", "http://127.0.0.1:4000", true },
                { "http://127.0.0.8:443", "http://127.0.0.8:443", true },
                { "http://127.0.0.8:443", "127.0.0.8", true },
                { "http://127.0.0.8", "127.0.0.8", false },
                { "http://[::1]", "http://[::1]", true },
                { "http://[::1]:1", "[::1]:1", true },
                { "http://[::1]:1", "[::1]", false },
                { "https://C.com.:443/", "c.com", true },
                { "c.com:8443", "c.com", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                CLEANUP(address_deinit) Address a = { 0 };

                assert(address_parse(&a, pairs[i].text) == 0);
                assert(address_is_app(&a, pairs[i].listed) == pairs[i].same);
        }
}

int main(void) {
        test_applications();
        test_what_is_none();
        test_urls();
        test_a_slash_left_out();
        test_what_has_no_place_in_a_url();
        test_fields();
        test_urls_that_are_none();
        test_links();
        test_as_the_settings_have_it();
        return 0;
}
