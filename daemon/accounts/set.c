/* SPDX-License-Identifier: MIT */
/*
 * The list of accounts as it is now; nothing here knows the settings files.
 */
#include "accounts/manager-private.h"

Keeper *manager_account(const Manager *m, size_t i) {
        return i < m->n_accounts ? m->accounts[i] : NULL;
}

Keeper *manager_find(const Manager *m, const char *name) {
        for (size_t i = 0; i < m->n_accounts; i++)
                if (streq(keeper_account(m->accounts[i])->name, name))
                        return m->accounts[i];
        return NULL;
}

Keeper *manager_default(const Manager *m) {
        return m->chosen;
}

const char *manager_settings_path(const Manager *m, bool user) {
        return user ? m->user_path : m->system_path;
}

const char *manager_settings_problem(const Manager *m) {
        return m->problem;
}

void manager_append(Manager *m, Keeper *k) {
        m->accounts[m->n_accounts++] = k;
        m->env->listener->account_added(k, m->env->listener_userdata);
}

void manager_take(Manager *m, Keeper *k) {
        size_t i = 0;

        while (m->accounts[i] != k)
                i++;
        keeper_close(k);
        m->env->listener->account_removed(k, m->env->listener_userdata);
        memmove(&m->accounts[i], &m->accounts[i + 1],
                (m->n_accounts - i - 1) * sizeof(m->accounts[0]));
        m->n_accounts--;
        if (m->chosen == k) {
                m->chosen = NULL;
                m->chosen_gone = true;
        }
}

void manager_try_again(Manager *m) {
        for (size_t i = 0; i < m->n_accounts; i++)
                if (keeper_is_awaited(m->accounts[i]))
                        keeper_on_online(m->accounts[i]);
        for (size_t i = 0; i < m->n_accounts; i++)
                if (!keeper_is_awaited(m->accounts[i]))
                        keeper_on_online(m->accounts[i]);
}
