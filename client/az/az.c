/* SPDX-License-Identifier: MIT */
/*
 * The look-alike of az that `iotc-token exec --az` puts in front of PATH: it answers
 * `az account get-access-token` from the daemon, letter for letter as az does, and becomes the
 * real az for everything else. The account is IOTC_TOKEN_ACCOUNT's; without one this is the
 * daemon's own az or nobody's, and the real one answers.
 */
#include <inttypes.h>
#include <iotc-token.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

#include "az/az-args.h"
#include "base/args.h"
#include "base/bus.h"
#include "base/output.h"
#include "base/say.h"
#include "base/settings.h"
#include "common/config-scan.h"
#include "common/json.h"
#include "common/program.h"

enum {
        AZ_TIMEOUT_SEC = 60,
        AZ_WORD_SIZE = 32,
};

CLEANUP_FUNC(iotc_token_client, iotc_token_close)
CLEANUP_FUNC(iotc_token, iotc_token_free)

/* Where the folder of this program stands in PATH; the real one is looked for behind it, so that
 * two of us can't call each other. */
static const char *path_behind_us(const char *path, const struct stat *self) {
        const char *entry = path;

        while (*entry) {
                size_t n = strcspn(entry, ":");
                CLEANUP(freep) char *az = NULL;
                struct stat st;

                if (asprintf(&az, "%.*s/az", (int)n, entry) < 0)
                        return path;
                entry += n + (entry[n] == ':');
                if (stat(az, &st) == 0 && st.st_dev == self->st_dev && st.st_ino == self->st_ino)
                        return entry;
        }
        return path;
}

/* What the person typed is for az: run the first one that only the user and root can change. */
static int az_real(char **argv) {
        const char *search = getenv("PATH") ?: "";
        CLEANUP(freep) char *az = NULL, *why = NULL;
        struct stat self, st;
        int r;

        if (stat("/proc/self/exe", &self) < 0)
                return fail(EXIT_FAILED, "%s", strerror(errno));
        do {
                free(az);
                az = NULL;
                search = path_behind_us(search, &self);
                r = program_find(&az, "az", search);
        } while (r == 0 && stat(az, &st) == 0 && st.st_dev == self.st_dev &&
                 st.st_ino == self.st_ino);
        (void)signal(SIGPIPE, SIG_DFL);
        if (r == 0 && execv(az, argv) < 0)
                return fail(127, "can't run az: %s", strerror(errno));
        why = r == PROGRAM_E_UNSAFE ? program_fault(az) : NULL;
        if (why)
                return fail(127, "the az on PATH is not run: %s", why);
        return fail(127, "this is for the real az, which is not on PATH behind iotc-token's "
                         "look-alike; install the Azure CLI");
}

/* How az is to print when it is not told: by the environment, else what `az config set
 * core.output=...` has written; "" when nothing says it. */
static void output_read(char ret[AZ_WORD_SIZE]) {
        const char *chosen = getenv("AZURE_CORE_OUTPUT"), *folder = getenv("AZURE_CONFIG_DIR");
        CLEANUP(freep) char *path = NULL, *line = NULL;
        CLEANUP(file_closep) FILE *f = NULL;
        bool core = false;
        size_t size = 0;

        *ret = '\0';
        if (chosen) {
                (void)snprintf(ret, AZ_WORD_SIZE, "%s", chosen);
                return;
        }
        if (asprintf(&path, "%s%s/config", folder ?: getenv("HOME") ?: "",
                     folder ? "" : "/.azure") < 0)
                path = NULL;
        f = path ? settings_open(path, CONFIG_FILE_MAX) : NULL;
        while (f && getline(&line, &size, f) >= 0) {
                if (*line == '[')
                        core = str_starts(line, "[core]");
                else if (core)
                        (void)sscanf(line, "output %*1[=:] %31s", ret);
        }
}

/* What az prints of a token. */
typedef struct AzToken {
        const char *access_token, *tenant;
        char expires_on_local[sizeof("2026-11-26 12:34:56.000000")];
        uint64_t expires_on;
        bool subscription; /* az leaves it out when a tenant was named */
} AzToken;

