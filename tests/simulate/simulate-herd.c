/* SPDX-License-Identifier: MIT */
#include "simulate-herd.h"
#include "policy/refresh.h"
#include "simulate.h"

/* Seconds. The herd has run for three hours when the service goes away for one. */
enum {
        HERD = 100000,
        OUTAGE_BEGIN = 3 * 3600,
        OUTAGE_END = 4 * 3600,
        HERD_END = 8 * 3600,
        TOKEN_LIFE = 3600, /* all alike, which is the worst: Entra draws 60 to 90 min */
        WINDOW = 10,       /* a rate is of so long */
        ROW = 300,         /* of the plot */
        PLOT_COLUMNS = 60,
        BOUND = 20, /* times the steady rate */
};

typedef struct Herd {
        unsigned first[HERD_END]; /* who asks in this second: number + 1; 0: nobody */
        unsigned next[HERD];      /* the others, likewise */
        unsigned failures[HERD];  /* in a row */
        unsigned requests[HERD_END];
} Herd;

static void herd_ask_at(Herd *h, unsigned who, uint64_t usec) {
        uint64_t second = usec / USEC_PER_SEC;

        if (second >= HERD_END)
                return;
        h->next[who] = h->first[second];
        h->first[second] = who + 1;
}

static void herd_ask(Herd *h, unsigned who, unsigned second) {
        uint64_t now = SEC(second) + chance_below(USEC_PER_SEC);
        Token token = { .issued_usec = now, .expires_usec = now + SEC(TOKEN_LIFE) };

        h->requests[second]++;
        if (second >= OUTAGE_BEGIN && second < OUTAGE_END) {
                uint64_t delay =
                        policy_retry_delay(ACCOUNT_SOURCE_ENTRA, ++h->failures[who], 0, chance());

                /* Those of the same second are being asked: the next one at the soonest. */
                herd_ask_at(h, who, MAX(now + delay, SEC(second + 1)));
                return;
        }
        h->failures[who] = 0;
        herd_ask_at(h, who, policy_refresh_at(ACCOUNT_SOURCE_ENTRA, &token, chance()));
}

static void herd_live(Herd *h) {
        for (unsigned who = 0; who < HERD; who++)
                herd_ask_at(h, who, chance_below(SEC(TOKEN_LIFE * 3 / 4)));
        for (unsigned second = 0; second < HERD_END; second++)
                for (unsigned who = h->first[second], next; who; who = next) {
                        next = h->next[who - 1];
                        herd_ask(h, who - 1, second);
                }
}

/* Requests a second, the most of any WINDOW that begins in [from, to). */
static double herd_peak(const Herd *h, unsigned from, unsigned to, unsigned *ret_at) {
        unsigned most = 0;

        for (unsigned second = from; second + WINDOW <= to; second++) {
                unsigned n = 0;

                for (unsigned i = 0; i < WINDOW; i++)
                        n += h->requests[second + i];
                if (n > most) {
                        most = n;
                        *ret_at = second;
                }
        }
        return (double)most / WINDOW;
}

static double herd_steady(const Herd *h) {
        unsigned n = 0;

        for (unsigned second = OUTAGE_BEGIN - 3600; second < OUTAGE_BEGIN; second++)
                n += h->requests[second];
        return (double)n / 3600;
}

static void herd_plot(const Herd *h, double most) {
        unsigned at;

        printf("Requests a second, the most of any %d s in each %d min:\n", (int)WINDOW, ROW / 60);
        for (unsigned row = OUTAGE_BEGIN - 1800; row < HERD_END; row += ROW) {
                double peak = herd_peak(h, row, row + ROW, &at);
                int columns = (int)(peak / most * PLOT_COLUMNS + 0.5);

                printf("%+4d min %7.1f  %.*s%s\n", ((int)row - OUTAGE_END) / 60, peak, columns,
                       "############################################################",
                       row == OUTAGE_BEGIN ? " the service goes away"
                       : row == OUTAGE_END ? " it is back"
                                           : "");
        }
}

int herd_run(uint64_t seed) {
        double steady, during, after;
        unsigned at = 0;
        Herd *h;

        h = calloc(1, sizeof(*h));
        assert(h);
        chance_seed(seed);
        herd_live(h);
        steady = herd_steady(h);
        during = herd_peak(h, OUTAGE_BEGIN, OUTAGE_END, &at);
        after = herd_peak(h, OUTAGE_END, HERD_END, &at);
        herd_plot(h, MAX(during, after));
        free(h);

        printf("\n%d daemons, tokens of %d s, an outage of an hour.\n", (int)HERD, (int)TOKEN_LIFE);
        printf("steady          %7.1f requests a second\n", steady);
        printf("in the outage   %7.1f, %4.1f times as many\n", during, during / steady);
        printf("after it        %7.1f, %4.1f times as many, %u s after its end\n", after,
               after / steady, at - OUTAGE_END);
        printf("the bound       %7.1f, %4d times as many\n", steady * BOUND, (int)BOUND);
        printf("Half the peak would take a back-off of 600 s, and have everybody without a\n"
               "caller wait that much longer for a token. Who has a caller asks at once.\n");
        return during > steady * BOUND || after > steady * BOUND ? EXIT_FAILURE : EXIT_SUCCESS;
}
