/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>

#include "common/host.h"
#include "common/secret.h"
#include "fetch/source.h"

void source_say(const char *text) {
        if (isatty(STDERR_FILENO))
                (void)fprintf(stderr, "%s\n", text);
}

void source_prompt(const Prompt *prompt) {
        CLEANUP(secret_freep) char *line = NULL;

        if (event_format_prompt(&line, prompt) < 0 || event_write(STDOUT_FILENO, line) < 0)
                exit(EXIT_FAILURE);
        source_say(prompt->message);
}

bool source_check_entra(Answer *answer, const Request *request) {
        const struct {
                const char *name;
                const char *value;
        } needed[] = {
                { "authority", request->authority },
                { "tenant", request->tenant },
                { "client_id", request->client_id },
                { "resource", request->resource },
        };
        struct stat st;

        for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
                if (!needed[i].value) {
                        answer_set(answer, ANSWER_MISCONFIGURED, "The request names no %s.",
                                   needed[i].name);
                        return false;
                }
        if (!host_url_is_safe(request->authority) || strpbrk(request->authority, "?#")) {
                answer_set(answer, ANSWER_MISCONFIGURED,
                           "The authority must be an https URL (http on loopback only), as "
                           "https://login.microsoftonline.com is.");
                return false;
        }
        /* curl and az would wait for a pipe's writer. */
        if (request->ca_bundle && stat(request->ca_bundle, &st) == 0 && !S_ISREG(st.st_mode)) {
                answer_set(answer, ANSWER_MISCONFIGURED,
                           "The CA bundle is no regular file. Check the setting 'ca-bundle'.");
                return false;
        }
        return true;
}
