/* SPDX-License-Identifier: MIT */
#include "util-actor.h"

#define API_TOKEN "SharedAccessSignature sr=a&sig=secret-b&skn=c&se="

static void on_done(const Problem *problem, void *userdata) {
        Actor *a = userdata;

        a->op = keeper_op_free(a->op);
}

static const char *api_token(uint64_t life) {
        static char buf[128];

        snprintf(buf, sizeof(buf), API_TOKEN "%llu000", (long long unsigned)(clock_wall() + life));
        return buf;
}

static Account *account_now(const Actor *a) {
        Account *account = stage_account(a->source);
        char text[64];

        if (a->tenant) {
                snprintf(text, sizeof(text), "tenant-%u", a->tenant);
                free(a->source == ACCOUNT_SOURCE_COMMAND ? account->command : account->tenant);
                *(a->source == ACCOUNT_SOURCE_COMMAND ? &account->command : &account->tenant) =
                        strdup(text);
        }
        if (a->resource) {
                snprintf(text, sizeof(text), "https://resource-%u.example", a->resource);
                free(account->resource);
                account->resource = strdup(text);
        }
        account->problem = a->bad ? strdup("line 7") : NULL;
        return account;
}

static void configure(Actor *a) {
        assert(keeper_configure(a->stage.keeper, account_now(a)) == 0);
        fake_time_pass(0);
}

/* The exchange under way, or that of a caller who forces. */
static Fetch *exchange(Actor *a) {
        for (unsigned i = 0; i < 20; i++) {
                Fetch *f = fake_fetch_of(a->source == ACCOUNT_SOURCE_ENTRA ? "refresh" : NULL);
                Caller c = { 0 };

                if (f)
                        return f;
                fake_time_pass(SEC(31));
                ASK(&c, &a->stage, 1, .force = true);
                caller_leave(&c);
        }
        return NULL;
}

static void give_token(Actor *a, Fetch *f, bool refresh_token) {
        char token[32], rt[32];

        snprintf(token, sizeof(token), "secret-at-%u", ++a->n);
        snprintf(rt, sizeof(rt), "secret-rt-%u", a->n);
        assert(f);
        fake_fetch_token(f, &(FakeToken){ .access_token = token,
                                          .refresh_token = refresh_token ? rt : NULL,
                                          .expires_in = LIFE_SECONDS });
        fake_time_pass(SEC(a->hangs ? 11 : 3)); /* it is written, or not */
}

static void give_error(Actor *a, Outcome outcome) {
        Fetch *f = exchange(a);

        assert(f);
        fake_fetch_error(f, outcome, 0);
        fake_time_pass(0);
}

static void do_fetched(Actor *a) {
        give_token(a, exchange(a), a->source == ACCOUNT_SOURCE_ENTRA);
}

static void do_failed_for_now(Actor *a) {
        give_error(a, OUTCOME_UNAVAILABLE);
}

static void do_wants_a_person(Actor *a) {
        give_error(a, OUTCOME_SIGN_IN_NEEDED);
}

static void do_blocked(Actor *a) {
        give_error(a, OUTCOME_BLOCKED);
}

static void do_settings_refused(Actor *a) {
        give_error(a, OUTCOME_MISCONFIGURED);
}

static void keyring_answers(Actor *a, KeyringState state) {
        a->hangs = false;
        fake_keyring_set_state(a->stage.keyring, state);
        fake_keyring_hold(a->stage.keyring, false);
        fake_time_pass(0);
}

/* It has by then what it could not be given before. */
static void open_keyring(Actor *a) {
        keyring_answers(a, KEYRING_STATE_OK);
        fake_time_pass(SEC(3));
}

static void do_item_deleted(Actor *a) {
        open_keyring(a);
        fake_keyring_put(a->stage.keyring, "work", NULL);
        keeper_on_deletion(a->stage.keeper);
        fake_time_pass(0);
}

static void do_token_ends(Actor *a) {
        KeeperView view;

        keeper_view(a->stage.keeper, &view);
        assert(view.expires_at > clock_wall());
        fake_time_sleep(SEC(view.expires_at - clock_wall()));
}

static void do_signin_begins(Actor *a) {
        Problem problem = { 0 };
        SignIn *s;

        assert(keeper_sign_in(a->stage.keeper, &(SignInWish){ .method = "device-code" }, &s,
                              &problem) == 0);
        fake_time_pass(0);
}

static void do_signed_in(Actor *a) {
        give_token(a, fake_fetch_of("device-code"), true);
}

static void do_signin_failed(Actor *a) {
        fake_fetch_error(fake_fetch_of("device-code"), OUTCOME_CANCELLED, 0);
        fake_time_pass(0);
}

static void do_signed_out(Actor *a) {
        Problem problem = { 0 };

        open_keyring(a);
        assert(keeper_sign_out(a->stage.keeper, &a->op, on_done, a, &problem) == 0);
        fake_time_pass(0);
}

