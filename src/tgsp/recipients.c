#include "tgsp/recipients.h"

#include <stdlib.h>
#include <tensorguard/limits.h>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "json/json.h"
#include "tgsp/value.h"
#include "util/text.h"
#include "util/try.h"

void
tgsp_recipients_done(struct tgsp_recipients *r)
{
	free(r->at);
	*r = (struct tgsp_recipients){ NULL, 0 };
}

/* ---- the section ---- */

static struct tg_json *
encap_json(const struct tgsp_recipient *r)
{
	struct tg_json *o = tg_json_new_object();

	if (o == NULL ||
	    tg_json_set(o, "ct_pqc", tg_json_new_base64((tg_bytes){ r->ct_pqc, sizeof(r->ct_pqc) })) !=
		TG_OK ||
	    tg_json_set(o, "ek_classic",
		tg_json_new_base64((tg_bytes){ r->ek_classic, sizeof(r->ek_classic) })) != TG_OK) {
		tg_json_free(o);
		return NULL;
	}
	return o;
}

static struct tg_json *
block_json(const struct tgsp_recipient *r)
{
	struct tg_json *o = tg_json_new_object();

	if (o == NULL || tg_json_set(o, "encap", encap_json(r)) != TG_OK ||
	    tg_json_set(o, "recipient_id", tg_json_new_hex((tg_bytes){ r->id, sizeof(r->id) })) !=
		TG_OK ||
	    tg_json_set(o, "wrapper",
		tg_json_new_base64((tg_bytes){ r->wrapper, sizeof(r->wrapper) })) != TG_OK) {
		tg_json_free(o);
		return NULL;
	}
	return o;
}

tg_status
tgsp_recipients_write(const struct tgsp_recipients *r, struct tg_buf *out, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *a = tg_json_new_array();

	for (size_t i = 0; a != NULL && i < r->n; i++)
		TG_REQUIRE(tg_json_push(a, block_json(&r->at[i])) == TG_OK, err, TG_E_NOMEM,
		    "recipients: out of memory");
	TG_REQUIRE(a != NULL, err, TG_E_NOMEM, "recipients: out of memory");
	return tg_json_write(a, out, err);
}

static tg_status
block_read(const struct tg_json *j, struct tgsp_recipient *ret, struct tg_error *err)
{
	static const struct tg_json_field fields[] = {
		{ "encap", TG_JSON_OBJECT, true },
		{ "recipient_id", TG_JSON_STRING, true },
		{ "wrapper", TG_JSON_STRING, true },
	};
	static const struct tg_json_field encap[] = {
		{ "ct_pqc", TG_JSON_STRING, true },
		{ "ek_classic", TG_JSON_STRING, true },
	};
	const struct tg_json *f[TG_LEN(fields)] = { NULL }, *e[TG_LEN(encap)] = { NULL };

	TG_TRY(tg_json_fields(j, "recipients", fields, TG_LEN(fields), f, err));
	TG_TRY(tg_json_fields(f[0], "recipients.encap", encap, TG_LEN(encap), e, err));
	TG_TRY(tgsp_get_base64(e[0], "recipients.encap.ct_pqc", ret->ct_pqc, sizeof(ret->ct_pqc),
	    err));
	TG_TRY(tgsp_get_base64(e[1], "recipients.encap.ek_classic", ret->ek_classic,
	    sizeof(ret->ek_classic), err));
	TG_TRY(tgsp_get_hex(f[1], "recipients.recipient_id", ret->id, sizeof(ret->id), err));
	return tgsp_get_base64(f[2], "recipients.wrapper", ret->wrapper, sizeof(ret->wrapper), err);
}

