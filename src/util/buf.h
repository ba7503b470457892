/* util/buf.h - a growable byte buffer that refuses to grow past its limit. */
#ifndef TG_UTIL_BUF_H
#define TG_UTIL_BUF_H

#include "util/bytes.h"

/* Owns its memory. A failed put changes nothing. Every outgrown copy is wiped. */
struct tg_buf {
	uint8_t *p;
	size_t n;
	size_t cap;
	size_t max;
};

void tg_buf_init(struct tg_buf *b, size_t max); /* cannot fail, allocates nothing */
void tg_buf_done(struct tg_buf *b);             /* wipes, frees; b may be used again */
TG_MUST_CHECK tg_status tg_buf_put(struct tg_buf *b, const void *p, size_t n);
TG_MUST_CHECK tg_status tg_buf_put_str(struct tg_buf *b, const char *s);
TG_MUST_CHECK tg_status tg_buf_put_u8(struct tg_buf *b, uint8_t v);
TG_MUST_CHECK tg_status tg_buf_put_u32be(struct tg_buf *b, uint32_t v);
TG_MUST_CHECK tg_status tg_buf_put_u64be(struct tg_buf *b, uint64_t v);
/* n bytes at the end, uninitialised; *ret is valid until the next put. */
TG_MUST_CHECK tg_status tg_buf_grow(struct tg_buf *b, size_t n, uint8_t **ret);

static inline tg_bytes
tg_buf_view(const struct tg_buf *b)
{
	return (tg_bytes){ b->p, b->n };
}

#endif
