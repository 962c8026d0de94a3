/* SPDX-License-Identifier: MIT */
/*
 * Who is signed in to the Azure CLI is decided there, by az login and az logout. az writes its
 * azureProfile.json then: a hint, which says when and not who, so that nothing is read of it.
 */
#pragma once

#include "env.h"
#include "model/account.h"
#include "model/record.h"

typedef struct AzWatch AzWatch;

/* changing: the file is being written, and az must not be run: it takes a half of it for broken,
 * and writes an empty one over it. Else it is at rest. */
typedef void (*AzWatchFn)(bool changing, void *userdata);

/* NULL when the account's source is another one, or the file can't be watched, which is logged. */
AzWatch *az_watch_new(Env *env, const Account *a, AzWatchFn fn, void *userdata);
/* NULL is fine. Returns NULL. */
AzWatch *az_watch_free(AzWatch *w);
/* NULL is fine for both. */
bool az_watch_is_changing(const AzWatch *w);
/* Was t given out before somebody signed in to az, or out? */
bool az_watch_is_newer(const AzWatch *w, const RecordToken *t);
