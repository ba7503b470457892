/* tensor/slice.h - a range of a source, as a source. */
#ifndef TG_TENSOR_SLICE_H
#define TG_TENSOR_SLICE_H

#include "util/bytes.h"

struct tg_slice {
	const struct tg_source *of; /* borrowed */
	uint64_t start;
};

/* A source of n bytes from start. s is filled in, and borrowed as long as the source is used.
 * TG_E_FORMAT when the range is not inside `of`. */
TG_MUST_CHECK tg_status tg_slice_source(struct tg_slice *s, const struct tg_source *of,
    uint64_t start, uint64_t n, struct tg_source *ret, struct tg_error *err);

#endif
