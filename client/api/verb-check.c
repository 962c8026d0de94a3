/* SPDX-License-Identifier: MIT */
/*
 * iotc-token check: may this account use this application, and if not, which of the many reasons is
 * it, and what mends it? One cheap question, and no patience.
 */
#include "api/app.h"
#include "api/session.h"
#include "api/verbs.h"
#include "base/say.h"

int verb_check(const Verb *verb, int argc, char **argv) {
        CLEANUP(session_freep) Session *s = NULL;
        CLEANUP(http_reply_deinit) HttpReply reply = { 0 };
        const char *app = NULL, *account = NULL, *word;
        CLEANUP(freep) char *own = NULL;
        const Option options[] = {
                { "app", "HOST", N_("the same as HOST, or that of IOTC_TOKEN_APP"), OPTION_STRING,
                  &app },
                { "account", "NAME", N_("the account, if not the one that serves it"),
                  OPTION_STRING, &account },
                { 0 },
        };
        SessionRequest request = { .method = "GET", .path = "/api/devices", .at_once = true };
        int r;

        r = args_parse(verb, options, &argc, argv, 0, 1);
        if (r)
                return r;
        word = argc ? argv[0] : "";
        if (strpbrk(word, "/:.")) {
                if (app)
                        return args_wrong(verb, "'%s' and --app %s both name the application", word,
                                          app);
                app = word;
        } else if (*word) { /* an account's name, as with get */
                account = account ?: word;
                app = app_or_environment(app);
                r = app ? 0 : app_of_account(verb, &own, word);
        }
        app = own ?: app_or_environment(app);
        if (r == 0 && !app)
                return args_wrong(verb, "which application? Name its HOST");
        r = r ?: session_new(&s, verb, app, account);
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
