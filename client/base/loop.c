/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/signalfd.h>

#include "base/bus.h"
#include "base/loop.h"
#include "base/say.h"
#include "lib/ask.h"
#include "lib/connection.h"

static const int loop_signals[] = { SIGINT, SIGTERM, SIGHUP };

static int loop_on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Loop *loop = userdata;

        if (loop->on_daemon && connection_is_direct(loop->bus))
                return loop->on_daemon(false, loop->userdata);
        return loop_end(loop,
                        fail(EXIT_FAILED, "the connection to iotc-tokend was closed; try again"));
}

static int loop_on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name, *before, *now;
        Loop *loop = userdata;
        int r;

        r = sd_bus_message_read(m, "sss", &name, &before, &now);
        return r < 0 ? r : loop->on_daemon(*now, loop->userdata);
}

int loop_watch_daemon(Loop *loop, int (*on_daemon)(bool there, void *userdata), void *userdata) {
        loop->on_daemon = on_daemon;
        loop->userdata = userdata;
        if (connection_is_direct(loop->bus)) /* its end is the connection's */
                return 0;
        return sd_bus_add_match(loop->bus, &loop->owner,
                                "type='signal',sender='org.freedesktop.DBus',"
                                "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                "arg0='" IOTC_BUS_NAME "'",
                                loop_on_owner, loop);
}

static int loop_on_signal(sd_event_source *source, const struct signalfd_siginfo *si,
                          void *userdata) {
        return loop_end(userdata, 128 + (int)si->ssi_signo);
}

static void loop_signals_set(sigset_t *ret) {
        sigemptyset(ret);
        for (size_t i = 0; i < ARRAY_SIZE(loop_signals); i++)
                sigaddset(ret, loop_signals[i]);
}

int loop_block_signals(void) {
        sigset_t mask;

        loop_signals_set(&mask);
        return sigprocmask(SIG_BLOCK, &mask, NULL) < 0 ? -errno : 0;
}

int loop_signals_fd(void) {
        sigset_t mask;
        int fd;

        loop_signals_set(&mask);
        fd = signalfd(-1, &mask, SFD_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int loop_fill(Loop *loop) {
        int r;

        r = loop_block_signals();
        if (r >= 0)
                r = sd_event_new(&loop->event);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(loop_signals); i++)
                r = sd_event_add_signal(loop->event, NULL, loop_signals[i], loop_on_signal, loop);
        if (r >= 0)
                r = sd_bus_match_signal(loop->bus, &loop->disconnected,
                                        "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                                        "org.freedesktop.DBus.Local", "Disconnected",
                                        loop_on_disconnected, loop);
        if (r >= 0)
                r = sd_bus_attach_event(loop->bus, loop->event, SD_EVENT_PRIORITY_NORMAL);
        return r;
}

int loop_new(Loop **ret, sd_bus *bus) {
        CLEANUP(loop_freep) Loop *loop = NULL;
        int r;

        loop = calloc(1, sizeof(*loop));
        if (!loop)
                return fail_errno(-ENOMEM);
        loop->bus = bus;
        loop->code = -1;
        r = loop_fill(loop);
        if (r < 0)
                return fail_errno(r);
        *ret = STEAL(loop);
        return 0;
}

Loop *loop_free(Loop *loop) {
        if (!loop)
                return NULL;
        sd_bus_slot_unref(loop->disconnected);
        sd_bus_slot_unref(loop->owner);
        (void)sd_bus_detach_event(loop->bus);
        sd_event_unref(loop->event);
        free(loop);
        return NULL;
}

int loop_end(Loop *loop, int code) {
        if (loop->code < 0)
                loop->code = code;
        return 0;
}

int loop_run(Loop *loop) {
        int r;

        while (loop->code < 0) {
                r = sd_event_run(loop->event, UINT64_MAX);
                if (r < 0)
                        return fail_errno(r);
        }
        return loop->code;
}

typedef struct LoopCall {
        Loop *loop;
        Ask ask;
        sd_bus_slot *slot;
        sd_bus_error error;
        sd_bus_message *reply;
        sd_bus_slot *question; /* for the keyring's state */
        bool told;             /* that a dialog waits */
} LoopCall;

static void loop_call_deinit(LoopCall *call) {
        ask_deinit(&call->ask);
        sd_bus_slot_unref(call->slot);
        sd_bus_slot_unref(call->question);
        sd_bus_error_free(&call->error);
        sd_bus_message_unref(call->reply);
}

static int loop_on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error);

