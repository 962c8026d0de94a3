/* SPDX-License-Identifier: MIT */
/*
 * The slots of an account without a keeper: claims count for the plain slot of their resource.
 */
#undef NDEBUG
#include <assert.h>

#include "fake-time.h"
#include "keeper/slot.h"
#include "model/limits.h"

#define SEC(n) ((uint64_t)(n)*USEC_PER_SEC)
#define GRAPH  "https://graph.microsoft.com"

static void slots_free(Slot **list) {
        while (*list) {
                Slot *next = (*list)->next;

                slot_free(*list);
                *list = next;
        }
}

static void test_each_resource_and_claims_has_one(void) {
        Slot *list = NULL, *plain = slot_get(&list, GRAPH, NULL);
        Slot *claims = slot_get(&list, GRAPH, "{}");

        assert(plain->plain == plain && claims->plain == plain);
        assert(slot_get(&list, GRAPH, NULL) == plain && slot_get(&list, GRAPH, "{}") == claims);
        assert(plain->refresh_usec == USEC_INFINITY && !plain->token);
        slots_free(&list);

        /* The plain one is made with the first claims of a resource. */
        claims = slot_get(&list, GRAPH, "{}");
        assert(claims->plain == list && claims->plain != claims && !list->claims);
        slots_free(&list);
}

static void test_challenges_are_limited(void) {
        Slot *list = NULL;
        char claims[16];

        for (unsigned i = 0; i < LIMIT_CHALLENGES; i++) {
                snprintf(claims, sizeof(claims), "{\"n\":%u}", i);
                assert(slot_get(&list, GRAPH, claims));
        }
        assert(!slot_get(&list, GRAPH, "{}") && slot_get(&list, "https://other", NULL));
        slots_free(&list);
}

static void test_claims_are_of_the_budget_of_their_resource(void) {
        Slot *list = NULL, *claims = slot_get(&list, GRAPH, "{}"), *plain = claims->plain;
        uint64_t now = clock_boottime();
        char text[160];

        for (unsigned i = 0; i < POLICY_BUDGET_SIZE / 2; i++) {
                assert(slot_has_budget(claims, now));
                policy_budget_spend(&plain->budget, now);
                slot_add_spent(claims, now, SPENT_FOR_CLAIMS);
        }
        /* Half of it is left for the others. */
        assert(!slot_has_budget(claims, now) && slot_has_budget(plain, now));
        assert(slot_may_ask_at(claims) == now + SEC(POLICY_BUDGET_SECONDS));
        slot_add_spent(plain, now + 1, SPENT_FOR_FORCE);
        slot_explain_spent(plain, now, text, sizeof(text));
        assert(streq(text, "6 requests in 5 minutes (1 for force, 6 for claims)"));
        slot_drop_spent(plain, now + 1);
        slot_explain_spent(claims, now, text, sizeof(text));
        assert(streq(text, "6 requests in 5 minutes (6 for claims)"));
        assert(slot_has_budget(claims, now + SEC(POLICY_BUDGET_SECONDS)));
        slots_free(&list);
}

static void test_the_budget_delays_what_is_due(void) {
        const Problem failed = { .outcome = OUTCOME_UNAVAILABLE };
        Slot *list = NULL, *s = slot_get(&list, GRAPH, NULL);
        uint64_t now = clock_boottime(), at = now + SEC(POLICY_BUDGET_SECONDS);

        s->budget.until = USEC_INFINITY;
        for (unsigned i = 0; i < POLICY_BUDGET_SIZE; i++)
                policy_budget_spend(&s->budget, now);
        assert(slot_retry_at(s, ACCOUNT_SOURCE_ENTRA, 0, now) == at && s->failures == 1);
        slot_fail(s, &failed, now + SEC(1), 0);
        assert(slot_wait_for_budget(s) == at);
        assert(s->failure.retry_at == at && s->refresh_usec == at);
        slots_free(&list);
}

static void test_a_token_ends_failures_and_the_report(void) {
        const Problem failed = { .outcome = OUTCOME_UNAVAILABLE };
        Slot *list = NULL, *s = slot_get(&list, GRAPH, NULL);
        uint64_t now = clock_boottime();
        Token *t;

        slot_fail(s, &failed, now + SEC(1), 0);
        s->reporter = strdup(":1.1");
        assert(token_new(&t, TOKEN_TYPE_BEARER, "secret-at-1") == 0);
        t->issued_usec = now;
        t->expires_usec = now + SEC(3600);
        slot_set_token(s, ACCOUNT_SOURCE_ENTRA, t, now);
        token_unref(t);
        assert(s->token && s->failure.outcome == OUTCOME_OK && !s->reporter);
        assert(s->refresh_usec > now && s->refresh_usec < now + SEC(3600));
        slot_apply_event(s, KEEPER_EVENT_OTHER_IDENTITY);
        assert(!s->token && s->refresh_usec == USEC_INFINITY && !s->fetched_usec);
        slots_free(&list);
}

int main(void) {
        fake_time_init(SEC(86400), 1700000000);
        test_each_resource_and_claims_has_one();
        test_challenges_are_limited();
        test_claims_are_of_the_budget_of_their_resource();
        test_the_budget_delays_what_is_due();
        test_a_token_ends_failures_and_the_report();
        return 0;
}
