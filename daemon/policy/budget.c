/* SPDX-License-Identifier: MIT */
#include "policy/budget.h"

#define BUDGET_USEC (POLICY_BUDGET_SECONDS * USEC_PER_SEC)
#define MAGIC       "iotcbdg2"

#define HASH_START UINT64_C(14695981039346656037)

/* FNV-1a, of text a byte at a time, of a ledger a number at a time. */
static uint64_t hash_next(uint64_t hash, uint64_t what) {
        return (hash ^ what) * UINT64_C(1099511628211);
}

uint64_t policy_budget_at(const PolicyBudget *b, bool half) {
        uint64_t last = b->spent[half ? POLICY_BUDGET_SIZE / 2 : 0];

        return last ? last + BUDGET_USEC : 0;
}

uint64_t policy_budget_due(const PolicyBudget *b) {
        return MIN(policy_budget_at(b, false), b->until);
}

/* The oldest goes, if this one is not older still. */
void policy_budget_spend(PolicyBudget *b, uint64_t now) {
        size_t i = 0;

        if (now < b->spent[0])
                return;
        for (; i + 1 < POLICY_BUDGET_SIZE && b->spent[i + 1] <= now; i++)
                b->spent[i] = b->spent[i + 1];
        b->spent[i] = now;
}

unsigned policy_budget_spent(const PolicyBudget *b, uint64_t now) {
        unsigned n = 0;

        for (size_t i = 0; i < POLICY_BUDGET_SIZE; i++)
                n += b->spent[i] && now < b->spent[i] + BUDGET_USEC;
        return n;
}

void policy_budget_leave(PolicyBudget *b, bool counted, uint64_t now) {
        if (counted)
                policy_budget_spend(b, now);
        if (b->pace == 0)
                b->until = USEC_INFINITY;
        else if (!counted)
                b->until = now + b->pace;
}

void policy_budget_cover(PolicyBudget *b, uint64_t issued, uint64_t until) {
        b->until = until;
        b->pace = until > issued ? until - issued : 0;
}

static uint64_t ledger_sum(const PolicyLedger *l) {
        const char *bytes = (const char *)l;
        uint64_t sum = HASH_START, number;

        for (size_t i = 0; i < offsetof(PolicyLedger, sum); i += sizeof(number)) {
                memcpy(&number, bytes + i, sizeof(number));
                sum = hash_next(sum, number);
        }
        return sum;
}

static void budget_drop_future(PolicyBudget *b, uint64_t now) {
        PolicyBudget past = { .until = b->until, .pace = b->pace };

        for (size_t i = 0; i < POLICY_BUDGET_SIZE; i++)
                if (b->spent[i] <= now)
                        policy_budget_spend(&past, b->spent[i]);
        *b = past;
}

void policy_ledger_check(PolicyLedger *l, size_t n, const char *boot, uint64_t now) {
        bool good = n == sizeof(*l) && memcmp(l->magic, MAGIC, sizeof(l->magic)) == 0 &&
                    l->sum == ledger_sum(l) && strncmp(l->boot, boot, sizeof(l->boot)) == 0;

        if (!good) {
                *l = (PolicyLedger){ 0 };
                memcpy(l->magic, MAGIC, sizeof(l->magic));
                (void)snprintf(l->boot, sizeof(l->boot), "%s", boot);
        }
        for (size_t i = 0; i < POLICY_LEDGER_ENTRIES; i++)
                budget_drop_future(&l->entries[i].budget, now);
}

static uint64_t resource_key(const char *resource) {
        uint64_t key = HASH_START;

        for (const char *p = resource; *p; p++)
                key = hash_next(key, (unsigned char)*p);
        return key ?: 1;
}

const PolicyBudget *policy_ledger_find(const PolicyLedger *l, const char *resource) {
        uint64_t key = resource_key(resource);

        for (size_t i = 0; i < POLICY_LEDGER_ENTRIES; i++)
                if (l->entries[i].resource == key)
                        return &l->entries[i].budget;
        return NULL;
}

void policy_ledger_put(PolicyLedger *l, const char *resource, const PolicyBudget *b) {
        uint64_t key = resource_key(resource);
        uint64_t oldest = UINT64_MAX;
        size_t at = 0;

        for (size_t i = 0; i < POLICY_LEDGER_ENTRIES; i++) {
                uint64_t last = l->entries[i].budget.spent[POLICY_BUDGET_SIZE - 1];
                uint64_t age = l->entries[i].resource ? last + 1 : 0;

                if (l->entries[i].resource == key) {
                        at = i;
                        break;
                }
                if (age < oldest) {
                        oldest = age;
                        at = i;
                }
        }
        l->entries[at].resource = key;
        l->entries[at].budget = *b;
        l->sum = ledger_sum(l);
}
