/* SPDX-License-Identifier: MIT */
/*
 * The wire contract in C: the bus name, paths, interfaces and errors, written once
 * for the daemon, the library and the tests. The shape of every member is in the XML under dbus/.
 */
#pragma once

#include <systemd/sd-bus.h>

#define IOTC_BUS_NAME          "org.iotc.Token1"
#define IOTC_PATH              "/org/iotc/Token1"
#define IOTC_PATH_ACCOUNT      "/org/iotc/Token1/account"
#define IOTC_PATH_SIGNIN       "/org/iotc/Token1/signin"
#define IOTC_INTERFACE_MANAGER "org.iotc.Token1.Manager"
#define IOTC_INTERFACE_ACCOUNT "org.iotc.Token1.Account"
#define IOTC_INTERFACE_SIGNIN  "org.iotc.Token1.SignIn"

/*
 * iotc-token-open, which opens the page of a sign-in in the person's browser, for the daemon:
 * Open(o signin, s activation_token). Ours alone: no part of the contract.
 */
#define IOTC_OPENER_NAME      "org.iotc.Token1.Opener"
#define IOTC_OPENER_PATH      "/org/iotc/Token1/Opener"
#define IOTC_OPENER_INTERFACE "org.iotc.Token1.Opener"

#define IOTC_ERROR_SIGN_IN_NEEDED  "org.iotc.Token1.Error.SignInNeeded"
#define IOTC_ERROR_KEYRING_LOCKED  "org.iotc.Token1.Error.KeyringLocked"
#define IOTC_ERROR_KEYRING_ABSENT  "org.iotc.Token1.Error.KeyringAbsent"
#define IOTC_ERROR_UNAVAILABLE     "org.iotc.Token1.Error.Unavailable"
#define IOTC_ERROR_TIMED_OUT       "org.iotc.Token1.Error.TimedOut"
#define IOTC_ERROR_MISCONFIGURED   "org.iotc.Token1.Error.Misconfigured"
#define IOTC_ERROR_BLOCKED         "org.iotc.Token1.Error.Blocked"
#define IOTC_ERROR_SOURCE_MISSING  "org.iotc.Token1.Error.SourceMissing"
#define IOTC_ERROR_DENIED          "org.iotc.Token1.Error.Denied"
#define IOTC_ERROR_NO_SUCH_ACCOUNT "org.iotc.Token1.Error.NoSuchAccount"
#define IOTC_ERROR_ACCOUNT_EXISTS  "org.iotc.Token1.Error.AccountExists"
#define IOTC_ERROR_CANCELLED       "org.iotc.Token1.Error.Cancelled"

/* The errno that sd_bus_call() returns for each, once a program has registered this map. */
#define IOTC_ERROR_MAP                                                    \
        SD_BUS_ERROR_MAP(IOTC_ERROR_SIGN_IN_NEEDED, ENOKEY),              \
                SD_BUS_ERROR_MAP(IOTC_ERROR_KEYRING_LOCKED, EKEYREVOKED), \
                SD_BUS_ERROR_MAP(IOTC_ERROR_KEYRING_ABSENT, ENOPROTOOPT), \
                SD_BUS_ERROR_MAP(IOTC_ERROR_UNAVAILABLE, EAGAIN),         \
                SD_BUS_ERROR_MAP(IOTC_ERROR_TIMED_OUT, ETIME),            \
                SD_BUS_ERROR_MAP(IOTC_ERROR_MISCONFIGURED, EBADE),        \
                SD_BUS_ERROR_MAP(IOTC_ERROR_BLOCKED, EKEYREJECTED),       \
                SD_BUS_ERROR_MAP(IOTC_ERROR_SOURCE_MISSING, ENOPKG),      \
                SD_BUS_ERROR_MAP(IOTC_ERROR_DENIED, EPERM),               \
                SD_BUS_ERROR_MAP(IOTC_ERROR_NO_SUCH_ACCOUNT, ENXIO),      \
                SD_BUS_ERROR_MAP(IOTC_ERROR_ACCOUNT_EXISTS, EEXIST),      \
                SD_BUS_ERROR_MAP(IOTC_ERROR_CANCELLED, ECANCELED)
