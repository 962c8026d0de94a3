/* SPDX-License-Identifier: MIT */
#include "vault/step.h"
#include "iotc-util.h"

#define NOT 1 /* 0: whatever the fact is */
#define IS  2

#define WANT(want) ((want) + 1)

typedef struct VaultRow {
        int loading, writing, loaded, reader, due, copy, change, want;
        VaultStep step;
} VaultRow;

/* The first row that matches. Reading does not wait for a write, which may wait for a person; a
 * change goes before what memory wants of itself. */
static const VaultRow rows[] = {
        { .loading = NOT, .reader = IS, .step = VAULT_STEP_LOAD },
        { .writing = IS, .step = VAULT_STEP_NONE },
        { .change = WANT(VAULT_WANT_STORED), .step = VAULT_STEP_STORE },
        { .change = WANT(VAULT_WANT_ERASED), .step = VAULT_STEP_ERASE },
        { .due = NOT, .step = VAULT_STEP_NONE },
        { .want = WANT(VAULT_WANT_STORED), .copy = IS, .step = VAULT_STEP_LOOK },
        { .want = WANT(VAULT_WANT_STORED), .step = VAULT_STEP_STORE },
        { .want = WANT(VAULT_WANT_ERASED), .step = VAULT_STEP_ERASE },
        { .loading = NOT, .loaded = NOT, .step = VAULT_STEP_LOAD },
        { .step = VAULT_STEP_NONE },
};

static bool matches(int pattern, bool fact) {
        return pattern == 0 || pattern == (fact ? IS : NOT);
}

static bool matches_want(int pattern, VaultWant want) {
        return pattern == 0 || pattern == WANT((int)want);
}

VaultStep vault_step(const VaultFacts *f) {
        const VaultRow *row = rows;

        while (!(matches(row->loading, f->loading) && matches(row->writing, f->writing) &&
                 matches(row->loaded, f->loaded) && matches(row->reader, f->reader) &&
                 matches(row->due, f->due) && matches(row->copy, f->copy) &&
                 matches_want(row->change, f->change) && matches_want(row->want, f->want)))
                row++; /* the last one matches all */
        return row->step;
}
