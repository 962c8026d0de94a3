/* SPDX-License-Identifier: MIT */
/*
 * Every event in every situation that can come to be, worked out from the tables of keeper-state.c
 * alone: what can follow what. daemon/README.md, the argument, must draw exactly that.
 */
#undef NDEBUG
#include <assert.h>

#include "keeper-state.h"
#include "model/account.h"

/* One account, as far as the tables know it. */
typedef struct World {
        AccountSource source;
        KeeperFacts facts;
        bool signing_in;
} World;

enum {
        WORLDS_MAX = 4096,
};

static World worlds[WORLDS_MAX];
static unsigned n_worlds;

/* The nodes of the diagram: the states, and three that stand for several ways. */
enum {
        NODE_START = _KEEPER_STATE_MAX, /* [*] */
        NODE_ANY,                       /* whatever the state is */
        NODE_ASKED,                     /* the source is asked */
        NODE_KEYRING,                   /* the keyring is read */
        NODES_MAX,
};

/* Which state follows which: by the tables, what may happen in any state apart; and as drawn. */
static bool follows[_KEEPER_STATE_MAX][_KEEPER_STATE_MAX];
static bool follows_anywhere[_KEEPER_STATE_MAX][_KEEPER_STATE_MAX];
static bool drawn[NODES_MAX][NODES_MAX];

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

