#include "tgsp/signature.h"

#include "crypto/hash.h"
#include "json/json.h"
#include "tgsp/frame.h"
#include "tgsp/value.h"
#include "util/try.h"

#define LABEL(s) { (const uint8_t *)(s), sizeof(s) } /* with the NUL of the protocol's \0 */

/* ---- the statements ---- */

/* The parts of a statement with room for the lengths in it. */
struct statement {
	uint8_t len[2][4];
	tg_bytes part[6];
	size_t n;
};

static void
content_statement(tg_bytes header, tg_bytes manifest, struct statement *s)
{
	tg_put_u32be(s->len[0], (uint32_t)header.n);
	tg_put_u32be(s->len[1], (uint32_t)manifest.n);
	s->part[0] = (tg_bytes)LABEL("TGSP-v1 content");
	s->part[1] = (tg_bytes){ tgsp_magic, TGSP_MAGIC_LEN };
	s->part[2] = (tg_bytes){ s->len[0], 4 };
	s->part[3] = header;
	s->part[4] = (tg_bytes){ s->len[1], 4 };
	s->part[5] = manifest;
	s->n = 6;
}

static void
recipients_statement(const uint8_t *package_hash, tg_bytes recipients, struct statement *s)
{
	tg_put_u32be(s->len[0], (uint32_t)recipients.n);
	s->part[0] = (tg_bytes)LABEL("TGSP-v1 recipients");
	s->part[1] = (tg_bytes){ package_hash, 32 };
	s->part[2] = (tg_bytes){ s->len[0], 4 };
	s->part[3] = recipients;
	s->n = 4;
}

tg_status
tgsp_package_hash(tg_bytes header, tg_bytes manifest, uint8_t ret[static 32], struct tg_error *err)
{
	struct statement s;

	content_statement(header, manifest, &s);
	return tg_sha256(s.part, s.n, ret, err);
}

static tg_status
sign(const struct tg_key *key, const struct statement *s, bool deterministic,
    struct tg_composite_sig *ret, struct tg_error *err)
{
	TG_REQUIRE(tg_key_use_of(key) == TG_KEY_SIGNING && tg_key_has_private(key), err, TG_E_USAGE,
	    "signing needs a private signing key");
	return tg_composite_sign(key->private[TG_CLASSIC], key->private[TG_PQC], s->part, s->n,
	    deterministic, ret, err);
}

static tg_status
verify(const struct tg_key *key, const struct statement *s, const struct tg_composite_sig *sig,
    struct tg_error *err)
{
	TG_REQUIRE(tg_key_use_of(key) == TG_KEY_SIGNING, err, TG_E_USAGE,
	    "verifying needs a signing key");
	return tg_composite_verify(key->public[TG_CLASSIC], key->public[TG_PQC], s->part, s->n, sig,
	    err);
}

tg_status
tgsp_content_sign(const struct tg_key *key, tg_bytes header, tg_bytes manifest, bool deterministic,
    struct tg_composite_sig *ret, struct tg_error *err)
{
	struct statement s;

	content_statement(header, manifest, &s);
	return sign(key, &s, deterministic, ret, err);
}

tg_status
tgsp_content_verify(const struct tg_key *key, tg_bytes header, tg_bytes manifest,
    const struct tg_composite_sig *sig, struct tg_error *err)
{
	struct statement s;

	content_statement(header, manifest, &s);
	return verify(key, &s, sig, err);
}

tg_status
tgsp_recipients_sign(const struct tg_key *key, const uint8_t package_hash[static 32],
    tg_bytes recipients, bool deterministic, struct tg_composite_sig *ret, struct tg_error *err)
{
	struct statement s;

	recipients_statement(package_hash, recipients, &s);
	return sign(key, &s, deterministic, ret, err);
}

tg_status
tgsp_recipients_verify(const struct tg_key *key, const uint8_t package_hash[static 32],
    tg_bytes recipients, const struct tg_composite_sig *sig, struct tg_error *err)
{
	struct statement s;

	recipients_statement(package_hash, recipients, &s);
	return verify(key, &s, sig, err);
}

