/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "address.h"

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

static void expect_url(const char *path, const char *expected) {
        Address a = { .origin = (char *)"https://c.com", .host = (char *)"c.com" };
        CLEANUP(freep) char *url = NULL;

        assert(address_url(&url, &a, path, "V", false) == 0);
        assert(streq(url, expected));
}

static void test_urls(void) {
        expect_url("/api/devices", "https://c.com/api/devices?api-version=V");
        expect_url("/api/devices?x=1", "https://c.com/api/devices?x=1&api-version=V");
        expect_url("/api/devices?api-version=1.0&x", "https://c.com/api/devices?api-version=1.0&x");
        expect_url("/a?x#&api-version=1", "https://c.com/a?x&api-version=V");
        expect_url("/a?my-api-version=1#f?", "https://c.com/a?my-api-version=1&api-version=V");
        expect_url("https://C.com:443/a?b", "https://C.com:443/a?b&api-version=V");
}

static void test_urls_that_are_none(void) {
        Address a = { .origin = (char *)"https://c.com", .host = (char *)"c.com" };
        char *url;

        assert(address_url(&url, &a, "api", "V", false) == ADDRESS_E_PATH);
        assert(address_url(&url, &a, "//thief.example/", "V", false) == ADDRESS_E_PATH);
        assert(address_url(&url, &a, "/a b", "V", false) == ADDRESS_E_PATH);
        assert(address_url(&url, &a, "/a\nb", "V", false) == ADDRESS_E_PATH);
        assert(address_url(&url, &a, "https://d.com/", "V", false) == ADDRESS_E_OTHER);
        assert(address_url(&url, &a, "http://c.com/", "V", false) == ADDRESS_E_OTHER);
        assert(address_url(&url, &a, "/a?api-version=1", "V", true) == ADDRESS_E_VERSION);
}

static void test_the_same_application(void) {
        Address a = { .origin = (char *)"https://c.com", .host = (char *)"c.com" };
        static const char *const others[] = {
                "https://c.com.thief.example/",
                "https://c.com@thief.example/",
                "https://x@c.com/",
                "https://c.com:444/",
                "http://c.com/",
                "/api",
                "https:c.com",
                "https://c.com\\@thief.example/",
                "",
        };

        assert(address_has(&a, "https://c.com/api?x"));
        assert(address_has(&a, "https://C.com:443"));
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                assert(!address_has(&a, others[i]));
}

int main(void) {
        test_applications();
        test_what_is_none();
        test_urls();
        test_urls_that_are_none();
        test_the_same_application();
        return 0;
}
