/* SPDX-License-Identifier: MIT */
/*
 * What iotc-token can do: each verb parses its arguments, does its work, prints its result and
 * returns the exit code, everything that went wrong having been said.
 */
#pragma once

#include "base/args.h"
#include "base/verb-texts.h"

/* verb-get.c: the one that scripts call often; over the public library alone */
int verb_get(const Verb *verb, int argc, char **argv);
/* verb-list.c */
int verb_list(const Verb *verb, int argc, char **argv);
int verb_status(const Verb *verb, int argc, char **argv);
/* verb-watch.c */
int verb_watch(const Verb *verb, int argc, char **argv);
/* verb-login.c */
int verb_login(const Verb *verb, int argc, char **argv);
/* verb-app.c */
int verb_app(const Verb *verb, int argc, char **argv);
/* verb-api-token.c */
int verb_api_token(const Verb *verb, int argc, char **argv);
/* verb-account.c */
int verb_refresh(const Verb *verb, int argc, char **argv);
int verb_logout(const Verb *verb, int argc, char **argv);
int verb_remove(const Verb *verb, int argc, char **argv);
int verb_default(const Verb *verb, int argc, char **argv);
int verb_unlock(const Verb *verb, int argc, char **argv);

/* verb-remote.c: become the program of client/api or client/exec */
int verb_remote(const Verb *verb, int argc, char **argv);
int verb_exec(const Verb *verb, int argc, char **argv);
