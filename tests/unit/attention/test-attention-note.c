/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "attention/note.h"

#define DAY 86400

static void expect(const AttentionCase *cases, size_t n, const char *summary, const char *body,
                   const char *sign_in) {
        DesktopNote note;
        char *text;

        assert(attention_note(&note, cases, n) == 0);
        assert(streq(note.summary, summary));
        text = desktop_note_body(&note, true, false);
        assert(text && streq(text, body));
        free(text);
        assert(streq(note.actions[sign_in ? 2 : 0], ATTENTION_ACTION_LATER));
        assert(!sign_in || (streq(note.actions[0], ATTENTION_ACTION_SIGN_IN) &&
                            streq(note.actions[1], sign_in)));
        assert(!note.actions[sign_in ? 4 : 2]);
        desktop_note_deinit(&note);
}

static void test_one(void) {
        const struct {
                AttentionCase c;
                const char *summary, *body, *sign_in;
        } rows[] = {
                { { "work", "ada@contoso.example", ACCOUNT_SOURCE_ENTRA, 0 },
                  "Sign in to IoT Central again",
                  "Programs get no more tokens of account work (ada@contoso.example).",
                  "Sign in" },
                { { "own", NULL, ACCOUNT_SOURCE_COMMAND, 0 },
                  "Sign in to IoT Central again",
                  "Programs get no more tokens of account own.",
                  "Sign in" },
                { { "azure-cli", "", ACCOUNT_SOURCE_AZURE_CLI, 0 },
                  "Sign in to IoT Central again",
                  "Programs get no more tokens of account azure-cli.\n"
                  "Run: az login --allow-no-subscriptions",
                  NULL },
                { { "robot", NULL, ACCOUNT_SOURCE_CLIENT_CREDENTIALS, 0 },
                  "IoT Central needs a new client secret",
                  "Programs get no more tokens of account robot.\n"
                  "Run: iotc-token login robot",
                  NULL },
                { { "ci", NULL, ACCOUNT_SOURCE_API_TOKEN, 0 },
                  "An API token of IoT Central has ended",
                  "Programs get no more tokens of account ci.\n"
                  "Run: iotc-token api-token add ci --replace",
                  NULL },
                { { "ci", NULL, ACCOUNT_SOURCE_API_TOKEN, 13 * DAY + 5 },
                  "An API token of IoT Central ends in 13 days",
                  "Account ci: make and store the next one in time.\n"
                  "Run: iotc-token api-token rotate ci",
                  NULL },
                { { "ci", NULL, ACCOUNT_SOURCE_API_TOKEN, 7205 },
                  "An API token of IoT Central ends in 2 hours",
                  "Account ci: make and store the next one in time.\n"
                  "Run: iotc-token api-token rotate ci",
                  NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                expect(&rows[i].c, 1, rows[i].summary, rows[i].body, rows[i].sign_in);
}

static void test_several(void) {
        const AttentionCase cases[] = {
                { "ci", NULL, ACCOUNT_SOURCE_API_TOKEN, 3 * DAY },
                { "azure-cli", NULL, ACCOUNT_SOURCE_AZURE_CLI, 0 },
                { "work", NULL, ACCOUNT_SOURCE_ENTRA, 0 },
                { "a", NULL, ACCOUNT_SOURCE_ENTRA, 0 },
                { "b", NULL, ACCOUNT_SOURCE_ENTRA, 0 },
                { "c", NULL, ACCOUNT_SOURCE_ENTRA, 0 },
        };

        expect(cases, 2, "2 accounts of IoT Central need you",
               "ci: its API token ends in 3 days\nazure-cli: az login --allow-no-subscriptions",
               NULL);
        expect(cases, 6, "6 accounts of IoT Central need you",
               "ci: its API token ends in 3 days\nazure-cli: az login --allow-no-subscriptions\n"
               "work: iotc-token login work\na: iotc-token login a\n"
               "and 2 more: iotc-token status",
               "Sign in to work");
}

static void expect_signin(const char *code, bool opened, const char *body) {
        DesktopNote note;
        char *text;

        assert(attention_note_signin(&note, "work", "https://x/device", code, opened) == 0);
        assert(streq(note.summary, "Signing in: work"));
        text = desktop_note_body(&note, true, false);
        assert(text && streq(text, body));
        free(text);
        desktop_note_deinit(&note);
}

static void test_signing_in(void) {
        expect_signin("ABCD", true, "Enter the code ABCD at https://x/device");
        expect_signin("ABCD", false, "Enter the code ABCD at https://x/device");
        expect_signin("", true, "Go on in your browser.");
        expect_signin("", false, "No browser could be opened.\nRun: iotc-token login work");
}

static void test_markup(void) {
        DesktopNote note = { .body = (char *)"<a href=\"x\">&", .command = (char *)"Run: a<b" };
        char *text;

        text = desktop_note_body(&note, true, true);
        assert(streq(text, "&lt;a href=&quot;x&quot;&gt;&amp;"));
        free(text);
        text = desktop_note_body(&note, false, true);
        assert(streq(text, "&lt;a href=&quot;x&quot;&gt;&amp;\nRun: a&lt;b"));
        free(text);
        text = desktop_note_body(&note, false, false);
        assert(streq(text, "<a href=\"x\">&\nRun: a<b"));
        free(text);
}

int main(void) {
        test_one();
        test_several();
        test_signing_in();
        test_markup();
        return 0;
}
