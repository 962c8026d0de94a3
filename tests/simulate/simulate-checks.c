/* SPDX-License-Identifier: MIT */
/*
 * What must be true of every machine at every moment.
 */
#include "keeper/turn.h"
#include "simulate.h"

/* Entra takes 15 equal requests in 5 minutes for a loop (AADSTS50196), whichever life of the daemon
 * they are of. */
#define LOOP_REQUESTS 15
#define LOOP_USEC     SEC(300)
/* After a Retry-After of an hour, a quarter longer by chance, it has been tried again. */
#define TRIED_USEC    SEC(4600)

bool client_may_need_person(const Client *c) {
        if (c->source == ACCOUNT_SOURCE_AZURE_CLI)
                return c->grant <= c->revoked || c->az_told[0] || c->az_told[1] || c->az_rejected;
        return c->held <= c->revoked;
}

void client_take_grant(Client *c) {
        c->held = c->delivered;
        c->held_since = sim_now();
        c->stored = false;
        c->signed_out = false;
        c->deleting = false;
}

/* Tokens of before its start, and those of a resource that it was told to forget for a while, are
 * known by the wall clock alone. */
bool machine_lied_about(const Machine *m, uint64_t issued) {
        return issued < MAX(m->started, m->changed) && issued <= m->lied_at;
}

void client_check_token(Machine *m, Client *c, unsigned resource, const Token *t) {
        uint64_t issued, expires, now = sim_now();
        unsigned client, of;

        if (!identity_knows(t->value, &client, &of, &issued, &expires))
                story_fail("%s: a token of nobody's is served", c->name);
        if (client != c->index)
                story_fail("%s: the token of another account is served", c->name);
        if (of != resource)
                story_fail("%s: a token for another resource is served", c->name);
        if (c->signed_out)
                story_fail("%s: a token is served after the sign-out", c->name);
        if (now > expires && !machine_lied_about(m, issued))
                story_fail("%s: a token is served %u s past its end", c->name,
                           (unsigned)((now - expires) / USEC_PER_SEC));
}

bool client_has_token(const Machine *m, const Client *c, unsigned resource) {
        const Keeper *k = client_keeper(m, c);

        for (const Slot *s = k ? k->slots : NULL; s; s = s->next)
                if (!s->claims && !s->reporter && streq(s->resource, resource ? GRAPH : RESOURCE))
                        return token_left_usec(s->token, clock_boottime()) > 0;
        return false;
}

void client_check_rate(Machine *m, Client *c, unsigned resource, bool claims) {
        uint64_t now = sim_now(), *recent = c->recent[resource];
        unsigned n = 0;

        if (claims)
                return; /* another request than the others */
        recent[c->n_recent[resource]++ % RECENT] = now;
        for (unsigned i = 0; i < RECENT; i++)
                n += recent[i] && recent[i] + LOOP_USEC > now;
        if (n >= LOOP_REQUESTS)
                story_fail("%s: %u equal requests in 5 min", c->name, n);
}

uint64_t machine_well_for(const Machine *m) {
        return m->well_since == USEC_INFINITY ? 0 : sim_now() - m->well_since;
}

bool client_is_in_memory(const Machine *m, const Client *c) {
        const Keeper *k = client_keeper(m, c);

        return k && identity_honours(c, vault_record(k->vault)->secret, NULL);
}

void client_find_grant(Machine *m, Client *c) {
        unsigned grant = 0;

        if (!identity_honours(c, fake_keyring_get(m->keyring, c->name), &grant) ||
            !client_is_in_memory(m, c))
                return;
        c->delivered = grant;
        client_take_grant(c);
}

static void client_check_secret(Machine *m, Client *c) {
        const char *text = fake_keyring_get(m->keyring, c->name);
        unsigned grant = 0;
        bool kept;

        if (c->source != ACCOUNT_SOURCE_ENTRA)
                return;
        kept = identity_honours(c, text, &grant);
        if (c->held <= c->revoked || c->deleting)
                return;
        c->stored = c->stored || (kept && grant >= c->held);
        if (c->stored && !kept)
                story_fail("%s: the keyring had its refresh token, and has it no more", c->name);
        if (!kept && client_keeper(m, c) && !client_is_in_memory(m, c))
                story_fail("%s: its refresh token is lost", c->name);
}

static void client_check_state(Machine *m, Client *c) {
        KeeperState state = client_state(m, c);

        if (state != c->told)
                story_fail("%s: its state is %s, and was told to be %s", c->name,
                           keeper_state_to_string(state), keeper_state_to_string(c->told));
        if (state == KEEPER_STATE_SIGN_IN_NEEDED && !client_may_need_person(c))
                story_fail("%s: asks to sign in, for nothing", c->name);
        if ((state == KEEPER_STATE_MISCONFIGURED) != (c->setting == SETTING_BAD))
                story_fail("%s: calls itself %s, and its settings are %s", c->name,
                           keeper_state_to_string(state),
                           c->setting == SETTING_BAD ? "bad" : "good");
        if (state == KEEPER_STATE_UNAVAILABLE && machine_well_for(m) > TRIED_USEC)
                story_fail("%s: is unavailable though all has been well", c->name);
        if (state == KEEPER_STATE_LOCKED && machine_well_for(m) > STORED_USEC)
                story_fail("%s: is locked though the keyring is open", c->name);
}

void machine_check(Machine *m) {
        for (size_t i = 0; i < N_ACCOUNTS; i++) {
                client_check_secret(m, &m->clients[i]);
                if (client_keeper(m, &m->clients[i]))
                        client_check_state(m, &m->clients[i]);
        }
        callers_check(m);
}

void client_check_killed(Machine *m, Client *c) {
        uint64_t since = MAX(c->held_since, m->keyring_well_since);

        if (c->source != ACCOUNT_SOURCE_ENTRA || c->held <= c->revoked || c->deleting || c->stored)
                return;
        if (since != USEC_INFINITY && sim_now() > since + STORED_USEC)
                story_fail("%s: its sign-in was never written", c->name);
        story("%s: its sign-in was for this life of the daemon only", c->name);
        c->held = 0;
}

void machine_check_killed(Machine *m) {
        for (size_t i = 0; i < N_ACCOUNTS; i++)
                client_check_killed(m, &m->clients[i]);
}
