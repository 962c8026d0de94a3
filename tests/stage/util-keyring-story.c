/* SPDX-License-Identifier: MIT */
/*
 * The words that the keyring's stories are told in, and the process around each.
 */
#undef NDEBUG
#include <assert.h>
#include <ftw.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "util-keyring-story.h"

const KeyringAsk no_ask = { KEYRING_WISH_SILENT, NULL };
unsigned n_asked;

void on_asked(void *userdata) {
        n_asked++;
}

void on_answer(int outcome, const char *secret, void *userdata) {
        Answer *a = userdata;

        a->n++;
        a->outcome = outcome;
        free(a->secret);
        a->secret = secret ? strdup(secret) : NULL;
        a->op = keyring_op_free(a->op);
}

void on_state(KeyringState state, void *userdata) {
        Test *t = userdata;

        assert(t->n_states == 0 || state != t->told || state == KEYRING_STATE_OK);
        t->n_states++;
        t->n_oks += state == KEYRING_STATE_OK;
        t->told = state;
        assert(keyring_state(t->k) == state);
}

uint64_t now_usec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

void turn(Test *t) {
        assert(sd_event_run(t->event, UINT64_MAX) >= 0);
}

void start(Test *t) {
        t->n_states = 0;
        assert(sd_event_new(&t->event) >= 0);
        assert(keyring_new(&t->k, t->event, on_state, t) == 0);
        assert(t->n_states == 0);
}

void wait_state(Test *t, KeyringState state) {
        while (t->n_states == 0 || t->told != state)
                turn(t);
        assert(keyring_state(t->k) == state);
}

int wait_answer(Test *t, Answer *a) {
        while (a->n == 0)
                turn(t);
        assert(a->n == 1);
        return a->outcome;
}

void stop(Test *t) {
        t->k = keyring_free(t->k);
        t->event = sd_event_unref(t->event);
}

void end(Test *t) {
        stop(t);
        if (t->u.folder)
                util_bus_stop(&t->u);
}

void expect_load(Test *t, const char *account, int outcome, const char *secret) {
        Answer a = {};

        assert(keyring_load(t->k, &a.op, account, on_answer, &a) == 0);
        assert(a.n == 0);
        assert(wait_answer(t, &a) == outcome);
        assert(streq(a.secret, secret));
        free(a.secret);
}

int store_as(Test *t, const char *account, const char *label, const char *secret) {
        Answer a = {};

        assert(keyring_store(t->k, &a.op, no_ask, account, label, secret, on_answer, &a) == 0);
        assert(a.n == 0);
        assert(!a.secret);
        return wait_answer(t, &a);
}

int store(Test *t, const char *account, const char *secret) {
        return store_as(t, account, "IoT Central: test", secret);
}

int erase(Test *t, const char *account) {
        Answer a = {};

        assert(keyring_delete(t->k, &a.op, no_ask, account, on_answer, &a) == 0);
        return wait_answer(t, &a);
}

int unlock(Test *t) {
        Answer a = {};

        assert(keyring_unlock(t->k, &a.op, on_answer, &a) == 0);
        assert(a.n == 0);
        return wait_answer(t, &a);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

static bool story_run(const Story *story) {
        const char *tmp = getenv("TMPDIR");
        CLEANUP(freep) char *folder = NULL;
        int status;
        pid_t pid;

        assert(asprintf(&folder, "%s/iotc-keyring-XXXXXX", tmp ? tmp : "/tmp") > 0);
        assert(mkdtemp(folder));
        pid = fork();
        assert(pid >= 0);
        if (pid == 0) {
                Test t = {};

                assert(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
                alarm(60);
                if (!story->no_bus)
                        util_bus_start(&t.u, folder, story->service);
                story->fn(&t);
                end(&t);
                free(folder);
                exit(0);
        }
        assert(waitpid(pid, &status, 0) == pid);
        (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        if (status)
                fprintf(stderr, "%s: FAILED (status 0x%x)\n", story->name, (unsigned)status);
        return !status;
}

int util_stories_run(const Story *stories, size_t n, char **names) {
        bool good = true;

        for (size_t i = 0; i < n; i++) {
                bool wanted = !*names;

                for (char **name = names; *name; name++)
                        wanted |= streq(*name, stories[i].name);
                if (wanted)
                        good &= story_run(&stories[i]);
        }
        return good ? 0 : 1;
}
