/* SPDX-License-Identifier: MIT */
/*
 * A program with a poll(2) loop of its own that drives libiotc-token as its header says, for
 * test_library_async.py. Lines of its input, fields parted by tabs, the first a verb, the second a
 * number that names the call:
 *
 *   get | authorization N SELECTOR TIMEOUT     reject N SELECTOR TOKEN
 *   cancel N           close N (when the callback of N comes)         again N (the same, in it)
 *   fork N             (a child does what there is to do and makes call N anew; how it ended
 *                      is the line "child")
 *
 * A line of its output for each call that ended: N and "0" with the result, or the negative errno
 * with the error's name and text; and "N started", or why it was not.
 */
#include <iotc-token.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
        CALLS = 64,
        CHILD_SEC = 15, /* how long a child of a fork may take */
};

typedef struct Call {
        iotc_token_call *handle;
        char selector[256];
        int closes, again;
} Call;

static iotc_token_client *client;
static Call calls[CALLS];

static void on_answer(int result, iotc_token *token, void *userdata);

static int start(Call *c, int authorization, uint32_t timeout) {
        iotc_token_call **ret = timeout ? &c->handle : NULL; /* the others nobody holds */

        if (authorization)
                return iotc_token_get_authorization_async(client, ret, c->selector,
                                                          IOTC_TOKEN_OPTIONS(.timeout = timeout),
                                                          on_answer, c);
        return iotc_token_get_async(client, ret, c->selector,
                                    IOTC_TOKEN_OPTIONS(.timeout = timeout), on_answer, c);
}

static void on_answer(int result, iotc_token *token, void *userdata) {
        Call *c = userdata;

        if (result < 0)
                printf("%d\t%d\t%s\t%s\n", (int)(c - calls), result, iotc_token_error_name(client),
                       iotc_token_error_text(client));
        else
                printf("%d\t0\t%s\n", (int)(c - calls), token ? iotc_token_value(token) : "");
        iotc_token_free(token);
        c->handle = iotc_token_call_free(c->handle);
        if (iotc_token_process(client) != -EBUSY)
                abort();
        if (c->again) {
                c->again = 0;
                if (start(c, 0, 5) < 0)
                        abort();
        }
        if (c->closes)
                client = iotc_token_close(client);
}

static void report(Call *c, int r) {
        if (r < 0)
                printf("%d\t%d\t%s\t%s\n", (int)(c - calls), r, iotc_token_error_name(client),
                       iotc_token_error_text(client));
        else
                printf("%d\tstarted\n", (int)(c - calls));
}

/* What is under way is the parent's; what the child asks for comes to it alone, be it before or
 * after it has heard of that. A child that hangs is ended. */
static void fork_off(Call *c) {
        iotc_token *token;
        pid_t pid = fork();
        int status;

        if (pid < 0)
                abort();
        if (pid > 0) {
                waitpid(pid, &status, 0);
                printf("child\t%s\n", WIFSIGNALED(status)   ? strsignal(WTERMSIG(status))
                                      : WEXITSTATUS(status) ? "failed"
                                                            : "ended");
                return;
        }
        alarm(CHILD_SEC);
        if (iotc_token_get(client, NULL, NULL, &token) < 0 || iotc_token_get_timeout(client) != 0 ||
            iotc_token_process(client) != -ECONNRESET || start(c, 0, 0) < 0)
                _exit(1);
        iotc_token_free(token);
        while (iotc_token_get_fd(client) >= 0) {
                struct pollfd fd = { iotc_token_get_fd(client),
                                     (short)iotc_token_get_events(client), 0 };

                poll(&fd, 1, 1000);
                iotc_token_process(client);
        }
        iotc_token_close(client);
        _exit(0);
}

static void command(char *line) {
        const char *verb = strsep(&line, "\t"), *token;
        Call *c = &calls[atoi(strsep(&line, "\t")) % CALLS];

        if (strcmp(verb, "cancel") == 0) {
                c->handle = iotc_token_call_free(c->handle);
        } else if (strcmp(verb, "close") == 0) {
                c->closes = 1;
        } else if (strcmp(verb, "again") == 0) {
                c->again = 1;
        } else if (strcmp(verb, "fork") == 0) {
                fork_off(c);
        } else {
                snprintf(c->selector, sizeof(c->selector), "%s", strsep(&line, "\t"));
                token = strsep(&line, "\t");
                if (strcmp(verb, "reject") == 0)
                        report(c, iotc_token_report_rejected_async(client, &c->handle, c->selector,
                                                                   token, NULL, on_answer, c));
                else
                        report(c, start(c, *verb == 'a', (uint32_t)atoi(token)));
        }
}

/* How long to wait, in ms. */
static int wait_ms(void) {
        uint64_t until = iotc_token_get_timeout(client), now;
        struct timespec ts;

        if (until == UINT64_MAX)
                return -1;
        clock_gettime(CLOCK_MONOTONIC, &ts);
        now = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
        return until <= now ? 0 : (int)((until - now) / 1000) + 1;
}

int main(void) {
        struct pollfd fds[2] = { { .fd = 0, .events = POLLIN } };
        char line[4096];

        setvbuf(stdout, NULL, _IOLBF, 0);
        setvbuf(stdin, NULL, _IONBF, 0); /* or poll() would not see what is buffered */
        if (iotc_token_open(&client) < 0)
                return 1;
        while (client) {
                fds[1].fd = iotc_token_get_fd(client);
                fds[1].events = (short)iotc_token_get_events(client);
                if (poll(fds, 2, wait_ms()) < 0)
                        return 1;
                if (iotc_token_process(client) == -ECONNRESET)
                        printf("lost\n");
                if (fds[0].revents) {
                        if (!fgets(line, sizeof(line), stdin))
                                break;
                        line[strcspn(line, "\n")] = '\0';
                        command(line);
                }
        }
        iotc_token_close(client);
        for (size_t i = 0; i < CALLS; i++)
                iotc_token_call_free(calls[i].handle);
        return 0;
}
