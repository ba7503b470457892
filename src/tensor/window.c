#include "tensor/window.h"

#include <inttypes.h>

#include "util/try.h"

void
tg_window_init(struct tg_window *w, const struct tg_source *src)
{
	w->src = src;
	w->at = 0;
	w->n = 0;
}

static bool
holds(const struct tg_window *w, uint64_t offset, size_t n)
{
	return offset >= w->at && offset - w->at <= w->n && n <= w->n - (offset - w->at);
}

/* Read ahead from offset. On failure the window holds nothing. */
static tg_status
fill(struct tg_window *w, uint64_t offset, struct tg_error *err)
{
	uint64_t left = w->src->size - offset;
	size_t n = left < TG_WINDOW_SIZE ? (size_t)left : TG_WINDOW_SIZE;

	w->n = 0;
	TG_TRY(w->src->read_at(w->src->ctx, w->buf, n, offset, err));
	w->at = offset;
	w->n = n;
	return TG_OK;
}

tg_status
tg_window_read(struct tg_window *w, uint64_t offset, void *to, size_t n, struct tg_error *err)
{
	TG_REQUIRE(offset <= w->src->size && n <= w->src->size - offset, err, TG_E_FORMAT,
	    "%zu bytes expected at offset %" PRIu64 ", the file ends at %" PRIu64, n, offset,
	    w->src->size);
	if (n > TG_WINDOW_SIZE)
		return w->src->read_at(w->src->ctx, to, n, offset, err);
	if (!holds(w, offset, n))
		TG_TRY(fill(w, offset, err));
	if (n > 0)
		memcpy(to, w->buf + (offset - w->at), n);
	return TG_OK;
}

tg_status
tg_window_view(struct tg_window *w, uint64_t offset, tg_bytes *ret, struct tg_error *err)
{
	TG_REQUIRE(offset < w->src->size, err, TG_E_FORMAT,
	    "a byte expected at offset %" PRIu64 ", the file ends at %" PRIu64, offset,
	    w->src->size);
	if (!holds(w, offset, 1))
		TG_TRY(fill(w, offset, err));
	*ret = (tg_bytes){ w->buf + (offset - w->at), w->n - (size_t)(offset - w->at) };
	return TG_OK;
}

tg_status
tg_window_le(struct tg_window *w, uint64_t offset, size_t width, uint64_t *ret,
    struct tg_error *err)
{
	uint8_t b[8] = { 0 };
	uint64_t v = 0;

	TG_REQUIRE(width >= 1 && width <= sizeof(b), err, TG_E_INTERNAL, "a number of %zu bytes",
	    width);
	TG_TRY(tg_window_read(w, offset, b, width, err));
	for (size_t i = width; i > 0; i--)
		v = v << 8 | b[i - 1];
	*ret = v;
	return TG_OK;
}

tg_status
tg_window_match(struct tg_window *w, uint64_t offset, tg_bytes want, bool *ret,
    struct tg_error *err)
{
	uint8_t b[64];
	bool there = offset <= w->src->size && want.n <= w->src->size - offset;

	TG_REQUIRE(want.n <= sizeof(b), err, TG_E_INTERNAL, "a comparison of %zu bytes", want.n);
	if (there)
		TG_TRY(tg_window_read(w, offset, b, want.n, err));
	*ret = there && tg_bytes_equal((tg_bytes){ b, want.n }, want);
	return TG_OK;
}
