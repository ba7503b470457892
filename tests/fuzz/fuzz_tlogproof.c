/* A proof file that is accepted is written again byte by byte. */
#include <stdlib.h>
#include <tensorguard/limits.h>

#include "evidence/tlogproof.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const tg_bytes in = { p, n };
	struct tg_tlogproof proof = { .index = 77 };
	struct tg_error err = TG_ERROR_INIT;
	struct tg_buf again = { .max = 2 * TG_MAX_TLOG_PROOF };
	const tg_status s = tg_tlogproof_parse(in, "proof", &proof, &err);

	if (s != TG_OK) {
		if (err.status != s || err.text[0] == '\0' || proof.index != 77)
			__builtin_trap();
		return 0;
	}
	/* the writer wants room for one byte more than it leaves */
	if (n < TG_MAX_TLOG_PROOF) {
		if (tg_tlogproof_put(tg_buf_view(&proof.extra), proof.index, &proof.path,
			proof.checkpoint, &again) != TG_OK ||
		    !tg_bytes_equal(tg_buf_view(&again), in))
			__builtin_trap();
	}
	tg_buf_done(&again);
	tg_tlogproof_done(&proof);
	return 0;
}
