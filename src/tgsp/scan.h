/* tgsp/scan.h - pass 1 over the inputs of a build: hash, format, code, tensors. */
#ifndef TG_TGSP_SCAN_H
#define TG_TGSP_SCAN_H

#include <tensorguard/build.h>

#include "tensor/list.h"
#include "tgsp/manifest.h"

struct tgsp_scanned {
	const struct tg_build_input *input;
	uint64_t size;
	uint8_t sha256[TG_HASH_LEN];
	const char *format; /* static storage; NULL: unknown */
	struct tg_tensor_list tensors;
};

struct tgsp_scan {
	struct tgsp_scanned *at; /* in path order */
	size_t n;
};
void tgsp_scan_done(struct tgsp_scan *s);

/* Sort, check the paths, and look at every file, several at a time. */
TG_MUST_CHECK tg_status tgsp_scan(const struct tg_build_spec *spec, struct tgsp_scan *ret,
    const struct tg_progress *progress, struct tg_error *err);

/*
 * The manifest's tensor table: sorted, names unique. A name that occurs in several places is
 * qualified with its path ("model.onnx:weight"); what cannot be named is counted in *ret_skipped.
 * Strings are borrowed from `s` or owned by the table.
 */
struct tgsp_tensor_table {
	struct tgsp_tensor *at;
	size_t n;
	char **owned;
	size_t n_owned;
};
void tgsp_tensor_table_done(struct tgsp_tensor_table *t);
TG_MUST_CHECK tg_status tgsp_tensor_table(const struct tgsp_scan *s, struct tgsp_tensor_table *ret,
    size_t *ret_skipped, struct tg_error *err);

#endif
