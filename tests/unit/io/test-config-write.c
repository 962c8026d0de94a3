/* SPDX-License-Identifier: MIT */
/*
 * What a change of the settings file leaves behind: the change, every other byte, and after a
 * refusal the old file. What a full disk leaves is in test-file.c.
 */
#include <sys/stat.h>

#include "util-config.h"

static Account *account(const char *name, AccountSource source) {
        Account *a = NULL;

        assert(account_new(&a, name, source) == 0);
        return a;
}

static void set(Account *a, const char *key, const char *value, const char *value2) {
        const char *const values[] = { value, value2, NULL };

        assert(account_set(a, key, values, ACCOUNT_ORIGIN_FILE, NULL) == 0);
}

static void put_account(const char *path, const Account *a) {
        CLEANUP(freep) char *problem = NULL;

        assert(config_put_account(path, a, &problem) == 0 && !problem);
}

static void test_a_first_account_makes_the_file(void) {
        CLEANUP(account_freep) Account *a = account("contoso", ACCOUNT_SOURCE_ENTRA);
        CLEANUP(config_freep) Config *c = NULL;
        char path[256], folder[128];
        struct stat st;
        Folder f;

        folder_init(&f);
        snprintf(folder, sizeof(folder), "%s/new/config/iotc-token", f.path);
        snprintf(path, sizeof(path), "%s/accounts.conf", folder);
        set(a, "tenant", "contoso.com", NULL);
        set(a, "apps", "b.example", "a.example");
        put_account(path, a);
        expect_text(path, "[account contoso]\n"
                          "source=entra\n"
                          "tenant=contoso.com\n"
                          "apps=b.example;a.example\n");
        assert(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
        assert(stat(folder, &st) == 0 && (st.st_mode & 07777) == 0700);
        snprintf(folder, sizeof(folder), "%s/new", f.path);
        assert(stat(folder, &st) == 0 && (st.st_mode & 07777) == 0700);

        c = load(NULL, path);
        assert(c->n_accounts == 1 && account_same_identity(c->accounts[0], a));
        folder_remove(&f);
}

static void test_values_come_back_as_they_went(void) {
        CLEANUP(account_freep) Account *a = account("a", ACCOUNT_SOURCE_AZURE_CLI);
        CLEANUP(config_freep) Config *c = NULL;
        Folder f;

        folder_init(&f);
        set(a, "subscription", "a;b\\c = [d] # Z\xc3\xbcrich;", NULL);
        set(a, "resource", "api://x;y", NULL);
        set(a, "resources", "api://a;b", "api://c");
        set(a, "az", "/opt/a z;/az", NULL);
        put_account(f.user, a);
        c = load(NULL, f.user);
        assert(!c->accounts[0]->problem);
        assert(streq(c->accounts[0]->subscription, a->subscription));
        assert(streq(c->accounts[0]->resource, a->resource));
        assert(streq(c->accounts[0]->az, a->az));
        assert(streq(c->accounts[0]->resources[0], "api://a;b"));
        assert(streq(c->accounts[0]->resources[1], "api://c") && !c->accounts[0]->resources[2]);
        folder_remove(&f);
}

#define BEFORE                  \
        "# my accounts\n"       \
        "\n"                    \
        "[iotc-token]\n"        \
        "default = work   \n"   \
        "\n"                    \
        "# of work\n"           \
        "[account work]\n"      \
        "source =entra\n"       \
        "# long since ours\n"   \
        "tenant= Contoso.com\n" \
        "sign-in=auto\n"        \
        "\n"                    \
        "# of home\n"           \
        "[account home]\n"      \
        "source=api-token\n"    \
        "apps=https://home.example/ ; x.example;"

static void test_a_change_keeps_all_else(void) {
        CLEANUP(config_freep) Config *c = NULL;
        Account *work;
        Folder f;

        folder_init(&f);
        put(f.user, BEFORE);
        c = load(NULL, f.user);
        work = find(c, "work");
        assert(work && !c->bad);
        put_account(f.user, work);
        put_account(f.user, find(c, "home"));
        expect_text(f.user, BEFORE);

        set(work, "tenant", "other.example", NULL);
        set(work, "apps", "a.example", NULL);
        put_account(f.user, work);
        expect_text(f.user, "# my accounts\n"
                            "\n"
                            "[iotc-token]\n"
                            "default = work   \n"
                            "\n"
                            "# of work\n"
                            "[account work]\n"
                            "source =entra\n"
                            "# long since ours\n"
                            "tenant=other.example\n"
                            "sign-in=auto\n"
                            "apps=a.example\n"
                            "\n"
                            "# of home\n"
                            "[account home]\n"
                            "source=api-token\n"
                            "apps=https://home.example/ ; x.example;");

        set(work, "tenant", "organizations", NULL);
        set(work, "apps", NULL, NULL);
        put_account(f.user, work);
        set(find(c, "home"), "resource", "api://x", NULL);
        put_account(f.user, find(c, "home"));
        expect_text(f.user, "# my accounts\n"
                            "\n"
                            "[iotc-token]\n"
                            "default = work   \n"
                            "\n"
                            "# of work\n"
                            "[account work]\n"
                            "source =entra\n"
                            "# long since ours\n"
                            "sign-in=auto\n"
                            "\n"
                            "# of home\n"
                            "[account home]\n"
                            "source=api-token\n"
                            "apps=https://home.example/ ; x.example;\n"
                            "resource=api://x\n");
        folder_remove(&f);
}

static void test_removing_keeps_the_others(void) {
        CLEANUP(freep) char *problem = NULL;
        Folder f;

        folder_init(&f);
        put(f.user, BEFORE);
        assert(config_remove_account(NULL, f.user, "absent", &problem) == 0);
        expect_text(f.user, BEFORE);
        assert(config_remove_account(NULL, f.user, "work", &problem) == 0);
        expect_text(f.user, "# my accounts\n"
                            "\n"
                            "[iotc-token]\n"
                            "\n"
                            "# of work\n"
                            "\n"
                            "# of home\n"
                            "[account home]\n"
                            "source=api-token\n"
                            "apps=https://home.example/ ; x.example;");
        assert(config_remove_account(NULL, f.user, "home", &problem) == 0);
        expect_text(f.user, "# my accounts\n"
                            "\n"
                            "[iotc-token]\n"
                            "\n"
                            "# of work\n"
                            "\n"
                            "# of home\n");
        assert(!problem);
        folder_remove(&f);
}

static void test_adding_and_removing_leaves_no_trace(void) {
        CLEANUP(account_freep) Account *a = account("a", ACCOUNT_SOURCE_ENTRA);
        CLEANUP(account_freep) Account *b = account("b", ACCOUNT_SOURCE_API_TOKEN);
        CLEANUP(freep) char *problem = NULL;
        Folder f;

        folder_init(&f);
        put(f.user, "# only a comment\n\n");
        for (size_t i = 0; i < 3; i++) {
                put_account(f.user, a);
                put_account(f.user, b);
                expect_text(f.user, "# only a comment\n\n[account a]\nsource=entra\n\n"
                                    "[account b]\nsource=api-token\n");
                assert(config_remove_account(NULL, f.user, "a", &problem) == 0);
                expect_text(f.user, "# only a comment\n\n[account b]\nsource=api-token\n");
                assert(config_remove_account(NULL, f.user, "b", &problem) == 0);
                expect_text(f.user, "# only a comment\n\n");
        }
        folder_remove(&f);
}

static void test_another_source_is_another_group(void) {
        CLEANUP(account_freep) Account *a = account("work", ACCOUNT_SOURCE_AZURE_CLI);
        CLEANUP(config_freep) Config *c = NULL;
        Folder f;

        folder_init(&f);
        put(f.user, BEFORE);
        set(a, "tenant", "contoso.com", NULL);
        put_account(f.user, a);
        c = load(NULL, f.user);
        assert(!c->bad && c->n_accounts == 2);
        assert(find(c, "work")->source == ACCOUNT_SOURCE_AZURE_CLI && !find(c, "work")->problem);
        folder_remove(&f);
}

static void test_line_ends_stay_those_of_the_file(void) {
        CLEANUP(account_freep) Account *a = account("a", ACCOUNT_SOURCE_ENTRA);
        Folder f;

        folder_init(&f);
        put(f.user, "\xef\xbb\xbf[account b]\r\nsource=entra\r\n");
        put_account(f.user, a);
        expect_text(f.user, "\xef\xbb\xbf[account b]\r\nsource=entra\r\n\r\n"
                            "[account a]\r\nsource=entra\r\n");
        folder_remove(&f);
}

static void test_the_default(void) {
        CLEANUP(freep) char *problem = NULL;
        Folder f;

        folder_init(&f);
        assert(config_set_default(NULL, f.user, NULL, &problem) == 0);
        assert(access(f.user, F_OK) < 0);
        assert(config_set_default(f.system, f.user, "a", &problem) == 0);
        expect_text(f.user, "[iotc-token]\ndefault=a\n");
        put(f.user, "[iotc-token]\n# mine\nproxy = http://proxy.example:80/\ndefault =a\n");
        assert(config_set_default(f.system, f.user, "b", &problem) == 0);
        expect_text(f.user, "[iotc-token]\n# mine\nproxy = http://proxy.example:80/\ndefault=b\n");
        assert(config_set_default(f.system, f.user, NULL, &problem) == 0);
        expect_text(f.user, "[iotc-token]\n# mine\nproxy = http://proxy.example:80/\n");
        assert(!problem);
        folder_remove(&f);
}

/* The user's group replaces the system's whole: a new default must not lose the proxy. */
static void test_the_default_keeps_what_the_system_says(void) {
        CLEANUP(config_freep) Config *c = NULL;
        CLEANUP(freep) char *problem = NULL;
        Folder f;

        folder_init(&f);
        put(f.system, "[iotc-token]\ndefault=corp\nproxy=http://proxy.example:3128\n"
                      "app-suffixes=corp.example;\n");
        put(f.user, "[account a]\nsource=entra");
        assert(config_set_default(f.system, f.user, "a", &problem) == 0);
        expect_text(f.user, "[account a]\nsource=entra\n\n[iotc-token]\ndefault=a\n"
                            "app-suffixes=corp.example\nproxy=http://proxy.example:3128\n");
        c = load(f.system, f.user);
        assert(streq(c->default_account, "a") && c->proxy && !c->problem);
        folder_remove(&f);
}

static void test_a_bad_line_stops_every_change(void) {
        static const char text[] = "[account a]\nsource=entra\nc2VjcmV0LXNlY3JldA\n";
        CLEANUP(account_freep) Account *b = account("b", ACCOUNT_SOURCE_ENTRA);
        CLEANUP(freep) char *p1 = NULL, *p2 = NULL, *p3 = NULL;
        Folder f;

        folder_init(&f);
        put(f.user, text);
        assert(config_put_account(f.user, b, &p1) == CONFIG_E_BAD_FILE);
        assert(config_remove_account(NULL, f.user, "a", &p2) == CONFIG_E_BAD_FILE);
        assert(config_set_default(NULL, f.user, "b", &p3) == CONFIG_E_BAD_FILE);
        assert(streq(p1, p2) && streq(p1, p3));
        assert(strstr(p1, "/user.conf, line 3: expected KEY=VALUE") && !strstr(p1, "c2Vj"));
        expect_text(f.user, text);
        folder_remove(&f);
}

static void test_what_could_not_be_read_again_is_not_written(void) {
        CLEANUP(account_freep) Account *a = account("a", ACCOUNT_SOURCE_ENTRA);
        const char *values[LIST_ENTRIES_MAX + 1] = { 0 };
        char uris[LIST_ENTRIES_MAX][URL_LENGTH_MAX];
        CLEANUP(freep) char *problem = NULL;
        Folder f;

        folder_init(&f);
        for (size_t i = 0; i < LIST_ENTRIES_MAX; i++) {
                memset(uris[i], 'a', sizeof(uris[i]) - 1);
                uris[i][sizeof(uris[i]) - 1] = 0;
                memcpy(uris[i], "api:", 4);
                uris[i][4] = '0' + i % 10;
                uris[i][5] = '0' + i / 10;
                values[i] = uris[i];
        }
        assert(account_set(a, "resources", values, ACCOUNT_ORIGIN_BUS, NULL) == 0);
        assert(config_put_account(f.user, a, &problem) == CONFIG_E_BAD_FILE);
        assert(strstr(problem, "too long"));
        assert(access(f.user, F_OK) < 0);
        folder_remove(&f);
}

/* Another program wrote between our reading and our change: both changes are there. */
static void test_two_writers(void) {
        CLEANUP(account_freep) Account *a = account("a", ACCOUNT_SOURCE_ENTRA);
        CLEANUP(account_freep) Account *b = account("b", ACCOUNT_SOURCE_ENTRA);
        CLEANUP(config_freep) Config *before = NULL;
        CLEANUP(config_freep) Config *after = NULL;
        Folder f;

        folder_init(&f);
        put_account(f.user, a);
        before = load(NULL, f.user);
        put_account(f.user, b);
        set(before->accounts[0], "tenant", "a.example", NULL);
        put_account(f.user, before->accounts[0]);
        after = load(NULL, f.user);
        assert(after->n_accounts == 2 && streq(find(after, "a")->tenant, "a.example"));
        folder_remove(&f);
}

int main(void) {
        test_a_first_account_makes_the_file();
        test_values_come_back_as_they_went();
        test_a_change_keeps_all_else();
        test_removing_keeps_the_others();
        test_adding_and_removing_leaves_no_trace();
        test_another_source_is_another_group();
        test_line_ends_stay_those_of_the_file();
        test_the_default();
        test_the_default_keeps_what_the_system_says();
        test_a_bad_line_stops_every_change();
        test_what_could_not_be_read_again_is_not_written();
        test_two_writers();
        return 0;
}
