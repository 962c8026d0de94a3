/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "common/memory.h"
#include "common/secret.h"

void secret_wipe(void *p, size_t n) {
        if (p && n)
                explicit_bzero(p, n);
}

char *secret_free(char *s) {
        if (s) {
                secret_wipe(s, strlen(s));
                free(s);
        }
        return NULL;
}

char *secret_dup(const char *s) {
        return xstrdup(s);
}
