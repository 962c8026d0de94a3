/* SPDX-License-Identifier: MIT */
/*
 * Every event in every situation that can come to be, worked out from the tables of policy/rules.c
 * alone: what can follow what. daemon/README.md, the argument, must draw exactly that.
 */
#include "util-world.h"

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

static void check_step(const World *from, const World *to, bool passing) {
        KeeperState a = world_state(from), b = world_state(to);

        /* Nobody is asked to sign in because something passed. An API token ends for good. */
        if (passing && b == KEEPER_STATE_SIGN_IN_NEEDED && a != b)
                assert(to->source == ACCOUNT_SOURCE_API_TOKEN);
        if (passing && from->facts.secret != to->facts.secret)
                assert(from->facts.secret & KEEPER_SECRET_LOADING);
}

static void walk(void) {
        const World *worlds;
        unsigned n = worlds_all(&worlds);

        for (unsigned i = 0; i < n; i++)
                for (WorldEvent e = 0; e < _WORLD_EVENT_MAX; e++) {
                        KeeperState a = world_state(&worlds[i]), b;
                        World to;

                        if (!world_step(&worlds[i], e, &to))
                                continue;
                        check_step(&worlds[i], &to, world_events[e].passing);
                        b = world_state(&to);
                        if (a != b)
                                (world_events[e].anywhere ? follows_anywhere : follows)[a][b] =
                                        true;
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
