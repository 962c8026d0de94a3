/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "model/problem.h"

static void test_set_copy_clear(void) {
        Problem a = { 0 }, b = { 0 };

        assert(problem_set(&a, OUTCOME_BLOCKED, "%s: %d", "one", 1) == OUTCOME_BLOCKED);
        assert(a.outcome == OUTCOME_BLOCKED && streq(problem_text(&a), "one: 1"));
        problem_copy(&b, &a);
        assert(b.text != a.text && streq(b.text, a.text) && b.outcome == a.outcome);
        problem_copy(&a, &a);
        assert(streq(a.text, "one: 1"));

        /* What is said later replaces what was said before, also when it quotes it. */
        assert(problem_set(&a, OUTCOME_DENIED, "two: %s", a.text) == OUTCOME_DENIED);
        assert(streq(a.text, "two: one: 1"));
        assert(problem_take(&a, OUTCOME_FAILED, strdup("three")) == OUTCOME_FAILED);
        assert(streq(a.text, "three"));

        problem_clear(&a);
        assert(a.outcome == OUTCOME_OK && streq(problem_text(&a), ""));
        problem_clear(&a);
        problem_copy(&b, &a);
        assert(b.outcome == OUTCOME_OK && !b.text);
}

static void test_a_problem_always_has_a_text(void) {
        for (Outcome o = OUTCOME_OK + 1; o < _OUTCOME_MAX; o++) {
                Problem p = { .outcome = o };

                assert(!str_empty(problem_text(&p)));
        }
}

int main(void) {
        test_set_copy_clear();
        test_a_problem_always_has_a_text();
        return 0;
}
