/* SPDX-License-Identifier: MIT */
/*
 * What the three files of the manager share: manager.c (the set, made from the settings),
 * manager-edit.c (changing it), manager-select.c (which account a selector means).
 */
#pragma once

#include "io/timer.h"
#include "manager.h"
#include "model/limits.h"

struct Manager {
        Env *env;
        char *system_path, *user_path;
        Keeper *accounts[ACCOUNTS_MAX + 1]; /* and the built-in one */
        size_t n_accounts;
        Keeper *leaving[ACCOUNTS_MAX]; /* removed; their item waits for the keyring */
        size_t n_leaving;
        ManagerOp *adding; /* ManagerOp.next; their secrets are being stored */
        Keeper *chosen;    /* the default account */
        char *default_account;
        Timer *resume; /* armed from the machine's return until the first exchange */
        bool resuming;
        char **app_suffixes;
        bool ready; /* the first settings are in: news may go up */
};

/* manager.c */
/* Show an account, or take one out of the list (the caller frees or keeps it). */
void manager_append(Manager *m, Keeper *k);
void manager_take(Manager *m, Keeper *k);
/* Free what was removed and has left the keyring, too. */
void manager_sweep(Manager *m);
/* After the accounts have changed: the built-in one, and the default. */
int manager_update_builtin(Manager *m);
void manager_choose_default(Manager *m);

#define MANAGER_BUILTIN_NAME "azure-cli"
