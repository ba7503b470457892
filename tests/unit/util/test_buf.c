#include "../../tap.h"
#include "util/buf.h"

#include <stdlib.h>

static void
a_put_past_the_limit_changes_nothing(void)
{
	struct tg_buf b;
	uint8_t *p = NULL;

	tg_buf_init(&b, 10);
	OK(b.p == NULL && b.n == 0);
	OK_STATUS(tg_buf_put(&b, "12345678", 8), TG_OK);
	OK_STATUS(tg_buf_put(&b, "abc", 3), TG_E_LIMIT);
	OK_STATUS(tg_buf_put_u32be(&b, 1), TG_E_LIMIT);
	OK_STATUS(tg_buf_put_u64be(&b, 1), TG_E_LIMIT);
	OK_STATUS(tg_buf_put_str(&b, "abc"), TG_E_LIMIT);
	OK_STATUS(tg_buf_grow(&b, SIZE_MAX, &p), TG_E_LIMIT);
	OK(p == NULL && b.n == 8 && memcmp(b.p, "12345678", 8) == 0);
	OK_STATUS(tg_buf_put_u8(&b, '9'), TG_OK);
	OK_STATUS(tg_buf_put_u8(&b, '0'), TG_OK);
	OK_STATUS(tg_buf_put_u8(&b, '!'), TG_E_LIMIT);
	OK_STATUS(tg_buf_put(&b, NULL, 0), TG_OK);
	OK(b.n == 10 && memcmp(b.p, "1234567890", 10) == 0);
	tg_buf_done(&b);
	OK(b.p == NULL && b.n == 0 && b.max == 10);
	OK_STATUS(tg_buf_put_str(&b, "again"), TG_OK);
	OK(b.n == 5);
	tg_buf_done(&b);
	tg_buf_done(&b);
}

static void
an_empty_buffer_takes_nothing(void)
{
	struct tg_buf b;

	tg_buf_init(&b, 0);
	OK_STATUS(tg_buf_put_u8(&b, 1), TG_E_LIMIT);
	OK_STATUS(tg_buf_put(&b, "", 0), TG_OK);
	tg_buf_done(&b);
}

/* What was put stays in order through every growth; sizes 1 ... 999. */
static void
contents_survive_growth(void)
{
	struct tg_buf b;
	uint8_t piece[999];
	size_t at = 0;
	unsigned long wrong = 0;

	tg_buf_init(&b, SIZE_MAX);
	for (size_t n = 1; n < sizeof(piece); n++) {
		memset(piece, (int)(n & 0xff), n);
		wrong += tg_buf_put(&b, piece, n) != TG_OK;
	}
	for (size_t n = 1; n < sizeof(piece); n++)
		for (size_t i = 0; i < n; i++)
			wrong += b.p[at++] != (n & 0xff);
	OK_NONE(wrong, at, "bytes");
	OK(at == b.n && tg_buf_view(&b).n == at && tg_buf_view(&b).p == b.p);
	tg_buf_done(&b);
}

static void
numbers_are_big_endian(void)
{
	static const uint8_t want[] = { 0x7f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 'x' };
	struct tg_buf b;

	tg_buf_init(&b, 64);
	OK_STATUS(tg_buf_put_u8(&b, 0x7f), TG_OK);
	OK_STATUS(tg_buf_put_u32be(&b, 0x01020304), TG_OK);
	OK_STATUS(tg_buf_put_u64be(&b, 0x05060708090a0b0cull), TG_OK);
	OK_STATUS(tg_buf_put_str(&b, "x"), TG_OK);
	OK(b.n == sizeof(want) && memcmp(b.p, want, sizeof(want)) == 0);
	tg_buf_done(&b);
}

int
main(void)
{
	a_put_past_the_limit_changes_nothing();
	an_empty_buffer_takes_nothing();
	contents_survive_growth();
	numbers_are_big_endian();
	return tap_done();
}
