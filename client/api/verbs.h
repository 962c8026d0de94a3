/* SPDX-License-Identifier: MIT */
/*
 * The verbs of the program iotc-token-api, as ../verbs.h has those of iotc-token.
 */
#pragma once

#include "../verbs.h"

/* verb-api.c */
int verb_api(const Verb *verb, int argc, char **argv);
