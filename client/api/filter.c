/* SPDX-License-Identifier: MIT */
#include <jq.h>

#include "api/filter.h"
#include "api/json-text.h"
#include "base/output.h"
#include "base/say.h"

struct Filter {
        jq_state *jq;
        struct jv_parser *parser;
        jv input;        /* invalid until the text has come whole */
        char *complaint; /* the first of the compiler's */
};

Filter *filter_free(Filter *f) {
        if (!f)
                return NULL;
        if (f->parser)
                jv_parser_free(f->parser);
        if (f->jq)
                jq_teardown(&f->jq);
        jv_free(f->input);
        free(f->complaint);
        free(f);
        return NULL;
}

/* "jq: error: syntax error, ... at <top-level>, line 1:", and the program once more below it. */
static void filter_on_complaint(void *userdata, jv message) {
        static const char prefix[] = "jq: error: ";
        Filter *f = userdata;
        const char *text = jv_get_kind(message) == JV_KIND_STRING ? jv_string_value(message) : "";

        text += str_starts(text, prefix) ? strlen(prefix) : 0;
        if (!f->complaint)
                f->complaint = strndup(text, strcspn(text, ":\n"));
        jv_free(message);
}

int filter_new(Filter **ret, const Verb *verb, const char *program) {
        CLEANUP(filter_freep) Filter *f = calloc(1, sizeof(*f));

        if (!f)
                return fail_errno(-ENOMEM);
        f->input = jv_invalid();
        f->jq = jq_init();
        f->parser = jv_parser_new(0);
        if (!f->jq || !f->parser)
                return fail_errno(-ENOMEM);
        jq_set_error_cb(f->jq, filter_on_complaint, f);
        jq_set_attr(f->jq, jv_string("JQ_LIBRARY_PATH"), jv_array()); /* no modules */
        if (!jq_compile(f->jq, program))
                return args_wrong(verb, "the filter of --jq is wrong: %s", f->complaint ?: program);
        *ret = STEAL(f);
        return 0;
}

static void filter_parse(Filter *f, const char *text, size_t n, bool more) {
        jv_parser_set_buf(f->parser, text, (int)n, more);
        for (;;) {
                jv value = jv_parser_next(f->parser);

                if (!jv_is_valid(value)) {
                        jv_free(value);
                        return;
                }
                jv_free(f->input);
                f->input = value;
        }
}

void filter_feed(Filter *f, const char *text, size_t n) {
        filter_parse(f, text, n, true);
}

static void filter_print(jv value) {
        JsonPretty pretty = { .f = stdout, .colour = output_has_colour() };
        bool text = jv_get_kind(value) == JV_KIND_STRING;
        jv string = text ? value : jv_dump_string(value, 0);
        const char *s = jv_string_value(string);
        size_t n = (size_t)jv_string_length_bytes(jv_copy(string));

        if (!output_is_terminal())
                (void)fwrite(s, 1, n, stdout);
        else if (text)
                output_lines(s, true);
        else
                json_pretty_feed(&pretty, s, n);
        putc('\n', stdout);
        jv_free(string);
}

/* What error() was given: a text as a rule. Consumes it. */
static int filter_fail(jv message) {
        int r;

        if (jv_get_kind(message) != JV_KIND_STRING)
                message = jv_dump_string(message, 0);
        r = fail(EXIT_FAILED, "--jq: %s", jv_string_value(message));
        jv_free(message);
        return r;
}

/* The filter said halt or halt_error: with its own exit code, as jq(1). */
static int filter_halted(Filter *f) {
        jv code = jq_get_exit_code(f->jq), message = jq_get_error_message(f->jq);
        int r = jv_get_kind(code) == JV_KIND_NUMBER ? (int)jv_number_value(code) : 0;

        if (jv_is_valid(message))
                (void)filter_fail(message);
        else
                jv_free(message);
        jv_free(code);
        return r;
}

int filter_run(Filter *f) {
        jv value;
        int r = 0;

        filter_parse(f, "", 0, false);
        if (!jv_is_valid(f->input))
                return fail(EXIT_FAILED, "the answer is no JSON, which --jq is for");
        jq_start(f->jq, f->input, 0);
        f->input = jv_invalid();
        while (r == 0 && jv_is_valid(value = jq_next(f->jq))) {
                filter_print(value);
                r = ferror(stdout) ? output_flush() : 0;
        }
        if (r)
                return r;
        if (jq_halted(f->jq)) {
                jv_free(value);
                return filter_halted(f);
        }
        if (jv_invalid_has_msg(jv_copy(value)))
                return filter_fail(jv_invalid_get_msg(value));
        jv_free(value);
        return 0;
}
