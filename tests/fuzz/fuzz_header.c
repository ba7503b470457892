/* An accepted header is the one that our writer makes of what was read. */
#include "tgsp/header.h"

#include <tensorguard/limits.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const tg_bytes input = { p, n };
	struct tgsp_header h = { .chunk_log2 = 99 };
	struct tg_error err = TG_ERROR_INIT;
	struct tg_buf out;
	const tg_status s = tgsp_header_read(input, &h, &err);

	if (s != TG_OK) {
		if (err.status != s || err.text[0] == '\0' || h.chunk_log2 != 99)
			__builtin_trap();
		return 0;
	}
	if (h.chunk_log2 > TG_MAX_CHUNK_LOG2 || h.chunks > TG_MAX_CHUNKS ||
	    h.plain_len > TG_MAX_PLAIN_LEN)
		__builtin_trap();
	tg_buf_init(&out, n);
	if (tgsp_header_write(&h, &out, NULL) != TG_OK || !tg_bytes_equal(tg_buf_view(&out), input))
		__builtin_trap();
	tg_buf_done(&out);
	return 0;
}
