/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>

#include "base/args.h"
#include "base/say.h"

typedef struct Parsed {
        bool json;
        const char *tenant;
        uint32_t min_valid;
        StringList apps;
        int code;
        int argc;
        char *argv[16];
} Parsed;

static const Verb verb = { .name = "get", .usage = "[SELECTOR]", .summary = "Print a token" };

/* Parse a NULL-terminated list of arguments, of which 0 to 2 may be no options. */
static Parsed parse(const char *const *arguments) {
        Parsed p = { 0 };
        const Option options[] = {
                { "j,json", NULL, "", OPTION_FLAG, &p.json },
                { "tenant", "T", "", OPTION_STRING, &p.tenant },
                { "min-valid", "S", "", OPTION_NUMBER, &p.min_valid },
                { "a,app", "HOST", "", OPTION_LIST, &p.apps },
                { 0 },
        };

        p.argv[p.argc++] = (char *)verb.name;
        for (; *arguments; arguments++)
                p.argv[p.argc++] = (char *)*arguments;
        p.code = args_parse(&verb, options, &p.argc, p.argv, 0, 2);
        return p;
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })

static void test_options_and_arguments_in_any_order(void) {
        Parsed p = PARSE("one", "--json", "--tenant", "t", "two", "--app=a", "--app", "b",
                         "--min-valid=60");

        assert(p.code == 0);
        assert(p.json && streq(p.tenant, "t") && p.min_valid == 60);
        assert(p.apps.n == 2 && streq(p.apps.items[0], "a") && streq(p.apps.items[1], "b"));
        assert(!p.apps.items[2]);
        assert(p.argc == 2 && streq(p.argv[0], "one") && streq(p.argv[1], "two"));
        string_list_deinit(&p.apps);
}

static void test_short_options(void) {
        Parsed p = PARSE("-j", "-a", "x", "-ay", "one");

        assert(p.code == 0 && p.json && p.argc == 1);
        assert(p.apps.n == 2 && streq(p.apps.items[0], "x") && streq(p.apps.items[1], "y"));
        string_list_deinit(&p.apps);
}

static void test_two_dashes_end_the_options(void) {
        Parsed p = PARSE("--json", "--", "--tenant", "--");

        assert(p.code == 0 && p.json && !p.tenant);
        assert(p.argc == 2 && streq(p.argv[0], "--tenant") && streq(p.argv[1], "--"));

        p = PARSE("-", "");
        assert(p.code == 0 && p.argc == 2 && streq(p.argv[0], "-") && streq(p.argv[1], ""));
}

static void test_a_value_may_look_like_anything(void) {
        Parsed p = PARSE("--tenant", "--json");

        assert(p.code == 0 && streq(p.tenant, "--json") && !p.json);
        p = PARSE("--tenant=");
        assert(p.code == 0 && streq(p.tenant, ""));
        p = PARSE("--tenant=a=b");
        assert(p.code == 0 && streq(p.tenant, "a=b"));
        p = PARSE("--tenant", "first", "--tenant", "last");
        assert(p.code == 0 && streq(p.tenant, "last"));
}

static void test_wrong_usage(void) {
        assert(PARSE("--jso").code == EXIT_USAGE);
        assert(PARSE("--jsonx").code == EXIT_USAGE);
        assert(PARSE("--browser").code == EXIT_USAGE);
        assert(PARSE("-x").code == EXIT_USAGE);
        assert(PARSE("-jx").code == EXIT_USAGE);
        assert(PARSE("-a").code == EXIT_USAGE);
        assert(PARSE("--j,json").code == EXIT_USAGE);
        assert(PARSE("--json=yes").code == EXIT_USAGE);
        assert(PARSE("--tenant").code == EXIT_USAGE);
        assert(PARSE("one", "two", "three").code == EXIT_USAGE);
}

static void test_numbers(void) {
        static const char *const bad[] = { "", "x", "1s", "-1", "+1", " 1", "1.5", "4294967296" };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert(PARSE("--min-valid", bad[i]).code == EXIT_USAGE);
        assert(PARSE("--min-valid", "0").code == 0);
        assert(PARSE("--min-valid", "4294967295").min_valid == UINT32_MAX);
}

static void test_help_stops_all(void) {
        assert(PARSE("--help").code == ARGS_E_HELP);
        assert(PARSE("one", "-h", "--wrong").code == ARGS_E_HELP);
        assert(PARSE("--", "--help").code == 0);
}

static void test_the_selector(void) {
        char *argv[] = { (char *)"contoso" };

        unsetenv("IOTC_TOKEN_ACCOUNT");
        assert(streq(args_selector(1, argv), "contoso"));
        assert(streq(args_selector(0, NULL), ""));
        setenv("IOTC_TOKEN_ACCOUNT", "staging", 1);
        assert(streq(args_selector(0, NULL), "staging"));
        assert(streq(args_selector(1, argv), "contoso"));
}

static void test_a_verb_by_its_whole_name(void) {
        static const Verb verbs[] = { { .name = "get" }, { .name = "login" }, { 0 } };

        assert(args_verb(verbs, "", "login") == &verbs[1]);
        assert(!args_verb(verbs, "", "logn"));
        assert(!args_verb(verbs, "", "ge"));
        assert(!args_verb(verbs, "", ""));
}

int main(void) {
        /* What is said to a person is looked at in test_cli_usage.py. */
        assert(freopen("/dev/null", "w", stdout));
        assert(dup2(open("/dev/null", O_WRONLY), STDERR_FILENO) == STDERR_FILENO);

        test_options_and_arguments_in_any_order();
        test_short_options();
        test_two_dashes_end_the_options();
        test_a_value_may_look_like_anything();
        test_wrong_usage();
        test_numbers();
        test_help_stops_all();
        test_the_selector();
        test_a_verb_by_its_whole_name();
        return 0;
}
