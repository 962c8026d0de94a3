/* SPDX-License-Identifier: MIT */
#include <iotc-dbus.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "base/display.h"
#include "base/i18n.h"
#include "base/say.h"
#include "common/redact.h"
#include "lib/start.h"

/* Of the terminal on standard error; 0 when that is none. */
static size_t error_columns(void) {
        struct winsize size;

        if (!isatty(STDERR_FILENO))
                return 0;
        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 40)
                return 80;
        return size.ws_col;
}

static void say_v(const char *prefix, const char *format, va_list ap) {
        CLEANUP(freep) char *said = NULL, *text = NULL, *folded = NULL, *line = NULL;
        size_t columns = error_columns();

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        if (vasprintf(&said, _(format), ap) < 0)
                said = NULL;
#pragma GCC diagnostic pop
        text = redact(said, NULL, 0);
        if (!text)
                return;
        display_clean(text);
        if (columns)
                folded = display_fold(text, columns, strlen(prefix), *prefix ? 4 : 0);
        if (asprintf(&line, "%s%s\n", prefix, folded ?: text) < 0)
                line = NULL;
        if (line)
                (void)!write(STDERR_FILENO, line, strlen(line));
}

void say(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        say_v("", format, ap);
        va_end(ap);
}

int fail(int code, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        say_v("iotc-token: ", format, ap);
        va_end(ap);
        return code;
}

int fail_error(const char *name, const char *text) {
        return fail(exit_of_error(name), "%s",
                    str_empty(text) ? name ?: _("unknown error") : _(text));
}

int fail_errno(int r) {
        return fail(EXIT_FAILED, "%s", strerror(-r));
}

typedef struct ExitCode {
        const char *name;
        int code;
} ExitCode;

static int exit_find(const ExitCode *codes, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (streq(codes[i].name, name))
                        return codes[i].code;
        return EXIT_FAILED;
}

int exit_of_error(const char *name) {
        static const ExitCode codes[] = {
                { IOTC_ERROR_SIGN_IN_NEEDED, EXIT_SIGN_IN_NEEDED },
                { IOTC_ERROR_KEYRING_LOCKED, EXIT_KEYRING },
                { IOTC_ERROR_KEYRING_ABSENT, EXIT_KEYRING },
                { IOTC_ERROR_UNAVAILABLE, EXIT_LATER },
                { IOTC_ERROR_TIMED_OUT, EXIT_LATER },
                { IOTC_ERROR_MISCONFIGURED, EXIT_SETTINGS },
                { IOTC_ERROR_BLOCKED, EXIT_SETTINGS },
                { IOTC_ERROR_SOURCE_MISSING, EXIT_SETTINGS },
                { IOTC_ERROR_DENIED, EXIT_SETTINGS },
                { IOTC_ERROR_NO_SUCH_ACCOUNT, EXIT_NO_ACCOUNT },
                { SD_BUS_ERROR_INVALID_ARGS, EXIT_USAGE },
                /* The daemon does not start, or went away. */
                { START_ERROR, EXIT_LATER },
                { SD_BUS_ERROR_SERVICE_UNKNOWN, EXIT_LATER },
                { SD_BUS_ERROR_NAME_HAS_NO_OWNER, EXIT_LATER },
                { SD_BUS_ERROR_NO_REPLY, EXIT_LATER },
                { SD_BUS_ERROR_TIMEOUT, EXIT_LATER },
                { SD_BUS_ERROR_DISCONNECTED, EXIT_LATER },
                { "System.Error.ECONNRESET", EXIT_LATER },
                { "System.Error.ENOTCONN", EXIT_LATER },
        };

        return exit_find(codes, ARRAY_SIZE(codes), name);
}

int exit_of_state(const char *state) {
        static const ExitCode codes[] = {
                { "ready", EXIT_DONE },        { "signing-in", EXIT_DONE },
                { "locked", EXIT_DONE },       { "sign-in-needed", EXIT_SIGN_IN_NEEDED },
                { "unavailable", EXIT_LATER }, { "misconfigured", EXIT_SETTINGS },
                { "blocked", EXIT_SETTINGS },
        };

        return exit_find(codes, ARRAY_SIZE(codes), state);
}
