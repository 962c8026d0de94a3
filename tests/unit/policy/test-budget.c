/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "policy/budget.h"

#define SEC(n) ((uint64_t)(n)*USEC_PER_SEC)
#define NOW    SEC(1000000)
#define BOOT   "0123456789abcdef0123456789abcdef"
#define HERE   "https://apps.azureiotcentral.com"
#define GRAPH  "https://graph.microsoft.com"

static void test_wishes_have_a_budget(void) {
        PolicyBudget b = { 0 };
        unsigned n = 0, half = 0;

        for (uint64_t t = NOW; t < NOW + SEC(300); t += SEC(1)) {
                half += t >= policy_budget_at(&b, true);
                if (t >= policy_budget_at(&b, false)) {
                        policy_budget_spend(&b, t);
                        n++;
                }
        }
        assert(n == 12 && half == 6);
        assert(policy_budget_at(&b, false) == NOW + SEC(300));
        policy_budget_spend(&b, NOW + SEC(300));
        assert(policy_budget_at(&b, false) == NOW + SEC(301));
        assert(policy_budget_at(&b, true) == NOW + SEC(307));
}

/* One that is older than all that count is none of them. */
static void test_the_oldest_go(void) {
        PolicyBudget b = { 0 };

        for (unsigned i = 0; i < 20; i++)
                policy_budget_spend(&b, NOW + SEC(i));
        policy_budget_spend(&b, NOW);
        for (unsigned i = 0; i < POLICY_BUDGET_SIZE; i++)
                assert(b.spent[i] == NOW + SEC(8 + i));
}

/* Without a token's life one that left covers for ever; with it for as long, if it was not counted
 * for something else. */
static void test_what_is_demanded(void) {
        PolicyBudget b = { 0 };

        assert(policy_budget_due(&b) == 0);
        policy_budget_leave(&b, false, NOW);
        assert(b.until == USEC_INFINITY && policy_budget_due(&b) == 0);
        policy_budget_cover(&b, NOW, NOW + SEC(8));
        assert(b.until == NOW + SEC(8) && b.pace == SEC(8));
        for (unsigned i = 0; i < POLICY_BUDGET_SIZE; i++)
                policy_budget_leave(&b, true, NOW + SEC(1));
        assert(b.until == NOW + SEC(8) && policy_budget_due(&b) == NOW + SEC(8));
        policy_budget_leave(&b, false, NOW + SEC(9));
        assert(b.until == NOW + SEC(17) && policy_budget_due(&b) == NOW + SEC(17));
        assert(policy_budget_at(&b, false) == NOW + SEC(301));
        policy_budget_cover(&b, NOW + SEC(9), 0); /* az's */
        assert(b.until == 0 && b.pace == 0);
        policy_budget_leave(&b, true, NOW + SEC(400));
        assert(b.until == USEC_INFINITY);
}

static void ledger_new(PolicyLedger *l) {
        policy_ledger_check(l, 0, BOOT, NOW);
        assert(!policy_ledger_find(l, HERE));
}

static void test_the_bytes_are_read_again(void) {
        PolicyBudget b = { .until = USEC_INFINITY, .pace = SEC(7) };
        PolicyLedger l;

        ledger_new(&l);
        policy_ledger_put(&l, GRAPH, &b); /* nothing spent yet: not a free place */
        policy_budget_spend(&b, NOW);
        policy_ledger_put(&l, HERE, &b);
        policy_budget_spend(&b, NOW + SEC(1));
        policy_ledger_put(&l, HERE, &b);
        policy_ledger_check(&l, sizeof(l), BOOT, NOW + SEC(2));
        assert(memcmp(policy_ledger_find(&l, HERE), &b, sizeof(b)) == 0);
        assert(policy_ledger_find(&l, GRAPH)->until == USEC_INFINITY);
        assert(policy_ledger_find(&l, GRAPH)->spent[POLICY_BUDGET_SIZE - 1] == 0);
}

static void test_times_that_are_yet_to_come(void) {
        PolicyBudget b = { 0 };
        PolicyLedger l;

        ledger_new(&l);
        policy_budget_spend(&b, NOW);
        policy_budget_spend(&b, NOW + SEC(9));
        policy_ledger_put(&l, HERE, &b);
        policy_ledger_check(&l, sizeof(l), BOOT, NOW + SEC(8));
        b = *policy_ledger_find(&l, HERE);
        assert(b.spent[POLICY_BUDGET_SIZE - 1] == NOW && b.spent[POLICY_BUDGET_SIZE - 2] == 0);
}

/* Whatever is found in that file: it is ours, or counts as empty. */
static void test_what_is_no_ledger(void) {
        PolicyBudget b = { 0 };
        PolicyLedger good, l;

        ledger_new(&good);
        policy_budget_spend(&b, NOW);
        policy_ledger_put(&good, HERE, &b);
        for (size_t n = 0; n < sizeof(l); n++) {
                l = good;
                policy_ledger_check(&l, n, BOOT, NOW);
                assert(!policy_ledger_find(&l, HERE));
        }
        for (size_t i = 0; i < sizeof(l) * 8; i++) {
                l = good;
                ((unsigned char *)&l)[i / 8] ^= 1 << i % 8;
                policy_ledger_check(&l, sizeof(l), BOOT, NOW);
                assert(!policy_ledger_find(&l, HERE));
                /* And what is written next is read. */
                policy_ledger_put(&l, HERE, &b);
                policy_ledger_check(&l, sizeof(l), BOOT, NOW);
                assert(policy_ledger_find(&l, HERE));
        }
        memset(&l, 0xff, sizeof(l));
        policy_ledger_check(&l, sizeof(l), BOOT, NOW);
        assert(!policy_ledger_find(&l, HERE));
}

static void test_another_boot(void) {
        PolicyBudget b = { 0 };
        PolicyLedger l;

        ledger_new(&l);
        policy_budget_spend(&b, NOW);
        policy_ledger_put(&l, HERE, &b);
        policy_ledger_check(&l, sizeof(l), "fedcba9876543210fedcba9876543210", NOW);
        assert(!policy_ledger_find(&l, HERE));
        policy_ledger_put(&l, HERE, &b);
        policy_ledger_check(&l, sizeof(l), BOOT, NOW);
        assert(!policy_ledger_find(&l, HERE));
}

static void test_more_resources_than_there_is_room_for(void) {
        PolicyBudget b = { 0 };
        char name[32];
        PolicyLedger l;

        ledger_new(&l);
        for (unsigned i = 0; i < POLICY_LEDGER_ENTRIES + 4; i++) {
                snprintf(name, sizeof(name), "https://%u.example.com", i);
                policy_budget_spend(&b, NOW + SEC(i));
                policy_ledger_put(&l, name, &b);
        }
        assert(policy_ledger_find(&l, name));
        assert(!policy_ledger_find(&l, "https://3.example.com"));
        assert(policy_ledger_find(&l, "https://4.example.com"));
}

int main(void) {
        test_wishes_have_a_budget();
        test_the_oldest_go();
        test_what_is_demanded();
        test_the_bytes_are_read_again();
        test_times_that_are_yet_to_come();
        test_what_is_no_ledger();
        test_another_boot();
        test_more_resources_than_there_is_room_for();
        return 0;
}
