/* SPDX-License-Identifier: MIT */
#include "api/pages.h"
#include "base/display.h"
#include "base/say.h"
#include "common/json-grammar.h"

enum {
        JSON_DEPTH_MAX = 128, /* device templates nest deeper than json-c's default of 32 */
        PAGES_E_CIRCLE = 512, /* beside ADDRESS_E_* */
};

void pages_deinit(Pages *pages) {
        free(pages->next);
        free(pages->mark);
        *pages = (Pages){ 0 };
}

json_object *pages_read_json(const char *text, size_t n) {
        struct json_tokener *tokener;
        json_object *object;

        if (n >= INT32_MAX || !json_is_value(text, n, JSON_DEPTH_MAX))
                return NULL;
        tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
        if (!tokener)
                return NULL;
        object = json_tokener_parse_ex(tokener, text, (int)n + 1); /* its NUL is the end */
        json_tokener_free(tokener);
        return object;
}

json_object *page_parse(const HttpReply *reply) {
        json_object *page = pages_read_json(reply->body, reply->n_body), *value;

        if (json_object_is_type(page, json_type_object) &&
            json_object_object_get_ex(page, "value", &value) &&
            json_object_is_type(value, json_type_array))
                return page;
        json_object_put(page);
        return NULL;
}

/* Whoever goes in a circle comes by here again, however large it is (R. P. Brent, 1980). */
static int pages_mark(Pages *pages) {
        free(pages->mark);
        pages->mark = strdup(pages->next);
        return pages->mark ? 0 : fail_errno(-ENOMEM);
}

/* The link of a page, NULL without one. False: it is no text. Borrowed from page. */
static bool page_link(const char **ret, json_object *page) {
        json_object *link;

        *ret = NULL;
        if (!json_object_object_get_ex(page, "nextLink", &link) || !link)
                return true;
        if (!json_object_is_type(link, json_type_string)) {
                *ret = json_object_to_json_string(link);
                return false;
        }
        if (json_object_get_string_len(link))
                *ret = json_object_get_string(link);
        return !*ret || strlen(*ret) == (size_t)json_object_get_string_len(link);
}

int pages_turn(Pages *pages, const Session *s, const char *path, json_object *page) {
        CLEANUP(freep) char *base = NULL, *next = NULL, *shown = NULL;
        const char *link;
        int r = 0;

        if (!page_link(&link, page))
                r = ADDRESS_E_PATH;
        if (r == 0 && link)
                r = address_url(&base, &s->address, path, NULL);
        if (r == 0 && link)
                r = address_follow(&next, &s->address, base, link);
        if (r == 0 && link && streq(next, pages->mark))
                r = PAGES_E_CIRCLE;
        if (r) {
                free(next);
                next = strdup(link);
        }
        free(pages->next);
        pages->next = STEAL(next);
        if (r == PAGES_E_CIRCLE || ++pages->n >= PAGES_MAX)
                return fail(EXIT_FAILED, "%s has pages without end; stopped after %u",
                            s->address.host, pages->n);
        if (r < 0)
                return fail_errno(r);
        shown = r ? display_url(link) : NULL;
        if (r == ADDRESS_E_OTHER)
                return fail(EXIT_FAILED,
                            "%s names a next page that is not on it (%.200s): not followed, so "
                            "that a token goes nowhere else",
                            s->address.host, shown ?: "");
        if (r)
                return fail(EXIT_FAILED, "%s names a next page that is no URL: %.200s",
                            s->address.host, shown ?: "");
        return pages->next && (pages->n & (pages->n - 1)) == 0 ? pages_mark(pages) : 0;
}

static int page_get(Session *s, json_object *all, Pages *pages, const char *path) {
        SessionRequest request = { .method = "GET", .path = pages->next ?: path };
        CLEANUP(json_objectp) json_object *page = NULL;
        CLEANUP(http_reply_deinit) HttpReply reply = { 0 };
        json_object *value;
        int r;

        r = session_ask(s, &reply, &request);
        if (r)
                return r;
        page = page_parse(&reply);
        if (!page)
                return fail(EXIT_FAILED, "%s answered something that is no list to %s",
                            s->address.host, path);
        value = json_object_object_get(page, "value");
        for (size_t i = 0; i < json_object_array_length(value); i++)
                json_object_array_add(all, json_object_get(json_object_array_get_idx(value, i)));
        return pages_turn(pages, s, request.path, page);
}

int pages_get_all(Session *s, json_object **ret, const char *path) {
        CLEANUP(json_objectp) json_object *all = json_object_new_array();
        CLEANUP(pages_deinit) Pages pages = { 0 };
        int r;

        if (!all)
                return fail_errno(-ENOMEM);
        do {
                r = page_get(s, all, &pages, path);
                if (r)
                        return r;
        } while (pages.next);
        *ret = STEAL(all);
        return 0;
}
