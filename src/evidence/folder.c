/* A log's files in a folder (struct tg_log_files over the file system). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <tensorguard/log.h>

#include "util/newfile.h"
#include "util/try.h"

#define RETRY_MS 5

struct tg_log_folder {
	struct tg_dir *dir;
	struct tg_log_files files;
};

struct opened {
	int fd;
	char *name;
};

static void
opened_close(void *ctx, void *file)
{
	struct opened *f = file;

	(void)ctx;
	tg_fd_closep(&f->fd);
	free(f->name);
	free(f);
}

/* The folder's entry must survive as well as the file does: whoever made an empty file may not have
 * come to that. */
static int
create_file(const struct tg_dir *d, const char *name, bool durable)
{
	TG_AUTO(tg_fd_closep) int parent = tg_dir_parent(tg_dir_fd(d), name);
	const char *slash = strrchr(name, '/');
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;

	if (parent < 0)
		return -1;
	int fd = openat(parent, slash == NULL ? name : slash + 1, flags, 0644);
	if (fd >= 0 && durable && (fsync(parent) != 0 || fsync(tg_dir_fd(d)) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static tg_status
open_in(const struct tg_log_folder *l, const char *name, int create, struct opened *f,
    struct tg_error *err)
{
	const int flags = (create != 0 ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC;
	struct stat st = { .st_size = 0 };

	f->name = strdup(name);
	TG_REQUIRE(f->name != NULL, err, TG_E_NOMEM, "%s: out of memory", name);
	f->fd = openat(tg_dir_fd(l->dir), name, flags);
	if (f->fd >= 0 && create == TG_LOG_CREATE && fstat(f->fd, &st) == 0 && st.st_size == 0) {
		tg_fd_closep(&f->fd);
		f->fd = create_file(l->dir, name, true);
	}
	if (f->fd < 0 && errno == ENOENT && create != 0)
		f->fd = create_file(l->dir, name, create != TG_LOG_CREATE_LOOSE);
	TG_REQUIRE(f->fd >= 0, err, errno == ENOENT ? TG_E_NOTFOUND : TG_E_IO, "%s/%s: %m",
	    tg_dir_name(l->dir), name);
	TG_REQUIRE(fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode), err, TG_E_FORMAT,
	    "%s/%s: not a regular file", tg_dir_name(l->dir), name);
	return TG_OK;
}

static tg_status
folder_open(void *ctx, const char *name, int create, void **ret, struct tg_error *err)
{
	struct opened *f = calloc(1, sizeof(*f));

	TG_REQUIRE(f != NULL, err, TG_E_NOMEM, "%s: out of memory", name);
	f->fd = -1;
	tg_status s = open_in(ctx, name, create, f, err);
	if (s == TG_OK)
		*ret = f;
	else
		opened_close(ctx, f);
	return s;
}

static tg_status
folder_size(void *ctx, void *file, uint64_t *ret, struct tg_error *err)
{
	const struct opened *f = file;
	struct stat st;

	(void)ctx;
	TG_REQUIRE(fstat(f->fd, &st) == 0, err, TG_E_IO, "%s: %m", f->name);
	*ret = (uint64_t)st.st_size;
	return TG_OK;
}

static tg_status
folder_read_at(void *ctx, void *file, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	const struct opened *f = file;
	uint8_t *to = buf;

	(void)ctx;
	while (n > 0) {
		const ssize_t got = pread(f->fd, to, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		TG_REQUIRE(got >= 0, err, TG_E_IO, "%s: read: %m", f->name);
		TG_REQUIRE(got > 0, err, (errno = 0, TG_E_IO),
		    "%s: ends at byte %llu, more was expected", f->name,
		    (unsigned long long)offset);
		to += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return TG_OK;
}

static tg_status
folder_write_at(
    void *ctx, void *file, const void *p, size_t n, uint64_t offset, struct tg_error *err)
{
	const struct opened *f = file;

	(void)ctx;
	return tg_fd_write_at(f->fd, p, n, offset, f->name, err);
}

static tg_status
folder_truncate(void *ctx, void *file, uint64_t size, struct tg_error *err)
{
	const struct opened *f = file;

	(void)ctx;
	TG_REQUIRE(ftruncate(f->fd, (off_t)size) == 0, err, TG_E_IO, "%s: cut: %m", f->name);
	return TG_OK;
}

static tg_status
folder_sync(void *ctx, void *file, struct tg_error *err)
{
	const struct opened *f = file;

	(void)ctx;
	TG_REQUIRE(fdatasync(f->fd) == 0, err, TG_E_IO, "%s: sync: %m", f->name);
	return TG_OK;
}

static tg_status
folder_replace(void *ctx, const char *name, const void *p, size_t n, struct tg_error *err)
{
	const struct tg_log_folder *l = ctx;
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = NULL;

	TG_TRY(tg_newfile_create(l->dir, name, 0644, &f, err));
	const struct tg_sink to = tg_newfile_sink(f);
	TG_TRY(to.write(to.ctx, p, n, err));
	return tg_newfile_commit(f, true, err);
}

static tg_status
folder_list(void *ctx, const char *folder,
    tg_status (*found)(void *to, const char *name, struct tg_error *err), void *to,
    struct tg_error *err)
{
	const struct tg_log_folder *l = ctx;
	int fd = openat(tg_dir_fd(l->dir), folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	tg_status s = TG_OK;

	if (d == NULL) {
		const int e = errno;

		tg_fd_closep(&fd);
		errno = e;
		return e == ENOENT
		    ? TG_OK
		    : tg_fail(err, TG_E_IO, "%s/%s: %m", tg_dir_name(l->dir), folder);
	}
	for (struct dirent *e = readdir(d); s == TG_OK && e != NULL; e = readdir(d))
		if (e->d_name[0] != '.')
			s = found(to, e->d_name, err);
	closedir(d);
	return s;
}

static tg_status
folder_lock(void *ctx, unsigned wait_ms, void **ret, struct tg_error *err)
{
	const struct timespec pause = { 0, RETRY_MS * 1000000 };
	struct opened *f = NULL;

	TG_TRY(folder_open(ctx, "lock", 1, ret, err));
	f = *ret;
	for (;;) {
		if (flock(f->fd, LOCK_EX | LOCK_NB) == 0)
			return TG_OK;
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || wait_ms == 0)
			break;
		(void)nanosleep(&pause, NULL);
		wait_ms -= wait_ms < RETRY_MS ? wait_ms : RETRY_MS;
	}
	const struct tg_log_folder *l = ctx;
	const tg_status s = errno == EWOULDBLOCK
	    ? tg_fail(err, TG_E_BUSY, "%s: another process has the log open for appending",
		  tg_dir_name(l->dir))
	    : tg_fail(err, TG_E_IO, "%s/lock: %m", tg_dir_name(l->dir));
	opened_close(ctx, f);
	*ret = NULL;
	return s;
}

static void
folder_unlock(void *ctx, void *lock)
{
	opened_close(ctx, lock);
}

tg_status
tg_log_folder_open(const char *path, int create, struct tg_log_folder **ret, struct tg_error *err)
{
	TG_AUTO(tg_log_folder_closep) struct tg_log_folder *l = calloc(1, sizeof(*l));
	bool made = false;

	TG_REQUIRE(l != NULL, err, TG_E_NOMEM, "%s: out of memory", path);
	if (create)
		TG_TRY(tg_dir_make(path, &l->dir, &made, err));
	else
		TG_TRY(tg_dir_open(path, &l->dir, err));
	l->files = (struct tg_log_files){
		.open = folder_open,
		.close = opened_close,
		.size = folder_size,
		.read_at = folder_read_at,
		.write_at = folder_write_at,
		.truncate = folder_truncate,
		.sync = folder_sync,
		.replace = folder_replace,
		.list = folder_list,
		.lock = folder_lock,
		.unlock = folder_unlock,
		.ctx = l,
	};
	*ret = l;
	l = NULL;
	return TG_OK;
}

void
tg_log_folder_close(struct tg_log_folder *l)
{
	if (l == NULL)
		return;
	tg_dir_close(l->dir);
	free(l);
}

const struct tg_log_files *
tg_log_folder_files(struct tg_log_folder *l)
{
	return &l->files;
}
