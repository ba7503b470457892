#include "util/bytes.h"

#include <stdlib.h>

#include "util/try.h"

void
tg_reader_init(struct tg_reader *r, tg_bytes in, struct tg_error *err)
{
	*r = (struct tg_reader){ .in = in, .err = err };
}

size_t
tg_reader_left(const struct tg_reader *r)
{
	return r->in.n - r->at;
}

tg_status
tg_reader_take(struct tg_reader *r, size_t n, tg_bytes *ret)
{
	TG_REQUIRE(n <= tg_reader_left(r), r->err, TG_E_FORMAT,
	    "%zu bytes expected at offset %zu, %zu there", n, r->at, tg_reader_left(r));
	*ret = (tg_bytes){ r->in.p + r->at, n };
	r->at += n;
	return TG_OK;
}

/* The next n <= 8 bytes as a number. */
static tg_status
number(struct tg_reader *r, size_t n, bool big_endian, uint64_t *ret)
{
	tg_bytes b = { NULL, 0 };
	uint64_t v = 0;

	TG_TRY(tg_reader_take(r, n, &b));
	for (size_t i = 0; i < n; i++)
		v = v << 8 | b.p[big_endian ? i : n - 1 - i];
	*ret = v;
	return TG_OK;
}

tg_status
tg_reader_u8(struct tg_reader *r, uint8_t *ret)
{
	uint64_t v = 0;

	TG_TRY(number(r, 1, true, &v));
	*ret = (uint8_t)v;
	return TG_OK;
}

tg_status
tg_reader_u32be(struct tg_reader *r, uint32_t *ret)
{
	uint64_t v = 0;

	TG_TRY(number(r, 4, true, &v));
	*ret = (uint32_t)v;
	return TG_OK;
}

tg_status
tg_reader_u64be(struct tg_reader *r, uint64_t *ret)
{
	return number(r, 8, true, ret);
}

tg_status
tg_reader_u16le(struct tg_reader *r, uint16_t *ret)
{
	uint64_t v = 0;

	TG_TRY(number(r, 2, false, &v));
	*ret = (uint16_t)v;
	return TG_OK;
}

tg_status
tg_reader_u32le(struct tg_reader *r, uint32_t *ret)
{
	uint64_t v = 0;

	TG_TRY(number(r, 4, false, &v));
	*ret = (uint32_t)v;
	return TG_OK;
}

tg_status
tg_reader_u64le(struct tg_reader *r, uint64_t *ret)
{
	return number(r, 8, false, ret);
}

tg_status
tg_reader_end(const struct tg_reader *r)
{
	TG_REQUIRE(tg_reader_left(r) == 0, r->err, TG_E_FORMAT, "%zu bytes too many after offset %zu",
	    tg_reader_left(r), r->at);
	return TG_OK;
}

/* strndup() may read on behind the view to look for a NUL. */
char *
tg_bytes_text(tg_bytes b)
{
	char *ret = malloc(b.n + 1);

	if (ret == NULL)
		return NULL;
	if (b.n > 0)
		memcpy(ret, b.p, b.n);
	ret[b.n] = '\0';
	return ret;
}
