/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "az/az-args.h"

#define RESOURCE "https://apps.azureiotcentral.com"

static bool parse(AzArgs *ret, const char *output, const char *const *words) {
        char *argv[16] = { (char *)"az" };
        int argc = 1;

        for (; *words; words++)
                argv[argc++] = (char *)*words;
        return az_args_parse(ret, argc, argv, output);
}

#define PARSE(ret, output, ...) parse(ret, output, (const char *const[]){ __VA_ARGS__, NULL })
#define TOKEN                   "account", "get-access-token"

static void test_what_the_sdks_say(void) {
        AzArgs args;

        assert(PARSE(&args, NULL, TOKEN, "--output", "json", "--resource", RESOURCE));
        assert(streq(args.resource, RESOURCE) && !args.tenant && !args.field);
        assert(args.output == AZ_OUTPUT_JSON);
        az_args_deinit(&args);

        assert(PARSE(&args, NULL, TOKEN, "--resource", RESOURCE, "--tenant", "contoso.com"));
        assert(streq(args.tenant, "contoso.com"));
        az_args_deinit(&args);

        assert(PARSE(&args, NULL, TOKEN, "--scope", RESOURCE "/.default", "-o", "json"));
        assert(streq(args.resource, RESOURCE));
        az_args_deinit(&args);
}

static void test_what_scripts_say(void) {
        AzArgs args;

        assert(PARSE(&args, NULL, TOKEN, "--resource=" RESOURCE, "--query", "accessToken", "-o",
                     "tsv", "-t", "x", "--only-show-errors"));
        assert(streq(args.field, "accessToken") && args.output == AZ_OUTPUT_TSV);
        az_args_deinit(&args);

        assert(PARSE(&args, "tsv", TOKEN, "--resource", RESOURCE, "--query", "expires_on"));
        assert(args.output == AZ_OUTPUT_TSV);
        az_args_deinit(&args);

        assert(PARSE(&args, NULL, TOKEN));
        assert(!args.resource);
        az_args_deinit(&args);
}

/* Whatever we don't know to the last word is the real az's. */
static void test_what_is_not_ours(void) {
        AzArgs args;

        assert(!PARSE(&args, NULL, "login"));
        assert(!PARSE(&args, NULL, "account"));
        assert(!PARSE(&args, NULL, "account", "show"));
        assert(!PARSE(&args, NULL, TOKEN, "--help"));
        assert(!PARSE(&args, NULL, TOKEN, "--resource"));
        assert(!PARSE(&args, NULL, TOKEN, "--resource", RESOURCE, "--resource", RESOURCE));
        assert(!PARSE(&args, NULL, TOKEN, "--resource", RESOURCE, "--scope", RESOURCE "/.default"));
        assert(!PARSE(&args, NULL, TOKEN, "--scope", RESOURCE "/user_impersonation"));
        assert(!PARSE(&args, NULL, TOKEN, "--scope", "/.default"));
        assert(!PARSE(&args, NULL, TOKEN, "--subscription", "s", "--resource", RESOURCE));
        assert(!PARSE(&args, NULL, TOKEN, "--resource-type", "arm"));
        assert(!PARSE(&args, NULL, TOKEN, "-o", "table", "--resource", RESOURCE));
        assert(!PARSE(&args, NULL, TOKEN, "-o", "tsv", "--resource", RESOURCE));
        assert(!PARSE(&args, "yaml", TOKEN, "--resource", RESOURCE));
        assert(!PARSE(&args, NULL, TOKEN, "--query", "[accessToken, expiresOn]"));
        assert(!PARSE(&args, NULL, TOKEN, "--only-show-errors=1"));
        assert(!PARSE(&args, NULL, TOKEN, "--debug"));
        assert(!PARSE(&args, NULL, TOKEN, "--resourc", RESOURCE));
}

int main(void) {
        test_what_the_sdks_say();
        test_what_scripts_say();
        test_what_is_not_ours();
        return EXIT_SUCCESS;
}
