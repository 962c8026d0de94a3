/* SPDX-License-Identifier: MIT */
/*
 * 100,000 daemons and one identity service that comes back from an outage: the rate of requests
 * that their policy makes, over time. Only the daemons' policy functions are at work here.
 */
#pragma once

#include <stdint.h>

/* Print the plot and the bound. EXIT_SUCCESS when the bound holds. */
int herd_run(uint64_t seed);
