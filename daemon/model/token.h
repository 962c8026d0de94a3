/* SPDX-License-Identifier: MIT */
/*
 * A token that may be handed out: immutable, wiped when the last reference goes. Shared and
 * ref-counted (the only such type here), because a reply may outlive the refresh that replaces it.
 */
#pragma once

#include <iotc-util.h>

typedef enum TokenType {
        TOKEN_TYPE_BEARER,    /* RFC 6750 */
        TOKEN_TYPE_API_TOKEN, /* IoT Central's own: the header's value is the token alone */
} TokenType;

typedef struct Token {
        unsigned n_ref;
        TokenType type;
        uint64_t issued_usec;  /* CLOCK_BOOTTIME */
        uint64_t expires_usec; /* CLOCK_BOOTTIME; USEC_INFINITY: never or unknown */
        uint64_t ends_at;      /* s since 1970, when its end is known by the calendar alone, so that
                                * expires_usec depends on what time it is taken to be; else 0 */
        uint64_t refresh_usec; /* CLOCK_BOOTTIME, when the server advises to refresh; 0: it does not
                                */
        const char *value;     /* the token, inside header */
        char header[];         /* the value of an Authorization header */
} Token;

/*
 * A token with one reference; the times are the caller's to set before it is shared. 0; -EBADMSG
 * when it is none that goes into a header: a bearer token is a b64token (RFC 6750 section 2.1), an
 * API token printable ASCII.
 */
int token_new(Token **ret, TokenType type, const char *value);
Token *token_ref(Token *t);
/* NULL is fine. Returns NULL. */
Token *token_unref(Token *t);

/* "bearer" or "api-token", as GetToken names them. */
const char *token_type_to_string(TokenType type);
/* Time left at now (CLOCK_BOOTTIME), in µs; 0 when it has ended or t is NULL. */
uint64_t token_left_usec(const Token *t, uint64_t now);

CLEANUP_FUNC(Token, token_unref)
