/* SPDX-License-Identifier: MIT */
/*
 * See az-output.h. Rows are tried in order, because az's hint "Interactive authentication is
 * needed" also follows throttling and other faults that no person can mend.
 */
#include <sys/wait.h>
#include <time.h>

#include "common/json.h"
#include "common/memory.h"
#include "common/text.h"
#include "fetch/az-output.h"
#include "fetch/az-text.h"
#include "fetch/oauth-error.h"
#include "fetch/oauth.h"
#include "model/limits.h"

/* ---- standard output ---------------------------------------------------------------------- */

/* "2026-11-23 21:06:35.000000", which is UTC since az ran with TZ=UTC. */
static int az_read_date(const char *s, uint64_t *ret) {
        static const char form[] = "dddd-dd-dd dd:dd:dd";
        struct tm tm = { 0 };
        time_t t;

        for (size_t i = 0; form[i]; i++)
                if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
                        return -EBADMSG;
        if (s[sizeof(form) - 1] && s[sizeof(form) - 1] != '.')
                return -EBADMSG;
        if (sscanf(s, "%4d-%2d-%2d %2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
                   &tm.tm_min, &tm.tm_sec) != 6)
                return -EBADMSG;
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        t = timegm(&tm);
        if (t <= 0)
                return -EBADMSG;
        *ret = (uint64_t)t;
        return 0;
}

static int az_read_expiry(const Json *object, uint64_t *ret) {
        const char *text = json_string(object, "expiresOn");

        /* expires_on: az 2.54 and newer. */
        if (json_uint(object, "expires_on", ret) == 0)
                return 0;
        return text ? az_read_date(text, ret) : -EBADMSG;
}

/* az ended well, so that the next one will do no better: what is there is for a person to see. */
static void az_no_token(Answer *answer, const char *out, int r) {
        CLEANUP(freep) char *shown = az_text_excerpt(out);

        if (r == -EEXIST)
                answer_set(answer, ANSWER_MISCONFIGURED,
                           "az printed several tokens at once. Look what else is run by it: az "
                           "account get-access-token -o json");
        else if (r == -ENOENT)
                answer_set(answer, ANSWER_MISCONFIGURED,
                           "az ended well but printed no token: %s%s. Look at it by hand: az "
                           "account get-access-token -o json",
                           shown ? "its output begins with " : "it printed nothing", shown ?: "");
        else
                answer_set(answer, ANSWER_MISCONFIGURED,
                           "az printed a token that can't be used: its type or its end is missing "
                           "or unknown. Install a newer az (2.45 or newer).");
}

void az_read_token(Answer *answer, const char *out, size_t n, uint64_t now, uint64_t now_usec) {
        CLEANUP(json_freep) Json *object = NULL;
        const char *token, *type;
        uint64_t expires = 0;
        int r;

        r = az_text_object(&object, out, n, "accessToken");
        if (r < 0) {
                az_no_token(answer, out, r);
                return;
        }
        token = json_string(object, "accessToken");
        type = json_string(object, "tokenType");
        if (token && strlen(token) > LIMIT_ACCESS_TOKEN) {
                answer_set(answer, ANSWER_TRY_LATER,
                           "az gave a token of %zu bytes, more than the %d that are taken.",
                           strlen(token), LIMIT_ACCESS_TOKEN);
                return;
        }
        if (!token || !text_is_b64token(token) || !type || strcasecmp(type, "Bearer") != 0 ||
            az_read_expiry(object, &expires) < 0) {
                az_no_token(answer, out, 0);
                return;
        }
        if (expires <= now) {
                answer_set(answer, ANSWER_TRY_LATER,
                           "az gave a token that has already expired. Check this machine's clock.");
                return;
        }
        if (expires - now > AZ_LIFE_MAX) {
                answer_set(answer, ANSWER_TRY_LATER,
                           "az gave a token that would be valid for days: this machine's clock was "
                           "set back since az got it. Check the clock: timedatectl set-ntp true");
                return;
        }
        answer_deinit(answer);
        answer->kind = ANSWER_TOKEN;
        answer->expires_usec = now_usec + (expires - now) * USEC_PER_SEC;
        answer->tenant = text_clean(json_string(object, "tenant"), 256);
        answer->access_token = xstrdup(token);
}

