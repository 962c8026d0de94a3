/* SPDX-License-Identifier: MIT */
#include <libintl.h>
#include <locale.h>

#include <iotc-util.h>

#include "base/i18n.h"

#define I18N_DOMAIN "iotc-token"

static bool i18n_wanted;

void i18n_open(void) {
        i18n_wanted = true;
}

/* At the first text, not before: it takes 0.1 ms, which `iotc-token get` has no use for. */
static void i18n_load(void) {
        const char *language;

        if (!i18n_wanted)
                return;
        i18n_wanted = false;
        language = setlocale(LC_MESSAGES, "");
        if (!language || streq(language, "C") || streq(language, "POSIX"))
                return;
        /* As all our text is; strerror(3) goes by the locale, gettext(3) by the binding. */
        (void)setlocale(LC_CTYPE, "C.UTF-8");
        (void)bindtextdomain(I18N_DOMAIN, IOTC_LOCALEDIR);
        (void)bind_textdomain_codeset(I18N_DOMAIN, "UTF-8");
        (void)textdomain(I18N_DOMAIN);
}

const char *i18n_text(const char *text) {
        i18n_load();
        return gettext(text);
}

const char *i18n_text_of(const char *one, const char *many, unsigned long n) {
        i18n_load();
        return ngettext(one, many, n);
}
