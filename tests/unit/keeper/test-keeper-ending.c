/* SPDX-License-Identifier: MIT */
#include <limits.h>

#include "io/state.h"
#include "util-house.h"

/*
 * Somebody signs out, removes the account or makes it another one's, while an exchange of its
 * refresh token is under way: whatever stage that is in, its answer is nobody's any more, nothing
 * of it stays in the keyring, and who signs in at once after that stays signed in.
 */

#define WORK "[iotc-token]\ndefault=work\n\n[account work]\nsource=entra\n"

typedef enum Moment {
        STAGE_ASKING,    /* the request is at the server */
        STAGE_ANSWERED,  /* the answer comes while the keyring is busy with the change */
        STAGE_STORING,   /* the new refresh token is on its way to the keyring */
        STAGE_SIGNED_IN, /* the same of a person's sign-in */
        _STAGE_MAX,
} Moment;

typedef enum How {
        HOW_SIGN_OUT,
        HOW_REMOVE,
        HOW_CONFIGURE,
        _HOW_MAX,
} How;

static Keeper *work(House *h) {
        return manager_find(h->m, "work");
}

static const char *stored(House *h) {
        return fake_keyring_get(h->stage.keyring, "work");
}

static SignIn *sign_in(House *h) {
        Problem problem = { 0 };
        SignIn *signin;

        assert(keeper_sign_in(work(h), NULL, &signin, &problem) == 0);
        return signin;
}

