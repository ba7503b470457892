#include "util/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tensorguard/limits.h>

#include "util/text.h"
#include "util/try.h"

struct tg_dir {
	int fd;
	char *name;
};

static void
freep(char **p)
{
	free(*p);
}

static tg_status
dir_new(int fd, const char *path, struct tg_dir **ret, struct tg_error *err)
{
	struct tg_dir *d = calloc(1, sizeof(*d));

	if (d == NULL || (d->name = strdup(path)) == NULL) {
		free(d);
		close(fd);
		return tg_fail(err, TG_E_NOMEM, "%s: out of memory", path);
	}
	d->fd = fd;
	*ret = d;
	return TG_OK;
}

tg_status
tg_dir_open(const char *path, struct tg_dir **ret, struct tg_error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	TG_REQUIRE(fd >= 0, err, errno == ENOENT ? TG_E_NOTFOUND : TG_E_IO, "%s: %m", path);
	return dir_new(fd, path, ret, err);
}

tg_status
tg_dir_make(const char *path, struct tg_dir **ret, bool *ret_made, struct tg_error *err)
{
	bool made = mkdir(path, 0755) == 0;

	TG_REQUIRE(made || errno == EEXIST, err, errno == ENOENT ? TG_E_NOTFOUND : TG_E_IO,
	    "%s: cannot make the folder: %m", path);
	TG_TRY(tg_dir_open(path, ret, err));
	*ret_made = made;
	return TG_OK;
}

void
tg_dir_close(struct tg_dir *d)
{
	if (d == NULL)
		return;
	close(d->fd);
	free(d->name);
	free(d);
}

int
tg_dir_fd(const struct tg_dir *d)
{
	return d->fd;
}

const char *
tg_dir_name(const struct tg_dir *d)
{
	return d->name;
}

/* Component by component, for kernels without openat2. */
static int
open_by_steps(int dir, const char *rel, int flags)
{
	int at = dup(dir);

	for (const char *p = rel; at >= 0;) {
		char name[TG_MAX_PATH_COMPONENT + 1];
		size_t n = strcspn(p, "/");

		if (n >= sizeof(name) || n == 0 || (n == 2 && memcmp(p, "..", 2) == 0)) {
			close(at);
			errno = n >= sizeof(name) ? ENAMETOOLONG : EXDEV;
			return -1;
		}
		memcpy(name, p, n);
		name[n] = '\0';
		const bool last = p[n] == '\0';
		int next = openat(at, name, (last ? flags : O_RDONLY | O_DIRECTORY) | O_NOFOLLOW |
			O_CLOEXEC);
		int why = errno;

		close(at);
		errno = why;
		if (last)
			return next;
		at = next;
		p += n + 1;
	}
	return -1;
}

/* Open `rel` beneath `dir`; no component may be a link, "..", or lead out. */
static int
open_beneath(int dir, const char *rel, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, dir, rel, &how, sizeof(how));

	/* EPERM: a seccomp filter of a container that does not know the call */
	return fd < 0 && (errno == ENOSYS || errno == EPERM) ? open_by_steps(dir, rel, flags) : fd;
}

tg_status
tg_dir_file(const struct tg_dir *d, const char *rel, struct tg_file **ret, struct tg_error *err)
{
	int fd = open_beneath(d->fd, rel, O_RDONLY | O_NONBLOCK);

	TG_REQUIRE(fd >= 0, err, errno == ENOENT ? TG_E_NOTFOUND : TG_E_IO, "%s/%s: %m", d->name, rel);
	return tg_file_from_fd(fd, rel, ret, err);
}

struct walk {
	const struct tg_dir *d;
	tg_status (*found)(void *ctx, const char *rel, uint64_t size, struct tg_error *err);
	void *ctx;
	struct tg_error *err;
};

static tg_status walk_dir(const struct walk *w, const char *rel);

static tg_status
walk_entry(const struct walk *w, int dir, const char *parent, const char *name)
{
	char rel[TG_MAX_PATH_LEN + 1];
	struct stat st;
	int n = snprintf(rel, sizeof(rel), "%s%s%s", parent, *parent != '\0' ? "/" : "", name);

	TG_REQUIRE(tg_utf8_valid(tg_bytes_str(name)), w->err, TG_E_USAGE,
	    "%s/%s: a file name that is not UTF-8", w->d->name, parent);
	TG_REQUIRE(n >= 0 && (size_t)n < sizeof(rel), w->err, TG_E_LIMIT,
	    "%s/%s/%s: path longer than %u bytes", w->d->name, parent, name, TG_MAX_PATH_LEN);
	TG_REQUIRE(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0, w->err, TG_E_IO, "%s/%s: %m",
	    w->d->name, rel);
	if (S_ISDIR(st.st_mode))
		return walk_dir(w, rel);
	TG_REQUIRE(S_ISREG(st.st_mode), w->err, TG_E_USAGE,
	    "%s/%s: a %s; only regular files can be packaged", w->d->name, rel,
	    S_ISLNK(st.st_mode) ? "symbolic link" : "special file");
	return w->found(w->ctx, rel, (uint64_t)st.st_size, w->err);
}