static int loop_send(LoopCall *call) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint64_t timeout;
        int r;

        r = ask_next(&call->ask, call->loop->bus, &m, &timeout);
        if (r < 0)
                return r;
        call->slot = sd_bus_slot_unref(call->slot);
        return sd_bus_call_async(call->loop->bus, &call->slot, m, loop_on_reply, call, timeout);
}

static int loop_on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        LoopCall *call = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        int r;

        (void)sd_bus_error_copy(&call->error, error);
        r = ask_reply(&call->ask, call->loop->bus, error ? NULL : reply, &call->error);
        if (r == ASK_E_MORE) {
                r = loop_send(call);
                if (r >= 0)
                        return 0;
                sd_bus_error_set_errno(&call->error, r);
        }
        call->reply = sd_bus_message_ref(reply);
        return loop_end(call->loop, 0);
}

static int loop_on_keyring(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        LoopCall *call = userdata;
        const char *state;

        if (call->reply || call->told || sd_bus_message_is_method_error(reply, NULL) ||
            sd_bus_message_read(reply, "v", "s", &state) < 0 || !streq(state, "prompting"))
                return 0;
        call->told = true;
        say("The keyring's dialog waits for your answer. Ctrl-C gives up.");
        return 0;
}

static int loop_ask_keyring(LoopCall *call) {
        call->question = sd_bus_slot_unref(call->question);
        return sd_bus_call_method_async(call->loop->bus, &call->question, IOTC_BUS_NAME, IOTC_PATH,
                                        "org.freedesktop.DBus.Properties", "Get", loop_on_keyring,
                                        call, "ss", IOTC_INTERFACE_MANAGER, "KeyringState");
}

static int loop_on_change(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void)loop_ask_keyring(userdata);
        return 0;
}

static int loop_watch_keyring(LoopCall *call, sd_bus_slot **ret) {
        int r;

        r = bus_match(call->loop->bus, ret,
                      "path='" IOTC_PATH "',interface='org.freedesktop.DBus.Properties',"
                      "member='PropertiesChanged'",
                      loop_on_change, call);
        return r < 0 ? r : loop_ask_keyring(call);
}

static int loop_call(sd_bus *bus, sd_bus_message *m, unsigned timeout_sec, bool person,
                     const char *name, sd_bus_message **ret) {
        CLEANUP(loop_freep) Loop *loop = NULL;
        CLEANUP(loop_call_deinit) LoopCall call = { .error = SD_BUS_ERROR_NULL };
        CLEANUP(sd_bus_slot_unrefp) sd_bus_slot *changes = NULL;
        int r;

        r = loop_new(&loop, bus);
        if (r)
                return r;
        call.loop = loop;
        r = ask_init(&call.ask, m, false, timeout_sec * USEC_PER_SEC);
        if (r >= 0)
                r = loop_send(&call);
        if (r >= 0 && person)
                r = loop_watch_keyring(&call, &changes);
        if (r < 0)
                return fail_errno(r);
        r = loop_run(loop);
        if (r == 0 && !sd_bus_error_is_set(&call.error) && ret)
                *ret = STEAL(call.reply);
        if (r || !sd_bus_error_is_set(&call.error))
                return r;
        if (name && sd_bus_error_has_name(&call.error, name))
                return -1;
        r = bus_fail(&call.error, -EIO);
        call.error = SD_BUS_ERROR_NULL;
        return r;
}

int loop_call_person(sd_bus *bus, sd_bus_message *m, const char *name, sd_bus_message **ret) {
        return loop_call(bus, m, BUS_TIMEOUT_PERSON, true, name, ret);
}

int loop_refresh_unless(sd_bus *bus, const char *path, const char *name) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = bus_method(bus, &m, path, IOTC_INTERFACE_ACCOUNT, "Refresh");
        return r ?: loop_call(bus, m, BUS_TIMEOUT_FETCH, false, name, NULL);
}

int loop_interrupted(void) {
        sigset_t pending;

        if (sigpending(&pending) == 0)
                for (size_t i = 0; i < ARRAY_SIZE(loop_signals); i++)
                        if (sigismember(&pending, loop_signals[i]))
                                return 128 + loop_signals[i];
        return 0;
}
