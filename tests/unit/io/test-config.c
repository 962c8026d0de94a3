/* SPDX-License-Identifier: MIT */
/*
 * The settings files as a person meets them: what is served of a faulty file, what a fault's text
 * says, and that a change leaves all else as it was. Every test has a folder of its own.
 */
#include <sys/stat.h>

#include "util-config.h"

/* The text as the user's file. */
static Config *load_bytes(const char *data, size_t n) {
        Config *c;
        Folder f;

        folder_init(&f);
        put_bytes(f.user, data, n);
        c = load(NULL, f.user);
        folder_remove(&f);
        return c;
}

static Config *load_text(const char *text) {
        return load_bytes(text, strlen(text));
}

static void test_no_file_at_all(void) {
        CLEANUP(config_freep) Config *none = load(NULL, NULL);
        CLEANUP(config_freep) Config *absent = load("/nonexistent/a", "/nonexistent/b");

        assert(none->n_accounts == 0 && !none->problem && !none->bad);
        assert(streq(none->app_suffixes[0], "azureiotcentral.com") && !none->app_suffixes[1]);
        assert(absent->n_accounts == 0 && !absent->problem && !absent->bad);
}

static void test_the_example_of_the_manual(void) {
        CLEANUP(config_freep) Config *c = NULL;
        Account *a;

        c = load_text("[iotc-token]\n"
                      "default=contoso\n"
                      "app-suffixes= .Example.org ;azureiotcentral.com; \n"
                      "proxy=http://proxy.example:3128\n"
                      "proxy-credentials=/home/ada/proxy\n"
                      "ca-bundle=/etc/ssl/corp.pem\n"
                      "store=keyring\n"
                      "\n"
                      "# the one of work\n"
                      "[account contoso]\n"
                      "source=entra\n"
                      "tenant = contoso.com\n"
                      "apps=contoso.azureiotcentral.com;contoso-test.azureiotcentral.com\n");
        assert(!c->problem && !c->bad && c->n_accounts == 1);
        assert(streq(c->default_account, "contoso"));
        assert(streq(c->app_suffixes[0], "example.org"));
        assert(streq(c->app_suffixes[1], "azureiotcentral.com") && !c->app_suffixes[2]);
        assert(streq(c->proxy, "http://proxy.example:3128"));
        assert(streq(c->proxy_credentials, "/home/ada/proxy"));
        assert(streq(c->ca_bundle, "/etc/ssl/corp.pem"));
        assert(c->store == CONFIG_STORE_KEYRING && !c->key_file);

        a = find(c, "contoso");
        assert(!a->problem && !a->system && a->source == ACCOUNT_SOURCE_ENTRA);
        assert(streq(a->tenant, "contoso.com"));
        assert(account_has_app(a, "contoso-test.azureiotcentral.com"));
}

static void test_what_editors_leave_behind(void) {
        CLEANUP(config_freep) Config *c = NULL;
        Account *a;

        c = load_text("\xef\xbb\xbf[account a]\r\n"
                      "\t source = azure-cli \r\n"
                      "subscription = Pay-As-You-Go; \\\\ Z\xc3\xbcrich\t\r\n"
                      "  # \xff in a comment is nobody's business\r\n"
                      "apps = a.example ; b.example ;\r\n"
                      "[iotc-token]   \r\n"
                      "app-suffixes=\r\n"
                      "default=a");
        a = find(c, "a");
        assert(!c->problem && !c->bad && !a->problem);
        assert(streq(a->subscription, "Pay-As-You-Go; \\ Z\xc3\xbcrich"));
        assert(account_has_app(a, "a.example") && account_has_app(a, "b.example") && !a->apps[2]);
        assert(streq(c->default_account, "a"));
        assert(!c->app_suffixes[0]);
}

