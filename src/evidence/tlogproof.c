#include "evidence/tlogproof.h"

#include <tensorguard/limits.h>

#include "util/text.h"
#include "util/try.h"

#define HEAD "c2sp.org/tlog-proof@v1"

tg_status
tg_tlogproof_put(tg_bytes extra, uint64_t index, const struct tg_path *path, tg_bytes checkpoint,
    struct tg_buf *out)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_TLOG_PROOF };

	TG_TRY(tg_buf_put_str(&text, HEAD "\n"));
	if (extra.n > 0) {
		TG_TRY(tg_buf_put_str(&text, "extra "));
		TG_TRY(tg_base64_padded_put(&text, extra));
		TG_TRY(tg_buf_put_str(&text, "\n"));
	}
	TG_TRY(tg_buf_put_str(&text, "index "));
	TG_TRY(tg_decimal_put(&text, index));
	TG_TRY(tg_buf_put_str(&text, "\n"));
	TG_TRY(tg_path_put(path, &text));
	TG_TRY(tg_buf_put_str(&text, "\n"));
	TG_TRY(tg_buf_put(&text, checkpoint.p, checkpoint.n));
	return tg_buf_put(out, text.p, text.n);
}

static tg_status
read_extra(tg_bytes text, const char *what, struct tg_buf *ret, struct tg_error *err)
{
	uint8_t *to = NULL;
	size_t n = 0;

	TG_REQUIRE(tg_base64_padded_size(text, &n) && n > 0, err, TG_E_FORMAT,
	    "%s: \"extra\" is not base64", what);
	TG_REQUIRE(tg_buf_grow(ret, n, &to) == TG_OK, err, TG_E_NOMEM, "%s: out of memory", what);
	TG_REQUIRE(tg_base64_padded_decode(to, n, text), err, TG_E_FORMAT,
	    "%s: \"extra\" is not base64", what);
	return TG_OK;
}

tg_status
tg_tlogproof_parse(tg_bytes in, const char *what, struct tg_tlogproof *ret, struct tg_error *err)
{
	TG_AUTO(tg_tlogproof_done)
	struct tg_tlogproof p = { .extra = { .max = TG_MAX_TLOG_PROOF } };
	tg_bytes rest = in, line = { NULL, 0 };

	TG_REQUIRE(in.n <= TG_MAX_TLOG_PROOF, err, TG_E_LIMIT, "%s: a proof above %u bytes", what,
	    TG_MAX_TLOG_PROOF);
	TG_REQUIRE(tg_line_take(&rest, &line) && tg_bytes_equal(line, tg_bytes_str(HEAD)), err,
	    TG_E_FORMAT, "%s: not a proof of a transparency log (%s)", what, HEAD);
	TG_REQUIRE(
	    tg_line_take(&rest, &line), err, TG_E_FORMAT, "%s: a proof without \"index\"", what);
	if (tg_prefix_take(&line, "extra ")) {
		TG_TRY(read_extra(line, what, &p.extra, err));
		TG_REQUIRE(tg_line_take(&rest, &line), err, TG_E_FORMAT,
		    "%s: a proof without \"index\"", what);
	}
	TG_REQUIRE(tg_prefix_take(&line, "index ") && tg_decimal_decode(line, &p.index), err,
	    TG_E_FORMAT, "%s: a proof without \"index\" and a number", what);
	TG_TRY(tg_path_take(&rest, what, &p.path, err));
	TG_REQUIRE(rest.n > 0, err, TG_E_FORMAT, "%s: a proof without a checkpoint", what);
	p.checkpoint = rest;
	*ret = p;
	p.extra = (struct tg_buf){ .p = NULL }; /* it has moved */
	return TG_OK;
}

void
tg_tlogproof_done(struct tg_tlogproof *p)
{
	tg_buf_done(&p->extra);
}
