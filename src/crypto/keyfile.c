/* Key files: written and read here, one JSON object each (docs/KEYS.md). Private values go
 * straight between protected memory and base64; no JSON library ever sees them. */
#include <stdio.h>
#include <tensorguard/limits.h>

#include "crypto/aead.h"
#include "crypto/argon2.h"
#include "crypto/key.h"
#include "crypto/rng.h"
#include "json/json.h"
#include "util/newfile.h"
#include "util/text.h"
#include "util/try.h"
#include "util/wipe.h"

#define SALT_LEN     16
#define BOX_MAX      (32 + TG_KEY_SEED_MAX + TG_AEAD_TAG_LEN)
#define FILE_VERSION 1

/* ---- writing ---- */

/* The object without "private": what a .pub holds, and what the box authenticates. */
tg_status
tg_key_public_json(const struct tg_key *k, struct tg_json **ret, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *o = tg_json_new_object();
	struct tg_json *pub = tg_json_new_object();

	if (tg_json_set(o, "public", pub) != TG_OK) /* takes pub over, also when o is NULL */
		return tg_fail(err, TG_E_NOMEM, "key file: out of memory");
	TG_REQUIRE(tg_json_set(pub, "classic", tg_json_new_base64(tg_key_pk(k, TG_CLASSIC))) == TG_OK &&
		tg_json_set(pub, "pqc", tg_json_new_base64(tg_key_pk(k, TG_PQC))) == TG_OK &&
		tg_json_set(o, "tensorguard_key", tg_json_new_int(FILE_VERSION)) == TG_OK &&
		tg_json_set(o, "use", tg_json_new_str(tg_bytes_str(k->suite->use_name))) == TG_OK &&
		tg_json_set(o, "alg", tg_json_new_str(tg_bytes_str(k->suite->alg))) == TG_OK &&
		tg_json_set(o, "key_id", tg_json_new_hex((tg_bytes){ k->id, sizeof(k->id) })) == TG_OK &&
		tg_json_set(o, "created", tg_json_new_int(k->created)) == TG_OK,
	    err, TG_E_NOMEM, "key file: out of memory");
	*ret = o;
	o = NULL;
	return TG_OK;
}

static tg_status
public_json(const struct tg_key *k, struct tg_buf *out, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *o = NULL;

	TG_TRY(tg_key_public_json(k, &o, err));
	return tg_json_write(o, out, err);
}

/* Text under construction in memory of a fixed size. */
struct text {
	char *p;
	size_t n, max;
};

static tg_status
text_put(struct text *t, const char *s, size_t n, struct tg_error *err)
{
	TG_REQUIRE(n < t->max - t->n, err, TG_E_INTERNAL, "key file: longer than %zu bytes", t->max);
	memcpy(t->p + t->n, s, n);
	t->n += n;
	return TG_OK;
}

static tg_status
text_puts(struct text *t, const char *s, struct tg_error *err)
{
	return text_put(t, s, strlen(s), err);
}

static tg_status
text_base64(struct text *t, const char *before, tg_bytes raw, const char *after,
    struct tg_error *err)
{
	TG_TRY(text_puts(t, before, err));
	TG_REQUIRE(tg_base64_len(raw.n) + 1 < t->max - t->n, err, TG_E_INTERNAL,
	    "key file: longer than %zu bytes", t->max);
	tg_base64_encode(t->p + t->n, raw);
	t->n += tg_base64_len(raw.n);
	return text_puts(t, after, err);
}

static tg_status
private_plain(const struct tg_key *k, struct text *t, struct tg_error *err)
{
	const uint8_t *seed = tg_secret_bytes(k->seeds);
	const size_t n = k->suite->half[TG_CLASSIC]->seed_len;

	TG_TRY(text_base64(t, "{\"classic\":\"", (tg_bytes){ seed, n }, "\"", err));
	return text_base64(t, ",\"pqc\":\"",
	    (tg_bytes){ seed + n, k->suite->half[TG_PQC]->seed_len }, "\"}", err);
}

static tg_status
box_key(const struct tg_argon2_cost *cost, const struct tg_secret *passphrase,
    const uint8_t salt[static SALT_LEN], struct tg_aead **ret, struct tg_error *err)
{
	TG_AUTO(tg_key32_done) struct tg_key32 key = { { 0 } };

	TG_TRY(tg_argon2id(cost, (tg_bytes){ tg_secret_bytes(passphrase), tg_secret_len(passphrase) },
	    (tg_bytes){ salt, SALT_LEN }, key.b, err));
	return tg_aead_new(key.b, ret, err);
}

