/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "iotc-util.h"
#include "vault/step.h"

/* What a vault does next, row by row, and over all facts together. */

#define NOTHING VAULT_WANT_NOTHING
#define STORED  VAULT_WANT_STORED
#define ERASED  VAULT_WANT_ERASED

static void test_row_by_row(void) {
        static const struct {
                const char *what;
                VaultFacts facts;
                VaultStep step;
        } rows[] = {
                { "it starts", { .due = true }, VAULT_STEP_LOAD },
                { "it is being read", { .due = true, .loading = true }, VAULT_STEP_NONE },
                { "it could not be read", { 0 }, VAULT_STEP_NONE },
                { "all is well", { .loaded = true, .due = true }, VAULT_STEP_NONE },
                { "somebody wants to read it",
                  { .loaded = true, .reader = true },
                  VAULT_STEP_LOAD },
                { "also while a person is asked",
                  { .loaded = true, .reader = true, .writing = true },
                  VAULT_STEP_LOAD },
                { "it is read for others", { .reader = true, .loading = true }, VAULT_STEP_NONE },
                { "a first sign-in",
                  { .loaded = true, .due = true, .want = STORED },
                  VAULT_STEP_STORE },
                { "the same, put off", { .loaded = true, .want = STORED }, VAULT_STEP_NONE },
                { "a new token",
                  { .loaded = true, .due = true, .copy = true, .want = STORED },
                  VAULT_STEP_LOOK },
                { "one write at a time",
                  { .loaded = true, .due = true, .writing = true, .want = STORED },
                  VAULT_STEP_NONE },
                { "one that is written while it is read",
                  { .loaded = true, .due = true, .loading = true, .want = STORED },
                  VAULT_STEP_STORE },
                { "another identity",
                  { .loaded = true, .due = true, .want = ERASED },
                  VAULT_STEP_ERASE },
                { "a sign-out", { .loaded = true, .change = ERASED }, VAULT_STEP_ERASE },
                { "a sign-out of what was not read", { .change = ERASED }, VAULT_STEP_ERASE },
                { "a secret", { .loaded = true, .change = STORED }, VAULT_STEP_STORE },
                { "a secret goes before what is put off",
                  { .loaded = true, .due = true, .copy = true, .change = STORED, .want = ERASED },
                  VAULT_STEP_STORE },
                { "a sign-out waits for the write under way",
                  { .loaded = true, .writing = true, .change = ERASED, .want = STORED },
                  VAULT_STEP_NONE },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (vault_step(&rows[i].facts) != rows[i].step) {
                        fprintf(stderr, "%s: %d\n", rows[i].what, vault_step(&rows[i].facts));
                        abort();
                }
}

/* Whatever the facts are: at most one load and one write, and nothing for nobody. */
static void test_all_facts(void) {
        for (unsigned bits = 0; bits < 64; bits++)
                for (VaultWant change = 0; change < _VAULT_WANT_MAX; change++)
                        for (VaultWant want = 0; want < _VAULT_WANT_MAX; want++) {
                                const VaultFacts f = {
                                        .loading = bits & 1,
                                        .writing = bits & 2,
                                        .loaded = bits & 4,
                                        .reader = bits & 8,
                                        .due = bits & 16,
                                        .copy = bits & 32,
                                        .change = change,
                                        .want = want,
                                };
                                VaultStep step = vault_step(&f);

                                if (step == VAULT_STEP_LOAD)
                                        assert(!f.loading && (f.reader || (!f.loaded && f.due)));
                                else if (step != VAULT_STEP_NONE)
                                        assert(!f.writing && (change || (want && f.due)));
                                if (step == VAULT_STEP_ERASE)
                                        assert(change == ERASED || want == ERASED);
                                if (step == VAULT_STEP_STORE || step == VAULT_STEP_LOOK)
                                        assert(change == STORED || want == STORED);
                                if (!f.writing && change && (f.loading || !f.reader))
                                        assert(step != VAULT_STEP_NONE); /* a person waits */
                        }
}

int main(void) {
        test_row_by_row();
        test_all_facts();
        return 0;
}
