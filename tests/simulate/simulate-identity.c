/* SPDX-License-Identifier: MIT */
/*
 * The identity side: it honours refresh tokens of sign-ins that were not revoked, for 90 days after
 * each was issued, old ones too, as Entra does; and az with a cache of its own, which renews a
 * token only in its last 5 minutes. Tokens say what they are, so that nothing need be remembered:
 * secret-at-CLIENT-RESOURCE-ISSUED-EXPIRES-NUMBER, secret-rt-CLIENT-GRANT-ISSUED-NUMBER.
 */
#include "simulate.h"

#define REFRESH_TOKEN_LIFE_SECONDS (90 * 86400)

typedef enum Stage {
        STAGE_SENT,     /* on the way there */
        STAGE_PROMPTED, /* a person reads the code */
        STAGE_TOKEN,    /* a token is on the way back */
        STAGE_ERROR,    /* an error is */
} Stage;

/* What is known of a request that is under way. */
typedef struct Journey {
        Stage stage;
        Outcome outcome;
        uint64_t retry_after;
        unsigned resource, grant;
        bool fresh; /* a new sign-in */
        char access_token[80], refresh_token[80];
} Journey;

static unsigned serial; /* of this life */

void identity_begin(void) {
        serial = 0;
}

static uint64_t now_seconds(void) {
        return sim_now() / USEC_PER_SEC;
}

bool identity_knows(const char *token, unsigned *ret_client, unsigned *ret_resource,
                    uint64_t *ret_issued, uint64_t *ret_expires) {
        unsigned long issued, expires;

        if (sscanf(token, "secret-at-%u-%u-%lu-%lu-", ret_client, ret_resource, &issued,
                   &expires) != 4)
                return false;
        *ret_issued = issued * USEC_PER_SEC;
        *ret_expires = expires * USEC_PER_SEC;
        return *ret_client < N_ACCOUNTS && *ret_resource < 2;
}

bool identity_honours(const Client *c, const char *text, unsigned *ret_grant) {
        const char *found = text ? strstr(text, "secret-rt-") : NULL;
        unsigned client, grant;
        unsigned long issued;

        if (!found || sscanf(found, "secret-rt-%u-%u-%lu-", &client, &grant, &issued) != 3)
                return false;
        if (ret_grant)
                *ret_grant = grant;
        return client == c->index && grant > c->revoked &&
               now_seconds() < issued + REFRESH_TOKEN_LIFE_SECONDS;
}

static void issue_access_token(char (*ret)[80], const Client *c, unsigned resource) {
        uint64_t now = now_seconds();

        snprintf(*ret, sizeof(*ret), "secret-at-%u-%u-%lu-%lu-%u", c->index, resource,
                 (unsigned long)now, (unsigned long)(now + 3600 + chance_below(1800)), ++serial);
}

static void journey_give(Journey *j, Client *c, unsigned grant) {
        j->stage = STAGE_TOKEN;
        j->grant = grant;
        issue_access_token(&j->access_token, c, j->resource);
        snprintf(j->refresh_token, sizeof(j->refresh_token), "secret-rt-%u-%u-%lu-%u", c->index,
                 grant, (unsigned long)now_seconds(), ++serial);
        c->newest = serial;
        c->newest_grant = grant;
        c->lost = c->torn = false;
}

static void journey_refuse(Journey *j, Outcome outcome, uint64_t retry_after) {
        j->stage = STAGE_ERROR;
        j->outcome = outcome;
        j->retry_after = retry_after;
}

/* Does the service do what it is asked? If not, or if that stays unknown, j says what comes. */
static bool service_works(const Machine *m, Journey *j, uint64_t *ret_delay) {
        *ret_delay = SEC(1) / 10 + chance_below(SEC(1));
        if (!m->network) {
                journey_refuse(j, OUTCOME_UNAVAILABLE, 0);
                return false;
        }
        switch (m->service) {
        case SERVICE_DOWN:
                journey_refuse(j, OUTCOME_UNAVAILABLE, 0);
                if (chance_of(0.3))
                        *ret_delay = USEC_INFINITY; /* the deadline ends it */
                return false;
        case SERVICE_THROTTLED:
                journey_refuse(j, OUTCOME_UNAVAILABLE, 1 + chance_below(900));
                return false;
        case SERVICE_BROKEN:
                journey_refuse(j, OUTCOME_UNAVAILABLE, 0);
                return false;
        case SERVICE_BLOCKED:
                journey_refuse(j, OUTCOME_BLOCKED, 0);
                return false;
        case SERVICE_SLOW:
                *ret_delay = chance_span(SEC(2), SEC(120));
                return true;
        default:
                return true;
        }
}

