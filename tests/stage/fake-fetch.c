/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>

#include "common/secret.h"
#include "fake-fetch.h"
#include "fake-time.h"
#include "io/count-file.h"
#include "io/log.h"

struct Fetch {
        Fetch *next;
        FetchRequest request; /* owned copies */
        const FetchHandler *handler;
        void *userdata;
        Timer *answer, *deadline;
        uint64_t deadline_usec;
        bool ended;
        bool *freed;
        void *note;
};

static Fetch *fetches;
static unsigned n_started;
static int refusal;
static void (*answer_fn)(Fetch *f, void *userdata);
static uint64_t answer_usec;
static void *answer_userdata;
static void (*log_fn)(const char *line);
/* What was counted, by the names of the files: until the machine is switched off. */
static struct CountFile {
        char name[64], data[4096];
        size_t n;
        int fd;     /* -1: closed */
} count_files[128]; /* more than ACCOUNTS_MAX */

void fake_fetch_init(void) {
        assert(!fetches);
        n_started = 0;
        refusal = 0;
        answer_fn = NULL;
        log_fn = NULL;
        fake_counts_forget();
}

static void fetch_on_answer(void *userdata) {
        answer_fn(userdata, answer_userdata);
}

static void fetch_on_deadline(void *userdata) {
        fake_fetch_error(userdata, OUTCOME_UNAVAILABLE, 0);
}

/* The strings of a request, which all come first in it. */
static const char **request_strings(FetchRequest *r, size_t *ret_n) {
        *ret_n = offsetof(FetchRequest, deadline) / sizeof(char *);
        return &r->source;
}

int fetch_start(Fetch **ret, Launcher *launcher, sd_event *event, const FetchRequest *request,
                const FetchHandler *handler, void *userdata) {
        const char **strings;
        Fetch *f;
        size_t n;

        if (refusal < 0)
                return refusal;
        f = calloc(1, sizeof(*f));
        assert(f && request->source && request->deadline > 0);
        f->request = *request;
        strings = request_strings(&f->request, &n);
        for (size_t i = 0; i < n; i++)
                strings[i] = secret_dup(strings[i]);
        f->handler = handler;
        f->userdata = userdata;
        (void)timer_new(&f->deadline, event, fetch_on_deadline, f);
        f->deadline_usec = clock_boottime() + (request->deadline + 3) * USEC_PER_SEC;
        timer_arm(f->deadline, f->deadline_usec);
        if (answer_fn) {
                (void)timer_new(&f->answer, event, fetch_on_answer, f);
                timer_arm(f->answer, clock_boottime() + answer_usec);
        }
        f->next = fetches;
        *ret = fetches = f;
        n_started++;
        return 0;
}

Fetch *fetch_free(Fetch *f) {
        const char **strings;
        Fetch **p = &fetches;
        size_t n;

        if (!f)
                return NULL;
        while (*p != f)
                p = &(*p)->next;
        *p = f->next;
        if (f->freed)
                *f->freed = true;
        strings = request_strings(&f->request, &n);
        for (size_t i = 0; i < n; i++)
                secret_free((char *)strings[i]);
        timer_free(f->answer);
        timer_free(f->deadline);
        free(f->note);
        free(f);
        return NULL;
}

unsigned fake_fetches(void) {
        return n_started;
}

unsigned fake_fetches_running(void) {
        unsigned n = 0;

        for (Fetch *f = fetches; f; f = f->next)
                n++;
        return n;
}

Fetch *fake_fetch(void) {
        assert(fake_fetches_running() == 1);
        return fetches;
}

Fetch *fake_fetch_of(const char *method) {
        for (Fetch *f = fetches; f; f = f->next)
                if (streq(f->request.method, method))
                        return f;
        return NULL;
}

uint64_t fake_fetch_deadline(const Fetch *f) {
        return f->deadline_usec;
}

const FetchRequest *fake_fetch_request(const Fetch *f) {
        return &f->request;
}

/* The owner frees a fetch that has ended, in the callback. */
static void fetch_end(Fetch *f, bool *freed) {
        assert(!f->ended);
        f->ended = true;
        f->freed = freed;
        timer_arm(f->deadline, USEC_INFINITY);
}

