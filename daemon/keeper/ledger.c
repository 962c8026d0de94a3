/* SPDX-License-Identifier: MIT */
#include "keeper/ledger.h"
#include "io/lock.h"
#include "io/timer.h"

static void file_read(int fd, PolicyLedger *file) {
        policy_ledger_check(file, lock_read(fd, file, sizeof(*file)), clock_boot_id(),
                            clock_boottime());
}

/* What the other lives and daemons have spent is spent. */
static void budget_read(int fd, const char *resource, PolicyBudget *b) {
        const PolicyBudget *others;
        PolicyLedger file;

        if (fd < 0)
                return;
        file_read(fd, &file);
        others = policy_ledger_find(&file, resource);
        if (others)
                policy_budget_merge(b, others);
}

static void budget_write(int fd, const char *resource, const PolicyBudget *b) {
        PolicyLedger file;

        if (fd < 0)
                return;
        file_read(fd, &file);
        policy_ledger_put(&file, resource, b);
        lock_write(fd, &file, sizeof(file));
}

bool ledger_spend(Ledger *l, int fd, Slot *s, bool *counts, SpentFor why) {
        PolicyBudget *b = &s->plain->budget;
        uint64_t now = clock_boottime();

        budget_read(fd, s->resource, b);
        *counts = *counts || now < b->until;
        if (*counts && !slot_has_budget(s, now))
                return false;
        l->before = *b;
        policy_budget_leave(b, *counts, now);
        l->sent_before_usec = l->sent_usec;
        l->sent_usec = now;
        if (*counts)
                slot_add_spent(s, now, why);
        budget_write(fd, s->resource, b);
        return true;
}

/* The lock is held since it was counted: nobody has counted anything else. */
void ledger_unspend(Ledger *l, int fd, Slot *s) {
        s->plain->budget = l->before;
        budget_write(fd, s->resource, &l->before);
        slot_drop_spent(s, l->sent_usec);
        l->sent_usec = l->sent_before_usec;
}

void ledger_cover(int fd, Slot *s, AccountSource source) {
        PolicyBudget *b = &s->plain->budget;

        budget_read(fd, s->resource, b);
        policy_budget_cover(b, s->token->issued_usec,
                            policy_covered_until(source, s->token, s->refresh_usec));
        budget_write(fd, s->resource, b);
}
