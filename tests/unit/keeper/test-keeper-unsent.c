/* SPDX-License-Identifier: MIT */
/*
 * What counts as a request of those that the identity service could take for a loop, and what a
 * person's own wish for a new token gets.
 */
#include "util-service.h"

static void start(Stage *s, Service *service, AccountSource source, Outcome outcome) {
        *service = (Service){ .outcome = outcome };
        stage_init(s);
        stage_put_record(s, source, "secret-rt-1", NULL, 0, 0);
        fake_fetch_answer_by(service_answer, 0, service);
        stage_start(s, source);
        fake_time_pass(SEC(1));
}

static void answer_unsent(Fetch *f, void *userdata) {
        ((Service *)userdata)->n++;
        fake_fetch_unsent(f);
}

/* What never left is not counted, whoever asks, and however often the daemon dies. */
static void test_what_never_left_is_not_counted(void) {
        static const AccountSource sources[] = { ACCOUNT_SOURCE_ENTRA, ACCOUNT_SOURCE_AZURE_CLI,
                                                 ACCOUNT_SOURCE_CLIENT_CREDENTIALS,
                                                 ACCOUNT_SOURCE_COMMAND };

        for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
                Service service = { 0 };
                Caller c = { 0 };
                Stage s;

                start(&s, &service, sources[i], OUTCOME_OK);
                fake_time_pass(SEC(600));
                service.n = 0;
                fake_fetch_answer_by(answer_unsent, SEC(1) / 10, &service);
                for (unsigned n = 0; n < 60; n++) {
                        ASK(&c, &s, 1, .force = true, .person = true);
                        fake_time_pass(SEC(2));
                        assert(c.answers == 1 && c.outcome != OUTCOME_OK);
                        if (n % 10 == 0) {
                                s.keeper = keeper_free(s.keeper);
                                stage_start(&s, sources[i]);
                        }
                }
                assert(service.n >= 50);
                /* When it can leave again, it does. */
                fake_fetch_answer_by(service_answer, SEC(1) / 10, &service);
                ASK(&c, &s, 1, .force = true, .person = true);
                fake_time_pass(SEC(1));
                assert(c.answers == 1 && *c.token);
                stage_deinit(&s);
        }
}

/* A person's own wish is tried at once, ten seconds after the last request, and is told when not;
 * how often, and for what, when there were too many. */
static void test_a_persons_wish(void) {
        Service service;
        Caller c = { 0 };
        Stage s;

        start(&s, &service, ACCOUNT_SOURCE_CLIENT_CREDENTIALS, OUTCOME_UNAVAILABLE);
        fake_time_pass(SEC(35)); /* after 0, 1, 3, 7, 15, 31 s */
        service.n = 0;
        ASK(&c, &s, 20, .force = true, .person = true);
        assert(c.answers == 1 && service.n == 0);
        expect_failure(&c, OUTCOME_UNAVAILABLE, "Not tried; last try 4 s ago. Try again in");
        fake_time_pass(SEC(8));
        ASK(&c, &s, 1, .force = true, .person = true);
        fake_time_pass(SEC(1));
        assert(service.n == 1);
        assert(c.answers == 1 && !strstr(c.text, "Not tried"));
        for (unsigned n = 0; n < 12; n++) {
                fake_time_pass(SEC(10));
                caller_leave(&c);
                ASK(&c, &s, 1, .force = true, .person = true);
                fake_time_pass(SEC(1));
        }
        assert(strstr(c.text, "12 requests in 5 minutes (7 for login or refresh, 5 after one that "
                              "failed)"));
        expect_failure(&c, OUTCOME_UNAVAILABLE, "Try again in");
        assert(service_most(&service) < 15);
        stage_deinit(&s);
}

int main(void) {
        test_what_never_left_is_not_counted();
        test_a_persons_wish();
        return 0;
}