/* ---- standard error ----------------------------------------------------------------------- */

enum {
        QUOTE = 1,       /* add az's own sentence */
        LOGIN = 2,       /* name the command to sign in */
        LOGIN_SCOPE = 4, /* the same, for our resource: MFA and the like */
        AGAIN = 8,       /* AZ_E_AGAIN */
};

typedef struct AzFailure AzFailure;

struct AzFailure {
        const char *text; /* is in az's messages, in any case */
        AnswerKind kind;
        unsigned int flags;
        const char *message; /* what happened, and what to do when no flag says it */
};

#define THROTTLED   "Microsoft Entra ID asks az to wait"
#define UNAVAILABLE "Microsoft Entra ID can't answer az now"
#define BLOCKED     "A policy blocks az's sign-in; ask an administrator"
#define OFFLINE     "az can't reach Microsoft Entra ID. Check the network and the setting 'proxy'."
#define NO_RESOURCE "The tenant of az's sign-in does not know the resource"
#define UNTRUSTED                                                                                \
        "az does not trust the certificate it was shown. If a proxy or a private CA is between," \
        " name its certificate in the setting 'ca-bundle'."
#define UNTIMELY                                                                                   \
        "az was shown a certificate that is not valid at the time that this machine's clock has. " \
        "Check the clock: timedatectl set-ntp true"
#define NO_TENANT "az does not know this tenant. Check the account's setting 'tenant'."
#define CONFIG_FOLDER                                                                             \
        "az can't use its config folder (~/.azure, or the account's 'config-dir'). Check that it" \
        " is a folder of yours, writable, on a disk with room"

