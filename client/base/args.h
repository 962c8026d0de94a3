/* SPDX-License-Identifier: MIT */
/*
 * A verb's line in the table, and its arguments: long options as in getopt_long(3), in any order,
 * "--" ends them. The help and the usage line come from the same two tables that are parsed by.
 */
#pragma once

#include <iotc-util.h>

typedef struct Verb Verb;
typedef struct Option Option;

enum {
        ARGS_E_HELP = 256 /* --help was asked for and printed: nothing is left to do, exit 0 */
};

struct Verb {
        const char *name;
        const char *usage;   /* what follows the name, as in the manual page */
        const char *summary; /* a line, for the list of verbs */
        int (*run)(const Verb *verb, int argc, char **argv);
        const char *examples[2]; /* command lines that end its help, as they are typed */
};

typedef enum OptionType {
        OPTION_FLAG,   /* bool * */
        OPTION_STRING, /* const char ** */
        OPTION_NUMBER, /* uint32_t * */
        OPTION_LIST,   /* StringList *: may be given several times */
        OPTION_NAMED,  /* the same, the option's name in front of each value: several options of one
                          list, in their order */
} OptionType;

struct Option {
        const char *name;  /* without the dashes, "X,method" when -X is the same; NULL ends it */
        const char *value; /* what to call its value in the help */
        const char *help;
        OptionType type;
        void *target;
};

/* Borrowed strings; freed by free(items). */
typedef struct StringList {
        const char **items; /* NULL-terminated, or NULL when empty */
        size_t n;
} StringList;

/*
 * Parse argv[1..argc) by options, and move what is no option to the front of argv: *argc is then
 * their number, from min to max. 0; ARGS_E_HELP; or EXIT_USAGE when the arguments are wrong and
 * that has been said with the usage line.
 */
int args_parse(const Verb *verb, const Option *options, int *argc, char **argv, int min, int max);
/* "What is wrong" and the usage line on standard error. Returns EXIT_USAGE. */
int args_wrong(const Verb *verb, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same about a name that no account can have; what looks like an application is shown how to
 * give: "iotc-token <before> --app HOST". */
int args_no_name(const Verb *verb, const char *before, const char *name);
/* The usage line alone, on standard error. */
void args_say_usage(const Verb *verb);
/* How a help begins, and how it ends, on standard output. */
void args_print_head(const Verb *verb);
void args_print_examples(const Verb *verb);
/* The selector given, else $IOTC_TOKEN_ACCOUNT, else "" (the default account). */
const char *args_selector(int argc, char **argv);
/* The verb of this name, or NULL after saying so, with the one that was meant if it is near. */
const Verb *args_verb(const Verb *verbs, const char *before, const char *name);
/* A verb that is a group of verbs: run the one that argv[1] names. Its exit code. */
int args_group(const Verb *verb, const Verb *verbs, int argc, char **argv);

static inline void string_list_deinit(StringList *list) {
        free(list->items);
}
