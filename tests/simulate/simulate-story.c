/* SPDX-License-Identifier: MIT */
/*
 * Chance that is the same for the same seed, and the story of a life: its last steps, kept in a
 * ring and told only when an invariant breaks.
 */
#include <math.h>
#include <signal.h>
#include <stdarg.h>

#include "simulate.h"

enum {
        STORY_LINES = 60,
        STORY_COLUMNS = 200,
};

static uint64_t chance_state;
static char lines[STORY_LINES][STORY_COLUMNS];
static uint64_t n_lines;
static char replay_command[128];
static bool is_aloud;

void chance_seed(uint64_t seed) {
        chance_state = seed;
}

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): any seed is a good one. */
uint64_t chance(void) {
        uint64_t z = chance_state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

uint64_t chance_below(uint64_t n) {
        return chance() % n;
}

static double chance_unit(void) {
        return (double)(chance() >> 11) / 9007199254740992.0;
}

bool chance_of(double p) {
        return chance_unit() < p;
}

uint64_t chance_span(uint64_t least, uint64_t most) {
        return (uint64_t)((double)least * pow((double)most / (double)least, chance_unit()));
}

uint64_t chance_wait(uint64_t mean) {
        return (uint64_t)(-log(1.0 - chance_unit()) * (double)mean) + 1;
}

static void story_tell(void) {
        uint64_t first = n_lines > STORY_LINES ? n_lines - STORY_LINES : 0;

        for (uint64_t i = first; i < n_lines; i++)
                fprintf(stderr, "%s\n", lines[i % STORY_LINES]);
        fprintf(stderr, "Replay: %s\n", replay_command);
}

/* An assertion of the fakes or of the daemon's own code. */
static void story_on_crash(int signal_number) {
        (void)signal(signal_number, SIG_DFL);
        story_tell();
        (void)raise(signal_number);
}

void story_begin(const char *replay, bool aloud) {
        n_lines = 0;
        is_aloud = aloud;
        snprintf(replay_command, sizeof(replay_command), "%s", replay);
        (void)signal(SIGABRT, story_on_crash);
        (void)signal(SIGSEGV, story_on_crash);
}

PRINTF_LIKE(1, 0) static void story_line(const char *format, va_list ap) {
        uint64_t now = sim_now() - DAY;
        char *line = lines[n_lines++ % STORY_LINES];
        int n;

        n = snprintf(line, STORY_COLUMNS, "day %3u %02u:%02u:%06.3f  ", (unsigned)(now / DAY),
                     (unsigned)(now % DAY / HOUR), (unsigned)(now % HOUR / MINUTE),
                     (double)(now % MINUTE) / (double)USEC_PER_SEC);
        (void)vsnprintf(line + n, (size_t)(STORY_COLUMNS - n), format, ap);
        if (is_aloud)
                puts(line);
}

void story(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        story_line(format, ap);
        va_end(ap);
}

void story_fail(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        story_line(format, ap);
        va_end(ap);
        fprintf(stderr, "An invariant is broken. The last steps, it is the last one:\n");
        story_tell();
        fflush(NULL);
        _exit(EXIT_FAILURE);
}
