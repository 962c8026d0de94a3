/* SPDX-License-Identifier: MIT */
#include <fcntl.h>

#include "common/json.h"
#include "common/memory.h"
#include "common/redact.h"
#include "common/secret.h"
#include "common/text.h"
#include "io/fetch/fetch-event.h"
#include "io/fetch/fetch.h"
#include "io/log.h"
#include "io/timer.h"
#include "model/limits.h"

enum {
        FETCH_GRACE_SECONDS = 3,    /* for ending itself by its own deadline before it is ended */
        FETCH_SAID_MAX = 16 * 1024, /* bytes of standard error that are kept, the first */
};

struct Fetch {
        Launcher *launcher;
        sd_event *event;
        const FetchHandler *handler;
        void *userdata;
        Launch *launch;
        Timer *deadline;
        sd_event_source *in, *out, *err, *failed;
        pid_t pid;
        int stdin_fd, stdout_fd, stderr_fd;
        char *said; /* on standard error: NULL, or FETCH_SAID_MAX + 1 bytes; may hold secrets */
        size_t said_n;
        char *secrets[2]; /* of the request: what others repeat of them is hidden; may be NULL */
        char *request;    /* secret */
        size_t request_n, request_sent;
        char *line; /* secret; LIMIT_FETCH_LINE + 1 bytes */
        size_t line_n, total;
        const char *fault;
        char *command; /* a program of the user's; NULL: the fetcher */
        bool *freed;   /* told when a callback frees this */
};

static char *request_text(const FetchRequest *r, size_t *ret_n) {
        JsonWriter w = { 0 };

        json_writer_open(&w, NULL, '{');
        json_writer_uint(&w, "protocol", 1);
        json_writer_string(&w, "source", r->source);
        json_writer_string(&w, "method", r->method);
        json_writer_string(&w, "authority", r->authority);
        json_writer_string(&w, "tenant", r->tenant);
        json_writer_string(&w, "client_id", r->client_id);
        json_writer_string(&w, "resource", r->resource);
        json_writer_uint(&w, "deadline", r->deadline);
        json_writer_string(&w, "refresh_token", r->refresh_token);
        json_writer_string(&w, "client_secret", r->client_secret);
        json_writer_string(&w, "claims", r->claims);
        json_writer_string(&w, "config_dir", r->config_dir);
        json_writer_string(&w, "az", r->az);
        json_writer_string(&w, "subscription", r->subscription);
        json_writer_string(&w, "proxy", r->proxy);
        json_writer_string(&w, "proxy_credentials", r->proxy_credentials);
        json_writer_string(&w, "ca_bundle", r->ca_bundle);
        json_writer_close(&w, '}');
        return json_writer_finish(&w, ret_n);
}

/* Keep the beginning, drop the rest. False at its end, or when there is nothing now. */
static bool fetch_read_said(Fetch *f) {
        char rest[4096];
        ssize_t n;

        if (!f->said)
                f->said = xmalloc(FETCH_SAID_MAX + 1);
        if (f->said_n < FETCH_SAID_MAX) {
                n = read(f->stderr_fd, f->said + f->said_n, FETCH_SAID_MAX - f->said_n);
                f->said_n += (size_t)MAX(n, 0);
        } else {
                n = read(f->stderr_fd, rest, sizeof(rest));
                secret_wipe(rest, sizeof(rest));
        }
        return n > 0 || (n < 0 && errno == EINTR);
}

/*
 * Log what it wrote to standard error, once: at the end, when we know the tokens that a program may
 * have printed there beside its answer. secret: a text of which nothing may be in it, or NULL.
 */
static void fetch_log_said(Fetch *f, const char *secret) {
        const char *const secrets[] = { f->secrets[0], f->secrets[1], secret };
        const char *name = f->command ? strrchr(f->command, '/') : NULL;
        CLEANUP(freep) char *safe = NULL;
        char *line, *rest;

        if (f->stderr_fd < 0)
                return;
        for (int i = 0; i < FETCH_SAID_MAX / 1024 && fetch_read_said(f); i++)
                continue;
        f->err = sd_event_source_disable_unref(f->err);
        f->stderr_fd = fd_close(f->stderr_fd);
        if (!f->said)
                return;
        f->said[f->said_n] = '\0';
        safe = redact(f->said, secrets, ARRAY_SIZE(secrets));
        secret_wipe(f->said, f->said_n);
        for (rest = safe; rest && (line = strsep(&rest, "\n"));) {
                CLEANUP(freep) char *clean = text_clean(line, LIMIT_TEXT);

                if (!str_empty(clean))
                        log_info("%s says: %s", name ? name + 1 : "iotc-token-fetch", clean);
        }
}

