/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "io/timer.h"

#define MSEC UINT64_C(1000)

typedef struct Seen {
        Timer *timer;
        unsigned n;
        uint64_t at;
        bool leaves, again;
} Seen;

static void on_time(void *userdata) {
        Seen *s = userdata;

        s->n++;
        s->at = clock_boottime();
        if (s->leaves)
                s->timer = timer_free(s->timer);
        else if (s->again)
                timer_arm(s->timer, 0);
}

static void run_for(sd_event *event, uint64_t usec) {
        uint64_t end = clock_boottime() + usec;

        while (clock_boottime() < end)
                assert(sd_event_run(event, end - MIN(end, clock_boottime())) >= 0);
}

static void seen_new(Seen *s, sd_event *event) {
        *s = (Seen){ 0 };
        assert(timer_new(&s->timer, event, on_time, s) == 0);
}

static void test_once_at_its_time(sd_event *event) {
        uint64_t due = clock_boottime() + 30 * MSEC;
        Seen s;

        seen_new(&s, event);
        run_for(event, 5 * MSEC);
        assert(s.n == 0); /* not armed yet */
        timer_arm(s.timer, due + 10 * USEC_PER_SEC);
        timer_arm(s.timer, due); /* the last word counts */
        while (s.n == 0)
                assert(sd_event_run(event, UINT64_MAX) >= 0);
        assert(s.at >= due);
        run_for(event, 20 * MSEC);
        assert(s.n == 1);
        timer_arm(s.timer, 0); /* long past: at once, but from the loop */
        assert(s.n == 1);
        assert(sd_event_run(event, UINT64_MAX) >= 0 && s.n == 2);
        timer_free(s.timer);
}

static void test_disarmed_and_freed(sd_event *event) {
        Seen disarmed, freed, leaves, again;

        seen_new(&disarmed, event);
        timer_arm(disarmed.timer, 0);
        timer_arm(disarmed.timer, USEC_INFINITY);
        seen_new(&freed, event);
        timer_arm(freed.timer, 0);
        assert(!timer_free(freed.timer) && !timer_free(NULL));
        seen_new(&leaves, event);
        leaves.leaves = true;
        timer_arm(leaves.timer, 0);
        seen_new(&again, event);
        again.again = true;
        timer_arm(again.timer, 0);
        run_for(event, 10 * MSEC);
        assert(disarmed.n == 0 && freed.n == 0 && leaves.n == 1 && again.n > 1);
        timer_free(disarmed.timer);
        timer_free(again.timer);
}

/* An API token of a hundred years: on 32 bits the kernel's timer can't be set so far, and the loop
 * would end by it. */
static void test_far_away(sd_event *event) {
        static const uint64_t years[] = { 33, 35, 68, 69, 137, 8000, 290000 };

        for (size_t i = 0; i < ARRAY_SIZE(years); i++) {
                Seen s;

                seen_new(&s, event);
                timer_arm(s.timer, clock_boottime() + years[i] * 365 * 86400 * USEC_PER_SEC);
                run_for(event, 2 * MSEC);
                assert(s.n == 0);
                timer_arm(s.timer, 0);
                run_for(event, 2 * MSEC);
                assert(s.n == 1);
                timer_free(s.timer);
        }
}

static void test_clocks_and_chance(void) {
        uint64_t before = clock_boottime();

        assert(clock_boottime() >= before && before > 0);
        assert(clock_wall() > UINT64_C(1600000000) && clock_wall() < UINT64_C(100000000000));
        assert(random_number() != random_number() || random_number() != random_number());
}

static void test_the_wall_clock_goes_with_boottime(void) {
        static const uint64_t walls[] = { 1, 86400, UINT64_C(1795467995), UINT64_C(32503680000) };
        uint64_t now = clock_boottime(), wall = clock_wall_of(now);

        assert(wall == clock_wall() || wall + 1 == clock_wall());
        assert(clock_wall_of(now + 3600 * USEC_PER_SEC) == wall + 3600);
        assert(clock_wall_of(USEC_INFINITY) == 0); /* never */
        for (size_t i = 0; i < ARRAY_SIZE(walls); i++) {
                uint64_t at = clock_boottime_of(walls[i]);

                /* What was before the boot can't be told apart, but is over. */
                if (at > 1)
                        assert(clock_wall_of(at) == walls[i]);
                assert(at > 0 && at != USEC_INFINITY && (at < now) == (walls[i] <= wall));
        }
        assert(clock_boottime_of(UINT64_MAX) != USEC_INFINITY);
        assert(clock_sync() == 0); /* nobody has set it */
        assert(strlen(clock_boot_id()) == 32 && streq(clock_boot_id(), clock_boot_id()));
}

int main(void) {
        sd_event *event;

        assert(sd_event_new(&event) == 0);
        test_once_at_its_time(event);
        test_disarmed_and_freed(event);
        test_far_away(event);
        test_clocks_and_chance();
        test_the_wall_clock_goes_with_boottime();
        sd_event_unref(event);
        return 0;
}
