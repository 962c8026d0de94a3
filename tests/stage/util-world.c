/* SPDX-License-Identifier: MIT */
#include "util-world.h"

static bool has_keyring_secret(const World *w) {
        return w->source != ACCOUNT_SOURCE_AZURE_CLI && w->source != ACCOUNT_SOURCE_COMMAND;
}

static bool is_unread(const World *w) {
        return w->facts.secret &
               (KEEPER_SECRET_LOADING | KEEPER_SECRET_LOCKED | KEEPER_SECRET_ABSENT);
}

static KeeperSecret secret_of(const World *w) {
        switch (w->source) {
        case ACCOUNT_SOURCE_AZURE_CLI:
                return KEEPER_SECRET_AZ;
        case ACCOUNT_SOURCE_COMMAND:
                return KEEPER_SECRET_FREE;
        case ACCOUNT_SOURCE_API_TOKEN:
                return KEEPER_SECRET_TOKEN;
        default:
                return KEEPER_SECRET_HELD;
        }
}

static bool happens(World *w, KeeperEvent event, KeeperFailure failure) {
        const KeeperEffect *effect = keeper_effect(event);
        KeeperFacts *f = &w->facts;

        if (effect->signin == KEEPER_GONE)
                w->signing_in = false;
        if (effect->tokens != KEEPER_KEPT)
                f->token = effect->tokens == KEEPER_NEW ? KEEPER_TOKEN_VALID : KEEPER_TOKEN_NONE;
        if (effect->secret != KEEPER_KEPT && has_keyring_secret(w))
                f->secret = effect->secret == KEEPER_NEW ? secret_of(w) : KEEPER_SECRET_NONE;
        if (f->secret == KEEPER_SECRET_TOKEN && effect->secret == KEEPER_NEW)
                f->token = KEEPER_TOKEN_VALID;
        if (effect->failure != KEEPER_KEPT)
                f->failure = effect->failure == KEEPER_NEW ? failure : KEEPER_FAILURE_NONE;
        return true;
}

static bool can_ask(const World *w) {
        return keeper_rule(&w->facts)->asked >= KEEPER_TRY_NOW;
}

/* The events: what each does to a world; false where it can't happen. */
static bool fetched(World *w) {
        return can_ask(w) && happens(w, KEEPER_EVENT_FETCHED, 0);
}

static bool failed_for_now(World *w) {
        return can_ask(w) && happens(w, KEEPER_EVENT_FAILED, KEEPER_FAILURE_PASSING);
}

static bool wants_a_person(World *w) {
        return can_ask(w) && happens(w, KEEPER_EVENT_FAILED, KEEPER_FAILURE_PERSON);
}

static bool blocked(World *w) {
        return can_ask(w) && happens(w, KEEPER_EVENT_FAILED, KEEPER_FAILURE_POLICY);
}

static bool settings_refused(World *w) {
        return can_ask(w) && happens(w, KEEPER_EVENT_FAILED, KEEPER_FAILURE_SETTINGS);
}

static bool item_deleted(World *w) {
        return w->source == ACCOUNT_SOURCE_ENTRA && can_ask(w) &&
               happens(w, KEEPER_EVENT_ITEM_GONE, KEEPER_FAILURE_PERSON);
}

/* No sign-in lasts as long as the tokens of a test. */
static bool token_ends(World *w) {
        bool valid = w->facts.token == KEEPER_TOKEN_VALID && !w->signing_in;

        w->facts.token = KEEPER_TOKEN_ENDED;
        return valid;
}

static bool signin_begins(World *w) {
        bool begins = w->source == ACCOUNT_SOURCE_ENTRA && !w->signing_in &&
                      w->facts.settings == KEEPER_SETTINGS_GOOD;

        w->signing_in = true;
        return begins;
}

static bool signed_in(World *w) {
        return w->signing_in && happens(w, KEEPER_EVENT_SIGNED_IN, 0);
}

static bool signin_failed(World *w) {
        return w->signing_in && happens(w, KEEPER_EVENT_SIGNIN_FAILED, 0);
}

/* Only with an open keyring, which is told first. */
static bool signed_out(World *w) {
        return has_keyring_secret(w) && !is_unread(w) && happens(w, KEEPER_EVENT_SIGNED_OUT, 0);
}

static bool secret_set(World *w) {
        return w->source == ACCOUNT_SOURCE_API_TOKEN && !is_unread(w) &&
               happens(w, KEEPER_EVENT_SECRET_SET, 0);
}

static bool az_changed(World *w) {
        return w->source == ACCOUNT_SOURCE_AZURE_CLI && happens(w, KEEPER_EVENT_AZ_CHANGED, 0);
}

/* While the keyring is being read it depends on what the record names. */
static bool other_identity(World *w) {
        return w->source != ACCOUNT_SOURCE_API_TOKEN && (has_keyring_secret(w) || !is_unread(w)) &&
               happens(w, KEEPER_EVENT_OTHER_IDENTITY, 0);
}

static bool other_resource(World *w) {
        return w->source != ACCOUNT_SOURCE_API_TOKEN && happens(w, KEEPER_EVENT_OTHER_RESOURCE, 0);
}

static bool configured(World *w) {
        return happens(w, KEEPER_EVENT_CONFIGURED, 0);
}

static bool bad_line(World *w) {
        w->facts.settings = KEEPER_SETTINGS_BAD;
        return true;
}

