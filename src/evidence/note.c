#include "evidence/note.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "util/text.h"
#include "util/try.h"

#define DASH "\xe2\x80\x94 " /* U+2014 and a space */

/* ---- names ---- */

/* Length of the white space character (of Unicode) at p, 0 when there is none; p is valid UTF-8. */
static size_t
space_len(const uint8_t *p, size_t left)
{
	static const char *const wide[] = { "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xa8",
		"\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80" };

	if (p[0] < 0x80)
		return p[0] == ' ' || (p[0] >= '\t' && p[0] <= '\r');
	for (size_t i = 0; i < TG_LEN(wide); i++) {
		tg_bytes at = { p, left };

		if (tg_prefix_take(&at, wide[i]))
			return left - at.n;
	}
	/* U+2000 ... U+200A */
	return left >= 3 && p[0] == 0xe2 && p[1] == 0x80 && p[2] <= 0x8a ? 3 : 0;
}

static bool
name_good(tg_bytes name)
{
	if (name.n == 0 || !tg_utf8_valid(name))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '+' || name.p[i] < 0x20 || space_len(name.p + i, name.n - i) > 0)
			return false;
	return true;
}

/* ---- keys ---- */

static const struct key_kind {
	enum tg_note_type type;
	const struct tg_pkey_alg *alg;
} key_kinds[] = {
	{ TG_NOTE_ED25519, &tg_sig_ed25519.key },
	{ TG_NOTE_COSIG_ED25519, &tg_sig_ed25519.key },
	{ TG_NOTE_COSIG_MLDSA44, &tg_sig_mldsa44.key },
};

static const struct key_kind *
key_kind(unsigned type)
{
	for (size_t i = 0; i < TG_LEN(key_kinds); i++)
		if ((unsigned)key_kinds[i].type == type)
			return &key_kinds[i];
	return NULL;
}

tg_status
tg_note_key_id(const char *name, enum tg_note_type type, tg_bytes pk,
    uint8_t ret[static TG_NOTE_ID_LEN], struct tg_error *err)
{
	const uint8_t type_byte = (uint8_t)type;
	const tg_bytes parts[] = {
		tg_bytes_str(name),
		tg_bytes_str("\n"),
		{ &type_byte, 1 },
		pk,
	};
	uint8_t hash[32];

	TG_TRY(tg_sha256(parts, TG_LEN(parts), hash, err));
	memcpy(ret, hash, TG_NOTE_ID_LEN);
	return TG_OK;
}

tg_status
tg_note_key_new(const char *name, enum tg_note_type type, tg_bytes pk, struct tg_note_key **ret,
    struct tg_error *err)
{
	TG_AUTO(tg_note_key_freep) struct tg_note_key *k = NULL;
	const struct key_kind *kind = key_kind((unsigned)type);
	const size_t n = strlen(name);

	TG_REQUIRE(name_good(tg_bytes_str(name)) && n <= TG_NOTE_NAME_MAX, err, TG_E_FORMAT,
	    "\"%.*s\": the name of a key is 1 to %d bytes of UTF-8 without white space and '+'",
	    TG_NOTE_NAME_MAX, name, TG_NOTE_NAME_MAX);
	TG_REQUIRE(kind != NULL, err, TG_E_UNSUPPORTED,
	    "%s: key of type 0x%02x, 01, 04 or 06 expected", name, (unsigned)type);
	TG_REQUIRE(pk.n == kind->alg->pk_len, err, TG_E_FORMAT,
	    "%s: %s key of %zu bytes, %zu expected", name, kind->alg->name, pk.n,
	    kind->alg->pk_len);
	k = calloc(1, sizeof(*k));
	TG_REQUIRE(k != NULL, err, TG_E_NOMEM, "%s: out of memory", name);
	memcpy(k->name, name, n);
	memcpy(k->pk, pk.p, pk.n);
	k->pk_len = pk.n;
	k->type = type;
	TG_TRY(kind->alg->load_public(k->pk, &k->key, err));
	TG_TRY(tg_note_key_id(name, type, pk, k->id, err));
	*ret = k;
	k = NULL;
	return TG_OK;
}

