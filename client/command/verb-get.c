/* SPDX-License-Identifier: MIT */
/*
 * iotc-token get: one call through the public library, and the token on standard output. Nothing
 * else may cost time here. It does not wait for a sign-in that is pending (the library's
 * IOTC_TOKEN_WAIT_FOR_SIGN_IN): a script is better told at once that a person is needed.
 */
#include <iotc-token.h>

#include "base/display.h"
#include "base/output.h"
#include "base/say.h"
#include "command/verbs.h"
#include "common/json.h"

enum {
        GET_TIMEOUT_SEC = 90
};

CLEANUP_FUNC(iotc_token_client, iotc_token_close)
CLEANUP_FUNC(iotc_token, iotc_token_free)

static int get_fail(iotc_token_client *client) {
        return fail_error(iotc_token_error_name(client), iotc_token_error_text(client));
}

static int get_json(iotc_token_client *client, const char *selector,
                    const iotc_token_options *options) {
        CLEANUP(iotc_token_freep) iotc_token *token = NULL;
        CLEANUP(freep) char *name = NULL;
        JsonWriter out = { .f = stdout };

        if (iotc_token_find_account(client, selector, &name) < 0 ||
            iotc_token_get(client, name, options, &token) < 0)
                return get_fail(client);
        json_writer_open(&out, NULL, '{');
        json_writer_string_or_null(&out, "account", name);
        json_writer_string_or_null(&out, "token", iotc_token_value(token));
        json_writer_string_or_null(&out, "type", iotc_token_type(token));
        display_json_time(&out, "expires_at", iotc_token_expires_at(token));
        json_writer_close(&out, '}');
        json_writer_end(&out);
        return EXIT_DONE;
}

static int get_text(iotc_token_client *client, const char *selector,
                    const iotc_token_options *options, bool header) {
        CLEANUP(iotc_token_freep) iotc_token *token = NULL;
        int r;

        if (header)
                r = iotc_token_get_authorization(client, selector, options, &token);
        else
                r = iotc_token_get(client, selector, options, &token);
        if (r < 0)
                return get_fail(client);
        fputs(header ? "Authorization: " : "", stdout);
        fputs(iotc_token_value(token), stdout);
        fputc('\n', stdout);
        return EXIT_DONE;
}

int verb_get(const Verb *verb, int argc, char **argv) {
        CLEANUP(iotc_token_closep) iotc_token_client *client = NULL;
        iotc_token_options asked = { .size = sizeof(asked), .timeout = GET_TIMEOUT_SEC };
        bool header = false, json = false, force = false, no_wait = false;
        const Option options[] = {
                { "header", NULL, N_("print an Authorization header"), OPTION_FLAG, &header },
                { "json", NULL, N_("print account, token, type and expiry"), OPTION_FLAG, &json },
                { "resource", "URI", N_("for another resource, if the settings allow it"),
                  OPTION_STRING, &asked.resource },
                { "min-valid", "S", N_("only a token that lives at least S seconds more"),
                  OPTION_NUMBER, &asked.min_valid },
                { "force", NULL, N_("not the token that is held now, but a new one"), OPTION_FLAG,
                  &force },
                { "no-wait", NULL, N_("only what is in memory now"), OPTION_FLAG, &no_wait },
                { 0 },
        };
        const char *selector;
        int r;

        r = args_parse(verb, options, &argc, argv, 0, 1);
        if (r)
                return r;
        if (header && json)
                return args_wrong(verb, "--header and --json exclude each other");
        selector = args_selector(argc, argv);
        asked.flags = (force ? IOTC_TOKEN_FORCE : 0) | (no_wait ? IOTC_TOKEN_NO_WAIT : 0);

        r = iotc_token_open(&client);
        if (r < 0)
                return fail_errno(r);
        return json ? get_json(client, selector, &asked)
                    : get_text(client, selector, &asked, header);
}
