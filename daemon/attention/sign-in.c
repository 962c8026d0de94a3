/* SPDX-License-Identifier: MIT */
/*
 * The sign-in that the notification's button starts: its page is opened, its code is shown, and
 * what tells of it goes when it is done.
 */
#include "attention/attention-private.h"
#include "io/log.h"

static void attention_open(Attention *a) {
        SignInView view;

        if (!a->signin)
                return;
        signin_view(a->signin, &view);
        if (!*view.verification_uri)
                return;
        a->opened = true;
        a->page_failed = false;
        desktop_open_page(a->desktop, view.number);
}

void attention_on_signin_changed(SignIn *s, void *userdata) {
        Attention *a = userdata;
        AttentionItem *item;
        SignInView view;

        if (s != a->signin)
                return;
        if (signin_is_pending(s)) {
                if (!a->opened)
                        attention_open(a);
                (void)attention_show_sign_in(a);
                return;
        }
        signin_view(s, &view);
        item = attention_item_find(a, view.keeper);
        a->signin = NULL;
        a->keeper = NULL;
        if (view.state == SIGNIN_STATE_DONE && item) {
                item->listed = true; /* so that what tells of it is taken away */
                attention_item_drop(a, item);
        } else
                attention_review(a, true);
}

static AttentionItem *item_with_sign_in(const Attention *a) {
        for (AttentionItem *item = a->items; item; item = item->next) {
                AttentionCase c;

                attention_item_case(item, &c);
                if (item->listed && attention_case_has_sign_in(&c))
                        return item;
        }
        return NULL;
}

bool attention_sign_in(Attention *a) {
        AttentionItem *item = item_with_sign_in(a);
        Problem problem = { 0 };
        SignIn *s = NULL;
        int r;

        if (a->signin) {
                attention_open(a);
                (void)attention_show_sign_in(a); /* most servers close it with the click */
                return true;
        }
        if (!item)
                return false;
        a->keeper = item->keeper; /* news of it may come before the call is over */
        a->opened = a->page_failed = false;
        r = keeper_sign_in(item->keeper, &(SignInWish){ .browser = true }, &s, &problem);
        if (r != 0) {
                log_warning("%s", r > 0 ? problem_text(&problem) : strerror(-r));
                a->keeper = NULL;
        }
        problem_clear(&problem);
        a->signin = s;
        if (s)
                attention_on_signin_changed(s, a); /* it may be an older one that is joined */
        return true;
}

void attention_on_page_failed(void *userdata) {
        Attention *a = userdata;

        log_warning("The page to sign in at could not be opened");
        a->page_failed = true;
        (void)attention_show_sign_in(a);
}
