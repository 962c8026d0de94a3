/* SPDX-License-Identifier: MIT */
/*
 * The way to the identity service. The classic trap: a shell has variables for the proxy and the
 * private CA that a user service never sees. Whether that is the fault is told by whether a server
 * was reached just now, so these come after the accounts.
 */
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/display.h"
#include "common/credentials.h"
#include "common/secret.h"
#include "doctor/check.h"

enum {
        PROBE_MSEC = 4000, /* to connect to one address of a proxy */
};

/* The first of these variables that the shell has; NULL when it has none. */
static const char *shell_variable(const char *const *names) {
        for (size_t i = 0; names[i]; i++)
                if (!str_empty(getenv(names[i])))
                        return names[i];
        return NULL;
}

/* The first of them that the daemon has; NULL when it has none. */
static const char *daemon_value(const Doctor *d, const char *const *names) {
        const char *value = NULL;

        for (size_t i = 0; names[i] && str_empty(value); i++)
                value = doctor_daemon_variable(d, names[i]);
        return str_empty(value) ? NULL : value;
}

/* They go the same way: where one gets out, the way is not at fault. */
static bool is_stuck(const Doctor *d) {
        return d->n_unreached && !d->n_reached;
}

/* A proxy of the shell's that the daemon has not, or may not have (no daemon is there to be asked).
 * It is only a problem when nobody gets out without. */
static void tell_proxy_of_shell(Doctor *d, const char *variable, const char *value,
                                const char *daemons) {
        CLEANUP(freep) char *command = NULL, *why = NULL, *remedy = NULL;
        bool stuck = is_stuck(d), known = doctor_knows_environment(d);

        command = known ? doctor_restart_command(d, variable) : doctor_edit_command(d);
        remedy = doctor_text(d,
                             known ? N_("For good: proxy=%s in [iotc-token] of accounts.conf; "
                                        "until the next login:")
                                   : N_("For good: proxy=%s in [iotc-token] of accounts.conf:"),
                             value);
        if (asprintf(&why, "%s %s",
                     doctor_word(d, stuck ? N_("A user service has none of a shell's variables, "
                                               "and a server could not be reached.")
                                          : N_("A user service has none of a shell's variables; it "
                                               "matters where no server is reached without.")),
                     remedy ?: "") < 0)
                why = NULL;
        doctor_tell(d,
                    &(Finding){ .check = "proxy",
                                .state = stuck ? FINDING_PROBLEM : FINDING_NOTE,
                                .why = why,
                                .command = command },
                    !known    ? N_("%s is %s in this shell; whether iotc-tokend has it can't be "
                                      "seen.")
                    : daemons ? N_("%s is %s in this shell; iotc-tokend has %s.")
                              : N_("%s is %s in this shell; iotc-tokend has it not."),
                    variable, value, daemons);
}

int doctor_check_network(Doctor *d) {
        if (d->has_daemon && !properties_number(&d->manager, "Online"))
                doctor_tell(d,
                            &(Finding){ .check = "network",
                                        .state = FINDING_NOTE,
                                        .why = N_("Tokens are renewed when it is back.") },
                            N_("This machine is offline, as far as the daemon can see."));
        return 0;
}

/* 0 or -errno of connect(2). */
static int connect_in_time(const struct addrinfo *a) {
        CLEANUP(fd_closep)
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        socklen_t size = sizeof(int);
        int error = 0;

        if (fd < 0)
                return -errno;
        if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
                return 0;
        if (errno != EINPROGRESS)
                return -errno;
        if (poll(&p, 1, PROBE_MSEC) <= 0)
                return -ETIMEDOUT;
        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : -error;
}