static const AzFailure failures[] = {
        /* Transient, although az asks for a sign-in. */
        { "AADSTS90033:", ANSWER_TRY_LATER, QUOTE, UNAVAILABLE },
        { "AADSTS90055:", ANSWER_TRY_LATER, QUOTE, THROTTLED },
        { "AADSTS50033:", ANSWER_TRY_LATER, QUOTE, UNAVAILABLE },
        { "AADSTS50087:", ANSWER_TRY_LATER, QUOTE, UNAVAILABLE },
        { "AADSTS50088:", ANSWER_TRY_LATER, QUOTE, UNAVAILABLE },
        { "AADSTS90006:", ANSWER_TRY_LATER, QUOTE, UNAVAILABLE },
        { "AADSTS90012:", ANSWER_TRY_LATER, QUOTE, UNAVAILABLE },
        { "AADSTS90024:", ANSWER_TRY_LATER, QUOTE, UNAVAILABLE },
        { "AADSTS90090:", ANSWER_TRY_LATER, QUOTE, UNAVAILABLE },
        { "AADSTS80005:", ANSWER_TRY_LATER, QUOTE, UNAVAILABLE },
        { "AADSTS50196:", ANSWER_TRY_LATER, QUOTE, THROTTLED },
        /* Settings, and policy. */
        { "AADSTS90002:", ANSWER_MISCONFIGURED, 0, NO_TENANT },
        { "AADSTS900021:", ANSWER_MISCONFIGURED, 0, NO_TENANT },
        { "AADSTS900023:", ANSWER_MISCONFIGURED, 0, NO_TENANT },
        { "AADSTS500011:", ANSWER_MISCONFIGURED, QUOTE, NO_RESOURCE },
        { "AADSTS650052:", ANSWER_MISCONFIGURED, QUOTE, NO_RESOURCE },
        { "AADSTS650057:", ANSWER_MISCONFIGURED, QUOTE, NO_RESOURCE },
        { "AADSTS53003:", ANSWER_BLOCKED, QUOTE, BLOCKED },
        { "AADSTS530032:", ANSWER_BLOCKED, QUOTE, BLOCKED },
        { "AADSTS50131:", ANSWER_BLOCKED, QUOTE, BLOCKED },
        /* Words, which names may hold as well as az: behind the codes. */
        { "throttl", ANSWER_TRY_LATER, QUOTE, THROTTLED },
        { "too many requests", ANSWER_TRY_LATER, QUOTE, THROTTLED },
        { "429 Client Error", ANSWER_TRY_LATER, QUOTE, THROTTLED },
        { " Server Error: ", ANSWER_TRY_LATER, QUOTE, UNAVAILABLE },
        /* The road. */
        { "TLS CA certificate bundle, invalid path", ANSWER_MISCONFIGURED, 0,
          "az can't read the CA bundle. Check the setting 'ca-bundle'." },
        { "certificate is not yet valid", ANSWER_TRY_LATER, 0, UNTIMELY },
        { "certificate has expired", ANSWER_TRY_LATER, 0, UNTIMELY },
        { "CERTIFICATE_VERIFY_FAILED", ANSWER_TRY_LATER, 0, UNTRUSTED },
        { "407 Proxy Authentication Required", ANSWER_MISCONFIGURED, 0,
          "The proxy wants a name and password, which az does not get from 'proxy-credentials'. "
          "Sign "
          "in without az instead: iotc-token login" },
        { "Cannot connect to proxy", ANSWER_TRY_LATER, 0,
          "az can't reach the proxy. Check the setting 'proxy'." },
        { "HTTPSConnectionPool(", ANSWER_TRY_LATER, 0, OFFLINE },
        { "HTTPConnectionPool(", ANSWER_TRY_LATER, 0, OFFLINE },
        { "Connection aborted", ANSWER_TRY_LATER, 0, OFFLINE },
        /* Settings. */
        { "Unable to get authority configuration", ANSWER_MISCONFIGURED, 0, NO_TENANT },
        { "No subscription found", ANSWER_MISCONFIGURED, 0,
          "az has no default subscription. Run 'az account set --subscription NAME', or name a "
          "tenant or a subscription in the account's settings." },
        { "Check the spelling and casing", ANSWER_MISCONFIGURED, 0,
          "az does not know this subscription. Check the account's setting 'subscription'." },
        { "Can't find token from MSAL cache", ANSWER_MISCONFIGURED, 0,
          "This az has a fault (known of 2.83.0): it gets tokens for Azure Resource Manager only. "
          "Install another version of az." },
        { "unrecognized arguments", ANSWER_MISCONFIGURED, QUOTE,
          "This az does not know the options that it was given; install a newer one" },
        /* What a person can do. */
        { "Please run 'az login' to setup account", ANSWER_SIGN_IN_NEEDED, LOGIN,
          "az is not signed in" },
        { "does not exist in MSAL token cache", ANSWER_SIGN_IN_NEEDED, LOGIN | AGAIN,
          "az has lost its sign-in" },
        { "Could not retrieve token from local cache", ANSWER_SIGN_IN_NEEDED, LOGIN,
          "az has lost its sign-in" },
        { "AADSTS", ANSWER_SIGN_IN_NEEDED, QUOTE | LOGIN_SCOPE, "az's sign-in has ended" },
        { "Interactive authentication is needed", ANSWER_SIGN_IN_NEEDED, QUOTE | LOGIN_SCOPE,
          "az's sign-in has ended" },
        { "az login", ANSWER_SIGN_IN_NEEDED, QUOTE | LOGIN, "az wants a sign-in" },
        /* Tracebacks of Python that name no service. */
        { "PermissionError", ANSWER_MISCONFIGURED, QUOTE, CONFIG_FOLDER },
        { "Permission denied", ANSWER_MISCONFIGURED, QUOTE, CONFIG_FOLDER },
        { "NotADirectoryError", ANSWER_MISCONFIGURED, QUOTE, CONFIG_FOLDER },
        { "FileExistsError", ANSWER_MISCONFIGURED, QUOTE, CONFIG_FOLDER },
        { "FileNotFoundError", ANSWER_MISCONFIGURED, QUOTE, CONFIG_FOLDER },
        { "Read-only file system", ANSWER_MISCONFIGURED, QUOTE, CONFIG_FOLDER },
        { "No space left on device", ANSWER_MISCONFIGURED, QUOTE, CONFIG_FOLDER },
        { "ModuleNotFoundError", ANSWER_SOURCE_MISSING, QUOTE,
          "az is installed incompletely. Install the package azure-cli again" },
        { "JSONDecodeError", ANSWER_TRY_LATER, QUOTE,
          "az can't read what it was answered; a sign-in page of the network may be between" },
        { "", ANSWER_TRY_LATER, QUOTE, "az failed" },
};

