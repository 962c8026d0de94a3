/* SPDX-License-Identifier: MIT */
#include "model/environment.h"

extern char **environ;

/* A name, or the beginning of names when it ends with an underscore. */
static bool is_one_of(const char *variable, const char *const *names) {
        for (size_t i = 0; names[i]; i++) {
                size_t n = strlen(names[i]);

                if (str_starts(variable, names[i]) &&
                    (variable[n] == '=' || names[i][n - 1] == '_'))
                        return true;
        }
        return false;
}

/* Of the C library, of TLS, and of what interprets scripts. */
bool environment_is_unsafe(const char *variable) {
        static const char *const names[] = {
                "LD_",
                "GLIBC_TUNABLES",
                "GCONV_PATH",
                "MALLOC_",
                "SSLKEYLOGFILE",
                "OPENSSL_",
                "GNUTLS_",
                "BASH_ENV",
                "ENV",
                "PYTHONPATH",
                "PYTHONHOME",
                "PYTHONSTARTUP",
                "PYTHONINSPECT",
                "PYTHONBREAKPOINT",
                "PYTHONUSERBASE",
                "PERL5LIB",
                "PERL5OPT",
                "RUBYLIB",
                "RUBYOPT",
                "NODE_OPTIONS",
                "NODE_PATH",
                "JAVA_TOOL_OPTIONS",
                NULL,
        };

        return is_one_of(variable, names);
}

static bool environment_is_own(const char *variable) {
        static const char *const names[] = {
                "PATH",
                "HOME",
                "USER",
                "LOGNAME",
                "TMPDIR",
                "XDG_",
                "DBUS_SESSION_BUS_ADDRESS",
                "LANG",
                "LANGUAGE",
                "LC_",
                "TZ",
                "https_proxy",
                "HTTPS_PROXY",
                "all_proxy",
                "ALL_PROXY",
                "no_proxy",
                "NO_PROXY",
                NULL,
        };

        return is_one_of(variable, names);
}

static void environment_filter(bool (*keep)(const char *variable)) {
        char **to = environ;

        for (char **from = environ; from && *from; from++)
                if (keep(*from))
                        *to++ = *from;
        if (to)
                *to = NULL;
}

static bool is_safe(const char *variable) {
        return !environment_is_unsafe(variable);
}

void environment_drop_unsafe(void) {
        environment_filter(is_safe);
}

void environment_keep_own(void) {
        environment_filter(environment_is_own);
}
