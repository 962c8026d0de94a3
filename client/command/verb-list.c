/* SPDX-License-Identifier: MIT */
/*
 * iotc-token list and status: what the daemon says of itself and of its accounts, as a table or
 * blocks for a person, as lines with tabs for a program, as JSON for whoever asks for it.
 */
#include <inttypes.h>
#include <time.h>

#include "base/bus.h"
#include "base/display.h"
#include "base/output.h"
#include "base/say.h"
#include "base/table.h"
#include "command/verbs.h"

enum {
        STATUS_COLUMN = 18, /* of the values */
};

static TableColour state_colour(const char *state) {
        if (streq(state, "ready"))
                return TABLE_GREEN;
        if (exit_of_state(state) == EXIT_DONE || streq(state, "unavailable"))
                return TABLE_YELLOW;
        return TABLE_RED;
}

/* The state for a person. What az's sign-in is worth nobody knows before az was asked. */
static const char *state_shown(const Properties *account) {
        const char *state = properties_string(account, "State");
        bool asked = properties_number(account, "ExpiresAt") ||
                     properties_number(account, "LastRefreshAt");

        if (streq(properties_string(account, "Source"), "azure-cli") && streq(state, "ready") &&
            !asked)
                return _("not asked yet");
        return state;
}

static TableColour shown_colour(const Properties *account) {
        const char *state = properties_string(account, "State");

        return streq(state_shown(account), state) ? state_colour(state) : TABLE_YELLOW;
}

/* How soon somebody may have to do something. A token is renewed well before these, so that it
 * comes so far only when it can't be renewed; the end of an API token is warned of by the daemon.
 */
static TableColour left_colour(const char *source, uint64_t at, uint64_t now) {
        bool lasting = streq(source, "api-token");
        uint64_t left = at > now ? at - now : 0;

        if (left < (lasting ? 3 * 86400 : 60))
                return TABLE_RED;
        return left < (lasting ? 14 * 86400 : 300) ? TABLE_YELLOW : TABLE_GREEN;
}

/* "a,b" to be freed by free(); NULL when memory is short. */
static char *strings_join(char *const *strings) {
        char *joined = NULL;
        size_t n;
        FILE *f;

        f = open_memstream(&joined, &n);
        if (!f)
                return NULL;
        for (size_t i = 0; strings[i]; i++)
                fprintf(f, "%s%s", i ? "," : "", strings[i]);
        return fclose(f) == 0 ? joined : NULL;
}

static void account_json(JsonWriter *out, const Properties *account, const char *default_account) {
        json_writer_open(out, NULL, '{');
        properties_json(account, out);
        json_writer_bool(out, "default",
                         streq(properties_string(account, "Name"), default_account));
        json_writer_close(out, '}');
}

static void list_add(Table *table, const Properties *account, const char *default_account) {
        const char *name = properties_string(account, "Name");
        const char *source = properties_string(account, "Source");
        const char *state = properties_string(account, "State");
        const char *user = properties_string(account, "User");
        CLEANUP(freep) char *apps = strings_join(properties_strings(account, "Apps"));
        uint64_t expires_at = properties_number(account, "ExpiresAt"), now = (uint64_t)time(NULL);
        TableColour urgency = left_colour(source, expires_at, now);
        char left[DISPLAY_DURATION_SIZE], at[24];
        bool is_default = streq(name, default_account);
        CLEANUP(freep) char *marked = NULL;

        if (asprintf(&marked, "%s %s", is_default ? "*" : " ", name) < 0)
                marked = NULL;
        snprintf(at, sizeof(at), "%" PRIu64, expires_at);
        display_left(left, expires_at, now);
        table_add(table, marked ?: name, name, TABLE_PLAIN);
        table_add(table, "", is_default ? "yes" : "no", TABLE_PLAIN);
        table_add(table, source, source, TABLE_PLAIN);
        table_add(table, state_shown(account), state, shown_colour(account));
        table_add(table, left, at,
                  expires_at == 0 || urgency == TABLE_GREEN ? TABLE_PLAIN : urgency);
        table_add(table, user, user, TABLE_PLAIN);
        table_add(table, apps, apps ?: "", TABLE_PLAIN);
}

