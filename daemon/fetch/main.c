/* SPDX-License-Identifier: MIT */
/*
 * iotc-token-fetch: one request in on standard input, events out on standard output, and it is
 * gone. This file reads the line, picks the source from the table and prints the answer; a signal
 * or a closed standard output ends it at any moment, since nothing here is worth saving.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "common/memory.h"
#include "common/secret.h"
#include "fetch/source.h"
#include "fetch/watch.h"
#include "model/environment.h"
#include "model/limits.h"

enum {
        FETCH_RESERVE = 1024 * 1024, /* bytes: an answer of 64 KiB takes a third of it */
};

static const struct Source {
        const char *name;
        const char *method; /* NULL: for a request that names none */
        SourceFetch fetch;
} sources[] = {
        { "entra", NULL, refresh_fetch },
        { "entra", "refresh", refresh_fetch },
        { "entra", "device-code", device_code_fetch },
        { "entra", "auto", device_code_fetch },
        { "entra", "browser", browser_fetch },
        { "azure-cli", NULL, azure_cli_fetch },
        { "client-credentials", NULL, client_credentials_fetch },
};

static const char usage[] =
        "usage: iotc-token-fetch [--help | --version] <REQUEST\n"
        "\n"
        "Reads one request, one line of JSON, from standard input and writes events, one JSON\n"
        "object a line, to standard output; the last one is a token or an error.\n"
        "iotc-tokend runs it; by hand:\n"
        "\n"
        "  echo '{\"protocol\":1,\"source\":\"azure-cli\",\n"
        "         \"resource\":\"https://apps.azureiotcentral.com\"}' | tr -d '\\n' |\n"
        "    iotc-token-fetch\n";

static int fetch(Answer *answer, const Request *request) {
        bool known = false;

        for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
                if (!streq(sources[i].name, request->source))
                        continue;
                known = true;
                if (streq(sources[i].method, request->method))
                        return sources[i].fetch(answer, request);
        }
        if (known)
                answer_set(answer, ANSWER_MISCONFIGURED, "The source '%s' has no method '%s'.",
                           request->source, request->method ? request->method : "");
        else
                answer_set(answer, ANSWER_MISCONFIGURED, "There is no source '%s'.",
                           request->source);
        return 0;
}

/* Up to the newline or the end, at most size bytes. */
static int read_line(char *line, size_t size, size_t *ret_n) {
        const char *newline = NULL;
        size_t have = 0;
        ssize_t n;

        while (!newline && have < size) {
                n = read(STDIN_FILENO, line + have, size - have);
                if (n == 0)
                        break;
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                newline = memchr(line + have, '\n', (size_t)n);
                have += (size_t)n;
        }
        *ret_n = newline ? (size_t)(newline - line) : have;
        return 0;
}

static int answer_request(Answer *answer) {
        CLEANUP(request_freep) Request *request = NULL;
        char reason[REQUEST_REASON_MAX];
        static char line[LIMIT_FETCH_LINE + 1];
        size_t n = 0;
        int r;

        r = read_line(line, sizeof(line), &n);
        if (r < 0)
                return r;
        r = request_parse(&request, reason, line, n);
        secret_wipe(line, sizeof(line));
        if (r == -EBADMSG) {
                answer_set(answer, ANSWER_MISCONFIGURED, "The fetch was not started: %s.", reason);
                return 0;
        }
        if (r < 0)
                return r;
        if (!streq(request->source, "azure-cli"))
                environment_keep_own();
        /* What comes in answer may be the only refresh token that is good. */
        memory_reserve(FETCH_RESERVE);
        return fetch(answer, request);
}

static int run(void) {
        CLEANUP(secret_freep) char *line = NULL;
        Answer answer = { 0 };
        int r;

        r = watch_stdout();
        if (r == 0)
                r = answer_request(&answer);
        if (r < 0)
                answer_set(&answer, ANSWER_TRY_LATER, "The fetch failed: %s.", strerror(-r));
        if (answer.kind != ANSWER_TOKEN && answer.message)
                source_say(answer.message);
        r = event_format_answer(&line, &answer, clock_usec());
        answer_deinit(&answer);
        if (r == 0)
                r = event_write(STDOUT_FILENO, line);
        if (r < 0)
                (void)fprintf(stderr, "iotc-token-fetch: the answer can't be written: %s\n",
                              strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        const struct rlimit none = { 0, 0 };

        /* No core file and no debugger gets at a token; a lost reader is seen by write(2). */
        (void)prctl(PR_SET_DUMPABLE, 0);
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGPIPE, SIG_IGN);
        if (fcntl(STDERR_FILENO, F_GETFD) < 0)
                (void)!open("/dev/null", O_RDWR);

        if (argc == 2 && streq(argv[1], "--version")) {
                (void)puts("iotc-token-fetch " IOTC_VERSION);
                return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
        if (argc == 2 && streq(argv[1], "--help")) {
                (void)fputs(usage, stdout);
                return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
        if (argc > 1) {
                (void)fputs("usage: iotc-token-fetch [--help | --version] <REQUEST\n", stderr);
                return 2;
        }
        return run();
}
