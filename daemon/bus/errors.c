/* SPDX-License-Identifier: MIT */
/*
 * The core's outcomes as D-Bus errors.
 */
#include <iotc-dbus.h>

#include "bus/link.h"

const char *outcome_to_error_name(Outcome outcome) {
        static const char *const names[_OUTCOME_MAX] = {
                [OUTCOME_OK] = "",
                [OUTCOME_SIGN_IN_NEEDED] = IOTC_ERROR_SIGN_IN_NEEDED,
                [OUTCOME_KEYRING_LOCKED] = IOTC_ERROR_KEYRING_LOCKED,
                [OUTCOME_KEYRING_ABSENT] = IOTC_ERROR_KEYRING_ABSENT,
                [OUTCOME_UNAVAILABLE] = IOTC_ERROR_UNAVAILABLE,
                [OUTCOME_TIMED_OUT] = IOTC_ERROR_TIMED_OUT,
                [OUTCOME_MISCONFIGURED] = IOTC_ERROR_MISCONFIGURED,
                [OUTCOME_BLOCKED] = IOTC_ERROR_BLOCKED,
                [OUTCOME_SOURCE_MISSING] = IOTC_ERROR_SOURCE_MISSING,
                [OUTCOME_DENIED] = IOTC_ERROR_DENIED,
                [OUTCOME_NO_SUCH_ACCOUNT] = IOTC_ERROR_NO_SUCH_ACCOUNT,
                [OUTCOME_ACCOUNT_EXISTS] = IOTC_ERROR_ACCOUNT_EXISTS,
                [OUTCOME_CANCELLED] = IOTC_ERROR_CANCELLED,
                [OUTCOME_INVALID_ARGS] = SD_BUS_ERROR_INVALID_ARGS,
                [OUTCOME_LIMITS_EXCEEDED] = SD_BUS_ERROR_LIMITS_EXCEEDED,
                [OUTCOME_FAILED] = SD_BUS_ERROR_FAILED,
        };

        return names[outcome];
}

int handler_result(int r, Problem *p, sd_bus_error *error) {
        if (r > 0)
                r = sd_bus_error_set(error, outcome_to_error_name(p->outcome), problem_text(p));
        problem_clear(p);
        return r;
}
