/* SPDX-License-Identifier: MIT */
/*
 * What the notification says: one for all accounts, in the singular and in the plural, and while a
 * sign-in that it started is under way. Plain text; markup is the desktop's affair.
 */
#pragma once

#include "io/desktop.h"
#include "model/account.h"

/* One account that needs a person. Borrowed. */
typedef struct AttentionCase {
        const char *name, *user; /* user may be NULL */
        AccountSource source;
        uint64_t ends_in; /* s until its API token ends; 0: it needs a person now */
} AttentionCase;

/* Can a button see to it, because its sign-in is ours? */
bool attention_case_has_sign_in(const AttentionCase *c);

/* n > 0 cases. 0 and *ret, to be freed by desktop_note_deinit(); or -ENOMEM. */
int attention_note(DesktopNote *ret, const AttentionCase *cases, size_t n);
/* A sign-in of that account is under way: what the person has to do. code may be empty; opened: its
 * page was opened. Likewise. */
int attention_note_signin(DesktopNote *ret, const char *name, const char *uri, const char *code,
                          bool opened);

/* Keys of the actions. */
#define ATTENTION_ACTION_SIGN_IN "sign-in"
#define ATTENTION_ACTION_OPEN    "open"
#define ATTENTION_ACTION_LATER   "later"
