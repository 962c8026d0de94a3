/* SPDX-License-Identifier: MIT */
#include "fetch/page.h"
#include "common/memory.h"

/*
 * The empty icon keeps the browser from asking for /favicon.ico. Narrow windows, a large font and a
 * dark desktop are all seen to by the style alone.
 */
#define PAGE_HEAD                                                                            \
        "<!DOCTYPE html>\n"                                                                  \
        "<html lang=\"en\">\n"                                                               \
        "<meta charset=\"utf-8\">\n"                                                         \
        "<meta name=\"viewport\" content=\"width=device-width\">\n"                          \
        "<meta name=\"color-scheme\" content=\"light dark\">\n"                              \
        "<link rel=\"icon\" href=\"data:,\">\n"                                              \
        "<style>"                                                                            \
        ":root{--ink:#1b1f24;--faint:#59636e;--page:#f3f4f6;--card:#fff;--line:#d8dce1;"     \
        "--good:#1a7f37;--bad:#b42318}"                                                      \
        "@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--faint:#9aa4af;"             \
        "--page:#15181c;--card:#1f2328;--line:#363c44;--good:#3fb950;--bad:#f47067}}"        \
        "body{margin:0;min-height:100vh;display:grid;place-items:center;color:var(--ink);"   \
        "background:var(--page);font:1.05em/1.5 system-ui,sans-serif}"                       \
        "main{box-sizing:border-box;width:min(34em,100% - 2em);margin:1em 0;padding:1.75em " \
        "2em;background:var(--card);border:1px solid var(--line);border-radius:.75em}"       \
        "@media(max-width:24em){main{padding:1.25em}}"                                       \
        "h1{margin:0;font-size:1.4em;line-height:1.3;font-weight:600}"                       \
        ".good{color:var(--good)}.bad{color:var(--bad)}"                                     \
        "p{margin:.75em 0 0;overflow-wrap:anywhere}"                                         \
        ".faint{color:var(--faint)}"                                                         \
        "</style>\n"

static const char *const page_marks[] = {
        [PAGE_OTHER] = "",
        [PAGE_GOOD] = "<span class=\"good\" aria-hidden=\"true\">&#10003;</span> ",
        [PAGE_BAD] = "<span class=\"bad\" aria-hidden=\"true\">&#10007;</span> ",
};

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

static void page_paragraph(FILE *f, const char *class, const char *text) {
        if (!text)
                return;
        fprintf(f, "<p%s>", class);
        page_write(f, text);
        (void)fputs("</p>\n", f);
}

char *page_new(PageMark mark, const char *heading, const char *text, const char *hint) {
        char *html = NULL;
        size_t n = 0;
        FILE *f;

        f = open_memstream(&html, &n);
        if (!f)
                memory_end();
        (void)fputs(PAGE_HEAD "<title>", f);
        page_write(f, heading);
        fprintf(f, " - iotc-token</title>\n<main>\n<h1>%s", page_marks[mark]);
        page_write(f, heading);
        (void)fputs("</h1>\n", f);
        page_paragraph(f, "", text);
        page_paragraph(f, " class=\"faint\"", hint);
        (void)fputs("</main>\n</html>\n", f);
        if (ferror(f) || fclose(f) != 0)
                memory_end();
        return html;
}