static bool token_ends(World *w) {
        bool valid = w->facts.token == KEEPER_TOKEN_VALID;

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

static bool signed_out(World *w) {
        return has_keyring_secret(w) && w->facts.secret != KEEPER_SECRET_LOCKED &&
               happens(w, KEEPER_EVENT_SIGNED_OUT, 0);
}

static bool secret_set(World *w) {
        return w->source == ACCOUNT_SOURCE_API_TOKEN && happens(w, KEEPER_EVENT_SECRET_SET, 0);
}

static bool az_changed(World *w) {
        return w->source == ACCOUNT_SOURCE_AZURE_CLI && happens(w, KEEPER_EVENT_AZ_CHANGED, 0);
}

static bool other_identity(World *w) {
        return happens(w, KEEPER_EVENT_OTHER_IDENTITY, 0);
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

static const struct {
        bool (*happens)(World *w);
        bool passing;  /* nobody did anything, and nothing was refused for good */
        bool anywhere; /* drawn once, with "any" */
} events[] = {
        { fetched, true, false },
        { failed_for_now, true, false },
        { wants_a_person, false, false },
        { blocked, false, false },
        { settings_refused, false, false },
        { item_deleted, false, false },
        { token_ends, true, false },
        { signin_begins, false, true },
        { signed_in, false, false },
        { signin_failed, false, true },
        { signed_out, false, true },
        { secret_set, false, false },
        { az_changed, false, false },
        { other_identity, false, true },
        { other_resource, false, true },
        { configured, false, true },
        { bad_line, false, true },
        { line_mended, false, true },
        { keyring_read, false, false },
        { keyring_read_old_token, false, false },
        { keyring_has_nothing, false, false },
        { keyring_locked, false, false },
        { keyring_absent, false, false },
};

static KeeperState state_of(const World *w) {
        return keeper_state_of(&w->facts, w->signing_in);
}

static void world_note(const World *w) {
        for (unsigned i = 0; i < n_worlds; i++)
                if (memcmp(&worlds[i], w, sizeof(*w)) == 0)
                        return;
        assert(n_worlds < WORLDS_MAX);
        worlds[n_worlds++] = *w;
}

static void check_step(const World *from, const World *to, bool passing) {
        KeeperState a = state_of(from), b = state_of(to);

        /* Nobody is asked to sign in because something passed. An API token ends for good. */
        if (passing && b == KEEPER_STATE_SIGN_IN_NEEDED && a != b)
                assert(to->source == ACCOUNT_SOURCE_API_TOKEN);
        if (passing && from->facts.secret != to->facts.secret)
                assert(from->facts.secret & KEEPER_SECRET_LOADING);
}

static void walk(void) {
        for (AccountSource source = 0; source < _ACCOUNT_SOURCE_MAX; source++) {
                World start;

                memset(&start, 0, sizeof(start));
                start.source = source;
                start.facts = (KeeperFacts){ KEEPER_SETTINGS_GOOD, KEEPER_SECRET_LOADING,
                                             KEEPER_FAILURE_NONE, KEEPER_TOKEN_NONE };
                world_note(&start);
        }
        for (unsigned i = 0; i < n_worlds; i++)
                for (size_t e = 0; e < ARRAY_SIZE(events); e++) {
                        World from = worlds[i], to = from;
                        KeeperState a = state_of(&from), b;

                        if (!events[e].happens(&to))
                                continue;
                        check_step(&from, &to, events[e].passing);
                        b = state_of(&to);
                        if (a != b)
                                (events[e].anywhere ? follows_anywhere : follows)[a][b] = true;
                        world_note(&to);
                }
}

/* Each state can be come to, and left. */
static void test_no_state_is_an_end(void) {
        for (unsigned a = 0; a < _KEEPER_STATE_MAX; a++) {
                bool come = false, left = false;

                for (unsigned b = 0; b < _KEEPER_STATE_MAX; b++) {
                        come = come || follows[b][a] || follows_anywhere[b][a];
                        left = left || follows[a][b] || follows_anywhere[a][b];
                }
                assert(come && left);
        }
}

/* A name of the diagram: a state's with _ for -, or one of the others. */
static unsigned node_named(const char *name) {
        static const char *const others[] = { "[*]", "any", "asked", "keyring" };

        for (unsigned i = 0; i < NODES_MAX; i++) {
                char state[32];

                snprintf(state, sizeof(state), "%s",
                         i < _KEEPER_STATE_MAX ? keeper_state_to_string((KeeperState)i)
                                               : others[i - _KEEPER_STATE_MAX]);
                for (char *c = state; *c; c++)
                        *c = *c == '-' ? '_' : *c;
                if (streq(state, name))
                        return i;
        }
        fprintf(stderr, "README.md draws '%s', which is no state.\n", name);
        abort();
}

static void read_diagram(const char *path) {
        char line[512], from[64], to[64];
        bool inside = false;
        FILE *file = fopen(path, "re");

        assert(file);
        while (fgets(line, sizeof(line), file)) {
                if (str_starts(line, "```") || str_starts(line, "stateDiagram"))
                        inside = str_starts(line, "stateDiagram");
                else if (inside && sscanf(line, " %63s --> %63[^: \n]", from, to) == 2)
                        drawn[node_named(from)][node_named(to)] = true;
        }
        fclose(file);
}

/* Directly, or through a node that stands for several ways. */
static bool is_drawn(unsigned a, unsigned b) {
        return drawn[a][b] || (drawn[a][NODE_ASKED] && drawn[NODE_ASKED][b]) ||
               (drawn[a][NODE_KEYRING] && drawn[NODE_KEYRING][b]);
}

static void test_the_diagram(void) {
        bool good = true;

        assert(drawn[NODE_START][NODE_KEYRING]);
        for (unsigned a = 0; a < _KEEPER_STATE_MAX; a++)
                for (unsigned b = 0; b < _KEEPER_STATE_MAX; b++) {
                        bool anywhere = drawn[NODE_ANY][b] || drawn[a][NODE_ANY];

                        if (a == b || (follows[a][b] == is_drawn(a, b) &&
                                       (!follows_anywhere[a][b] || anywhere || follows[a][b])))
                                continue;
                        fprintf(stderr, "%s --> %s: %s\n", keeper_state_to_string((KeeperState)a),
                                keeper_state_to_string((KeeperState)b),
                                is_drawn(a, b) ? "is drawn, but never happens"
                                               : "happens, but is not drawn");
                        good = false;
                }
        assert(good);
}

int main(int argc, char **argv) {
        assert(argc == 2);
        walk();
        test_no_state_is_an_end();
        read_diagram(argv[1]);
        test_the_diagram();
        return 0;
}
