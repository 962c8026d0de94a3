/* SPDX-License-Identifier: MIT */
/*
 * The verbs that are programs of their own: usage and summary, for the table of iotc-token and for
 * the program's own.
 */
#pragma once

#include "base/i18n.h"

/* client/api */
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

/* client/exec */
#define VERB_EXEC_USAGE   "[SELECTOR] [--az] -- COMMAND [ARG]..."
#define VERB_EXEC_SUMMARY N_("Run a command whose Azure libraries get their tokens here")
