#include "../../tap.h"
#include "make.h"
#include "tensor/inflate.h"

static uint8_t plain[100000], packed[120000], got[100000];
static size_t packed_n;

static void
reads_in_any_order(void)
{
	uint64_t budget = UINT64_C(1) << 40;
	SOURCE(src, packed, packed_n);
	struct tg_inflate *z = NULL;
	unsigned wrong = 0;

	OK_STATUS(
	    tg_inflate_new(&src, 0, packed_n, sizeof(plain), TG_INFLATE_RAW, &budget, &z, NULL),
	    TG_OK);
	struct tg_source in = tg_inflate_source(z);
	OK(in.size == sizeof(plain) && tg_inflate_end(z) == UINT64_MAX);
	for (unsigned i = 0; i < 200; i++) {
		size_t at = i * 7919u % sizeof(plain), n = i * 613u % 9000;

		n = n < sizeof(plain) - at ? n : sizeof(plain) - at;
		wrong += in.read_at(in.ctx, got, n, at, NULL) != TG_OK ||
		    memcmp(got, plain + at, n) != 0;
	}
	OK_NONE(wrong, 200, "reads forwards and backwards");
	OK(in.read_at(in.ctx, got, sizeof(plain), 0, NULL) == TG_OK &&
	    memcmp(got, plain, sizeof(plain)) == 0);
	OK_STATUS(in.read_at(in.ctx, got, 2, sizeof(plain) - 1, NULL), TG_E_USAGE);
	tg_inflate_free(z);
	tg_inflate_free(NULL);
}

/* What comes before the damage can be read; what does not come is zero. */
static void
damage_reads_as_zeros(void)
{
	uint64_t budget = UINT64_C(1) << 40;
	struct tg_inflate *z = NULL;
	SOURCE(src, packed, packed_n);
	size_t n = 0;

	OK_STATUS(tg_inflate_new(&src, 0, packed_n / 2, sizeof(plain), TG_INFLATE_RAW, &budget, &z,
		      NULL),
	    TG_OK);
	struct tg_source in = tg_inflate_source(z);
	OK_STATUS(in.read_at(in.ctx, got, sizeof(plain), 0, NULL), TG_OK);
	while (n < sizeof(plain) && got[n] == plain[n])
		n++;
	OK(n > 1000 && n < sizeof(plain) && tg_inflate_end(z) == n);
	OK(got[sizeof(plain) - 1] == 0 && got[sizeof(plain) / 2 + 30000] == 0);
	OK(in.read_at(in.ctx, got, 100, 0, NULL) == TG_OK && memcmp(got, plain, 100) == 0);
	tg_inflate_free(z);
}

static void
budget_is_kept(void)
{
	struct tg_inflate *z = NULL;
	SOURCE(src, packed, packed_n);
	uint64_t budget = 4096 + 1000;

	OK_STATUS(
	    tg_inflate_new(&src, 0, packed_n, sizeof(plain), TG_INFLATE_RAW, &budget, &z, NULL),
	    TG_OK);
	struct tg_source in = tg_inflate_source(z);
	for (unsigned i = 0; i < 100; i++) /* the start is kept, and taken from the budget once */
		if (in.read_at(in.ctx, got, 600, i, NULL) != TG_OK)
			budget = 1;
	OK(budget == 1000);
	OK_STATUS(in.read_at(in.ctx, got, 600, 4096, NULL), TG_OK);
	OK_STATUS(in.read_at(in.ctx, got, 401, 4696, NULL), TG_E_LIMIT);
	OK_STATUS(in.read_at(in.ctx, got, 400, 4696, NULL), TG_OK);
	OK(budget == 0 && memcmp(got, plain + 4696, 400) == 0);
	OK_STATUS(in.read_at(in.ctx, got, 1, 4500, NULL), TG_E_LIMIT);
	OK_STATUS(in.read_at(in.ctx, got, 1, 0, NULL), TG_OK);
	tg_inflate_free(z);
}

static void
wrappers_and_ranges(void)
{
	uint64_t budget = UINT64_C(1) << 40;
	struct tg_inflate *z = NULL;
	static uint8_t gz[120000];
	size_t n = deflate_raw(gz, sizeof(gz), plain, sizeof(plain), MAX_WBITS + 16);
	SOURCE(src, gz, n);

	OK_STATUS(tg_inflate_new(&src, 0, n, 50, TG_INFLATE_AUTO, &budget, &z, NULL), TG_OK);
	struct tg_source in = tg_inflate_source(z);
	OK(in.read_at(in.ctx, got, 50, 0, NULL) == TG_OK && memcmp(got, plain, 50) == 0);
	tg_inflate_free(z);
	z = NULL;
	n = deflate_raw(gz, sizeof(gz), "", 0, MAX_WBITS + 16); /* an empty stream before another */
	n += deflate_raw(gz + n, sizeof(gz) - n, "abc", 3, MAX_WBITS + 16);
	n += deflate_raw(gz + n, sizeof(gz) - n, "def", 3, MAX_WBITS + 16);
	SOURCE(three, gz, n);
	OK_STATUS(tg_inflate_new(&three, 0, n, 8, TG_INFLATE_AUTO, &budget, &z, NULL), TG_OK);
	in = tg_inflate_source(z);
	OK(in.read_at(in.ctx, got, 8, 0, NULL) == TG_OK && memcmp(got, "abcdef\0\0", 8) == 0);
	OK(tg_inflate_end(z) == 6);
	tg_inflate_free(z);
	z = NULL;
	OK_STATUS(
	    tg_inflate_new(&src, 1, src.size, 50, TG_INFLATE_AUTO, &budget, &z, NULL), TG_E_FORMAT);
	OK_STATUS(
	    tg_inflate_new(&src, 0, n, n * 2000, TG_INFLATE_RAW, &budget, &z, NULL), TG_E_FORMAT);
	OK(z == NULL);
}

static void
failing_reads_are_reported(void)
{
	uint64_t budget = UINT64_C(1) << 40;
	struct tg_inflate *z = NULL;
	SOURCE(src, packed, packed_n);

	OK_STATUS(
	    tg_inflate_new(&src, 0, packed_n, sizeof(plain), TG_INFLATE_RAW, &budget, &z, NULL),
	    TG_OK);
	struct tg_source in = tg_inflate_source(z);
	src_f.fail_at = 2;
	OK_STATUS(in.read_at(in.ctx, got, sizeof(plain), 0, NULL), TG_E_IO);
	OK(in.read_at(in.ctx, got, 200, 0, NULL) == TG_OK && memcmp(got, plain, 200) == 0);
	tg_inflate_free(z);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(1 + (i * i / 77 + i / 3) % 250);
	packed_n = deflate_raw(packed, sizeof(packed), plain, sizeof(plain), -MAX_WBITS);
	reads_in_any_order();
	damage_reads_as_zeros();
	budget_is_kept();
	wrappers_and_ranges();
	failing_reads_are_reported();
	return tap_done();
}
