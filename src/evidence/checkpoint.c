#include "evidence/checkpoint.h"

#include "util/text.h"
#include "util/try.h"

#define TIME_LEN    8 /* bytes of a cosignature's time */
#define MESSAGE_MAX (2 * TG_NOTE_NAME_MAX + 256)

/* ---- text ---- */

tg_status
tg_checkpoint_put(const struct tg_checkpoint *c, struct tg_buf *out)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = MESSAGE_MAX };

	TG_TRY(tg_buf_put_str(&text, c->origin));
	TG_TRY(tg_buf_put_str(&text, "\n"));
	TG_TRY(tg_decimal_put(&text, c->size));
	TG_TRY(tg_buf_put_str(&text, "\n"));
	TG_TRY(tg_base64_padded_put(&text, (tg_bytes){ c->root, sizeof(c->root) }));
	TG_TRY(tg_buf_put_str(&text, "\n"));
	return tg_buf_put(out, text.p, text.n);
}

static bool
origin_good(tg_bytes origin)
{
	for (size_t i = 0; i < origin.n; i++)
		if (origin.p[i] < 0x20)
			return false;
	return origin.n > 0 && tg_utf8_valid(origin);
}

tg_status
tg_checkpoint_parse(
    tg_bytes text, const char *what, struct tg_checkpoint *ret, struct tg_error *err)
{
	struct tg_checkpoint c = { .size = 0 };
	tg_bytes rest = text, origin, size, root;

	TG_REQUIRE(tg_line_take(&rest, &origin) && tg_line_take(&rest, &size) &&
		tg_line_take(&rest, &root),
	    err, TG_E_FORMAT, "%s: a checkpoint has lines of origin, size and root", what);
	TG_REQUIRE(origin_good(origin), err, TG_E_FORMAT, "%s: checkpoint without an origin", what);
	TG_REQUIRE(origin.n <= TG_NOTE_NAME_MAX, err, TG_E_LIMIT,
	    "%s: origin of %zu bytes, at most %d", what, origin.n, TG_NOTE_NAME_MAX);
	TG_REQUIRE(tg_decimal_decode(size, &c.size), err, TG_E_FORMAT,
	    "%s: checkpoint: its size is not a number", what);
	TG_REQUIRE(tg_base64_padded_decode(c.root, sizeof(c.root), root), err, TG_E_FORMAT,
	    "%s: checkpoint: its root is not base64 of 32 bytes", what);
	TG_REQUIRE(rest.n == 0, err, rest.p[0] == '\n' ? TG_E_FORMAT : TG_E_UNSUPPORTED,
	    "%s: checkpoint with lines behind its root", what);
	memcpy(c.origin, origin.p, origin.n);
	*ret = c;
	return TG_OK;
}

/* ---- what is signed ---- */

/* "cosignature/v1", the time, and the checkpoint's text. */
static tg_status
ed25519_message(tg_bytes text, uint64_t time, struct tg_buf *out)
{
	TG_TRY(tg_buf_put_str(out, "cosignature/v1\ntime "));
	TG_TRY(tg_decimal_put(out, time));
	TG_TRY(tg_buf_put_str(out, "\n"));
	return tg_buf_put(out, text.p, text.n);
}

static tg_status
put_short(struct tg_buf *out, const char *s)
{
	TG_TRY(tg_buf_put_u8(out, (uint8_t)strlen(s))); /* at most TG_NOTE_NAME_MAX */
	return tg_buf_put_str(out, s);
}

/* cosigned_message of tlog-cosignature, over all of the tree. */
static tg_status
mldsa44_message(const struct tg_checkpoint *c, const char *name, uint64_t time, struct tg_buf *out)
{
	static const char label[12] = "subtree/v1\n"; /* with one NUL */

	TG_TRY(tg_buf_put(out, label, sizeof(label)));
	TG_TRY(put_short(out, name));
	TG_TRY(tg_buf_put_u64be(out, time));
	TG_TRY(put_short(out, c->origin));
	TG_TRY(tg_buf_put_u64be(out, 0));
	TG_TRY(tg_buf_put_u64be(out, c->size));
	return tg_buf_put(out, c->root, sizeof(c->root));
}

