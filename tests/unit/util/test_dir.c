/* Folders whose contents are reached beneath them, never through a link: with openat2(), and
 * without it. */
#include "scratch.h"

#include <sys/socket.h>
#include <sys/un.h>

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

static void
clean_up(void)
{
	static const char *const files[] = { "beneath/filelink", "beneath/link", "beneath/out",
		"beneath/root", "beneath/sub/file", "outside", "w/1", "w/a/2", "w/a/b/.3" };
	static const char *const folders[] = { "beneath/sub", "beneath", "w/a/b", "w/a", "w/none",
		"w" };

	for (size_t i = 0; i < TG_LEN(files); i++)
		OK(unlink(in(files[i])) == 0);
	for (size_t i = 0; i < TG_LEN(folders); i++)
		OK(rmdir(in(folders[i])) == 0);
	OK(rmdir(scratch) == 0);
}

static void
all(void)
{
	make_scratch();
	nothing_is_reached_through_links();
	a_folder_is_made_once();
	a_walk_finds_every_file();
	a_walk_refuses_what_is_no_file();
	clean_up();
}

int
main(void)
{
	(void)umask(022);
	all();
	if (lack(LACKS_OPENAT2))
		all();
	else
		SKIP("no system call can be taken away here");
	return tap_done();
}
