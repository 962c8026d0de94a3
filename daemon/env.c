/* SPDX-License-Identifier: MIT */
#include "env.h"
#include "io/timer.h"

/* A Date is no better than that. */
#define NEWS_SECONDS 5

int64_t env_clock_offset(const Env *env) {
        uint64_t now = clock_boottime();

        return skew_offset(&env->skew, clock_wall_of(now), now);
}

uint64_t env_true_of(const Env *env, uint64_t boottime_usec) {
        int64_t at = (int64_t)clock_wall_of(boottime_usec) + env_clock_offset(env);

        return at < 1 ? 1 : (uint64_t)at;
}

uint64_t env_boottime_of(const Env *env, uint64_t at) {
        int64_t wall = (int64_t)MIN(at, (uint64_t)INT64_MAX / 2) - env_clock_offset(env);

        return clock_boottime_of(wall < 0 ? 0 : (uint64_t)wall);
}

void env_learn_date(Env *env, uint64_t date) {
        skew_learn(&env->skew, date, clock_boottime());
        /* Later: whoever read the Date is in the midst of something. */
        if (env->clock_news && llabs(env_clock_offset(env) - env->clock_offset) >= NEWS_SECONDS)
                timer_arm(env->clock_news, clock_boottime());
}
