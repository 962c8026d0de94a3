/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share. Each calls those before it: set.c (the list), default.c (which
 * of them is the default), settings.c (made from the settings, and made anew when they change),
 * select.c (which account a selector means), edit.c (changing it), op.c (the same with the
 * keyring), manager.c (its life, the events).
 */
#pragma once

#include "accounts/manager.h"
#include "io/config/config.h"
#include "io/notify.h"
#include "io/timer.h"
#include "model/limits.h"

/* The account that was added last: removed again, it leaves the settings as they were. */
typedef struct Added {
        char *name;
        ConfigUndo *undo;
        char *default_before; /* Manager.default_account */
} Added;

/* The machine is back from a sleep, and nothing has been tried yet. */
typedef struct Resume {
        Timer *timer;
        bool pending;
} Resume;

struct ManagerOp {
        Manager *manager;
        ManagerOp *next; /* Manager.ops */
        bool removes;    /* an account of the list; else one is added, and keeper is ours */
        Keeper *keeper;
        KeeperOp *op;
        ManagerOpFn fn; /* NULL: the caller has left, and this frees itself */
        void *userdata;
        Problem problem; /* why an account whose secret is stored was not added */
};

struct Manager {
        Env *env;
        char *system_path, *user_path;
        Notify *system_file, *user_file;    /* NULL: not watched */
        Keeper *accounts[ACCOUNTS_MAX + 1]; /* and the built-in one */
        size_t n_accounts;
        ManagerOp *ops; /* ManagerOp.next; the keyring stores, or deletes, a secret for them */
        Added added;
        Keeper *chosen;   /* the default account */
        bool chosen_gone; /* it was taken out, which is still to be told */
        char *default_account;
        Timer *again;    /* the settings are read again: an account was in the midst of something */
        bool store_told; /* that another store waits for the next start */
        Resume resume;
        Timer *clock_news; /* Env.clock_news */
        char **app_suffixes;
        char *problem; /* of the settings outside any account, as it was logged last; or NULL */
        bool unread;   /* a file was not read: `problem` says why, and what was known stays */
        bool ready;    /* the first settings are in: news may go up */
};

/* set.c */
/* Show an account, or take one out of the list (the caller frees or keeps it). */
void manager_append(Manager *m, Keeper *k);
void manager_take(Manager *m, Keeper *k);
/* Whatever waits for a better time tries now; the accounts that somebody waits for come first. */
void manager_try_again(Manager *m);

/* op.c */
/* At the end: those whose callers have left. */
void manager_free_ops(Manager *m);
bool manager_flush_ops(const Manager *m);

/* edit.c */
/* Is there a place for a new account? Those whose secret is being stored have theirs: the keyring
 * takes its time, and two of one name would write the same item. self: the one that asks. */
int manager_check_new(const Manager *m, const Account *a, const Keeper *self, Problem *problem);
/* Write the new account's group and show it; the list has the keeper then. On failure nothing has
 * changed. */
int manager_admit(Manager *m, Keeper *k, Problem *problem);
/* Can it be removed, as far as the settings go? */
int manager_check_removable(Manager *m, Keeper *k, Problem *problem);
/* Its group goes, and it goes. */
int manager_take_out(Manager *m, Keeper *k, Problem *problem);

/* default.c */
/* After the accounts have changed: the default one. */
void manager_choose_default(Manager *m);
/* The setting `default` to be written with a new account, so that who is the default stays so (the
 * built-in account alone gives way); NULL: it stays as it is. */
const char *manager_default_to_write(const Manager *m, const Account *a);
/* Before an account of this name is added. */
void added_init(Added *ret, const Manager *m, const char *name);
void added_deinit(Added *added);

/* accounts/settings.c */
/* After the accounts have changed, or az was installed: the built-in one. */
int manager_update_builtin(Manager *m);
/* Read the settings again whenever one of the files has changed and is at rest. */
void manager_watch_settings(Manager *m);
/* The time of Manager.again. */
void manager_on_again(void *userdata);

#define MANAGER_BUILTIN_NAME "azure-cli"