tg_status
tgsp_recipients_read(tg_bytes json, struct tgsp_recipients *ret, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;
	TG_AUTO(tgsp_recipients_done) struct tgsp_recipients r = { NULL, 0 };

	TG_TRY(tg_json_parse(json, TG_JSON_CANONICAL, "recipients", &j, err));
	TG_REQUIRE(tg_json_typeof(j) == TG_JSON_ARRAY, err, TG_E_FORMAT,
	    "recipients: an array expected");
	const size_t n = tg_json_count(j);
	TG_REQUIRE(n >= 1, err, TG_E_FORMAT, "recipients: none, 1 ... %u expected", TG_MAX_RECIPIENTS);
	TG_REQUIRE(n <= TG_MAX_RECIPIENTS, err, TG_E_LIMIT, "recipients: %zu, at most %u allowed", n,
	    TG_MAX_RECIPIENTS);
	r.at = calloc(n, sizeof(*r.at));
	TG_REQUIRE(r.at != NULL, err, TG_E_NOMEM, "recipients: out of memory");
	for (; r.n < n; r.n++) {
		TG_TRY(block_read(tg_json_at(j, r.n), &r.at[r.n], err));
		TG_REQUIRE(r.n == 0 || memcmp(r.at[r.n - 1].id, r.at[r.n].id, TG_KEY_ID_LEN) < 0, err,
		    TG_E_FORMAT, "recipients: recipient_id twice or out of order");
	}
	*ret = r;
	r.at = NULL;
	return TG_OK;
}

const struct tgsp_recipient *
tgsp_recipients_find(const struct tgsp_recipients *r, const uint8_t id[static TG_KEY_ID_LEN])
{
	for (size_t i = 0; i < r->n; i++)
		if (memcmp(r->at[i].id, id, TG_KEY_ID_LEN) == 0)
			return &r->at[i];
	return NULL;
}

/* ---- one block ---- */

tg_status
tgsp_kek(const struct tgsp_kem_transcript *t, struct tg_key32 *ret, struct tg_error *err)
{
	TG_AUTO(tg_key32_done) struct tg_key32 ss = { { 0 } }, prk = { { 0 } };
	uint8_t ct_hash[32], pk_hash[32];
	const tg_bytes ct = { t->ct_m, TG_MLKEM768_CT_LEN }, pk = { t->pk_m, TG_MLKEM768_PK_LEN };
	const tg_bytes info[] = { { t->ek_x, 32 }, { t->pk_x, 32 }, { ct_hash, 32 }, { pk_hash, 32 },
		{ t->manifest_hash, 32 } };

	TG_TRY(tg_sha256(&ct, 1, ct_hash, err));
	TG_TRY(tg_sha256(&pk, 1, pk_hash, err));
	TG_TRY(tg_kem_combine(t->ss_x, t->ss_m, ss.b, err));
	TG_TRY(tg_hkdf_extract(tg_bytes_str("TGSP-v1 kem X25519-MLKEM768"), (tg_bytes){ ss.b, 32 },
	    prk.b, err));
	return tg_hkdf_expand(prk.b, info, TG_LEN(info), ret->b, err);
}

static void
wrap_aad(const uint8_t *id, const uint8_t *commit, uint8_t aad[static TG_KEY_ID_LEN + 32])
{
	memcpy(aad, id, TG_KEY_ID_LEN);
	memcpy(aad + TG_KEY_ID_LEN, commit, 32);
}

/* The cipher under this block's KEK: what wrapping and unwrapping share. */
static tg_status
block_cipher(const struct tgsp_recipient *r, const struct tg_key *key, const struct tg_key32 *ss_x,
    const struct tg_key32 *ss_m, const uint8_t *manifest_hash, struct tg_aead **ret,
    struct tg_error *err)
{
	TG_AUTO(tg_key32_done) struct tg_key32 kek = { { 0 } };
	const struct tgsp_kem_transcript t = {
		.ss_x = ss_x->b,
		.ss_m = ss_m->b,
		.ek_x = r->ek_classic,
		.pk_x = tg_key_pk(key, TG_CLASSIC).p,
		.ct_m = r->ct_pqc,
		.pk_m = tg_key_pk(key, TG_PQC).p,
		.manifest_hash = manifest_hash,
	};

