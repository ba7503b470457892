#include "tensor/inflate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

#include "util/try.h"

struct tg_inflate {
	z_stream z;
	enum tg_inflate_kind kind;
	bool started;
	bool over; /* the stream has ended or broken: zeros from here on */
	const struct tg_source *src;
	uint64_t start, end; /* of the packed bytes, in src */
	uint64_t next;       /* packed bytes from here on are not yet in `in` */
	uint64_t at;         /* bytes that came out so far; UINT64_MAX: start again */
	uint64_t size;
	uint64_t end_met; /* what tg_inflate_end() tells */
	uint64_t *budget;
	size_t head_n; /* bytes of the start that are kept: everybody looks there first */
	uint8_t head[4096];
	uint8_t in[4096];
	uint8_t skip[4096];
};

tg_status
tg_inflate_new(const struct tg_source *src, uint64_t offset, uint64_t packed, uint64_t size,
    enum tg_inflate_kind kind, uint64_t *budget, struct tg_inflate **ret, struct tg_error *err)
{
	TG_AUTO(tg_inflate_freep) struct tg_inflate *z = NULL;

	TG_REQUIRE(offset <= src->size && packed <= src->size - offset, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": %" PRIu64 " deflated bytes expected, the file ends at %" PRIu64,
	    offset, packed, src->size);
	TG_REQUIRE(size <= tg_inflate_most(packed), err, TG_E_FORMAT,
	    "offset %" PRIu64 ": %" PRIu64 " deflated bytes cannot give %" PRIu64, offset, packed,
	    size);
	z = calloc(1, sizeof(*z));
	TG_REQUIRE(z != NULL, err, TG_E_NOMEM, "no memory to inflate");
	z->kind = kind;
	z->src = src;
	z->start = z->next = offset;
	z->end = offset + packed;
	z->size = size;
	z->end_met = UINT64_MAX;
	z->budget = budget;
	z->started =
	    inflateInit2(&z->z, kind == TG_INFLATE_RAW ? -MAX_WBITS : MAX_WBITS + 32) == Z_OK;
	TG_REQUIRE(z->started, err, TG_E_NOMEM, "no memory to inflate");
	*ret = z;
	z = NULL;
	return TG_OK;
}

void
tg_inflate_free(struct tg_inflate *z)
{
	if (z == NULL)
		return;
	if (z->started)
		(void)inflateEnd(&z->z);
	free(z);
}

static tg_status
rewind_to_start(struct tg_inflate *z, struct tg_error *err)
{
	z->next = z->start;
	z->at = 0;
	z->over = false;
	z->z.avail_in = 0;
	TG_REQUIRE(inflateReset(&z->z) == Z_OK, err, TG_E_INTERNAL, "inflate cannot start again");
	return TG_OK;
}

static tg_status
refill(struct tg_inflate *z, struct tg_error *err)
{
	uint64_t left = z->end - z->next;
	size_t n = left < sizeof(z->in) ? (size_t)left : sizeof(z->in);

	TG_TRY(z->src->read_at(z->src->ctx, z->in, n, z->next, err));
	z->next += n;
	z->z.next_in = z->in;
	z->z.avail_in = (uInt)n;
	return TG_OK;
}

static bool
packed_left(const struct tg_inflate *z)
{
	return z->z.avail_in > 0 || z->next < z->end;
}

/* Exactly n bytes come out. */
static tg_status
inflate_exactly(struct tg_inflate *z, uint8_t *to, size_t n, struct tg_error *err)
{
	TG_REQUIRE(n <= *z->budget, err, TG_E_LIMIT,
	    "offset %" PRIu64 ": more compressed data than is looked into", z->start);
	uint64_t start = z->at;
	*z->budget -= n;
	z->at = UINT64_MAX; /* a failure leaves the stream nowhere */
	z->z.next_out = to;
	z->z.avail_out = (uInt)n;
	while (z->z.avail_out > 0 && !z->over) {
		if (z->z.avail_in == 0)
			TG_TRY(refill(z, err));
		int rc = inflate(&z->z, Z_NO_FLUSH);
		TG_REQUIRE(rc != Z_MEM_ERROR, err, TG_E_NOMEM, "no memory to inflate");
		if (rc == Z_STREAM_END && z->kind == TG_INFLATE_AUTO && packed_left(z))
			rc = inflateReset(&z->z); /* readers go on with a stream that follows */
		z->over = rc != Z_OK;
		if (z->over)
			z->end_met = start + n - z->z.avail_out;
	}
	memset(to + (n - z->z.avail_out), 0, z->z.avail_out);
	z->at = start + n;
	return TG_OK;
}

static tg_status
head_read(struct tg_inflate *z, struct tg_error *err)
{
	size_t n = z->size < sizeof(z->head) ? (size_t)z->size : sizeof(z->head);

	TG_TRY(rewind_to_start(z, err));
	TG_TRY(inflate_exactly(z, z->head, n, err));
	z->head_n = n;
	return TG_OK;
}

static tg_status
inflate_read_at(void *ctx, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	struct tg_inflate *z = ctx;
	uint8_t *to = buf;

	TG_REQUIRE(offset <= z->size && n <= z->size - offset, err, TG_E_USAGE,
	    "%zu bytes at %" PRIu64 " of %" PRIu64 " asked for", n, offset, z->size);
	if (z->head_n == 0)
		TG_TRY(head_read(z, err));
	if (offset + n <= z->head_n) {
		memcpy(buf, z->head + offset, n);
		return TG_OK;
	}
	if (offset < z->at)
		TG_TRY(rewind_to_start(z, err));
	while (z->at < offset && !z->over) {
		uint64_t left = offset - z->at;
		size_t step = left < sizeof(z->skip) ? (size_t)left : sizeof(z->skip);

		TG_TRY(inflate_exactly(z, z->skip, step, err));
	}
	z->at = offset; /* behind the end of the stream all places are alike */
	while (n > 0) {
		size_t step = n < (1u << 30) ? n : 1u << 30; /* zlib counts in 32 bits */

		TG_TRY(inflate_exactly(z, to, step, err));
		to += step;
		n -= step;
	}
	return TG_OK;
}

uint64_t
tg_inflate_end(const struct tg_inflate *z)
{
	return z->end_met;
}

struct tg_source
tg_inflate_source(struct tg_inflate *z)
{
	return (struct tg_source){ .read_at = inflate_read_at, .ctx = z, .size = z->size };
}
