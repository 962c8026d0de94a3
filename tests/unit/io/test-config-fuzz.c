/* SPDX-License-Identifier: MIT */
/*
 * A settings file is what a person typed, an editor broke or a disk lost. Thousands of broken ones,
 * the same on every run: reading never fails, and what is served is sound.
 */
#include <fcntl.h>
#include <sys/syscall.h>

#include "common/text.h"
#include "util-config.h"

#define ROUNDS 4000

static const char seed[] =
        "\xef\xbb\xbf# comment\n[iotc-token]\ndefault=a\nproxy=http://p.example:1\n"
        "app-suffixes=.a.example;b.example;\nca-bundle=/x\nstore=file\nkey-file=/x\n\n"
        "[account a]\r\nsource=entra\r\ntenant=contoso.com\r\n"
        "apps=https://a.example/;b.example:8443;\r\nresources=api://x\\;y;\r\n"
        "[account azure-cli]\nsource=azure-cli\nsubscription=a b\\s\\\\\n"
        "config-dir=/a\naz=/b\n[account c]\nsource=client-credentials\n"
        "client-id=1\ntenant=c.example\nauthority=http://127.0.0.1:1/x\n"
        "[account d]\nsource=command\ncommand=/c\nresource=urn:x\n"
        "[account e]\nsource=api-token\napps=[::1]:1;e.example\n";

static uint32_t state = 1;

/* xorshift32: the same on every machine. */
static uint32_t next(uint32_t below) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return state % below;
}

static size_t mutate(char *data, size_t n, size_t size) {
        static const char special[] = "\0\n\r[]=;\\#. \t\xff\xef\xbb\xbf/:@%-";
        size_t at = next(n), len = 1 + next(24);

        switch (next(6)) {
        case 0: /* a byte becomes another */
                data[at] = next(256);
                return n;
        case 1: /* one that means something */
                data[at] = special[next(sizeof(special) - 1)];
                return n;
        case 2: /* bytes are lost */
                len = MIN(len, n - at);
                memmove(data + at, data + at + len, n - at - len);
                return MAX(n - len, 1U);
        case 3: /* bytes are there twice */
                len = MIN(len, MIN(n - at, size - n));
                memmove(data + at + len, data + at, n - at);
                return n + len;
        case 4: /* a line ends here */
                data[at] = '\n';
                return n;
        default: /* a stretch from elsewhere */
                len = MIN(len, MIN(n - at, n - next(n)));
                memmove(data + at, data + next(n - len + 1), len);
                return n;
        }
}

static void check_account(const Config *c, size_t i) {
        const Account *a = c->accounts[i];
        CLEANUP(freep) char *problem = NULL;

        assert(account_name_valid(a->name));
        assert(a->resource && text_is_clean(a->resource));
        assert(!a->problem || text_is_clean(a->problem));
        for (size_t k = 0; k < i; k++)
                assert(!streq(c->accounts[k]->name, a->name));
        if (a->problem)
                return;

        assert(account_check(a, &problem) == 0);
        for (char **app = a->apps; app && *app; app++)
                for (size_t k = 0; k < i; k++)
                        assert(!account_has_app(c->accounts[k], *app));
        for (const char *const *p = (const char *const[]){ a->tenant, a->authority, a->az,
                                                           a->command, a->subscription, NULL },
                               *const *end = p + 5;
             p < end; p++)
                assert(!*p || (**p && text_is_clean(*p)));
        assert(!a->az || *a->az == '/');
        assert(!a->command || *a->command == '/');
}

static void check(const char *path, bool *ret_served) {
        CLEANUP(config_freep) Config *c = NULL;

        assert(config_load(&c, NULL, path) == 0);
        assert(c->app_suffixes && c->n_accounts <= ACCOUNTS_MAX);
        assert(!c->problem || text_is_clean(c->problem));
        assert(!c->default_account || account_name_valid(c->default_account));
        for (size_t i = 0; i < c->n_accounts; i++) {
                check_account(c, i);
                *ret_served |= !c->accounts[i]->problem;
        }
}

int main(void) {
        char data[2 * sizeof(seed)], path[] = "/tmp/test-config-fuzz-XXXXXX/conf";
        CLEANUP(fd_closep) int fd = -1;
        size_t served = 0;

        *strrchr(path, '/') = '\0';
        assert(mkdtemp(path));
        path[strlen(path)] = '/';
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert(fd >= 0);

        for (size_t round = 0; round < ROUNDS; round++) {
                size_t n = sizeof(seed) - 1, faults = next(8);
                bool any = false;

                memcpy(data, seed, n);
                for (size_t i = 0; i < faults; i++)
                        n = mutate(data, n, sizeof(data));
                /* Not emptied first: ext4 then writes it to the disk. */
                assert(pwrite(fd, data, n, 0) == (ssize_t)n && ftruncate(fd, (off_t)n) == 0);
                check(path, &any);
                served += any;
        }
        /* One fault never takes all accounts along: else this test would prove nothing. */
        assert(served > ROUNDS * 9 / 10);
        assert(unlink(path) == 0);
        *strrchr(path, '/') = '\0';
        assert(rmdir(path) == 0);
        return 0;
}
