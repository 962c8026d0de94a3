/* SPDX-License-Identifier: MIT */
/*
 * The person: signs in when told to, now and then signs out, and whoever administers the tenant
 * revokes a sign-in for good.
 */
#include "simulate.h"

static void on_signed_out(const Problem *problem, void *userdata) {
        Client *c = userdata;

        story("%s: the sign-out is answered %d", c->name, problem->outcome);
        /* A sign-in that came meanwhile is another story. */
        if (problem->outcome == OUTCOME_OK && c->held == 0 && !c->memory_only)
                c->signed_out = true;
        c->op = keeper_op_free(c->op);
}

static void person_signs_out(Machine *m, Client *c) {
        unsigned held = c->held;
        Problem problem = { 0 };
        int r;

        if (!client_keeper(m, c) || c->op || c->source == ACCOUNT_SOURCE_AZURE_CLI)
                return;
        story("%s: the person signs out", c->name);
        c->memory_only =
                keyring_state(m->keyring) == KEYRING_STATE_ABSENT && client_is_in_memory(m, c);
        c->held = 0; /* who waits hears of it at once */
        r = keeper_sign_out(client_keeper(m, c), &c->op, on_signed_out, c, &problem);
        assert(r >= 0);
        if (r > 0)
                c->held = held;
        problem_clear(&problem);
}

static void person_revokes(Machine *m, Client *c) {
        story("%s: its sign-in %u is revoked", c->name, c->grant);
        c->revoked = c->grant;
}

static void person_deletes(Machine *m, Client *c) {
        if (c->source != ACCOUNT_SOURCE_ENTRA || keyring_state(m->keyring) != KEYRING_STATE_OK)
                return;
        story("%s: somebody deletes its item", c->name);
        fake_keyring_put(m->keyring, c->name, NULL);
        c->deleting = true;
        c->held = 0;
        if (chance_of(0.5)) /* or it is noticed at the next exchange */
                fake_keyring_tell_deletion(m->keyring);
}

void person_changes(Machine *m) {
        static void (*const deeds[])(Machine * m, Client * c) = { person_signs_out, person_revokes,
                                                                  person_deletes };

        deeds[chance_below(ARRAY_SIZE(deeds))](m, &m->clients[chance_below(N_ACCOUNTS)]);
}

static void person_signs_in(Machine *m, Client *c) {
        Problem problem = { 0 };
        SignIn *s;
        int r;

        r = keeper_sign_in(client_keeper(m, c), &(SignInWish){ .method = "device-code" }, &s,
                           &problem);
        assert(r >= 0);
        story("%s: the person signs in: %d", c->name, r);
        if (r == 0)
                m->totals->sign_ins++;
        problem_clear(&problem);
}

void person_looks(Machine *m, Client *c) {
        c->person_at = sim_now() + chance_span(10 * MINUTE, 8 * HOUR);
        if (!client_keeper(m, c) || c->setting == SETTING_BAD)
                return;
        if (c->source == ACCOUNT_SOURCE_AZURE_CLI) {
                if (c->grant <= c->revoked || client_state(m, c) == KEEPER_STATE_SIGN_IN_NEEDED) {
                        story("%s: az login", c->name);
                        identity_az_login(m, c);
                }
                return;
        }
        if (client_state(m, c) == KEEPER_STATE_SIGN_IN_NEEDED || chance_of(0.0005))
                person_signs_in(m, c);
        /* A sign-out or a deletion that came to nothing: it is signed in after all. */
        else if (c->held == 0 && !c->op && !c->signed_out)
                client_find_grant(m, c);
}
