/* SPDX-License-Identifier: MIT */
#include "api/show.h"
#include "api/json-text.h"
#include "api/pages.h"
#include "base/output.h"
#include "base/say.h"
#include "common/utf8.h"

void show_head(const HttpReply *reply) {
        if (output_is_terminal())
                output_lines(reply->head, utf8_is_valid(reply->head, reply->n_head));
        else
                (void)fwrite(reply->head, 1, reply->n_head, stdout);
}

int show_body(const HttpReply *reply) {
        CLEANUP(json_objectp) json_object *json = NULL;
        JsonPretty pretty = { .f = stdout, .colour = output_has_colour() };

        if (!output_is_terminal()) {
                (void)fwrite(reply->body, 1, reply->n_body, stdout);
                return 0;
        }
        if (reply->n_body == 0)
                return 0;
        if (!utf8_is_valid(reply->body, reply->n_body))
                return fail(
                        EXIT_FAILED,
                        "the answer is no text (%.60s, %zu bytes) and would garble the terminal; "
                        "send it to a file: > FILE",
                        reply->content_type ?: "of no known type", reply->n_body);
        json = pages_read_json(reply->body, reply->n_body);
        if (json)
                json_pretty_feed(&pretty, reply->body, reply->n_body);
        else
                output_lines(reply->body, true);
        if (json || reply->body[reply->n_body - 1] != '\n')
                putc('\n', stdout);
        return 0;
}

int show_filtered(Filter *filter, const HttpReply *reply) {
        CLEANUP(json_objectp) json_object *json = NULL;

        if (reply->n_body == 0)
                return 0;
        json = pages_read_json(reply->body, reply->n_body);
        if (json)
                filter_feed(filter, reply->body, reply->n_body);
        return filter_run(filter);
}

static void pages_put(ShowPages *pages, const char *text, size_t n) {
        if (pages->silent)
                return;
        if (pages->filter)
                filter_feed(pages->filter, text, n);
        else if (pages->pretty)
                json_pretty_feed(pages->pretty, text, n);
        else
                (void)fwrite(text, 1, n, stdout);
}

int show_page(ShowPages *pages, const char *text, size_t n, size_t n_elements) {
        static const char start[] = "{\"value\":[";

        if (pages->n_pages++ == 0) {
                if (!pages->filter && output_is_terminal()) {
                        JsonPretty *pretty = calloc(1, sizeof(*pretty));

                        if (!pretty)
                                return -ENOMEM;
                        pretty->f = stdout;
                        pretty->colour = output_has_colour();
                        pages->pretty = pretty;
                }
                pages_put(pages, start, strlen(start));
        }
        if (pages->any && n)
                pages_put(pages, ",", 1);
        pages_put(pages, text, n);
        pages->any = pages->any || n;
        pages->n_elements += n_elements;
        return 0;
}

void show_pages_end(ShowPages *pages, const char *next) {
        CLEANUP(json_objectp) json_object *link = next ? json_object_new_string(next) : NULL;
        const char *text =
                link ? json_object_to_json_string_ext(link, JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;

        if (pages->n_pages == 0)
                return;
        pages_put(pages, "]", 1);
        if (text) {
                pages_put(pages, ",\"nextLink\":", 12);
                pages_put(pages, text, strlen(text));
        }
        pages_put(pages, "}", 1);
        if (!pages->silent && !pages->filter)
                putc('\n', stdout);
}

void show_pages_deinit(ShowPages *pages) {
        free(pages->pretty);
}