static void
closedirp(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

static tg_status
walk_dir(const struct walk *w, const char *rel)
{
	TG_AUTO(closedirp) DIR *dir = NULL;
	int fd = open_beneath(w->d->fd, *rel == '\0' ? "." : rel, O_RDONLY | O_DIRECTORY);

	TG_REQUIRE(fd >= 0, w->err, TG_E_IO, "%s/%s: %m", w->d->name, rel);
	dir = fdopendir(fd);
	if (dir == NULL)
		close(fd);
	TG_REQUIRE(dir != NULL, w->err, TG_E_IO, "%s/%s: %m", w->d->name, rel);
	for (;;) {
		errno = 0;
		const struct dirent *e = readdir(dir);

		TG_REQUIRE(e != NULL || errno == 0, w->err, TG_E_IO, "%s/%s: %m", w->d->name, rel);
		if (e == NULL)
			return TG_OK;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			TG_TRY(walk_entry(w, dirfd(dir), rel, e->d_name));
	}
}

tg_status
tg_dir_walk(const struct tg_dir *d,
    tg_status (*found)(void *ctx, const char *rel, uint64_t size, struct tg_error *err), void *ctx,
    struct tg_error *err)
{
	const struct walk w = { d, found, ctx, err };

	return walk_dir(&w, "");
}

int
tg_dir_parent(int dir, const char *rel)
{
	char part[TG_MAX_PATH_LEN + 1];
	const char *slash;
	int fd = -1;

	if (strlen(rel) >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (const char *from = rel; (slash = strchr(from, '/')) != NULL; from = slash + 1) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - rel), rel);
		int parent = fd >= 0 ? fd : dir;

		if (mkdirat(parent, part + (from - rel), 0755) != 0 && errno != EEXIST) {
			int why = errno;

			tg_fd_closep(&fd);
			errno = why;
			return -1;
		}
		tg_fd_closep(&fd);
		fd = open_beneath(dir, part, O_RDONLY | O_DIRECTORY);
		if (fd < 0)
			return -1;
	}
	return fd >= 0 ? fd : fcntl(dir, F_DUPFD_CLOEXEC, 0);
}

tg_status
tg_dir_of_path(const char *path, int *ret, const char **ret_base, struct tg_error *err)
{
	TG_AUTO(freep) char *copy = strdup(path);
	char *slash;
	const char *folder = ".", *base = path;

	TG_REQUIRE(copy != NULL, err, TG_E_NOMEM, "%s: out of memory", path);
	slash = strrchr(copy, '/');
	if (slash != NULL) {
		base = path + (slash - copy) + 1;
		slash[slash == copy] = '\0';
		folder = copy;
	}
	TG_REQUIRE(*base != '\0' && strcmp(base, ".") != 0 && strcmp(base, "..") != 0, err, TG_E_USAGE,
	    "%s: a file name expected", path);
	*ret = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	TG_REQUIRE(*ret >= 0, err, errno == ENOENT ? TG_E_NOTFOUND : TG_E_IO, "%s: %m", folder);
	*ret_base = base;
	return TG_OK;
}

tg_status
tg_lock_beside(const char *path, int *ret, struct tg_error *err)
{
	TG_AUTO(tg_fd_closep) int dir = -1;
	const char *base = NULL;

	TG_TRY(tg_dir_of_path(path, &dir, &base, err));
	TG_REQUIRE(flock(dir, LOCK_EX) == 0, err, TG_E_IO, "%s: lock: %m", path);
	*ret = dir;
	dir = -1;
	return TG_OK;
}

void
tg_dir_remove(const struct tg_dir *d, const char *rel)
{
	const char *slash = strrchr(rel, '/');
	const char *base = slash == NULL ? rel : slash + 1;
	char parent[TG_MAX_PATH_LEN + 1] = ".";

	if (slash != NULL)
		(void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - rel), rel);
	TG_AUTO(tg_fd_closep) int fd = open_beneath(d->fd, parent, O_RDONLY | O_DIRECTORY);
	if (fd >= 0 && unlinkat(fd, base, 0) != 0 && errno == EISDIR)
		(void)unlinkat(fd, base, AT_REMOVEDIR);
}

bool
tg_dir_has(const struct tg_dir *d, const char *rel)
{
	const char *slash = strrchr(rel, '/');
	char parent[TG_MAX_PATH_LEN + 1] = ".";
	struct stat st;

	if (slash != NULL)
		(void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - rel), rel);
	TG_AUTO(tg_fd_closep) int fd = open_beneath(d->fd, parent, O_RDONLY | O_DIRECTORY);
	return fd >= 0 && fstatat(fd, slash == NULL ? rel : slash + 1, &st, AT_SYMLINK_NOFOLLOW) == 0;
}
