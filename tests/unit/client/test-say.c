/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>

#include "base/say.h"

static void test_errors_have_their_exit_codes(void) {
        static const struct {
                const char *name;
                int code;
        } table[] = {
                { "org.iotc.Token1.Error.SignInNeeded", 3 },
                { "org.iotc.Token1.Error.KeyringLocked", 4 },
                { "org.iotc.Token1.Error.KeyringAbsent", 4 },
                { "org.iotc.Token1.Error.Unavailable", 5 },
                { "org.iotc.Token1.Error.TimedOut", 5 },
                { "org.iotc.Token1.Error.Misconfigured", 6 },
                { "org.iotc.Token1.Error.Blocked", 6 },
                { "org.iotc.Token1.Error.SourceMissing", 6 },
                { "org.iotc.Token1.Error.Denied", 6 },
                { "org.iotc.Token1.Error.NoSuchAccount", 7 },
                { "org.iotc.Token1.Error.AccountExists", 1 },
                { "org.iotc.Token1.Error.Cancelled", 1 },
                { "org.freedesktop.DBus.Error.InvalidArgs", 2 },
                { "org.freedesktop.DBus.Error.LimitsExceeded", 1 },
                { "org.freedesktop.DBus.Error.NoServer", 1 },
                { "org.freedesktop.DBus.Error.ServiceUnknown", 5 },
                { "org.freedesktop.DBus.Error.Spawn.Failed", 5 },
                { "org.freedesktop.DBus.Error.NoReply", 5 },
                { "", 1 },
                { NULL, 1 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                assert(exit_of_error(table[i].name) == table[i].code);
}

static void test_states_have_their_exit_codes(void) {
        assert(exit_of_state("ready") == 0);
        assert(exit_of_state("signing-in") == 0);
        assert(exit_of_state("locked") == 0);
        assert(exit_of_state("sign-in-needed") == 3);
        assert(exit_of_state("unavailable") == 5);
        assert(exit_of_state("misconfigured") == 6);
        assert(exit_of_state("blocked") == 6);
        assert(exit_of_state("a state of later days") == 1);
}

static void test_one_clean_line(void) {
        char buf[128] = "";
        int fds[2], saved = dup(STDERR_FILENO), code;

        assert(saved >= 0 && pipe(fds) == 0);
        assert(dup2(fds[1], STDERR_FILENO) == STDERR_FILENO);
        say("a %s", "line\nwith\033[2J");
        code = fail_error("org.iotc.Token1.Error.Denied", "the reason");
        assert(dup2(saved, STDERR_FILENO) == STDERR_FILENO);

        assert(code == 6);
        assert(read(fds[0], buf, sizeof(buf) - 1) > 0);
        assert(streq(buf, "a line?with?[2J\niotc-token: the reason\n"));
        close(fds[0]);
        close(fds[1]);
        close(saved);
}

int main(void) {
        test_errors_have_their_exit_codes();
        test_states_have_their_exit_codes();
        test_one_clean_line();
        return 0;
}
