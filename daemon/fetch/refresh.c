/* SPDX-License-Identifier: MIT */
/*
 * A new access token for a refresh token (RFC 6749 section 6).
 */
#include "common/secret.h"
#include "fetch/oauth.h"
#include "fetch/redeem.h"
#include "fetch/source.h"

int refresh_fetch(Answer *answer, const Request *request) {
        CLEANUP(secret_freep) char *form = NULL;

        if (!source_check_entra(answer, request))
                return 0;
        if (!request->refresh_token) {
                answer_set(answer, ANSWER_SIGN_IN_NEEDED,
                           "There is no stored sign-in for this account. Sign in.");
                return 0;
        }
        form = oauth_form_refresh(request);
        redeem_form(answer, request, form, NULL, oauth_read_token);
        return 0;
}
