/* tensor/npy.h - NumPy's .npy files: one array, behind a header in Python's notation. */
#ifndef TG_TENSOR_NPY_H
#define TG_TENSOR_NPY_H

#include <tensorguard/limits.h>

#include "util/buf.h"

struct tg_npy {
	char dtype[TG_MAX_DTYPE_LEN + 1]; /* dtype.h name: BOOL U8 ... F64, without BF16 and F8 */
	unsigned rank;
	uint64_t shape[TG_MAX_TENSOR_RANK];
	uint64_t offset; /* of the data, bytes from the start of the file */
	uint64_t size;   /* bytes of data, little-endian elements in C order */
};

/*
 * Read the header of a version 1.0, 2.0 or 3.0 file and check that the data fills the rest of it.
 * TG_E_POLICY for an array of Python objects, which is a pickle; TG_E_UNSUPPORTED for big-endian,
 * Fortran order, and types that are no dtype of ours (structures, text, complex numbers, dates).
 * *ret is overwritten, on success only.
 */
TG_MUST_CHECK tg_status tg_npy_scan(const struct tg_source *src, struct tg_npy *ret,
    struct tg_error *err);

/* Append the header for an array whose data follows at once: of version 1.0, and a multiple of 64
 * bytes long. TG_E_UNSUPPORTED for BF16 and F8, which NumPy has no name for; out is as it was on
 * any failure. */
TG_MUST_CHECK tg_status tg_npy_header(const char *dtype, unsigned rank, const uint64_t *shape,
    struct tg_buf *out, struct tg_error *err);

/* Does the source start with the magic of .npy? False on a failure to read. */
bool tg_npy_probe(const struct tg_source *src);

/*
 * Could NumPy unpickle this? True for a header that names, or may hide, the type 'O'; more
 * suspicious than tg_npy_scan() needs to be. *ret is false for what is no .npy that NumPy reads.
 */
TG_MUST_CHECK tg_status tg_npy_has_objects(const struct tg_source *src, bool *ret,
    struct tg_error *err);

#endif
