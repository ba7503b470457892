#include "../../tap.h"
#include "util/newfile.h"
#include "util/try.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char scratch[] = "/tmp/tg-dir-XXXXXX";
static char path_buf[4][128];

static const char *
in(const char *name)
{
	static unsigned next;
	char *p = path_buf[next++ % 4];

	(void)snprintf(p, sizeof(path_buf[0]), "%s/%s", scratch, name);
	return p;
}

static void
make(const char *name, const char *text)
{
	FILE *f = fopen(in(name), "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
		printf("Bail out! %s cannot be made\n", name);
		exit(1);
	}
}

static bool
holds(const char *name, const char *want)
{
	char got[64] = "";
	FILE *f = fopen(in(name), "r");
	const size_t n = f == NULL ? 0 : fread(got, 1, sizeof(got) - 1, f);

	if (f != NULL)
		fclose(f);
	return f != NULL && n == strlen(want) && strcmp(got, want) == 0;
}

/* Names in a folder, hidden ones included. */
static int
entries(const char *path)
{
	DIR *d = opendir(path);
	int n = -2; /* . and .. */

	if (d == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static unsigned
mode_of(const char *name)
{
	struct stat st;

	return lstat(in(name), &st) == 0 ? (unsigned)st.st_mode & 07777 : 0;
}

static struct tg_dir *
open_scratch(const char *name)
{
	struct tg_dir *d = NULL;

	if (tg_dir_open(in(name), &d, NULL) != TG_OK) {
		printf("Bail out! %s cannot be opened\n", name);
		exit(1);
	}
	return d;
}

/* ---- opening beneath ---- */

static void
nothing_is_reached_through_links(void)
{
	struct tg_file *f = NULL;

	OK(mkdir(in("beneath"), 0755) == 0 && mkdir(in("beneath/sub"), 0755) == 0);
	make("outside", "secret");
	make("beneath/sub/file", "x");
	OK(symlink("sub", in("beneath/link")) == 0);
	OK(symlink("sub/file", in("beneath/filelink")) == 0);
	OK(symlink("../outside", in("beneath/out")) == 0);
	OK(symlink("/", in("beneath/root")) == 0);
	struct tg_dir *d = open_scratch("beneath");
	OK(strcmp(tg_dir_name(d), in("beneath")) == 0);
	OK_STATUS(tg_dir_file(d, "sub/file", &f, NULL), TG_OK);
	tg_file_close(f);
	f = NULL;
	static const char *const refused[] = { "link/file", "filelink", "out", "root/etc/passwd",
		"../outside", "sub/../../outside", "/etc/passwd", "sub", "." };
	for (size_t i = 0; i < TG_LEN(refused); i++) {
		struct tg_error err = TG_ERROR_INIT;
		const tg_status s = tg_dir_file(d, refused[i], &f, &err);

		OK((s == TG_E_IO || s == TG_E_USAGE) && f == NULL && err.text[0] != '\0');
	}
	OK_STATUS(tg_dir_file(d, "absent", &f, NULL), TG_E_NOTFOUND);
	OK(tg_dir_has(d, "sub") && tg_dir_has(d, "sub/file") && tg_dir_has(d, "out"));
	OK(!tg_dir_has(d, "link/file") && !tg_dir_has(d, "absent") && !tg_dir_has(d, "no/where"));
	tg_dir_close(d);
	tg_dir_close(NULL);
}

static void
a_folder_is_made_once(void)
{
	struct tg_dir *d = NULL;
	bool made = false;

	OK_STATUS(tg_dir_make(in("made"), &d, &made, NULL), TG_OK);
	OK(made && mode_of("made") == 0755);
	tg_dir_close(d);
	OK_STATUS(tg_dir_make(in("made"), &d, &made, NULL), TG_OK);
	OK(!made);
	tg_dir_close(d);
	d = NULL;
	OK_STATUS(tg_dir_make(in("no/where"), &d, &made, NULL), TG_E_NOTFOUND);
	OK_STATUS(tg_dir_make(in("outside"), &d, &made, NULL), TG_E_IO);
	OK_STATUS(tg_dir_open(in("absent"), &d, NULL), TG_E_NOTFOUND);
	OK_STATUS(tg_dir_open(in("outside"), &d, NULL), TG_E_IO);
	OK(d == NULL && rmdir(in("made")) == 0);
}

/* ---- walking ---- */

struct seen {
	unsigned files;
	uint64_t bytes;
	char last[64];
	tg_status then;
};

static tg_status
see(void *ctx, const char *rel, uint64_t size, struct tg_error *err)
{
	struct seen *s = ctx;

	s->files++;
	s->bytes += size;
	(void)snprintf(s->last, sizeof(s->last), "%s", rel);
	return s->then == TG_OK ? TG_OK : tg_fail(err, s->then, "enough");
}

static tg_status
walk(const char *name, struct seen *seen, struct tg_error *err)
{
	struct tg_dir *d = open_scratch(name);
	const tg_status s = tg_dir_walk(d, see, seen, err);

	tg_dir_close(d);
	return s;
}

static void
a_walk_finds_every_file(void)
{
	struct seen seen = { .files = 0 };

	OK(mkdir(in("w"), 0755) == 0 && mkdir(in("w/a"), 0755) == 0 &&
	    mkdir(in("w/a/b"), 0755) == 0 && mkdir(in("w/none"), 0755) == 0);
	OK_STATUS(walk("w", &seen, NULL), TG_OK);
	OK(seen.files == 0);
	make("w/1", "1");
	make("w/a/2", "22");
	make("w/a/b/.3", "333");
	OK_STATUS(walk("w", &seen, NULL), TG_OK);
	OK(seen.files == 3 && seen.bytes == 6);
	seen = (struct seen){ .then = TG_E_BUSY };
	OK_STATUS(walk("w", &seen, NULL), TG_E_BUSY); /* ends at the first refusal */
	OK(seen.files == 1);
}

static void
refused_in_a_walk(const char *name, const char *why)
{
	struct seen seen = { .files = 0 };
	struct tg_error err = TG_ERROR_INIT;

	OK_STATUS(walk("w", &seen, &err), TG_E_USAGE);
	OK(strstr(err.text, why) != NULL);
	OK(unlink(in(name)) == 0);
}

static void
a_walk_refuses_what_is_no_file(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const int s = socket(AF_UNIX, SOCK_STREAM, 0);

	OK(symlink("1", in("w/a/b/link")) == 0);
	refused_in_a_walk("w/a/b/link", "a/b/link: a symbolic link");
	OK(symlink("absent", in("w/dangling")) == 0);
	refused_in_a_walk("w/dangling", "dangling: a symbolic link");
	OK(symlink("a", in("w/folder")) == 0);
	refused_in_a_walk("w/folder", "folder: a symbolic link");
	OK(mkfifo(in("w/fifo"), 0600) == 0);
	refused_in_a_walk("w/fifo", "fifo: a special file");
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", in("w/sock"));
	OK(s >= 0 && bind(s, (struct sockaddr *)&a, sizeof(a)) == 0);
	refused_in_a_walk("w/sock", "sock: a special file");
	close(s);
	make("w/bad-\xff", "x");
	refused_in_a_walk("w/bad-\xff", "not UTF-8");
	make("w/a/\xc3(", "x");
	refused_in_a_walk("w/a/\xc3(", "not UTF-8");
}

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
	static const char *const files[] = { "beneath/filelink", "beneath/link", "beneath/out",
		"beneath/root", "beneath/sub/file", "n/file", "outside", "victim", "w/1", "w/a/2",
		"w/a/b/.3" };
	static const char *const folders[] = { "beneath/sub", "beneath", "n", "w/a/b", "w/a",
		"w/none", "w" };

	for (size_t i = 0; i < TG_LEN(files); i++)
		OK(unlink(in(files[i])) == 0);
	for (size_t i = 0; i < TG_LEN(folders); i++)
		OK(rmdir(in(folders[i])) == 0);
	OK(rmdir(scratch) == 0);
}

int
main(void)
{
	if (mkdtemp(scratch) == NULL)
		return 1;
	(void)umask(022);
	nothing_is_reached_through_links();
	a_folder_is_made_once();
	a_walk_finds_every_file();
	a_walk_refuses_what_is_no_file();
	no_name_before_commit();
	a_taken_name_is_a_conflict_or_replaced();
	the_first_to_commit_wins();
	links_in_the_way_are_not_followed();
	parents_are_made_and_removed();
	files_of_a_path();
	modes_do_not_depend_on_the_umask();
	clean_up();
	return tap_done();
}
