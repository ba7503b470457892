#include "tensor/slice.h"

#include <inttypes.h>

#include "util/try.h"

static tg_status
slice_read_at(void *ctx, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	const struct tg_slice *s = ctx;

	return s->of->read_at(s->of->ctx, buf, n, s->start + offset, err);
}

tg_status
tg_slice_source(struct tg_slice *s, const struct tg_source *of, uint64_t start, uint64_t n,
    struct tg_source *ret, struct tg_error *err)
{
	TG_REQUIRE(start <= of->size && n <= of->size - start, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": %" PRIu64 " bytes expected, the file ends at %" PRIu64, start, n,
	    of->size);
	*s = (struct tg_slice){ of, start };
	*ret = (struct tg_source){ .read_at = slice_read_at, .ctx = s, .size = n };
	return TG_OK;
}
