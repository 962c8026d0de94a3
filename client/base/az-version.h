/* SPDX-License-Identifier: MIT */
/*
 * Pure: what is known of versions of the Azure CLI. The table is data: a row for each range that
 * does not work with us, with its source.
 */
#pragma once

#include <iotc-util.h>

enum {
        AZ_VERSION_SIZE = 24, /* room for a version with its NUL */
};

typedef struct AzFault {
        const char *from, *to; /* both included */
        bool broken;           /* no token comes from it; else it is only not to be relied on */
        const char *why;       /* for a person: what does not work */
        const char *command;   /* what mends it */
} AzFault;

/* The version in what `az version -o json` printed. False when there is none. */
bool az_version_read(char version[AZ_VERSION_SIZE], const char *output);
/* What is wrong with this version; NULL when nothing is known. */
const AzFault *az_version_fault(const char *version);