/* ---- the section ---- */

static tg_status
put_pair(struct tg_json *o, const struct tg_composite_sig *sig)
{
	TG_TRY(tg_json_set(o, "sig_classic",
	    tg_json_new_base64((tg_bytes){ sig->classic, sizeof(sig->classic) })));
	return tg_json_set(o, "sig_pqc", tg_json_new_base64((tg_bytes){ sig->pqc, sizeof(sig->pqc) }));
}

/* An object of the two halves, and of a key id unless that is NULL. */
static struct tg_json *
pair_json(const struct tg_composite_sig *sig, const uint8_t *key_id)
{
	struct tg_json *o = tg_json_new_object();

	if (o == NULL || put_pair(o, sig) != TG_OK ||
	    (key_id != NULL &&
		tg_json_set(o, "key_id", tg_json_new_hex((tg_bytes){ key_id, TG_KEY_ID_LEN })) !=
		    TG_OK)) {
		tg_json_free(o);
		return NULL;
	}
	return o;
}

tg_status
tgsp_signature_write(const struct tgsp_signature *s, struct tg_buf *out, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *o = tg_json_new_object();

	TG_REQUIRE(o != NULL &&
		tg_json_set(o, "key_id", tg_json_new_hex((tg_bytes){ s->key_id, TG_KEY_ID_LEN })) ==
		    TG_OK &&
		tg_json_set(o, "recipients", pair_json(&s->recipients, s->recipients_key_id)) ==
		    TG_OK &&
		tg_json_set(o, "signature", pair_json(&s->content, NULL)) == TG_OK,
	    err, TG_E_NOMEM, "signature: out of memory");
	return tg_json_write(o, out, err);
}

static tg_status
get_pair(const struct tg_json *classic, const struct tg_json *pqc, struct tg_composite_sig *ret,
    struct tg_error *err)
{
	TG_TRY(tgsp_get_base64(classic, "signature: \"sig_classic\"", ret->classic,
	    sizeof(ret->classic), err));
	return tgsp_get_base64(pqc, "signature: \"sig_pqc\"", ret->pqc, sizeof(ret->pqc), err);
}

tg_status
tgsp_signature_read(tg_bytes json, struct tgsp_signature *ret, struct tg_error *err)
{
	static const struct tg_json_field fields[] = {
		{ "key_id", TG_JSON_STRING, true },
		{ "recipients", TG_JSON_OBJECT, true },
		{ "signature", TG_JSON_OBJECT, true },
	};
	static const struct tg_json_field pair[] = {
		{ "sig_classic", TG_JSON_STRING, true },
		{ "sig_pqc", TG_JSON_STRING, true },
		{ "key_id", TG_JSON_STRING, true }, /* of the recipients' pair only */
	};
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;
	const struct tg_json *f[3] = { NULL }, *r[3] = { NULL }, *c[2] = { NULL };
	struct tgsp_signature s;

	TG_TRY(tg_json_parse(json, TG_JSON_CANONICAL, "signature", &j, err));
	TG_TRY(tg_json_fields(j, "signature", fields, TG_LEN(fields), f, err));
	TG_TRY(tg_json_fields(f[1], "signature.recipients", pair, 3, r, err));
	TG_TRY(tg_json_fields(f[2], "signature.signature", pair, 2, c, err));
	TG_TRY(tgsp_get_hex(f[0], "signature.key_id", s.key_id, TG_KEY_ID_LEN, err));
	TG_TRY(tgsp_get_hex(r[2], "signature.recipients.key_id", s.recipients_key_id, TG_KEY_ID_LEN,
	    err));
	TG_TRY(get_pair(r[0], r[1], &s.recipients, err));
	TG_TRY(get_pair(c[0], c[1], &s.content, err));
	*ret = s;
	return TG_OK;
}