/* The key's type and raw bytes, out of the base64 at the end of a verifier key. */
static tg_status
read_material(tg_bytes text, const char *name, uint8_t raw[static 1 + TG_MLDSA44_PK_LEN],
    tg_bytes *ret_pk, struct tg_error *err)
{
	size_t n = 0;

	TG_REQUIRE(tg_base64_padded_size(text, &n) && n > 1, err, TG_E_FORMAT,
	    "%s: verifier key without the base64 of a key", name);
	TG_REQUIRE(n <= 1 + TG_MLDSA44_PK_LEN, err, TG_E_UNSUPPORTED,
	    "%s: key of %zu bytes, at most %d expected", name, n - 1, TG_MLDSA44_PK_LEN);
	TG_REQUIRE(tg_base64_padded_decode(raw, n, text), err, TG_E_FORMAT,
	    "%s: verifier key: not base64", name);
	*ret_pk = (tg_bytes){ raw + 1, n - 1 };
	return TG_OK;
}

tg_status
tg_note_key_parse(tg_bytes vkey, struct tg_note_key **ret, struct tg_error *err)
{
	TG_AUTO(tg_note_key_freep) struct tg_note_key *k = NULL;
	const uint8_t *plus = vkey.n == 0 ? NULL : memchr(vkey.p, '+', vkey.n);
	const size_t n = plus == NULL ? 0 : (size_t)(plus - vkey.p), id_text = 2 * TG_NOTE_ID_LEN;
	char name[TG_NOTE_NAME_MAX + 1] = "";
	uint8_t id[TG_NOTE_ID_LEN], raw[1 + TG_MLDSA44_PK_LEN];
	tg_bytes pk = { NULL, 0 };

	TG_REQUIRE(plus != NULL && vkey.n - n > id_text + 2 && plus[1 + id_text] == '+', err,
	    TG_E_FORMAT, "verifier key: NAME+ID+BASE64 expected");
	TG_REQUIRE(n <= TG_NOTE_NAME_MAX && name_good((tg_bytes){ vkey.p, n }), err, TG_E_FORMAT,
	    "verifier key: a name of 1 to %d bytes of UTF-8 without white space expected",
	    TG_NOTE_NAME_MAX);
	memcpy(name, vkey.p, n);
	TG_REQUIRE(tg_hex_decode(id, sizeof(id), (tg_bytes){ plus + 1, id_text }), err, TG_E_FORMAT,
	    "%s: verifier key: an id of %zu lower-case hex digits expected", name, id_text);
	TG_TRY(read_material(
	    (tg_bytes){ plus + 2 + id_text, vkey.n - n - 2 - id_text }, name, raw, &pk, err));
	TG_TRY(tg_note_key_new(name, (enum tg_note_type)raw[0], pk, &k, err));
	TG_REQUIRE(tg_bytes_equal((tg_bytes){ id, sizeof(id) }, (tg_bytes){ k->id, sizeof(k->id) }),
	    err, TG_E_FORMAT, "%s: verifier key: its id is not that of its key", name);
	*ret = k;
	k = NULL;
	return TG_OK;
}

tg_status
tg_note_key_print(const struct tg_note_key *k, struct tg_buf *out)
{
	char id[2 * TG_NOTE_ID_LEN + 1];
	uint8_t raw[1 + TG_MLDSA44_PK_LEN];
	TG_AUTO(tg_buf_done) struct tg_buf line = { .max = TG_MAX_NOTE };

	tg_hex_encode(id, (tg_bytes){ k->id, sizeof(k->id) });
	raw[0] = (uint8_t)k->type;
	memcpy(raw + 1, k->pk, k->pk_len);
	TG_TRY(tg_buf_put_str(&line, k->name));
	TG_TRY(tg_buf_put_str(&line, "+"));
	TG_TRY(tg_buf_put_str(&line, id));
	TG_TRY(tg_buf_put_str(&line, "+"));
	TG_TRY(tg_base64_padded_put(&line, (tg_bytes){ raw, 1 + k->pk_len }));
	return tg_buf_put(out, line.p, line.n);
}

void
tg_note_key_free(struct tg_note_key *k)
{
	if (k == NULL)
		return;
	tg_pkey_free(k->key);
	free(k);
}

/* ---- notes ---- */

/* Where the last empty line begins. */
static bool
find_split(tg_bytes in, size_t *ret)
{
	for (size_t i = in.n; i >= 2; i--)
		if (in.p[i - 1] == '\n' && in.p[i - 2] == '\n') {
			*ret = i - 1;
			return true;
		}
	return false;
}

static bool
has_control(tg_bytes in)
{
	for (size_t i = 0; i < in.n; i++)
		if (in.p[i] < 0x20 && in.p[i] != '\n')
			return true;
	return false;
}

