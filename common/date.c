/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "common/date.h"

/* By sscanf(), since strptime() wants the names of days and months in the user's language. */
uint64_t date_from_http(const char *text) {
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        struct tm tm = { 0 };
        char month[4] = "";
        const char *found;
        int end = 0;
        time_t t;

        (void)sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month,
                     &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end);
        if (end == 0) {
                (void)sscanf(text, "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &tm.tm_mday,
                             month, &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end);
                tm.tm_year += tm.tm_year < 70 ? 2000 : 1900;
        }
        if (end == 0)
                (void)sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month,
                             &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &tm.tm_year, &end);
        found = strlen(month) == 3 ? strstr(months, month) : NULL;
        if (end == 0 || text[end] || !found || (found - months) % 3)
                return 0;
        tm.tm_mon = (int)(found - months) / 3;
        tm.tm_year -= 1900;
        t = timegm(&tm);
        return t > 0 ? (uint64_t)t : 0;
}