/* Does anybody listen at http://HOST:PORT? NULL, or what is wrong (borrowed). */
static const char *probe(const char *url) {
        const char *scheme = strstr(url, "://"), *from = scheme ? scheme + 3 : url, *port = "1080";
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        CLEANUP(freep) char *host = strndup(from, strcspn(from, "/"));
        struct addrinfo *found = NULL;
        char *name, *end;
        int r;

        if (!host)
                return strerror(ENOMEM);
        name = strrchr(host, '@') ? strrchr(host, '@') + 1 : host;
        end = *name == '[' ? strchr(name++, ']') : NULL;
        if (end)
                *end++ = '\0';
        else
                end = strchr(name, ':');
        if (end && *end == ':') {
                *end = '\0';
                port = end + 1;
        } else if (str_starts(url, "https://"))
                port = "443";
        r = getaddrinfo(name, port, &hints, &found);
        if (r)
                return gai_strerror(r);
        r = -ENOENT;
        for (struct addrinfo *a = found; a && r; a = a->ai_next)
                r = connect_in_time(a);
        freeaddrinfo(found);
        return r ? strerror(-r) : NULL;
}

static void check_credentials(Doctor *d, const char *shown) {
        CLEANUP(secret_freep) char *credentials = NULL;
        CLEANUP(freep) char *command = NULL;
        const char *why = NULL;

        if (d->settings.proxy_credentials)
                credentials = credentials_read(d->settings.proxy_credentials, &why);
        if (!why) {
                doctor_tell(d, &(Finding){ .check = "proxy" }, N_("The setting proxy is %s."),
                            shown);
                return;
        }
        command = strstr(why, "chmod")
                          ? doctor_path_command("chmod 600", d->settings.proxy_credentials)
                          : doctor_edit_command(d);
        doctor_tell(d,
                    &(Finding){ .check = "proxy",
                                .state = FINDING_PROBLEM,
                                .why = N_("It has to be a file of yours, of mode 0600, with one "
                                          "line USER:PASSWORD."),
                                .command = command },
                    N_("The file of the setting proxy-credentials, %s, %s."),
                    d->settings.proxy_credentials, why);
}

/* The daemon passes over what it does not take, so that it goes without a proxy. */
static void check_proxy_setting(Doctor *d, const char *shown) {
        const char *proxy = d->settings.proxy, *fault;
        CLEANUP(freep) char *edit = doctor_edit_command(d);

        if ((!str_starts(proxy, "http://") && !str_starts(proxy, "https://")) ||
            strchr(proxy, '@')) {
                doctor_tell(d,
                            &(Finding){ .check = "proxy",
                                        .state = FINDING_PROBLEM,
                                        .why = N_("It has to be http://HOST:PORT; a user and a "
                                                  "password go into a file that proxy-credentials "
                                                  "names."),
                                        .command = edit },
                            N_("The setting proxy is not used."));
                return;
        }
        fault = probe(proxy);
        if (fault)
                doctor_tell(d,
                            &(Finding){ .check = "proxy",
                                        .state = FINDING_PROBLEM,
                                        .why = N_("Every request for a token goes through it."),
                                        .command = edit },
                            N_("The setting proxy is %s, which can't be reached: %s."), shown,
                            fault);
        else
                check_credentials(d, shown);
}

int doctor_check_proxy(Doctor *d) {
        static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                             NULL };
        const char *variable = shell_variable(names), *daemons;
        CLEANUP(freep) char *value = NULL;

        value = display_url(d->settings.proxy ?: (variable ? getenv(variable) : ""));
        if (!value)
                return 0;
        if (d->settings.proxy) {
                check_proxy_setting(d, value);
                return 0;
        }
        daemons = daemon_value(d, names);
        if (!variable && !daemons)
                doctor_tell(d, &(Finding){ .check = "proxy" }, N_("No proxy is set."));
        else if (!variable)
                doctor_tell(d,
                            &(Finding){ .check = "proxy",
                                        .state = FINDING_NOTE,
                                        .why = N_("Programs of this shell go another way than the "
                                                  "daemon.") },
                            N_("iotc-tokend has the proxy %s; this shell has none."), daemons);
        else if (streq(daemons, value))
                doctor_tell(d, &(Finding){ .check = "proxy" },
                            N_("%s is %s, in this shell and for iotc-tokend."), variable, value);
        else
                tell_proxy_of_shell(d, variable, value, daemons);
        return 0;
}

