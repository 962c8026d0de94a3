/* SPDX-License-Identifier: MIT */
/*
 * A house for the manager: a stage (util-keeper.h) with settings files of its own, a PATH without
 * az, and somebody who adds accounts and waits for the answer. All of them abort.
 */
#pragma once

#include "util-config.h"
#include "util-keeper.h"

#include "accounts/manager.h"

/* A manager with settings files of its own. */
typedef struct House {
        Stage stage;
        Folder folder;
        Manager *m;
} House;

static inline void on_account(Keeper *k, void *userdata) {
}

static inline void on_manager(unsigned what, void *userdata) {
}

static Listener house_listener;

static inline void house_init(House *h, const char *settings) {
        stage_init(&h->stage);
        house_listener = *h->stage.env.listener;
        house_listener.account_added = on_account;
        house_listener.account_removed = on_account;
        house_listener.manager_changed = on_manager;
        h->stage.env.listener = &house_listener;
        folder_init(&h->folder);
        assert(setenv("PATH", h->folder.path, 1) == 0); /* no az but the test's own */
        if (settings)
                put(h->folder.user, settings);
        assert(manager_new(&h->m, &h->stage.env, h->folder.system, h->folder.user) == 0);
        fake_time_pass(0);
}

static inline void house_deinit(House *h) {
        h->m = manager_free(h->m);
        free(h->stage.env.proxy);
        free(h->stage.env.proxy_credentials);
        free(h->stage.env.ca_bundle);
        stage_deinit(&h->stage);
        assert(setenv("PATH", "/usr/bin:/bin", 1) == 0);
        folder_remove(&h->folder);
}

static inline void house_keyring(House *h, KeyringState state) {
        fake_keyring_set_state(h->stage.keyring, state);
        manager_on_keyring(h->m, state);
        fake_time_pass(0);
}

static inline Account *account_of(const char *name, AccountSource source) {
        Account *a;

        assert(account_new(&a, name, source) == 0);
        return a;
}

/* Somebody who adds an account and waits for it. */
typedef struct Adder {
        ManagerOp *op;
        unsigned answers;
        Outcome outcome;
} Adder;

static inline void on_added(Keeper *k, const Problem *problem, void *userdata) {
        Adder *a = userdata;

        a->answers++;
        a->outcome = problem->outcome;
        assert((k != NULL) == (a->outcome == OUTCOME_OK));
        a->op = manager_op_free(a->op); /* as the bus does */
}

static inline Outcome add(House *h, Adder *adder, Account *account, const char *secret) {
        Problem problem = { 0 };
        int r;

        *adder = (Adder){ 0 };
        r = manager_add(h->m, account, secret, &adder->op, on_added, adder, &problem);
        assert(r >= 0 && adder->answers == 0);
        problem_clear(&problem);
        return (Outcome)r;
}

static inline void on_removed(Keeper *k, const Problem *problem, void *userdata) {
        Adder *a = userdata;

        assert(!k);
        a->answers++;
        a->outcome = problem->outcome;
        a->op = manager_op_free(a->op);
}

/* Somebody who removes an account, and waits for the keyring if need be. */
static inline Outcome take_out(House *h, const char *name) {
        Problem problem = { 0 };
        Adder a = { 0 };
        int r;

        r = manager_remove(h->m, manager_find(h->m, name), &a.op, on_removed, &a, &problem);
        assert(r >= 0 && a.answers == 0 && (r == 0 || !a.op));
        problem_clear(&problem);
        if (!a.op)
                return (Outcome)r;
        fake_time_pass(0);
        if (a.answers == 0)
                fake_time_pass(SEC(10));
        assert(a.answers == 1 && (a.outcome == OUTCOME_OK) == !manager_find(h->m, name));
        return a.outcome;
}
