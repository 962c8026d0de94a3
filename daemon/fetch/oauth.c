/* SPDX-License-Identifier: MIT */
/*
 * See oauth.h. A success is read strictly: an answer that could not be used as it stands is no
 * token. The id_token is decoded for a name to show and decides nothing, so nobody checks its
 * signature.
 */
#include "fetch/oauth.h"
#include "common/host.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/redact.h"
#include "common/secret.h"
#include "common/text.h"
#include "fetch/oauth-error.h"
#include "model/limits.h"

enum {
        OAUTH_NAME_MAX = 256,
        OAUTH_SCOPE_MAX = 4096,
        OAUTH_ID_MAX = 16 * 1024, /* bytes of an id_token that is looked at */
        OAUTH_USER_CODE_MAX = 64,
        OAUTH_URI_MAX = 1024,
        OAUTH_WHY_MAX = 128,
};

static int base64url_value(char c) {
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        const char *p = c ? strchr(digits, c) : NULL;

        return p ? (int)(p - digits) : -1;
}

/* The payload of a JWT, RFC 7519 section 3: the middle part, base64url without padding. */
static int oauth_jwt_payload(Json **ret, const char *jwt) {
        CLEANUP(secret_freep) char *payload = NULL;
        const char *from = strchr(jwt, '.');
        uint32_t bits = 0;
        size_t n = 0, n_bits = 0;

        if (!from || strlen(jwt) > OAUTH_ID_MAX)
                return -EBADMSG;
        payload = xcalloc(1, strlen(from));
        for (const char *p = from + 1; *p && *p != '.' && *p != '='; p++) {
                int value = base64url_value(*p);

                if (value < 0)
                        return -EBADMSG;
                bits = bits << 6 | (uint32_t)value;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        payload[n++] = (char)(bits >> n_bits);
                }
        }
        return json_parse(ret, payload, n);
}

static void oauth_read_person(Answer *answer, Json *object) {
        CLEANUP(json_freep) Json *claims = NULL;
        const char *id_token = json_string(object, "id_token");

        if (!id_token || oauth_jwt_payload(&claims, id_token) < 0)
                return;
        answer->user = text_clean(json_string(claims, "preferred_username"), OAUTH_NAME_MAX);
        answer->tenant = text_clean(json_string(claims, "tid"), OAUTH_NAME_MAX);
}

static bool oauth_refresh_is_sound(const char *refresh) {
        return refresh && strlen(refresh) <= LIMIT_REFRESH_TOKEN &&
               text_is_printable_ascii(refresh);
}

/* What makes it unusable, into why; "" when nothing does. */
static void oauth_check_token(Json *object, uint64_t *ret_expires_in, char why[OAUTH_WHY_MAX]) {
        const char *type = json_string(object, "token_type");
        const char *access = json_string(object, "access_token");
        const char *refresh = json_string(object, "refresh_token");
        const char *text = "";
        int r;

        r = json_uint(object, "expires_in", ret_expires_in);
        if (access && strlen(access) > LIMIT_ACCESS_TOKEN) {
                (void)snprintf(why, OAUTH_WHY_MAX,
                               "its access token has %zu bytes, more than the %d that are taken",
                               strlen(access), LIMIT_ACCESS_TOKEN);
                return;
        }
        if (refresh && strlen(refresh) > LIMIT_REFRESH_TOKEN) {
                (void)snprintf(why, OAUTH_WHY_MAX,
                               "its refresh token has %zu bytes, more than the %d that are stored",
                               strlen(refresh), LIMIT_REFRESH_TOKEN);
                return;
        }
        if (!access || !text_is_b64token(access))
                text = "there is no usable access token in it";
        else if (!type || strcasecmp(type, "Bearer") != 0)
                text = "the token's type is not Bearer";
        else if (json_has(object, "refresh_token") && !oauth_refresh_is_sound(refresh))
                text = "its refresh token is not one that could be stored";
        else if (r < 0 || *ret_expires_in == 0)
                text = "it does not say for how long the token is valid";
        (void)snprintf(why, OAUTH_WHY_MAX, "%s", text);
}

static void oauth_accept_token(Answer *answer, const HttpReply *reply, Json *object,
                               const char *authority) {
        const char *refresh = json_string(object, "refresh_token");
        uint64_t seconds, refresh_in;
        char why[OAUTH_WHY_MAX];

        oauth_check_token(object, &seconds, why);
        if (*why) {
                oauth_unusable(answer, authority, why);
                /* It came with a success: the one that was sent may be spent. */
                if (oauth_refresh_is_sound(refresh))
                        answer->refresh_token = xstrdup(refresh);
                return;
        }
        answer_deinit(answer);
        answer->kind = ANSWER_TOKEN;
        answer->date = reply->date;
        answer->expires_usec =
                reply->sent_usec + MIN(seconds, (uint64_t)LIMIT_LIFETIME_SECONDS) * USEC_PER_SEC;
        if (json_uint(object, "refresh_in", &refresh_in) == 0 && refresh_in > 0)
                answer->refresh_usec =
                        reply->sent_usec +
                        MIN(refresh_in, (uint64_t)LIMIT_LIFETIME_SECONDS) * USEC_PER_SEC;
        answer->scope = text_clean(json_string(object, "scope"), OAUTH_SCOPE_MAX);
        oauth_read_person(answer, object);
        answer->refresh_token = xstrdup(refresh);
        answer->access_token = xstrdup(json_string(object, "access_token"));
}

