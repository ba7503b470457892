/* Accepted recipients are sorted and unique, and are written again as they were. */
#include "tgsp/recipients.h"

#include <tensorguard/limits.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const tg_bytes input = { p, n };
	struct tgsp_recipients r = { NULL, 0 };
	struct tg_error err = TG_ERROR_INIT;
	struct tg_buf out;
	const tg_status s = tgsp_recipients_read(input, &r, &err);

	if (s != TG_OK) {
		if (err.status != s || err.text[0] == '\0' || r.at != NULL)
			__builtin_trap();
		return 0;
	}
	if (r.n < 1 || r.n > TG_MAX_RECIPIENTS)
		__builtin_trap();
	for (size_t i = 0; i < r.n; i++)
		if (tgsp_recipients_find(&r, r.at[i].id) != &r.at[i] ||
		    (i > 0 && memcmp(r.at[i - 1].id, r.at[i].id, TG_KEY_ID_LEN) >= 0))
			__builtin_trap();
	tg_buf_init(&out, n);
	if (tgsp_recipients_write(&r, &out, NULL) != TG_OK ||
	    !tg_bytes_equal(tg_buf_view(&out), input))
		__builtin_trap();
	tg_buf_done(&out);
	tgsp_recipients_done(&r);
	return 0;
}
