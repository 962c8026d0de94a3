/* SPDX-License-Identifier: MIT */
#include "keeper/source.h"
#include "common/text.h"
#include "model/api-token.h"
#include "model/limits.h"

SourceSecret source_secret(AccountSource source) {
        static const SourceSecret secrets[_ACCOUNT_SOURCE_MAX] = {
                [ACCOUNT_SOURCE_ENTRA] = SOURCE_SECRET_REFRESH_TOKEN,
                [ACCOUNT_SOURCE_AZURE_CLI] = SOURCE_SECRET_NONE,
                [ACCOUNT_SOURCE_CLIENT_CREDENTIALS] = SOURCE_SECRET_CLIENT,
                [ACCOUNT_SOURCE_API_TOKEN] = SOURCE_SECRET_TOKEN,
                [ACCOUNT_SOURCE_COMMAND] = SOURCE_SECRET_REFRESH_TOKEN,
        };

        return secrets[source];
}

bool source_needs_secret(AccountSource source) {
        return source_secret(source) != SOURCE_SECRET_NONE && source != ACCOUNT_SOURCE_COMMAND;
}

static int check_api_token(const Account *a, const char *secret, uint64_t now, Problem *problem) {
        uint64_t expires_at = 0;
        const char *why;

        if (strlen(secret) > LIMIT_SECRET)
                return problem_set(problem, OUTCOME_INVALID_ARGS,
                                   "%s: this is no API token: it is over %d bytes long.", a->name,
                                   LIMIT_SECRET);
        if (api_token_check(secret, &expires_at, &why) < 0)
                return problem_set(problem, OUTCOME_INVALID_ARGS, "%s: this is no API token: %s.",
                                   a->name, why);
        if (expires_at && expires_at <= now)
                return problem_set(problem, OUTCOME_INVALID_ARGS,
                                   "%s: this API token has expired already. Make a new one in the "
                                   "application, unless this machine's clock is wrong.",
                                   a->name);
        return 0;
}

static int check_client_secret(const Account *a, const char *secret, Problem *problem) {
        if (str_empty(secret) || strlen(secret) > LIMIT_SECRET || !text_is_clean(secret))
                return problem_set(problem, OUTCOME_INVALID_ARGS,
                                   "%s: this is no client secret: it is empty, longer than %d "
                                   "bytes, or has control characters in it.",
                                   a->name, LIMIT_SECRET);
        return 0;
}

int source_check_secret(const Account *a, const char *secret, uint64_t now, Problem *problem) {
        switch (source_secret(a->source)) {
        case SOURCE_SECRET_TOKEN:
                return check_api_token(a, secret, now, problem);
        case SOURCE_SECRET_CLIENT:
                return check_client_secret(a, secret, problem);
        default:
                return problem_set(problem, OUTCOME_INVALID_ARGS,
                                   "%s: an account of source %s takes no secret. Sign in: "
                                   "iotc-token login %s",
                                   a->name, account_source_to_string(a->source), a->name);
        }
}

void source_request(FetchRequest *ret, const Env *env, const Account *a, const char *secret) {
        bool client =
                a->source == ACCOUNT_SOURCE_ENTRA || a->source == ACCOUNT_SOURCE_CLIENT_CREDENTIALS;
        SourceSecret kind = source_secret(a->source);

        *ret = (FetchRequest){
                .source = account_source_to_string(a->source),
                .authority = a->authority,
                .tenant = a->tenant,
                .client_id = client ? account_client_id(a) : NULL,
                .resource = a->resource,
                .refresh_token = kind == SOURCE_SECRET_REFRESH_TOKEN ? secret : NULL,
                .client_secret = kind == SOURCE_SECRET_CLIENT ? secret : NULL,
                .config_dir = a->config_dir,
                .az = a->az,
                .subscription = a->subscription,
                .proxy = env->proxy,
                .proxy_credentials = env->proxy_credentials,
                .ca_bundle = env->ca_bundle,
                .program = a->command,
        };
}