static Json *oauth_body(const HttpReply *reply) {
        Json *object = NULL;

        if (!reply->outcome)
                (void)json_parse(&object, reply->body, reply->n_body);
        return object;
}

int oauth_read_poll(Answer *answer, const HttpReply *reply, const char *authority) {
        CLEANUP(json_freep) Json *object = oauth_body(reply);
        const char *error = object ? json_string(object, "error") : NULL;

        if (object && reply->status == 200) {
                oauth_accept_token(answer, reply, object, authority);
                return 0;
        }
        if (reply->status / 100 == 4 && reply->status != 429) {
                if (streq(error, "slow_down"))
                        return OAUTH_E_SLOW_DOWN;
                if (streq(error, "authorization_pending") && !reply->retry_after)
                        return OAUTH_E_PENDING;
        }
        oauth_read_error(answer, reply, object, authority);
        return 0;
}

void oauth_read_token(Answer *answer, const HttpReply *reply, const char *authority) {
        if (oauth_read_poll(answer, reply, authority) != 0)
                oauth_unusable(answer, authority, "it speaks of a device code");
        /* Nobody was asked, so nobody declined: what is denied here, a person may be granted. */
        if (answer->kind == ANSWER_CANCELLED)
                answer->kind = ANSWER_SIGN_IN_NEEDED;
}

void oauth_read_client(Answer *answer, const HttpReply *reply, const char *authority) {
        oauth_read_token(answer, reply, authority);
        if (answer->kind == ANSWER_MISCONFIGURED && answer->code)
                oauth_blame_client(answer, reply, authority);
        /* What came with it is no client's, and would take the secret's place. */
        answer->refresh_token = secret_free(answer->refresh_token);
}

static const char *oauth_check_device(Json *object) {
        const char *code = json_string(object, "device_code");
        const char *user = json_string(object, "user_code");
        const char *uri = json_string(object, "verification_uri");

        if (!code || strlen(code) > LIMIT_REFRESH_TOKEN || !text_is_printable_ascii(code))
                return "there is no device code in it";
        if (str_empty(user) || strlen(user) > OAUTH_USER_CODE_MAX || !text_is_clean(user))
                return "there is no code to enter in it";
        if (!uri || strlen(uri) > OAUTH_URI_MAX || !host_url_is_safe(uri))
                return "the page to sign in at is not an https address";
        return NULL;
}

static void oauth_accept_device(OauthDevice *device, const Json *object) {
        CLEANUP(freep) char *safe = NULL;
        CLEANUP(freep) char *message = NULL;

        device->device_code = xstrdup(json_string(object, "device_code"));
        device->user_code = xstrdup(json_string(object, "user_code"));
        device->verification_uri = xstrdup(json_string(object, "verification_uri"));
        safe = redact(json_string(object, "message"), (const char **)&device->device_code, 1);
        message = text_clean(safe, EVENT_MESSAGE_MAX);
        device->message =
                !str_empty(message)
                        ? STEAL(message)
                        : xasprintf("To sign in, open %s in a browser and enter the code %s.",
                                    device->verification_uri, device->user_code);
        if (json_uint(object, "expires_in", &device->expires_in) < 0 || !device->expires_in)
                device->expires_in = OAUTH_DEVICE_LIFE;
        device->expires_in = MIN(device->expires_in, (uint64_t)OAUTH_DEVICE_LIFE_MAX);
        if (json_uint(object, "interval", &device->interval) < 0)
                device->interval = OAUTH_INTERVAL;
        device->interval = MIN(MAX(device->interval, (uint64_t)1), (uint64_t)OAUTH_INTERVAL_MAX);
}

void oauth_read_device(OauthDevice *device, Answer *answer, const HttpReply *reply,
                       const char *authority) {
        CLEANUP(json_freep) Json *object = oauth_body(reply);
        const char *what;

        if (!object || reply->status != 200) {
                oauth_read_error(answer, reply, object, authority);
                return;
        }
        what = oauth_check_device(object);
        if (what)
                oauth_unusable(answer, authority, what);
        else
                oauth_accept_device(device, object);
}

void oauth_device_deinit(OauthDevice *device) {
        secret_free(device->device_code);
        secret_free(device->user_code);
        secret_free(device->verification_uri);
        secret_free(device->message);
        *device = (OauthDevice){ 0 };
}
