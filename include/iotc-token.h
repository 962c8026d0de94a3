/* SPDX-License-Identifier: MIT */
/*
 * libiotc-token: authorization for Azure IoT Central, from the daemon iotc-tokend over D-Bus.
 *
 * Ask before each request; the daemon holds the token and answers from memory, so there is
 * nothing to cache, to time or to refresh here. These calls never start a sign-in.
 *
 * The daemon may be restarted at any time: a call that only asks (all but the reports) is made once
 * more, within its time, when the daemon or the connection went away before the answer.
 *
 * Calls are synchronous, or asynchronous in any main loop: see iotc_token_get_async(). A client
 * belongs to one thread at a time; use one for each thread. In the child of a fork(2) its calls are
 * lost, -ECONNRESET, and its next one connects anew. Functions that can fail return 0 or a
 * negative errno; what went wrong, for a program and for a person, is then kept in the client
 * (iotc_token_error_name(), iotc_token_error_text()):
 *
 *   -ENOKEY        a person has to sign in; the text ends with the command to run
 *   -EKEYREVOKED   the keyring is locked        -ENOPROTOOPT  there is no keyring
 *   -EAGAIN        not to be had now, the daemon tries again; so should the caller, later
 *   -ETIME         not to be had within `timeout`, the daemon goes on trying
 *   -EBADE         the account's settings are wrong
 *   -EKEYREJECTED  a policy at the identity service forbids it
 *   -ENOPKG        the program that the account gets its tokens from is missing
 *   -EPERM         the daemon's own access rules forbid it
 *   -ENXIO         no account for this selector
 *   -EINVAL        a malformed selector, option or resource
 *   -EHOSTUNREACH  the daemon is not running and the session bus can't start it
 *   -ENOMEDIUM     there is no session bus
 *   -ETIMEDOUT     the daemon did not answer at all
 *   any other      from the connection or from memory, as errno(3) has it
 *
 * All text is UTF-8. Times are seconds since 1970 UTC, 0 = unknown or never.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* A connection to the daemon: opened by the first call that needs it, again after it was lost. */
typedef struct iotc_token_client iotc_token_client;
/* A token, or the value of an Authorization header. Wiped when it is freed. */
typedef struct iotc_token iotc_token;
/* What a caller may ask for, see below. */
typedef struct iotc_token_options iotc_token_options;

enum {
        /* Not the token that the daemon held when the call came (see GetToken's `force`). */
        IOTC_TOKEN_FORCE = 1 << 0,
        /* What is in memory now, else -EAGAIN at once, while the daemon goes on to get one. */
        IOTC_TOKEN_NO_WAIT = 1 << 1,
        /* If a person is signing in at this moment, wait for that, within `timeout`. */
        IOTC_TOKEN_WAIT_FOR_SIGN_IN = 1 << 2,
};

/*
 * Options of the get calls; a field that is 0 or NULL asks for nothing. Set `size`, so that
 * later versions may add fields at the end, or let IOTC_TOKEN_OPTIONS() do so:
 *
 *     iotc_token_get(client, "", IOTC_TOKEN_OPTIONS(.min_valid = 600), &token)
 */
struct iotc_token_options {
        size_t size;        /* sizeof(iotc_token_options) */
        uint32_t flags;     /* IOTC_TOKEN_FORCE and its kin; an unknown flag is -EINVAL */
        uint32_t min_valid; /* seconds that the token must still live: a strict promise */
        uint32_t timeout;   /* seconds to wait at most, up to 900; 0 = the daemon's default, 20 */
        const char
                *resource;  /* a resource other than the account's own, if its settings allow it */
        const char *claims; /* a claims challenge from WWW-Authenticate, as JSON */
};

#ifndef __cplusplus
#define IOTC_TOKEN_OPTIONS(...) \
        (&(const iotc_token_options){ .size = sizeof(iotc_token_options), __VA_ARGS__ })
#else /* C++20, with the fields in their order */
#define IOTC_TOKEN_OPTIONS(...)                    \
        (&static_cast<const iotc_token_options &>( \
                iotc_token_options{ .size = sizeof(iotc_token_options), __VA_ARGS__ }))
#endif

/* A new client in *ret, to be freed by iotc_token_close(). Does no I/O: 0 or -ENOMEM. */
int iotc_token_open(iotc_token_client **ret);
/* Close the connection and free. NULL is fine. Returns NULL. Tokens it gave stay valid. */
iotc_token_client *iotc_token_close(iotc_token_client *client);

/*
 * A token for `selector`: an account's name, an application's host or any URL on it; NULL or ""
 * is the default account. `options` may be NULL. 0 and *ret, to be freed by iotc_token_free(),
 * or an error of the list above and *ret untouched.
 */
int iotc_token_get(iotc_token_client *client, const char *selector,
                   const iotc_token_options *options, iotc_token **ret);
