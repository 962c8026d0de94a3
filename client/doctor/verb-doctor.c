/* SPDX-License-Identifier: MIT */
/*
 * iotc-token doctor: what is wrong, why it matters, and the command that mends it. The checks are
 * in doctor-*.c; the order of their table is that of what depends on what, so that the first
 * problem is the one to mend first. The accounts come before the suspects (az, proxy, CA, clock),
 * which look different when a token was got just now.
 */
#include "base/output.h"
#include "base/say.h"
#include "base/table.h"
#include "doctor/check.h"
#include "doctor/doctor.h"

/* Those that the daemon reads, if it can be asked. */
static int read_settings(Doctor *d) {
        d->settings_path = settings_user_path(properties_strings(&d->manager, "SettingsFiles"));
        settings_load_files(&d->settings, d->settings_path);
        return 0;
}

static int (*const checks[])(Doctor *d) = {
        doctor_check_bus,     doctor_check_daemon,   read_settings,         doctor_check_start,
        doctor_check_keyring, doctor_check_settings, doctor_check_accounts, doctor_check_az,
        doctor_check_network, doctor_check_proxy,    doctor_check_ca,       doctor_check_clock,
};

static void doctor_deinit(Doctor *d) {
        accounts_deinit(&d->accounts);
        properties_deinit(&d->manager);
        settings_deinit(&d->settings);
        free(d->settings_path);
        sd_bus_flush_close_unref(d->daemon);
        sd_bus_flush_close_unref(d->bus);
}

static void print_sum(const Doctor *d) {
        unsigned problems = d->n[FINDING_PROBLEM], notes = d->n[FINDING_NOTE];

        putchar('\n');
        if (problems > 1)
                printf(i18n_text_of("%u problem found; mend the first one first.\n",
                                    "%u problems found; mend the first one first.\n", problems),
                       problems);
        else if (problems)
                puts(_("1 problem found."));
        else if (notes)
                printf(i18n_text_of("No problem found, %u note.\n", "No problem found, %u notes.\n",
                                    notes),
                       notes);
        else
                puts(_("All is well."));
        if (!problems && d->accounts.n)
                puts(_("Whether an application takes a token: iotc-token check HOST"));
}

static int doctor_run(Doctor *d) {
        int r = 0;

        if (d->json)
                json_writer_open(d->json, NULL, '[');
        for (size_t i = 0; i < ARRAY_SIZE(checks) && r == 0; i++)
                r = checks[i](d);
        if (d->json) {
                json_writer_close(d->json, ']');
                json_writer_end(d->json);
        }
        if (r)
                return r;
        if (d->person)
                print_sum(d);
        return d->n[FINDING_PROBLEM] ? EXIT_FAILED : EXIT_DONE;
}

int verb_doctor(const Verb *verb, int argc, char **argv) {
        CLEANUP(doctor_deinit) Doctor d = { 0 };
        JsonWriter out = { .f = stdout };
        bool json = false;
        const Option options[] = {
                { "json", NULL, N_("print an array of findings"), OPTION_FLAG, &json },
                { 0 },
        };
        int r;

        r = args_parse(verb, options, &argc, argv, 0, 0);
        if (r)
                return r;
        d.json = json ? &out : NULL;
        d.person = !json && output_is_terminal();
        d.colour = d.person && output_has_colour();
        d.utf8 = d.person && output_has_utf8();
        d.columns = MIN(output_columns(), (size_t)100); /* longer lines are hard to read */
        return doctor_run(&d);
}
