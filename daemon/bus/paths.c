/* SPDX-License-Identifier: MIT */
/*
 * Where the objects are.
 */
#include <iotc-dbus.h>

#include "bus/link.h"
#include "keeper/signin.h"

int account_path(const Keeper *k, char **ret) {
        return sd_bus_path_encode(IOTC_PATH_ACCOUNT, keeper_account(k)->name, ret);
}

int signin_path(const SignIn *s, char **ret) {
        SignInView view;

        signin_view(s, &view);
        return asprintf(ret, IOTC_PATH_SIGNIN "/%llu", (long long unsigned)view.number) < 0
                       ? -ENOMEM
                       : 0;
}
