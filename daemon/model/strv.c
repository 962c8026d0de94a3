/* SPDX-License-Identifier: MIT */
/*
 * See strv.h. Lists here are short (LIST_ENTRIES_MAX), so a search is a walk.
 */
#include "model/strv.h"
#include "common/memory.h"

char **strv_free(char **list) {
        for (char **p = list; p && *p; p++)
                free(*p);
        free(list);
        return NULL;
}

size_t strv_length(const char *const *list) {
        size_t n = 0;

        while (list && list[n])
                n++;
        return n;
}

bool strv_has(char *const *list, const char *s) {
        for (char *const *p = list; p && *p; p++)
                if (streq(*p, s))
                        return true;
        return false;
}

bool strv_equal(char *const *a, char *const *b) {
        for (; a && *a && b && *b; a++, b++)
                if (!streq(*a, *b))
                        return false;
        return (!a || !*a) && (!b || !*b);
}

char **strv_copy(char *const *from) {
        size_t n = strv_length((const char *const *)from);
        char **list = from ? xcalloc(n + 1, sizeof(*list)) : NULL;

        for (size_t i = 0; i < n; i++)
                list[i] = xstrdup(from[i]);
        return list;
}
