#include <stdlib.h>

#include "../../tap.h"
#include "util/bytes.h"
#include "util/try.h"

static const uint8_t counting[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static void
numbers_of_both_byte_orders(void)
{
	struct tg_reader r;
	uint8_t u8 = 0;
	uint16_t u16 = 0;
	uint32_t u32 = 0;
	uint64_t u64 = 0;

	tg_reader_init(&r, (tg_bytes){ counting, 15 }, NULL);
	OK_STATUS(tg_reader_u8(&r, &u8), TG_OK);
	OK(u8 == 1);
	OK_STATUS(tg_reader_u16le(&r, &u16), TG_OK);
	OK(u16 == 0x0302);
	OK_STATUS(tg_reader_u32be(&r, &u32), TG_OK);
	OK(u32 == 0x04050607);
	OK_STATUS(tg_reader_u32le(&r, &u32), TG_OK);
	OK(u32 == 0x0b0a0908);
	OK_STATUS(tg_reader_u32be(&r, &u32), TG_OK);
	OK(u32 == 0x0c0d0e0f && tg_reader_left(&r) == 0);
	tg_reader_init(&r, (tg_bytes){ counting, 16 }, NULL);
	OK_STATUS(tg_reader_u64be(&r, &u64), TG_OK);
	OK(u64 == 0x0102030405060708ull);
	OK_STATUS(tg_reader_u64le(&r, &u64), TG_OK);
	OK(u64 == 0x100f0e0d0c0b0a09ull);
	OK_STATUS(tg_reader_end(&r), TG_OK);
}

/* For each getter and each length too short for it: nothing moves, nothing is written. */
static void
a_failed_get_moves_nothing(void)
{
	unsigned long wrong = 0, n = 0;

	for (size_t have = 0; have < 8; have++) {
		struct tg_error err = TG_ERROR_INIT;
		struct tg_reader r;
		uint8_t u8 = 77;
		uint16_t u16 = 77;
		uint32_t u32 = 77;
		uint64_t u64 = 77;
		tg_bytes b = { counting, 77 };

		tg_reader_init(&r, (tg_bytes){ counting, have }, &err);
		wrong += tg_reader_u64be(&r, &u64) != TG_E_FORMAT || u64 != 77;
		wrong += tg_reader_u64le(&r, &u64) != TG_E_FORMAT || u64 != 77;
		wrong += have < 4 && (tg_reader_u32be(&r, &u32) != TG_E_FORMAT || u32 != 77);
		wrong += have < 4 && (tg_reader_u32le(&r, &u32) != TG_E_FORMAT || u32 != 77);
		wrong += have < 2 && (tg_reader_u16le(&r, &u16) != TG_E_FORMAT || u16 != 77);
		wrong += have < 1 && (tg_reader_u8(&r, &u8) != TG_E_FORMAT || u8 != 77);
		wrong += tg_reader_take(&r, have + 1, &b) != TG_E_FORMAT || b.n != 77;
		wrong += tg_reader_take(&r, SIZE_MAX, &b) != TG_E_FORMAT || b.n != 77;
		wrong +=
		    r.at != 0 || err.status != TG_E_FORMAT || strstr(err.text, "offset 0") == NULL;
		wrong += have > 0 && tg_reader_end(&r) != TG_E_FORMAT;
		wrong += tg_reader_take(&r, have, &b) != TG_OK || b.p != counting || b.n != have;
		wrong += tg_reader_end(&r) != TG_OK;
		n++;
	}
	OK_NONE(wrong, n, "short inputs");
}

static void
puts_and_gets_are_inverse(void)
{
	static const uint64_t values[] = { 0, 1, 0x80, 0xff, 0x100, 0x7fffffff, 0x80000000,
		UINT32_MAX, 1ull << 32, 0x0123456789abcdefull, INT64_MAX, 1ull << 63, UINT64_MAX };

	for (size_t i = 0; i < TG_LEN(values); i++) {
		uint8_t b[8];

		tg_put_u64be(b, values[i]);
		OK(tg_get_u64be(b) == values[i] && b[0] == values[i] >> 56 &&
		    b[7] == (values[i] & 0xff));
		tg_put_u32be(b, (uint32_t)values[i]);
		OK(tg_get_u32be(b) == (uint32_t)values[i]);
	}
}

static void
arithmetic_that_does_not_fit_changes_nothing(void)
{
	uint64_t v = 5;

	OK(tg_add_u64(UINT64_MAX, 0, &v) && v == UINT64_MAX);
	OK(!tg_add_u64(UINT64_MAX, 1, &v) && v == UINT64_MAX);
	OK(!tg_add_u64(1ull << 63, 1ull << 63, &v) && v == UINT64_MAX);
	OK(tg_mul_u64(UINT32_MAX, UINT32_MAX, &v) && v == 0xfffffffe00000001ull);
	OK(!tg_mul_u64(1ull << 32, 1ull << 32, &v) && v == 0xfffffffe00000001ull);
	OK(tg_mul_u64(UINT64_MAX, 0, &v) && v == 0);
	v = 3;
	OK(tg_mul_u64(v, 7, &v) && v == 21);
}

static void
views_compare_by_content(void)
{
	OK(tg_bytes_equal((tg_bytes){ NULL, 0 }, (tg_bytes){ counting, 0 }));
	OK(!tg_bytes_equal((tg_bytes){ counting, 1 }, (tg_bytes){ counting, 2 }));
	OK(!tg_bytes_equal((tg_bytes){ counting, 2 }, (tg_bytes){ counting + 1, 2 }));
	OK(tg_bytes_equal(tg_bytes_str("abc"), tg_bytes_str("abc")));
	OK(tg_bytes_str("").n == 0);
}

/* A source over memory never reads past its end, whatever it is asked. */
static void
memory_sources_are_bounded(void)
{
	const tg_bytes view = { counting, 16 };
	const struct tg_source s = tg_source_bytes(&view);
	uint8_t got[16] = { 0 };

	OK(s.size == 16);
	OK_STATUS(s.read_at(s.ctx, got, 16, 0, NULL), TG_OK);
	OK(memcmp(got, counting, 16) == 0);
	OK_STATUS(s.read_at(s.ctx, got, 0, 16, NULL), TG_OK);
	OK_STATUS(s.read_at(s.ctx, got, 1, 16, NULL), TG_E_USAGE);
	OK_STATUS(s.read_at(s.ctx, got, 16, 1, NULL), TG_E_USAGE);
	OK_STATUS(s.read_at(s.ctx, got, SIZE_MAX, 1, NULL), TG_E_USAGE);
	OK_STATUS(s.read_at(s.ctx, got, 1, UINT64_MAX, NULL), TG_E_USAGE);
}

int
main(void)
{
	numbers_of_both_byte_orders();
	a_failed_get_moves_nothing();
	puts_and_gets_are_inverse();
	arithmetic_that_does_not_fit_changes_nothing();
	views_compare_by_content();
	memory_sources_are_bounded();
	const tg_bytes part = { (const uint8_t *)"abcd", 3 };
	char *text = tg_bytes_text(part), *empty = tg_bytes_text((tg_bytes){ NULL, 0 });
	OK(text != NULL && strcmp(text, "abc") == 0 && empty != NULL && empty[0] == '\0');
	free(text);
	free(empty);
	return tap_done();
}
