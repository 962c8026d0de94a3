/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "news.h"

void news_add(News *n, const Listener *listener, void *userdata) {
        assert(n->n < NEWS_LISTENERS_MAX);
        n->to[n->n].listener = listener;
        n->to[n->n++].userdata = userdata;
}

#define PASS_ON(news, member, ...)                                                      \
        do {                                                                            \
                const News *_news = (news);                                             \
                for (size_t _i = 0; _i < _news->n; _i++)                                \
                        if (_news->to[_i].listener->member)                             \
                                _news->to[_i].listener->member(__VA_ARGS__,             \
                                                               _news->to[_i].userdata); \
        } while (0)

static void news_on_account_added(Keeper *k, void *userdata) {
        PASS_ON(userdata, account_added, k);
}

static void news_on_account_changed(Keeper *k, unsigned what, void *userdata) {
        PASS_ON(userdata, account_changed, k, what);
}

static void news_on_account_removed(Keeper *k, void *userdata) {
        PASS_ON(userdata, account_removed, k);
}

static void news_on_account_ends_soon(Keeper *k, uint64_t seconds, void *userdata) {
        PASS_ON(userdata, account_ends_soon, k, seconds);
}

static void news_on_account_refused(Keeper *k, void *userdata) {
        PASS_ON(userdata, account_refused, k);
}

static void news_on_signin_added(SignIn *s, void *userdata) {
        PASS_ON(userdata, signin_added, s);
}

static void news_on_signin_changed(SignIn *s, void *userdata) {
        PASS_ON(userdata, signin_changed, s);
}

static void news_on_signin_removed(SignIn *s, void *userdata) {
        PASS_ON(userdata, signin_removed, s);
}

static void news_on_manager_changed(unsigned what, void *userdata) {
        PASS_ON(userdata, manager_changed, what);
}

const Listener news_listener = {
        .account_added = news_on_account_added,
        .account_changed = news_on_account_changed,
        .account_removed = news_on_account_removed,
        .account_ends_soon = news_on_account_ends_soon,
        .account_refused = news_on_account_refused,
        .signin_added = news_on_signin_added,
        .signin_changed = news_on_signin_changed,
        .signin_removed = news_on_signin_removed,
        .manager_changed = news_on_manager_changed,
};