static tg_status
private_boxed(const struct tg_key *k, const struct tg_secret *passphrase, tg_bytes aad,
    struct text *t, struct tg_error *err)
{
	TG_AUTO(tg_aead_freep) struct tg_aead *aead = NULL;
	const size_t n = tg_secret_len(k->seeds);
	uint8_t salt[SALT_LEN], nonce[TG_AEAD_NONCE_LEN], box[BOX_MAX];
	const struct tg_argon2_cost *cost = &tg_argon2_default;
	char numbers[64];

	TG_TRY(tg_random(salt, sizeof(salt), err));
	TG_TRY(tg_random(nonce, sizeof(nonce), err));
	TG_TRY(box_key(cost, passphrase, salt, &aead, err));
	TG_TRY(tg_aead_seal(aead, nonce, aad, tg_secret_bytes(k->seeds), n, box, box + n, err));
	TG_TRY(text_base64(t, "{\"box\":\"", (tg_bytes){ box, n + TG_AEAD_TAG_LEN }, "\"", err));
	(void)snprintf(numbers, sizeof(numbers), ",\"kdf\":\"argon2id\",\"m\":%u", cost->kib);
	TG_TRY(text_puts(t, numbers, err));
	TG_TRY(text_base64(t, ",\"nonce\":\"", (tg_bytes){ nonce, sizeof(nonce) }, "\"", err));
	(void)snprintf(numbers, sizeof(numbers), ",\"p\":%u", cost->lanes);
	TG_TRY(text_puts(t, numbers, err));
	TG_TRY(text_base64(t, ",\"salt\":\"", (tg_bytes){ salt, sizeof(salt) }, "\"", err));
	(void)snprintf(numbers, sizeof(numbers), ",\"t\":%u}", cost->passes);
	return text_puts(t, numbers, err);
}

static tg_status
write_file(const char *path, unsigned mode, const void *p, size_t n, struct tg_error *err)
{
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = NULL;

	TG_TRY(tg_newfile_create_path(path, mode, &f, err));
	const struct tg_sink to = tg_newfile_sink(f);
	TG_TRY(to.write(to.ctx, p, n, err));
	return tg_newfile_commit(f, false, err);
}

tg_status
tg_key_save_public(const struct tg_key *k, const char *path, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_KEY_FILE };

	TG_TRY(public_json(k, &text, err));
	TG_REQUIRE(tg_buf_put_u8(&text, '\n') == TG_OK, err, TG_E_NOMEM, "%s: out of memory", path);
	return write_file(path, 0644, text.p, text.n, err);
}

tg_status
tg_key_save_private(const struct tg_key *k, const char *path, const struct tg_secret *passphrase,
    struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf pub = { .max = TG_MAX_KEY_FILE };
	TG_AUTO(tg_secret_freep) struct tg_secret *all = NULL;
	static const char after[] = "\"public\":"; /* "private" sorts just before it */

	TG_REQUIRE(tg_key_has_private(k), err, TG_E_USAGE, "%s: no private key to write", path);
	TG_TRY(public_json(k, &pub, err));
	const uint8_t *cut = memmem(pub.p, pub.n, after, sizeof(after) - 1);
	TG_REQUIRE(cut != NULL, err, TG_E_INTERNAL, "%s: public part without \"public\"", path);
	TG_TRY(tg_secret_new(TG_MAX_KEY_FILE, &all, err));
	struct text t = { (char *)tg_secret_bytes(all), 0, TG_MAX_KEY_FILE };
	TG_TRY(text_put(&t, (const char *)pub.p, (size_t)(cut - pub.p), err));
	TG_TRY(text_puts(&t, "\"private\":", err));
	TG_TRY(passphrase == NULL ? private_plain(k, &t, err)
				  : private_boxed(k, passphrase, tg_buf_view(&pub), &t, err));
	TG_TRY(text_puts(&t, ",", err));
	TG_TRY(text_put(&t, (const char *)cut, pub.n - (size_t)(cut - pub.p), err));
	TG_TRY(text_puts(&t, "\n", err));
	return write_file(path, 0600, t.p, t.n, err);
}

