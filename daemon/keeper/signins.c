/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "common/memory.h"
#include "keeper/signins.h"
#include "keeper/stored.h"
#include "model/limits.h"

void signins_init(Signins *l, Env *env, Vault *vault, const SigninsHandler *handler,
                  void *userdata) {
        *l = (Signins){ .env = env, .vault = vault, .handler = handler, .userdata = userdata };
}

void signins_deinit(Signins *l) {
        while (l->first) {
                SignIn *next = signin_next(l->first);

                signin_free(l->first); /* which tells: it is in the list until then */
                l->first = next;
        }
        signins_drop_claims(l);
}

SignIn *signins_pending(const Signins *l) {
        return l->first && signin_is_pending(l->first) ? l->first : NULL;
}

bool signins_is_saving(const Signins *l) {
        return l->save != NULL;
}

void signins_drop_claims(Signins *l) {
        free(l->claims);
        l->claims = NULL;
}

void signins_want_claims(Signins *l, const char *claims) {
        if (!claims)
                return;
        free(l->claims);
        l->claims = xstrdup(claims);
}

static void signins_forget_save(Signins *l) {
        l->save = vault_op_free(l->save);
        l->finishing = NULL;
        l->token = token_unref(l->token);
}

void signins_cancel(Signins *l, const char *name) {
        SignIn *pending = signins_pending(l);
        Problem problem = { 0 };

        signins_forget_save(l);
        if (!pending)
                return;
        (void)problem_set(&problem, OUTCOME_CANCELLED, "%s: the sign-in was cancelled.", name);
        signin_end(pending, &problem);
        problem_clear(&problem);
}

/* The tokens are in the keyring, or wait for it in memory. */
static void signins_on_saved(int outcome, void *userdata) {
        const Problem none = { 0 };
        Signins *l = userdata;
        CLEANUP(token_unrefp) Token *token = STEAL(l->token);
        SignIn *s = l->finishing;

        signins_forget_save(l);
        signins_drop_claims(l);
        l->handler->done(token, signin_resource(s), outcome, l->userdata);
        signin_end(s, &none);
}

static void signins_on_token(SignIn *s, const FetchToken *fetched, void *userdata) {
        Signins *l = userdata;
        Record *record = vault_record(l->vault);

        assert(s == signins_pending(l) && !l->save);
        l->handler->arrived(l->userdata);
        vault_start_over(l->vault);
        record_drop_tokens(record);
        (void)record_set_user(record, NULL);
        (void)record_set_seen_tenant(record, NULL);
        if (!fetched->refresh_token)
                (void)record_set_secret(record, NULL);
        (void)stored_put_fetched(l->env, l->vault, l->source, signin_resource(s), fetched,
                                 &l->token);
        l->finishing = s;
        if (vault_save(l->vault, &l->save, signins_on_saved, l) < 0) {
                vault_save_later(l->vault);
                signins_on_saved(KEYRING_E_FAILED, l);
        }
}

static void signins_on_failed(SignIn *s, const Problem *cause, void *userdata) {
        Signins *l = userdata;

        /* They may be at fault; if they are wanted all the same, that will be said again. */
        if (cause->outcome == OUTCOME_MISCONFIGURED || cause->outcome == OUTCOME_BLOCKED)
                signins_drop_claims(l);
        l->handler->failed(s, cause, l->userdata);
}

static void signins_on_expired(SignIn *expired, void *userdata) {
        Signins *l = userdata;
        SignIn *before = NULL, *next = signin_next(expired);

        if (l->first != expired)
                for (before = l->first; signin_next(before) != expired;)
                        before = signin_next(before);
        signin_free(expired); /* which tells: it is in the list until then */
        if (before)
                signin_link(before, next);
        else
                l->first = next;
}

static const SignInHandler signin_handler = {
        .token = signins_on_token,
        .failed = signins_on_failed,
        .expired = signins_on_expired,
};

int signins_begin(Signins *l, Keeper *keeper, const Account *account, const char *method,
                  SignIn **ret) {
        size_t n = 0;
        SignIn *s;
        int r;

        assert(!signins_pending(l));
        for (const SignIn *each = l->first; each; each = signin_next(each))
                n++;
        if (n >= LIMIT_SIGNINS_PER_ACCOUNT)
                return -E2BIG;
        l->source = account->source;
        r = signin_new(&s, l->env, keeper, account, method, l->claims, &signin_handler, l);
        if (r < 0)
                return r;
        signin_link(s, l->first);
        l->first = s;
        l->env->listener->signin_added(s, l->env->listener_userdata);
        *ret = s;
        return 0;
}
