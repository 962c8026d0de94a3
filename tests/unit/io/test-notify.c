/* SPDX-License-Identifier: MIT */
#undef NDEBUG
#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "fake-time.h"
#include "io/notify.h"

typedef struct World {
        char folder[64];
        sd_event *event;
        Notify *notify;
        unsigned changes, rests;
} World;

static void on_news(bool changing, void *userdata) {
        World *w = userdata;

        if (changing)
                w->changes++;
        else
                w->rests++;
}

static const char *path_in(const World *w, const char *name) {
        static char path[128];

        snprintf(path, sizeof(path), "%s/%s", w->folder, name);
        return path;
}

static void world_init(World *w, const char *watched) {
        fake_time_init(USEC_PER_SEC, (uint64_t)time(NULL));
        *w = (World){ .folder = "/tmp/iotc-notify-XXXXXX" };
        assert(mkdtemp(w->folder));
        assert(sd_event_new(&w->event) == 0);
        assert(notify_new(&w->notify, w->event, path_in(w, watched), on_news, w) == 0);
}

static void world_deinit(World *w) {
        notify_free(w->notify);
        sd_event_unref(w->event);
        assert(rmdir(w->folder) == 0);
}

static void make_folder(const World *w, const char *name) {
        assert(mkdir(path_in(w, name), 0700) == 0);
}

static void remove_folder(const World *w, const char *name) {
        assert(rmdir(path_in(w, name)) == 0);
}