static tg_status
message(enum tg_note_type type, const struct tg_checkpoint *c, tg_bytes text, const char *name,
    uint64_t time, struct tg_buf *out, struct tg_error *err)
{
	tg_status s = TG_E_INTERNAL;

	switch (type) {
	case TG_NOTE_ED25519:
		s = tg_buf_put(out, text.p, text.n);
		break;
	case TG_NOTE_COSIG_ED25519:
		s = ed25519_message(text, time, out);
		break;
	case TG_NOTE_COSIG_MLDSA44:
		s = mldsa44_message(c, name, time, out);
		break;
	}
	TG_REQUIRE(s == TG_OK, err, s, "checkpoint of %s: no memory for what is signed", c->origin);
	return TG_OK;
}

static const struct tg_sig_alg *
sig_alg(enum tg_note_type type)
{
	return type == TG_NOTE_COSIG_MLDSA44 ? &tg_sig_mldsa44 : &tg_sig_ed25519;
}

static size_t
time_len(enum tg_note_type type)
{
	return type == TG_NOTE_ED25519 ? 0 : TIME_LEN;
}

/* ---- signing ---- */

static tg_status
put_signature(const struct tg_checkpoint *c, tg_bytes text, enum tg_note_type type,
    const char *name, const struct tg_key *key, uint64_t time, struct tg_buf *out,
    struct tg_error *err)
{
	const int half = type == TG_NOTE_COSIG_MLDSA44 ? TG_PQC : TG_CLASSIC;
	const struct tg_sig_alg *alg = sig_alg(type);
	TG_AUTO(tg_buf_done) struct tg_buf signed_text = { .max = TG_MAX_NOTE };
	uint8_t id[TG_NOTE_ID_LEN], sig[TIME_LEN + TG_MLDSA44_SIG_LEN];
	const size_t at = time_len(type);

	TG_TRY(message(type, c, text, name, time, &signed_text, err));
	TG_TRY(tg_note_key_id(name, type, tg_key_pk(key, half), id, err));
	tg_put_u64be(sig, time); /* overwritten when this type has none */
	TG_TRY(alg->sign(
	    key->private [half], tg_buf_view(&signed_text), (tg_bytes) { NULL, 0 }, false, sig + at,
	    err));
	TG_REQUIRE(tg_note_put_line(out, name, id, (tg_bytes){ sig, at + alg->sig_len }) == TG_OK,
	    err, TG_E_NOMEM, "checkpoint of %s: no memory for a signature", c->origin);
	return TG_OK;
}

/* Two lines, by both halves of the key. */
static tg_status
put_lines(const struct tg_checkpoint *c, tg_bytes text, enum tg_note_type classic, const char *name,
    const struct tg_key *key, int64_t time, struct tg_buf *out, struct tg_error *err)
{
	TG_TRY(put_signature(c, text, classic, name, key, (uint64_t)time, out, err));
	return put_signature(c, text, TG_NOTE_COSIG_MLDSA44, name, key, (uint64_t)time, out, err);
}

/* A key that may sign, under names that may stand in a note. */
static tg_status
check_signer(const struct tg_checkpoint *c, const char *name, const struct tg_key *key,
    int64_t time, struct tg_error *err)
{
	TG_AUTO(tg_note_key_freep) struct tg_note_key *under = NULL;

	TG_REQUIRE(tg_key_use_of(key) == TG_KEY_CHECKPOINT && tg_key_has_private(key), err,
	    TG_E_USAGE, "%s: checkpoints are signed with the private part of a checkpoint key",
	    name);
	TG_REQUIRE(time > 0, err, TG_E_USAGE,
	    "%s: a checkpoint signed at %lld, after 1970 expected", name, (long long)time);
	TG_REQUIRE(origin_good(tg_bytes_str(c->origin)), err, TG_E_USAGE,
	    "%s: a checkpoint without origin", name);
	return tg_note_key_new(name, TG_NOTE_ED25519, tg_key_pk(key, TG_CLASSIC), &under, err);
}

