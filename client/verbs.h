/* SPDX-License-Identifier: MIT */
/*
 * What iotc-token can do: each verb parses its arguments, does its work, prints its result and
 * returns the exit code, everything that went wrong having been said.
 */
#pragma once

#include "args.h"
#include "i18n.h"

/* verb-get.c: the one that scripts call often; over the public library alone */
int verb_get(const Verb *verb, int argc, char **argv);
/* verb-list.c */
int verb_list(const Verb *verb, int argc, char **argv);
int verb_status(const Verb *verb, int argc, char **argv);
/* verb-doctor.c */
int verb_doctor(const Verb *verb, int argc, char **argv);
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

/* A program of its own: client/api. */
#define VERB_API_USAGE                                                                            \
        "PATH [-X METHOD] [-d BODY|@FILE|-] [-f KEY=VALUE]... [-F KEY=VALUE]... [--input FILE] "  \
        "[-H HEADER]... [-i] [-q FILTER] [--silent] [--paginate] [--api-version V] [--app HOST] " \
        "[--account NAME]"
#define VERB_API_SUMMARY   N_("Ask an application, by its REST API")
#define VERB_CHECK_USAGE   "HOST [--account NAME]"
#define VERB_CHECK_SUMMARY N_("Ask whether an application takes the account, and why not")
#define VERB_TOKEN_USAGE   "add|create|list|show|revoke|rotate ..."
#define VERB_TOKEN_SUMMARY N_("Keep, make and renew IoT Central API tokens")
#define VERB_TOKEN_CREATE_USAGE                                                               \
        "ID --app HOST --role ROLE... [--organization ID] [--expiry WHEN] [--store-as NAME] " \
        "[--account NAME]"
#define VERB_TOKEN_CREATE_SUMMARY N_("Make an API token at an application, and keep it")
#define VERB_TOKEN_LIST_USAGE     "--app HOST [--json] [--account NAME]"
#define VERB_TOKEN_LIST_SUMMARY   N_("List the API tokens of an application")
#define VERB_TOKEN_SHOW_USAGE     "ID --app HOST [--json] [--account NAME]"
#define VERB_TOKEN_SHOW_SUMMARY   N_("Show one of them")
#define VERB_TOKEN_REVOKE_USAGE   "ID --app HOST [--account NAME]"
#define VERB_TOKEN_REVOKE_SUMMARY N_("Delete an API token at an application")
#define VERB_TOKEN_ROTATE_USAGE   "NAME [--app HOST] [--expiry WHEN] [--account NAME]"
#define VERB_TOKEN_ROTATE_SUMMARY N_("Put a new API token in the place of an account's")
int verb_remote(const Verb *verb, int argc, char **argv);

/* A program of its own: client/exec. */
#define VERB_EXEC_USAGE   "[SELECTOR] [--az] -- COMMAND [ARG]..."
#define VERB_EXEC_SUMMARY N_("Run a command whose Azure libraries get their tokens here")
int verb_exec(const Verb *verb, int argc, char **argv);
