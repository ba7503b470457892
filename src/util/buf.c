#include "util/buf.h"

#include <stdlib.h>
#include <string.h>

#include "util/try.h"
#include "util/wipe.h"

void
tg_buf_init(struct tg_buf *b, size_t max)
{
	*b = (struct tg_buf){ .max = max };
}

void
tg_buf_done(struct tg_buf *b)
{
	if (b->p != NULL)
		tg_wipe(b->p, b->cap);
	free(b->p);
	*b = (struct tg_buf){ .max = b->max };
}

tg_status
tg_buf_grow(struct tg_buf *b, size_t n, uint8_t **ret)
{
	if (n > b->max - b->n)
		return TG_E_LIMIT;
	if (n > b->cap - b->n || b->p == NULL) {
		size_t cap = b->cap < 64 ? 64 : b->cap;

		while (cap < b->n + n)
			cap = cap > b->max / 2 ? b->max : cap * 2;
		uint8_t *q = malloc(cap); /* not realloc: the old copy must be wiped */
		if (q == NULL)
			return TG_E_NOMEM;
		if (b->p != NULL) {
			memcpy(q, b->p, b->n);
			tg_wipe(b->p, b->cap);
			free(b->p);
		}
		b->p = q;
		b->cap = cap;
	}
	*ret = b->p + b->n;
	b->n += n;
	return TG_OK;
}

tg_status
tg_buf_put(struct tg_buf *b, const void *p, size_t n)
{
	uint8_t *to = NULL;

	TG_TRY(tg_buf_grow(b, n, &to));
	if (n > 0)
		memcpy(to, p, n);
	return TG_OK;
}

tg_status
tg_buf_put_str(struct tg_buf *b, const char *s)
{
	return tg_buf_put(b, s, strlen(s));
}

tg_status
tg_buf_put_u8(struct tg_buf *b, uint8_t v)
{
	return tg_buf_put(b, &v, 1);
}

tg_status
tg_buf_put_u32be(struct tg_buf *b, uint32_t v)
{
	uint8_t w[4];

	tg_put_u32be(w, v);
	return tg_buf_put(b, w, sizeof(w));
}

tg_status
tg_buf_put_u64be(struct tg_buf *b, uint64_t v)
{
	uint8_t w[8];

	tg_put_u64be(w, v);
	return tg_buf_put(b, w, sizeof(w));
}
