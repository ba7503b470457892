/* tensor/tar.h - the members of an uncompressed tar archive, as Python's tarfile takes them. */
#ifndef TG_TENSOR_TAR_H
#define TG_TENSOR_TAR_H

#include "tensor/window.h"

struct tg_tar_member {
	char name[101]; /* the header's short name; NUL-terminated */
	uint64_t offset;
	uint64_t size;
};

/* Lives on the stack, needs no release. */
struct tg_tar {
	struct tg_window in;
	uint64_t at; /* of the next header */
};

/* Does the source start with a tar header of a right checksum? */
TG_MUST_CHECK tg_status tg_tar_probe(const struct tg_source *src, bool *ret, struct tg_error *err);
void tg_tar_init(struct tg_tar *t, const struct tg_source *src);
/*
 * The next record that has contents; *ret_found is false at the end, which is a block that is no
 * header. Extended headers are records like others. TG_E_FORMAT where readers would not agree on
 * what comes next: a size in an extended header, sparse files, a folder with contents.
 */
TG_MUST_CHECK tg_status tg_tar_next(struct tg_tar *t, struct tg_tar_member *ret, bool *ret_found,
    struct tg_error *err);

#endif
