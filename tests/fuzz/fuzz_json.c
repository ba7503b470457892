/* What the canonical profile accepts re-encodes to itself; what the ordinary one accepts is written
 * canonically, or refused because the profile lacks something of it. */
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static tg_status
seen(void *ctx, const char *path, tg_bytes raw, struct tg_error *err)
{
	const tg_bytes *text = ctx;

	(void)err;
	/* strings are handed out in place */
	if (raw.p < text->p || raw.p + raw.n > text->p + text->n || strlen(path) > 255)
		__builtin_trap();
	return TG_OK;
}

/* Written canonically: it reads back canonically as the same text, unless a key is not for it. */
static void
rewrite(const struct tg_json *j, size_t n)
{
	struct tg_json *again = NULL;
	struct tg_buf out, twice;

	tg_buf_init(&out, 6 * n + 16); /* the worst is a control character: six bytes for one */
	tg_buf_init(&twice, 6 * n + 16);
	const tg_status s = tg_json_write(j, &out, NULL);
	if (s != TG_OK && s != TG_E_FORMAT)
		__builtin_trap();
	if (s == TG_OK &&
	    tg_json_parse(tg_buf_view(&out), TG_JSON_CANONICAL, "t", &again, NULL) == TG_OK) {
		if (tg_json_write(again, &twice, NULL) != TG_OK ||
		    !tg_bytes_equal(tg_buf_view(&out), tg_buf_view(&twice)))
			__builtin_trap();
		tg_json_free(again);
	}
	tg_buf_done(&out);
	tg_buf_done(&twice);
}

static bool
identical(const struct tg_json *j, tg_bytes text)
{
	struct tg_buf out;

	tg_buf_init(&out, text.n);
	const bool same =
	    tg_json_write(j, &out, NULL) == TG_OK && tg_bytes_equal(tg_buf_view(&out), text);
	tg_buf_done(&out);
	return same;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const tg_bytes text = { p, n };
	const struct tg_json_visitor visitor = { seen, (void *)(uintptr_t)&text };
	struct tg_json *j = NULL;
	struct tg_error err = TG_ERROR_INIT;
	tg_status s = tg_json_parse(text, TG_JSON_ORDINARY, "t", &j, &err);

	if (s != TG_OK && (err.status != s || err.text[0] == '\0'))
		__builtin_trap();
	if (s == TG_OK) {
		if (tg_json_scan(text, TG_JSON_ORDINARY, "t", NULL, NULL) != TG_OK)
			__builtin_trap();
		rewrite(j, n);
		tg_json_free(j);
	}
	const bool ordinary = s == TG_OK;
	s = tg_json_parse(text, TG_JSON_CANONICAL, "t", &j, NULL);
	if (s == TG_OK) {
		if (!ordinary || !identical(j, text))
			__builtin_trap();
		tg_json_free(j);
	}
	/* a visitor changes nothing but that names have a limit */
	if (tg_json_scan(text, TG_JSON_ORDINARY, "t", &visitor, NULL) == TG_OK &&
	    tg_json_scan(text, TG_JSON_ORDINARY, "t", NULL, NULL) != TG_OK)
		__builtin_trap();
	return 0;
}
