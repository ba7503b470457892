#include "../../tap.h"
#include "util/file.h"
#include "util/try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[] = "/tmp/tg-file-XXXXXX";
static char path_buf[4][128];

/* A path in the scratch folder; four may be in use at once. */
static const char *
in(const char *name)
{
	static unsigned next;
	char *p = path_buf[next++ % 4];

	(void)snprintf(p, sizeof(path_buf[0]), "%s/%s", scratch, name);
	return p;
}

static void
make(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(p, 1, n, f) != n || fclose(f) != 0) {
		printf("Bail out! %s cannot be made\n", path);
		exit(1);
	}
}

static void
only_regular_files_open(void)
{
	struct tg_file *f = NULL;
	struct tg_error err = TG_ERROR_INIT;

	OK_STATUS(tg_file_open(in("absent"), &f, &err), TG_E_NOTFOUND);
	OK(strstr(err.text, "absent") != NULL && strstr(err.text, "No such file") != NULL);
	OK_STATUS(tg_file_open(scratch, &f, NULL), TG_E_USAGE);
	OK(mkfifo(in("fifo"), 0600) == 0);
	OK_STATUS(tg_file_open(in("fifo"), &f, NULL), TG_E_USAGE); /* and it does not hang */
	OK_STATUS(tg_file_open("/dev/null", &f, NULL), TG_E_USAGE);
	OK(symlink("loop", in("loop")) == 0);
	OK_STATUS(tg_file_open(in("loop"), &f, &err), TG_E_IO);
	OK(err.sys_errno == ELOOP);
	make(in("plain"), "x", 1);
	OK_STATUS(tg_file_open(in("plain/below"), &f, NULL), TG_E_IO);
	OK(f == NULL);
	tg_file_close(NULL);
}

/* A descriptor that is taken over is closed, on failure too. */
static void
descriptors_are_taken_over(void)
{
	struct tg_file *f = NULL;
	const int dir = open(scratch, O_RDONLY | O_DIRECTORY);

	OK_STATUS(tg_file_from_fd(dir, "dir", &f, NULL), TG_E_USAGE);
	OK(fcntl(dir, F_GETFD) < 0 && errno == EBADF);
	make(in("own"), "abc", 3);
	const int fd = open(in("own"), O_RDONLY);
	OK_STATUS(tg_file_from_fd(fd, "own", &f, NULL), TG_OK);
	OK(tg_file_fd(f) == fd && tg_file_source(f).size == 3);
	tg_file_close(f);
	OK(fcntl(fd, F_GETFD) < 0);
	OK_STATUS(tg_file_from_fd(-1, "none", &f, NULL), TG_E_IO);
}

static void
a_file_cut_short_is_an_error(void)
{
	struct tg_file *f = NULL;
	struct tg_error err = TG_ERROR_INIT;
	uint8_t got[10];

	make(in("short"), "0123456789", 10);
	OK_STATUS(tg_file_open(in("short"), &f, NULL), TG_OK);
	const struct tg_source src = tg_file_source(f);
	OK_STATUS(src.read_at(src.ctx, got, 4, 3, NULL), TG_OK);
	OK(memcmp(got, "3456", 4) == 0);
	OK(truncate(in("short"), 6) == 0);
	OK_STATUS(src.read_at(src.ctx, got, 4, 2, NULL), TG_OK);
	OK_STATUS(src.read_at(src.ctx, got, 4, 3, &err), TG_E_IO);
	OK(strstr(err.text, "ends at byte 6") != NULL);
	OK(src.size == 10);
	tg_file_close(f);
}

