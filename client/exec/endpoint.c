/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <inttypes.h>
#include <iotc-token.h>
#include <microhttpd.h>
#include <sys/random.h>
#include <time.h>

#include "base/display.h"
#include "common/json.h"
#include "common/peer.h"
#include "exec/endpoint.h"

#define ENDPOINT_PATH        "/msi/token"
#define ENDPOINT_API_VERSION "2019-08-01"

enum {
        ENDPOINT_CONNECTIONS = 64, /* at once; more are refused by the kernel's queue */
        ENDPOINT_IDLE_SEC = 60,    /* of a connection that says nothing */
        ENDPOINT_HEADER_MAX = 16 * 1024,
        ENDPOINT_WAIT_SEC = 20, /* for a token; SDKs give up themselves after 30 s and more */
        ENDPOINT_RESOURCE_MAX = 2048,
};

struct Endpoint {
        int fd;
        uint16_t port;
        struct MHD_Daemon *http;
        const char *account, *client_id;
        char host[sizeof("127.0.0.1:65535")];
        char url[sizeof("http://127.0.0.1:65535" ENDPOINT_PATH)];
        char secret[ENDPOINT_SECRET_SIZE];
};

CLEANUP_FUNC(iotc_token_client, iotc_token_close)
CLEANUP_FUNC(iotc_token, iotc_token_free)

typedef struct Answer {
        unsigned status;
        char *body; /* freed by MHD, wiped before */
} Answer;

static void body_free(void *body) {
        explicit_bzero(body, strlen(body));
        free(body);
}

/* Room for what is written without a copy that nobody wipes: size bytes, unbuffered. */
static FILE *body_open(Answer *answer, size_t size) {
        FILE *f;

        answer->body = calloc(1, size);
        f = answer->body ? fmemopen(answer->body, size, "w") : NULL;
        if (f)
                (void)setvbuf(f, NULL, _IONBF, 0);
        return f;
}

/* Microsoft's own endpoint says errors so, and the SDKs show the message. */
static void answer_error(Answer *answer, unsigned status, const char *message) {
        CLEANUP(file_closep) FILE *f = NULL;
        JsonWriter out;

        answer->status = status;
        /* A byte of text is \uXXXX at most. */
        f = body_open(answer, 6 * strlen(message) + 64);
        if (!f)
                return;
        out = (JsonWriter){ .f = f };
        json_writer_open(&out, NULL, '{');
        json_writer_uint(&out, "statusCode", status);
        json_writer_string_or_null(&out, "message", message);
        json_writer_close(&out, '}');
}

static void number_string(JsonWriter *out, const char *key, uint64_t value) {
        char text[24];

        snprintf(text, sizeof(text), "%" PRIu64, value);
        json_writer_string_or_null(out, key, text);
}

/* All that any SDK looks for: expires_on and expires_in as strings, resource as it was asked for.
 */
static void answer_token(Answer *answer, const Endpoint *e, const iotc_token *token,
                         const char *resource) {
        CLEANUP(file_closep) FILE *f = NULL;
        uint64_t now = (uint64_t)time(NULL), end = iotc_token_expires_at(token);
        JsonWriter out;

        answer->status = MHD_HTTP_OK;
        f = body_open(answer, strlen(iotc_token_value(token)) +
                                      6 * (strlen(resource) + strlen(e->client_id)) + 256);
        if (!f)
                return;
        out = (JsonWriter){ .f = f };
        json_writer_open(&out, NULL, '{');
        json_writer_string_or_null(&out, "access_token", iotc_token_value(token));
        json_writer_string_or_null(&out, "client_id", e->client_id);
        number_string(&out, "expires_in", end > now ? end - now : 0);
        number_string(&out, "expires_on", end);
        number_string(&out, "not_before", now);
        json_writer_string_or_null(&out, "resource", resource);
        json_writer_string_or_null(&out, "token_type", "Bearer");
        json_writer_close(&out, '}');
}

