/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "fetch/page.h"

static void test_what_it_shows(void) {
        CLEANUP(freep) char *html = page_new("You are signed in", "As Jos\xc3\xa9.");

        assert(str_starts(html, "<!DOCTYPE html>\n"));
        assert(strstr(html, "<meta charset=\"utf-8\">"));
        assert(strstr(html, "<title>You are signed in</title>"));
        assert(strstr(html, "<h1>You are signed in</h1>\n<p>As Jos\xc3\xa9.</p>"));
}

static void test_what_a_server_says_is_text(void) {
        CLEANUP(freep) char *html = page_new("</title><b>&", "\"><script>alert('1')</script>&amp;");

        assert(strstr(html, "<title>&lt;/title&gt;&lt;b&gt;&amp;</title>"));
        assert(strstr(html, "<p>&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;"
                            "</p>"));
        assert(!strstr(html, "<script") && !strstr(html, "<b>"));
}

int main(void) {
        test_what_it_shows();
        test_what_a_server_says_is_text();
        return 0;
}
