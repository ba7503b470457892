/* util/newfile.h - a file that is not seen before it is complete. */
#ifndef TG_UTIL_NEWFILE_H
#define TG_UTIL_NEWFILE_H

#include "util/dir.h"

/*
 * A file on its way into a directory. Until tg_newfile_commit() it has no name, so that nothing
 * partial is ever seen; closing it uncommitted leaves nothing behind.
 */
struct tg_newfile;

/* `d` must outlive it. *ret is new: release with tg_newfile_close(). */
TG_MUST_CHECK tg_status tg_newfile_create(const struct tg_dir *d, const char *rel, unsigned mode,
    struct tg_newfile **ret, struct tg_error *err);
/* The same for a path of the caller's own choosing, links in its directories followed. */
TG_MUST_CHECK tg_status tg_newfile_create_path(const char *path, unsigned mode,
    struct tg_newfile **ret, struct tg_error *err);
/* Borrowed: valid until tg_newfile_close(). */
struct tg_target tg_newfile_target(struct tg_newfile *f);
struct tg_sink tg_newfile_sink(struct tg_newfile *f); /* appends */
int tg_newfile_fd(const struct tg_newfile *f);
/* mtime, seconds since 1970. */
TG_MUST_CHECK tg_status tg_newfile_set_mtime(struct tg_newfile *f, int64_t t, struct tg_error *err);
/* Make it durable and give it its name; parents of that are made (0755) when absent.
 * TG_E_CONFLICT when the name is taken and !replace. To replace, the complete file has a hidden
 * temporary name (.tg-*.tmp) between two system calls; a kill just there leaves it behind. */
TG_MUST_CHECK tg_status tg_newfile_commit(struct tg_newfile *f, bool replace, struct tg_error *err);
void tg_newfile_close(struct tg_newfile *f); /* accepts NULL */
static inline void
tg_newfile_closep(struct tg_newfile **f)
{
	tg_newfile_close(*f);
}

/* How many files this process may hold open beside those it has, at most `want`; the soft limit is
 * raised to the hard one for it. */
size_t tg_files_allowed(size_t want);

#endif
