/* An accepted frame accounts for every byte, and is written again as it was. */
#include "tgsp/frame.h"

#include <tensorguard/limits.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check(const struct tgsp_frame *f, const uint8_t *p, size_t n)
{
	struct tg_buf out;
	const tg_bytes input = { p, n };

	if (f->header.n > TG_MAX_TGSP_HEADER || f->manifest.n > TG_MAX_TGSP_MANIFEST ||
	    f->recipients.n > TG_MAX_TGSP_RECIPIENTS || f->signature.n > TG_MAX_TGSP_SIGNATURE)
		__builtin_trap();
	if (f->payload_at != tgsp_frame_payload_at(f->header.n, f->manifest.n, f->recipients.n) ||
	    f->payload_len > n || f->payload_at + f->payload_len + 4 + f->signature.n != n)
		__builtin_trap();
	tg_buf_init(&out, n);
	if (tgsp_frame_write_head(tg_buf_view(&f->header), tg_buf_view(&f->manifest),
		tg_buf_view(&f->recipients), f->payload_len, &out, NULL) != TG_OK ||
	    tg_buf_put(&out, p + f->payload_at, (size_t)f->payload_len) != TG_OK ||
	    tgsp_frame_write_tail(tg_buf_view(&f->signature), &out, NULL) != TG_OK ||
	    !tg_bytes_equal(tg_buf_view(&out), input))
		__builtin_trap();
	tg_buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const tg_bytes input = { p, n };
	const struct tg_source src = tg_source_bytes(&input);
	struct tg_error err = TG_ERROR_INIT;
	struct tgsp_frame f;

	tgsp_frame_init(&f);
	const tg_status s = tgsp_frame_read(&src, &f, &err);
	if (s == TG_OK)
		check(&f, p, n);
	else if (err.status != s || err.text[0] == '\0' || f.header.p != NULL ||
	    f.signature.p != NULL)
		__builtin_trap(); /* a refused frame holds nothing */
	tgsp_frame_done(&f);
	return 0;
}
