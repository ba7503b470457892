#include "../../tap.h"
#include "util/wipe.h"

static void
equal_only_when_every_byte_is(void)
{
	unsigned long wrong = 0, n = 0;

	for (size_t len = 0; len <= 64; len++) {
		uint8_t a[64], b[64];

		for (size_t i = 0; i < sizeof(a); i++)
			a[i] = b[i] = (uint8_t)(i * 37);
		wrong += !tg_equal_ct(a, b, len);
		for (size_t i = 0; i < len; i++)
			for (int bit = 0; bit < 8; bit++, n++) {
				b[i] ^= (uint8_t)(1 << bit);
				wrong += tg_equal_ct(a, b, len);
				b[i] ^= (uint8_t)(1 << bit);
			}
		if (len < 64) { /* what lies behind does not count */
			b[len] ^= 1;
			wrong += !tg_equal_ct(a, b, len);
		}
	}
	OK_NONE(wrong, n, "comparisons");
}

static void
wiping_zeroes_what_was_named(void)
{
	uint8_t b[66];
	unsigned long left = 0;

	memset(b, 0xa5, sizeof(b));
	tg_wipe(b + 1, 64);
	for (size_t i = 1; i < 65; i++)
		left += b[i] != 0;
	OK(left == 0 && b[0] == 0xa5 && b[65] == 0xa5);
	tg_wipe(b, 0);
	OK(b[0] == 0xa5);
	struct tg_key32 k;
	memset(&k, 1, sizeof(k));
	tg_key32_done(&k);
	static const uint8_t zero[32];
	OK(memcmp(k.b, zero, 32) == 0);
}

int
main(void)
{
	equal_only_when_every_byte_is();
	wiping_zeroes_what_was_named();
	return tap_done();
}
