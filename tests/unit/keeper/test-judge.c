/* SPDX-License-Identifier: MIT */
/*
 * What a caller can have, row by row, without a keeper: the same facts always give the same answer,
 * and nothing is changed by the question.
 */
#undef NDEBUG
#include <assert.h>

#include "fake-time.h"
#include "keeper/judge.h"

#define SEC(n) ((uint64_t)(n)*USEC_PER_SEC)
#define NOW    SEC(86400)

typedef struct Row {
        const char *what;
        KeeperState state; /* whose rule it is */
        KeeperTimer timer;
        KeeperTry asked;
        unsigned left; /* s of the token's hour; 0: no token */
        PolicyFailure failure;
        JudgeFacts facts;
        Ask ask;
        Verdict verdict;
        bool counts;
        Refusal why;
} Row;

#define READY   KEEPER_STATE_READY, KEEPER_TIMER_REFRESH, KEEPER_TRY_NOW
#define NOBODY  KEEPER_STATE_SIGN_IN_NEEDED, KEEPER_TIMER_OFF, KEEPER_TRY_NEVER
#define DOWN    KEEPER_STATE_UNAVAILABLE, KEEPER_TIMER_BACK_OFF, KEEPER_TRY_BACK_OFF
#define LOADING KEEPER_STATE_READY, KEEPER_TIMER_OFF, KEEPER_TRY_WAIT
#define FAILED(at) \
        { .outcome = OUTCOME_UNAVAILABLE, .tried = NOW - SEC(1), .retry_at = NOW + at }
#define STRICT(n) \
        { .strict = true, .min_valid = n }

static const Row rows[] = {
        { "a fresh token", READY, 3000, .verdict = VERDICT_SERVE },
        { "no token", READY, 0, .verdict = VERDICT_START },
        { "a token near its end", READY, 60, .verdict = VERDICT_START },
        { "one is on its way", READY, 0, .facts = { .running = true }, .verdict = VERDICT_WAIT },
        { "one is to be made", READY, 0, .facts = { .due = true }, .verdict = VERDICT_WAIT },
        { "the best that could be had", READY, 60, .facts = { .ended = true },
          .verdict = VERDICT_SERVE },
        { "the keyring has not answered", LOADING, 0, .verdict = VERDICT_WAIT },
        { "nobody is signed in", NOBODY, 0, .verdict = VERDICT_FAIL, .why = REFUSAL_SIGN_IN },
        { "nobody any more, and a token", NOBODY, 60, .verdict = VERDICT_SERVE },
        { "a sign-in is waited for", NOBODY, 0, .facts = { .signing_in = true },
          .ask = { .interactive = true }, .verdict = VERDICT_WAIT },
        { "a sign-in is not waited for", NOBODY, 0, .facts = { .signing_in = true },
          .verdict = VERDICT_FAIL, .why = REFUSAL_SIGN_IN },
        { "a bad line", READY, 0, .facts = { .misconfigured = true }, .verdict = VERDICT_FAIL,
          .why = REFUSAL_MISCONFIGURED },
        { "the machine goes to sleep", READY, 60, .facts = { .asleep = true },
          .verdict = VERDICT_SERVE },
        { "force", READY, 3000, .ask = { .force = true }, .verdict = VERDICT_START,
          .counts = true },
        { "a promise", READY, 600, .ask = { .wish = STRICT(900) }, .verdict = VERDICT_START,
          .counts = true },
        { "a promise that can't be kept", READY, 600, .facts = { .ended = true },
          .ask = { .wish = STRICT(900) }, .verdict = VERDICT_FAIL, .why = REFUSAL_TOO_SHORT },
        { "soon tried again", DOWN, 0, .failure = FAILED(SEC(2)), .verdict = VERDICT_WAIT },
        { "late tried again", DOWN, 0, .failure = FAILED(SEC(60)), .verdict = VERDICT_FAIL,
          .why = REFUSAL_FAILURE },
        { "late tried again, and a token", DOWN, 60, .failure = FAILED(SEC(60)),
          .verdict = VERDICT_SERVE },
        { "who does not wait", DOWN, 0, .failure = FAILED(SEC(2)), .ask = { .timeout_usec = 1 },
          .verdict = VERDICT_FAIL, .why = REFUSAL_FAILURE },
        { "a person, at once", DOWN, 0, .failure = FAILED(SEC(60)),
          .ask = { .force = true, .person = true }, .verdict = VERDICT_START },
        { "a person, too soon", DOWN, 0, .failure = FAILED(SEC(60)),
          .facts = { .sent_usec = NOW - SEC(1) }, .ask = { .force = true, .person = true },
          .verdict = VERDICT_FAIL, .why = REFUSAL_UNTRIED },
};

