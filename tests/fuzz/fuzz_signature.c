/* An accepted signature section is written again as it was. */
#include "tgsp/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const tg_bytes input = { p, n };
	struct tgsp_signature sig;
	struct tg_error err = TG_ERROR_INIT;
	struct tg_buf out;
	const tg_status s = tgsp_signature_read(input, &sig, &err);

	if (s != TG_OK) {
		if (err.status != s || err.text[0] == '\0')
			__builtin_trap();
		return 0;
	}
	tg_buf_init(&out, n);
	if (tgsp_signature_write(&sig, &out, NULL) != TG_OK ||
	    !tg_bytes_equal(tg_buf_view(&out), input))
		__builtin_trap();
	tg_buf_done(&out);
	return 0;
}
