/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: items.c (who needs a person, and what is shown), above it
 * sign-in.c (the sign-in that the notification's button starts), above both attention.c (the news
 * that come in).
 */
#pragma once

#include "attention/attention.h"
#include "attention/note.h"
#include "io/timer.h"
#include "keeper/keeper.h"
#include "keeper/signin.h"

/* An account that needs a person. */
typedef struct AttentionItem {
        struct AttentionItem *next;
        Keeper *keeper;
        uint64_t ends_at; /* of the API token that is good until then; 0: it is needed now */
        bool met;         /* there is something to tell that was not told */
        bool listed;      /* in the notification */
} AttentionItem;

struct Attention {
        Env *env;
        Desktop *desktop;
        Timer *timer;         /* armed while something waits for its hour to be over */
        AttentionItem *items; /* AttentionItem.next, oldest first */
        SignIn *signin;       /* started from here and pending, or NULL */
        Keeper *keeper;       /* whose; set before it starts */
        bool opened, page_failed;
};

/* items.c */
const char *attention_item_name(const AttentionItem *item);
/* Found or made. */
AttentionItem *attention_item_make(Attention *a, Keeper *k);
/* Found, or NULL. */
AttentionItem *attention_item_find(const Attention *a, const Keeper *k);
/* What the notification is to say of it; borrowed. */
void attention_item_case(const AttentionItem *item, AttentionCase *ret);
/* It needs nobody any more. */
void attention_item_drop(Attention *a, AttentionItem *item);
/* Tell what is to be told and may be; changed: what is shown is true no more. */
void attention_review(Attention *a, bool changed);

/* Show what the person has to do for the sign-in. False: none is under way. */
bool attention_show_sign_in(Attention *a);

/* sign-in.c */
/* Start the sign-in of the first account listed that has one, or go on with the one under way.
 * False: there is none. */
bool attention_sign_in(Attention *a);
/* News of a sign-in. */
void attention_on_signin_changed(SignIn *s, void *userdata);
/* The browser could not be started. */
void attention_on_page_failed(void *userdata);
