/* SPDX-License-Identifier: MIT */
/*
 * What az said, pure: the token on its standard output, and in the messages (az-text.h) on its
 * standard error the one of some twenty known failures. az tells them apart by nothing but English
 * text, so each row of the table names the text, and a test holds it to real ones.
 */
#pragma once

#include "fetch/event.h"
#include "fetch/request.h"

enum {
        _AZ_E_SUCCESS,
        AZ_E_AGAIN, /* az itself stumbled: one more try may do, else *answer holds */
};

enum {
        /* s: Entra's tokens live up to 28 h. az adds up the life and the wall clock of the moment,
         * so that one which seems to live longer was got by another clock, and may have ended. */
        AZ_LIFE_MAX = 3 * 86400,
        AZ_RETRY = 61, /* seconds: az repeats a server's error from its own cache for 60 */
};

/*
 * Standard output of az account get-access-token -o json, run with TZ=UTC. Fills *answer, with an
 * error when it can't be used. now is wall clock, now_usec CLOCK_BOOTTIME of the same moment.
 */
void az_read_token(Answer *answer, const char *out, size_t n, uint64_t now, uint64_t now_usec);
/*
 * An az that failed: status as of waitpid(2), err what it wrote. The request is for the command to
 * name. Fills *answer; 0 or AZ_E_AGAIN.
 */
int az_read_failure(Answer *answer, int status, const char *err, const Request *request,
                    uint64_t now_usec);
/*
 * The command for a person to sign in: "az login ...", with the account's config folder and tenant,
 * and the scope when asked for. Into text, cut at size; returns text.
 */
char *az_login_command(char *text, size_t size, const Request *request, bool scope);
