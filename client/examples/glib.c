/* SPDX-License-Identifier: MIT */
/*
 * libiotc-token in a GLib main loop, as a GTK program in C has one: a GSource that asks the library
 * what to wait for. cc glib.c $(pkg-config --cflags --libs iotc-token glib-2.0)
 */
#include <glib-unix.h>
#include <iotc-token.h>

typedef struct TokenSource {
        GSource source;
        iotc_token_client *client;
        int fd;
        gpointer tag; /* of fd; NULL: nothing to wait for */
} TokenSource;

/* Before each wait: the descriptor and the deadline may have changed. */
static gboolean token_source_prepare(GSource *source, int *timeout) {
        TokenSource *s = (TokenSource *)source;
        int fd = iotc_token_get_fd(s->client);
        uint64_t at = iotc_token_get_timeout(s->client);

        if (s->tag && fd != s->fd) {
                g_source_remove_unix_fd(source, s->tag);
                s->tag = NULL;
        }
        if (fd >= 0) {
                GIOCondition events = (GIOCondition)iotc_token_get_events(s->client);

                if (s->tag)
                        g_source_modify_unix_fd(source, s->tag, events);
                else
                        s->tag = g_source_add_unix_fd(source, fd, events);
                s->fd = fd;
        }
        g_source_set_ready_time(source, at == UINT64_MAX ? -1 : (gint64)at);
        *timeout = -1;
        return FALSE;
}

static gboolean token_source_check(GSource *source) {
        TokenSource *s = (TokenSource *)source;

        return s->tag && g_source_query_unix_fd(source, s->tag) != 0;
}

static gboolean token_source_dispatch(GSource *source, GSourceFunc callback, gpointer userdata) {
        (void)iotc_token_process(((TokenSource *)source)->client);
        return G_SOURCE_CONTINUE;
}

/* Let the thread's default loop drive client, which it has to outlive. */
static GSource *token_source_new(iotc_token_client *client) {
        static GSourceFuncs functions = {
                .prepare = token_source_prepare,
                .check = token_source_check,
                .dispatch = token_source_dispatch,
        };
        GSource *source = g_source_new(&functions, sizeof(TokenSource));

        ((TokenSource *)source)->client = client;
        g_source_attach(source, NULL);
        return source;
}

typedef struct Program {
        GMainLoop *loop;
        iotc_token_client *client;
        int code;
} Program;

static void on_token(int result, iotc_token *token, void *userdata) {
        Program *p = userdata;

        if (result < 0) {
                g_printerr("%s\n", iotc_token_error_text(p->client));
                p->code = 1;
        } else {
                g_print("Authorization: %s\n", iotc_token_value(token));
                iotc_token_free(token);
        }
        g_main_loop_quit(p->loop);
}

int main(int argc, char **argv) {
        Program p = { .loop = g_main_loop_new(NULL, FALSE) };
        GSource *source;

        if (iotc_token_open(&p.client) < 0)
                return 1;
        source = token_source_new(p.client);
        if (iotc_token_get_authorization_async(p.client, NULL, argc > 1 ? argv[1] : "", NULL,
                                               on_token, &p) < 0) {
                g_printerr("%s\n", iotc_token_error_text(p.client));
                p.code = 1;
        } else {
                g_main_loop_run(p.loop);
        }
        g_source_destroy(source);
        g_source_unref(source);
        iotc_token_close(p.client);
        g_main_loop_unref(p.loop);
        return p.code;
}
