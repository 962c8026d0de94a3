/* SPDX-License-Identifier: MIT */
#include "fetch/page.h"

/* The empty icon keeps the browser from asking for /favicon.ico. */
#define PAGE_HEAD                                                                   \
        "<!DOCTYPE html>\n"                                                         \
        "<html lang=\"en\">\n"                                                      \
        "<meta charset=\"utf-8\">\n"                                                \
        "<meta name=\"viewport\" content=\"width=device-width\">\n"                 \
        "<meta name=\"color-scheme\" content=\"light dark\">\n"                     \
        "<link rel=\"icon\" href=\"data:,\">\n"                                     \
        "<style>"                                                                   \
        "body{font:1.1em/1.5 system-ui,sans-serif;max-width:36em;margin:16vh auto;" \
        "padding:0 1.5em}"                                                          \
        "h1{font-size:1.5em;font-weight:600}"                                       \
        "p{overflow-wrap:anywhere}"                                                 \
        "</style>\n"

/* What HTML would read as markup, in text and in a quoted attribute. */
static const char *page_entity(char c) {
        switch (c) {
        case '&':
                return "&amp;";
        case '<':
                return "&lt;";
        case '>':
                return "&gt;";
        case '"':
                return "&quot;";
        case '\'':
                return "&#39;";
        default:
                return NULL;
        }
}

static void page_write(FILE *f, const char *text) {
        for (; *text; text++) {
                const char *entity = page_entity(*text);

                if (entity)
                        (void)fputs(entity, f);
                else
                        (void)fputc(*text, f);
        }
}

char *page_new(const char *heading, const char *text) {
        char *html = NULL;
        size_t n = 0;
        bool failed;
        FILE *f;

        f = open_memstream(&html, &n);
        if (!f)
                return NULL;
        (void)fputs(PAGE_HEAD "<title>", f);
        page_write(f, heading);
        (void)fputs("</title>\n<h1>", f);
        page_write(f, heading);
        (void)fputs("</h1>\n<p>", f);
        page_write(f, text);
        (void)fputs("</p>\n</html>\n", f);
        failed = ferror(f) != 0;
        if (fclose(f) != 0 || failed) {
                free(html);
                return NULL;
        }
        return html;
}
