/* SPDX-License-Identifier: MIT */
#include "accounts/manager-private.h"
#include "common/memory.h"
#include "io/log.h"
#include "model/strv.h"

/* After a sleep the route comes back within this time or is not waited for ... */
#define RESUME_WAIT_USEC   (5 * USEC_PER_SEC)
/* ... and machines that wake together do not ask together. */
#define RESUME_SPREAD_USEC (1 * USEC_PER_SEC)

static void manager_on_resume_time(void *userdata) {
        Manager *m = userdata;

        m->resume.pending = false;
        m->env->asleep = false;
        manager_try_again(m);
}

/* The wall clock, or what is known of its error, is another one. */
static void clock_changed(Manager *m, int64_t by) {
        int64_t offset = env_clock_offset(m->env), was = m->env->clock_offset;
        char text[SKEW_TEXT_SIZE];

        m->env->clock_offset = offset;
        if (offset && llabs(offset - was) > SKEW_MIN_SECONDS)
                log_warning("This machine's clock is %s, by the identity service's. Set it right: "
                            "timedatectl set-ntp true",
                            skew_text(text, offset));
        else if (was && !offset)
                log_info("This machine's clock is right again");
        if (offset != was)
                m->env->listener->manager_changed(MANAGER_CHANGED_CLOCK_OFFSET,
                                                  m->env->listener_userdata);
        for (size_t i = 0; i < m->n_accounts; i++)
                keeper_on_clock(m->accounts[i], by);
}

static void manager_on_clock_news(void *userdata) {
        clock_changed(userdata, 0);
}

void manager_on_clock(Manager *m, int64_t by) {
        clock_changed(m, by);
}

static void resume_arm(Manager *m, uint64_t delay) {
        timer_arm(m->resume.timer, clock_boottime() + delay + random_number() % RESUME_SPREAD_USEC);
}

static void manager_on_deletion(void *userdata) {
        Manager *m = userdata;

        for (size_t i = 0; i < m->n_accounts; i++)
                keeper_on_deletion(m->accounts[i]);
}

int manager_new(Manager **ret, Env *env, const char *system_path, const char *user_path) {
        CLEANUP(manager_freep) Manager *m = NULL;
        int r;

        m = xcalloc(1, sizeof(*m));
        m->env = env;
        r = timer_new(&m->resume.timer, env->event, manager_on_resume_time, m);
        if (r < 0)
                return r;
        r = timer_new(&m->again, env->event, manager_on_again, m);
        if (r < 0)
                return r;
        r = timer_new(&m->clock_news, env->event, manager_on_clock_news, m);
        if (r < 0)
                return r;
        env->clock_news = m->clock_news;
        m->system_path = xstrdup(system_path);
        m->user_path = xstrdup(user_path);
        r = manager_reload(m);
        if (r < 0)
                return r;
        keyring_set_deletion_fn(env->keyring, manager_on_deletion, m);
        manager_watch_settings(m);
        m->ready = true;
        *ret = STEAL(m);
        return 0;
}

Manager *manager_free(Manager *m) {
        if (m) {
                keyring_set_deletion_fn(m->env->keyring, NULL, NULL);
                manager_free_ops(m);
                while (m->n_accounts) {
                        Keeper *k = m->accounts[m->n_accounts - 1];

                        manager_take(m, k);
                        keeper_free(k);
                }
                notify_free(m->system_file);
                notify_free(m->user_file);
                strv_free(m->app_suffixes);
                added_deinit(&m->added);
                free(m->default_account);
                free(m->problem);
                timer_free(m->again);
                timer_free(m->resume.timer);
                timer_free(m->clock_news);
                m->env->clock_news = NULL;
                free(m->system_path);
                free(m->user_path);
                free(m);
        }
        return NULL;
}

void manager_on_keyring(Manager *m, KeyringState state) {
        for (size_t i = 0; i < m->n_accounts; i++)
                keeper_on_keyring(m->accounts[i], state);
        m->env->listener->manager_changed(MANAGER_CHANGED_KEYRING_STATE, m->env->listener_userdata);
}

void manager_on_online(Manager *m, bool online) {
        if (m->env->online != online) {
                m->env->online = online;
                m->env->listener->manager_changed(MANAGER_CHANGED_ONLINE,
                                                  m->env->listener_userdata);
        }
        if (!online)
                return;
        if (m->resume.pending)
                resume_arm(m, 0);
        else
                manager_try_again(m);
}

void manager_on_sleep(Manager *m, bool asleep) {
        m->resume.pending = !asleep;
        if (m->resume.pending) {
                resume_arm(m, m->env->online ? 0 : RESUME_WAIT_USEC);
                return;
        }
        timer_arm(m->resume.timer, USEC_INFINITY);
        m->env->asleep = true;
        for (size_t i = 0; i < m->n_accounts; i++)
                keeper_on_sleep(m->accounts[i]);
}

bool manager_is_settled(const Manager *m) {
        for (size_t i = 0; i < m->n_accounts; i++)
                if (!keeper_is_settled(m->accounts[i]))
                        return false;
        return true;
}

bool manager_flush(Manager *m) {
        bool clean = manager_flush_ops(m);

        for (size_t i = 0; i < m->n_accounts; i++)
                clean = keeper_flush(m->accounts[i]) && clean;
        return clean;
}