/*
 * The same, but iotc_token_value() is then the ready value of an HTTP Authorization header:
 * "Bearer …" (RFC 6750, section 2.1), or an IoT Central API token as it is.
 */
int iotc_token_get_authorization(iotc_token_client *client, const char *selector,
                                 const iotc_token_options *options, iotc_token **ret);
/*
 * Tell the daemon that a server answered 401 to `token` (the token, not the header's value).
 * `www_authenticate` is that answer's header of this name, or NULL. The next get call then
 * waits for a better token. 0 or an error of the list above.
 */
int iotc_token_report_rejected(iotc_token_client *client, const char *selector, const char *token,
                               const char *www_authenticate);
/* The name of the account that `selector` means, in *ret, to be freed by free(). */
int iotc_token_find_account(iotc_token_client *client, const char *selector, char **ret);

/* The token or header value itself; borrowed, ends with the token. Never NULL. */
const char *iotc_token_value(const iotc_token *token);
/* "bearer" or "api-token"; NULL for what iotc_token_get_authorization() gave. Borrowed. */
const char *iotc_token_type(const iotc_token *token);
/* When it ends, in seconds since 1970 UTC, as this machine's clock will show it then: minus time(2)
 * it is the life that is left even if the clock is wrong. 0 = unknown or never. */
uint64_t iotc_token_expires_at(const iotc_token *token);
/* Wipe and free. NULL is fine. Returns NULL. */
iotc_token *iotc_token_free(iotc_token *token);

/*
 * The D-Bus error name of the last call that failed, "org.iotc.Token1.Error.SignInNeeded" for
 * example; NULL when the last call succeeded. Borrowed, ends with the client's next call.
 */
const char *iotc_token_error_name(const iotc_token_client *client);
/* The same for a person: what happened and what to do, in a line or two. Never NULL. */
const char *iotc_token_error_text(const iotc_token_client *client);

/*
 * Asynchronous calls, for programs with a main loop: each turn, wait until iotc_token_get_fd() is
 * ready for iotc_token_get_events() or iotc_token_get_timeout() has come, then call
 * iotc_token_process(). Ask all three before each wait: they change with each call and each
 * iotc_token_process(), and there is nothing to wait for while iotc_token_get_fd() is negative.
 */

/* A call that is under way. */
typedef struct iotc_token_call iotc_token_call;

/*
 * How a call ended: result is 0, and token (NULL for a report) is the callee's to free; or result
 * is a negative errno of the list above, which iotc_token_error_name() and iotc_token_error_text()
 * of the call's client explain until the callback returns. Called once, from iotc_token_process()
 * and never from the function that made the call. It may make other calls and free its own, and may
 * close the client.
 */
typedef void (*iotc_token_callback)(int result, iotc_token *token, void *userdata);

/*
 * As iotc_token_get() and iotc_token_get_authorization(), but the result goes to callback. selector
 * and options are not needed afterwards. 0 and *ret, to be freed by iotc_token_call_free(), which
 * before the callback takes it back; ret may be NULL. Or an error of the list above: then there is
 * no call, and callback is not called.
 */
int iotc_token_get_async(iotc_token_client *client, iotc_token_call **ret, const char *selector,
                         const iotc_token_options *options, iotc_token_callback callback,
                         void *userdata);
int iotc_token_get_authorization_async(iotc_token_client *client, iotc_token_call **ret,
                                       const char *selector, const iotc_token_options *options,
                                       iotc_token_callback callback, void *userdata);
/* As iotc_token_report_rejected(). callback may be NULL. */
int iotc_token_report_rejected_async(iotc_token_client *client, iotc_token_call **ret,
                                     const char *selector, const char *token,
                                     const char *www_authenticate, iotc_token_callback callback,
                                     void *userdata);
/* Forget the call; its callback is not called any more. NULL is fine. Returns NULL. Closing
 * the client forgets its calls, too; their handles stay to be freed. */
iotc_token_call *iotc_token_call_free(iotc_token_call *call);

/* The descriptor to poll(2); it is the client's. -ENOTCONN while no call needs it. */
int iotc_token_get_fd(iotc_token_client *client);
/* POLLIN, POLLOUT or both, as poll(2) takes them; 0 while there is no descriptor. */
int iotc_token_get_events(iotc_token_client *client);
/* When to call iotc_token_process() even if nothing comes: µs of CLOCK_MONOTONIC; 0: now;
 * UINT64_MAX: never. */
uint64_t iotc_token_get_timeout(iotc_token_client *client);
/*
 * Do what there is to do, without waiting, and call the callbacks of what has ended. 0, or a
 * negative errno when the connection was lost under a call: then every call has been told. The next
 * call connects again. -EBUSY inside a callback.
 */
int iotc_token_process(iotc_token_client *client);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
