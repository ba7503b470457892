/* tensor/inflate.h - a deflated range of a source, as a source. */
#ifndef TG_TENSOR_INFLATE_H
#define TG_TENSOR_INFLATE_H

#include "util/bytes.h"

/* One deflate stream being read forwards. Reading backwards starts it again. */
struct tg_inflate;

enum tg_inflate_kind {
	TG_INFLATE_RAW,  /* as in zip */
	TG_INFLATE_AUTO, /* with a zlib or gzip header; streams that follow are read on into */
};

/* The most bytes that so many deflated ones give. */
static inline uint64_t
tg_inflate_most(uint64_t packed)
{
	return packed < UINT64_MAX / 2048 ? packed * 1032 + 1032 : UINT64_MAX;
}

/*
 * `size` is how many bytes can be read; more than `packed` ones give is TG_E_FORMAT. Those that the
 * stream does not give, because it ends or breaks before, are zero: a loader would have used what
 * came earlier, so that must be readable. Every byte that comes out is taken from *budget, and
 * TG_E_LIMIT is the answer when that is spent. src and budget are borrowed; *ret is new.
 */
TG_MUST_CHECK tg_status tg_inflate_new(const struct tg_source *src, uint64_t offset,
    uint64_t packed, uint64_t size, enum tg_inflate_kind kind, uint64_t *budget,
    struct tg_inflate **ret, struct tg_error *err);
void tg_inflate_free(struct tg_inflate *z); /* accepts NULL */
static inline void
tg_inflate_freep(struct tg_inflate **z)
{
	tg_inflate_free(*z);
}
/* How many bytes the stream gives, if that has been met; UINT64_MAX if not. */
uint64_t tg_inflate_end(const struct tg_inflate *z);
/* Borrowed: valid until tg_inflate_free(). From one thread at a time, unlike other sources. */
struct tg_source tg_inflate_source(struct tg_inflate *z);

#endif
