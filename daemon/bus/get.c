/* SPDX-License-Identifier: MIT */
/*
 * The Get calls: options in, a token or an error out. The warm path is get_start() down to the
 * first reply: no allocation of ours, no look-up but the account's.
 */
#include "bus/calls.h"
#include "common/json.h"
#include "common/text.h"
#include "model/limits.h"

#define TIMEOUT_DEFAULT 20
#define TIMEOUT_REFRESH 90

/* Read a variant of the one type that the option has. */
static int option_read(sd_bus_message *m, const char *key, const char *type, void *ret,
                       sd_bus_error *error) {
        int r;

        r = sd_bus_message_enter_container(m, 'v', type);
        if (r == -ENXIO)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "The option '%s' must be of type '%s'.", key, type);
        if (r < 0)
                return r;
        r = sd_bus_message_read_basic(m, type[0], ret);
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

/* The reply repeats a word of the caller's: cut short, but never inside a character. */
static int option_unknown(const char *key, sd_bus_error *error) {
        CLEANUP(freep) char *shown = text_clean(key, LIMIT_KEY_SHOWN);

        return sd_bus_error_setf(
                error, SD_BUS_ERROR_INVALID_ARGS,
                "There is no option '%s'. There are: min-valid, force, resource, claims, timeout.",
                shown ? shown : "");
}

/* What is no JSON object would be refused by the fetcher, as if the account were to blame. */
static int option_check_claims(const char *claims, sd_bus_error *error) {
        CLEANUP(json_freep) Json *object = NULL;
        size_t n = strlen(claims);
        int r;

        if (n > LIMIT_CLAIMS)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "The option 'claims' is over %d bytes long.",
                                         LIMIT_CLAIMS);
        r = json_parse(&object, claims, n);
        if (r == -EBADMSG)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "The option 'claims' is not the text of a JSON object.");
        return r;
}

static int option_take(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error) {
        KeeperAsk *ask = userdata;
        uint32_t seconds;
        int r, flag;

        if (streq(key, "min-valid")) {
                ask->wish.strict = true;
                return option_read(m, key, "u", &ask->wish.min_valid, error);
        }
        if (streq(key, "force")) {
                r = option_read(m, key, "b", &flag, error);
                ask->force = r >= 0 && flag;
                return r;
        }
        if (streq(key, "resource"))
                return option_read(m, key, "s", &ask->resource, error);
        if (streq(key, "claims")) {
                r = option_read(m, key, "s", &ask->claims, error);
                return r < 0 ? r : option_check_claims(ask->claims, error);
        }
        if (streq(key, "timeout")) {
                r = option_read(m, key, "u", &seconds, error);
                if (r >= 0 && seconds > LIMIT_TIMEOUT_SECONDS)
                        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                                 "The option 'timeout' is %d seconds at most.",
                                                 LIMIT_TIMEOUT_SECONDS);
                ask->timeout_usec = seconds * USEC_PER_SEC;
                return r;
        }
        return option_unknown(key, error);
}

/* As it is: to look whether it is UTF-8 would be half of the warm path, and a Token is ASCII. */
static int append_ascii(sd_bus_message *m, const char *s) {
        size_t n = strlen(s);
        char *to;
        int r;

        r = sd_bus_message_append_string_space(m, n, &to);
        if (r >= 0)
                memcpy(to, s, n);
        return r;
}

static int reply_token(sd_bus_message *call, const Token *t, bool authorization) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(call, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_sensitive(reply);
        if (r < 0)
                return r;
        r = append_ascii(reply, authorization ? t->header : t->value);
        if (r >= 0 && !authorization)
                r = append_ascii(reply, token_type_to_string(t->type));
        if (r >= 0)
                r = sd_bus_message_append_basic(reply, 't', &(uint64_t){ token_expires_at(t) });
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static void get_on_token(Token *token, const Problem *problem, void *userdata) {
        Call *c = userdata;
        int r;

        if (!token) {
                call_fail(c, problem);
                return;
        }
        r = reply_token(c->message, token, c->authorization);
        if (r < 0)
                (void)sd_bus_reply_method_errno(c->message, r, NULL);
        call_drop(c);
}

int get_start(Link *l, sd_bus_message *m, Keeper *k, bool authorization, sd_bus_error *error) {
        KeeperAsk ask = { .timeout_usec = TIMEOUT_DEFAULT * USEC_PER_SEC };
        Problem problem = { 0 };
        Waiter *waiter = NULL;
        Token *token;
        Call *call;
        int r;

        r = dict_read(m, option_take, &ask, error);
        if (r < 0)
                return r;
        ask.may_manage = ask.claims && caller_check(l, m, NULL) >= 0;
        ask.caller = link_sender(l, m);
        ask.interactive = sd_bus_message_get_allow_interactive_authorization(m) > 0;
        r = keeper_get(k, &ask, &token, &waiter, get_on_token, NULL, &problem);
        if (r != 0)
                return handler_result(r, &problem, error);
        if (token)
                return reply_token(m, token, authorization);

        r = call_new(&call, l, m, &problem);
        if (r != 0) {
                waiter_free(waiter);
                return handler_result(r, &problem, error);
        }
        call->authorization = authorization;
        call->waiter = waiter;
        waiter_set_userdata(waiter, call);
        return 1;
}

static void refresh_on_token(Token *token, const Problem *problem, void *userdata) {
        if (token)
                call_done(userdata);
        else
                call_fail(userdata, problem);
}

int refresh_start(Link *l, sd_bus_message *m, Keeper *k, sd_bus_error *error) {
        KeeperAsk ask = { .force = true,
                          .person = true,
                          .timeout_usec = TIMEOUT_REFRESH * USEC_PER_SEC };
        Problem problem = { 0 };
        Waiter *waiter = NULL;
        Token *token;
        Call *call;
        int r;

        r = keeper_get(k, &ask, &token, &waiter, refresh_on_token, NULL, &problem);
        if (r != 0)
                return handler_result(r, &problem, error);
        if (token)
                return sd_bus_reply_method_return(m, NULL);
        r = call_new(&call, l, m, &problem);
        if (r != 0) {
                waiter_free(waiter);
                return handler_result(r, &problem, error);
        }
        call->waiter = waiter;
        waiter_set_userdata(waiter, call);
        return 1;
}
