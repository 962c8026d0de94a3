/* SPDX-License-Identifier: MIT */
/*
 * One exchange without a keeper: whoever began it is told its end once, from the loop.
 */
#include "keeper/exchange.h"
#include "util-keeper.h"

typedef struct Owner {
        Stage stage;
        Account *account;
        Vault *vault;
        Exchange *exchange;
        bool deny;
        unsigned asked, tokens, failures;
        char token[32];
        Outcome outcome;
        int saved;
        unsigned writes; /* of the keyring, when the token came */
} Owner;

static bool on_may_send(void *userdata) {
        Owner *o = userdata;

        o->asked++;
        return !o->deny;
}

static void on_token_given(Token *token, int saved, void *userdata) {
        Owner *o = userdata;

        o->tokens++;
        snprintf(o->token, sizeof(o->token), "%s", token->value);
        o->saved = saved;
        o->writes = fake_keyring_writes(o->stage.keyring);
        o->exchange = exchange_free(o->exchange);
}

static void on_failed(const FetchError *error, void *userdata) {
        Owner *o = userdata;

        o->failures++;
        o->outcome = error->problem.outcome;
        o->exchange = exchange_free(o->exchange);
}

static const ExchangeHandler handler = {
        .may_send = on_may_send,
        .token = on_token_given,
        .failed = on_failed,
};

static void on_vault(VaultEvent event, void *userdata) {
}

static void owner_init(Owner *o) {
        *o = (Owner){ 0 };
        stage_init(&o->stage);
        stage_put_record(&o->stage, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", NULL, 0, 0);
        o->account = stage_account(ACCOUNT_SOURCE_ENTRA);
        assert(vault_new(&o->vault, &o->stage.env, o->account, on_vault, o) == 0);
        fake_time_pass(0);
}

static int owner_begin(Owner *o, const char *claims) {
        int r = exchange_new(&o->exchange, &o->stage.env, o->account, o->vault, RESOURCE, claims,
                             &handler, o);

        assert(o->tokens + o->failures == 0); /* never inside */
        fake_time_pass(0);
        return r;
}

static void owner_deinit(Owner *o) {
        assert(!o->exchange);
        o->vault = vault_free(o->vault);
        o->account = account_free(o->account);
        stage_deinit(&o->stage);
}

static void test_the_refresh_token_is_stored_first(void) {
        Owner o;

        owner_init(&o);
        assert(owner_begin(&o, NULL) == 0);
        assert(streq(fake_fetch_request(fake_fetch())->refresh_token, "secret-rt-1"));
        assert(exchange_expects_secret(o.exchange) && o.asked == 1);
        fake_keyring_hold(o.stage.keyring, true);
        answer_token("secret-at-1", "secret-rt-2");
        assert(o.tokens == 0 && exchange_expects_secret(o.exchange));
        fake_keyring_hold(o.stage.keyring, false);
        fake_time_pass(0);
        assert(o.tokens == 1 && streq(o.token, "secret-at-1") && o.saved == 0 && o.writes == 1);
        assert(streq(stage_stored_secret(&o.stage), "secret-rt-2"));
        owner_deinit(&o);
}

/* A keyring that can't be written keeps nobody from the token. */
static void test_what_cannot_be_stored_is_told(void) {
        Owner o;

        owner_init(&o);
        assert(owner_begin(&o, NULL) == 0);
        fake_keyring_set_state(o.stage.keyring, KEYRING_STATE_LOCKED);
        answer_token("secret-at-1", "secret-rt-2");
        assert(o.tokens == 1 && o.saved == KEYRING_E_LOCKED);
        owner_deinit(&o);
}

static void test_a_failure(void) {
        Owner o;

        owner_init(&o);
        assert(owner_begin(&o, "{}") == 0);
        assert(streq(fake_fetch_request(fake_fetch())->claims, "{}"));
        answer_error(OUTCOME_UNAVAILABLE, 0);
        assert(o.failures == 1 && o.outcome == OUTCOME_UNAVAILABLE && o.asked == 1);
        owner_deinit(&o);
}

/* Before a person is asked for, the keyring is: each other secret that it has is tried once. */
static void test_another_sign_in_of_the_keyring_is_tried(void) {
        Owner o;

        owner_init(&o);
        assert(owner_begin(&o, NULL) == 0);
        stage_put_record(&o.stage, ACCOUNT_SOURCE_ENTRA, "secret-rt-9", NULL, 0, 0);
        answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
        assert(o.failures == 0 && o.asked == 2);
        assert(streq(fake_fetch_request(fake_fetch())->refresh_token, "secret-rt-9"));
        answer_token("secret-at-9", NULL);
        assert(o.tokens == 1 && streq(o.token, "secret-at-9"));
        owner_deinit(&o);

        /* It has no other, or no more may be sent. */
        owner_init(&o);
        assert(owner_begin(&o, NULL) == 0);
        stage_put_record(&o.stage, ACCOUNT_SOURCE_ENTRA, "secret-rt-9", NULL, 0, 0);
        o.deny = true;
        answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
        assert(o.failures == 1 && o.asked == 2);
        owner_deinit(&o);
        owner_init(&o);
        assert(owner_begin(&o, NULL) == 0);
        answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
        assert(o.failures == 1 && o.outcome == OUTCOME_SIGN_IN_NEEDED && o.asked == 1);
        owner_deinit(&o);
}

static void test_no_more_than_may_be_sent(void) {
        Owner o;

        owner_init(&o);
        o.deny = true;
        assert(owner_begin(&o, NULL) == EXCHANGE_E_DENIED);
        assert(!o.exchange && fake_fetches() == 0);
        owner_deinit(&o);
}

static void test_a_fetcher_that_cannot_be_started(void) {
        Owner o;

        owner_init(&o);
        fake_fetch_refuse(-EAGAIN);
        assert(owner_begin(&o, NULL) == -EAGAIN);
        fake_fetch_refuse(0);
        owner_deinit(&o);
}

static void test_it_is_given_up(void) {
        Owner o;

        owner_init(&o);
        assert(owner_begin(&o, NULL) == 0);
        o.exchange = exchange_free(o.exchange);
        fake_time_pass(SEC(100));
        assert(o.tokens + o.failures == 0);
        owner_deinit(&o);
}

int main(void) {
        test_the_refresh_token_is_stored_first();
        test_what_cannot_be_stored_is_told();
        test_a_failure();
        test_another_sign_in_of_the_keyring_is_tried();
        test_no_more_than_may_be_sent();
        test_a_fetcher_that_cannot_be_started();
        test_it_is_given_up();
        return 0;
}
