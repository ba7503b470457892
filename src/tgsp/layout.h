/* tgsp/layout.h - where things lie in a payload (docs/PROTOCOL.tgsp.md section 1). */
#ifndef TG_TGSP_LAYOUT_H
#define TG_TGSP_LAYOUT_H

#include "util/bytes.h"

#define TGSP_INDEX_RECORD 48 /* leaf[32] || tag[16] */

struct tgsp_layout {
	unsigned chunk_log2;
	uint64_t plain_len;
	uint64_t chunks;
	uint64_t index_at; /* file offsets */
	uint64_t index_len;
	uint64_t pad_len;
	uint64_t ct_at; /* multiple of TG_PAYLOAD_ALIGN */
	uint64_t payload_len;
};

/* The layout of a payload that starts at file offset payload_at. TG_E_LIMIT out of bounds. */
TG_MUST_CHECK tg_status tgsp_layout(uint64_t plain_len, unsigned chunk_log2, uint64_t payload_at,
    struct tgsp_layout *ret, struct tg_error *err);

/* What a writer takes: the smallest chunk_log2 >= 16 with at most TG_MAX_CHUNKS chunks. */
TG_MUST_CHECK tg_status tgsp_chunk_log2_for(uint64_t plain_len, unsigned *ret,
    struct tg_error *err);

static inline size_t
tgsp_chunk_size(const struct tgsp_layout *l)
{
	return (size_t)1 << l->chunk_log2;
}

/* Bytes of chunk i: all are whole but the last. */
static inline size_t
tgsp_chunk_len(const struct tgsp_layout *l, uint64_t i)
{
	const uint64_t from = i << l->chunk_log2;

	return l->plain_len - from < tgsp_chunk_size(l) ? (size_t)(l->plain_len - from)
							 : tgsp_chunk_size(l);
}

/* The next multiple of TG_PAYLOAD_ALIGN: where the next file's bytes start. */
static inline uint64_t
tgsp_align_up(uint64_t v)
{
	return (v + 4095) & ~(uint64_t)4095;
}

#endif