/* ---- reading ---- */

/* Where the unprotected seeds stand in the text. */
struct seed_spans {
	tg_bytes at[TG_HALVES];
};

static tg_status
note_span(void *ctx, const char *path, tg_bytes raw, struct tg_error *err)
{
	struct seed_spans *spans = ctx;

	(void)err;
	if (strcmp(path, "private.classic") == 0)
		spans->at[TG_CLASSIC] = raw;
	else if (strcmp(path, "private.pqc") == 0)
		spans->at[TG_PQC] = raw;
	return TG_OK;
}

/* The text as a tree, the seeds blanked out so that they stay where they are. */
static tg_status
parse_redacted(tg_bytes text, const char *path, struct seed_spans *ret_spans,
    struct tg_json **ret, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf copy = { .max = text.n };
	const struct tg_json_visitor visitor = { note_span, ret_spans };
	const uint8_t *from = text.p;

	TG_TRY(tg_json_scan(text, TG_JSON_ORDINARY, path, &visitor, err));
	for (int i = 0; i < TG_HALVES; i++) {
		const tg_bytes *span = &ret_spans->at[i];

		if (span->p == NULL)
			continue;
		/* "classic" first in our own files, but any order is good JSON */
		TG_REQUIRE(span->p >= from, err, TG_E_FORMAT, "%s: \"pqc\" before \"classic\"", path);
		TG_REQUIRE(tg_buf_put(&copy, from, (size_t)(span->p - from)) == TG_OK, err, TG_E_NOMEM,
		    "%s: out of memory", path);
		from = span->p + span->n;
	}
	TG_REQUIRE(tg_buf_put(&copy, from, (size_t)(text.p + text.n - from)) == TG_OK, err, TG_E_NOMEM,
	    "%s: out of memory", path);
	return tg_json_parse(tg_buf_view(&copy), TG_JSON_ORDINARY, path, ret, err);
}

static tg_status
get_base64(const struct tg_json *j, const char *path, const char *name, uint8_t *out, size_t n,
    struct tg_error *err)
{
	TG_REQUIRE(tg_base64_decode(out, n, tg_json_str(j)), err, TG_E_FORMAT,
	    "%s: \"%s\" is not base64 of %zu bytes", path, name, n);
	return TG_OK;
}

static const struct tg_json_field half_fields[TG_HALVES] = {
	[TG_CLASSIC] = { "classic", TG_JSON_STRING, true },
	[TG_PQC] = { "pqc", TG_JSON_STRING, true },
};

enum { F_ALG, F_CREATED, F_ID, F_PRIVATE, F_PUBLIC, F_VERSION, F_USE, FIELDS };

static tg_status
read_fields(const struct tg_json *j, const char *path, const struct tg_json *ret[FIELDS],
    const struct tg_key_suite **ret_suite, struct tg_error *err)
{
	static const struct tg_json_field fields[FIELDS] = {
		[F_ALG] = { "alg", TG_JSON_STRING, true },
		[F_CREATED] = { "created", TG_JSON_INT, true },
		[F_ID] = { "key_id", TG_JSON_STRING, true },
		[F_PRIVATE] = { "private", TG_JSON_OBJECT, false },
		[F_PUBLIC] = { "public", TG_JSON_OBJECT, true },
		[F_VERSION] = { "tensorguard_key", TG_JSON_INT, true },
		[F_USE] = { "use", TG_JSON_STRING, true },
	};

	TG_REQUIRE(tg_json_typeof(j) == TG_JSON_OBJECT && tg_json_get(j, "tensorguard_key") != NULL,
	    err, TG_E_FORMAT, "%s: not a TensorGuard key file", path);
	TG_TRY(tg_json_fields(j, path, fields, FIELDS, ret, err));
	TG_REQUIRE(tg_json_int(ret[F_VERSION]) == FILE_VERSION, err, TG_E_UNSUPPORTED,
	    "%s: key file version %lld, %d expected", path, (long long)tg_json_int(ret[F_VERSION]),
	    FILE_VERSION);
	const int64_t created = tg_json_int(ret[F_CREATED]);
	TG_REQUIRE(created >= -TG_MAX_JSON_INT && created <= TG_MAX_JSON_INT, err, TG_E_FORMAT,
	    "%s: \"created\" %lld, -(2^53-1) ... 2^53-1 expected", path, (long long)created);
	for (int use = 0; use < TG_KEY_USES; use++) {
		const struct tg_key_suite *s = tg_key_suite((enum tg_key_use)use);

		if (tg_bytes_equal(tg_json_str(ret[F_USE]), tg_bytes_str(s->use_name)) &&
		    tg_bytes_equal(tg_json_str(ret[F_ALG]), tg_bytes_str(s->alg))) {
			*ret_suite = s;
			return TG_OK;
		}
	}
	return tg_fail(err, TG_E_UNSUPPORTED, "%s: key of use \"%s\" with algorithm \"%s\"", path,
	    (const char *)tg_json_str(ret[F_USE]).p, (const char *)tg_json_str(ret[F_ALG]).p);
}

