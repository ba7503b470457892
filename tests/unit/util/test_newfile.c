/* Files that are not seen before they are complete: unnamed ones, and hidden ones where the file
 * system has no unnamed files. */
#include "scratch.h"

#include "util/newfile.h"

/* ---- new files ---- */

static tg_status
write_new(const struct tg_dir *d, const char *rel, const char *text, bool replace, bool commit)
{
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = NULL;

	TG_TRY(tg_newfile_create(d, rel, 0644, &f, NULL));
	const struct tg_sink to = tg_newfile_sink(f);
	TG_TRY(to.write(to.ctx, text, strlen(text), NULL));
	return commit ? tg_newfile_commit(f, replace, NULL) : TG_OK;
}

static void
no_name_before_commit(void)
{
	struct tg_newfile *f = NULL;

	OK(mkdir(in("n"), 0755) == 0);
	struct tg_dir *d = open_scratch("n");
	OK_STATUS(tg_newfile_create(d, "file", 0640, &f, NULL), TG_OK);
	const struct tg_sink to = tg_newfile_sink(f);
	const struct tg_target at = tg_newfile_target(f);
	OK_STATUS(to.write(to.ctx, "abc", 3, NULL), TG_OK);
	OK_STATUS(at.write_at(at.ctx, "X", 1, 1, NULL), TG_OK);
	OK_STATUS(to.write(to.ctx, "def", 3, NULL), TG_OK); /* appends behind what it appended */
	OK(!tg_dir_has(d, "file") && entries(in("n")) <= 1);
	OK_STATUS(tg_newfile_set_mtime(f, 1577836800, NULL), TG_OK);
	OK_STATUS(tg_newfile_commit(f, false, NULL), TG_OK);
	OK(holds("n/file", "aXcdef") && mode_of("n/file") == 0640 && entries(in("n")) == 1);
	struct stat st;
	OK(stat(in("n/file"), &st) == 0 && st.st_mtime == 1577836800);
	tg_newfile_close(f);
	tg_newfile_close(NULL);
	OK(holds("n/file", "aXcdef"));
	OK_STATUS(write_new(d, "other", "x", false, false), TG_OK);
	OK(!tg_dir_has(d, "other") && entries(in("n")) == 1); /* closed uncommitted: no trace */
	tg_dir_close(d);
}

static void
a_taken_name_is_a_conflict_or_replaced(void)
{
	struct tg_dir *d = open_scratch("n");

	OK_STATUS(write_new(d, "file", "new", false, true), TG_E_CONFLICT);
	OK(holds("n/file", "aXcdef") && entries(in("n")) == 1);
	OK_STATUS(write_new(d, "file", "new", true, true), TG_OK);
	OK(holds("n/file", "new") && entries(in("n")) == 1);
	OK_STATUS(write_new(d, "fresh", "new", true, true), TG_OK);
	OK(holds("n/fresh", "new") && entries(in("n")) == 2);
	tg_dir_remove(d, "fresh");
	OK(entries(in("n")) == 1);
	tg_dir_close(d);
}

/* A name that somebody takes between creation and commit. */
static void
the_first_to_commit_wins(void)
{
	struct tg_newfile *f = NULL, *g = NULL;
	struct tg_dir *d = open_scratch("n");

	OK_STATUS(tg_newfile_create(d, "race", 0644, &f, NULL), TG_OK);
	OK_STATUS(tg_newfile_create(d, "race", 0644, &g, NULL), TG_OK);
	OK_STATUS(tg_newfile_commit(g, false, NULL), TG_OK);
	OK_STATUS(tg_newfile_commit(f, false, NULL), TG_E_CONFLICT);
	tg_newfile_close(f);
	tg_newfile_close(g);
	OK(entries(in("n")) == 2);
	tg_dir_remove(d, "race");
	tg_dir_close(d);
}

static void
links_in_the_way_are_not_followed(void)
{
	struct tg_dir *d = open_scratch("n");

	make("victim", "old");
	OK(symlink("../victim", in("n/link")) == 0);
	OK(symlink("../absent", in("n/dangling")) == 0);
	OK(symlink("..", in("n/up")) == 0);
	OK_STATUS(write_new(d, "link", "new", false, true), TG_E_CONFLICT);
	OK_STATUS(write_new(d, "dangling", "new", false, true), TG_E_CONFLICT);
	OK(holds("victim", "old") && access(in("absent"), F_OK) != 0);
	OK_STATUS(
	    write_new(d, "link", "new", true, true), TG_OK); /* the link goes, not its target */
	OK(holds("victim", "old") && holds("n/link", "new"));
	struct stat st;
	OK(lstat(in("n/link"), &st) == 0 && S_ISREG(st.st_mode));
	OK_STATUS(write_new(d, "up/planted", "new", true, true), TG_E_IO);
	OK_STATUS(write_new(d, "up/deep/planted", "new", true, true), TG_E_IO);
	OK_STATUS(write_new(d, "../planted", "new", true, true), TG_E_IO);
	OK(access(in("planted"), F_OK) != 0 && access(in("deep"), F_OK) != 0);
	OK(mkdir(in("n/folder"), 0755) == 0);
	OK_STATUS(write_new(d, "folder", "new", false, true), TG_E_CONFLICT);
	OK_STATUS(write_new(d, "folder", "new", true, true), TG_E_IO);
	OK_STATUS(write_new(d, "link/x", "new", true, true), TG_E_IO); /* a file as a folder */
	tg_dir_remove(d, "folder");
	tg_dir_remove(d, "link");
	OK(unlink(in("n/dangling")) == 0 && unlink(in("n/up")) == 0 && entries(in("n")) == 1);
	tg_dir_close(d);
}