static tg_status
add(struct tg_buf *out, const struct tg_buf *made, const char *name, struct tg_error *err)
{
	TG_REQUIRE(tg_buf_put(out, made->p, made->n) == TG_OK, err, TG_E_NOMEM,
	    "checkpoint of %s: out of memory", name);
	return TG_OK;
}

tg_status
tg_checkpoint_sign(const struct tg_checkpoint *c, const struct tg_key *key, int64_t time,
    struct tg_buf *out, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf note = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_NOTE };

	TG_TRY(check_signer(c, c->origin, key, time, err));
	TG_REQUIRE(tg_checkpoint_put(c, &text) == TG_OK &&
		tg_buf_put(&note, text.p, text.n) == TG_OK && tg_buf_put_str(&note, "\n") == TG_OK,
	    err, TG_E_NOMEM, "checkpoint of %s: out of memory", c->origin);
	TG_TRY(put_lines(c, tg_buf_view(&text), TG_NOTE_ED25519, c->origin, key, time, &note, err));
	return add(out, &note, c->origin, err);
}

tg_status
tg_checkpoint_cosign(const struct tg_checkpoint *c, const char *name, const struct tg_key *key,
    int64_t time, struct tg_buf *out, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf lines = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_NOTE };

	TG_TRY(check_signer(c, name, key, time, err));
	TG_REQUIRE(tg_checkpoint_put(c, &text) == TG_OK, err, TG_E_NOMEM,
	    "checkpoint of %s: out of memory", c->origin);
	TG_TRY(
	    put_lines(c, tg_buf_view(&text), TG_NOTE_COSIG_ED25519, name, key, time, &lines, err));
	return add(out, &lines, c->origin, err);
}

/* ---- checking ---- */

tg_status
tg_checkpoint_check_line(const struct tg_checkpoint *c, tg_bytes text,
    const struct tg_note_line *line, const struct tg_note_key *key, int64_t *ret_time,
    struct tg_error *err)
{
	const struct tg_sig_alg *alg = sig_alg(key->type);
	const size_t at = time_len(key->type);
	TG_AUTO(tg_buf_done) struct tg_buf signed_text = { .max = TG_MAX_NOTE };
	uint64_t time = 0;

	TG_REQUIRE(line->sig.n == at + alg->sig_len, err, TG_E_AUTH,
	    "checkpoint of %s: signature of %s: %zu bytes, %zu expected", c->origin, key->name,
	    line->sig.n, at + alg->sig_len);
	if (at > 0)
		time = tg_get_u64be(line->sig.p);
	TG_REQUIRE(time <= INT64_MAX, err, TG_E_AUTH, "checkpoint of %s: time of %s out of range",
	    c->origin, key->name);
	TG_TRY(message(key->type, c, text, key->name, time, &signed_text, err));
	tg_status s = alg->verify(
	    key->key, tg_buf_view(&signed_text), (tg_bytes){ NULL, 0 }, line->sig.p + at, err);
	TG_REQUIRE(s != TG_E_AUTH, err, TG_E_AUTH, "checkpoint of %s: %s signature of %s is wrong",
	    c->origin, alg->key.name, key->name);
	if (s == TG_OK)
		*ret_time = (int64_t)time;
	return s;
}

tg_status
tg_checkpoint_vkeys(const struct tg_key *key, const char *name, bool witness,
    struct tg_note_key *ret[static 2], struct tg_error *err)
{
	TG_AUTO(tg_note_key_freep) struct tg_note_key *classic = NULL;

	TG_REQUIRE(tg_key_use_of(key) == TG_KEY_CHECKPOINT, err, TG_E_USAGE,
	    "%s: a %s key, a checkpoint key expected", name, key->suite->use_name);
	TG_TRY(tg_note_key_new(name, witness ? TG_NOTE_COSIG_ED25519 : TG_NOTE_ED25519,
	    tg_key_pk(key, TG_CLASSIC), &classic, err));
	TG_TRY(tg_note_key_new(name, TG_NOTE_COSIG_MLDSA44, tg_key_pk(key, TG_PQC), &ret[1], err));
	ret[0] = classic;
	classic = NULL;
	return TG_OK;
}