/* The line that says most: Entra's own sentence, else the last of az's ERROR lines, else of all. */
static char *az_sentence(const char *err) {
        static const char error[] = "ERROR: ";
        const char *said = strstr(err, "AADSTS"), *last = err;

        if (said)
                return oauth_sentence(said);
        for (const char *line = err; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                if (str_starts(line, error))
                        said = line + strlen(error);
                else if (*line != '\n' && *line != ' ')
                        last = line;
        }
        return oauth_sentence(said ?: last);
}

static bool az_is_safe_word(const char *s) {
        return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789@%+=:,./_-") == strlen(s);
}

char *az_login_command(char *text, size_t size, const Request *request, bool scope) {
        const char *dir = request->config_dir;
        const char *tenant = request->tenant;
        const char *resource = scope ? request->resource : NULL;

        /* A word that a shell would take apart is left out: the command stays safe to paste. */
        dir = dir && az_is_safe_word(dir) ? dir : NULL;
        resource = resource && az_is_safe_word(resource) ? resource : NULL;
        (void)snprintf(text, size, "%s%s%saz login --allow-no-subscriptions%s%s%s%s%s",
                       dir ? "AZURE_CONFIG_DIR=" : "", dir ? dir : "", dir ? " " : "",
                       tenant ? " --tenant " : "", tenant ? tenant : "",
                       resource ? " --scope " : "", resource ? resource : "",
                       resource ? "/.default" : "");
        return text;
}

static void az_explain(Answer *answer, const AzFailure *f, const char *err,
                       const Request *request) {
        CLEANUP(freep) char *sentence = f->flags & QUOTE ? az_sentence(err) : NULL;
        char command[EVENT_MESSAGE_MAX / 2] = "";
        size_t n = sentence ? strlen(sentence) : 0;

        if (f->flags & (LOGIN | LOGIN_SCOPE))
                (void)az_login_command(command, sizeof(command), request, f->flags & LOGIN_SCOPE);
        answer_set(answer, f->kind, "%s%s%s%s%s%s%s", f->message, n ? ": " : "", n ? sentence : "",
                   (n ? sentence[n - 1] : f->message[strlen(f->message) - 1]) == '.' ? "" : ".",
                   *command ? " Run '" : "", command, *command ? "'." : "");
}

static const AzFailure *az_find(const char *messages) {
        size_t i = 0;

        while (!strcasestr(messages, failures[i].text))
                i++;
        return &failures[i];
}

int az_read_failure(Answer *answer, int status, const char *err, const Request *request,
                    uint64_t now_usec) {
        CLEANUP(freep) char *messages = NULL;
        const AzFailure *f;

        if (WIFSIGNALED(status)) {
                answer_set(answer, ANSWER_TRY_LATER, "az was ended by signal %d.",
                           WTERMSIG(status));
                return 0;
        }
        if (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127) {
                answer_set(answer, ANSWER_SOURCE_MISSING,
                           "az can't be executed. Install the package azure-cli again, or name "
                           "another az by the setting 'az'.");
                return 0;
        }
        messages = az_text_messages(err);
        f = az_find(messages);
        az_explain(answer, f, err, request);
        if (f->kind == ANSWER_TRY_LATER)
                answer->retry_usec = now_usec + AZ_RETRY * USEC_PER_SEC;
        return f->flags & AGAIN ? AZ_E_AGAIN : 0;
}