static void write_file(const World *w, const char *name) {
        int fd = open(path_in(w, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert(fd >= 0 && write(fd, "{}", 2) == 2 && close(fd) == 0);
}

static void remove_file(const World *w, const char *name) {
        assert(unlink(path_in(w, name)) == 0);
}

static void move(const World *w, const char *from, const char *to) {
        char path[128];

        snprintf(path, sizeof(path), "%s", path_in(w, from));
        assert(rename(path, path_in(w, to)) == 0);
}

static void make_link(const World *w, const char *target, const char *name) {
        assert(symlink(target, path_in(w, name)) == 0);
}

/* Deliver what is there already: the kernel tells before the system call returns. */
static void turn(World *w) {
        while (sd_event_run(w->event, 0) > 0)
                ;
}

/* See that it was one change, and let it come to rest. */
static void expect_one_change(World *w) {
        unsigned changes = w->changes, rests = w->rests;

        turn(w);
        assert(w->changes == changes + 1);
        fake_time_pass(USEC_PER_SEC - 1);
        assert(w->rests == rests);
        fake_time_pass(1);
        turn(w);
        assert(w->changes == changes + 1 && w->rests == rests + 1);
}

static void expect_nothing(World *w) {
        unsigned changes = w->changes;

        turn(w);
        assert(w->changes == changes);
}

static void test_many_writes_are_one_change(void) {
        World w;

        world_init(&w, "profile");
        expect_nothing(&w);
        assert(notify_written_at(w.notify) == 0);
        for (int i = 0; i < 20; i++)
                write_file(&w, "profile");
        expect_one_change(&w);
        assert(notify_written_at(w.notify) > 0 &&
               notify_written_at(w.notify) <= (uint64_t)time(NULL));
        write_file(&w, "other");
        write_file(&w, "profile.tmp");
        expect_nothing(&w);
        move(&w, "other", "profile");
        expect_one_change(&w);
        remove_file(&w, "profile");
        expect_one_change(&w);
        assert(notify_written_at(w.notify) == 0);
        remove_file(&w, "profile.tmp");
        world_deinit(&w);
}

static void test_what_never_rests(void) {
        World w;

        world_init(&w, "profile");
        for (int i = 0; i < 12; i++) {
                write_file(&w, "profile");
                turn(&w);
                assert(w.changes == (i < 10 ? 1 : 2) && w.rests == (i < 10 ? 0 : 1));
                fake_time_pass(USEC_PER_SEC / 2);
        }
        remove_file(&w, "profile");
        world_deinit(&w);
}

static void test_folders_come_and_go(void) {
        World w;

        world_init(&w, "home//.azure/deep/profile");
        write_file(&w, "profile");
        expect_nothing(&w);
        make_folder(&w, "home");
        make_folder(&w, "home/.azure");
        make_folder(&w, "home/.azure/deep");
        write_file(&w, "home/.azure/deep/profile");
        expect_one_change(&w);
        write_file(&w, "home/.azure/deep/profile");
        expect_one_change(&w);

        /* Away with all of it, and another in its place. */
        remove_file(&w, "home/.azure/deep/profile");
        remove_folder(&w, "home/.azure/deep");
        remove_folder(&w, "home/.azure");
        expect_one_change(&w);
        make_folder(&w, "home/new");
        make_folder(&w, "home/new/deep");
        write_file(&w, "home/new/deep/profile");
        expect_nothing(&w);
        move(&w, "home/new", "home/.azure");
        expect_one_change(&w);
        write_file(&w, "home/.azure/deep/profile");
        expect_one_change(&w);

        remove_file(&w, "home/.azure/deep/profile");
        remove_folder(&w, "home/.azure/deep");
        remove_folder(&w, "home/.azure");
        remove_folder(&w, "home");
        remove_file(&w, "profile");
        world_deinit(&w);
}

static void test_a_file_in_the_way(void) {
        World w;

        world_init(&w, ".azure/profile");
        write_file(&w, ".azure");
        expect_one_change(&w);
        remove_file(&w, ".azure");
        make_folder(&w, ".azure");
        write_file(&w, ".azure/profile");
        expect_one_change(&w);
        remove_file(&w, ".azure/profile");
        remove_folder(&w, ".azure");
        world_deinit(&w);
}

/* As chezmoi or a person links a file, by way of another link and of "..". */
static void test_what_a_link_leads_to(void) {
        World w;

        world_init(&w, "profile");
        make_folder(&w, "dotfiles");
        make_folder(&w, "dotfiles/az");
        write_file(&w, "dotfiles/real");
        make_link(&w, "az/../real", "dotfiles/link");
        make_link(&w, "dotfiles/link", "profile");
        expect_one_change(&w);
        write_file(&w, "dotfiles/real");
        expect_one_change(&w);
        write_file(&w, "dotfiles/new");
        expect_nothing(&w);
        move(&w, "dotfiles/new", "dotfiles/real");
        expect_one_change(&w);
        write_file(&w, "dotfiles/real");
        expect_one_change(&w);

        /* The link between leads elsewhere, and what it led to is nobody's business. */
        write_file(&w, "here");
        make_link(&w, "../here", "dotfiles/other");
        expect_nothing(&w);
        move(&w, "dotfiles/other", "dotfiles/link");
        expect_one_change(&w);
        write_file(&w, "dotfiles/real");
        expect_nothing(&w);
        write_file(&w, "here");
        expect_one_change(&w);
        remove_file(&w, "here");
        expect_one_change(&w);
        write_file(&w, "here");
        expect_one_change(&w);

        remove_file(&w, "profile");
        expect_one_change(&w);
        write_file(&w, "here");
        expect_nothing(&w);
        remove_file(&w, "here");
        remove_file(&w, "dotfiles/link");
        remove_file(&w, "dotfiles/real");
        remove_folder(&w, "dotfiles/az");
        remove_folder(&w, "dotfiles");
        world_deinit(&w);
}

/* As stow links a folder; home-manager has another for each generation, by absolute links. */
static void test_a_folder_that_is_a_link(void) {
        char target[128];
        World w;

        world_init(&w, "home/az/profile");
        make_folder(&w, "home");
        snprintf(target, sizeof(target), "%s/generation-1", w.folder);
        make_link(&w, target, "home/az");
        expect_one_change(&w);
        /* The disk that it is on comes later. */
        make_folder(&w, "generation-1");
        write_file(&w, "generation-1/profile");
        expect_one_change(&w);
        write_file(&w, "generation-1/profile");
        expect_one_change(&w);
        make_folder(&w, "generation-2");
        write_file(&w, "generation-2/profile");
        make_link(&w, "../generation-2", "home/new");
        expect_nothing(&w);
        move(&w, "home/new", "home/az");
        expect_one_change(&w);
        write_file(&w, "generation-1/profile");
        expect_nothing(&w);
        write_file(&w, "generation-2/profile");
        expect_one_change(&w);
        remove_file(&w, "generation-1/profile");
        remove_folder(&w, "generation-1");
        expect_nothing(&w);
        remove_file(&w, "generation-2/profile");
        remove_folder(&w, "generation-2");
        expect_one_change(&w);
        make_folder(&w, "generation-2");
        write_file(&w, "generation-2/profile");
        expect_one_change(&w);
        remove_file(&w, "generation-2/profile");
        remove_folder(&w, "generation-2");
        remove_file(&w, "home/az");
        remove_folder(&w, "home");
        world_deinit(&w);
}

static void test_links_in_a_circle(void) {
        World w;

        world_init(&w, "profile");
        make_link(&w, "other", "profile");
        make_link(&w, "profile", "other");
        expect_one_change(&w);
        remove_file(&w, "other");
        write_file(&w, "other");
        expect_one_change(&w);
        write_file(&w, "other");
        expect_one_change(&w);
        remove_file(&w, "other");
        remove_file(&w, "profile");
        world_deinit(&w);
}

static void test_a_relative_path_is_refused(void) {
        sd_event *event;
        Notify *n;

        assert(sd_event_new(&event) == 0);
        assert(notify_new(&n, event, "profile", on_news, NULL) == -EINVAL);
        sd_event_unref(event);
}

int main(void) {
        test_many_writes_are_one_change();
        test_what_never_rests();
        test_folders_come_and_go();
        test_a_file_in_the_way();
        test_what_a_link_leads_to();
        test_a_folder_that_is_a_link();
        test_links_in_a_circle();
        test_a_relative_path_is_refused();
        return 0;
}