/* SDKs try 5xx again, and 404 and 410 for long: only what time mends may look like that. */
static unsigned status_of(int r) {
        switch (r) {
        case -EAGAIN:
        case -ETIME:
        case -ETIMEDOUT:
        case -ECONNRESET:
        case -EHOSTUNREACH:
                return MHD_HTTP_SERVICE_UNAVAILABLE;
        default:
                return MHD_HTTP_BAD_REQUEST;
        }
}

static void ask_daemon(Answer *answer, const Endpoint *e, const char *resource) {
        CLEANUP(iotc_token_closep) iotc_token_client *client = NULL;
        CLEANUP(iotc_token_freep) iotc_token *token = NULL;
        int r;

        r = iotc_token_open(&client);
        if (r < 0)
                return;
        r = iotc_token_get(client, e->account,
                           IOTC_TOKEN_OPTIONS(.resource = resource, .timeout = ENDPOINT_WAIT_SEC),
                           &token);
        if (r < 0)
                answer_error(answer, status_of(r), iotc_token_error_text(client));
        else if (!streq(iotc_token_type(token), "bearer")) /* another account of that name by now */
                answer_error(answer, MHD_HTTP_BAD_REQUEST,
                             "The account holds an API token, which is no managed identity's.");
        else
                answer_token(answer, e, token, resource);
}

static bool secret_is(const char *given, const char *secret) {
        size_t n = strlen(secret);
        unsigned char differs = 0;

        if (!given || strlen(given) != n)
                return false;
        for (size_t i = 0; i < n; i++)
                differs |= (unsigned char)(given[i] ^ secret[i]);
        return differs == 0;
}

static const char *header_of(struct MHD_Connection *c, const char *name) {
        return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static const char *query_of(struct MHD_Connection *c, const char *name) {
        return MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);
}

/*
 * What a web page in a browser of this user could send is refused: a page can neither set the
 * secret header without asking first (Origin) nor name us by our address after its own name was
 * bent to loopback (Host).
 */
static bool is_foreign(struct MHD_Connection *c, const Endpoint *e) {
        return !streq(header_of(c, MHD_HTTP_HEADER_HOST), e->host) ||
               header_of(c, MHD_HTTP_HEADER_ORIGIN) || header_of(c, "X-Forwarded-For") ||
               header_of(c, "Forwarded");
}