/* The number of a refresh token, alone or in a record; 0: it is none. */
static unsigned serial_of(const char *text) {
        const char *found = text ? strstr(text, "secret-rt-") : NULL;
        unsigned number;

        return found && sscanf(found, "secret-rt-%*u-%*u-%*u-%u", &number) == 1 ? number : 0;
}

bool identity_is_newest(const Client *c, const char *text) {
        return serial_of(text) == c->newest;
}

void identity_cut(Machine *m, Client *c) {
        uint64_t since = MAX(c->given_at, m->keyring_well_since);
        const char *text = fake_keyring_get(m->keyring, c->name);

        if (c->source != ACCOUNT_SOURCE_ENTRA || c->lost || c->torn || c->newest == 0 ||
            c->newest_grant <= c->revoked || serial_of(text) == c->newest)
                return;
        if (c->held == c->newest_grant && c->given == c->newest && since != USEC_INFINITY &&
            sim_now() > since + STORED_USEC)
                story_fail("%s: its refresh token %u was never written", c->name, c->newest);
        story("%s: its refresh token %u is torn off", c->name, c->newest);
        c->torn = true;
}

void identity_drop(Machine *m, Client *c) {
        if (c->source == ACCOUNT_SOURCE_ENTRA && !c->lost && !c->torn && c->newest != c->given &&
            c->newest_grant > c->revoked && c->newest_grant == c->held)
                story_fail("%s: its refresh token %u was on its way", c->name, c->newest);
        identity_cut(m, c);
}

/* A strict server is asked with a refresh token that was used before: that ends the sign-in. Why it
 * was, is known, or the daemon has mislaid the newer one. */
static void entra_ends(Machine *m, Client *c, unsigned number) {
        story("%s: the refresh token %u comes after %u: its sign-in is over", c->name, number,
              c->newest);
        if (c->lost)
                m->totals->lost++;
        else if (c->torn)
                m->totals->torn++;
        else
                story_fail("%s: the daemon has mislaid its refresh token %u", c->name, c->newest);
        c->revoked = c->newest_grant;
}

/* A refresh token comes in. */
static void entra_refresh(Machine *m, Client *c, const FetchRequest *r, Journey *j,
                          uint64_t *ret_delay) {
        unsigned grant = 0;

        if (m->network)
                client_check_rate(m, c, j->resource, r->claims != NULL);
        if (!service_works(m, j, ret_delay))
                return;
        if (!identity_honours(c, r->refresh_token, &grant)) {
                journey_refuse(j, OUTCOME_SIGN_IN_NEEDED, 0);
                return;
        }
        if (c->strict && grant == c->newest_grant && serial_of(r->refresh_token) != c->newest) {
                entra_ends(m, c, serial_of(r->refresh_token));
                journey_refuse(j, OUTCOME_SIGN_IN_NEEDED, 0);
                return;
        }
        if (r->claims && chance_of(0.2)) {
                c->refused_claims_at = sim_now();
                journey_refuse(j, OUTCOME_SIGN_IN_NEEDED, 0);
                return;
        }
        journey_give(j, c, grant);
        m->totals->rotations += c->strict;
        if (m->service == SERVICE_LOSSY && chance_of(0.7)) {
                journey_refuse(j, OUTCOME_UNAVAILABLE, 0);
                if (chance_of(0.5))
                        *ret_delay = USEC_INFINITY;
                c->lost = true;
        }
}

static void az_answer(Machine *m, Client *c, Journey *j, uint64_t *ret_delay) {
        char(*cached)[80] = &c->az_token[j->resource];
        uint64_t issued, expires = 0;
        unsigned client, resource;

        *ret_delay = SEC(1) + chance_below(SEC(1));
        if (m->az_hangs) {
                journey_refuse(j, OUTCOME_UNAVAILABLE, 0);
                if (chance_of(0.8))
                        *ret_delay = USEC_INFINITY; /* else it is killed */
                return;
        }
        if (c->grant <= c->revoked) {
                journey_refuse(j, OUTCOME_SIGN_IN_NEEDED, 0);
                return;
        }
        if (!identity_knows(*cached, &client, &resource, &issued, &expires) ||
            expires < sim_now() + SEC(300)) {
                if (m->network)
                        client_check_rate(m, c, j->resource, false);
                if (!service_works(m, j, ret_delay))
                        return;
                issue_access_token(cached, c, j->resource);
        }
        j->stage = STAGE_TOKEN;
        memcpy(j->access_token, *cached, sizeof(*cached));
}

