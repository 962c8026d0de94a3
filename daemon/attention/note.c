/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>

#include "attention/note.h"

enum {
        CASES_SHOWN = 4 /* lines; a notification has little room */
};

bool attention_case_has_sign_in(const AttentionCase *c) {
        return !c->ends_in &&
               (c->source == ACCOUNT_SOURCE_ENTRA || c->source == ACCOUNT_SOURCE_COMMAND);
}

/* The text before it, which is freed, and more. NULL when memory is short, then and later. */
PRINTF_LIKE(2, 3) static char *text_add(char *before, const char *format, ...) {
        CLEANUP(freep) char *text = before, *more = NULL, *both = NULL;
        va_list args;
        int n;

        va_start(args, format);
        n = vasprintf(&more, format, args);
        va_end(args);
        if (n < 0)
                more = NULL;
        if (!text || !more || asprintf(&both, "%s%s", text, more) < 0)
                both = NULL;
        return STEAL(both);
}

static char *text_new(const char *text) {
        return strdup(text);
}

/* "13 days", "5 hours" */
static char *text_add_duration(char *text, uint64_t seconds) {
        if (seconds >= 2 * 86400)
                return text_add(text, "%" PRIu64 " days", seconds / 86400);
        return text_add(text, "%" PRIu64 " hours", MAX(seconds / 3600, 2));
}

static const char *case_command(const AttentionCase *c) {
        switch (c->source) {
        case ACCOUNT_SOURCE_AZURE_CLI:
                return "az login --allow-no-subscriptions";
        case ACCOUNT_SOURCE_API_TOKEN:
                return c->ends_in ? "iotc-token api-token rotate" : "iotc-token api-token add";
        default:
                return "iotc-token login";
        }
}

static char *text_add_command(char *text, const AttentionCase *c) {
        text = text_add(text, "%s", case_command(c));
        if (c->source == ACCOUNT_SOURCE_AZURE_CLI)
                return text;
        text = text_add(text, " %s", c->name);
        return c->source == ACCOUNT_SOURCE_API_TOKEN && !c->ends_in ? text_add(text, " --replace")
                                                                    : text;
}

static char *summary_of_one(const AttentionCase *c) {
        if (c->ends_in)
                return text_add_duration(text_new("An API token of IoT Central ends in "),
                                         c->ends_in);
        switch (c->source) {
        case ACCOUNT_SOURCE_API_TOKEN:
                return text_new("An API token of IoT Central has ended");
        case ACCOUNT_SOURCE_CLIENT_CREDENTIALS:
                return text_new("IoT Central needs a new client secret");
        default:
                return text_new("Sign in to IoT Central again");
        }
}

static char *body_of_one(const AttentionCase *c) {
        char *text = text_new("");

        if (c->ends_in)
                text = text_add(text, "Account %s: make and store the next one in time.", c->name);
        else if (!str_empty(c->user))
                text = text_add(text, "Programs get no more tokens of account %s (%s).", c->name,
                                c->user);
        else
                text = text_add(text, "Programs get no more tokens of account %s.", c->name);
        return text;
}

static char *line_of_many(char *text, const AttentionCase *c) {
        text = text_add(text, "%s: ", c->name);
        if (!c->ends_in)
                return text_add_command(text, c);
        return text_add_duration(text_add(text, "its API token ends in "), c->ends_in);
}

static const AttentionCase *first_with_sign_in(const AttentionCase *cases, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (attention_case_has_sign_in(&cases[i]))
                        return &cases[i];
        return NULL;
}

static int note_add_action(DesktopNote *note, const char *key, char *label) {
        CLEANUP(freep) char *owned = label;

        return owned ? desktop_note_add_action(note, key, owned) : -ENOMEM;
}

static int note_add_actions(DesktopNote *note, const AttentionCase *cases, size_t n) {
        const AttentionCase *c = first_with_sign_in(cases, n);
        int r = 0;

        if (c)
                r = note_add_action(note, ATTENTION_ACTION_SIGN_IN,
                                    n == 1 ? text_new("Sign in")
                                           : text_add(text_new("Sign in to "), "%s", c->name));
        return r < 0 ? r : desktop_note_add_action(note, ATTENTION_ACTION_LATER, "Later");
}

int attention_note(DesktopNote *ret, const AttentionCase *cases, size_t n) {
        CLEANUP(desktop_note_deinit) DesktopNote note = { 0 };
        int r;

        if (n == 1) {
                note.summary = summary_of_one(cases);
                note.body = body_of_one(cases);
                /* A button says it as well, where there is one. */
                note.command = text_add_command(text_new("Run: "), cases);
                note.command_always = !attention_case_has_sign_in(cases);
        } else {
                note.summary = text_add(text_new(""), "%zu accounts of IoT Central need you", n);
                note.body = text_new("");
                for (size_t i = 0; i < MIN(n, (size_t)CASES_SHOWN); i++)
                        note.body =
                                line_of_many(i ? text_add(note.body, "\n") : note.body, &cases[i]);
                if (n > CASES_SHOWN)
                        note.body = text_add(note.body, "\nand %zu more: iotc-token status",
                                             n - CASES_SHOWN);
                note.command = text_new("");
        }
        if (!note.summary || !note.body || !note.command)
                return -ENOMEM;
        r = note_add_actions(&note, cases, n);
        if (r < 0)
                return r;
        *ret = note;
        note = (DesktopNote){ 0 };
        return 0;
}

int attention_note_signin(DesktopNote *ret, const char *name, const char *uri, const char *code,
                          bool opened) {
        CLEANUP(desktop_note_deinit) DesktopNote note = { 0 };
        int r;

        note.summary = text_add(text_new("Signing in: "), "%s", name);
        note.body = text_new("");
        if (!str_empty(code))
                note.body = text_add(note.body, "Enter the code %s at %s", code, uri);
        else if (opened)
                note.body = text_add(note.body, "Go on in your browser.");
        else
                note.body = text_add(note.body, "No browser could be opened.");
        note.command = text_add(text_new("Run: iotc-token login "), "%s", name);
        note.command_always = !opened && str_empty(code);
        note.urgent = true;
        if (!note.summary || !note.body || !note.command)
                return -ENOMEM;
        r = desktop_note_add_action(&note, ATTENTION_ACTION_OPEN, "Open the page");
        if (r < 0)
                return r;
        *ret = note;
        note = (DesktopNote){ 0 };
        return 0;
}
