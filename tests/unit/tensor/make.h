/* tests/unit/tensor/make.h - small files for the tests, built byte by byte. */
#ifndef TG_TESTS_TENSOR_MAKE_H
#define TG_TESTS_TENSOR_MAKE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tensorguard/io.h>
#include <zlib.h>

/* A file in the making. Too much is an abort: tests know how long their files are. */
struct made {
	uint8_t b[1 << 17];
	size_t n;
};

static inline void
put(struct made *m, const void *p, size_t n)
{
	if (n > sizeof(m->b) - m->n)
		abort();
	if (n > 0)
		memcpy(m->b + m->n, p, n);
	m->n += n;
}

static inline void
put_str(struct made *m, const char *s)
{
	put(m, s, strlen(s));
}

static inline void
put_le(struct made *m, uint64_t v, size_t width)
{
	for (size_t i = 0; i < width; i++) {
		uint8_t b = (uint8_t)(i < 8 ? v >> 8 * i : 0);

		put(m, &b, 1);
	}
}

static inline void
put_made(struct made *m, const struct made *other)
{
	put(m, other->b, other->n);
}

/* Protobuf. */
static inline void
put_varint(struct made *m, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		put_le(m, (v & 0x7f) | 0x80, 1);
	put_le(m, v, 1);
}

static inline void
put_number(struct made *m, unsigned field, uint64_t v)
{
	put_varint(m, field << 3);
	put_varint(m, v);
}

static inline void
put_field(struct made *m, unsigned field, const void *p, size_t n)
{
	put_varint(m, field << 3 | 2);
	put_varint(m, n);
	put(m, p, n);
}

static inline void
put_text(struct made *m, unsigned field, const char *s)
{
	put_field(m, field, s, strlen(s));
}

static inline void
put_message(struct made *m, unsigned field, const struct made *inner)
{
	put_field(m, field, inner->b, inner->n);
}

/* Zip: a member at a time into the file and its entry into the directory, then the end. */
struct zip_entry {
	const char *name;
	uint16_t method, flags;
	uint64_t packed, size, header;
};

static inline void
put_zip_entry(struct made *dir, const struct zip_entry *e)
{
	put_str(dir, "PK\1\2");
	put_le(dir, 20, 2);
	put_le(dir, 20, 2);
	put_le(dir, e->flags, 2);
	put_le(dir, e->method, 2);
	put_le(dir, 0, 8); /* time, date, crc */
	put_le(dir, e->packed, 4);
	put_le(dir, e->size, 4);
	put_le(dir, strlen(e->name), 2);
	put_le(dir, 0, 2 + 2 + 2 + 2 + 4); /* extra, comment, disk, attributes */
	put_le(dir, e->header, 4);
	put_str(dir, e->name);
}

static inline void
put_zip_local(struct made *zip, const struct zip_entry *e)
{
	put_str(zip, "PK\3\4");
	put_le(zip, 20, 2);
	put_le(zip, e->flags, 2);
	put_le(zip, e->method, 2);
	put_le(zip, 0, 8);
	put_le(zip, e->packed, 4);
	put_le(zip, e->size, 4);
	put_le(zip, strlen(e->name), 2);
	put_le(zip, 0, 2);
	put_str(zip, e->name);
}

static inline void
put_zip_stored(struct made *zip, struct made *dir, const char *name, const void *p, size_t n)
{
	struct zip_entry e = { .name = name, .packed = n, .size = n, .header = zip->n };

	put_zip_local(zip, &e);
	put(zip, p, n);
	put_zip_entry(dir, &e);
}

static inline size_t
deflate_raw(uint8_t *to, size_t room, const void *p, size_t n, int window_bits)
{
	z_stream z = { .next_in = (z_const Bytef *)(uintptr_t)p,
		.avail_in = (uInt)n,
		.next_out = to,
		.avail_out = (uInt)room };

	if (deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflate(&z, Z_FINISH) != Z_STREAM_END || deflateEnd(&z) != Z_OK)
		abort();
	return room - z.avail_out;
}

static inline void
put_zip_deflated(struct made *zip, struct made *dir, const char *name, const void *p, size_t n)
{
	static uint8_t packed[1 << 17];
	struct zip_entry e = { .name = name, .method = 8, .size = n, .header = zip->n };

	e.packed = deflate_raw(packed, sizeof(packed), p, n, -MAX_WBITS);
	put_zip_local(zip, &e);
	put(zip, packed, (size_t)e.packed);
	put_zip_entry(dir, &e);
}

/* `at` is what the record says about the directory's place. */
static inline void
put_zip_end(struct made *zip, const struct made *dir, unsigned members, uint64_t at)
{
	put_made(zip, dir);
	put_str(zip, "PK\5\6");
	put_le(zip, 0, 4);
	put_le(zip, members, 2);
	put_le(zip, members, 2);
	put_le(zip, dir->n, 4);
	put_le(zip, at, 4);
	put_le(zip, 0, 2);
}

/* A source over memory that fails with TG_E_IO at the fail_at-th read, counted from 1; 0: never. */
struct flaky {
	tg_bytes view;
	unsigned reads, fail_at;
};

static inline tg_status
flaky_read_at(void *ctx, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	struct flaky *f = ctx;

	(void)err;
	if (offset > f->view.n || n > f->view.n - offset)
		abort(); /* a source is never read past its size */
	if (++f->reads == f->fail_at)
		return TG_E_IO;
	if (n > 0)
		memcpy(buf, f->view.p + offset, n);
	return TG_OK;
}

static inline struct tg_source
flaky_source(struct flaky *f)
{
	return (struct tg_source){ .read_at = flaky_read_at, .ctx = f, .size = f->view.n };
}

/* A plain source over memory, with the same check. */
#define SOURCE(var, ptr, len)                                                                      \
	struct flaky var##_f = { .view = { (const uint8_t *)(ptr), (len) } };                      \
	struct tg_source var = flaky_source(&var##_f)

#endif
