#include "tgsp/header.h"

#include <tensorguard/limits.h>

#include "json/json.h"
#include "tgsp/value.h"
#include "util/try.h"

/* The one algorithm tuple. */
static const struct {
	const char *key, *value;
} tuple[] = {
	{ "alg", "CHACHA20_POLY1305" },
	{ "hash", "SHA256-RFC6962" },
	{ "kem", "X25519-MLKEM768" },
	{ "sig", "Ed25519-MLDSA65" },
};

static tg_bytes
view32(const uint8_t p[static 32])
{
	return (tg_bytes){ p, 32 };
}

static struct tg_json *
crypto_json(const struct tgsp_header *h)
{
	struct tg_json *o = tg_json_new_object();
	tg_status s = o == NULL ? TG_E_NOMEM : TG_OK;

	for (size_t i = 0; s == TG_OK && i < TG_LEN(tuple); i++)
		s = tg_json_set(o, tuple[i].key, tg_json_new_str(tg_bytes_str(tuple[i].value)));
	if (s == TG_OK)
		s = tg_json_set(o, "commit", tg_json_new_base64(view32(h->commit)));
	if (s == TG_OK)
		s = tg_json_set(o, "salt", tg_json_new_base64(view32(h->salt)));
	if (s != TG_OK) {
		tg_json_free(o);
		return NULL;
	}
	return o;
}

static struct tg_json *
hashes_json(const struct tgsp_header *h)
{
	struct tg_json *o = tg_json_new_object();

	if (o == NULL || tg_json_set(o, "manifest", tg_json_new_hex(view32(h->manifest_hash))) != TG_OK ||
	    tg_json_set(o, "payload", tg_json_new_hex(view32(h->root))) != TG_OK) {
		tg_json_free(o);
		return NULL;
	}
	return o;
}

static struct tg_json *
payload_json(const struct tgsp_header *h)
{
	struct tg_json *o = tg_json_new_object();

	if (o == NULL || tg_json_set(o, "chunk_log2", tg_json_new_int(h->chunk_log2)) != TG_OK ||
	    tg_json_set(o, "chunks", tg_json_new_int((int64_t)h->chunks)) != TG_OK ||
	    tg_json_set(o, "plain_len", tg_json_new_int((int64_t)h->plain_len)) != TG_OK) {
		tg_json_free(o);
		return NULL;
	}
	return o;
}

tg_status
tgsp_header_write(const struct tgsp_header *h, struct tg_buf *out, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *o = tg_json_new_object();

	TG_REQUIRE(o != NULL && tg_json_set(o, "crypto", crypto_json(h)) == TG_OK &&
		tg_json_set(o, "hashes", hashes_json(h)) == TG_OK &&
		tg_json_set(o, "payload", payload_json(h)) == TG_OK &&
		tg_json_set(o, "tgsp_version", tg_json_new_str(tg_bytes_str("1.0"))) == TG_OK,
	    err, TG_E_NOMEM, "header: out of memory");
	return tg_json_write(o, out, err);
}

static tg_status
crypto_read(const struct tg_json *j, struct tgsp_header *h, struct tg_error *err)
{
	enum { ALG, COMMIT, HASH, KEM, SALT, SIG, N };
	static const struct tg_json_field fields[N] = {
		[ALG] = { "alg", TG_JSON_STRING, true },
		[COMMIT] = { "commit", TG_JSON_STRING, true },
		[HASH] = { "hash", TG_JSON_STRING, true },
		[KEM] = { "kem", TG_JSON_STRING, true },
		[SALT] = { "salt", TG_JSON_STRING, true },
		[SIG] = { "sig", TG_JSON_STRING, true },
	};
	const struct tg_json *f[N] = { NULL };

	TG_TRY(tg_json_fields(j, "header.crypto", fields, N, f, err));
	for (size_t i = 0; i < TG_LEN(tuple); i++) {
		char what[32] = "header.crypto.";

		strncat(what, tuple[i].key, sizeof(what) - strlen(what) - 1);
		TG_TRY(tgsp_get_exact(tg_json_get(j, tuple[i].key), what, tuple[i].value, err));
	}
	TG_TRY(tgsp_get_base64(f[COMMIT], "header.crypto.commit", h->commit, 32, err));
	return tgsp_get_base64(f[SALT], "header.crypto.salt", h->salt, 32, err);
}

static tg_status
hashes_read(const struct tg_json *j, struct tgsp_header *h, struct tg_error *err)
{
	static const struct tg_json_field fields[] = {
		{ "manifest", TG_JSON_STRING, true },
		{ "payload", TG_JSON_STRING, true },
	};
	const struct tg_json *f[TG_LEN(fields)] = { NULL };

	TG_TRY(tg_json_fields(j, "header.hashes", fields, TG_LEN(fields), f, err));
	TG_TRY(tgsp_get_hex(f[0], "header.hashes.manifest", h->manifest_hash, 32, err));
	return tgsp_get_hex(f[1], "header.hashes.payload", h->root, 32, err);
}

static tg_status
payload_read(const struct tg_json *j, struct tgsp_header *h, struct tg_error *err)
{
	static const struct tg_json_field fields[] = {
		{ "chunk_log2", TG_JSON_INT, true },
		{ "chunks", TG_JSON_INT, true },
		{ "plain_len", TG_JSON_INT, true },
	};
	const struct tg_json *f[TG_LEN(fields)] = { NULL };
	uint64_t log2 = 0;

	TG_TRY(tg_json_fields(j, "header.payload", fields, TG_LEN(fields), f, err));
	TG_TRY(tgsp_get_uint(f[0], "header.payload.chunk_log2", TG_MAX_CHUNK_LOG2, &log2, err));
	TG_TRY(tgsp_get_uint(f[1], "header.payload.chunks", TG_MAX_CHUNKS, &h->chunks, err));
	TG_TRY(tgsp_get_uint(f[2], "header.payload.plain_len", TG_MAX_PLAIN_LEN, &h->plain_len, err));
	h->chunk_log2 = (unsigned)log2;
	return TG_OK;
}

tg_status
tgsp_header_read(tg_bytes json, struct tgsp_header *ret, struct tg_error *err)
{
	enum { CRYPTO, HASHES, PAYLOAD, VERSION, N };
	static const struct tg_json_field fields[N] = {
		[CRYPTO] = { "crypto", TG_JSON_OBJECT, true },
		[HASHES] = { "hashes", TG_JSON_OBJECT, true },
		[PAYLOAD] = { "payload", TG_JSON_OBJECT, true },
		[VERSION] = { "tgsp_version", TG_JSON_STRING, true },
	};
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;
	const struct tg_json *f[N] = { NULL };
	struct tgsp_header h = { .chunks = 0 };

	TG_TRY(tg_json_parse(json, TG_JSON_CANONICAL, "header", &j, err));
	TG_TRY(tg_json_fields(j, "header", fields, N, f, err));
	TG_TRY(tgsp_get_exact(f[VERSION], "header.tgsp_version", "1.0", err));
	TG_TRY(crypto_read(f[CRYPTO], &h, err));
	TG_TRY(hashes_read(f[HASHES], &h, err));
	TG_TRY(payload_read(f[PAYLOAD], &h, err));
	*ret = h;
	return TG_OK;
}
