/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"

#define DAY(n)    ((uint64_t)(n)*86400)
#define API_TOKEN "SharedAccessSignature sr=1&sig=secret-x&skn=ci&se="

/* An account that holds an API token which ends in so many seconds. */
static void start(Stage *s, uint64_t life) {
        char secret[128];

        stage_init(s);
        (void)snprintf(secret, sizeof(secret), API_TOKEN "%llu000",
                       (unsigned long long)(WALL + life));
        stage_put_record(s, ACCOUNT_SOURCE_API_TOKEN, secret, NULL, 0, 0);
        stage_start(s, ACCOUNT_SOURCE_API_TOKEN);
}

static void expect_last_error(const Stage *s, const char *word) {
        KeeperView view;

        keeper_view(s->keeper, &view);
        assert(word ? view.last_error->text && strstr(view.last_error->text, word)
                    : !view.last_error->outcome);
        assert(view.state == KEEPER_STATE_READY);
}

static void test_twice_in_time(void) {
        Stage s;

        start(&s, DAY(100));
        assert(s.warnings == 0);
        expect_last_error(&s, NULL);
        fake_time_pass(SEC(DAY(86)) - SEC(60));
        assert(s.warnings == 0);
        fake_time_pass(SEC(120));
        assert(s.warnings == 1 && s.warned_seconds <= DAY(14) && s.warned_seconds > DAY(13));
        expect_last_error(&s, "work: its API token ends at ");
        assert(stage_changed(&s) & ACCOUNT_CHANGED_LAST_ERROR);
        fake_time_pass(SEC(DAY(10)));
        assert(s.warnings == 1);
        fake_time_pass(SEC(DAY(1)));
        assert(s.warnings == 2 && s.warned_seconds <= DAY(3));
        expect_last_error(&s, "api-token rotate work");
        fake_time_pass(SEC(DAY(2)));
        assert(s.warnings == 2);
        stage_deinit(&s);
}

static void test_over_a_sleep(void) {
        Stage s;

        start(&s, DAY(100));
        fake_time_sleep(SEC(DAY(99)) + SEC(3600));
        fake_time_pass(0);
        assert(s.warnings == 1);
        assert(s.warned_seconds <= 23 * 3600 && s.warned_seconds > 22 * 3600);
        stage_deinit(&s);
}

static void test_at_the_start(void) {
        Stage s;

        start(&s, DAY(10) + 60);
        assert(s.warnings == 1);
        expect_last_error(&s, "ends at 2023-11-24 22:14 UTC.");
        stage_deinit(&s);
        start(&s, DAY(15));
        assert(s.warnings == 0);
        stage_deinit(&s);
}

static void test_a_new_token_starts_over(void) {
        Problem problem = { 0 };
        Changer changer = { 0 };
        char secret[128];
        Stage s;

        start(&s, DAY(2));
        assert(s.warnings == 1);
        (void)snprintf(secret, sizeof(secret), API_TOKEN "%llu000",
                       (unsigned long long)(WALL + DAY(100)));
        assert(keeper_set_secret(s.keeper, secret, &changer.op, changer_on_done, &changer,
                                 &problem) == 0);
        fake_time_pass(SEC(1));
        expect_done(&changer, OUTCOME_OK);
        expect_last_error(&s, NULL);
        fake_time_pass(SEC(DAY(87)));
        assert(s.warnings == 2 && s.warned_seconds > DAY(12));
        stage_deinit(&s);
}

int main(void) {
        test_twice_in_time();
        test_over_a_sleep();
        test_at_the_start();
        test_a_new_token_starts_over();
        return 0;
}
