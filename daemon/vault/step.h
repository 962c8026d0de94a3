/* SPDX-License-Identifier: MIT */
/*
 * What a vault does next with its item in the keyring: PURE, a table of facts. It is asked again
 * after each event, until nothing is left to be begun.
 */
#pragma once

#include <stdbool.h>

/* What is to become of the item. */
typedef enum VaultWant {
        VAULT_WANT_NOTHING, /* it is as memory has it */
        VAULT_WANT_STORED,
        VAULT_WANT_ERASED,
        _VAULT_WANT_MAX,
} VaultWant;

typedef enum VaultStep {
        VAULT_STEP_NONE,
        VAULT_STEP_LOAD,
        VAULT_STEP_LOOK, /* is the item still there? What comes late makes none again */
        VAULT_STEP_STORE,
        VAULT_STEP_ERASE,
        _VAULT_STEP_MAX,
} VaultStep;

typedef struct VaultFacts {
        bool loading;     /* a load is under way */
        bool writing;     /* a store or a deletion is, at most one of both */
        bool loaded;      /* memory is the truth */
        bool reader;      /* somebody waits for what the keyring has now */
        bool due;         /* what was put off is to be tried now */
        bool copy;        /* what memory wants stored is to replace an item that has to be there */
        VaultWant change; /* what somebody waits for, and memory takes over when it is done */
        VaultWant want;   /* what memory wants */
} VaultFacts;

VaultStep vault_step(const VaultFacts *facts);
