/* SPDX-License-Identifier: MIT */
/*
 * iotc-tokend: launcher, signals, build bottom-up, run, tear down top-down. No logic.
 */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "arguments.h"
#include "attention/attention.h"
#include "common/paths.h"
#include "doors.h"
#include "instance.h"
#include "io/clock-watch.h"
#include "io/log.h"
#include "io/state.h"
#include "io/timer.h"
#include "io/watch.h"
#include "news.h"
#include "store.h"

#define SYSTEM_SETTINGS "/etc/iotc-token/accounts.conf"
#define START_WAIT_USEC (1 * USEC_PER_SEC)
#define STOP_WAIT_USEC  (2 * USEC_PER_SEC)

typedef struct Daemon {
        Env env;
        Instance *instance;
        News news;
        Manager *manager;
        Doors *doors;
        Attention *attention;
        Watch *watch;
        ClockWatch *clock_watch;
        Timer *start_timer, *stop_timer;
        sd_event_source *start, *flush;
        bool keyring_known;
        bool asked; /* to end, by a signal */
        int status;
} Daemon;

/* No core dump, no debugger of the same user, no secret on disk; of the launcher, too, which is
 * forked later. What it executes begins anew (prctl(2)): the fetcher hardens itself, and where its
 * file can't be read, as it is installed, there is no moment in which it can be debugged. */
static void harden(void) {
        (void)prctl(PR_SET_DUMPABLE, 0);
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

/* Descriptors 0, 1 and 2 are open, so that none of ours takes their place. */
static void descriptors_fill(void) {
        int fd;

        do
                fd = open("/dev/null", O_RDWR);
        while (fd >= 0 && fd <= STDERR_FILENO);
        if (fd > STDERR_FILENO)
                (void)close(fd);
}

static void daemon_on_keyring(KeyringState state, void *userdata) {
        Daemon *d = userdata;

        const char *why = keyring_complaint(d->env.keyring);

        d->keyring_known = true;
        if (why)
                log_warning("The store of secrets is %s: %s", keyring_state_to_string(state), why);
        else
                log_debug("The keyring is %s", keyring_state_to_string(state));
        if (d->manager)
                manager_on_keyring(d->manager, state);
}

static void daemon_on_network(bool online, void *userdata) {
        Daemon *d = userdata;

        log_debug("The network is %s", online ? "there" : "gone");
        if (d->manager)
                manager_on_online(d->manager, online);
}

static void daemon_on_clock(int64_t by, void *userdata) {
        Daemon *d = userdata;

        log_info("The wall clock was set %lld s %s", llabs(by), by < 0 ? "back" : "forward");
        if (d->manager)
                manager_on_clock(d->manager, by);
}

static void daemon_on_sleep(bool asleep, void *userdata) {
        Daemon *d = userdata;

        log_debug("The machine %s", asleep ? "goes to sleep" : "is back from sleep");
        if (d->manager)
                manager_on_sleep(d->manager, asleep);
}

static void daemon_exit(Daemon *d, int status);

/* Everything that can be known is known: take the name, and be ready. */
static void daemon_open(Daemon *d) {
        d->start = sd_event_source_disable_unref(d->start);
        d->start_timer = timer_free(d->start_timer);
        if (doors_open(d->doors) < 0) {
                daemon_exit(d, EXIT_FAILURE);
                return;
        }
        (void)sd_notify(0, "READY=1");
        log_debug("Ready");
}

static void daemon_on_start_time(void *userdata) {
        daemon_open(userdata);
}

/* After each turn of the loop: has the keyring answered? Calls that come early wait on the bus. */
static int daemon_on_start(sd_event_source *source, void *userdata) {
        Daemon *d = userdata;

        if (d->keyring_known && manager_is_settled(d->manager))
                daemon_open(d);
        return 0;
}

static void daemon_exit(Daemon *d, int status) {
        if (status != EXIT_SUCCESS)
                d->status = status;
        (void)sd_event_exit(d->env.event, 0);
}

static void daemon_on_launcher_gone(void *userdata) {
        log_error("The process that starts the fetchers has ended");
        daemon_exit(userdata, EXIT_FAILURE);
}

static void daemon_on_stop_time(void *userdata) {
        daemon_exit(userdata, EXIT_SUCCESS);
}

/* After each turn of the loop: is everything written? */
static int daemon_on_flush(sd_event_source *source, void *userdata) {
        Daemon *d = userdata;

        if (manager_flush(d->manager))
                daemon_exit(d, EXIT_SUCCESS);
        return 0;
}

/* End when everything is written, or after STOP_WAIT_USEC. */
static void daemon_end(Daemon *d) {
        if (d->flush)
                return;
        (void)sd_notify(0, "STOPPING=1");
        if (manager_flush(d->manager) ||
            sd_event_add_post(d->env.event, &d->flush, daemon_on_flush, d) < 0)
                daemon_exit(d, EXIT_SUCCESS);
        else
                timer_arm(d->stop_timer, clock_boottime() + STOP_WAIT_USEC);
}

static void daemon_on_doors_end(int status, void *userdata) {
        Daemon *d = userdata;

        d->status = status;
        daemon_end(d);
}

/* Another daemon could take the lock and start beside this one. */
static void daemon_on_place_lost(void *userdata) {
        Daemon *d = userdata;

        log_error("%s/lock was removed: ending, to be started again with one", d->env.runtime_dir);
        d->status = EXIT_FAILURE;
        daemon_end(d);
}

/* With the time, as Type=notify-reload of systemd 253 wants it: sd_notify(3). */
static void daemon_reload(Daemon *d) {
        struct timespec now;
        int r;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
                         (long long unsigned)now.tv_sec * USEC_PER_SEC + now.tv_nsec / 1000);
        r = manager_reload(d->manager);
        if (r < 0)
                log_error("The settings could not be read again; all stays as it was");
        else
                log_info("Read the settings again%s", r == 0 ? "; nothing has changed" : "");
        (void)sd_notify(0, "READY=1");
}