static Token *token_of(unsigned left) {
        Token *t;

        assert(token_new(&t, TOKEN_TYPE_BEARER, "secret-at-1") == 0);
        t->issued_usec = NOW + SEC(left) - SEC(3600);
        t->expires_usec = NOW + SEC(left);
        return t;
}

static Judgement judge_row(const Row *row, Slot *s, bool late) {
        KeeperRule rule = { .state = row->state, .timer = row->timer, .asked = row->asked };
        JudgeFacts facts = row->facts;
        Ask ask = row->ask;

        s->failure = row->failure;
        facts.source = ACCOUNT_SOURCE_ENTRA;
        facts.rule = &rule;
        facts.now = NOW;
        facts.allowed = true;
        ask.asked_usec = NOW;
        ask.timeout_usec = late ? 0 : ask.timeout_usec ?: SEC(20);
        if (row->left) {
                s->token = token_of(row->left);
                s->fetched_usec = s->token->issued_usec;
                /* No token's end demands another one yet. */
                s->budget.until = row->left > 120 ? s->token->expires_usec - SEC(120) : 0;
        }
        ask.held = ask.force ? s->token : NULL;
        return late ? judge_late(&facts, s, &ask) : judge(&facts, s, &ask);
}

static void test_each_row(void) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                Slot *list = NULL, *s = slot_get(&list, "https://example.net", NULL);
                Judgement j = judge_row(&rows[i], s, false);

                if (j.verdict != rows[i].verdict || j.counts != rows[i].counts ||
                    (j.verdict == VERDICT_FAIL && j.why != rows[i].why)) {
                        fprintf(stderr, "%s: verdict %d, counts %d, why %d\n", rows[i].what,
                                j.verdict, j.counts, j.why);
                        abort();
                }
                assert(!s->due && !s->counts); /* it only says */
                slot_free(s);
        }
}

/* 12 in 5 minutes; whoever could be served in 10 s waits for that. */
static void test_the_budget_is_spent(void) {
        const Row row = { "force", READY, 3000, .ask = { .force = true } };
        Slot *list = NULL, *s = slot_get(&list, "https://example.net", NULL);
        Judgement j;

        for (unsigned i = 0; i < POLICY_BUDGET_SIZE; i++)
                policy_budget_spend(&s->budget, NOW - SEC(POLICY_BUDGET_SECONDS) + SEC(9 + i));
        j = judge_row(&row, s, false);
        assert(j.verdict == VERDICT_WAIT && j.again_usec == NOW + SEC(9));
        for (unsigned i = 0; i < POLICY_BUDGET_SIZE; i++)
                policy_budget_spend(&s->budget, NOW - SEC(100));
        s->token = token_unref(s->token);
        j = judge_row(&row, s, false);
        assert(j.verdict == VERDICT_FAIL && j.why == REFUSAL_TOO_OFTEN);
        slot_free(s);
}

static void test_whose_time_is_over(void) {
        static const Row with = { .state = KEEPER_STATE_READY,
                                  .asked = KEEPER_TRY_NOW,
                                  .left = 60 };
        static const Row without = { .state = KEEPER_STATE_READY,
                                     .asked = KEEPER_TRY_NOW,
                                     .left = 0 };
        Slot *list = NULL, *s = slot_get(&list, "https://example.net", NULL);
        Judgement j = judge_row(&without, s, true);

        assert(j.verdict == VERDICT_FAIL && j.why == REFUSAL_NOT_YET);
        assert(judge_row(&with, s, true).verdict == VERDICT_SERVE);
        slot_free(s);
}

int main(void) {
        fake_time_init(NOW, 1700000000);
        test_each_row();
        test_the_budget_is_spent();
        test_whose_time_is_over();
        return 0;
}
