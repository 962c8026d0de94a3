/* SPDX-License-Identifier: MIT */
#include "keeper/ledger.h"
#include "common/memory.h"
#include "io/count-file.h"
#include "io/timer.h"

void ledger_open(Ledger *l, const char *runtime_dir, const char *account) {
        CLEANUP(freep) char *name = xasprintf("account-%s.requests", account);
        size_t n;

        l->fd = runtime_dir ? count_file_open(runtime_dir, name) : -1;
        n = count_file_read(l->fd, &l->file, sizeof(l->file));
        policy_ledger_check(&l->file, n, clock_boot_id(), clock_boottime());
}

void ledger_close(Ledger *l) {
        l->fd = fd_close(l->fd);
}

Slot *ledger_slot(const Ledger *l, Slot **list, const char *resource, const char *claims) {
        Slot *s = slot_get(list, resource, claims);
        const PolicyBudget *spent;

        if (!s || s->plain->known)
                return s;
        s->plain->known = true;
        spent = policy_ledger_find(&l->file, resource);
        if (spent)
                s->plain->budget = *spent;
        return s;
}

static void ledger_write(Ledger *l, const Slot *s) {
        policy_ledger_put(&l->file, s->resource, &s->plain->budget);
        count_file_write(l->fd, &l->file, sizeof(l->file));
}

bool ledger_spend(Ledger *l, Slot *s, bool *counts, SpentFor why) {
        PolicyBudget *b = &s->plain->budget;
        uint64_t now = clock_boottime();

        *counts = *counts || now < b->until;
        if (*counts && !slot_has_budget(s, now))
                return false;
        l->before = *b;
        policy_budget_leave(b, *counts, now);
        l->sent_before_usec = l->sent_usec;
        l->sent_usec = now;
        if (*counts)
                slot_add_spent(s, now, why);
        ledger_write(l, s);
        return true;
}

void ledger_unspend(Ledger *l, Slot *s) {
        s->plain->budget = l->before;
        slot_drop_spent(s, l->sent_usec);
        l->sent_usec = l->sent_before_usec;
        ledger_write(l, s);
}

void ledger_cover(Ledger *l, Slot *s, AccountSource source) {
        policy_budget_cover(&s->plain->budget, s->token->issued_usec,
                            policy_covered_until(source, s->token, s->refresh_usec));
        ledger_write(l, s);
}
