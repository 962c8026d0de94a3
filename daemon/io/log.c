/* SPDX-License-Identifier: MIT */
#include <stdarg.h>

#include "io/log.h"

static int log_max_level = LOG_INFO;

void log_set_max_level(int level) {
        log_max_level = level;
}

void log_write(int level, const char *format, ...) {
        static int journal = -1;
        char line[2048];
        va_list ap;

        if (level > log_max_level)
                return;
        if (journal < 0)
                journal = getenv("JOURNAL_STREAM") != NULL;

        va_start(ap, format);
        (void)vsnprintf(line, sizeof(line), format, ap);
        va_end(ap);
        /* One write for a line: the fetchers write to the same place. */
        if (journal)
                fprintf(stderr, "<%d>%s\n", level, line);
        else
                fprintf(stderr, "iotc-tokend: %s\n", line);
}
