#include "util/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/try.h"

struct tg_newfile {
	int fd;
	int root;      /* where it lives until it has its name */
	bool owns_root;
	char *rel;  /* its name, from there */
	char *temp; /* present name in root, where the file system has no unnamed files; else NULL */
	char *shown;
	unsigned mode; /* given at the end: nobody reads along */
	uint64_t at;   /* end of what the sink has appended */
};

/* A random hidden name in the same folder. */
static char *
temp_name(void)
{
	uint64_t r = 0;
	char *name = NULL;

	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r) ||
	    asprintf(&name, ".tg-%016llx.tmp", (unsigned long long)r) < 0)
		return NULL;
	return name;
}

static tg_status
newfile_open(struct tg_newfile *f, struct tg_error *err)
{
	f->fd = openat(f->root, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (f->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT)) {
		f->temp = temp_name();
		TG_REQUIRE(f->temp != NULL, err, TG_E_NOMEM, "%s: out of memory", f->shown);
		f->fd = openat(f->root, f->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	}
	TG_REQUIRE(f->fd >= 0, err, TG_E_IO, "%s: cannot create: %m", f->shown);
	return TG_OK;
}

/* Takes over `root` when it owns it. */
static tg_status
newfile_new(int root, bool owns_root, const char *rel, const char *shown, unsigned mode,
    struct tg_newfile **ret, struct tg_error *err)
{
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		if (owns_root)
			close(root);
		return tg_fail(err, TG_E_NOMEM, "%s: out of memory", shown);
	}
	f->fd = -1;
	f->root = root;
	f->owns_root = owns_root;
	f->rel = strdup(rel);
	f->shown = strdup(shown);
	TG_REQUIRE(f->rel != NULL && f->shown != NULL, err, TG_E_NOMEM, "%s: out of memory", shown);
	f->mode = mode;
	TG_TRY(newfile_open(f, err));
	*ret = f;
	f = NULL;
	return TG_OK;
}

tg_status
tg_newfile_create(const struct tg_dir *d, const char *rel, unsigned mode, struct tg_newfile **ret,
    struct tg_error *err)
{
	return newfile_new(tg_dir_fd(d), false, rel, rel, mode, ret, err);
}

tg_status
tg_newfile_create_path(const char *path, unsigned mode, struct tg_newfile **ret,
    struct tg_error *err)
{
	const char *base = NULL;
	int dir = -1;

	TG_TRY(tg_dir_of_path(path, &dir, &base, err));
	return newfile_new(dir, true, base, path, mode, ret, err);
}

static tg_status
newfile_write_at(void *ctx, const void *p, size_t n, uint64_t offset, struct tg_error *err)
{
	const struct tg_newfile *f = ctx;

	return tg_fd_write_at(f->fd, p, n, offset, f->shown, err);
}

struct tg_target
tg_newfile_target(struct tg_newfile *f)
{
	return (struct tg_target){ newfile_write_at, f };
}

static tg_status
newfile_append(void *ctx, const void *p, size_t n, struct tg_error *err)
{
	struct tg_newfile *f = ctx;

	TG_TRY(tg_fd_write_at(f->fd, p, n, f->at, f->shown, err));
	f->at += n;
	return TG_OK;
}

struct tg_sink
tg_newfile_sink(struct tg_newfile *f)
{
	return (struct tg_sink){ newfile_append, f };
}

int
tg_newfile_fd(const struct tg_newfile *f)
{
	return f->fd;
}

tg_status
tg_newfile_set_mtime(struct tg_newfile *f, int64_t t, struct tg_error *err)
{
	const struct timespec times[2] = { { .tv_sec = t }, { .tv_sec = t } };

	TG_REQUIRE(futimens(f->fd, times) == 0, err, TG_E_IO, "%s: %m", f->shown);
	return TG_OK;
}

/* Give an unnamed file a name in a folder. */
static int
link_unnamed(const struct tg_newfile *f, int dir, const char *name)
{
	char self[40];

	if (linkat(f->fd, "", dir, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno == EEXIST)
		return -1;
	/* without CAP_DAC_READ_SEARCH the link goes through /proc */
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", f->fd);
	return linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW);
}

static int
name_it(struct tg_newfile *f, int dir, const char *base, bool replace)
{
	if (f->temp == NULL && link_unnamed(f, dir, base) == 0)
		return 0;
	if (f->temp == NULL && (errno != EEXIST || !replace))
		return -1;
	if (f->temp == NULL) {
		/* a link cannot replace: take a temporary name first, then rename over */
		char *temp = temp_name();

		if (temp == NULL || link_unnamed(f, f->root, temp) != 0) {
			free(temp);
			return -1;
		}
		f->temp = temp;
	}
	if (renameat2(f->root, f->temp, dir, base, replace ? 0 : RENAME_NOREPLACE) != 0)
		return -1;
	free(f->temp);
	f->temp = NULL;
	return 0;
}

tg_status
tg_newfile_commit(struct tg_newfile *f, bool replace, struct tg_error *err)
{
	TG_REQUIRE(fchmod(f->fd, f->mode) == 0, err, TG_E_IO, "%s: %m", f->shown);
	TG_REQUIRE(fsync(f->fd) == 0, err, TG_E_IO, "%s: %m", f->shown);
	const char *slash = strrchr(f->rel, '/');
	TG_AUTO(tg_fd_closep) int dir = tg_dir_parent(f->root, f->rel);
	TG_REQUIRE(dir >= 0, err, TG_E_IO, "%s: cannot make its folder: %m", f->shown);
	TG_REQUIRE(name_it(f, dir, slash == NULL ? f->rel : slash + 1, replace) == 0, err,
	    errno == EEXIST ? TG_E_CONFLICT : TG_E_IO,
	    errno == EEXIST ? "%s: exists already" : "%s: %m", f->shown);
	TG_REQUIRE(fsync(dir) == 0, err, TG_E_IO, "%s: %m", f->shown);
	return TG_OK;
}

void
tg_newfile_close(struct tg_newfile *f)
{
	if (f == NULL)
		return;
	if (f->temp != NULL)
		(void)unlinkat(f->root, f->temp, 0);
	tg_fd_closep(&f->fd);
	if (f->owns_root)
		tg_fd_closep(&f->root);
	free(f->rel);
	free(f->temp);
	free(f->shown);
	free(f);
}

size_t
tg_files_allowed(size_t want)
{
	struct rlimit lim = { 0 };
	const size_t spare = 64; /* what is open already, threads, the library's own */

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
		return 0;
	if (lim.rlim_cur < want + spare && lim.rlim_cur < lim.rlim_max) {
		lim.rlim_cur = lim.rlim_max < want + spare ? lim.rlim_max : want + spare;
		(void)setrlimit(RLIMIT_NOFILE, &lim);
		(void)getrlimit(RLIMIT_NOFILE, &lim);
	}
	if (lim.rlim_cur <= spare)
		return 0;
	return lim.rlim_cur - spare < want ? (size_t)(lim.rlim_cur - spare) : want;
}