static void
parents_are_made_and_removed(void)
{
	struct tg_dir *d = open_scratch("n");

	OK_STATUS(write_new(d, "p/q/r/file", "x", false, true), TG_OK);
	OK(holds("n/p/q/r/file", "x") && mode_of("n/p") == 0755 && mode_of("n/p/q/r") == 0755);
	OK_STATUS(write_new(d, "p/q/second", "y", false, true), TG_OK);
	tg_dir_remove(d, "p/q"); /* not empty: stays */
	OK(holds("n/p/q/second", "y"));
	tg_dir_remove(d, "p/q/r/file");
	tg_dir_remove(d, "p/q/r");
	tg_dir_remove(d, "p/q/second");
	tg_dir_remove(d, "p/q");
	tg_dir_remove(d, "p");
	tg_dir_remove(d, "absent");
	tg_dir_remove(d, "no/where");
	OK(entries(in("n")) == 1);
	tg_dir_close(d);
}

static void
files_of_a_path(void)
{
	struct tg_newfile *f = NULL;
	struct tg_error err = TG_ERROR_INIT;

	OK_STATUS(tg_newfile_create_path(in("n/"), 0644, &f, &err), TG_E_USAGE);
	OK_STATUS(tg_newfile_create_path(in("n/."), 0644, &f, NULL), TG_E_USAGE);
	OK_STATUS(tg_newfile_create_path(in("n/.."), 0644, &f, NULL), TG_E_USAGE);
	OK_STATUS(tg_newfile_create_path("", 0644, &f, NULL), TG_E_USAGE);
	OK_STATUS(tg_newfile_create_path(in("absent/x"), 0644, &f, NULL), TG_E_NOTFOUND);
	OK_STATUS(tg_newfile_create_path(in("outside/x"), 0644, &f, NULL), TG_E_IO);
	OK(f == NULL);
	/* folders on the way may be links: the path is the caller's own */
	OK(symlink("n", in("way")) == 0);
	OK_STATUS(tg_newfile_create_path(in("way/by-path"), 0600, &f, NULL), TG_OK);
	OK_STATUS(tg_newfile_commit(f, false, NULL), TG_OK);
	tg_newfile_close(f);
	OK(mode_of("n/by-path") == 0600);
	OK(unlink(in("n/by-path")) == 0 && unlink(in("way")) == 0);
}

/* The mode is what was asked for, whatever the umask, and the data is nobody else's before. */
static void
modes_do_not_depend_on_the_umask(void)
{
	const mode_t old = umask(0777);
	struct tg_dir *d = open_scratch("n");

	OK_STATUS(write_new(d, "masked", "x", false, true), TG_OK);
	OK(mode_of("n/masked") == 0644);
	umask(0);
	OK_STATUS(write_new(d, "masked", "x", true, true), TG_OK);
	OK(mode_of("n/masked") == 0644);
	umask(old);
	tg_dir_remove(d, "masked");
	tg_dir_close(d);
}

static void
clean_up(void)
{
	OK(unlink(in("n/file")) == 0 && unlink(in("victim")) == 0 && unlink(in("outside")) == 0);
	OK(rmdir(in("n")) == 0 && rmdir(scratch) == 0);
}

static void
all(void)
{
	make_scratch();
	make("outside", "a file");
	no_name_before_commit();
	a_taken_name_is_a_conflict_or_replaced();
	the_first_to_commit_wins();
	links_in_the_way_are_not_followed();
	parents_are_made_and_removed();
	files_of_a_path();
	modes_do_not_depend_on_the_umask();
	clean_up();
}

int
main(void)
{
	(void)umask(022);
	all();
	/* one loss after the other, all for good */
	static const enum lacking losses[] = { LACKS_EMPTY_PATH, LACKS_OPENAT2, LACKS_TMPFILE };
	for (size_t i = 0; i < TG_LEN(losses); i++)
		if (lack(losses[i]))
			all();
		else
			SKIP("no system call can be taken away here");
	return tap_done();
}
