/* SPDX-License-Identifier: MIT */
#include "util-fetcher.h"

#include "common/json.h"
#include "io/fetch/fetch.h"
#include "model/limits.h"

#define TOKEN "{\"event\":\"token\",\"access_token\":\"aa.bb\",\"expires_in\":3600}"
#define PROMPT                                          \
        "{\"event\":\"prompt\",\"method\":\"browser\"," \
        "\"verification_uri\":\"https://example.com/\"}"

typedef struct Story {
        Fetch *fetch;
        unsigned prompts, tokens, errors;
        char user[64], access_token[64], text[256];
        Outcome outcome;
        uint64_t retry_after;
        unsigned leave_at; /* the callback that frees the fetch, from 1; 0: none does */
} Story;

static unsigned story_n(const Story *s) {
        return s->prompts + s->tokens + s->errors;
}

static void story_leave(Story *s) {
        if (story_n(s) == s->leave_at)
                s->fetch = fetch_free(s->fetch);
}

static void on_prompt(const FetchPrompt *prompt, void *userdata) {
        Story *s = userdata;

        s->prompts++;
        story_leave(s);
}

static void on_token(const FetchToken *token, void *userdata) {
        Story *s = userdata;

        s->tokens++;
        snprintf(s->access_token, sizeof(s->access_token), "%s", token->access_token);
        snprintf(s->user, sizeof(s->user), "%s", token->user ? token->user : "");
        assert(token->expires_usec > clock_boottime());
        story_leave(s);
}

static void on_error(const FetchError *error, void *userdata) {
        Story *s = userdata;

        s->errors++;
        s->outcome = error->problem.outcome;
        s->retry_after = error->retry_after;
        snprintf(s->text, sizeof(s->text), "%s", problem_text(&error->problem));
        story_leave(s);
}

static const FetchHandler handler = { on_prompt, on_token, on_error };

static bool is_over(void *userdata) {
        Story *s = userdata;

        return s->tokens + s->errors > 0 || (s->leave_at && !s->fetch);
}

static void start(Fetcher *f, Story *s, const FetchRequest *request) {
        assert(fetch_start(&s->fetch, f->launcher, f->event, request, &handler, s) == 0);
        assert(story_n(s) == 0);
}

/* Fetch with this script, to the end. What comes after the end is nobody's business any more. */
static void fetch_with(Fetcher *f, Story *s, const char *body) {
        FetchRequest request = { .source = "entra", .deadline = 60 };

        *s = (Story){ .leave_at = s->leave_at };
        fetcher_write(f, body);
        start(f, s, &request);
        until(f, is_over, s);
        for (unsigned i = 0; i < 2; i++)
                assert(sd_event_run(f->event, 10 * 1000) >= 0);
        assert(s->tokens + s->errors <= 1);
        s->fetch = fetch_free(s->fetch);
        until_childless(f);
}

static void expect_token(Fetcher *f, const char *body) {
        Story s = { 0 };

        fetch_with(f, &s, body);
        assert(s.tokens == 1 && s.errors == 0);
        assert(streq(s.access_token, "aa.bb"));
}

static void expect_try_later(Fetcher *f, const char *body) {
        Story s = { 0 };

        fetch_with(f, &s, body);
        assert(s.tokens == 0 && s.errors == 1);
        assert(s.outcome == OUTCOME_UNAVAILABLE && s.retry_after == 0);
        assert(!strstr(s.text, "aa.bb"));
}

static void test_what_a_good_fetcher_says(Fetcher *f) {
        Story s = { 0 };

        expect_token(f, "read -r request; echo '" TOKEN "'");
        expect_token(f, "echo '" TOKEN "'; exit 3"); /* the event counts */
        expect_token(f, "printf '\\n\\n%s\\r\\n' '" TOKEN "'");
        expect_token(f, "printf '{\"event\":\"token\",\"acc'; read -r request\n"
                        "printf 'ess_token\":\"aa.bb\",\"expires_in\":3600}\\n'");
        expect_token(f, "echo '{\"event\":\"news\"}'; echo '" TOKEN "'");
        /* Only the first end counts. */
        expect_token(f, "echo '" TOKEN "'; echo '" TOKEN "'; echo garbage");
        expect_token(f, "echo '" TOKEN "'; exec sleep 1000");
        fetch_with(f, &s, "echo '" PROMPT "'; echo '" PROMPT "'; echo '" TOKEN "'");
        assert(s.prompts == 2 && s.tokens == 1);

        fetch_with(f, &s,
                   "echo '{\"event\":\"error\",\"kind\":\"sign-in-needed\","
                   "\"message\":\"why\",\"retry_after\":7}'; echo '" TOKEN "'");
        assert(s.errors == 1 && s.tokens == 0);
        assert(s.outcome == OUTCOME_SIGN_IN_NEEDED && s.retry_after == 7);
        assert(streq(s.text, "why"));
}

