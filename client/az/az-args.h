/* SPDX-License-Identifier: MIT */
/*
 * PURE: is this command line a call of `az account get-access-token` that we can answer, and what
 * does it ask for? Written after what the Azure SDKs and people's scripts say, and narrow: whatever
 * is not understood to the last word is the real az's.
 */
#pragma once

#include <iotc-util.h>

typedef enum AzOutput {
        AZ_OUTPUT_JSON,
        AZ_OUTPUT_TSV, /* of one field only */
} AzOutput;

typedef struct AzArgs {
        char *resource;     /* NULL: none was named, which az takes for Azure Resource Manager */
        const char *tenant; /* borrowed; NULL: none was named */
        const char *field;  /* borrowed: --query of one field; NULL: the whole */
        AzOutput output;
} AzArgs;

/* argv[0] is az's own name. output is what the person set as default for --output, NULL or "" if
 * nothing. True when it is ours; *ret is then to be freed by az_args_deinit(). */
bool az_args_parse(AzArgs *ret, int argc, char **argv, const char *output);
void az_args_deinit(AzArgs *args);
