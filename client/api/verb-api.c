/* SPDX-License-Identifier: MIT */
/*
 * iotc-token api: one request to an application, or the pages of a list, and the answer on
 * standard output. An answer that is no success is printed too; the sentence about it is on
 * standard error.
 */
#include <ctype.h>

#include "api/app.h"
#include "api/fields.h"
#include "api/filter.h"
#include "api/input.h"
#include "api/json-text.h"
#include "api/pages.h"
#include "api/show.h"
#include "api/verbs.h"
#include "base/display.h"
#include "base/output.h"
#include "base/say.h"

enum {
        METHOD_SIZE = 17
};

typedef struct ApiOptions {
        const char *method, *data, *input, *filter, *version, *app, *account;
        StringList headers, fields;
        bool include, paginate, silent;
        char method_upper[METHOD_SIZE];
} ApiOptions;

static void options_deinit(ApiOptions *o) {
        string_list_deinit(&o->headers);
        string_list_deinit(&o->fields);
}

/* A name (RFC 9110 section 5.6.2), and the colon at once: with white space before or in it, what
 * comes out is another header's next line, or one that two servers read in two ways. */
static bool header_is_sound(const char *header) {
        size_t n = strspn(header, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "!#$%&'*+-.^_`|~");

        return n > 0 && header[n] == ':';
}

/* Headers that are not a caller's to set. */
static bool header_is_ours(const char *header) {
        static const char *const ours[] = { "Authorization",  "Proxy-Authorization", "Host",
                                            "Content-Length", "Transfer-Encoding",   "Connection" };
        size_t n = strcspn(header, ":");

        for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
                if (strlen(ours[i]) == n && strncasecmp(ours[i], header, n) == 0)
                        return true;
        return false;
}

static int headers_check(const Verb *verb, const StringList *headers) {
        for (size_t i = 0; i < headers->n; i++) {
                const char *header = headers->items[i];

                if (!header_is_sound(header))
                        return args_wrong(verb, "a header is 'Name: value', not '%s'", header);
                if (header_is_ours(header))
                        return args_wrong(verb, "the header '%.20s' is not yours to set", header);
                for (const char *c = header; *c; c++)
                        if (iscntrl((unsigned char)*c))
                                return args_wrong(verb, "a header has a control character");
        }
        return 0;
}

