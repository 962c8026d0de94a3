/* SPDX-License-Identifier: MIT */
/*
 * iotc-token check: may this account use this application, and if not, which of the many reasons is
 * it, and what mends it? One cheap question, and no patience.
 */
#include "../say.h"
#include "session.h"
#include "verbs.h"

int verb_check(const Verb *verb, int argc, char **argv) {
        CLEANUP(session_freep) Session *s = NULL;
        CLEANUP(http_reply_deinit) HttpReply reply = { 0 };
        const char *app = NULL, *account = NULL;
        const Option options[] = {
                { "app", "HOST", N_("the application"), OPTION_STRING, &app },
                { "account", "NAME", N_("the account, if not the one that serves it"),
                  OPTION_STRING, &account },
                { 0 },
        };
        SessionRequest request = { .method = "GET", .path = "/api/devices", .at_once = true };
        int r;

        r = args_parse(verb, options, &argc, argv, 0, 0);
        if (r)
                return r;
        if (!app)
                return args_wrong(verb, "which application? Add --app HOST");
        r = session_new(&s, verb, app, account);
        if (r)
                return r;
        s->about_it = true;
        r = session_ask(s, &reply, &request);
        if (r)
                return r;
        printf(s->api_token ? _("%s takes the API token of '%s'")
                            : _("%s takes the bearer token of '%s'"),
               s->address.host, s->account);
        putchar('\n');
        return 0;
}
