/* SPDX-License-Identifier: MIT */
/*
 * What the keyring holds for one account, and its form as text. It names the identity that the
 * secrets belong to, so that a record left by other settings is never used (contract, section 5).
 */
#pragma once

#include "model/account.h"

typedef struct RecordToken {
        char *resource;
        char *access_token;  /* secret */
        uint64_t issued_at;  /* wall clock, s */
        uint64_t expires_at; /* wall clock, s */
        uint64_t refresh_at; /* wall clock, s, when the server advises to refresh; 0: it does not */
        /* The same in CLOCK_BOOTTIME of the boot of this id, which no setting of a clock changes;
         * NULL: not known, as in the records of version 0.1. */
        char *boot;
        uint64_t issued_usec, expires_usec, refresh_usec;
} RecordToken;

typedef struct Record {
        char *source, *authority, *tenant,
                *client_id; /* identity; NULL where the source has none */
        char *whose;        /* identity too: subscription, config-dir, command; NULL: none is set */
        char *user;         /* for display, or NULL */
        char *seen_tenant;  /* the same: as the source named it */
        char *secret;       /* refresh token, API token or client secret; NULL for azure-cli */
        uint64_t secret_at; /* when somebody handed it in, true time, s since 1970; 0: not known */
        RecordToken *tokens;
        size_t n_tokens;
} Record;

/* An empty record with the account's identity. 0 or -ENOMEM. */
int record_new(Record **ret, const Account *a);
/* NULL is fine. Wipes. Returns NULL. */
Record *record_free(Record *r);

/* The text to store (free by secret_free()). 0 or -ENOMEM. */
int record_to_text(char **ret, const Record *r);
/* 0; -EBADMSG for anything that is no record of this generation; -ENOMEM. */
int record_from_text(Record **ret, const char *text);
/* Are these the secrets of this account's settings? This needs no memory: a "no" wipes them. */
bool record_matches(const Record *r, const Account *a);
/* Do both belong to the same identity? */
bool record_same_identity(const Record *a, const Record *b);

/* Replace the secret (when it was handed in is not known then), the user, or the tenant that the
 * source named; a NULL value takes it out. 0 or -ENOMEM, and nothing changed. */
int record_set_secret(Record *r, const char *secret);
int record_set_user(Record *r, const char *user);
int record_set_seen_tenant(Record *r, const char *tenant);
/* Replace the access token of a resource; its times in CLOCK_BOOTTIME are not known then. 0 or
 * -ENOMEM. */
int record_set_token(Record *r, const char *resource, const char *access_token, uint64_t issued_at,
                     uint64_t expires_at, uint64_t refresh_at);
/* The same times again, exact for as long as the machine runs. boot "": not known. 0 or -ENOMEM. */
int record_set_boottimes(Record *r, const char *resource, const char *boot, uint64_t issued_usec,
                         uint64_t expires_usec, uint64_t refresh_usec);
/* Wipe and forget all access tokens. */
void record_drop_tokens(Record *r);

CLEANUP_FUNC(Record, record_free)
