/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdarg.h>

#include "base/args.h"
#include "base/display.h"
#include "base/i18n.h"
#include "base/say.h"

enum {
        ARGS_COLUMNS = 79,
        ARGS_INDENT = 8,
};

int args_wrong(const Verb *verb, const char *format, ...) {
        CLEANUP(freep) char *text = NULL;
        va_list ap;

        va_start(ap, format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        if (vasprintf(&text, _(format), ap) < 0)
                text = NULL;
#pragma GCC diagnostic pop
        va_end(ap);

        fail(EXIT_USAGE, "%s: %s", verb->name, text ?: _("wrong usage"));
        args_say_usage(verb);
        return EXIT_USAGE;
}

int args_no_name(const Verb *verb, const char *before, const char *name) {
        if (str_empty(name))
                return args_wrong(verb, "'%s' can't be the name of an account", name);
        return args_wrong(verb,
                          "'%s' can't be the name of an account; for an application: "
                          "iotc-token %s --app %s",
                          name, before, name);
}

/* To be freed by free(); NULL when memory is short. */
static char *args_usage(const Verb *verb) {
        CLEANUP(freep) char *line = NULL;

        if (asprintf(&line, _("Usage: iotc-token %s%s%s"), verb->name, *verb->usage ? " " : "",
                     verb->usage) < 0)
                line = NULL;
        return line ? display_fold(line, ARGS_COLUMNS, 0, ARGS_INDENT) : NULL;
}

void args_say_usage(const Verb *verb) {
        CLEANUP(freep) char *usage = args_usage(verb);
        char *rest = NULL;

        for (char *line = usage; line; line = rest) {
                rest = strchr(line, '\n');
                if (rest)
                        *rest++ = '\0';
                say("%s", line);
        }
}

void args_print_head(const Verb *verb) {
        CLEANUP(freep) char *usage = args_usage(verb);

        printf("%s\n\n%s.\n\n", usage ?: "", _(verb->summary));
}

void args_print_examples(const Verb *verb) {
        printf("\n%s\n", _("Examples:"));
        for (size_t i = 0; i < ARRAY_SIZE(verb->examples) && verb->examples[i]; i++)
                printf("  %s\n", verb->examples[i]);
}

/* What follows "--", and the letter that may follow "-", or 0. */
static const char *option_name(const Option *o) {
        return o->name[1] == ',' ? o->name + 2 : o->name;
}

static char option_letter(const Option *o) {
        return o->name[1] == ',' ? o->name[0] : '\0';
}

static int args_help(const Verb *verb, const Option *options) {
        args_print_head(verb);
        for (const Option *o = options; o->name; o++) {
                char left[48], letter[8] = "";

                if (option_letter(o))
                        snprintf(letter, sizeof(letter), "-%c, ", option_letter(o));
                snprintf(left, sizeof(left), "%s--%s%s%s", letter, option_name(o),
                         o->value ? " " : "", o->value ?: "");
                printf("  %-20s  %s\n", left, _(o->help));
        }
        printf("  %-20s  %s\n\n%s\n", "--help", _("show this text"), _("See iotc-token(1)."));
        args_print_examples(verb);
        return ARGS_E_HELP;
}

static int option_set_number(const Verb *verb, const Option *o, const char *value) {
        unsigned long long number;
        char *end;

        errno = 0;
        number = strtoull(value, &end, 10);
        if (!isdigit((unsigned char)*value) || *end || errno || number > UINT32_MAX)
                return args_wrong(verb, "--%s wants a number of seconds, not '%s'", option_name(o),
                                  value);
        *(uint32_t *)o->target = (uint32_t)number;
        return 0;
}

static int option_set_list(const Option *o, const char *value) {
        StringList *list = o->target;
        const char **items;

        items = reallocarray(list->items, list->n + 2, sizeof(*items));
        if (!items)
                return fail_errno(-ENOMEM);
        list->items = items;
        items[list->n++] = value;
        items[list->n] = NULL;
        return 0;
}

static int option_set(const Verb *verb, const Option *o, const char *value) {
        switch (o->type) {
        case OPTION_FLAG:
                *(bool *)o->target = true;
                return 0;
        case OPTION_STRING:
                *(const char **)o->target = value;
                return 0;
        case OPTION_NUMBER:
                return option_set_number(verb, o, value);
        case OPTION_NAMED:
                return option_set_list(o, option_name(o)) ?: option_set_list(o, value);
        case OPTION_LIST:
                return option_set_list(o, value);
        }
        return 0;
}

static const Option *option_find(const Option *options, const char *name, size_t n) {
        for (; options->name; options++)
                if (strlen(option_name(options)) == n &&
                    strncmp(option_name(options), name, n) == 0)
                        return options;
        return NULL;
}

/* "-X": the value may follow at once, "-XPOST". */
static const Option *option_find_letter(const Option *options, const char *arg) {
        for (; options->name; options++)
                if (option_letter(options) == arg[1] && (!arg[2] || options->type != OPTION_FLAG))
                        return options;
        return NULL;
}

static int args_no_option(const Verb *verb, const Option *options, const char *arg) {
        CLEANUP(freep) char *name = strndup(arg, strcspn(arg, "="));
        const char *near = NULL;
        unsigned best = 3;

        for (const Option *o = options; name && str_starts(name, "--") && o->name; o++) {
                unsigned distance = display_distance(name + 2, option_name(o));

                if (distance < best && distance < strlen(option_name(o))) {
                        best = distance;
                        near = option_name(o);
                }
        }
        if (near)
                return args_wrong(verb, "this version has no option '%s'; did you mean '--%s'?",
                                  name, near);
        return args_wrong(verb, "this version has no option '%s'", arg);
}

/* argv[*i] is an option: take it, and its value from behind '=' or from the next argument. */
static int args_option(const Verb *verb, const Option *options, int argc, char **argv, int *i) {
        const char *arg = argv[*i], *name = arg + 2, *value = NULL;
        size_t n = strcspn(name, "=");
        const Option *o;

        if (streq(arg, "-h") || streq(arg, "--help"))
                return args_help(verb, options);
        if (arg[1] == '-') {
                o = option_find(options, name, n);
                value = name[n] == '=' ? name + n + 1 : NULL;
        } else {
                o = option_find_letter(options, arg);
                value = arg[2] ? arg + 2 : NULL;
        }
        if (!o)
                return args_no_option(verb, options, arg);
        if (o->type == OPTION_FLAG && value)
                return args_wrong(verb, "--%s takes no value", option_name(o));
        if (o->type != OPTION_FLAG && !value) {
                if (*i + 1 >= argc)
                        return args_wrong(verb, "--%s wants a value: %s", option_name(o), o->value);
                value = argv[++*i];
        }
        return option_set(verb, o, value);
}

int args_parse(const Verb *verb, const Option *options, int *argc, char **argv, int min, int max) {
        bool only_arguments = false;
        int n = 0, r;

        for (int i = 1; i < *argc; i++) {
                if (!only_arguments && streq(argv[i], "--")) {
                        only_arguments = true;
                } else if (!only_arguments && argv[i][0] == '-' && argv[i][1]) {
                        r = args_option(verb, options, *argc, argv, &i);
                        if (r)
                                return r;
                } else {
                        argv[n++] = argv[i];
                }
        }
        if (n < min)
                return args_wrong(verb, "an argument is missing");
        if (n > max)
                return args_wrong(verb, "'%s' is one argument too many", argv[max]);
        *argc = n;
        return 0;
}

const char *args_selector(int argc, char **argv) {
        return argc > 0 ? argv[0] : getenv("IOTC_TOKEN_ACCOUNT") ?: "";
}

const Verb *args_verb(const Verb *verbs, const char *before, const char *name) {
        const Verb *near = NULL;
        unsigned best = 3;

        for (const Verb *v = verbs; v->name; v++) {
                unsigned distance = display_distance(name, v->name);

                if (distance == 0)
                        return v;
                if (distance < best && distance < strlen(v->name)) {
                        best = distance;
                        near = v;
                }
        }
        if (near)
                fail(EXIT_USAGE, "this version has no verb '%s%s'; did you mean '%s%s'?", before,
                     name, before, near->name);
        else
                fail(EXIT_USAGE, "this version has no verb '%s%s'", before, name);
        return NULL;
}

int args_group(const Verb *verb, const Verb *verbs, int argc, char **argv) {
        CLEANUP(freep) char *name = NULL, *before = NULL;
        const Verb *found;
        Verb inner;

        if (argc < 2)
                return args_wrong(verb, "an argument is missing");
        if (streq(argv[1], "--help") || streq(argv[1], "-h")) {
                args_print_head(verb);
                for (const Verb *v = verbs; v->name; v++)
                        printf("  %-8s  %s\n", v->name, _(v->summary));
                printf("\n%s\n", _("Each has --help. See iotc-token(1)."));
                args_print_examples(verb);
                return ARGS_E_HELP;
        }
        if (asprintf(&before, "%s ", verb->name) < 0)
                return fail_errno(-ENOMEM);
        found = args_verb(verbs, before, argv[1]);
        if (!found) {
                args_say_usage(verb);
                return EXIT_USAGE;
        }
        inner = *found;
        if (asprintf(&name, "%s%s", before, found->name) < 0)
                return fail_errno(-ENOMEM);
        inner.name = name;
        return found->run(&inner, argc - 1, argv + 1);
}
