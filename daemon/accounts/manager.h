/* SPDX-License-Identifier: MIT */
/*
 * The set of keepers: made from the settings, changed through D-Bus, reloaded with them; which
 * account a selector means (contract, section 2); the built-in azure-cli account.
 */
#pragma once

#include "env.h"
#include "keeper/keeper.h"

typedef struct Manager Manager;
typedef struct ManagerOp ManagerOp;

/* account is the one that was added, or NULL. The op's handle is freed by its owner; freed before
 * that, what is added is undone, what is removed goes on unless a person is being asked. */
typedef void (*ManagerOpFn)(Keeper *account, const Problem *problem, void *userdata);

/*
 * Reads the settings; paths may be NULL. Problems in them are logged and shown, not fatal. 0,
 * -errno. Listener calls may come from here on; the built keepers are told by account_added.
 */
int manager_new(Manager **ret, Env *env, const char *system_path, const char *user_path);
Manager *manager_free(Manager *m);
/*
 * Read the settings again, which happens by itself, too, when a file of them has changed: accounts
 * whose identity did not change keep their tokens, those of a bad line wait for it to be mended. 1
 * when something is different, else 0; -ENODATA when a file can't be read: all stays as it was.
 */
int manager_reload(Manager *m);

/* The accounts in the order of the settings; NULL past the end. */
Keeper *manager_account(const Manager *m, size_t i);
Keeper *manager_find(const Manager *m, const char *name);
/* The default account, by setting or as the only one that gives bearer tokens; NULL: none. */
Keeper *manager_default(const Manager *m);
/* The settings file of the user, or the system's: a path that is read, or NULL. Borrowed. */
const char *manager_settings_path(const Manager *m, bool user);
/* What is wrong with a line of [iotc-token] or outside any group, for a person; NULL: nothing. */
const char *manager_settings_problem(const Manager *m);

/* Which account a selector means. 0 and *ret; an Outcome and *problem; -errno. Before it says that
 * there is none it looks whether az was installed meanwhile. */
int manager_resolve(Manager *m, const char *selector, Keeper **ret, Problem *problem);

/*
 * Add an account (taken over in every case). A secret is stored first; fn is then called later. 0;
 * an Outcome with *problem; -errno.
 */
int manager_add(Manager *m, Account *account, const char *secret, ManagerOp **ret, ManagerOpFn fn,
                void *userdata, Problem *problem);
ManagerOp *manager_op_free(ManagerOp *op);
/*
 * Delete what the keyring may have of it, and then take it out of the settings. 0 and *ret NULL: it
 * is gone, the keyring had nothing. 0 and *ret: fn is called later, without an account; unless the
 * outcome is OK nothing has changed. An Outcome with *problem; -errno.
 */
int manager_remove(Manager *m, Keeper *k, ManagerOp **ret, ManagerOpFn fn, void *userdata,
                   Problem *problem);
/* Take it out of the settings alone; what the keyring has of it stays there, is not used, and is
 * overwritten by the next account of that name. 0, Outcome, -errno. */
int manager_forget(Manager *m, Keeper *k, Problem *problem);
/* Write and use other settings for an account (taken over). 0, Outcome, -errno. */
int manager_configure(Manager *m, Keeper *k, Account *account, Problem *problem);
/* name "" or NULL takes the setting out. 0, Outcome, -errno. */
int manager_set_default(Manager *m, const char *name, Problem *problem);
/* May this account's settings be changed at all? 0 or an Outcome. */
int manager_check_changeable(const Manager *m, const Keeper *k, Problem *problem);

void manager_on_keyring(Manager *m, KeyringState state);
/* The network came, went, or is another one. */
void manager_on_online(Manager *m, bool online);
/* The machine is about to sleep, or is back. */
void manager_on_sleep(Manager *m, bool asleep);
/* The wall clock was set by so many seconds. */
void manager_on_clock(Manager *m, int64_t by);
/* Has the keyring been asked for every account, with whatever result? */
bool manager_is_settled(const Manager *m);
/* True when nothing waits to be written that could be, nor is on its way from a source. */
bool manager_flush(Manager *m);

CLEANUP_FUNC(Manager, manager_free)
CLEANUP_FUNC(ManagerOp, manager_op_free)
