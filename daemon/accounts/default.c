/* SPDX-License-Identifier: MIT */
/*
 * Which account is the default: the setting; else the only account of a person's own that gives
 * bearer tokens; else the built-in one. Worked out when the accounts change, not when somebody
 * asks. Adding an account, or failing to, takes the default from nobody.
 */
#include "accounts/manager-private.h"
#include "common/memory.h"

void manager_choose_default(Manager *m) {
        Keeper *before = m->chosen, *only = NULL, *builtin = NULL;
        size_t n = 0;

        for (size_t i = 0; i < m->n_accounts; i++) {
                const Account *a = keeper_account(m->accounts[i]);

                if (a->builtin)
                        builtin = m->accounts[i];
                else if (account_is_bearer(a)) {
                        only = m->accounts[i];
                        n++;
                }
        }
        if (m->default_account)
                m->chosen = manager_find(m, m->default_account);
        else
                m->chosen = n == 1 ? only : n == 0 ? builtin : NULL;
        if (m->ready && (m->chosen != before || m->chosen_gone))
                m->env->listener->manager_changed(MANAGER_CHANGED_DEFAULT_ACCOUNT,
                                                  m->env->listener_userdata);
        m->chosen_gone = false;
}

const char *manager_default_to_write(const Manager *m, const Account *a) {
        const Account *chosen = m->chosen ? keeper_account(m->chosen) : NULL;

        if (!chosen || !account_is_bearer(a))
                return NULL;
        if (chosen->builtin)
                return m->default_account && a->source == ACCOUNT_SOURCE_AZURE_CLI ? a->name : NULL;
        return m->default_account ? NULL : chosen->name;
}

void added_init(Added *ret, const Manager *m, const char *name) {
        *ret = (Added){ .name = xstrdup(name), .default_before = xstrdup(m->default_account) };
}

void added_deinit(Added *added) {
        config_undo_free(added->undo);
        free(added->name);
        free(added->default_before);
        *added = (Added){ 0 };
}
