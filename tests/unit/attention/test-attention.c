/* SPDX-License-Identifier: MIT */
/* When a person is told: the keeper is real, the desktop and the time are the test's. */
#include "attention/attention.h"
#include "attention/note.h"
#include "io/state.h"
#include "news.h"
#include "util-keeper.h"

#define HOUR SEC(3600)
#define DAY  SEC(86400)

struct Desktop {
        const DesktopHandler *handler;
        void *userdata;
        bool shown;
        unsigned told, hidden;
        char summary[128];
        uint64_t page;
};

static struct Desktop desktop;

int desktop_new(Desktop **ret, sd_event *event, const DesktopHandler *handler, void *userdata) {
        desktop = (struct Desktop){ .handler = handler, .userdata = userdata };
        *ret = &desktop;
        return 0;
}

Desktop *desktop_free(Desktop *d) {
        return NULL;
}

void desktop_show(Desktop *d, DesktopNote *note) {
        d->told++;
        d->shown = true;
        (void)snprintf(d->summary, sizeof(d->summary), "%s", note->summary);
        desktop_note_deinit(note);
}

void desktop_hide(Desktop *d) {
        d->hidden += d->shown;
        d->shown = false;
}

bool desktop_is_shown(const Desktop *d) {
        return d->shown;
}

void desktop_open_page(Desktop *d, uint64_t signin) {
        d->page = signin;
}

/* What the server says. */
static void taken(void) {
        desktop.handler->shown(desktop.userdata);
}

static void ended(DesktopEnd end) {
        desktop.shown = false;
        desktop.handler->ended(end, desktop.userdata);
}

typedef struct Scene {
        Stage stage;
        News news;
        State *state;
        Attention *attention;
} Scene;

static void scene_listen(Scene *s) {
        assert(attention_new(&s->attention, &s->stage.env) == 0);
        s->news.n = 1;
        news_add(&s->news, &attention_listener, s->attention);
}

static void scene_init(Scene *s) {
        *s = (Scene){ 0 };
        stage_init(&s->stage);
        assert(state_new(&s->state, NULL, NULL) == 0);
        s->stage.env.state = s->state;
        news_add(&s->news, s->stage.env.listener, &s->stage);
        s->stage.env.listener = &news_listener;
        s->stage.env.listener_userdata = &s->news;
        scene_listen(s);
}

/* As the manager does it. */
static void scene_remove(Scene *s) {
        news_listener.account_removed(s->stage.keeper, &s->news);
        s->stage.keeper = keeper_free(s->stage.keeper);
}

static void scene_deinit(Scene *s) {
        scene_remove(s);
        assert(!desktop.shown);
        s->attention = attention_free(s->attention);
        s->state = state_free(s->state);
        stage_deinit(&s->stage);
}

/* Somebody is signed in, a program uses it, and then the refresh token is refused for good. */
static void scene_lapse(Scene *s) {
        Caller c = { 0 };

        stage_start_signed_in(&s->stage);
        ASK(&c, &s->stage, 20);
        expect_token(&c, "secret-at-1");
        assert(desktop.told == 0);
        fake_time_pass(SEC(3300));
        answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
        assert(stage_state(&s->stage) == KEEPER_STATE_SIGN_IN_NEEDED);
}

