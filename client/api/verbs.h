/* SPDX-License-Identifier: MIT */
/*
 * The verbs of the program iotc-token-api, as command/verbs.h has those of iotc-token.
 */
#pragma once

#include "base/args.h"
#include "base/verb-texts.h"

/* verb-api.c */
int verb_api(const Verb *verb, int argc, char **argv);
/* verb-check.c */
int verb_check(const Verb *verb, int argc, char **argv);
/* verb-create.c */
int verb_token_create(const Verb *verb, int argc, char **argv);
/* verb-rotate.c */
int verb_token_rotate(const Verb *verb, int argc, char **argv);
/* verb-tokens.c */
int verb_token_list(const Verb *verb, int argc, char **argv);
int verb_token_show(const Verb *verb, int argc, char **argv);
int verb_token_revoke(const Verb *verb, int argc, char **argv);
