/* SPDX-License-Identifier: MIT */
/*
 * Which account a selector means (contract, section 2). A token never goes to a mistyped host.
 */
#include "accounts/manager-private.h"
#include "common/host.h"

static int resolve_default(const Manager *m, Keeper **ret, Problem *problem) {
        *ret = m->chosen;
        if (m->chosen)
                return 0;
        if (m->default_account)
                return problem_set(problem, OUTCOME_NO_SUCH_ACCOUNT,
                                   "The default account '%s' does not exist. Choose another: "
                                   "iotc-token default NAME",
                                   m->default_account);
        if (m->n_accounts == 0)
                return problem_set(problem, OUTCOME_NO_SUCH_ACCOUNT,
                                   "No account is set up. Sign in: iotc-token login");
        return problem_set(problem, OUTCOME_NO_SUCH_ACCOUNT,
                           "No account is the default. Name one, or choose one: iotc-token default "
                           "NAME (iotc-token list shows them)");
}

static bool host_is_trusted(const Manager *m, const char *host) {
        if (host_is_loopback(host))
                return true;
        for (char **s = m->app_suffixes; s && *s; s++)
                if (host_under(host, *s))
                        return true;
        return false;
}

/* An unlisted host that no token goes to, and how to bind it to an account. */
static int refuse_host(const Manager *m, const char *host, Problem *problem) {
        const Account *to = NULL;
        size_t n = 0;

        for (size_t i = 0; i < m->n_accounts; i++) {
                const Account *a = keeper_account(m->accounts[i]);

                if (a->builtin || a->system)
                        continue;
                n++;
                if (n == 1 || m->accounts[i] == m->chosen)
                        to = a;
        }
        if (!to)
                return problem_set(problem, OUTCOME_NO_SUCH_ACCOUNT,
                                   "No account lists %s, and it is under none of the setting "
                                   "app-suffixes. If the name is right: iotc-token login --app %s",
                                   host, host);
        return problem_set(problem, OUTCOME_NO_SUCH_ACCOUNT,
                           "No account lists %s, and it is under none of the setting "
                           "app-suffixes. If the name is right: iotc-token app add %s %s",
                           host, host,
                           n == 1 || (m->chosen && keeper_account(m->chosen) == to) ? to->name
                                                                                    : "NAME");
}

static int resolve_app(const Manager *m, const char *selector, Keeper **ret, Problem *problem) {
        CLEANUP(freep) char *host = NULL;
        int r;

        r = host_normalize(&host, selector);
        if (r == -EINVAL)
                return problem_set(
                        problem, OUTCOME_INVALID_ARGS,
                        "The selector is no host name and no https URL (user names in it "
                        "are not allowed). Try: contoso.azureiotcentral.com");
        if (r < 0)
                return r;
        for (size_t i = 0; i < m->n_accounts; i++)
                if (account_has_app(keeper_account(m->accounts[i]), host)) {
                        *ret = m->accounts[i];
                        return 0;
                }
        if (!host_is_trusted(m, host))
                return refuse_host(m, host, problem);
        r = resolve_default(m, ret, problem);
        if (r != 0)
                return r;
        if (!account_is_bearer(keeper_account(*ret)))
                return problem_set(
                        problem, OUTCOME_NO_SUCH_ACCOUNT,
                        "No account lists %s, and the default account holds an API token, "
                        "which is sent to its own applications only.",
                        host);
        return 0;
}

static int selector_resolve(const Manager *m, const char *selector, Keeper **ret,
                            Problem *problem) {
        Keeper *k;

        if (!*selector)
                return resolve_default(m, ret, problem);
        k = manager_find(m, selector);
        if (k) {
                *ret = k;
                return 0;
        }
        if (strlen(selector) > LIMIT_SELECTOR)
                return problem_set(problem, OUTCOME_INVALID_ARGS,
                                   "The selector is over %d bytes long.", LIMIT_SELECTOR);
        if (strpbrk(selector, "/:."))
                return resolve_app(m, selector, ret, problem);
        if (!account_name_valid(selector))
                return problem_set(
                        problem, OUTCOME_NO_SUCH_ACCOUNT,
                        "The selector is neither an account's name nor a host. 'iotc-token "
                        "list' shows the accounts.");
        return problem_set(
                problem, OUTCOME_NO_SUCH_ACCOUNT,
                "There is no account '%s'. 'iotc-token list' shows the accounts; 'iotc-token "
                "login %s' makes it.",
                selector, selector);
}

int manager_resolve(Manager *m, const char *selector, Keeper **ret, Problem *problem) {
        size_t n = m->n_accounts;
        int r;

        r = selector_resolve(m, selector, ret, problem);
        if (r != OUTCOME_NO_SUCH_ACCOUNT)
                return r;
        if (m->unread) {
                problem_clear(problem);
                return problem_set(problem, OUTCOME_MISCONFIGURED, "%s", m->problem);
        }
        if (manager_update_builtin(m) < 0 || m->n_accounts == n)
                return r;
        manager_choose_default(m);
        problem_clear(problem);
        return selector_resolve(m, selector, ret, problem);
}
