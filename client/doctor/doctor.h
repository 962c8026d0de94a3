/* SPDX-License-Identifier: MIT */
/*
 * iotc-token doctor: what is wrong, why it matters, and the command that mends it.
 */
#pragma once

#include "base/args.h"

int verb_doctor(const Verb *verb, int argc, char **argv);
