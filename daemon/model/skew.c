/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "model/skew.h"

/* The end of the year 9999. */
#define DATE_MAX INT64_C(253402300799)

void skew_learn(Skew *s, uint64_t date, uint64_t boottime) {
        int64_t base;

        if (date == 0 || date > (uint64_t)DATE_MAX)
                return;
        base = (int64_t)date - (int64_t)(boottime / USEC_PER_SEC);
        /* A Date is old by as long as the answer took: the newest of those that agree is the best,
         * and an offset that is shown does not change with every answer. */
        if (!s->known || base > s->server_base || s->server_base - base >= SKEW_MIN_SECONDS / 2)
                s->server_base = base;
        s->known = true;
}

int64_t skew_offset(const Skew *s, uint64_t wall, uint64_t boottime) {
        int64_t offset;

        if (!s->known)
                return 0;
        offset = s->server_base + (int64_t)(boottime / USEC_PER_SEC) - (int64_t)wall;
        return offset > SKEW_MIN_SECONDS || offset < -SKEW_MIN_SECONDS ? offset : 0;
}

char *skew_text(char buf[SKEW_TEXT_SIZE], int64_t offset) {
        static const struct {
                uint64_t seconds;
                const char *unit;
        } units[] = {
                { UINT64_C(365) * 86400, "years" },
                { 86400, "days" },
                { 3600, "h" },
                { 60, "min" },
        };
        uint64_t much = offset < 0 ? (uint64_t)-offset : (uint64_t)offset;
        size_t i = 0;

        /* From twice the unit on, so that rounding does not say too little. */
        while (i + 1 < ARRAY_SIZE(units) && much < 2 * units[i].seconds)
                i++;
        snprintf(buf, SKEW_TEXT_SIZE, "%" PRIu64 " %s %s",
                 (much + units[i].seconds / 2) / units[i].seconds, units[i].unit,
                 offset < 0 ? "fast" : "slow");
        return buf;
}