/* True when the request is refused by what its headers say. */
static bool refuse_request(Answer *answer, const Endpoint *e, struct MHD_Connection *c,
                           const char *method, const char *path) {
        const char *resource = query_of(c, "resource"), *length;

        length = header_of(c, MHD_HTTP_HEADER_CONTENT_LENGTH);
        if (is_foreign(c, e))
                answer_error(answer, MHD_HTTP_FORBIDDEN, "Only this machine may ask.");
        else if (!secret_is(header_of(c, "X-IDENTITY-HEADER"), e->secret))
                answer_error(answer, MHD_HTTP_UNAUTHORIZED,
                             "X-IDENTITY-HEADER is not what IDENTITY_HEADER says.");
        else if (!streq(path, ENDPOINT_PATH))
                answer_error(answer, MHD_HTTP_BAD_REQUEST, "There is only " ENDPOINT_PATH " here.");
        else if (!streq(method, MHD_HTTP_METHOD_GET))
                answer_error(answer, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET is served.");
        else if ((length && !streq(length, "0")) || header_of(c, MHD_HTTP_HEADER_TRANSFER_ENCODING))
                answer_error(answer, MHD_HTTP_CONTENT_TOO_LARGE, "A request has no body here.");
        else if (!streq(query_of(c, "api-version"), ENDPOINT_API_VERSION))
                answer_error(answer, MHD_HTTP_BAD_REQUEST,
                             "The api-version served is " ENDPOINT_API_VERSION ".");
        else if (str_empty(resource) || strlen(resource) > ENDPOINT_RESOURCE_MAX)
                answer_error(answer, MHD_HTTP_BAD_REQUEST, "A resource is missing or too long.");
        else
                return false;
        return true;
}

/* MHD_AccessHandlerCallback. Called when the headers are there: who is refused then sends no body.
 * Called again at the end of the request. */
static enum MHD_Result endpoint_on_request(void *userdata, struct MHD_Connection *c,
                                           const char *path, const char *method,
                                           const char *version, const char *upload,
                                           size_t *n_upload, void **request) {
        Answer answer = { .status = MHD_HTTP_INTERNAL_SERVER_ERROR };
        struct MHD_Response *response;
        enum MHD_Result result;

        if (*request)
                ask_daemon(&answer, userdata, query_of(c, "resource"));
        else if (!refuse_request(&answer, userdata, c, method, path)) {
                *request = userdata;
                return MHD_YES;
        }
        if (!answer.body)
                return MHD_NO; /* no memory: the connection is closed */
        response = MHD_create_response_from_buffer_with_free_callback(strlen(answer.body),
                                                                      answer.body, body_free);
        if (!response) {
                body_free(answer.body);
                return MHD_NO;
        }
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
        result = MHD_queue_response(c, answer.status, response);
        MHD_destroy_response(response);
        return result;
}

/* MHD_AcceptPolicyCallback: nobody else takes up our connections. */
static enum MHD_Result endpoint_on_connection(void *userdata, const struct sockaddr *peer,
                                              socklen_t n) {
        const Endpoint *e = userdata;

        return peer_is_ours(peer, e->port) ? MHD_YES : MHD_NO;
}

static int listen_on_loopback(Endpoint *e) {
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        socklen_t n = sizeof(address);

        e->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (e->fd < 0 || bind(e->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(e->fd, SOMAXCONN) < 0 || getsockname(e->fd, (struct sockaddr *)&address, &n) < 0)
                return -errno;
        e->port = ntohs(address.sin_port);
        snprintf(e->host, sizeof(e->host), "127.0.0.1:%u", e->port);
        snprintf(e->url, sizeof(e->url), "http://%s" ENDPOINT_PATH, e->host);
        return 0;
}

static int secret_make(char secret[static ENDPOINT_SECRET_SIZE]) {
        unsigned char bytes[(ENDPOINT_SECRET_SIZE - 1) / 2];

        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
                return -EIO;
        for (size_t i = 0; i < sizeof(bytes); i++)
                snprintf(secret + 2 * i, 3, "%02x", bytes[i]);
        explicit_bzero(bytes, sizeof(bytes));
        return 0;
}

int endpoint_new(Endpoint **ret, const char *account, const char *client_id) {
        CLEANUP(endpoint_freep) Endpoint *e = NULL;
        int r;

        e = calloc(1, sizeof(*e));
        if (!e)
                return -ENOMEM;
        e->fd = -1;
        e->account = account;
        e->client_id = client_id;
        r = secret_make(e->secret);
        if (r < 0)
                return r;
        r = listen_on_loopback(e);
        if (r < 0)
                return r;
        *ret = STEAL(e);
        return 0;
}

int endpoint_serve(Endpoint *e) {
        e->http = MHD_start_daemon(
                MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0,
                endpoint_on_connection, e, endpoint_on_request, e, MHD_OPTION_LISTEN_SOCKET, e->fd,
                MHD_OPTION_CONNECTION_LIMIT, (unsigned)ENDPOINT_CONNECTIONS,
                MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)ENDPOINT_HEADER_MAX,
                MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)ENDPOINT_IDLE_SEC, MHD_OPTION_END);
        return e->http ? 0 : -errno ?: -EIO;
}

int endpoint_fd(const Endpoint *e) {
        return e->fd;
}

Endpoint *endpoint_free(Endpoint *e) {
        if (e) {
                if (e->http)
                        MHD_stop_daemon(e->http); /* closes the socket, too */
                else
                        (void)fd_close(e->fd);
                explicit_bzero(e->secret, sizeof(e->secret));
                free(e);
        }
        return NULL;
}

const char *endpoint_url(const Endpoint *e) {
        return e->url;
}

const char *endpoint_secret(const Endpoint *e) {
        return e->secret;
}