static void do_secret_set(Actor *a) {
        Problem problem = { 0 };

        open_keyring(a);
        assert(keeper_set_secret(a->stage.keeper, api_token(LIFE_SECONDS), &a->op, on_done, a,
                                 &problem) == 0);
        fake_time_pass(0);
}

static void do_az_changed(Actor *a) {
        fake_notify(true);
        fake_time_pass(0);
        fake_notify(false);
}

static void do_other_identity(Actor *a) {
        a->tenant++;
        configure(a);
}

static void do_other_resource(Actor *a) {
        a->resource++;
        configure(a);
}

static void do_bad_line(Actor *a) {
        a->bad = true;
        configure(a);
}

static void do_line_mended(Actor *a) {
        a->bad = false;
        configure(a);
}

static void put_record(Actor *a, const char *secret) {
        CLEANUP(account_freep) Account *account = account_now(a);
        CLEANUP(record_freep) Record *r = NULL;
        CLEANUP(freep) char *text = NULL;

        assert(record_new(&r, account) == 0 && record_set_secret(r, secret) == 0);
        assert(record_to_text(&text, r) == 0);
        fake_keyring_put(a->stage.keyring, "work", text);
}

static void do_keyring_read(Actor *a) {
        put_record(a,
                   a->source == ACCOUNT_SOURCE_API_TOKEN ? api_token(LIFE_SECONDS) : "secret-rt-0");
        keyring_answers(a, KEYRING_STATE_OK);
}

static void do_keyring_read_old_token(Actor *a) {
        put_record(a, API_TOKEN "1600000000000");
        keyring_answers(a, KEYRING_STATE_OK);
}

static void do_keyring_has_nothing(Actor *a) {
        keyring_answers(a, KEYRING_STATE_OK);
}

static void do_keyring_locked(Actor *a) {
        keyring_answers(a, KEYRING_STATE_LOCKED);
}

static void do_keyring_absent(Actor *a) {
        keyring_answers(a, KEYRING_STATE_ABSENT);
}

static void (*const deeds[_WORLD_EVENT_MAX])(Actor *a) = {
        [WORLD_FETCHED] = do_fetched,
        [WORLD_FAILED_FOR_NOW] = do_failed_for_now,
        [WORLD_WANTS_A_PERSON] = do_wants_a_person,
        [WORLD_BLOCKED] = do_blocked,
        [WORLD_SETTINGS_REFUSED] = do_settings_refused,
        [WORLD_ITEM_DELETED] = do_item_deleted,
        [WORLD_TOKEN_ENDS] = do_token_ends,
        [WORLD_SIGNIN_BEGINS] = do_signin_begins,
        [WORLD_SIGNED_IN] = do_signed_in,
        [WORLD_SIGNIN_FAILED] = do_signin_failed,
        [WORLD_SIGNED_OUT] = do_signed_out,
        [WORLD_SECRET_SET] = do_secret_set,
        [WORLD_AZ_CHANGED] = do_az_changed,
        [WORLD_OTHER_IDENTITY] = do_other_identity,
        [WORLD_OTHER_RESOURCE] = do_other_resource,
        [WORLD_CONFIGURED] = configure,
        [WORLD_BAD_LINE] = do_bad_line,
        [WORLD_LINE_MENDED] = do_line_mended,
        [WORLD_KEYRING_READ] = do_keyring_read,
        [WORLD_KEYRING_READ_OLD_TOKEN] = do_keyring_read_old_token,
        [WORLD_KEYRING_HAS_NOTHING] = do_keyring_has_nothing,
        [WORLD_KEYRING_LOCKED] = do_keyring_locked,
        [WORLD_KEYRING_ABSENT] = do_keyring_absent,
};

void actor_expect(bool good, const World *w, const char *what, const Actor *a) {
        if (good)
                return;
        world_tell(w);
        fprintf(stderr, ": %s; it is %s\n", what, keeper_state_to_string(stage_state(&a->stage)));
        abort();
}

void actor_lead_to(Actor *a, const World *w) {
        if (w->before) {
                KeeperState before;

                actor_lead_to(a, w->before);
                before = stage_state(&a->stage);
                (void)stage_changed(&a->stage);
                deeds[w->by](a);
                actor_expect(stage_state(&a->stage) == before ||
                                     stage_changed(&a->stage) & ACCOUNT_CHANGED_STATE,
                             w, "nobody is told that its state changed", a);
                return;
        }
        stage_init(&a->stage);
        a->source = w->source;
        a->hangs = true;
        fake_keyring_hold(a->stage.keyring, true);
        stage_start(&a->stage, w->source);
}

void actor_leave(Actor *a) {
        a->op = keeper_op_free(a->op);
        fake_fetch_answer_by(NULL, 0, NULL);
        stage_deinit(&a->stage);
}