static void test_what_a_bad_fetcher_says(Fetcher *f) {
        expect_try_later(f, "exit 0");
        expect_try_later(f, "exit 1");
        expect_try_later(f, "kill -KILL $$");
        expect_try_later(f, "echo garbage");
        expect_try_later(f, "printf 'garbage without an end'");
        expect_try_later(f, "printf '\\377\\376\\000\\n'");
        expect_try_later(f, "printf '%s' '" TOKEN "'"); /* cut off: who knows what it missed */
        expect_try_later(f, "echo '" PROMPT "'");
        expect_try_later(f, "echo '{\"event\":\"error\",\"kind\":\"new\"}'");
        expect_try_later(f, "echo '{\"event\":\"token\",\"access_token\":\"aa.bb\"}'");
        expect_try_later(f, "exec >&-; exec sleep 1000");
        expect_try_later(f, "echo 'Traceback (most recent call last):'; echo '" TOKEN "'");
}

static void test_the_limits_of_what_it_says(Fetcher *f) {
        char body[512];

        /* A line of 64 KiB at most, newline included; 256 KiB in all. */
        snprintf(body, sizeof(body), "printf '%%0%dd\\n' 0 | tr 0 ' '; echo '" TOKEN "'",
                 LIMIT_FETCH_LINE - 1);
        expect_try_later(f, body); /* blanks are no event */
        snprintf(body, sizeof(body),
                 "printf '{\"event\":\"x\",\"x\":\"%%0%dd\"}\\n' 0; echo '" TOKEN "'",
                 LIMIT_FETCH_LINE - 1 - 21);
        expect_token(f, body);
        snprintf(body, sizeof(body),
                 "printf '{\"event\":\"x\",\"x\":\"%%0%dd\"}\\n' 0; echo '" TOKEN "'", 70 * 1024);
        expect_try_later(f, body);
        expect_try_later(f, "while :; do printf '%01000d' 0; done");
        expect_try_later(f, "for i in 0 1 2 3 4 5 6 7 8 9; do\n"
                            "printf '{\"event\":\"x\",\"x\":\"%030000d\"}\\n' 0; done; echo '" TOKEN
                            "'");
        expect_token(f,
                     "for i in 0 1 2 3 4 5 6 7; do\n"
                     "printf '{\"event\":\"x\",\"x\":\"%030000d\"}\\n' 0; done; echo '" TOKEN "'");
}

static char *read_file(const char *path, size_t *ret_n) {
        CLEANUP(file_closep) FILE *file = fopen(path, "re");
        char *text = malloc(1024 * 1024);

        assert(file && text);
        *ret_n = fread(text, 1, 1024 * 1024 - 1, file);
        text[*ret_n] = '\0';
        return text;
}

static void test_the_request_as_it_arrives(Fetcher *f) {
        static const char *const strings[][2] = {
                { "source", "entra" },
                { "method", "refresh" },
                { "authority", "https://a" },
                { "tenant", "t" },
                { "client_id", "c" },
                { "resource", "https://r" },
                { "refresh_token", "0.\"rt\\" },
                { "client_secret", "cs" },
                { "config_dir", "/c" },
                { "az", "/usr/bin/az" },
                { "subscription", "caf\xc3\xa9" },
                { "proxy", "http://p" },
                { "proxy_credentials", "/pc" },
                { "ca_bundle", "/ca" },
        };
        CLEANUP(freep) char *claims = malloc(300 * 1024);
        CLEANUP(freep) char *path = fetcher_file(f, "request");
        CLEANUP(freep) char *text = NULL;
        CLEANUP(json_freep) Json *json = NULL;
        FetchRequest request = { .source = "entra",
                                 .method = "refresh",
                                 .authority = "https://a",
                                 .tenant = "t",
                                 .client_id = "c",
                                 .resource = "https://r",
                                 .refresh_token = "0.\"rt\\",
                                 .client_secret = "cs",
                                 .claims = claims,
                                 .config_dir = "/c",
                                 .az = "/usr/bin/az",
                                 .subscription = "caf\xc3\xa9",
                                 .proxy = "http://p",
                                 .proxy_credentials = "/pc",
                                 .ca_bundle = "/ca",
                                 .deadline = 61 };
        Story s = { 0 };
        uint64_t n_value;
        size_t n;

        /* Longer than a pipe holds, so that it goes out in pieces. */
        memset(claims, 'x', 300 * 1024);
        claims[300 * 1024 - 1] = '\0';
        fetcher_write(f, "cat >\"$(dirname \"$0\")/request\"; echo '" TOKEN "'");
        start(f, &s, &request);
        until(f, is_over, &s);
        assert(s.tokens == 1);
        s.fetch = fetch_free(s.fetch);

        text = read_file(path, &n);
        assert(n > 300 * 1024 && text[n - 1] == '\n' && strchr(text, '\n') == text + n - 1);
        assert(json_parse(&json, text, n) == 0);
        for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
                assert(streq(json_string(json, strings[i][0]), strings[i][1]));
        assert(streq(json_string(json, "claims"), claims));
        assert(json_uint(json, "protocol", &n_value) == 0 && n_value == 1);
        assert(json_uint(json, "deadline", &n_value) == 0 && n_value == 61);
}