/* Nothing is told after the end, whenever the owner frees this. */
static void fetch_end(Fetch *f) {
        f->in = sd_event_source_disable_unref(f->in);
        f->out = sd_event_source_disable_unref(f->out);
        timer_arm(f->deadline, USEC_INFINITY);
}

/* The end that is not an event: told as an error that time may mend. Frees nothing. */
static void fetch_fail(Fetch *f, const char *why) {
        FetchError error = { .unsent = f->pid <= 0 }; /* it was not even started */

        f->line[f->line_n] = '\0';
        fetch_log_said(f, f->line);
        fetch_end(f);
        log_debug("A fetch ended without a result: %s", why);
        (void)problem_set(&error.problem, OUTCOME_UNAVAILABLE, "%s failed: %s.",
                          f->command ? "its program" : "the fetcher", why);
        f->handler->error(&error, f->userdata);
        problem_clear(&error.problem);
}

static void fetch_on_deadline(void *userdata) {
        Fetch *f = userdata;

        fetch_fail(f, f->fault ?: "it did not end in its time");
}

static int fetch_on_failed(sd_event_source *source, void *userdata) {
        Fetch *f = userdata;

        fetch_fail(f, f->fault);
        return 0;
}

/* A failure seen where no callback may run yet: told from the loop. */
static void fetch_fail_later(Fetch *f, const char *why) {
        fetch_end(f);
        f->fault = why;
        if (!f->failed && sd_event_add_defer(f->event, &f->failed, fetch_on_failed, f) < 0)
                timer_arm(f->deadline, clock_boottime());
}

/* False when the event was the last one: f may be gone. */
static bool fetch_line(Fetch *f, char *line, size_t n) {
        CLEANUP(fetch_event_freep) FetchEvent *e = NULL;
        FetchEventType type;
        bool freed = false;
        const char *why;

        if (fetch_event_parse(&e, line, n, (const char *const *)f->secrets, ARRAY_SIZE(f->secrets),
                              clock_boottime(), clock_wall(), &why) < 0) {
                fetch_log_said(f, line);
                fetch_fail(f, why);
                return false;
        }
        type = fetch_event_type(e);
        if (type == FETCH_EVENT_TOKEN || type == FETCH_EVENT_ERROR) {
                fetch_log_said(f, fetch_event_has_secret(e) ? line : NULL);
                fetch_end(f);
                fetch_event_dispatch(e, f->handler, f->userdata);
                return false;
        }
        f->freed = &freed;
        fetch_event_dispatch(e, f->handler, f->userdata);
        if (freed)
                return false;
        f->freed = NULL;
        return true;
}

/* Take whole lines off the buffer. f may be gone after that. */
static void fetch_lines(Fetch *f) {
        char *start = f->line, *end = f->line + f->line_n, *newline;

        while ((newline = memchr(start, '\n', (size_t)(end - start)))) {
                *newline = '\0';
                if (newline > start && !fetch_line(f, start, (size_t)(newline - start)))
                        return;
                start = newline + 1;
        }
        f->line_n = (size_t)(end - start);
        memmove(f->line, start, f->line_n);
        secret_wipe(f->line + f->line_n, (size_t)(start - f->line));
        if (f->line_n >= LIMIT_FETCH_LINE)
                fetch_fail(f, "a line that is too long");
}

static int fetch_on_output(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Fetch *f = userdata;
        ssize_t n;

        n = read(fd, f->line + f->line_n, LIMIT_FETCH_LINE - f->line_n);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0) {
                fetch_fail(f, "it ended before it had a result");
                return 0;
        }
        f->line_n += (size_t)n;
        f->total += (size_t)n;
        if (f->total > LIMIT_FETCH_OUTPUT) {
                fetch_fail(f, "it printed too much");
                return 0;
        }
        fetch_lines(f);
        return 0;
}

