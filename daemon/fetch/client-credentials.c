/* SPDX-License-Identifier: MIT */
/*
 * A token for a client's own secret, without a person (RFC 6749 section 4.4): a service principal
 * on a machine that nobody sits at.
 */
#include "common/secret.h"
#include "fetch/oauth.h"
#include "fetch/redeem.h"
#include "fetch/source.h"

/* Entra's names for "whichever tenant the person is of": a client is of none of them. */
static bool tenant_is_alias(const char *tenant) {
        return strcasecmp(tenant, "common") == 0 || strcasecmp(tenant, "organizations") == 0 ||
               strcasecmp(tenant, "consumers") == 0;
}

int client_credentials_fetch(Answer *answer, const Request *request) {
        CLEANUP(secret_freep) char *form = NULL;

        if (!source_check_entra(answer, request))
                return 0;
        if (tenant_is_alias(request->tenant)) {
                answer_set(answer, ANSWER_MISCONFIGURED,
                           "client-credentials need one tenant: set its id or domain instead of "
                           "'%s'.",
                           request->tenant);
                return 0;
        }
        if (!request->client_secret) {
                answer_set(answer, ANSWER_SIGN_IN_NEEDED,
                           "There is no stored client secret for this account.");
                return 0;
        }
        form = oauth_form_client(request);
        redeem_form(answer, request, form, NULL, oauth_read_client);
        return 0;
}