/* Does the file hold a certificate? 0, or what is wrong with it. */
static const char *certificate_fault(const char *path) {
        CLEANUP(file_closep) FILE *f = settings_open(path, SETTINGS_CA_MAX);
        CLEANUP(freep) char *line = NULL;
        size_t size = 0;

        if (!f)
                return errno == ENOENT ? strerror(errno) : settings_open_fault(errno);
        errno = 0;
        while (getline(&line, &size, f) >= 0)
                if (str_starts(line, "-----BEGIN CERTIFICATE-----") ||
                    str_starts(line, "-----BEGIN TRUSTED CERTIFICATE-----"))
                        return NULL;
        return errno ? strerror(errno) : N_("no certificate is in it");
}

static void check_ca_setting(Doctor *d) {
        CLEANUP(freep) char *edit = doctor_edit_command(d);
        const char *fault = certificate_fault(d->settings.ca_bundle);

        if (!fault)
                doctor_tell(d, &(Finding){ .check = "ca" }, N_("The setting ca-bundle is %s."),
                            d->settings.ca_bundle);
        else
                doctor_tell(
                        d,
                        &(Finding){ .check = "ca",
                                    .state = FINDING_PROBLEM,
                                    .why = N_("Without it no server is trusted, and no token can "
                                              "be fetched."),
                                    .command = edit },
                        N_("The setting ca-bundle is %s, which can't be used: %s."),
                        d->settings.ca_bundle, doctor_word(d, fault));
}

/* Where distributions have the certificates that libcurl trusts. */
static const char *system_bundle(void) {
        static const char *const paths[] = {
                "/etc/ssl/certs/ca-certificates.crt",
                "/etc/pki/tls/certs/ca-bundle.crt",
                "/etc/ssl/ca-bundle.pem",
                "/etc/ssl/cert.pem",
        };

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                if (!certificate_fault(paths[i]))
                        return paths[i];
        return NULL;
}

/* The fetcher heeds the setting alone, wherever the variable is set. */
static void tell_ca_of_shell(Doctor *d, const char *variable, const char *value) {
        CLEANUP(freep) char *edit = doctor_edit_command(d), *why = NULL;
        bool stuck = is_stuck(d);

        why = doctor_text(d,
                          stuck ? N_("A server could not be reached, and it may be for its "
                                     "certificate: ca-bundle=%s in [iotc-token] of accounts.conf.")
                                : N_("It matters where a private CA is between: ca-bundle=%s in "
                                     "[iotc-token] of accounts.conf."),
                          value);
        doctor_tell(d,
                    &(Finding){ .check = "ca",
                                .state = stuck ? FINDING_PROBLEM : FINDING_NOTE,
                                .why = why,
                                .command = edit },
                    N_("%s is %s in this shell; iotc-tokend heeds the setting ca-bundle alone."),
                    variable, value);
}

static bool same_file(const char *a, const char *b) {
        struct stat one, other;

        return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
               one.st_ino == other.st_ino;
}

int doctor_check_ca(Doctor *d) {
        static const char *const names[] = { "CURL_CA_BUNDLE", "SSL_CERT_FILE",
                                             "REQUESTS_CA_BUNDLE", NULL };
        const char *variable = shell_variable(names), *bundle = system_bundle();
        CLEANUP(freep) char *install = NULL;

        if (d->settings.ca_bundle)
                check_ca_setting(d);
        else if (!bundle) {
                install = access("/usr/sbin/update-ca-certificates", X_OK) == 0
                                  ? strdup("sudo update-ca-certificates")
                                  : doctor_install_command("ca-certificates");
                doctor_tell(d,
                            &(Finding){ .check = "ca",
                                        .state = FINDING_PROBLEM,
                                        .why = N_("No server is trusted without it."),
                                        .command = install },
                            N_("The system has no bundle of certificate authorities."));
        } else if (variable && !same_file(getenv(variable), bundle))
                tell_ca_of_shell(d, variable, getenv(variable));
        else
                doctor_tell(d, &(Finding){ .check = "ca" },
                            N_("The system's certificate authorities are trusted (%s)."), bundle);
        return 0;
}
