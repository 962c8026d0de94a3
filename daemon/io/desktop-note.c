/* SPDX-License-Identifier: MIT */
/*
 * What a notification says, in the form that a server can show: markup is escaped for those that
 * would interpret it, and there is a command to run where there are no buttons to press.
 */
#include "io/desktop.h"

int desktop_note_add_action(DesktopNote *note, const char *key, const char *label) {
        size_t i = 0;

        while (note->actions[i])
                i += 2;
        note->actions[i] = strdup(key);
        note->actions[i + 1] = strdup(label);
        return note->actions[i] && note->actions[i + 1] ? 0 : -ENOMEM;
}

void desktop_note_deinit(DesktopNote *note) {
        free(note->summary);
        free(note->body);
        free(note->command);
        for (size_t i = 0; i < ARRAY_SIZE(note->actions); i++)
                free(note->actions[i]);
        *note = (DesktopNote){ 0 };
}

char *desktop_note_body(const DesktopNote *note, bool actions, bool markup) {
        bool command = *note->command && (note->command_always || !actions);
        CLEANUP(freep) char *text = NULL;
        char *out, *p;

        if (asprintf(&text, "%s%s%s", note->body, command && *note->body ? "\n" : "",
                     command ? note->command : "") < 0) {
                text = NULL;
                return NULL;
        }
        if (!markup)
                return STEAL(text);
        out = p = malloc(strlen(text) * strlen("&quot;") + 1);
        if (!out)
                return NULL;
        for (const char *s = text; *s; s++)
                switch (*s) {
                case '&':
                        p = stpcpy(p, "&amp;");
                        break;
                case '<':
                        p = stpcpy(p, "&lt;");
                        break;
                case '>':
                        p = stpcpy(p, "&gt;");
                        break;
                case '"':
                        p = stpcpy(p, "&quot;");
                        break;
                default:
                        *p++ = *s;
                        break;
                }
        *p = '\0';
        return out;
}
