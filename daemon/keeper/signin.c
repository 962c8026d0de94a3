/* SPDX-License-Identifier: MIT */
#include "keeper/signin.h"
#include "common/memory.h"
#include "io/timer.h"
#include "keeper/source.h"
#include "model/limits.h"

#define SIGNIN_LINGER_USEC (60 * USEC_PER_SEC)

struct SignIn {
        Env *env;
        Keeper *keeper;
        const SignInHandler *handler;
        void *userdata;
        SignIn *next;
        uint64_t number;
        char *resource;
        char *method, *user_code, *verification_uri, *message;
        uint64_t expires_usec; /* CLOCK_BOOTTIME */
        SignInState state;
        Problem error;
        Fetch *fetch;
        Timer *linger;
};

static void text_replace(char **field, const char *value) {
        free(*field);
        *field = xstrdup(value ?: "");
}

/* The contract's words are two; a program of the user's may be asked by, and say, another. */
static const char *method_shown(const char *method) {
        return streq(method, "browser") ? "browser" : "device-code";
}

static void signin_on_prompt(const FetchPrompt *prompt, void *userdata) {
        SignIn *s = userdata;

        text_replace(&s->method, method_shown(prompt->method));
        text_replace(&s->user_code, prompt->user_code);
        text_replace(&s->verification_uri, prompt->verification_uri);
        text_replace(&s->message, prompt->message);
        s->expires_usec = prompt->expires_usec;
        s->env->listener->signin_changed(s, s->env->listener_userdata);
}

static void signin_on_token(const FetchToken *token, void *userdata) {
        SignIn *s = userdata;

        s->handler->token(s, token, s->userdata);
        s->fetch = fetch_free(s->fetch);
}

static void signin_on_error(const FetchError *error, void *userdata) {
        SignIn *s = userdata;
        Problem problem = { 0 };

        problem_copy(&problem, &error->problem);
        s->fetch = fetch_free(s->fetch);
        s->handler->failed(s, &problem, s->userdata);
        problem_clear(&problem);
}

static const FetchHandler signin_fetch_handler = {
        .prompt = signin_on_prompt,
        .token = signin_on_token,
        .error = signin_on_error,
};

static void signin_on_linger(void *userdata) {
        SignIn *s = userdata;

        s->handler->expired(s, s->userdata);
}

int signin_new(SignIn **ret, Env *env, Keeper *keeper, const Account *account, const char *method,
               const char *claims, const SignInHandler *handler, void *userdata) {
        CLEANUP(signin_freep) SignIn *s = xcalloc(1, sizeof(*s));
        FetchRequest request;
        int r;

        s->env = env;
        s->keeper = keeper;
        s->expires_usec = USEC_INFINITY;
        s->handler = handler;
        s->userdata = userdata;
        s->resource = xstrdup(account->resource);
        text_replace(&s->method, method_shown(method));
        text_replace(&s->user_code, NULL);
        text_replace(&s->verification_uri, NULL);
        text_replace(&s->message, NULL);
        r = timer_new(&s->linger, env->event, signin_on_linger, s);
        if (r < 0)
                return r;
        source_request(&request, env, account, NULL);
        request.method = method;
        request.claims = claims;
        request.deadline = LIMIT_SIGNIN_SECONDS;
        r = fetch_start(&s->fetch, env->launcher, env->event, &request, &signin_fetch_handler, s);
        if (r < 0)
                return r;
        env->stats.sign_ins++;
        s->number = ++env->n_signins;
        *ret = STEAL(s);
        return 0;
}

SignIn *signin_free(SignIn *s) {
        if (s) {
                if (s->number)
                        s->env->listener->signin_removed(s, s->env->listener_userdata);
                fetch_free(s->fetch);
                timer_free(s->linger);
                problem_clear(&s->error);
                free(s->resource);
                free(s->method);
                free(s->user_code);
                free(s->verification_uri);
                free(s->message);
                free(s);
        }
        return NULL;
}

void signin_view(const SignIn *s, SignInView *ret) {
        *ret = (SignInView){ .number = s->number,
                             .keeper = s->keeper,
                             .method = s->method,
                             .user_code = s->user_code,
                             .verification_uri = s->verification_uri,
                             .message = s->message,
                             .expires_at = clock_wall_of(s->expires_usec),
                             .state = s->state,
                             .error = &s->error };
}

const char *signin_state_to_string(SignInState state) {
        static const char *const names[_SIGNIN_STATE_MAX] = {
                [SIGNIN_STATE_PENDING] = "pending",
                [SIGNIN_STATE_DONE] = "done",
                [SIGNIN_STATE_FAILED] = "failed",
                [SIGNIN_STATE_CANCELLED] = "cancelled",
        };

        return names[state];
}

const char *signin_resource(const SignIn *s) {
        return s->resource;
}

bool signin_is_pending(const SignIn *s) {
        return s->state == SIGNIN_STATE_PENDING;
}

void signin_end(SignIn *s, const Problem *problem) {
        if (!signin_is_pending(s))
                return;
        s->state = problem->outcome == OUTCOME_OK          ? SIGNIN_STATE_DONE
                   : problem->outcome == OUTCOME_CANCELLED ? SIGNIN_STATE_CANCELLED
                                                           : SIGNIN_STATE_FAILED;
        if (s->state != SIGNIN_STATE_DONE)
                s->env->stats.sign_in_failures++;
        s->fetch = fetch_free(s->fetch);
        problem_copy(&s->error, problem);
        timer_arm(s->linger, clock_boottime() + SIGNIN_LINGER_USEC);
        s->env->listener->signin_changed(s, s->env->listener_userdata);
}

void signin_cancel(SignIn *s) {
        Problem problem = { 0 };

        if (!signin_is_pending(s) || !s->fetch)
                return;
        s->fetch = fetch_free(s->fetch);
        (void)problem_set(&problem, OUTCOME_CANCELLED, "The sign-in was cancelled.");
        s->handler->failed(s, &problem, s->userdata);
        problem_clear(&problem);
}

SignIn *signin_next(const SignIn *s) {
        return s->next;
}

void signin_link(SignIn *s, SignIn *next) {
        s->next = next;
}
