/* tensor/zip.h - the central directory of a zip archive, read strictly. */
#ifndef TG_TENSOR_ZIP_H
#define TG_TENSOR_ZIP_H

#include <tensorguard/limits.h>

#include "tensor/window.h"

enum { TG_ZIP_STORED = 0, TG_ZIP_DEFLATED = 8 };

struct tg_zip_member {
	char name[TG_MAX_PATH_LEN + 1]; /* bytes as in the file; never a NUL among them */
	size_t name_len;
	uint16_t method; /* TG_ZIP_STORED, TG_ZIP_DEFLATED, or one we do not read */
	bool encrypted;
	uint64_t packed; /* bytes in the file */
	uint64_t size;   /* bytes, unpacked */
	uint64_t header; /* where its local header lies in the source */
};

/* An archive whose directory is read member by member. Lives on the stack, needs no release. */
struct tg_zip {
	struct tg_window in;
	uint64_t start; /* what offsets in the directory count from: bytes before the archive */
	uint64_t directory;
	uint64_t directory_end;
	uint64_t end_record; /* of this directory */
	uint64_t members;
	uint64_t at; /* of the next entry */
	uint64_t left;
	uint64_t unread; /* bytes of the file that no member has claimed so far */
};

/*
 * Find the last end record (zip64 too) that begins before `before` and within 64 KiB + 22 bytes of
 * the end of the file, and that leads some reader to a directory. Bytes may stand before the
 * archive and behind it; but where a reader that counts back from the record and one that takes
 * the recorded offset would disagree, the file is TG_E_FORMAT. *ret_found is false when there is no
 * such record. Start with before = src->size; go on with ret->end_record to see what a reader with
 * another taste might take for the archive.
 */
TG_MUST_CHECK tg_status tg_zip_open(const struct tg_source *src, uint64_t before,
    struct tg_zip *ret, bool *ret_found, struct tg_error *err);
static inline bool
tg_zip_more(const struct tg_zip *z)
{
	return z->left > 0;
}
/* The next member. TG_E_FORMAT also when members overlap or the directory does not end where it
 * should. */
TG_MUST_CHECK tg_status tg_zip_next(struct tg_zip *z, struct tg_zip_member *ret,
    struct tg_error *err);
/* Where the m->packed bytes of a member start, after a look at its local header: that has to have
 * the same name and method. */
TG_MUST_CHECK tg_status tg_zip_data(struct tg_zip *z, const struct tg_zip_member *m,
    uint64_t *ret_offset, struct tg_error *err);

/* Does the source start with a local header, or as an empty archive? */
TG_MUST_CHECK tg_status tg_zip_probe(const struct tg_source *src, bool *ret, struct tg_error *err);

#endif
