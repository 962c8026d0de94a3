/* SPDX-License-Identifier: MIT */
/*
 * iotc-token api: one request to an application, or the pages of a list, and the answer on
 * standard output. An answer that is no success is printed too; the sentence about it is on
 * standard error.
 */
#include <ctype.h>

#include "../output.h"
#include "../say.h"
#include "app.h"
#include "json-text.h"
#include "pages.h"
#include "show.h"
#include "verbs.h"

enum {
        BODY_MAX = 16 * 1024 * 1024
};

typedef struct ApiOptions {
        const char *method, *data, *version, *app, *account;
        StringList headers;
        bool include, paginate;
} ApiOptions;

static void options_deinit(ApiOptions *o) {
        string_list_deinit(&o->headers);
}

/* The whole of a file, up to BODY_MAX. 0 and *ret, or an exit code. */
static int body_read(char **ret, size_t *ret_n, FILE *f, const char *name) {
        CLEANUP(freep) char *body = malloc(BODY_MAX + 1);

        if (!body)
                return fail_errno(-ENOMEM);
        *ret_n = fread(body, 1, BODY_MAX + 1, f);
        if (ferror(f))
                return fail(EXIT_FAILED, "can't read %s: %s", name, strerror(errno));
        if (*ret_n > BODY_MAX)
                return fail(EXIT_FAILED, "%s is larger than %d MiB", name, BODY_MAX / 1024 / 1024);
        *ret = STEAL(body);
        return 0;
}

/* -d: BODY, @FILE, or - for standard input. */
static int body_get(char **ret, size_t *ret_n, const char *data) {
        CLEANUP(file_closep) FILE *f = NULL;

        if (streq(data, "-") || streq(data, "@-"))
                return body_read(ret, ret_n, stdin, "standard input");
        if (*data != '@') {
                *ret = strdup(data);
                *ret_n = strlen(data);
                return *ret ? 0 : fail_errno(-ENOMEM);
        }
        f = fopen(data + 1, "re");
        if (!f)
                return fail(EXIT_FAILED, "can't read %s: %s", data + 1, strerror(errno));
        return body_read(ret, ret_n, f, data + 1);
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

static int options_check(const Verb *verb, ApiOptions *o) {
        o->method = o->method ?: o->data ? "POST" : "GET";
        if (!*o->method || strlen(o->method) > 16 ||
            strspn(o->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(o->method))
                return args_wrong(verb, "'%s' is no method: GET, PUT, POST, PATCH, DELETE ...",
                                  o->method);
        if (o->paginate && (!streq(o->method, "GET") || o->data))
                return args_wrong(verb, "--paginate is for GET alone");
        for (size_t i = 0; i < o->headers.n; i++) {
                const char *header = o->headers.items[i];

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
        CLEANUP(freep) char *url = NULL;

        switch (address_url(&url, &s->address, path, NULL)) {
        case 0:
                if (o->version && address_has_version(url))
                        return args_wrong(verb, "the path has an api-version already");
                return 0;
        case ADDRESS_E_PATH:
                return args_wrong(
                        verb, "'%s' is no path such as /api/devices; a URL begins with https://",
                        path);
        case ADDRESS_E_CONTROL:
                return args_wrong(verb,
                                  "the path has a control character (%%0A stands for a line's "
                                  "end)");
        case ADDRESS_E_FRAGMENT:
                return args_wrong(verb, "the path has a '#', behind which nothing would be sent; "
                                        "write %%23 for the character itself");
        case ADDRESS_E_OTHER:
                return args_wrong(verb, "'%s' is not on %s", path, s->address.host);
        default:
                return fail_errno(-ENOMEM);
        }
}

static int api_once(Session *s, const ApiOptions *o, const SessionRequest *request) {
        CLEANUP(http_reply_deinit) HttpReply reply = { 0 };
        int r, shown = 0;

        r = session_send(s, &reply, request);
        if (r)
                return r;
        if (reply.outcome == 0) {
                if (o->include || streq(request->method, "HEAD"))
                        show_head(&reply);
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
                other = json_read(reply->body, reply->n_body);
        if (other)
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
static int api_pages(Session *s, const ApiOptions *o, SessionRequest *request) {
        CLEANUP(show_pages_deinit) ShowPages shown = { 0 };
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
        return r;
}

int verb_api(const Verb *verb, int argc, char **argv) {
        CLEANUP(session_freep) Session *s = NULL;
        CLEANUP(options_deinit) ApiOptions o = { 0 };
        CLEANUP(freep) char *app = NULL, *body = NULL;
        SessionRequest request = { 0 };
        const Option options[] = {
                { "X,method", "METHOD", N_("GET, or POST with -d, if not given"), OPTION_STRING,
                  &o.method },
                { "d,data", "BODY", N_("send this JSON, @FILE, or - for standard input"),
                  OPTION_STRING, &o.data },
                { "H,header", "HEADER", N_("a header more, 'Name: value'; repeatable"), OPTION_LIST,
                  &o.headers },
                { "i,include", NULL, N_("print the status line and the headers, too"), OPTION_FLAG,
                  &o.include },
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
        r = r ?: app_find(verb, &app, &o, argv[0]);
        r = r ?: session_new(&s, verb, app, o.account);
        r = r ?: path_check(verb, s, &o, argv[0]);
        if (r == 0 && o.data)
                r = body_get(&body, &request.n_body, o.data);
        if (r)
                return r;
        request.method = o.method;
        request.path = argv[0];
        request.version = o.version;
        request.headers = &o.headers;
        request.body = body;
        return o.paginate ? api_pages(s, &o, &request) : api_once(s, &o, &request);
}
