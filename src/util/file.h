/* util/file.h - regular files: as a source, or read whole within a bound. */
#ifndef TG_UTIL_FILE_H
#define TG_UTIL_FILE_H

#include <tensorguard/secret.h>

#include "util/buf.h"

/* An open regular file of a size fixed at opening. */
struct tg_file;

/* TG_E_NOTFOUND when absent. *ret is new: release with tg_file_close(). */
TG_MUST_CHECK tg_status tg_file_open(const char *path, struct tg_file **ret, struct tg_error *err);
/* The same over an open descriptor, which is taken over, on failure too; name is copied. */
TG_MUST_CHECK tg_status tg_file_from_fd(int fd, const char *name, struct tg_file **ret,
    struct tg_error *err);
void tg_file_close(struct tg_file *f); /* accepts NULL */
static inline void
tg_file_closep(struct tg_file **f)
{
	tg_file_close(*f);
}
/* Borrowed: valid until tg_file_close(). A file cut short meanwhile is TG_E_IO. */
struct tg_source tg_file_source(struct tg_file *f);
int tg_file_fd(const struct tg_file *f);

/* Append the whole file to out, whose limit is the file's. */
TG_MUST_CHECK tg_status tg_file_read(const char *path, struct tg_buf *out, struct tg_error *err);
/* The whole file, 1 ... max bytes, in protected memory; *ret is new. */
TG_MUST_CHECK tg_status tg_file_read_secret(const char *path, size_t max, struct tg_secret **ret,
    struct tg_error *err);
/* True when something stands at the path, of whatever kind. */
bool tg_file_exists(const char *path);

/* All n bytes to fd, however many calls it takes. */
TG_MUST_CHECK tg_status tg_fd_write(int fd, const void *p, size_t n, const char *name,
    struct tg_error *err);
TG_MUST_CHECK tg_status tg_fd_write_at(int fd, const void *p, size_t n, uint64_t offset,
    const char *name, struct tg_error *err);
void tg_fd_closep(int *fd); /* for TG_AUTO; -1 is fine */

#endif
