/* SPDX-License-Identifier: MIT */
/*
 * What a line of a settings file says, by GKeyFile.
 */
#pragma once

#include "common/config-scan.h"

/*
 * A key's value without its escapes and the space around it, as a NULL-terminated list, to be freed
 * by g_strfreev(): its entries between semicolons if list, empty ones left out, else one string. 0;
 * -EINVAL when GKeyFile knows no such escape.
 */
int config_line_values(char ***ret, const ConfigLine *line, bool list);
