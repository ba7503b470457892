/* Where things lie (section 1 of the protocol), and which chunk size a writer takes. */
#include "../../tap.h"
#include "tgsp/layout.h"
#include "util/try.h"

#include <tensorguard/limits.h>

#define GIB (1ull << 30)

static const struct {
	uint64_t plain_len;
	unsigned log2; /* 0: refused */
} sizes[] = {
	{ 0, 16 },
	{ 1, 16 },
	{ 65536, 16 },
	{ 4 * GIB, 16 },
	{ 4 * GIB + 1, 17 },
	{ 8 * GIB, 17 },
	{ 8 * GIB + 1, 18 },
	{ 16 * GIB + 1, 19 },
	{ 32 * GIB + 1, 20 },
	{ 64 * GIB + 1, 21 },
	{ 128 * GIB + 1, 22 },
	{ 256 * GIB + 1, 23 },
	{ 512 * GIB, 23 },
	{ 512 * GIB + 1, 24 },
	{ 1024 * GIB, 24 },
	{ 1024 * GIB + 1, 0 },
	{ UINT64_MAX, 0 },
};

static void
writers_take_the_smallest_chunk_that_does(void)
{
	for (size_t i = 0; i < TG_LEN(sizes); i++) {
		unsigned log2 = 77;
		struct tgsp_layout l;

		OK_STATUS(tgsp_chunk_log2_for(sizes[i].plain_len, &log2, NULL),
		    sizes[i].log2 == 0 ? TG_E_LIMIT : TG_OK);
		OK(log2 == (sizes[i].log2 == 0 ? 77 : sizes[i].log2));
		if (sizes[i].log2 == 0)
			continue;
		OK_STATUS(tgsp_layout(sizes[i].plain_len, log2, 100, &l, NULL), TG_OK);
		OK(l.chunks <= 65536 && l.chunks >= 1);
		if (log2 > 16) /* one less would not have done */
			OK_STATUS(
			    tgsp_layout(sizes[i].plain_len, log2 - 1, 100, &l, NULL), TG_E_LIMIT);
	}
}

static void
limits_of_the_header(void)
{
	struct tgsp_layout l = { .chunks = 77 };

	OK_STATUS(tgsp_layout(100, 11, 100, &l, NULL), TG_E_FORMAT);
	OK_STATUS(tgsp_layout(100, 0, 100, &l, NULL), TG_E_FORMAT);
	OK_STATUS(tgsp_layout(100, 25, 100, &l, NULL), TG_E_FORMAT);
	OK_STATUS(tgsp_layout(100, 64, 100, &l, NULL), TG_E_FORMAT);
	OK_STATUS(tgsp_layout(100, UINT32_MAX, 100, &l, NULL), TG_E_FORMAT);
	OK_STATUS(tgsp_layout((1ull << 28) + 1, 12, 100, &l, NULL), TG_E_LIMIT);
	OK_STATUS(tgsp_layout((1ull << 40) + 1, 24, 100, &l, NULL), TG_E_LIMIT);
	OK_STATUS(tgsp_layout(UINT64_MAX, 24, 100, &l, NULL), TG_E_LIMIT);
	OK_STATUS(tgsp_layout(1ull << 40, 24, (1ull << 41) + 1, &l, NULL), TG_E_LIMIT);
	OK_STATUS(tgsp_layout(1ull << 40, 24, UINT64_MAX, &l, NULL), TG_E_LIMIT);
	OK(l.chunks == 77); /* untouched by all of these */
	OK_STATUS(tgsp_layout(1ull << 40, 24, 1ull << 41, &l, NULL), TG_OK);
	OK(l.chunks == 65536 && l.ct_at % 4096 == 0);
	OK_STATUS(tgsp_layout(1ull << 28, 12, 0, &l, NULL), TG_OK);
	OK(l.chunks == 65536);
}

/* The text of section 1, by division instead of shifts. */
static unsigned long
disagreements(uint64_t plain_len, unsigned log2, uint64_t at)
{
	const uint64_t c = 1ull << log2, n = plain_len == 0 ? 1 : (plain_len + c - 1) / c;
	uint64_t pad = 0, sum = 0;
	struct tgsp_layout l;
	unsigned long wrong = 0;

	while ((at + 48 * n + pad) % 4096 != 0)
		pad++;
	if (tgsp_layout(plain_len, log2, at, &l, NULL) != TG_OK)
		return 1;
	wrong += l.chunks != n || l.index_at != at || l.index_len != 48 * n || l.pad_len != pad ||
	    l.ct_at != at + 48 * n + pad || l.payload_len != 48 * n + pad + plain_len;
	for (uint64_t i = 0; i < n; i++) {
		wrong += tgsp_chunk_len(&l, i) > c || (i + 1 < n && tgsp_chunk_len(&l, i) != c);
		sum += tgsp_chunk_len(&l, i);
	}
	return wrong + (sum != plain_len);
}

static void
every_place_by_the_text(void)
{
	unsigned long wrong = 0, n = 0;

	for (unsigned log2 = 12; log2 <= 24; log2++)
		for (int around = -1; around <= 1; around++)
			for (uint64_t chunks = 0; chunks < 6; chunks++) {
				const uint64_t len = (chunks << log2) + (uint64_t)(int64_t)around;

				for (uint64_t at = 3900; len < 1ull << 40 && at < 4200;
				     at += 37, n++)
					wrong += disagreements(len, log2, at);
			}
	for (uint64_t at = 0; at < 8200; at++, n++)
		wrong += disagreements(8292, 12, at);
	OK_NONE(wrong, n, "layouts");
}

static void
files_start_on_pages(void)
{
	OK(tgsp_align_up(0) == 0 && tgsp_align_up(1) == 4096 && tgsp_align_up(4095) == 4096);
	OK(tgsp_align_up(4096) == 4096 && tgsp_align_up(4097) == 8192);
	OK(tgsp_align_up(1ull << 40) == 1ull << 40);
}

int
main(void)
{
	writers_take_the_smallest_chunk_that_does();
	limits_of_the_header();
	every_place_by_the_text();
	files_start_on_pages();
	return tap_done();
}
