/* util/dir.h - a directory whose contents are reached beneath it, never through a link. */
#ifndef TG_UTIL_DIR_H
#define TG_UTIL_DIR_H

#include "util/file.h"

struct tg_dir;

/* The directory itself may be named through links. *ret is new: release with tg_dir_close(). */
TG_MUST_CHECK tg_status tg_dir_open(const char *path, struct tg_dir **ret, struct tg_error *err);
/* As tg_dir_open(), but made with mode 0755 when absent; *ret_made says so. */
TG_MUST_CHECK tg_status tg_dir_make(const char *path, struct tg_dir **ret, bool *ret_made,
    struct tg_error *err);
void tg_dir_close(struct tg_dir *d); /* accepts NULL */
static inline void
tg_dir_closep(struct tg_dir **d)
{
	tg_dir_close(*d);
}
const char *tg_dir_name(const struct tg_dir *d);
int tg_dir_fd(const struct tg_dir *d);

/* Open the regular file at the relative path `rel`. A link anywhere on the way is refused. */
TG_MUST_CHECK tg_status tg_dir_file(const struct tg_dir *d, const char *rel, struct tg_file **ret,
    struct tg_error *err);

/*
 * Call `found` for every regular file beneath, depth first, no particular order. A symbolic link,
 * a device, socket or FIFO, or a name that is not UTF-8 ends the walk with TG_E_USAGE.
 */
TG_MUST_CHECK tg_status tg_dir_walk(const struct tg_dir *d,
    tg_status (*found)(void *ctx, const char *rel, uint64_t size, struct tg_error *err), void *ctx,
    struct tg_error *err);

/* Hold the folder that `path` stands in, so that one process at a time replaces the file; released
 * when *ret is closed. The lock is on the folder because the file itself does not stay the same. */
TG_MUST_CHECK tg_status tg_lock_beside(const char *path, int *ret, struct tg_error *err);

/* Open the folder of the file `rel` beneath the folder `dir`, making what is missing of it (0755).
 * -1 and errno on failure. */
int tg_dir_parent(int dir, const char *rel);
/* Open the folder a path of the caller's own choosing ends in, links followed; *ret_base is the
 * last part, borrowed from path. */
TG_MUST_CHECK tg_status tg_dir_of_path(const char *path, int *ret, const char **ret_base,
    struct tg_error *err);

/* Remove what a failed operation has committed: a file, or a directory if it is empty. */
void tg_dir_remove(const struct tg_dir *d, const char *rel);
/* True when something stands at `rel`, of whatever kind. */
bool tg_dir_has(const struct tg_dir *d, const char *rel);

#endif