void identity_az_login(Machine *m, Client *c) {
        c->held = ++c->grant;
        memset(c->az_token, 0, sizeof(c->az_token));
        m->totals->sign_ins++;
}

/* The token was issued a while ago: it is worth what is left of it. */
static void journey_deliver(Fetch *f, Client *c, Journey *j) {
        uint64_t issued, expires, now = sim_now();
        char *access_token = j->access_token, *refresh_token = j->refresh_token;
        unsigned client, resource;
        Journey copy = *j;

        assert(identity_knows(access_token, &client, &resource, &issued, &expires));
        if (expires < now + SEC(1)) {
                c->lost = true;
                fake_fetch_error(f, OUTCOME_UNAVAILABLE, 0);
                return;
        }
        access_token = copy.access_token;
        refresh_token = copy.refresh_token;
        if (copy.fresh)
                c->delivered = copy.grant;
        c->given = serial_of(refresh_token);
        c->given_at = now;
        c->az_told[copy.resource] = false;
        story("%s: %s%s", c->name, access_token, copy.fresh ? ", a new sign-in" : "");
        fake_fetch_token(f, &(FakeToken){ .access_token = access_token,
                                          .refresh_token = *refresh_token ? refresh_token : NULL,
                                          .user = "ada@example.com",
                                          .expires_in = (expires - now) / USEC_PER_SEC });
}

static void person_reads(Machine *m, Fetch *f, Client *c, Journey *j) {
        uint64_t delay;

        if (j->stage == STAGE_SENT) {
                if (!service_works(m, j, &delay)) {
                        fake_fetch_again(f, delay);
                        return;
                }
                j->stage = STAGE_PROMPTED;
                fake_fetch_prompt(f, "ABCD-EFGH");
                fake_fetch_again(f, chance_span(SEC(20), MINUTE * 12));
        } else if (chance_of(0.1) || !service_works(m, j, &delay)) {
                journey_refuse(j, OUTCOME_CANCELLED, 0);
                fake_fetch_again(f, 0);
        } else {
                journey_give(j, c, ++c->grant);
                j->fresh = true;
                fake_fetch_again(f, SEC(1));
        }
}

static Client *client_of(Machine *m, const FetchRequest *r) {
        for (size_t i = 0; i < N_ACCOUNTS; i++)
                if (streq(m->clients[i].name, r->tenant))
                        return &m->clients[i];
        story_fail("A fetch for no account: tenant '%s'", r->tenant ? r->tenant : "");
}

void identity_answer(Fetch *f, void *userdata) {
        const FetchRequest *r = fake_fetch_request(f);
        Journey *j = fake_fetch_note(f, sizeof(Journey));
        Machine *m = userdata;
        Client *c = client_of(m, r);
        uint64_t delay = 0;

        if (j->stage == STAGE_TOKEN) {
                journey_deliver(f, c, j);
                return;
        }
        if (j->stage == STAGE_ERROR) {
                story("%s: refused, outcome %d, again after %u s", c->name, j->outcome,
                      (unsigned)j->retry_after);
                if (c->source == ACCOUNT_SOURCE_AZURE_CLI && j->outcome == OUTCOME_SIGN_IN_NEEDED)
                        c->az_told[j->resource] = true;
                fake_fetch_error(f, j->outcome, j->retry_after);
                return;
        }
        j->resource = streq(r->resource, GRAPH);
        if (streq(r->method, "device-code")) {
                person_reads(m, f, c, j);
                return;
        }
        m->totals->requests++;
        if (c->source == ACCOUNT_SOURCE_AZURE_CLI)
                az_answer(m, c, j, &delay);
        else
                entra_refresh(m, c, r, j, &delay);
        /* Also when the machine has slept meanwhile. */
        if (j->stage == STAGE_TOKEN &&
            (delay == USEC_INFINITY || clock_boottime() + delay >= fake_fetch_deadline(f)))
                c->lost = true;
        story("%s: a request%s%s", c->name, j->resource ? " for graph" : "",
              r->claims ? " with claims" : "");
        if (chance_of(0.002)) /* before the answer, while it is stored, or just after */
                m->kill_at = sim_now() + chance_below(SEC(2));
        fake_fetch_again(f, delay);
}