/* The good group is served whatever is in the file; the bad one names its line, and no secret. */
static void test_a_bad_line_and_its_number(void) {
        static const struct {
                const char *line; /* the fourth of the file */
                const char *want;
        } rows[] = {
                { "c2VjcmV0LXNlY3JldC1zZWNyZXQ", "line 4: expected KEY=VALUE" },
                { "=c2VjcmV0LXNlY3JldC1zZWNyZXQ", "line 4: expected KEY=VALUE" },
                { "c2VjcmV0LXNlY3JldC1zZWNyZXQ==", "line 4: not a setting of the source entra" },
                { "client-secret=c2VjcmV0LXNlY3JldC1zZWNyZXQ", "line 4: not a setting" },
                { "tenant=c2VjcmV0L/XNlY3JldC1zZWNyZXQ",
                  "line 4: tenant: expected a GUID, a domain or organizations" },
                { "tenant=", "line 4: tenant: expected" },
                { "Tenant=contoso.com", "line 4: not a setting" },
                { "tenant[de]=contoso.com", "line 4: not a setting" },
                { "apps=good.example;http://c2VjcmV0LXNlY3JldC1zZWNyZXQ",
                  "line 4: apps: expected" },
                { "apps=a.example;A.example.", "line 4: apps: an entry is there twice" },
                { "tenant=c2VjcmV0\\XNlY3JldC1zZWNyZXQ", "line 4: a backslash" },
                { "source=entra", "line 4: this setting is there twice" },
                { "client-id=2", "line 4: this setting is there twice" },
                { "subscription=c2VjcmV0LXNlY3JldC1zZWNyZXQ", "line 4: not a setting" },
                { "az=/usr/bin/az", "line 4: not a setting" },
                { "tenant=\xff\xfe", "line 4: it is not UTF-8" },
                { "; no comment", "line 4: expected KEY=VALUE" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(config_freep) Config *c = NULL;
                char text[512];
                Account *a;

                snprintf(text, sizeof(text),
                         "[account bad]\nsource=entra\nclient-id=1\n%s\n"
                         "resource=api://x\n[account good]\nsource=api-token\n",
                         rows[i].line);
                c = load_text(text);
                a = find(c, "bad");
                if (!a->problem || !strstr(a->problem, rows[i].want) ||
                    !strstr(a->problem, "/user.conf, line ")) {
                        fprintf(stderr, "%s: '%s'\n", rows[i].line, a->problem ?: "");
                        abort();
                }
                assert(!strstr(a->problem, "c2VjcmV0"));
                assert(c->bad && !c->problem);
                /* What could be read is there. */
                assert(streq(a->client_id, "1") && streq(a->resource, "api://x"));
                assert(find(c, "good") && !find(c, "good")->problem);
        }
}

static void test_bytes_that_are_no_text(void) {
        static const char nul[] =
                "[account a]\nsource=entra\ntenant=a\0b\n[account b]\nsource=entra\n";
        CLEANUP(freep) char *line = calloc(1, CONFIG_LINE_MAX + 64);
        CLEANUP(config_freep) Config *with_nul = NULL;
        CLEANUP(config_freep) Config *with_long = NULL;

        with_nul = load_bytes(nul, sizeof(nul) - 1);
        assert(strstr(find(with_nul, "a")->problem, "line 3: a NUL byte"));
        assert(!find(with_nul, "b")->problem && with_nul->bad);

        assert(line);
        strcpy(line, "[account a]\nsource=entra\napps=");
        memset(line + strlen(line), 'a', CONFIG_LINE_MAX);
        with_long = load_text(line);
        assert(strstr(find(with_long, "a")->problem, "line 3: it is too long"));
}

static void test_headers_that_are_none(void) {
        static const struct {
                const char *text, *want;
        } rows[] = {
                { "tenant=a\n", "line 1: it stands before the first group" },
                { "a-secret\n", "line 1: expected KEY=VALUE" },
                { "[account my.name]\nsource=x\n", "line 1: an account's name" },
                { "[account ]\n", "line 1: an account's name" },
                { "[account -a]\n", "line 1: an account's name" },
                { "[acount a]\nsource=x\n", "line 1: unknown group" },
                { "[account a\nsource=x\n", "line 1: unknown group" },
                { "[]\n", "line 1: unknown group" },
                { "[Account a]\n", "line 1: unknown group" },
                { "[iotc-token]\nx=1\n", "line 2: not a setting of [iotc-token]" },
                { "[iotc-token]\n[iotc-token]\n", "line 2: this group is there twice" },
                { "[iotc-token]\ndefault=a\ndefault=a\n", "line 3: this setting is there twice" },
                { "[iotc-token]\ndefault=a.b\n", "line 2: default: expected the name" },
                { "[iotc-token]\napp-suffixes=com\n", "line 2: app-suffixes: expected" },
                { "[iotc-token]\napp-suffixes=a.example:8443\n", "line 2: app-suffixes: expected" },
                { "[iotc-token]\nproxy=http://user:pw@proxy:80\n", "line 2: proxy: expected" },
                { "[iotc-token]\nproxy=proxy:3128\n", "line 2: proxy: expected" },
                { "[iotc-token]\nproxy=http://https://a\n", "line 2: proxy: expected" },
                { "[iotc-token]\nproxy-credentials=ada:secret\n",
                  "line 2: proxy-credentials: expected the absolute path" },
                { "[iotc-token]\nca-bundle=corp.pem\n", "line 2: ca-bundle: expected an absolute" },
                { "[iotc-token]\nstore=plain\n", "line 2: store: expected keyring, or file" },
                { "[iotc-token]\nkey-file=key\n", "line 2: key-file: expected an absolute path" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(config_freep) Config *c = NULL;
                char text[256];

                snprintf(text, sizeof(text), "%s[account good]\nsource=entra\n", rows[i].text);
                c = load_text(text);
                if (!c->problem || !strstr(c->problem, rows[i].want)) {
                        fprintf(stderr, "%s: '%s'\n", rows[i].text, c->problem ?: "");
                        abort();
                }
                assert(c->bad && c->n_accounts == 1);
                assert(!find(c, "good")->problem && !find(c, "good")->apps);
        }
}

/* A bad line never turns one store into the other. */
static void test_the_store(void) {
        static const struct {
                const char *text;
                ConfigStore store;
                const char *key_file;
        } rows[] = {
                { "", CONFIG_STORE_KEYRING, NULL },
                { "store=keyring\nkey-file=/k\n", CONFIG_STORE_KEYRING, "/k" },
                { "store=file\n", CONFIG_STORE_FILE, NULL },
                { "proxy=x\nstore=file\nkey-file=/a/k\n", CONFIG_STORE_FILE, "/a/k" },
                { "store=file\nkey-file=k\n", CONFIG_STORE_FILE, NULL },
                { "store=fil\n", CONFIG_STORE_UNKNOWN, NULL },
                { "store=\n", CONFIG_STORE_UNKNOWN, NULL },
                { "store=fi\\le\n", CONFIG_STORE_UNKNOWN, NULL },
                { "store=file\nstore=keyring\n", CONFIG_STORE_UNKNOWN, NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(config_freep) Config *c = NULL;
                char text[256];

                snprintf(text, sizeof(text), "[iotc-token]\n%s", rows[i].text);
                c = load_text(text);
                assert(c->store == rows[i].store && streq(c->key_file, rows[i].key_file));
        }
}

static void test_a_group_with_a_fault_as_a_whole(void) {
        CLEANUP(config_freep) Config *c = NULL;

        c = load_text("[account none]\n"
                      "tenant=a.example\n"
                      "[account what]\n"
                      "az=/x\n"
                      "source=azurecli\n"
                      "[account twice]\n"
                      "source=entra\n"
                      "[account late]\n"
                      "az=/x\n"
                      "source=azure-cli\n"
                      "[account twice]\n"
                      "source=api-token\n"
                      "[account prog]\n"
                      "source=command\n"
                      "[account azure-cli]\n"
                      "source=entra\n"
                      "[account both]\n"
                      "source=azure-cli\n"
                      "tenant=a.example\n"
                      "subscription=s\n");
        assert(c->n_accounts == 7 && c->bad && !c->problem);
        assert(strstr(find(c, "none")->problem, "line 1: source is missing: expected entra"));
        assert(find(c, "none")->source == ACCOUNT_SOURCE_ENTRA);
        assert(strstr(find(c, "what")->problem, "line 5: source: expected entra, azure-cli"));
        assert(strstr(find(c, "twice")->problem, "line 11: this group is there twice"));
        assert(find(c, "twice")->source == ACCOUNT_SOURCE_ENTRA);
        assert(!find(c, "late")->problem && streq(find(c, "late")->az, "/x"));
        assert(strstr(find(c, "prog")->problem, "line 13: command is missing"));
        assert(strstr(find(c, "azure-cli")->problem, "line 15: the name azure-cli is reserved"));
        assert(strstr(find(c, "both")->problem, "line 17: tenant and subscription"));
}

static void test_an_application_has_one_account(void) {
        CLEANUP(config_freep) Config *c = NULL;

        c = load_text("[account a]\nsource=entra\napps=a.example;b.example\n"
                      "[account b]\nsource=api-token\napps=https://B.example/;c.example\n"
                      "[account c]\nsource=api-token\napps=d.example\n");
        assert(!find(c, "a")->problem && !find(c, "c")->problem);
        assert(strstr(find(c, "b")->problem, "line 6: apps: the account a lists one of them"));
        /* No bad line: a change over the bus may put it right. */
        assert(!c->bad);
}

static void test_too_many_accounts(void) {
        CLEANUP(config_freep) Config *c = NULL;
        char text[64 * (ACCOUNTS_MAX + 2)] = "";

        for (size_t i = 0; i < ACCOUNTS_MAX + 2; i++)
                sprintf(text + strlen(text), "[account a%zu]\nsource=entra\n", i);
        c = load_text(text);
        assert(c->n_accounts == ACCOUNTS_MAX);
        assert(strstr(c->problem, "line 129: too many accounts"));
}

static void test_the_user_over_the_system(void) {
        CLEANUP(config_freep) Config *c = NULL;
        CLEANUP(config_freep) Config *alone = NULL;
        CLEANUP(freep) char *problem = NULL;
        Folder f;

        folder_init(&f);
        put(f.system, "[iotc-token]\ndefault=corp\nproxy=http://proxy.example:3128\n"
                      "[account corp]\nsource=entra\ntenant=corp.example\n"
                      "[account other]\nsource=entra\ntenant=corp.example\nclient-id=1\n"
                      "[account broken]\nnonsense\n");
        put(f.user, "[account mine]\nsource=azure-cli\n"
                    "[account other]\nsource=entra\napps=a.example\n"
                    "[iotc-token]\ndefault=mine\n");
        c = load(f.system, f.user);
        assert(c->n_accounts == 4 && !c->problem);
        assert(streq(c->accounts[0]->name, "corp") && c->accounts[0]->system);
        assert(streq(c->accounts[1]->name, "broken") && c->accounts[1]->problem);
        assert(streq(c->accounts[2]->name, "mine") && !c->accounts[2]->system);
        /* The group as a whole: no word of the system's is left in it. */
        assert(!find(c, "other")->system && !find(c, "other")->client_id);
        assert(streq(find(c, "other")->tenant, "organizations"));
        assert(streq(c->default_account, "mine") && !c->proxy);
        /* A bad line of the system's file is no reason not to write the user's. */
        assert(!c->bad);
        assert(strstr(c->accounts[1]->problem, "/system.conf, line 12: expected KEY=VALUE"));

        assert(config_put_account(f.user, c->accounts[0], &problem) == CONFIG_E_SYSTEM);
        assert(strstr(problem, "corp") && strstr(problem, "administrator"));

        alone = load(f.system, NULL);
        assert(streq(alone->default_account, "corp") && alone->proxy);
        folder_remove(&f);
}

static void test_a_file_that_cannot_be_read(void) {
        CLEANUP(config_freep) Config *folder = NULL, *big = NULL;
        struct {
                const char *target, *why;
        } links[] = {
                { "/dev/null", "it is no regular file" },
                { "/dev/zero", "it is no regular file" },
                { "/nowhere/accounts.conf", "it is a link whose target is not there" },
                { "user.conf", "Too many levels of symbolic links" },
        };
        CLEANUP(freep) char *problem = NULL;
        char text[] = "[account a]\nsource=entra\n";
        Folder f;

        folder_init(&f);
        put(f.system, text);
        assert(mkdir(f.user, 0700) == 0);
        folder = load(f.system, f.user);
        assert(strstr(folder->problem, "user.conf can't be read: it is a folder") && folder->bad);
        /* Nor are the accounts of the other file there: this one may say otherwise of them. */
        assert(folder->n_accounts == 0);
        assert(config_remove_account(NULL, f.user, "a", &problem) == CONFIG_E_BAD_FILE);
        assert(strstr(problem, "it is a folder"));
        free(STEAL(problem));
        assert(rmdir(f.user) == 0);

        put(f.user, text);
        assert(truncate(f.user, CONFIG_FILE_MAX + 1) == 0);
        big = load(NULL, f.user);
        assert(strstr(big->problem, "larger than 1 MiB") && big->bad);
        assert(config_remove_account(NULL, f.user, "a", &problem) == CONFIG_E_BAD_FILE);
        assert(strstr(problem, "larger than 1 MiB"));

        for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
                CLEANUP(config_freep) Config *linked = NULL;

                assert(unlink(f.user) == 0 && symlink(links[i].target, f.user) == 0);
                linked = load(NULL, f.user);
                assert(strstr(linked->problem, links[i].why) && linked->unread);
        }
        folder_remove(&f);
}

int main(void) {
        test_no_file_at_all();
        test_the_example_of_the_manual();
        test_what_editors_leave_behind();
        test_a_bad_line_and_its_number();
        test_bytes_that_are_no_text();
        test_headers_that_are_none();
        test_the_store();
        test_a_group_with_a_fault_as_a_whole();
        test_an_application_has_one_account();
        test_too_many_accounts();
        test_the_user_over_the_system();
        test_a_file_that_cannot_be_read();
        return 0;
}