static void
whole_files_within_a_bound(void)
{
	struct tg_buf b;
	struct tg_error err = TG_ERROR_INIT;

	make(in("ten"), "0123456789", 10);
	tg_buf_init(&b, 15);
	OK_STATUS(tg_file_read(in("ten"), &b, NULL), TG_OK);
	OK(b.n == 10 && memcmp(b.p, "0123456789", 10) == 0);
	OK_STATUS(
	    tg_file_read(in("ten"), &b, &err), TG_E_LIMIT); /* appends: 20 would be too many */
	OK(b.n == 10);
	OK_STATUS(tg_file_read(in("absent"), &b, NULL), TG_E_NOTFOUND);
	make(in("empty"), "", 0);
	OK_STATUS(tg_file_read(in("empty"), &b, NULL), TG_OK);
	OK(b.n == 10);
	tg_buf_done(&b);
}

static void
secret_files(void)
{
	struct tg_secret *s = NULL;

	make(in("secret"), "0123456789", 10);
	OK_STATUS(tg_file_read_secret(in("secret"), 10, &s, NULL), TG_OK);
	OK(tg_secret_len(s) == 10 && memcmp(tg_secret_bytes(s), "0123456789", 10) == 0);
	tg_secret_free(s);
	s = NULL;
	OK_STATUS(tg_file_read_secret(in("secret"), 9, &s, NULL), TG_E_LIMIT);
	OK_STATUS(tg_file_read_secret(in("empty"), 9, &s, NULL), TG_E_FORMAT);
	OK_STATUS(tg_file_read_secret(in("absent"), 9, &s, NULL), TG_E_NOTFOUND);
	OK_STATUS(tg_file_read_secret(scratch, 9, &s, NULL), TG_E_USAGE);
	OK(s == NULL);
}

static void
existence_is_of_the_name(void)
{
	OK(tg_file_exists(in("ten")));
	OK(tg_file_exists(in("loop"))); /* a link that leads nowhere stands in the way too */
	OK(tg_file_exists(scratch));
	OK(!tg_file_exists(in("absent")));
}

static void
writes_that_fail_say_so(void)
{
	struct tg_error err = TG_ERROR_INIT;
	const int full = open("/dev/full", O_WRONLY), fd = open(in("out"), O_RDWR | O_CREAT, 0600);
	int pipes[2];
	char got[8] = "";

	if (full < 0) {
		SKIP("no /dev/full");
	} else {
		OK_STATUS(tg_fd_write(full, "x", 1, "full", &err), TG_E_IO);
		OK(err.sys_errno == ENOSPC && strstr(err.text, "full: write: No space") != NULL);
		close(full);
	}
	OK_STATUS(tg_fd_write(fd, "abc", 3, "out", NULL), TG_OK);
	OK_STATUS(tg_fd_write_at(fd, "xy", 2, 1, "out", NULL), TG_OK);
	OK_STATUS(tg_fd_write(fd, "", 0, "out", NULL), TG_OK);
	OK(pread(fd, got, 8, 0) == 3 && memcmp(got, "axy", 3) == 0);
	OK(pipe(pipes) == 0);
	OK_STATUS(tg_fd_write_at(pipes[1], "x", 1, 0, "pipe", &err), TG_E_IO);
	OK(err.sys_errno == ESPIPE);
	close(pipes[0]);
	close(pipes[1]);
	tg_fd_closep(&(int){ fd });
	tg_fd_closep(&(int){ -1 });
	OK_STATUS(tg_fd_write(fd, "x", 1, "closed", &err), TG_E_IO);
	OK(err.sys_errno == EBADF);
}

int
main(void)
{
	if (mkdtemp(scratch) == NULL)
		return 1;
	only_regular_files_open();
	descriptors_are_taken_over();
	a_file_cut_short_is_an_error();
	whole_files_within_a_bound();
	secret_files();
	existence_is_of_the_name();
	writes_that_fail_say_so();
	static const char *const names[] = { "fifo", "loop", "plain", "own", "short", "ten",
		"empty", "secret", "out" };
	for (size_t i = 0; i < TG_LEN(names); i++)
		OK(unlink(in(names[i])) == 0);
	OK(rmdir(scratch) == 0);
	return tap_done();
}