static void refuse(Scene *s) {
        Caller c = { 0 };

        fake_time_pass(HOUR); /* what is left of its last token */
        ASK(&c, &s->stage, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
}

static void test_once_an_hour(void) {
        Scene s;

        scene_init(&s);
        scene_lapse(&s);
        assert(desktop.told == 1 && streq(desktop.summary, "Sign in to IoT Central again"));
        taken();
        /* While it shows, nothing is said again. */
        refuse(&s);
        assert(desktop.told == 1);
        ended(DESKTOP_END_EXPIRED);
        /* Nobody asks: nothing is told, and nothing waits. */
        fake_time_pass(7 * DAY);
        assert(desktop.told == 1 && fake_timer_next() == USEC_INFINITY);
        refuse(&s);
        assert(desktop.told == 2);
        taken();
        ended(DESKTOP_END_EXPIRED);
        /* Whoever asks within the hour is told of when it is over. */
        for (unsigned i = 0; i < 3; i++) {
                Caller c = { 0 };

                fake_time_pass(SEC(600));
                ASK(&c, &s.stage, 20);
                expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
        }
        assert(desktop.told == 2);
        fake_time_pass(HOUR - SEC(1801));
        assert(desktop.told == 2);
        fake_time_pass(SEC(2));
        assert(desktop.told == 3);
        scene_deinit(&s);
}

static void test_over_a_restart(void) {
        Scene s;

        scene_init(&s);
        scene_lapse(&s);
        taken();
        scene_remove(&s);
        attention_free(s.attention);
        scene_listen(&s);
        stage_start(&s.stage, ACCOUNT_SOURCE_ENTRA);
        answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
        assert(stage_state(&s.stage) == KEEPER_STATE_SIGN_IN_NEEDED);
        assert(desktop.told == 0);
        fake_time_pass(HOUR);
        assert(desktop.told == 1);
        scene_deinit(&s);
}

static void test_not_today(void) {
        Scene s;

        for (unsigned button = 0; button < 2; button++) {
                scene_init(&s);
                scene_lapse(&s);
                taken();
                if (button)
                        desktop.handler->action(ATTENTION_ACTION_LATER, desktop.userdata);
                else
                        ended(DESKTOP_END_PERSON);
                assert(!desktop.shown);
                /* Whether programs ask meanwhile or not. */
                for (unsigned i = 0; i < 20; i++)
                        if (button)
                                refuse(&s);
                        else
                                fake_time_pass(HOUR);
                assert(desktop.told == 1);
                fake_time_pass(DAY - 20 * HOUR);
                assert(desktop.told == 2);
                scene_deinit(&s);
        }
}

static void test_a_server_that_is_lost(void) {
        Scene s;

        scene_init(&s);
        scene_lapse(&s);
        ended(DESKTOP_END_LOST); /* it has not even taken it */
        assert(desktop.told == 1);
        fake_time_pass(HOUR - SEC(1));
        assert(desktop.told == 1);
        fake_time_pass(SEC(1));
        assert(desktop.told == 2);
        scene_deinit(&s);
}

static void test_an_account_that_nobody_uses(void) {
        Caller c = { 0 };
        Scene s;

        scene_init(&s);
        state_note_use(s.state, "work", WALL - 15 * 86400);
        stage_put_record(&s.stage, ACCOUNT_SOURCE_ENTRA, "secret-rt-1", NULL, 0, 0);
        stage_start(&s.stage, ACCOUNT_SOURCE_ENTRA);
        while (fake_fetches_running() == 0) /* it is used once a week, lest it end */
                fake_time_pass(HOUR);
        answer_error(OUTCOME_SIGN_IN_NEEDED, 0);
        assert(stage_state(&s.stage) == KEEPER_STATE_SIGN_IN_NEEDED && desktop.told == 0);
        ASK(&c, &s.stage, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
        assert(desktop.told == 1);
        scene_deinit(&s);
}

static void test_nobody_ever_signed_in(void) {
        Caller c = { 0 };
        Scene s;

        scene_init(&s);
        stage_start(&s.stage, ACCOUNT_SOURCE_ENTRA);
        ASK(&c, &s.stage, 20);
        expect_failure(&c, OUTCOME_SIGN_IN_NEEDED, "login work");
        assert(desktop.told == 0);
        scene_deinit(&s);
}

static void test_a_sign_in_from_elsewhere(void) {
        Problem problem = { 0 };
        SignIn *signin;
        Scene s;

        scene_init(&s);
        scene_lapse(&s);
        taken();
        assert(keeper_sign_in(s.stage.keeper, NULL, &signin, &problem) == 0);
        fake_time_pass(0);
        assert(!desktop.shown && desktop.page == 0);
        /* It comes to nothing: the hour holds. */
        answer_error(OUTCOME_CANCELLED, 0);
        assert(stage_state(&s.stage) == KEEPER_STATE_SIGN_IN_NEEDED && !desktop.shown);
        fake_time_pass(HOUR);
        assert(desktop.told == 2 && desktop.shown);
        scene_deinit(&s);
}

static void test_the_button(void) {
        Scene s;

        scene_init(&s);
        scene_lapse(&s);
        taken();
        desktop.handler->action(ATTENTION_ACTION_SIGN_IN, desktop.userdata);
        ended(DESKTOP_END_EXPIRED); /* as most servers do then */
        assert(stage_state(&s.stage) == KEEPER_STATE_SIGNING_IN && !desktop.page);
        fake_fetch_prompt(fake_fetch(), "ABCD-EFGH");
        assert(desktop.page != 0 && desktop.told == 2);
        assert(streq(desktop.summary, "Signing in: work"));
        taken();
        /* The page was closed: once more. The click closes the code, too, which comes back. */
        desktop.page = 0;
        desktop.handler->action(ATTENTION_ACTION_OPEN, desktop.userdata);
        assert(desktop.page != 0 && desktop.told == 3);
        assert(streq(desktop.summary, "Signing in: work"));
        answer_token("secret-at-2", "secret-rt-2");
        fake_time_pass(0);
        assert(stage_state(&s.stage) == KEEPER_STATE_READY);
        assert(!desktop.shown && desktop.told == 3);
        scene_deinit(&s);
}

static void test_switched_off(void) {
        Scene s;

        scene_init(&s);
        s.stage.env.quiet = true;
        scene_lapse(&s);
        assert(desktop.told == 0);
        s.stage.env.quiet = false;
        news_listener.manager_changed(MANAGER_CHANGED_QUIET, &s.news);
        assert(desktop.told == 1);
        taken();
        s.stage.env.quiet = true;
        news_listener.manager_changed(MANAGER_CHANGED_QUIET, &s.news);
        assert(!desktop.shown);
        scene_deinit(&s);
}

int main(void) {
        test_once_an_hour();
        test_over_a_restart();
        test_not_today();
        test_a_server_that_is_lost();
        test_an_account_that_nobody_uses();
        test_nobody_ever_signed_in();
        test_a_sign_in_from_elsewhere();
        test_the_button();
        test_switched_off();
        return 0;
}