static int list_print(const Accounts *accounts, const Properties *manager) {
        const char *default_account = properties_string(manager, "DefaultAccount");
        const char *problem = properties_string(manager, "SettingsProblem");
        TableLook look;
        static const char *const headings[] = {
                N_("  NAME"),    NULL,       N_("SOURCE"), N_("STATE"),
                N_("VALID FOR"), N_("USER"), N_("APPS"),
        };
        CLEANUP(table_freep) Table *table = NULL;
        int r;

        if (accounts->n == 0 && *problem)
                say("%s", problem);
        else if (accounts->n == 0)
                say("There is no account yet; 'iotc-token login' adds one.");
        r = table_new(&table, ARRAY_SIZE(headings), headings);
        if (r < 0)
                return fail_errno(r);
        for (size_t i = 0; i < accounts->n; i++)
                list_add(table, &accounts->items[i], default_account);
        r = table_print(table, stdout, accounts->n ? output_look(&look) : NULL);
        return r < 0 ? fail_errno(r) : EXIT_DONE;
}

static void accounts_json(JsonWriter *out, const char *key, const Accounts *accounts,
                          const char *default_account) {
        json_writer_open(out, key, '[');
        for (size_t i = 0; i < accounts->n; i++)
                account_json(out, &accounts->items[i], default_account);
        json_writer_close(out, ']');
}

int verb_list(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        CLEANUP(properties_deinit) Properties manager = { 0 };
        CLEANUP(accounts_deinit) Accounts accounts = { 0 };
        bool json = false, no_start = false;
        const Option options[] = {
                { "json", NULL, N_("print an array of accounts"), OPTION_FLAG, &json },
                { "no-start", NULL, N_("fail if the daemon is not running"), OPTION_FLAG,
                  &no_start },
                { 0 },
        };
        JsonWriter out = { .f = stdout };
        int r;

        r = args_parse(verb, options, &argc, argv, 0, 0);
        if (no_start) /* for shells that complete a name: a key starts nothing */
                r = r ?: bus_open_running(&bus);
        else
                r = r ?: bus_open(&bus);
        r = r ?: bus_get_all(bus, IOTC_PATH, IOTC_INTERFACE_MANAGER, &manager);
        r = r ?: bus_get_accounts(bus, &accounts);
        if (r)
                return r;
        if (!json)
                return list_print(&accounts, &manager);
        accounts_json(&out, NULL, &accounts, properties_string(&manager, "DefaultAccount"));
        json_writer_end(&out);
        return EXIT_DONE;
}

/* For a program: the account's name ("-" for the daemon), the property as in JSON, its value. */
static void status_lines(const char *of, const Properties *properties) {
        char key[DISPLAY_KEY_SIZE];

        for (size_t i = 0; i < properties->n; i++) {
                printf("%s\t%s\t", of, display_key(key, properties->items[i].name));
                property_print(&properties->items[i], stdout, false);
                putchar('\n');
        }
}

static void status_label(const char *name) {
        const char *label = _(name);

        printf("    %s", label);
        for (size_t n = 4 + display_width(label); n < STATUS_COLUMN; n++)
                putchar(' ');
}

static void status_field(const char *name, const char *value) {
        CLEANUP(freep) char *folded = NULL;

        if (str_empty(value))
                return;
        folded = display_fold(value, MIN(output_columns(), (size_t)100), STATUS_COLUMN,
                              STATUS_COLUMN);
        status_label(name);
        puts(folded ?: "");
}

static void status_time(const char *name, uint64_t at, uint64_t now) {
        char duration[DISPLAY_DURATION_SIZE], text[DISPLAY_DURATION_SIZE + 8];

        if (at == 0)
                return;
        display_duration(duration, at > now ? at - now : now - at);
        snprintf(text, sizeof(text), at > now ? _("in %s") : _("%s ago"), duration);
        status_field(name, text);
}

/* The time left, as a bar and in words. */
static void status_left(const Properties *account, uint64_t now) {
        uint64_t at = properties_number(account, "ExpiresAt");
        TableColour colour = left_colour(properties_string(account, "Source"), at, now);
        char bar[DISPLAY_BAR_SIZE], left[DISPLAY_DURATION_SIZE];
        bool coloured = output_has_colour();

        if (at == 0)
                return;
        display_bar(bar, properties_number(account, "LastRefreshAt"), at, now, output_has_utf8());
        status_label(N_("Valid for"));
        printf("%s%s%s%s%s\n", coloured ? table_escape(colour) : "",
               *bar ? bar : display_left(left, at, now), coloured ? table_escape(TABLE_RESET) : "",
               *bar ? " " : "", *bar ? display_left(left, at, now) : "");
}