static int fetch_on_said(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Fetch *f = userdata;

        if (!fetch_read_said(f) && errno != EAGAIN)
                f->err = sd_event_source_disable_unref(f->err);
        return 0;
}

static void request_done(Fetch *f) {
        secret_wipe(f->request, f->request_n);
        free(f->request);
        f->request = NULL;
        f->in = sd_event_source_disable_unref(f->in);
        f->stdin_fd = fd_close(f->stdin_fd);
}

static int fetch_on_input(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Fetch *f = userdata;
        ssize_t n;

        n = write(fd, f->request + f->request_sent, f->request_n - f->request_sent);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n > 0)
                f->request_sent += (size_t)n;
        /* A fetcher that reads no more says why on its output, or ends. */
        if (n < 0 || f->request_sent == f->request_n)
                request_done(f);
        return 0;
}

static void fetch_on_launched(int error, pid_t pid, const int *fds, void *userdata) {
        Fetch *f = userdata;

        f->launch = launch_free(f->launch);
        if (error < 0) {
                log_error("Can't start the fetcher: %s", strerror(-error));
                fetch_fail_later(f, "it could not be started; is iotc-token installed whole?");
                return;
        }
        f->pid = pid;
        f->stdin_fd = fds[0];
        f->stdout_fd = fds[1];
        f->stderr_fd = fds[2];
        if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 || fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0 ||
            fcntl(fds[2], F_SETFL, O_NONBLOCK) < 0 ||
            sd_event_add_io(f->event, &f->in, fds[0], EPOLLOUT, fetch_on_input, f) < 0 ||
            sd_event_add_io(f->event, &f->out, fds[1], EPOLLIN, fetch_on_output, f) < 0 ||
            sd_event_add_io(f->event, &f->err, fds[2], EPOLLIN, fetch_on_said, f) < 0)
                fetch_fail_later(f, "memory is short");
}

int fetch_start(Fetch **ret, Launcher *launcher, sd_event *event, const FetchRequest *request,
                const FetchHandler *handler, void *userdata) {
        CLEANUP(fetch_freep) Fetch *f = NULL;
        int r;

        f = xcalloc(1, sizeof(*f));
        *f = (Fetch){ .launcher = launcher,
                      .event = event,
                      .handler = handler,
                      .userdata = userdata,
                      .stdin_fd = -1,
                      .stdout_fd = -1,
                      .stderr_fd = -1 };
        f->line = xmalloc(LIMIT_FETCH_LINE + 1);
        f->command = xstrdup(request->program);
        f->secrets[0] = xstrdup(request->refresh_token);
        f->secrets[1] = xstrdup(request->client_secret);
        f->request = request_text(request, &f->request_n);
        /* The line's newline takes the place of the terminating zero. */
        f->request[f->request_n++] = '\n';

        r = timer_new(&f->deadline, event, fetch_on_deadline, f);
        if (r < 0)
                return r;
        timer_arm(f->deadline,
                  clock_boottime() + (request->deadline + FETCH_GRACE_SECONDS) * USEC_PER_SEC);
        r = launcher_start(launcher, &f->launch, request->program, fetch_on_launched, f);
        if (r < 0)
                return r;
        *ret = STEAL(f);
        return 0;
}

Fetch *fetch_free(Fetch *f) {
        if (!f)
                return NULL;
        if (f->freed)
                *f->freed = true;
        launch_free(f->launch);
        timer_free(f->deadline);
        if (f->line) {
                f->line[f->line_n] = '\0';
                fetch_log_said(f, f->line);
        }
        sd_event_source_disable_unref(f->in);
        sd_event_source_disable_unref(f->out);
        sd_event_source_disable_unref(f->failed);
        (void)fd_close(f->stdin_fd);
        (void)fd_close(f->stdout_fd);
        if (f->pid > 0)
                launcher_end(f->launcher, f->pid);
        if (f->request)
                secret_wipe(f->request, f->request_n);
        free(f->request);
        if (f->line)
                secret_wipe(f->line, LIMIT_FETCH_LINE + 1);
        free(f->line);
        free(f->said);
        free(f->command);
        for (size_t i = 0; i < ARRAY_SIZE(f->secrets); i++)
                secret_free(f->secrets[i]);
        free(f);
        return NULL;
}
