/* tg_sha256_many() against the plain hash, over lengths that meet every border of a block. */
#include "../../tap.h"
#include "crypto/hash.h"
#include "crypto/many.h"
#include "util/try.h"

#define LONGEST 700

static uint8_t text[LONGEST + 64];

static void
same_as_plain(struct tg_sha256_job *jobs, size_t n, const char *what)
{
	struct tg_error err = TG_ERROR_INIT;
	size_t bad = 0;

	OK_STATUS(tg_sha256_many(jobs, n, &err), TG_OK);
	for (size_t i = 0; i < n; i++) {
		const tg_bytes parts[] = { jobs[i].head, jobs[i].body };
		uint8_t want[32];

		bad += tg_sha256(parts, TG_LEN(parts), want, &err) != TG_OK ||
		    memcmp(want, jobs[i].hash, 32) != 0;
	}
	OK_NONE(bad, n, what);
}

int
main(void)
{
	static struct tg_sha256_job jobs[LONGEST];
	struct tg_error err = TG_ERROR_INIT;
	static const size_t heads[] = { 0, 1, 5, 62, 63 };

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 131 + (i >> 3));
	for (size_t h = 0; h < TG_LEN(heads); h++) {
		for (size_t i = 0; i < LONGEST; i++)
			jobs[i] = (struct tg_sha256_job){ { text + 7, heads[h] }, { text, i }, { 0 } };
		same_as_plain(jobs, LONGEST, "every length in order");
		for (size_t n = 1; n < 10; n++)
			same_as_plain(jobs + 60, n, "few");
	}
	for (size_t i = 0; i < LONGEST; i++)
		jobs[i] = (struct tg_sha256_job){ { text, i % 64 }, { text + 3, (i * 7919) % LONGEST }, { 0 } };
	same_as_plain(jobs, LONGEST, "mixed lengths");
	jobs[0].head.n = 64;
	OK_STATUS(tg_sha256_many(jobs, 1, &err), TG_E_INTERNAL);
	return tap_done();
}