static void test_what_a_request_has_not_is_left_out(Fetcher *f) {
        CLEANUP(freep) char *path = fetcher_file(f, "request");
        CLEANUP(freep) char *text = NULL;
        Story s = { 0 };
        size_t n;

        fetch_with(f, &s, "cat >\"$(dirname \"$0\")/request\"; echo '" TOKEN "'");
        text = read_file(path, &n);
        assert(streq(text, "{\"protocol\":1,\"source\":\"entra\",\"deadline\":60}\n"));
}

/* A long request to a fetcher that does not read it. */
static void test_a_fetcher_that_does_not_listen(Fetcher *f) {
        static const char *const bodies[] = {
                "exec <&-; echo '" TOKEN "'; exec sleep 1000",
                "echo '" TOKEN "'; exec sleep 1000",
        };
        CLEANUP(freep) char *claims = malloc(300 * 1024);
        FetchRequest request = { .source = "entra", .claims = claims, .deadline = 60 };

        memset(claims, 'x', 300 * 1024);
        claims[300 * 1024 - 1] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
                Story s = { 0 };

                fetcher_write(f, bodies[i]);
                start(f, &s, &request);
                until(f, is_over, &s);
                assert(s.tokens == 1 && s.errors == 0);
                fetch_free(s.fetch);
        }
        until_childless(f);
}

static void test_a_fetcher_that_hangs(Fetcher *f) {
        FetchRequest request = { .source = "entra", .deadline = 0 };
        uint64_t before = clock_boottime();
        Story s = { 0 };

        fetcher_write(f, "trap '' TERM; echo '" PROMPT "'; (trap '' TERM; sleep 1000) &\n"
                         "while :; do sleep 1000; done");
        start(f, &s, &request);
        until(f, is_over, &s);
        /* Its own deadline and 3 s, then TERM; 2 s, then KILL. */
        assert(clock_boottime() - before >= 3 * USEC_PER_SEC);
        assert(s.errors == 1 && s.outcome == OUTCOME_UNAVAILABLE && s.prompts == 1);
        s.fetch = fetch_free(s.fetch);
        until_childless(f);
}

static void test_leaving_inside_a_callback(Fetcher *f) {
        for (unsigned at = 1; at <= 3; at++) {
                Story s = { .leave_at = at };

                fetch_with(f, &s, "echo '" PROMPT "\n" PROMPT "\n" TOKEN "'; exec sleep 1000");
                assert(!s.fetch && story_n(&s) == at);
                fetch_with(f, &s, "printf '" PROMPT "\n" PROMPT "\nx\n" TOKEN "'; exec sleep 1000");
                assert(!s.fetch && story_n(&s) == at);
        }
}

static bool is_prompted(void *userdata) {
        return ((Story *)userdata)->prompts > 0;
}

static void test_leaving_at_any_time(Fetcher *f) {
        FetchRequest request = { .source = "entra", .deadline = 60 };
        Story s = { 0 };

        assert(!fetch_free(NULL));
        fetcher_write(f, "echo '" PROMPT "'; exec sleep 1000");
        start(f, &s, &request);
        s.fetch = fetch_free(s.fetch); /* before it was launched */
        start(f, &s, &request);
        until(f, is_prompted, &s); /* in the middle */
        s.fetch = fetch_free(s.fetch);
        until_childless(f);
        assert(story_n(&s) == 1);
}

static void test_a_fetcher_that_is_not_installed(Fetcher *f) {
        FetchRequest request = { .source = "entra", .deadline = 60 };
        Story s = { 0 };

        assert(unlink(f->script) == 0);
        start(f, &s, &request);
        until(f, is_over, &s);
        assert(s.errors == 1 && s.outcome == OUTCOME_UNAVAILABLE && strstr(s.text, "installed"));
        fetch_free(s.fetch);
}

static void test_nothing_leaks(Fetcher *f) {
        unsigned before = descriptors_of(getpid());

        for (unsigned i = 0; i < 50; i++) {
                expect_token(f, "echo '" TOKEN "'");
                expect_try_later(f, "echo garbage");
        }
        assert(descriptors_of(getpid()) == before);
}

int main(void) {
        Fetcher f;

        fetcher_init(&f, "exit 0");
        test_what_a_good_fetcher_says(&f);
        test_what_a_bad_fetcher_says(&f);
        test_the_limits_of_what_it_says(&f);
        test_the_request_as_it_arrives(&f);
        test_what_a_request_has_not_is_left_out(&f);
        test_a_fetcher_that_does_not_listen(&f);
        test_a_fetcher_that_hangs(&f);
        test_leaving_inside_a_callback(&f);
        test_leaving_at_any_time(&f);
        test_a_fetcher_that_is_not_installed(&f);
        test_nothing_leaks(&f);
        fetcher_deinit(&f);
        return 0;
}