static int daemon_on_signal(sd_event_source *source, const struct signalfd_siginfo *si,
                            void *userdata) {
        Daemon *d = userdata;

        if (si->ssi_signo == SIGHUP) {
                daemon_reload(d);
                return 0;
        }
        if (d->asked)
                daemon_exit(d, EXIT_SUCCESS);
        d->asked = true;
        daemon_end(d);
        return 0;
}

static int signals_watch(Daemon *d) {
        static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
        sigset_t mask;
        int r;

        (void)signal(SIGPIPE, SIG_IGN);
        (void)signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes is an error, not the end */
        (void)sigemptyset(&mask);
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                (void)sigaddset(&mask, signals[i]);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                r = sd_event_add_signal(d->env.event, NULL, signals[i], daemon_on_signal, d);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The socket that systemd listens at for us, or -1. */
static int descriptor_activated(void) {
        int n = sd_listen_fds(true);

        return n > 0 && sd_is_socket(SD_LISTEN_FDS_START, AF_UNIX, SOCK_STREAM, 1) > 0
                       ? SD_LISTEN_FDS_START
                       : -1;
}

static int fail(int r, const char *what) {
        if (r < 0)
                log_error("%s: %s", what, strerror(-r));
        return r;
}

static int daemon_build(Daemon *d, int activated, bool replace) {
        CLEANUP(freep) char *settings = NULL;
        CLEANUP(freep) char *state = NULL;
        int r;

        r = sd_event_default(&d->env.event);
        if (r < 0)
                return fail(r, "Can't make an event loop");
        r = signals_watch(d);
        if (r < 0)
                return fail(r, "Can't watch signals");
        r = launcher_attach(d->env.launcher, d->env.event, daemon_on_launcher_gone, d);
        if (r < 0)
                return fail(r, "Can't reach the launcher");
        r = timer_new(&d->stop_timer, d->env.event, daemon_on_stop_time, d);
        if (r < 0)
                return fail(r, "Can't make a timer");
        r = instance_new(&d->instance, replace);
        if (r < 0)
                return r;
        d->env.runtime_dir = instance_folder(d->instance);
        r = instance_watch(d->instance, d->env.event, daemon_on_place_lost, d);
        if (r < 0)
                return fail(r, "Can't watch the runtime folder");
        r = doors_new(&d->doors, &d->env, d->env.runtime_dir, activated, replace,
                      daemon_on_doors_end, d);
        if (r < 0)
                return r;
        r = attention_new(&d->attention, &d->env);
        if (r < 0)
                return fail(r, "Can't make a notification");
        news_add(&d->news, &bus_listener, doors_bus(d->doors));
        news_add(&d->news, &attention_listener, d->attention);
        d->env.listener = &news_listener;
        d->env.listener_userdata = &d->news;
        r = watch_new(&d->watch, d->env.event, daemon_on_network, d);
        if (r < 0)
                return fail(r, "Can't watch the network");
        d->env.online = watch_is_online(d->watch);
        r = clock_watch_new(&d->clock_watch, d->env.event, daemon_on_clock, d);
        if (r < 0)
                return fail(r, "Can't watch the clock");
        r = sleep_new(&d->env.sleep, d->env.event, daemon_on_sleep, d);
        if (r < 0)
                return fail(r, "Can't watch for sleep");
        settings = path_in_home("XDG_CONFIG_HOME", ".config", "accounts.conf");
        r = store_open(&d->env.keyring, d->env.event, SYSTEM_SETTINGS, settings, daemon_on_keyring,
                       d);
        if (r < 0)
                return fail(r, "Can't open the store of secrets");
        state = path_in_home("XDG_STATE_HOME", ".local/state", "state");
        r = state_new(&d->env.state, d->env.event, state);
        if (r < 0)
                return fail(r, "Can't load the state");
        r = manager_new(&d->manager, &d->env, SYSTEM_SETTINGS, settings);
        if (r < 0)
                return fail(r, "Can't load the accounts");
        bus_serve(doors_bus(d->doors), d->manager);
        r = timer_new(&d->start_timer, d->env.event, daemon_on_start_time, d);
        if (r >= 0)
                r = sd_event_add_post(d->env.event, &d->start, daemon_on_start, d);
        if (r < 0)
                return fail(r, "Can't start");
        timer_arm(d->start_timer, clock_boottime() + START_WAIT_USEC);
        return 0;
}

static void daemon_free(Daemon *d) {
        if (d->doors)
                doors_stop(d->doors);
        d->manager = manager_free(d->manager);
        d->attention = attention_free(d->attention);
        d->env.state = state_free(d->env.state);
        d->env.keyring = keyring_free(d->env.keyring);
        /* Before the name: who is started because that is gone finds the lock free. */
        d->instance = instance_free(d->instance);
        d->doors = doors_free(d->doors);
        watch_free(d->watch);
        clock_watch_free(d->clock_watch);
        sleep_free(d->env.sleep);
        timer_free(d->start_timer);
        timer_free(d->stop_timer);
        sd_event_source_disable_unref(d->start);
        sd_event_source_disable_unref(d->flush);
        d->env.launcher = launcher_free(d->env.launcher);
        sd_event_unref(d->env.event);
        free(d->env.proxy);
        free(d->env.proxy_credentials);
        free(d->env.ca_bundle);
}

int main(int argc, char **argv) {
        CLEANUP(freep) char *fetcher = NULL;
        Daemon d = { 0 };
        bool replace;
        int activated, r, status;

        harden();
        (void)setlocale(LC_CTYPE, "C.UTF-8");
        if (arguments_parse(&replace, argc, argv, &status) == 0)
                return status;
        activated = descriptor_activated();
        descriptors_fill();
        fetcher = path_in_libexec("fetch/iotc-token-fetch", "iotc-token-fetch");
        r = launcher_fork(&d.env.launcher, fetcher);
        if (r < 0) {
                fail(r, "Can't start the launcher");
                return EXIT_FAILURE;
        }

        r = daemon_build(&d, activated, replace);
        if (r >= 0)
                r = fail(sd_event_loop(d.env.event),
                         "The event loop failed, and with it the daemon");
        daemon_free(&d);
        return r < 0 ? EXIT_FAILURE : d.status;
}
