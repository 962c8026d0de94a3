/* SPDX-License-Identifier: MIT */
#include "util-keeper.h"
#include "common/secret.h"
#include "common/text.h"

void changer_on_done(const Problem *problem, void *userdata) {
        Changer *c = userdata;

        c->answers++;
        c->outcome = problem->outcome;
        c->op = keeper_op_free(c->op);
}

void expect_done(const Changer *c, Outcome outcome) {
        assert(c->answers == 1 && !c->op && c->outcome == outcome);
}

static void on_account_changed(Keeper *k, unsigned what, void *userdata) {
        Stage *s = userdata;

        s->changed |= what;
        s->n_changed++;
}

static void on_signin_added(SignIn *signin, void *userdata) {
        ((Stage *)userdata)->signins_added++;
}

static void on_signin_changed(SignIn *signin, void *userdata) {
        ((Stage *)userdata)->signins_changed++;
}

static void on_signin_removed(SignIn *signin, void *userdata) {
        ((Stage *)userdata)->signins_removed++;
}

static void on_ends_soon(Keeper *k, uint64_t seconds, void *userdata) {
        Stage *s = userdata;

        s->warnings++;
        s->warned_seconds = seconds;
}

static const Listener listener = {
        .account_ends_soon = on_ends_soon,
        .account_changed = on_account_changed,
        .signin_added = on_signin_added,
        .signin_changed = on_signin_changed,
        .signin_removed = on_signin_removed,
};

static void on_keyring(KeyringState state, void *userdata) {
        Stage *s = userdata;

        if (s->keeper)
                keeper_on_keyring(s->keeper, state);
}

void stage_init(Stage *s) {
        *s = (Stage){ .env = { .listener = &listener, .online = true } };
        fake_time_init(SEC(86400), WALL);
        fake_fetch_init();
        s->keyring = fake_keyring_new(on_keyring, s);
        s->env.keyring = s->keyring;
        s->env.listener_userdata = s;
        s->env.runtime_dir = (char *)"/run/nowhere";
}

void stage_deinit(Stage *s) {
        s->keeper = keeper_free(s->keeper);
        s->keyring = keyring_free(s->keyring);
        assert(fake_fetches_running() == 0);
        assert(fake_timers() == 0);
        assert(fake_counts_open() == 0);
        assert(fake_sleep_locks() == 0);
        assert(!fake_notify_watched());
        assert(s->signins_added == s->signins_removed);
}

Account *stage_account(AccountSource source) {
        const char *const resources[] = { GRAPH, NULL };
        char *problem = NULL;
        Account *a;

        assert(account_new(&a, "work", source) == 0);
        if (account_is_bearer(a))
                assert(account_set(a, "resources", resources, ACCOUNT_ORIGIN_FILE, &problem) == 0);
        return a;
}

void stage_put_record(Stage *s, AccountSource source, const char *secret, const char *token,
                      uint64_t age, uint64_t life) {
        CLEANUP(account_freep) Account *a = stage_account(source);
        CLEANUP(record_freep) Record *r = NULL;
        CLEANUP(secret_freep) char *text = NULL;

        assert(record_new(&r, a) == 0);
        assert(record_set_secret(r, secret) == 0);
        if (token)
                assert(record_set_token(r, RESOURCE, token, clock_wall() - age,
                                        clock_wall() - age + life, 0) == 0);
        assert(record_to_text(&text, r) == 0);
        fake_keyring_put(s->keyring, "work", text);
}

void stage_start(Stage *s, AccountSource source) {
        assert(keeper_new(&s->keeper, &s->env, stage_account(source)) == 0);
        fake_time_pass(0);
}

