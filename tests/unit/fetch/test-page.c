/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "fetch/page.h"

static void test_what_it_shows(void) {
        CLEANUP(freep)
        char *html = page_new(PAGE_GOOD, "You are signed in", "As Jos\xc3\xa9.", "Go on.");

        assert(str_starts(html, "<!DOCTYPE html>\n"));
        assert(strstr(html, "<meta charset=\"utf-8\">"));
        assert(strstr(html, "<title>You are signed in - iotc-token</title>"));
        assert(strstr(html, "&#10003;</span> You are signed in</h1>\n<p>As Jos\xc3\xa9.</p>\n"
                            "<p class=\"faint\">Go on.</p>\n"));
}

static void test_a_heading_alone(void) {
        CLEANUP(freep) char *html = page_new(PAGE_OTHER, "Nothing is here", NULL, NULL);

        assert(strstr(html, "<h1>Nothing is here</h1>\n</main>"));
}

static void test_what_a_server_says_is_text(void) {
        CLEANUP(freep)
        char *html = page_new(PAGE_BAD, "</title><b>&", "\"><script>alert('1')</script>&amp;", "<");

        assert(strstr(html, "<title>&lt;/title&gt;&lt;b&gt;&amp; - iotc-token</title>"));
        assert(strstr(html, "<p>&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;"
                            "</p>"));
        assert(strstr(html, ">&lt;</p>"));
        assert(!strstr(html, "<script") && !strstr(html, "<b>"));
}

int main(void) {
        test_what_it_shows();
        test_a_heading_alone();
        test_what_a_server_says_is_text();
        return 0;
}