static bool line_mended(World *w) {
        w->facts.settings = KEEPER_SETTINGS_GOOD;
        return true;
}

static bool keyring_read(World *w) {
        bool unread = is_unread(w);

        w->facts.secret = secret_of(w);
        if (w->source == ACCOUNT_SOURCE_API_TOKEN)
                w->facts.token = KEEPER_TOKEN_VALID;
        return unread;
}

static bool keyring_read_old_token(World *w) {
        bool read = w->source == ACCOUNT_SOURCE_API_TOKEN && keyring_read(w);

        w->facts.token = KEEPER_TOKEN_ENDED;
        return read;
}

static bool keyring_has_nothing(World *w) {
        bool unread = is_unread(w) && has_keyring_secret(w);

        w->facts.secret = KEEPER_SECRET_NONE;
        return unread;
}

static bool keyring_locked(World *w) {
        bool unread = is_unread(w);

        w->facts.secret = has_keyring_secret(w) ? KEEPER_SECRET_LOCKED : secret_of(w);
        return unread;
}

static bool keyring_absent(World *w) {
        bool unread = is_unread(w);

        w->facts.secret = has_keyring_secret(w) ? KEEPER_SECRET_ABSENT : secret_of(w);
        return unread;
}

const WorldEventInfo world_events[_WORLD_EVENT_MAX] = {
        [WORLD_FETCHED] = { "fetched", fetched, true, false },
        [WORLD_FAILED_FOR_NOW] = { "failed for now", failed_for_now, true, false },
        [WORLD_WANTS_A_PERSON] = { "wants a person", wants_a_person, false, false },
        [WORLD_BLOCKED] = { "blocked", blocked, false, false },
        [WORLD_SETTINGS_REFUSED] = { "settings refused", settings_refused, false, false },
        [WORLD_ITEM_DELETED] = { "item deleted", item_deleted, false, false },
        [WORLD_TOKEN_ENDS] = { "token ends", token_ends, true, false },
        [WORLD_SIGNIN_BEGINS] = { "signin begins", signin_begins, false, true },
        [WORLD_SIGNED_IN] = { "signed in", signed_in, false, false },
        [WORLD_SIGNIN_FAILED] = { "signin failed", signin_failed, false, true },
        [WORLD_SIGNED_OUT] = { "signed out", signed_out, false, true },
        [WORLD_SECRET_SET] = { "secret set", secret_set, false, false },
        [WORLD_AZ_CHANGED] = { "az changed", az_changed, false, false },
        [WORLD_OTHER_IDENTITY] = { "other identity", other_identity, false, true },
        [WORLD_OTHER_RESOURCE] = { "other resource", other_resource, false, true },
        [WORLD_CONFIGURED] = { "configured", configured, false, true },
        [WORLD_BAD_LINE] = { "bad line", bad_line, false, true },
        [WORLD_LINE_MENDED] = { "line mended", line_mended, false, true },
        [WORLD_KEYRING_READ] = { "keyring read", keyring_read, false, false },
        [WORLD_KEYRING_READ_OLD_TOKEN] = { "keyring read old token", keyring_read_old_token, false,
                                           false },
        [WORLD_KEYRING_HAS_NOTHING] = { "keyring has nothing", keyring_has_nothing, false, false },
        [WORLD_KEYRING_LOCKED] = { "keyring locked", keyring_locked, false, false },
        [WORLD_KEYRING_ABSENT] = { "keyring absent", keyring_absent, false, false },
};

KeeperState world_state(const World *w) {
        return keeper_state_of(&w->facts, w->signing_in);
}

bool world_step(const World *w, WorldEvent event, World *ret) {
        *ret = *w;
        return world_events[event].happens(ret);
}

enum {
        WORLDS_MAX = 1024,
};

static World worlds[WORLDS_MAX];
static unsigned n_worlds;

static bool world_is(const World *a, const World *b) {
        return a->source == b->source && a->signing_in == b->signing_in &&
               a->facts.settings == b->facts.settings && a->facts.secret == b->facts.secret &&
               a->facts.failure == b->facts.failure && a->facts.token == b->facts.token;
}

static void world_note(const World *w) {
        for (unsigned i = 0; i < n_worlds; i++)
                if (world_is(&worlds[i], w))
                        return;
        assert(n_worlds < WORLDS_MAX);
        worlds[n_worlds++] = *w;
}

unsigned worlds_all(const World **ret) {
        *ret = worlds;
        if (n_worlds)
                return n_worlds;
        for (AccountSource source = 0; source < _ACCOUNT_SOURCE_MAX; source++)
                world_note(&(World){ .source = source,
                                     .facts = { KEEPER_SETTINGS_GOOD, KEEPER_SECRET_LOADING,
                                                KEEPER_FAILURE_NONE, KEEPER_TOKEN_NONE } });
        for (unsigned i = 0; i < n_worlds; i++)
                for (WorldEvent e = 0; e < _WORLD_EVENT_MAX; e++) {
                        World to;

                        if (!world_step(&worlds[i], e, &to))
                                continue;
                        to.before = &worlds[i];
                        to.by = e;
                        world_note(&to);
                }
        return n_worlds;
}

void world_tell(const World *w) {
        if (w->before) {
                world_tell(w->before);
                fprintf(stderr, ", %s", world_events[w->by].name);
        } else
                fprintf(stderr, "%s", account_source_to_string(w->source));
}
