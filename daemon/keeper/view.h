/* SPDX-License-Identifier: MIT */
/*
 * What was told of an account last, to tell changes apart, and its last error.
 */
#pragma once

#include "keeper/keeper.h"

typedef struct View {
        KeeperState state;
        uint64_t expires_at, refresh_at, last_refresh_at;
        char *user, *tenant;
        Problem last_error;
        bool error_changed; /* since view_update() */
        bool unsaved;       /* the last error says that the keyring has not its sign-in yet */
        unsigned warned;    /* of the end of the API token that ends then, so many days before */
        uint64_t warned_ends_at; /* Token.ends_at */
} View;

/* Problem of outcome 0: none any more. Copied. */
void view_set_error(View *v, const Problem *problem);
/* ACCOUNT_CHANGED_* of what differs from now on; it counts as told. refresh_at: when its token is
 * to be refreshed, s since 1970. */
unsigned view_update(View *v, const KeeperView *now, uint64_t refresh_at);
void view_deinit(View *v);
