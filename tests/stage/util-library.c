/* SPDX-License-Identifier: MIT */
/*
 * A program that lives long and uses libiotc-token as its header says, for test_library.py: a call
 * on each line of its input, fields parted by tabs, and what came of it on a line of its output,
 * "0" with the result, or the negative errno with the error's name and text.
 */
#include <iotc-token.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static iotc_token_client *client;

/* The next field, NULL when it is empty or absent. */
static char *field(char **line) {
        char *s = strsep(line, "\t");

        return s && *s ? s : NULL;
}

static uint32_t number(char **line) {
        char *s = field(line);

        return s ? (uint32_t)strtoul(s, NULL, 10) : 0;
}

static int call_get(char *line, int authorization, iotc_token **ret) {
        char *selector = field(&line);
        iotc_token_options options = { .size = sizeof(options) };

        options.flags = number(&line);
        options.min_valid = number(&line);
        options.timeout = number(&line);
        options.resource = field(&line);
        options.claims = field(&line);
        if (authorization)
                return iotc_token_get_authorization(client, selector, &options, ret);
        return iotc_token_get(client, selector, &options, ret);
}

static int call(char *line) {
        char *verb = field(&line), *selector, *name = NULL;
        iotc_token *token = NULL;
        int r;

        if (strcmp(verb, "get") == 0 || strcmp(verb, "authorization") == 0) {
                r = call_get(line, *verb == 'a', &token);
                if (r == 0)
                        printf("0\t%s\t%s\t%llu\n", iotc_token_value(token),
                               iotc_token_type(token) ? iotc_token_type(token) : "",
                               (unsigned long long)iotc_token_expires_at(token));
                iotc_token_free(token);
        } else if (strcmp(verb, "reject") == 0) {
                selector = field(&line);
                name = field(&line);
                r = iotc_token_report_rejected(client, selector, name, field(&line));
                name = NULL;
                if (r == 0)
                        printf("0\n");
        } else {
                r = iotc_token_find_account(client, field(&line), &name);
                if (r == 0)
                        printf("0\t%s\n", name);
        }
        free(name);
        return r;
}

int main(void) {
        char *line = NULL;
        size_t size = 0;
        ssize_t n;
        int r;

        setvbuf(stdout, NULL, _IOLBF, 0);
        if (iotc_token_open(&client) < 0)
                return 1;
        while ((n = getline(&line, &size, stdin)) > 0) {
                if (line[n - 1] == '\n')
                        line[n - 1] = '\0';
                r = call(line);
                if (r < 0)
                        printf("%d\t%s\t%s\n", r, iotc_token_error_name(client),
                               iotc_token_error_text(client));
        }
        free(line);
        iotc_token_close(client);
        return 0;
}