static void az_token_read(AzToken *ret, const iotc_token *token, const char *tenant,
                          const AzArgs *args) {
        time_t at = (time_t)iotc_token_expires_at(token);
        struct tm tm;

        *ret = (AzToken){
                .access_token = iotc_token_value(token),
                .tenant = args->tenant ?: tenant,
                .expires_on = iotc_token_expires_at(token),
                .subscription = !args->tenant,
        };
        if (localtime_r(&at, &tm))
                (void)strftime(ret->expires_on_local, sizeof(ret->expires_on_local),
                               "%Y-%m-%d %H:%M:%S.000000", &tm);
}

/* A tenant is what a source says. */
static void print_quoted(const char *s) {
        json_writer_string(&(JsonWriter){ .f = stdout }, NULL, s);
}

static void print_field(const AzToken *t, const AzArgs *args) {
        const char *value = streq(args->field, "accessToken") ? t->access_token
                            : streq(args->field, "expiresOn") ? t->expires_on_local
                            : streq(args->field, "tenant")    ? t->tenant
                                                              : "Bearer";

        if (streq(args->field, "expires_on"))
                printf("%" PRIu64, t->expires_on);
        else if (args->output == AZ_OUTPUT_JSON)
                print_quoted(value);
        else
                printf("%s", value);
        putchar('\n');
}

/* The subscription of an account that has none, as is usual with IoT Central, is its tenant. */
static void print_all(const AzToken *t) {
        printf("{\n  \"accessToken\": ");
        print_quoted(t->access_token);
        printf(",\n  \"expiresOn\": \"%s\",\n  \"expires_on\": %" PRIu64 ",\n", t->expires_on_local,
               t->expires_on);
        if (t->subscription) {
                printf("  \"subscription\": ");
                print_quoted(t->tenant);
                printf(",\n");
        }
        printf("  \"tenant\": ");
        print_quoted(t->tenant);
        printf(",\n  \"tokenType\": \"Bearer\"\n}\n");
}

/* The SDKs look for "az login" to tell this failure from others. */
static int az_fail(int r, const char *text) {
        say("ERROR: %s%s", text, r == -ENOKEY ? " (This stands for: Please run 'az login'.)" : "");
        return EXIT_FAILED;
}

/* Answer from the daemon. -1 when it is the real az's to answer: another resource or tenant. */
static int az_own(const AzArgs *args) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(properties_deinit) Properties account = { 0 };
        CLEANUP(iotc_token_closep) iotc_token_client *client = NULL;
        CLEANUP(iotc_token_freep) iotc_token *token = NULL;
        CLEANUP(freep) char *path = NULL;
        const char *selector = args_selector(0, NULL), *tenant;
        AzToken t;
        int r;

        r = iotc_token_open(&client);
        if (r < 0)
                return az_fail(r, strerror(-r));
        r = iotc_token_get(
                client, selector,
                IOTC_TOKEN_OPTIONS(.resource = args->resource, .timeout = AZ_TIMEOUT_SEC), &token);
        if (r == -EPERM || r == -ENXIO)
                return -1;
        if (r < 0)
                return az_fail(r, iotc_token_error_text(client));
        if (!streq(iotc_token_type(token), "bearer"))
                return -1;
        if (bus_open(&bus) || bus_find_account(bus, selector, &path) ||
            bus_get_all(bus, path, IOTC_INTERFACE_ACCOUNT, &account))
                return EXIT_FAILED;
        tenant = properties_string(&account, "Tenant");
        if (args->tenant && strcasecmp(args->tenant, tenant) != 0)
                return -1;
        az_token_read(&t, token, tenant, args);
        if (args->field)
                print_field(&t, args);
        else
                print_all(&t);
        return EXIT_DONE;
}

int main(int argc, char **argv) {
        char form[AZ_WORD_SIZE];
        AzArgs args = { 0 };
        int code = -1;

#ifndef __SANITIZE_ADDRESS__ /* its leak check has to look into the process */
        (void)prctl(PR_SET_DUMPABLE, 0);
#endif
        output_open();
        output_read(form);
        if (!str_empty(getenv("IOTC_TOKEN_ACCOUNT")) && az_args_parse(&args, argc, argv, form) &&
            args.resource)
                code = az_own(&args);
        az_args_deinit(&args);
        if (code < 0)
                code = az_real(argv);
        return output_close(code);
}