/* "— NAME BASE64" into the next row; `to` has room for what it decodes to. */
static tg_status
read_line(tg_bytes line, const char *what, struct tg_note *n, uint8_t **to, struct tg_error *err)
{
	struct tg_note_line *row = &n->line[n->n];
	const uint8_t *space;
	size_t raw = 0;

	TG_REQUIRE(tg_prefix_take(&line, DASH), err, TG_E_FORMAT,
	    "%s: signature line %zu does not begin with a dash", what, n->n + 1);
	space = line.n == 0 ? NULL : memchr(line.p, ' ', line.n);
	TG_REQUIRE(space != NULL, err, TG_E_FORMAT, "%s: signature line %zu without a signature",
	    what, n->n + 1);
	row->name = (tg_bytes){ line.p, (size_t)(space - line.p) };
	TG_REQUIRE(name_good(row->name), err, TG_E_FORMAT,
	    "%s: signature line %zu: not the name of a key", what, n->n + 1);
	const tg_bytes text = { space + 1, line.n - row->name.n - 1 };
	TG_REQUIRE(tg_base64_padded_size(text, &raw) && raw > TG_NOTE_ID_LEN &&
		tg_base64_padded_decode(*to, raw, text),
	    err, TG_E_FORMAT, "%s: signature line %zu: not the base64 of a key id and a signature",
	    what, n->n + 1);
	memcpy(row->id, *to, TG_NOTE_ID_LEN);
	row->sig = (tg_bytes){ *to + TG_NOTE_ID_LEN, raw - TG_NOTE_ID_LEN };
	*to += raw;
	n->n++;
	return TG_OK;
}

tg_status
tg_note_parse(tg_bytes in, const char *what, struct tg_note *ret, struct tg_error *err)
{
	TG_AUTO(tg_note_done) struct tg_note n = { .n = 0 };
	size_t split = 0;
	uint8_t *to = NULL;
	tg_bytes line = { NULL, 0 };

	TG_REQUIRE(
	    in.n <= TG_MAX_NOTE, err, TG_E_LIMIT, "%s: a note above %u bytes", what, TG_MAX_NOTE);
	TG_REQUIRE(tg_utf8_valid(in) && !has_control(in), err, TG_E_FORMAT,
	    "%s: a note is UTF-8 without control characters", what);
	TG_REQUIRE(find_split(in, &split), err, TG_E_FORMAT,
	    "%s: a note has an empty line before its signatures", what);
	n.text = (tg_bytes){ in.p, split };
	tg_bytes rest = { in.p + split + 1, in.n - split - 1 };
	TG_REQUIRE(rest.n > 0, err, TG_E_FORMAT, "%s: a note without a signature", what);
	tg_buf_init(&n.decoded, TG_MAX_NOTE);
	/* all of it at once, so that it stays where it is */
	TG_REQUIRE(tg_buf_grow(&n.decoded, rest.n, &to) == TG_OK, err, TG_E_NOMEM,
	    "%s: out of memory", what);
	while (rest.n > 0) {
		TG_REQUIRE(tg_line_take(&rest, &line), err, TG_E_FORMAT,
		    "%s: the last signature line does not end", what);
		TG_REQUIRE(n.n < TG_MAX_NOTE_LINES, err, TG_E_LIMIT,
		    "%s: more than %u signature lines", what, TG_MAX_NOTE_LINES);
		TG_TRY(read_line(line, what, &n, &to, err));
	}
	*ret = n;
	n.decoded = (struct tg_buf){ .p = NULL }; /* it has moved */
	return TG_OK;
}

void
tg_note_done(struct tg_note *n)
{
	tg_buf_done(&n->decoded);
	n->n = 0;
}

tg_status
tg_note_put_line(
    struct tg_buf *out, const char *name, const uint8_t id[static TG_NOTE_ID_LEN], tg_bytes sig)
{
	TG_AUTO(tg_buf_done) struct tg_buf raw = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_buf_done) struct tg_buf line = { .max = TG_MAX_NOTE };

	TG_TRY(tg_buf_put(&raw, id, TG_NOTE_ID_LEN));
	TG_TRY(tg_buf_put(&raw, sig.p, sig.n));
	TG_TRY(tg_buf_put_str(&line, DASH));
	TG_TRY(tg_buf_put_str(&line, name));
	TG_TRY(tg_buf_put_str(&line, " "));
	TG_TRY(tg_base64_padded_put(&line, tg_buf_view(&raw)));
	TG_TRY(tg_buf_put_str(&line, "\n"));
	return tg_buf_put(out, line.p, line.n);
}
