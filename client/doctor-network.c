/* SPDX-License-Identifier: MIT */
/*
 * The way to the identity service. The classic trap: a shell has variables for the proxy and the
 * private CA that a user service never sees. Whether that is the fault is told by whether a server
 * was reached just now, so these come after the accounts.
 */
#include <sys/stat.h>

#include "display.h"
#include "doctor.h"

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

/* The daemon passes over what it does not take, so that it goes without a proxy. */
static void check_proxy_setting(Doctor *d, const char *shown) {
        const char *proxy = d->settings.proxy;
        CLEANUP(freep) char *edit = NULL;

        if ((str_starts(proxy, "http://") || str_starts(proxy, "https://")) &&
            !strchr(proxy, '@')) {
                doctor_tell(d, &(Finding){ .check = "proxy" }, N_("The setting proxy is %s."),
                            shown);
                return;
        }
        edit = doctor_edit_command(d);
        doctor_tell(d,
                    &(Finding){ .check = "proxy",
                                .state = FINDING_PROBLEM,
                                .why = N_("It has to be http://HOST:PORT, without a user or a "
                                          "password."),
                                .command = edit },
                    N_("The setting proxy is not used."));
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
