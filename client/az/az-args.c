/* SPDX-License-Identifier: MIT */
#include "az/az-args.h"

#define DEFAULT_SCOPE "/.default"

typedef struct AzOption {
        const char *name, *letter;
        const char **value; /* NULL: a flag that changes nothing for us */
} AzOption;

static const AzOption *option_find(const AzOption *options, const char *name, size_t n) {
        for (; options->name; options++)
                if ((strlen(options->name) == n && strncmp(options->name, name, n) == 0) ||
                    (options->letter && n == 2 && strncmp(options->letter, name, n) == 0))
                        return options;
        return NULL;
}

/* az takes -oVALUE as well; we leave that to it. */
static bool options_parse(const AzOption *options, int argc, char **argv) {
        for (int i = 0; i < argc; i++) {
                size_t n = strcspn(argv[i], "=");
                const AzOption *o = option_find(options, argv[i], n);

                if (!o)
                        return false;
                if (!o->value) {
                        if (argv[i][n])
                                return false;
                        continue;
                }
                if (*o->value) /* twice */
                        return false;
                if (argv[i][n])
                        *o->value = argv[i] + n + 1;
                else if (++i < argc)
                        *o->value = argv[i];
                else
                        return false;
        }
        return true;
}

static bool output_parse(AzOutput *ret, const char *name) {
        if (streq(name, "json"))
                *ret = AZ_OUTPUT_JSON;
        else if (streq(name, "tsv"))
                *ret = AZ_OUTPUT_TSV;
        else
                return false;
        return true;
}

static bool field_is_known(const char *field) {
        static const char *const fields[] = { "accessToken", "expiresOn", "expires_on", "tenant",
                                              "tokenType" };

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                if (streq(field, fields[i]))
                        return true;
        return false;
}

/* A scope is a resource and what of it; all of it is ".default", as --resource means. */
static char *scope_resource(const char *scope) {
        size_t n = strlen(scope), n_default = strlen(DEFAULT_SCOPE);

        if (n <= n_default || !streq(scope + n - n_default, DEFAULT_SCOPE))
                return NULL;
        return strndup(scope, n - n_default);
}

bool az_args_parse(AzArgs *ret, int argc, char **argv, const char *output) {
        const char *resource = NULL, *scope = NULL, *tenant = NULL, *field = NULL, *form = NULL;
        const AzOption options[] = {
                { "--resource", NULL, &resource },
                { "--scope", NULL, &scope },
                { "--tenant", "-t", &tenant },
                { "--output", "-o", &form },
                { "--query", NULL, &field },
                { "--only-show-errors", NULL, NULL },
                { 0 },
        };
        AzArgs args = { 0 };

        if (argc < 3 || !streq(argv[1], "account") || !streq(argv[2], "get-access-token") ||
            !options_parse(options, argc - 3, argv + 3))
                return false;
        if (!output_parse(&args.output, form ?: (str_empty(output) ? "json" : output)) ||
            (resource && scope) || (field && !field_is_known(field)) ||
            (!field && args.output == AZ_OUTPUT_TSV))
                return false;
        args.tenant = tenant;
        args.field = field;
        if (resource || scope) {
                args.resource = scope ? scope_resource(scope) : strdup(resource);
                if (!args.resource)
                        return false;
        }
        *ret = args;
        return true;
}

void az_args_deinit(AzArgs *args) {
        free(args->resource);
}
