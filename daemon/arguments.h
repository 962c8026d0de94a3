/* SPDX-License-Identifier: MIT */
/*
 * The command line of iotc-tokend, and its help.
 */
#pragma once

#include <iotc-util.h>

/* --verbose takes effect at once. 1: go on, with *ret_replace; 0: exit with *ret_status, all being
 * said. */
int arguments_parse(bool *ret_replace, int argc, char **argv, int *ret_status);