/* A daemon with an account whose token has ended: its refresh token is at this stage. */
static void house_at(House *h, Moment stage, Caller *c) {
        char path[192];

        house_init(h, NULL);
        manager_free(h->m);
        snprintf(path, sizeof(path), "%s/state", h->folder.path);
        assert(state_new(&h->stage.env.state, NULL, path) == 0);
        stage_put_record(&h->stage, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", "secret-at-1", 1, 3600);
        put(h->folder.user, WORK);
        assert(manager_new(&h->m, &h->stage.env, h->folder.system, h->folder.user) == 0);
        fake_time_pass(0);
        fake_time_sleep(SEC(3601));
        caller_ask(c, work(h), &(KeeperAsk){ .timeout_usec = SEC(20) });
        fake_time_pass(0);
        assert(fake_fetches_running() == 1);
        fake_keyring_answer(h->stage.keyring, 0);
        if (stage == STAGE_SIGNED_IN) {
                (void)sign_in(h);
                fake_fetch_token(fake_fetch_of("device-code"),
                                 &(FakeToken){ .access_token = "secret-at-2",
                                               .refresh_token = "secret-rt-2" });
        } else if (stage == STAGE_STORING)
                answer_token("secret-at-2", "secret-rt-2");
        fake_time_pass(0);
}

typedef struct Change {
        Changer sign_out;
        Adder removal;
} Change;

static void change(House *h, How how, Change *c) {
        Problem problem = { 0 };
        Account *a;

        *c = (Change){ 0 };
        if (how == HOW_SIGN_OUT) {
                assert(keeper_sign_out(work(h), &c->sign_out.op, changer_on_done, &c->sign_out,
                                       &problem) == 0);
                return;
        }
        if (how == HOW_REMOVE) {
                assert(manager_remove(h->m, work(h), &c->removal.op, on_removed, &c->removal,
                                      &problem) == 0);
                assert(c->removal.op);
                return;
        }
        assert(account_copy(&a, keeper_account(work(h))) == 0);
        free(a->tenant);
        a->tenant = strdup("other.example.com");
        assert(a->tenant && manager_configure(h->m, work(h), a, &problem) == 0);
}

static void expect_changed(How how, const Change *c) {
        if (how == HOW_SIGN_OUT)
                expect_done(&c->sign_out, OUTCOME_OK);
        else if (how == HOW_REMOVE)
                assert(c->removal.answers == 1 && c->removal.outcome == OUTCOME_OK);
}

/* The account is there again, as somebody would set it up at once. */
static void set_up(House *h, How how) {
        Adder adder;

        if (how == HOW_REMOVE)
                assert(add(h, &adder, account_of("work", ACCOUNT_SOURCE_ENTRA), NULL) == 0);
}

static void house_end(House *h) {
        h->m = manager_free(h->m);
        h->stage.env.state = state_free(h->stage.env.state);
        house_deinit(h);
}

/* Who asks is told that nobody is signed in, when the keyring has been looked at once more. */
static void expect_nobody(House *h) {
        Caller c = { 0 };

        caller_ask(&c, work(h), &(KeeperAsk){ .timeout_usec = SEC(20) });
        fake_time_pass(0);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
}

static void nothing_is_left(House *h, How how) {
        assert(!stored(h));
        assert(fake_fetches_running() == 0);
        set_up(h, how);
        fake_time_pass(SEC(3));
        expect_nobody(h);
        /* Nor in the next life. */
        manager_free(h->m);
        assert(manager_new(&h->m, &h->stage.env, h->folder.system, h->folder.user) == 0);
        fake_time_pass(SEC(600));
        expect_nobody(h);
        assert(!stored(h));
}

static void test_nothing_is_left(How how, Moment stage) {
        Caller c = { 0 };
        Change changed;
        House h;

        house_at(&h, stage, &c);
        change(&h, how, &changed);
        /* It has happened when the keyring says so: until then the exchange goes on. */
        if (stage == STAGE_ANSWERED && how != HOW_CONFIGURE)
                answer_token("secret-at-2", "secret-rt-2");
        fake_keyring_answer(h.stage.keyring, UINT_MAX);
        fake_time_pass(SEC(1));
        expect_changed(how, &changed);
        assert(c.answers == 1);
        caller_leave(&c);
        fake_time_pass(SEC(61)); /* a sign-in that was cancelled does not show any more */
        nothing_is_left(&h, how);
        house_end(&h);
}

/* Signed in again at once, before the keyring has answered anything of all that; it then answers
 * step by step, and the daemon is killed and started again after so many steps. */
static void sign_in_again(How how, Moment stage, unsigned steps) {
        Caller c = { 0 };
        Change changed;
        House h;

        house_at(&h, stage, &c);
        change(&h, how, &changed);
        if (how != HOW_CONFIGURE) { /* which have an answer first, as for the command */
                fake_keyring_answer(h.stage.keyring, UINT_MAX);
                fake_time_pass(SEC(1));
                expect_changed(how, &changed);
                fake_keyring_answer(h.stage.keyring, 0);
        }
        set_up(&h, how);
        (void)sign_in(&h);
        fake_fetch_token(fake_fetch_of("device-code"),
                         &(FakeToken){ .access_token = "secret-at-9",
                                       .refresh_token = "secret-rt-9",
                                       .user = "grace@contoso.example" });
        for (unsigned i = 0; i < steps; i++) {
                fake_keyring_answer(h.stage.keyring, 1);
                fake_time_pass(0);
        }
        assert(!stored(&h) || !strstr(stored(&h), "secret-rt-1") || steps < 4);
        fake_keyring_answer(h.stage.keyring, UINT_MAX);
        fake_time_pass(SEC(3));
        caller_leave(&c);
        assert(stored(&h) && strstr(stored(&h), "secret-rt-9"));
        assert(!strstr(stored(&h), "secret-at-2"));

        manager_free(h.m);
        assert(manager_new(&h.m, &h.stage.env, h.folder.system, h.folder.user) == 0);
        fake_time_pass(SEC(61));
        caller_ask(&c, work(&h), &(KeeperAsk){ .timeout_usec = SEC(20) });
        expect_token(&c, "secret-at-9");
        assert(strstr(stored(&h), "secret-rt-9"));
        house_end(&h);
}

/* The user's other daemon has removed the account, or signed out (NULL), or made it another one's
 * (a record of that): what comes late here is not stored. */
static void test_ended_by_another_daemon(const char *theirs, bool rotated) {
        Caller c = { 0 };
        House h;

        house_at(&h, STAGE_ASKING, &c);
        fake_keyring_answer(h.stage.keyring, UINT_MAX);
        fake_keyring_put(h.stage.keyring, "work", NULL);
        fake_keyring_put(h.stage.keyring, "work", theirs);
        answer_token("secret-at-2", rotated ? "secret-rt-2" : NULL);
        fake_time_pass(SEC(3));
        if (rotated)
                expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
        else
                expect_token(&c, "secret-at-2"); /* it was still signed in */
        assert(streq(stored(&h), theirs) && fake_fetches_running() == 0);
        expect_nobody(&h);

        /* Who signs in here does so all the same. */
        (void)sign_in(&h);
        answer_token("secret-at-9", "secret-rt-9");
        fake_time_pass(SEC(61));
        assert(strstr(stored(&h), "secret-rt-9"));
        house_end(&h);
}

/* An item of somebody else's was deleted: one look, and all goes on. */
static void test_another_item_is_deleted(void) {
        Caller c = { 0 };
        House h;

        house_at(&h, STAGE_ASKING, &c);
        fake_keyring_answer(h.stage.keyring, UINT_MAX);
        fake_keyring_put(h.stage.keyring, "other", NULL);
        answer_token("secret-at-2", "secret-rt-2");
        expect_token(&c, "secret-at-2");
        assert(strstr(stored(&h), "secret-rt-2"));
        house_end(&h);
}

/* Deleted in the midst of a person's sign-in, whose refresh token is on its way to the keyring. */
static void test_deleted_during_a_sign_in(void) {
        for (unsigned steps = 0; steps < 4; steps++) {
                Caller c = { 0 };
                House h;

                house_at(&h, STAGE_SIGNED_IN, &c);
                for (unsigned i = 0; i < steps; i++) {
                        fake_keyring_answer(h.stage.keyring, 1);
                        fake_time_pass(0);
                }
                if (steps == 0)
                        fake_keyring_put(h.stage.keyring, "work", NULL);
                else
                        fake_keyring_put(h.stage.keyring, "other", NULL);
                fake_keyring_answer(h.stage.keyring, UINT_MAX);
                fake_time_pass(SEC(3));
                caller_leave(&c);
                assert(strstr(stored(&h), "secret-rt-2"));
                fake_time_pass(SEC(61));
                house_end(&h);
        }
}

int main(void) {
        static const char other[] =
                "{\"generation\":1,\"source\":\"entra\",\"tenant\":\"x.example\"}";

        for (How how = 0; how < _HOW_MAX; how++)
                for (Moment stage = 0; stage < _STAGE_MAX; stage++) {
                        test_nothing_is_left(how, stage);
                        for (unsigned steps = 0; steps < 6; steps++)
                                sign_in_again(how, stage, steps);
                }
        for (int rotated = 0; rotated < 2; rotated++) {
                test_ended_by_another_daemon(NULL, rotated);
                test_ended_by_another_daemon(other, rotated);
        }
        test_another_item_is_deleted();
        test_deleted_during_a_sign_in();
        return 0;
}