void stage_start_signed_in(Stage *s) {
        stage_put_record(s, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", NULL, 0, 0);
        stage_start(s, ACCOUNT_SOURCE_ENTRA);
        answer_token("secret-at-1", NULL);
        fake_time_pass(SEC(2)); /* it is written */
        assert(stage_state(s) == KEEPER_STATE_READY);
}

unsigned stage_changed(Stage *s) {
        unsigned changed = s->changed;

        s->changed = 0;
        return changed;
}

KeeperView stage_view(const Stage *s) {
        KeeperView view;

        keeper_view(s->keeper, &view);
        return view;
}

KeeperState stage_state(const Stage *s) {
        return stage_view(s).state;
}

void stage_set_clock(Stage *s, int64_t by) {
        fake_time_set_wall((uint64_t)((int64_t)clock_wall() + by));
        keeper_on_clock(s->keeper, by);
        fake_time_pass(0);
}

const char *stage_stored_secret(const Stage *s) {
        static char buf[64];
        CLEANUP(record_freep) Record *r = NULL;
        const char *text = fake_keyring_get(s->keyring, "work");

        if (!text)
                return "";
        assert(record_from_text(&r, text) == 0);
        snprintf(buf, sizeof(buf), "%s", r->secret ? r->secret : "");
        return buf;
}

static void caller_told(Caller *c, const Token *token, const Problem *problem) {
        c->answers++;
        c->answered_usec = clock_boottime();
        if (token) {
                assert(token_left_usec(token, clock_boottime()) > 0);
                snprintf(c->token, sizeof(c->token), "%s", token->value);
                return;
        }
        c->outcome = problem->outcome;
        snprintf(c->text, sizeof(c->text), "%s", problem_text(problem));
        assert(c->outcome != OUTCOME_OK && !str_empty(c->text) && text_is_clean(c->text));
        assert(!strstr(c->text, "secret-"));
}

static void on_token(Token *token, const Problem *problem, void *userdata) {
        Caller *c = userdata;

        caller_told(c, token, problem);
        c->waiter = waiter_free(c->waiter);
        if (c->then)
                c->then(c);
}

void caller_ask(Caller *c, Keeper *k, const KeeperAsk *ask) {
        Problem problem = { 0 };
        Token *token;
        int r;

        *c = (Caller){
                .keeper = k, .then = c->then, .other = c->other, .then_userdata = c->then_userdata
        };
        r = keeper_get(k, ask, &token, &c->waiter, on_token, c, &problem);
        assert(r >= 0);
        assert((r > 0) + (token != NULL) + (c->waiter != NULL) == 1);
        assert(c->answers == 0); /* never inside */
        if (r > 0) {
                assert(r == (int)problem.outcome);
                caller_told(c, NULL, &problem);
        } else if (token)
                caller_told(c, token, NULL);
        problem_clear(&problem);
}

void caller_leave(Caller *c) {
        c->waiter = waiter_free(c->waiter);
}

/* What a failed test says on its way out. */
static bool caller_show(const Caller *c, bool good) {
        if (!good)
                fprintf(stderr, "The caller has %u answers: token '%s', outcome %d, '%s'\n",
                        c->answers, c->token, c->outcome, c->text);
        return good;
}

void expect_waiting(const Caller *c) {
        assert(caller_show(c, c->answers == 0 && c->waiter));
}

void expect_token(Caller *c, const char *token) {
        assert(caller_show(c, c->answers == 1 && streq(c->token, token)));
        caller_leave(c);
}

void expect_failure(Caller *c, Outcome outcome, const char *hint) {
        assert(caller_show(c, c->answers == 1 && !*c->token && c->outcome == outcome));
        assert(caller_show(c, strstr(c->text, "work: ") == c->text && strstr(c->text, hint)));
        caller_leave(c);
}

void answer_token(const char *token, const char *refresh_token) {
        fake_fetch_token(fake_fetch(),
                         &(FakeToken){ .access_token = token, .refresh_token = refresh_token });
        fake_time_pass(0);
}

void answer_error(Outcome outcome, uint64_t retry_after) {
        fake_fetch_error(fake_fetch(), outcome, retry_after);
        fake_time_pass(0);
}
