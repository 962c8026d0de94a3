/* SPDX-License-Identifier: MIT */
#include <stdarg.h>

#include "common/memory.h"
#include "common/redact.h"
#include "model/problem.h"

int problem_take(Problem *p, Outcome outcome, char *text) {
        free(p->text);
        *p = (Problem){ .outcome = outcome, .text = text };
        return outcome;
}

int problem_set(Problem *p, Outcome outcome, const char *format, ...) {
        CLEANUP(freep) char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        return problem_take(p, outcome, redact(text, NULL, 0));
}

void problem_copy(Problem *to, const Problem *from) {
        if (to != from)
                (void)problem_take(to, from->outcome, xstrdup(from->text));
}

void problem_clear(Problem *p) {
        (void)problem_take(p, OUTCOME_OK, NULL);
}

const char *problem_text(const Problem *p) {
        if (p->text)
                return p->text;
        return p->outcome == OUTCOME_OK ? "" : "Memory is short; try again.";
}
