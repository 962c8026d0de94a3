/* SPDX-License-Identifier: MIT */
/*
 * The ways in, and what they share. Each is one function in one file, named once in main.c's table;
 * it blocks until it has an answer, and nothing of it outlives the process.
 */
#pragma once

#include "fetch/event.h"
#include "fetch/request.h"

/*
 * Fill *answer (zeroed at first) with a token or an error by request->deadline_usec. 0, or a
 * negative errno when not even that could be done.
 */
typedef int (*SourceFetch)(Answer *answer, const Request *request);

int device_code_fetch(Answer *answer, const Request *request);
int refresh_fetch(Answer *answer, const Request *request);
int azure_cli_fetch(Answer *answer, const Request *request);
int browser_fetch(Answer *answer, const Request *request);
int client_credentials_fetch(Answer *answer, const Request *request);

/*
 * What every source of Entra's needs of a request: an authority that may be spoken to, tenant,
 * client id, resource. True, or false with *answer saying which is missing.
 */
bool source_check_entra(Answer *answer, const Request *request);
/* Put an event on standard output and, when a person looks on, its text on standard error. */
void source_prompt(const Prompt *prompt);
/* A line for a person on standard error, if somebody looks on. */
void source_say(const char *text);
