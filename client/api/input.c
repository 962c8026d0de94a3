/* SPDX-License-Identifier: MIT */
#include "api/input.h"
#include "base/i18n.h"
#include "base/say.h"

enum {
        INPUT_MAX = 16 * 1024 * 1024
};

static int input_read_all(char **ret, size_t *ret_n, FILE *f, const char *name) {
        CLEANUP(freep) char *text = malloc(INPUT_MAX + 1);

        if (!text)
                return fail_errno(-ENOMEM);
        *ret_n = fread(text, 1, INPUT_MAX + 1, f);
        if (ferror(f))
                return fail(EXIT_FAILED, "can't read %s: %s", name, strerror(errno));
        if (*ret_n > INPUT_MAX)
                return fail(EXIT_FAILED, "%s is larger than %d MiB", name, INPUT_MAX / 1024 / 1024);
        text[*ret_n] = '\0';
        *ret = STEAL(text);
        return 0;
}

int input_read(const Verb *verb, char **ret, size_t *ret_n, const char *name) {
        CLEANUP(file_closep) FILE *f = NULL;
        static bool was_read;

        if (streq(name, "-")) {
                if (was_read)
                        return args_wrong(verb, "standard input can be read only once");
                was_read = true;
                return input_read_all(ret, ret_n, stdin, _("standard input"));
        }
        f = fopen(name, "re");
        if (!f)
                return fail(EXIT_FAILED, "can't read %s: %s", name, strerror(errno));
        return input_read_all(ret, ret_n, f, name);
}