/* As with gh: what sends something is a POST. */
static int options_check(const Verb *verb, ApiOptions *o) {
        const char *given = o->method ?: o->data || o->input || o->fields.n ? "POST" : "GET";
        size_t n = strlen(given);

        if (n == 0 || n >= METHOD_SIZE ||
            strspn(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != n)
                return args_wrong(verb, "'%s' is no method: GET, PUT, POST, PATCH, DELETE ...",
                                  given);
        for (size_t i = 0; i < n; i++)
                o->method_upper[i] = (char)toupper((unsigned char)given[i]);
        if (o->data && o->input)
                return args_wrong(verb, "-d and --input exclude each other");
        if (o->filter && o->silent)
                return args_wrong(verb, "--jq and --silent exclude each other");
        if (o->paginate && (o->data || o->input))
                return args_wrong(verb, "--paginate is for GET alone");
        if (o->paginate && !streq(o->method_upper, "GET"))
                return args_wrong(verb, o->method
                                                ? N_("--paginate is for GET alone")
                                                : N_("--paginate is for GET alone, and fields make "
                                                     "it a POST: add -X GET"));
        o->method = o->method_upper;
        return headers_check(verb, &o->headers);
}

/* -d: BODY, @FILE, or - for standard input. 0 and *ret, or an exit code. */
static int data_read(const Verb *verb, char **ret, size_t *ret_n, const char *data) {
        if (streq(data, "-") || *data == '@')
                return input_read(verb, ret, ret_n, data + (*data == '@'));
        *ret = strdup(data);
        *ret_n = strlen(data);
        return *ret ? 0 : fail_errno(-ENOMEM);
}

/* The body, if there is one, and the path with the fields that are none of it. 0 or an exit code.
 */
static int body_make(const Verb *verb, char **ret_body, size_t *ret_n, char **ret_path,
                     const ApiOptions *o, const char *path) {
        bool query = o->data || o->input || streq(o->method, "GET") || streq(o->method, "HEAD");
        CLEANUP(json_objectp) json_object *object = NULL;
        int r;

        if (o->fields.n && !query) {
                r = fields_to_json(verb, &object, &o->fields);
                if (r)
                        return r;
                *ret_body = strdup(json_object_to_json_string_ext(
                        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
                *ret_path = strdup(path);
                if (!*ret_body || !*ret_path)
                        return fail_errno(-ENOMEM);
                *ret_n = strlen(*ret_body);
                return 0;
        }
        r = fields_to_query(verb, ret_path, path, &o->fields);
        if (r == 0 && o->input)
                r = input_read(verb, ret_body, ret_n, o->input);
        if (r == 0 && o->data)
                r = data_read(verb, ret_body, ret_n, o->data);
        return r;
}

/* The application: in the URL, or named, or the one that is known. */
static int app_find(const Verb *verb, char **ret, const ApiOptions *o, const char *path) {
        const char *app = o->app ?: address_is_url(path) ? path : app_or_environment(NULL);
        const char *selector = o->account ?: args_selector(0, NULL);

        if (!app && strpbrk(selector, "/:."))
                app = selector;
        if (!app)
                return app_of_account(verb, ret, selector);
        *ret = strdup(app);
        return *ret ? 0 : fail_errno(-ENOMEM);
}

/* Wrong usage that only shows once the application is known. */
static int path_check(const Verb *verb, const Session *s, const ApiOptions *o, const char *path) {
        CLEANUP(freep) char *url = NULL, *shown = display_url(path);

        switch (address_url(&url, &s->address, path, NULL)) {
        case 0:
                if (o->version && address_has_version(url))
                        return args_wrong(verb, "the path has an api-version already");
                return 0;
        case ADDRESS_E_PATH:
                return args_wrong(
                        verb, "'%s' is no path such as /api/devices; a URL begins with https://",
                        shown ?: "");
        case ADDRESS_E_CONTROL:
                return args_wrong(verb,
                                  "the path has a control character (%%0A stands for a line's "
                                  "end)");
        case ADDRESS_E_FRAGMENT:
                return args_wrong(verb, "the path has a '#', behind which nothing would be sent; "
                                        "write %%23 for the character itself");
        case ADDRESS_E_OTHER:
                return args_wrong(verb, "'%s' is not on %s", shown ?: "", s->address.host);
        default:
                return fail_errno(-ENOMEM);
        }
}

static int api_once(Session *s, const ApiOptions *o, Filter *filter,
                    const SessionRequest *request) {
        CLEANUP(http_reply_deinit) HttpReply reply = { 0 };
        int r, shown = 0;

        r = session_send(s, &reply, request);
        if (r)
                return r;
        if (reply.outcome == 0) {
                if (o->include || streq(request->method, "HEAD"))
                        show_head(&reply);
                if (filter && reply.status < 300)
                        shown = show_filtered(filter, &reply);
                else if (!o->silent)
                        shown = show_body(&reply);
                r = output_flush();
        }
        return session_fail(s, &reply) ?: r ?: shown;
}

static void progress(const ShowPages *shown) {
        if (!isatty(STDERR_FILENO) || output_is_terminal())
                return;
        fputc('\r', stderr);
        fprintf(stderr, _("%zu so far, page %u"), shown->n_elements, shown->n_pages);
}

static void progress_end(void) {
        if (isatty(STDERR_FILENO) && !output_is_terminal())
                fputs("\r\033[K", stderr);
}

/* What is no page, be it an error: the first one is shown if it is JSON, as is all of the output.
 */
static void api_show_other(const ShowPages *shown, const HttpReply *reply) {
        CLEANUP(json_objectp) json_object *other = NULL;

        if (shown->n_pages == 0 && reply->outcome == 0)
                other = pages_read_json(reply->body, reply->n_body);
        if (other && !shown->silent)
                (void)show_body(reply);
}

/* One page, shown; what follows is in pages->next. 0 or an exit code. */
static int api_page(Session *s, const ApiOptions *o, ShowPages *shown, Pages *pages,
                    const SessionRequest *request) {
        CLEANUP(json_objectp) json_object *page = NULL;
        CLEANUP(http_reply_deinit) HttpReply reply = { 0 };
        const char *text;
        size_t n;
        int r;

        r = session_send(s, &reply, request);
        if (r)
                return r;
        if (reply.outcome == 0 && o->include)
                show_head(&reply);
        r = session_fail(s, &reply);
        page = r ? NULL : page_parse(&reply);
        if (r == 0 && (!page || !json_text_member(reply.body, reply.n_body, "value", &text, &n) ||
                       !json_text_inside(&text, &n)))
                r = fail(EXIT_FAILED,
                         "%s: page %u is no list, which --paginate is for: no JSON with an array "
                         "\"value\"",
                         s->address.host, shown->n_pages + 1);
        if (r) {
                api_show_other(shown, &reply);
                return r;
        }
        r = show_page(shown, text, n,
                      json_object_array_length(json_object_object_get(page, "value")));
        return r < 0 ? fail_errno(r) : pages_turn(pages, s, request->path, page);
}

/* What was shown is JSON whatever happens; a list that isn't whole has its nextLink left. */
static int api_pages(Session *s, const ApiOptions *o, Filter *filter, SessionRequest *request) {
        CLEANUP(show_pages_deinit) ShowPages shown = { .filter = filter, .silent = o->silent };
        CLEANUP(pages_deinit) Pages pages = { 0 };
        int r;

        do {
                r = api_page(s, o, &shown, &pages, request);
                request->path = pages.next;
                r = r ?: output_flush();
                progress(&shown);
        } while (r == 0 && pages.next);
        progress_end();
        show_pages_end(&shown, pages.next);
        return r || !filter ? r : filter_run(filter);
}

int verb_api(const Verb *verb, int argc, char **argv) {
        CLEANUP(session_freep) Session *s = NULL;
        CLEANUP(options_deinit) ApiOptions o = { 0 };
        CLEANUP(filter_freep) Filter *filter = NULL;
        CLEANUP(freep) char *app = NULL, *body = NULL, *path = NULL;
        SessionRequest request = { 0 };
        const Option options[] = {
                { "X,method", "METHOD", N_("POST if something is sent, else GET, if not given"),
                  OPTION_STRING, &o.method },
                { "d,data", "BODY", N_("send this JSON, @FILE, or - for standard input"),
                  OPTION_STRING, &o.data },
                { "f," FIELDS_RAW, "PAIR", N_("send KEY=VALUE, a text, as JSON; repeatable"),
                  OPTION_NAMED, &o.fields },
                { "F,field", "PAIR", N_("as -f, but true, null, 7 and @FILE are taken as such"),
                  OPTION_NAMED, &o.fields },
                { "input", "FILE", N_("send this file, or - for standard input"), OPTION_STRING,
                  &o.input },
                { "H,header", "HEADER", N_("a header more, 'Name: value'; repeatable"), OPTION_LIST,
                  &o.headers },
                { "i,include", NULL, N_("print the status line and the headers, too"), OPTION_FLAG,
                  &o.include },
                { "q,jq", "FILTER", N_("print what this filter, in jq's language, makes of it"),
                  OPTION_STRING, &o.filter },
                { "silent", NULL, N_("don't print the answer"), OPTION_FLAG, &o.silent },
                { "paginate", NULL, N_("follow nextLink: all pages of a list as one"), OPTION_FLAG,
                  &o.paginate },
                { "api-version", "V", N_("another version of the API than 2022-07-31"),
                  OPTION_STRING, &o.version },
                { "app", "HOST", N_("the application, if not that of IOTC_TOKEN_APP"),
                  OPTION_STRING, &o.app },
                { "account", "NAME", N_("the account that asks"), OPTION_STRING, &o.account },
                { 0 },
        };
        int r;

        r = args_parse(verb, options, &argc, argv, 1, 1);
        r = r ?: options_check(verb, &o);
        if (r == 0 && o.filter)
                r = filter_new(&filter, verb, o.filter);
        r = r ?: body_make(verb, &body, &request.n_body, &path, &o, argv[0]);
        r = r ?: app_find(verb, &app, &o, path);
        r = r ?: session_new(&s, verb, app, o.account);
        r = r ?: path_check(verb, s, &o, path);
        if (r)
                return r;
        request.method = o.method;
        request.path = path;
        request.version = o.version;
        request.headers = &o.headers;
        request.body = body;
        return o.paginate ? api_pages(s, &o, filter, &request) : api_once(s, &o, filter, &request);
}
