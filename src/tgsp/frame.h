/* tgsp/frame.h - the outer frame: magic and five length-prefixed sections. */
#ifndef TG_TGSP_FRAME_H
#define TG_TGSP_FRAME_H

#include "util/buf.h"

#define TGSP_MAGIC_LEN 6
extern const uint8_t tgsp_magic[TGSP_MAGIC_LEN];

/* Everything but the payload, as received. Nothing here is authenticated. */
struct tgsp_frame {
	struct tg_buf header, manifest, recipients, signature; /* JSON bytes */
	uint64_t payload_at;                                   /* file offset */
	uint64_t payload_len;
};

void tgsp_frame_init(struct tgsp_frame *f); /* cannot fail, allocates nothing */
void tgsp_frame_done(struct tgsp_frame *f);

/* Step 1 of the reader's order: magic, lengths within limits, file of exactly that size. */
TG_MUST_CHECK tg_status tgsp_frame_read(const struct tg_source *src, struct tgsp_frame *f,
    struct tg_error *err);

/* What stands before the payload, with the lengths of these views. */
TG_MUST_CHECK tg_status tgsp_frame_write_head(tg_bytes header, tg_bytes manifest,
    tg_bytes recipients, uint64_t payload_len, struct tg_buf *out, struct tg_error *err);
/* What stands behind it. */
TG_MUST_CHECK tg_status tgsp_frame_write_tail(tg_bytes signature, struct tg_buf *out,
    struct tg_error *err);

/* File offset of the payload behind sections of these lengths. */
static inline uint64_t
tgsp_frame_payload_at(size_t hlen, size_t mlen, size_t rlen)
{
	return TGSP_MAGIC_LEN + 3 * 4 + (uint64_t)hlen + mlen + rlen + 8;
}

#endif
