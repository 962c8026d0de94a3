/* SPDX-License-Identifier: MIT */
/*
 * The command: so many account-years from a seed, on some processes; or a herd of daemons.
 * Each life is a machine with N_ACCOUNTS accounts for a year, and has a seed of its own, which
 * replays it alone.
 */
#include <fcntl.h>
#include <getopt.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "simulate-herd.h"
#include "simulate.h"

typedef struct Options {
        unsigned long years, seed, jobs;
        bool herd, verbose;
        const char *program;
} Options;

static int usage(void) {
        fprintf(stderr, "Usage: simulate [--years N] [--seed S] [--jobs J] [--verbose]\n"
                        "       simulate --herd [--seed S]\n");
        return 2;
}

static int options_parse(Options *o, int argc, char **argv) {
        static const struct option options[] = {
                { "years", required_argument, NULL, 'y' }, { "seed", required_argument, NULL, 's' },
                { "jobs", required_argument, NULL, 'j' },  { "herd", no_argument, NULL, 'h' },
                { "verbose", no_argument, NULL, 'v' },     { 0 }
        };
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (c) {
                case 'y':
                        o->years = strtoul(optarg, NULL, 10);
                        break;
                case 's':
                        o->seed = strtoul(optarg, NULL, 10);
                        break;
                case 'j':
                        o->jobs = strtoul(optarg, NULL, 10);
                        break;
                case 'h':
                        o->herd = true;
                        break;
                case 'v':
                        o->verbose = true;
                        break;
                default:
                        return -EINVAL;
                }
        return optind == argc && o->years > 0 && o->jobs > 0 ? 0 : -EINVAL;
}

/* The lives of one process: every jobs-th, from first on. */
static void live(const Options *o, const char *dir, unsigned long first, Totals *totals) {
        CLEANUP(freep) char *settings = NULL;
        unsigned long n_lives = (o->years + N_ACCOUNTS - 1) / N_ACCOUNTS;

        assert(asprintf(&settings, "%s/accounts-%lu.conf", dir, first) > 0);
        for (unsigned long i = first; i < n_lives; i += o->jobs) {
                char replay[128];

                snprintf(replay, sizeof(replay), "%s --years %d --seed %lu", o->program,
                         (int)N_ACCOUNTS, o->seed + i);
                story_begin(replay, o->verbose);
                machine_live(o->seed + i, settings, totals);
        }
        (void)unlink(settings);
}

static int live_on_processes(const Options *o, const char *dir, Totals *totals) {
        int failures = 0, status;

        for (unsigned long i = 0; i < o->jobs; i++) {
                pid_t pid = fork();

                assert(pid >= 0);
                if (pid == 0) {
                        live(o, dir, i, &totals[i]);
                        _exit(EXIT_SUCCESS);
                }
        }
        for (unsigned long i = 0; i < o->jobs; i++) {
                assert(wait(&status) > 0);
                failures += status != 0;
        }
        return failures;
}

static void totals_add(Totals *sum, const Totals *t) {
        const uint64_t *from = (const uint64_t *)t;
        uint64_t *to = (uint64_t *)sum;

        for (size_t i = 0; i < sizeof(*t) / sizeof(uint64_t); i++)
                to[i] += from[i];
}

static void totals_tell(const Totals *t, double seconds) {
        const struct {
                const char *what;
                uint64_t n;
        } lines[] = {
                { "account-years", t->lives * N_ACCOUNTS },
                { "faults", t->faults },
                { "changes of the settings", t->changes },
                { "boots of the machine", t->boots },
                { "deaths of the daemon", t->kills },
                { "sleeps of the machine", t->sleeps },
                { "requests of callers", t->asked },
                { "  answered with a token", t->served },
                { "  refused with a right reason", t->refused },
                { "  left before the answer", t->left },
                { "  cut off by a death", t->died },
                { "requests upstream", t->requests },
                { "sign-ins", t->sign_ins },
                { "refreshes at servers that are strict", t->rotations },
                { "  sign-ins that ended: the answer was lost", t->lost },
                { "  sign-ins that ended: killed in between", t->torn },
                { "steps checked", t->steps },
        };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                printf("%-44s %10llu\n", lines[i].what, (long long unsigned)lines[i].n);
        printf("%-44s %10.1f\n", "faults a day of a machine",
               (double)t->faults / (double)MAX(t->days, UINT64_C(1)));
        printf("%-44s %10.1f\n", "seconds", seconds);
}

static double seconds_now(void) {
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int simulate(const Options *o) {
        char dir[] = "/dev/shm/simulate-XXXXXX"; /* a year has too many writes for a disk */
        double start = seconds_now();
        Totals *totals, sum = { 0 };
        int failures;

        if (!mkdtemp(dir)) {
                strcpy(dir, "/tmp/simulate-XXXXXX");
                assert(mkdtemp(dir));
        }
        totals = mmap(NULL, o->jobs * sizeof(*totals), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert(totals != MAP_FAILED);
        failures = live_on_processes(o, dir, totals);
        (void)rmdir(dir);
        for (unsigned long i = 0; i < o->jobs; i++)
                totals_add(&sum, &totals[i]);
        (void)munmap(totals, o->jobs * sizeof(*totals));
        if (failures)
                return EXIT_FAILURE;
        totals_tell(&sum, seconds_now() - start);
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        Options o = { .years = 100, .seed = 1, .jobs = 1, .program = argv[0] };

        if (options_parse(&o, argc, argv) < 0)
                return usage();
        return o.herd ? herd_run(o.seed) : simulate(&o);
}
