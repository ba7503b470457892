/* util/bytes.h - bounds-checked reading of outside bytes. */
#ifndef TG_UTIL_BYTES_H
#define TG_UTIL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <tensorguard/io.h>

/* Cursor over a view. Every get checks bounds; a failed get moves nothing. */
struct tg_reader {
	tg_bytes in;
	size_t at;
	struct tg_error *err;
};

void tg_reader_init(struct tg_reader *r, tg_bytes in, struct tg_error *err);
size_t tg_reader_left(const struct tg_reader *r);
TG_MUST_CHECK tg_status tg_reader_u8(struct tg_reader *r, uint8_t *ret);
TG_MUST_CHECK tg_status tg_reader_u32be(struct tg_reader *r, uint32_t *ret);
TG_MUST_CHECK tg_status tg_reader_u64be(struct tg_reader *r, uint64_t *ret);
TG_MUST_CHECK tg_status tg_reader_u16le(struct tg_reader *r, uint16_t *ret);
TG_MUST_CHECK tg_status tg_reader_u32le(struct tg_reader *r, uint32_t *ret);
TG_MUST_CHECK tg_status tg_reader_u64le(struct tg_reader *r, uint64_t *ret);
/* Borrow the next n bytes in place. */
TG_MUST_CHECK tg_status tg_reader_take(struct tg_reader *r, size_t n, tg_bytes *ret);
/* Fails unless every byte has been consumed. */
TG_MUST_CHECK tg_status tg_reader_end(const struct tg_reader *r);

static inline void
tg_put_u32be(uint8_t out[static 4], uint32_t v)
{
	out[0] = (uint8_t)(v >> 24);
	out[1] = (uint8_t)(v >> 16);
	out[2] = (uint8_t)(v >> 8);
	out[3] = (uint8_t)v;
}

static inline void
tg_put_u64be(uint8_t out[static 8], uint64_t v)
{
	tg_put_u32be(out, (uint32_t)(v >> 32));
	tg_put_u32be(out + 4, (uint32_t)v);
}

static inline uint32_t
tg_get_u32be(const uint8_t p[static 4])
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t
tg_get_u64be(const uint8_t p[static 8])
{
	return (uint64_t)tg_get_u32be(p) << 32 | tg_get_u32be(p + 4);
}

/* A view of a C string without its NUL. */
static inline tg_bytes
tg_bytes_str(const char *s)
{
	return (tg_bytes){ (const uint8_t *)s, strlen(s) };
}

/* A C string of a view without NULs; NULL when out of memory. Release with free(). */
char *tg_bytes_text(tg_bytes b);

static inline bool
tg_bytes_equal(tg_bytes a, tg_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* *ret = a + b or a * b; false, and *ret untouched, when it does not fit. */
static inline bool
tg_add_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t v;

	if (__builtin_add_overflow(a, b, &v))
		return false;
	*ret = v;
	return true;
}

static inline bool
tg_mul_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t v;

	if (__builtin_mul_overflow(a, b, &v))
		return false;
	*ret = v;
	return true;
}

#endif
