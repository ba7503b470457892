#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/try.h"

struct tg_file {
	int fd;
	uint64_t size;
	char *name;
};

static tg_status
source_bytes_read(void *ctx, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	const tg_bytes *view = ctx;

	TG_REQUIRE(offset <= view->n && n <= view->n - offset, err, TG_E_USAGE,
	    "read of %zu bytes at %llu, past the end", n, (unsigned long long)offset);
	if (n > 0)
		memcpy(buf, view->p + offset, n);
	return TG_OK;
}

struct tg_source
tg_source_bytes(const tg_bytes *view)
{
	return (struct tg_source){ source_bytes_read, (void *)(uintptr_t)view, view->n };
}

tg_status
tg_file_from_fd(int fd, const char *name, struct tg_file **ret, struct tg_error *err)
{
	struct stat st;
	struct tg_file *f = NULL;

	if (fstat(fd, &st) != 0) {
		(void)tg_fail(err, TG_E_IO, "%s: %m", name);
		close(fd);
		return TG_E_IO;
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return tg_fail(err, TG_E_USAGE, "%s: not a regular file", name);
	}
	f = calloc(1, sizeof(*f));
	if (f == NULL || (f->name = strdup(name)) == NULL) {
		free(f);
		close(fd);
		return tg_fail(err, TG_E_NOMEM, "%s: out of memory", name);
	}
	f->fd = fd;
	f->size = (uint64_t)st.st_size;
	*ret = f;
	return TG_OK;
}

tg_status
tg_file_open(const char *path, struct tg_file **ret, struct tg_error *err)
{
	/* O_NONBLOCK: opening a FIFO by mistake must not hang */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	TG_REQUIRE(fd >= 0, err, errno == ENOENT ? TG_E_NOTFOUND : TG_E_IO, "%s: %m", path);
	return tg_file_from_fd(fd, path, ret, err);
}

void
tg_file_close(struct tg_file *f)
{
	if (f == NULL)
		return;
	close(f->fd);
	free(f->name);
	free(f);
}

int
tg_file_fd(const struct tg_file *f)
{
	return f->fd;
}

static tg_status
file_read_at(void *ctx, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	const struct tg_file *f = ctx;
	uint8_t *to = buf;

	while (n > 0) {
		ssize_t got = pread(f->fd, to, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		TG_REQUIRE(got >= 0, err, TG_E_IO, "%s: read at %llu: %m", f->name,
		    (unsigned long long)offset);
		errno = 0;
		TG_REQUIRE(got > 0, err, TG_E_IO, "%s: ends at byte %llu, it was longer before",
		    f->name, (unsigned long long)offset);
		to += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return TG_OK;
}

struct tg_source
tg_file_source(struct tg_file *f)
{
	return (struct tg_source){ file_read_at, f, f->size };
}

tg_status
tg_file_read(const char *path, struct tg_buf *out, struct tg_error *err)
{
	TG_AUTO(tg_file_closep) struct tg_file *f = NULL;
	uint8_t *to = NULL;

	TG_TRY(tg_file_open(path, &f, err));
	TG_REQUIRE(f->size <= out->max - out->n, err, TG_E_LIMIT, "%s: %llu bytes, at most %zu expected",
	    path, (unsigned long long)f->size, out->max);
	TG_REQUIRE(tg_buf_grow(out, (size_t)f->size, &to) == TG_OK, err, TG_E_NOMEM,
	    "%s: out of memory", path);
	tg_status s = file_read_at(f, to, (size_t)f->size, 0, err);
	if (s != TG_OK)
		out->n -= (size_t)f->size;
	return s;
}

tg_status
tg_file_read_secret(const char *path, size_t max, struct tg_secret **ret, struct tg_error *err)
{
	TG_AUTO(tg_file_closep) struct tg_file *f = NULL;
	TG_AUTO(tg_secret_freep) struct tg_secret *s = NULL;

	TG_TRY(tg_file_open(path, &f, err));
	TG_REQUIRE(f->size > 0, err, TG_E_FORMAT, "%s: empty file", path);
	TG_REQUIRE(f->size <= max, err, TG_E_LIMIT, "%s: %llu bytes, at most %zu expected", path,
	    (unsigned long long)f->size, max);
	TG_TRY(tg_secret_new((size_t)f->size, &s, err));
	TG_TRY(file_read_at(f, tg_secret_bytes(s), (size_t)f->size, 0, err));
	*ret = s;
	s = NULL;
	return TG_OK;
}

bool
tg_file_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

tg_status
tg_fd_write(int fd, const void *p, size_t n, const char *name, struct tg_error *err)
{
	const uint8_t *from = p;

	while (n > 0) {
		ssize_t put = write(fd, from, n);

		if (put < 0 && errno == EINTR)
			continue;
		TG_REQUIRE(put >= 0, err, TG_E_IO, "%s: write: %m", name);
		from += put;
		n -= (size_t)put;
	}
	return TG_OK;
}

tg_status
tg_fd_write_at(int fd, const void *p, size_t n, uint64_t offset, const char *name,
    struct tg_error *err)
{
	const uint8_t *from = p;

	while (n > 0) {
		ssize_t put = pwrite(fd, from, n, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		TG_REQUIRE(put >= 0, err, TG_E_IO, "%s: write at %llu: %m", name,
		    (unsigned long long)offset);
		from += put;
		offset += (uint64_t)put;
		n -= (size_t)put;
	}
	return TG_OK;
}

void
tg_fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