static void status_block(const Properties *account) {
        CLEANUP(freep) char *apps = strings_join(properties_strings(account, "Apps"));
        char *const *error = properties_strings(account, "LastError");
        uint64_t now = (uint64_t)time(NULL);
        bool colour = output_has_colour();

        display_print(stdout, properties_string(account, "Name"));
        printf(": %s", colour ? table_escape(shown_colour(account)) : "");
        display_print(stdout, state_shown(account));
        puts(colour ? table_escape(TABLE_RESET) : "");

        status_field("Source", properties_string(account, "Source"));
        status_field("User", properties_string(account, "User"));
        status_left(account, now);
        status_time("Last refresh", properties_number(account, "LastRefreshAt"), now);
        status_time("Next refresh", properties_number(account, "RefreshAt"), now);
        status_time("Last used", properties_number(account, "LastUsedAt"), now);
        status_field("Applications", apps);
        status_field("Resource", properties_string(account, "Resource"));
        status_field("Authority", properties_string(account, "Authority"));
        status_field("Tenant", properties_string(account, "Tenant"));
        status_field("Client id", properties_string(account, "ClientId"));
        if (*error && **error)
                status_field("Last error", error[1]);
}

/* Said only when it is wrong, and known to be. */
static void status_clock(const Properties *manager) {
        int64_t offset = (int64_t)properties_number(manager, "ClockOffset");
        char much[DISPLAY_DURATION_SIZE], text[DISPLAY_DURATION_SIZE + 128];

        if (offset == 0)
                return;
        display_duration(much, offset < 0 ? -(uint64_t)offset : (uint64_t)offset);
        snprintf(text, sizeof(text),
                 offset < 0 ? _("%s fast, by the identity service's. Set it right: timedatectl "
                                "set-ntp true")
                            : _("%s slow, by the identity service's. Set it right: timedatectl "
                                "set-ntp true"),
                 much);
        status_field("Clock", text);
}

static int status_account(sd_bus *bus, const char *selector, bool json) {
        CLEANUP(properties_deinit) Properties manager = { 0 }, account = { 0 };
        CLEANUP(freep) char *path = NULL;
        JsonWriter out = { .f = stdout };
        int r;

        r = bus_find_account(bus, selector, &path);
        r = r ?: bus_get_all(bus, path, IOTC_INTERFACE_ACCOUNT, &account);
        r = r ?: bus_get_all(bus, IOTC_PATH, IOTC_INTERFACE_MANAGER, &manager);
        if (r)
                return r;
        if (json) {
                account_json(&out, &account, properties_string(&manager, "DefaultAccount"));
                json_writer_end(&out);
        } else if (output_is_terminal()) {
                status_block(&account);
                status_clock(&manager);
        } else {
                status_lines(properties_string(&account, "Name"), &account);
        }
        return exit_of_state(properties_string(&account, "State"));
}

static void status_print(const Properties *manager, const Accounts *accounts) {
        const char *default_account = properties_string(manager, "DefaultAccount");

        printf("iotc-tokend %s\n", properties_string(manager, "Version"));
        status_field("Default", *default_account ? default_account : _("none"));
        status_field("Store", properties_string(manager, "Store"));
        status_field("Keyring", properties_string(manager, "KeyringState"));
        status_field("What to do", properties_string(manager, "StoreProblem"));
        status_field("Settings", properties_string(manager, "SettingsProblem"));
        status_field("Network", properties_number(manager, "Online") ? _("online") : _("offline"));
        status_clock(manager);
        for (size_t i = 0; i < accounts->n; i++) {
                putchar('\n');
                status_block(&accounts->items[i]);
        }
}

static int status_all(sd_bus *bus, bool json) {
        CLEANUP(properties_deinit) Properties manager = { 0 };
        CLEANUP(accounts_deinit) Accounts accounts = { 0 };
        JsonWriter out = { .f = stdout };
        int r;

        r = bus_get_all(bus, IOTC_PATH, IOTC_INTERFACE_MANAGER, &manager);
        r = r ?: bus_get_accounts(bus, &accounts);
        if (r)
                return r;
        if (json) {
                json_writer_open(&out, NULL, '{');
                properties_json(&manager, &out);
                accounts_json(&out, "accounts", &accounts,
                              properties_string(&manager, "DefaultAccount"));
                json_writer_close(&out, '}');
                json_writer_end(&out);
        } else if (output_is_terminal()) {
                status_print(&manager, &accounts);
        } else {
                status_lines("-", &manager);
                for (size_t i = 0; i < accounts.n; i++)
                        status_lines(properties_string(&accounts.items[i], "Name"),
                                     &accounts.items[i]);
        }
        return EXIT_DONE;
}

int verb_status(const Verb *verb, int argc, char **argv) {
        CLEANUP(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        bool json = false;
        const Option options[] = {
                { "json", NULL, N_("print an object: the account, or daemon and accounts"),
                  OPTION_FLAG, &json },
                { 0 },
        };
        int r;

        r = args_parse(verb, options, &argc, argv, 0, 1);
        r = r ?: bus_open(&bus);
        if (r)
                return r;
        return argc > 0 ? status_account(bus, argv[0], json) : status_all(bus, json);
}