	TG_TRY(tgsp_kek(&t, &kek, err));
	return tg_aead_new(kek.b, ret, err);
}

static const uint8_t zero_nonce[TG_AEAD_NONCE_LEN];

tg_status
tgsp_recipient_wrap(const struct tg_key *to, const struct tgsp_coins *coins,
    const struct tg_key32 *dek, const uint8_t manifest_hash[static 32],
    const uint8_t commit[static 32], struct tgsp_recipient *ret, struct tg_error *err)
{
	TG_AUTO(tg_key32_done) struct tg_key32 ss_x = { { 0 } }, ss_m = { { 0 } };
	TG_AUTO(tg_aead_freep) struct tg_aead *aead = NULL;
	uint8_t aad[TG_KEY_ID_LEN + 32];
	struct tgsp_recipient r;

	TG_REQUIRE(tg_key_use_of(to) == TG_KEY_ENCRYPTION, err, TG_E_USAGE,
	    "a recipient needs an encryption key, this one is for %s", to->suite->use_name);
	memcpy(r.id, to->id, sizeof(r.id));
	TG_TRY(tg_kem_x25519.encaps(to->public[TG_CLASSIC], coins->x25519, r.ek_classic, ss_x.b, err));
	TG_TRY(tg_kem_mlkem768.encaps(to->public[TG_PQC], coins->mlkem, r.ct_pqc, ss_m.b, err));
	TG_TRY(block_cipher(&r, to, &ss_x, &ss_m, manifest_hash, &aead, err));
	wrap_aad(r.id, commit, aad);
	TG_TRY(tg_aead_seal(aead, zero_nonce, (tg_bytes){ aad, sizeof(aad) }, dek->b, 32, r.wrapper,
	    r.wrapper + 32, err));
	*ret = r;
	return TG_OK;
}

static tg_status
unwrap(const struct tgsp_recipient *r, const struct tg_key *key, const uint8_t *manifest_hash,
    const uint8_t *commit, struct tg_key32 *ret, struct tg_error *err)
{
	TG_AUTO(tg_key32_done) struct tg_key32 ss_x = { { 0 } }, ss_m = { { 0 } };
	TG_AUTO(tg_aead_freep) struct tg_aead *aead = NULL;
	uint8_t aad[TG_KEY_ID_LEN + 32];

	TG_TRY(tg_kem_x25519.decaps(key->private[TG_CLASSIC], r->ek_classic, ss_x.b, err));
	TG_TRY(tg_kem_mlkem768.decaps(key->private[TG_PQC], r->ct_pqc, ss_m.b, err));
	TG_TRY(block_cipher(r, key, &ss_x, &ss_m, manifest_hash, &aead, err));
	wrap_aad(r->id, commit, aad);
	return tg_aead_open(aead, zero_nonce, (tg_bytes){ aad, sizeof(aad) }, r->wrapper, 32,
	    r->wrapper + 32, ret->b, err);
}

tg_status
tgsp_recipient_unwrap(const struct tgsp_recipient *r, const struct tg_key *key,
    const uint8_t manifest_hash[static 32], const uint8_t commit[static 32], struct tg_key32 *ret,
    struct tg_error *err)
{
	TG_REQUIRE(tg_key_has_private(key) && tg_key_use_of(key) == TG_KEY_ENCRYPTION, err, TG_E_USAGE,
	    "opening needs a private encryption key");
	tg_status s = unwrap(r, key, manifest_hash, commit, ret, err);
	/* one answer for every way it can go wrong (docs/PROTOCOL.tgsp.md section 4, step 8) */
	TG_REQUIRE(s == TG_OK || s == TG_E_NOMEM, err, TG_E_AUTH,
	    "the recipient block does not open with this key");
	return s;
}