static tg_status
read_public(const struct tg_json *const f[FIELDS], const struct tg_key_suite *suite,
    const char *path, struct tg_key **ret, struct tg_error *err)
{
	const struct tg_json *half[TG_HALVES] = { NULL };
	uint8_t pk[TG_HALVES][TG_KEY_PK_MAX], id[TG_KEY_ID_LEN];
	TG_AUTO(tg_key_freep) struct tg_key *k = NULL;
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(tg_json_fields(f[F_PUBLIC], path, half_fields, TG_HALVES, half, err));
	for (int i = 0; i < TG_HALVES; i++)
		TG_TRY(get_base64(half[i], path, half_fields[i].key, pk[i], suite->half[i]->pk_len, err));
	tg_status s = tg_key_from_public(suite->use, tg_json_int(f[F_CREATED]), pk[TG_CLASSIC],
	    pk[TG_PQC], &k, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", path, why.text);
	TG_REQUIRE(tg_hex_decode(id, sizeof(id), tg_json_str(f[F_ID])) &&
		memcmp(id, k->id, sizeof(id)) == 0,
	    err, TG_E_FORMAT, "%s: key_id is not that of the public key", path);
	*ret = k;
	k = NULL;
	return TG_OK;
}

static tg_status
read_plain(const struct tg_json *private, const struct seed_spans *spans,
    const struct tg_key_suite *suite, const char *path, struct tg_secret *seeds,
    struct tg_error *err)
{
	const struct tg_json *half[TG_HALVES] = { NULL };
	uint8_t *to = tg_secret_bytes(seeds);

	TG_TRY(tg_json_fields(private, path, half_fields, TG_HALVES, half, err));
	for (int i = 0; i < TG_HALVES; i++) {
		TG_REQUIRE(spans->at[i].p != NULL &&
			tg_base64_decode(to, suite->half[i]->seed_len, spans->at[i]),
		    err, TG_E_FORMAT, "%s: \"private\" does not hold two seeds of base64", path);
		to += suite->half[i]->seed_len;
	}
	return TG_OK;
}

static tg_status
read_boxed(const struct tg_json *box, const struct tg_key *pub,
    const struct tg_passphrase *passphrase, const char *path, struct tg_secret *seeds,
    struct tg_error *err)
{
	enum { B_BOX, B_KDF, B_M, B_NONCE, B_P, B_SALT, B_T, BOX_FIELDS };
	static const struct tg_json_field fields[BOX_FIELDS] = {
		[B_BOX] = { "box", TG_JSON_STRING, true },
		[B_KDF] = { "kdf", TG_JSON_STRING, true },
		[B_M] = { "m", TG_JSON_INT, true },
		[B_NONCE] = { "nonce", TG_JSON_STRING, true },
		[B_P] = { "p", TG_JSON_INT, true },
		[B_SALT] = { "salt", TG_JSON_STRING, true },
		[B_T] = { "t", TG_JSON_INT, true },
	};
	const struct tg_json *f[BOX_FIELDS] = { NULL };
	uint8_t sealed[BOX_MAX], nonce[TG_AEAD_NONCE_LEN], salt[SALT_LEN];
	const size_t n = tg_secret_len(seeds);
	TG_AUTO(tg_buf_done) struct tg_buf aad = { .max = TG_MAX_KEY_FILE };
	TG_AUTO(tg_secret_freep) struct tg_secret *phrase = NULL;
	TG_AUTO(tg_aead_freep) struct tg_aead *aead = NULL;

	TG_TRY(tg_json_fields(box, path, fields, BOX_FIELDS, f, err));
	TG_REQUIRE(tg_bytes_equal(tg_json_str(f[B_KDF]), tg_bytes_str("argon2id")), err,
	    TG_E_UNSUPPORTED, "%s: kdf \"%s\", argon2id expected", path,
	    (const char *)tg_json_str(f[B_KDF]).p);
	TG_TRY(get_base64(f[B_BOX], path, "box", sealed, n + TG_AEAD_TAG_LEN, err));
	TG_TRY(get_base64(f[B_NONCE], path, "nonce", nonce, sizeof(nonce), err));
	TG_TRY(get_base64(f[B_SALT], path, "salt", salt, sizeof(salt), err));
	const int64_t m = tg_json_int(f[B_M]), t = tg_json_int(f[B_T]), p = tg_json_int(f[B_P]);
	TG_REQUIRE(m > 0 && m <= TG_MAX_ARGON2_KIB && t > 0 && t <= TG_MAX_ARGON2_PASSES && p > 0 &&
		p <= TG_MAX_ARGON2_LANES,
	    err, TG_E_LIMIT, "%s: Argon2id cost out of range", path);
	const struct tg_argon2_cost cost = { (uint32_t)m, (uint32_t)t, (uint32_t)p };
	TG_REQUIRE(passphrase != NULL, err, TG_E_AUTH,
	    "%s: protected by a passphrase: give --passphrase-file or use a terminal", path);
	TG_TRY(passphrase->ask(passphrase->ctx, &phrase, err));
	TG_TRY(public_json(pub, &aad, err));
	TG_TRY(box_key(&cost, phrase, salt, &aead, err));
	TG_REQUIRE(tg_aead_open(aead, nonce, tg_buf_view(&aad), sealed, n, sealed + n,
		       tg_secret_bytes(seeds), NULL) == TG_OK,
	    err, TG_E_AUTH, "%s: wrong passphrase, or the file was changed", path);
	return TG_OK;
}

static tg_status
read_private(const struct tg_json *private, const struct seed_spans *spans,
    const struct tg_passphrase *passphrase, const char *path, struct tg_key *pub,
    struct tg_key **ret, struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *seeds = NULL;
	TG_AUTO(tg_key_freep) struct tg_key *k = NULL;
	struct tg_secret *given;

	TG_TRY(tg_secret_new(tg_key_seeds_len(pub->suite), &seeds, err));
	TG_TRY(tg_json_get(private, "kdf") != NULL
		? read_boxed(private, pub, passphrase, path, seeds, err)
		: read_plain(private, spans, pub->suite, path, seeds, err));
	given = seeds;
	seeds = NULL;
	TG_TRY(tg_key_from_seeds(pub->suite->use, pub->created, given, &k, err));
	TG_REQUIRE(memcmp(k->id, pub->id, sizeof(k->id)) == 0, err, TG_E_FORMAT,
	    "%s: private and public part do not belong together", path);
	*ret = k;
	k = NULL;
	return TG_OK;
}

/* The rest of tg_key_load() on text that lies in protected memory; the fuzz target's way in. */
tg_status
tg_key_parse(tg_bytes text, const char *path, const struct tg_passphrase *passphrase,
    struct tg_key **ret, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;
	TG_AUTO(tg_key_freep) struct tg_key *pub = NULL;
	const struct tg_json *f[FIELDS] = { NULL };
	const struct tg_key_suite *suite = NULL;
	struct seed_spans spans = { { { NULL, 0 } } };

	TG_TRY(parse_redacted(text, path, &spans, &j, err));
	TG_TRY(read_fields(j, path, f, &suite, err));
	TG_TRY(read_public(f, suite, path, &pub, err));
	if (f[F_PRIVATE] != NULL)
		return read_private(f[F_PRIVATE], &spans, passphrase, path, pub, ret, err);
	*ret = pub;
	pub = NULL;
	return TG_OK;
}

tg_status
tg_key_load(const char *path, const struct tg_passphrase *passphrase, struct tg_key **ret,
    struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *text = NULL;

	TG_TRY(tg_file_read_secret(path, TG_MAX_KEY_FILE, &text, err));
	return tg_key_parse((tg_bytes){ tg_secret_bytes(text), tg_secret_len(text) }, path, passphrase,
	    ret, err);
}