void fake_fetch_token(Fetch *f, const FakeToken *t) {
        uint64_t now = clock_boottime(), expires_in = t->expires_in ? t->expires_in : 3600;
        FetchToken token = {
                .access_token = t->access_token,
                .refresh_token = t->refresh_token,
                .user = t->user,
                .tenant = t->tenant,
                .issued_usec = now,
                .expires_usec = now + expires_in * USEC_PER_SEC,
                .refresh_usec = t->refresh_in ? now + t->refresh_in * USEC_PER_SEC : 0,
                .date = t->date,
        };
        bool freed = false;

        fetch_end(f, &freed);
        f->handler->token(&token, f->userdata);
        assert(freed);
}

static void fetch_end_by(Fetch *f, FetchError *error) {
        bool freed = false;

        fetch_end(f, &freed);
        f->handler->error(error, f->userdata);
        assert(freed);
        problem_clear(&error->problem);
}

void fake_fetch_error(Fetch *f, Outcome outcome, uint64_t retry_after) {
        FetchError error = { .retry_after = retry_after };

        (void)problem_set(&error.problem, outcome, "the identity service said %d.", outcome);
        fetch_end_by(f, &error);
}

void fake_fetch_unsent(Fetch *f) {
        FetchError error = { .unsent = true };

        (void)problem_set(&error.problem, OUTCOME_UNAVAILABLE, "it can't be reached.");
        fetch_end_by(f, &error);
}

void fake_fetch_prompt(Fetch *f, const char *user_code) {
        f->handler->prompt(&(FetchPrompt){ .method = "device-code",
                                           .verification_uri = "https://microsoft.com/devicelogin",
                                           .user_code = user_code,
                                           .message = "Open the page and enter the code.",
                                           .expires_usec = clock_boottime() + 900 * USEC_PER_SEC },
                           f->userdata);
}

void fake_fetch_refuse(int error) {
        refusal = error;
}

void fake_fetch_answer_by(void (*fn)(Fetch *f, void *userdata), uint64_t usec, void *userdata) {
        answer_fn = fn;
        answer_usec = usec;
        answer_userdata = userdata;
}

void fake_fetch_again(Fetch *f, uint64_t usec) {
        timer_arm(f->answer, usec == USEC_INFINITY ? usec : clock_boottime() + usec);
}

void *fake_fetch_note(Fetch *f, size_t size) {
        if (!f->note)
                f->note = calloc(1, size);
        assert(f->note);
        return f->note;
}

void fake_log_to(void (*fn)(const char *line)) {
        log_fn = fn;
}

unsigned fake_counts_open(void) {
        unsigned n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(count_files); i++)
                n += *count_files[i].name && fcntl(count_files[i].fd, F_GETFD) >= 0;
        return n;
}

void fake_counts_forget(void) {
        memset(count_files, 0, sizeof(count_files));
}

int count_file_open(const char *dir, const char *name) {
        struct CountFile *file = count_files;
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert(fd >= 0);
        for (size_t i = 0; i < ARRAY_SIZE(count_files); i++)
                if (*count_files[i].name && count_files[i].fd == fd)
                        count_files[i].fd = -1; /* it was closed */
        while (*file->name && !streq(file->name, name))
                assert(++file < count_files + ARRAY_SIZE(count_files));
        snprintf(file->name, sizeof(file->name), "%s", name);
        file->fd = fd;
        return fd;
}

static struct CountFile *count_file_of(int fd) {
        struct CountFile *file = count_files;

        while (!*file->name || file->fd != fd)
                assert(++file < count_files + ARRAY_SIZE(count_files));
        return file;
}

size_t count_file_read(int fd, void *data, size_t n) {
        const struct CountFile *file = fd < 0 ? NULL : count_file_of(fd);

        n = file ? MIN(n, file->n) : 0;
        if (n)
                memcpy(data, file->data, n);
        return n;
}

void count_file_write(int fd, const void *data, size_t n) {
        struct CountFile *file = fd < 0 ? NULL : count_file_of(fd);

        if (!file)
                return;
        assert(n <= sizeof(file->data));
        memcpy(file->data, data, n);
        file->n = n;
}

void log_set_max_level(int level) {
}

void log_write(int level, const char *format, ...) {
        char line[4096];
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(line, sizeof(line), format, ap);
        va_end(ap);
        assert(!strstr(line, "secret-"));
        if (log_fn)
                log_fn(line);
        if (getenv("FAKE_LOG"))
                fprintf(stderr, "<%d>%s\n", level, line);
}
