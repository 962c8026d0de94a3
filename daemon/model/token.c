/* SPDX-License-Identifier: MIT */
#include "model/token.h"
#include "common/memory.h"
#include "common/secret.h"
#include "common/text.h"

int token_new(Token **ret, TokenType type, const char *value) {
        const char *scheme = type == TOKEN_TYPE_BEARER ? "Bearer " : "";
        size_t n_scheme = strlen(scheme), n_value = strlen(value);
        Token *t;

        if (type == TOKEN_TYPE_BEARER ? !text_is_b64token(value) : !text_is_printable_ascii(value))
                return -EBADMSG;
        t = xmalloc(sizeof(*t) + n_scheme + n_value + 1);
        *t = (Token){ .n_ref = 1, .type = type, .expires_usec = USEC_INFINITY };
        memcpy(t->header, scheme, n_scheme);
        memcpy(t->header + n_scheme, value, n_value + 1);
        t->value = t->header + n_scheme;
        *ret = t;
        return 0;
}

Token *token_ref(Token *t) {
        t->n_ref++;
        return t;
}

Token *token_unref(Token *t) {
        if (t && --t->n_ref == 0) {
                secret_wipe(t->header, strlen(t->header));
                free(t);
        }
        return NULL;
}

const char *token_type_to_string(TokenType type) {
        return type == TOKEN_TYPE_BEARER ? "bearer" : "api-token";
}

uint64_t token_left_usec(const Token *t, uint64_t now) {
        if (!t)
                return 0;
        if (t->expires_usec == USEC_INFINITY)
                return USEC_INFINITY;
        return t->expires_usec > now ? t->expires_usec - now : 0;
}
