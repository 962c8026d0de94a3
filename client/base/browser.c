/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/browser.h"
#include "common/program.h"

typedef struct Browser {
        void (*fn)(bool opened, void *userdata);
        void *userdata;
} Browser;

static bool browser_has_display(void) {
        return !str_empty(getenv("WAYLAND_DISPLAY")) || !str_empty(getenv("DISPLAY"));
}

bool browser_is_here(void) {
        return str_empty(getenv("SSH_CONNECTION")) && browser_has_display();
}

bool browser_can_open(void) {
        return browser_has_display() || !str_empty(getenv("BROWSER"));
}

/* A session of its own: the terminal's Ctrl-C is for us, and no text browser gets at the keys. */
_Noreturn static void browser_exec(const char *url) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        CLEANUP(freep) char *program = NULL;
        sigset_t none;

        (void)setsid();
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)signal(SIGPIPE, SIG_DFL);
        for (int fd = 0; fd < 3; fd++)
                if (dup2(null, fd) < 0)
                        _exit(126);
        if (program_find(&program, "xdg-open", getenv("PATH")) == 0)
                (void)execl(program, "xdg-open", url, (char *)NULL);
        _exit(127);
}

static int browser_on_exit(sd_event_source *source, const siginfo_t *si, void *userdata) {
        Browser *b = userdata;

        b->fn(si->si_code == CLD_EXITED && si->si_status == 0, b->userdata);
        return 0;
}

static void browser_destroy(void *userdata) {
        free(userdata);
}

int browser_open(sd_event_source **ret, sd_event *event, const char *url,
                 void (*fn)(bool opened, void *userdata), void *userdata) {
        CLEANUP(sd_event_source_unrefp) sd_event_source *source = NULL;
        sigset_t mask;
        Browser *b;
        pid_t pid;
        int r;

        /* It goes to a program as an argument, which could be taken for an option or a file. */
        if (!str_starts(url, "https://") && !str_starts(url, "http://"))
                return -EINVAL;
        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD); /* sd_event_add_child(3) wants it so */
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        b = malloc(sizeof(*b));
        if (!b)
                return -ENOMEM;
        *b = (Browser){ .fn = fn, .userdata = userdata };
        pid = fork();
        if (pid == 0)
                browser_exec(url);
        r = pid < 0 ? -errno : sd_event_add_child(event, &source, pid, WEXITED, browser_on_exit, b);
        if (r < 0) {
                free(b);
                return r;
        }
        (void)sd_event_source_set_destroy_callback(source, browser_destroy);
        if (!ret)
                return sd_event_source_set_floating(source, true);
        *ret = STEAL(source);
        return 0;
}
