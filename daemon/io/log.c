/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <sys/stat.h>

#include "common/redact.h"
#include "io/log.h"

static int log_max_level = LOG_INFO;

void log_set_max_level(int level) {
        log_max_level = level;
}

/* Is standard error the journal, or was the variable inherited? systemd.exec(5), JOURNAL_STREAM */
static bool log_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        long long unsigned device, inode;
        struct stat st;

        return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
               fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_write(int level, const char *format, ...) {
        static int journal = -1;
        CLEANUP(freep) char *safe = NULL;
        char line[2048];
        va_list ap;

        if (level > log_max_level)
                return;
        if (journal < 0)
                journal = log_is_journal();

        va_start(ap, format);
        (void)vsnprintf(line, sizeof(line), format, ap);
        va_end(ap);
        safe = redact(line, NULL, 0);
        if (journal)
                fprintf(stderr, "<%d>%s\n", level, safe ?: "memory is short");
        else
                fprintf(stderr, "iotc-tokend: %s\n", safe ?: "memory is short");
}
