#include "crypto/hash.h"

#include <stdlib.h>

#include "crypto/ossl.h"
#include "util/try.h"
#include "util/wipe.h"

struct tg_sha256_stream {
	EVP_MD_CTX *ctx;
	const EVP_MD *md;
};

static tg_status
digest(const EVP_MD *md, const tg_bytes *parts, size_t n, uint8_t *out, struct tg_error *err)
{
	TG_AUTO(tg_md_ctxp) EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = c != NULL && EVP_DigestInit_ex2(c, md, NULL) == 1;

	for (size_t i = 0; good && i < n; i++)
		good = EVP_DigestUpdate(c, parts[i].p, parts[i].n) == 1;
	TG_REQUIRE(good && EVP_DigestFinal_ex(c, out, NULL) == 1, err, TG_E_NOMEM,
	    "hash: out of memory");
	return TG_OK;
}

tg_status
tg_sha256(const tg_bytes *parts, size_t n, uint8_t out[static 32], struct tg_error *err)
{
	const struct tg_ossl *o = NULL;

	TG_TRY(tg_ossl(&o, err));
	return digest(o->sha256, parts, n, out, err);
}

tg_status
tg_sha512(const tg_bytes *parts, size_t n, uint8_t out[static 64], struct tg_error *err)
{
	const struct tg_ossl *o = NULL;

	TG_TRY(tg_ossl(&o, err));
	return digest(o->sha512, parts, n, out, err);
}

static tg_status
restart(struct tg_sha256_stream *h, struct tg_error *err)
{
	TG_REQUIRE(EVP_DigestInit_ex2(h->ctx, h->md, NULL) == 1, err, TG_E_NOMEM,
	    "hash: out of memory");
	return TG_OK;
}

tg_status
tg_sha256_new(struct tg_sha256_stream **ret, struct tg_error *err)
{
	const struct tg_ossl *o = NULL;
	TG_AUTO(tg_sha256_freep) struct tg_sha256_stream *h = NULL;

	TG_TRY(tg_ossl(&o, err));
	h = calloc(1, sizeof(*h));
	TG_REQUIRE(h != NULL, err, TG_E_NOMEM, "hash: out of memory");
	h->md = o->sha256;
	h->ctx = EVP_MD_CTX_new();
	TG_REQUIRE(h->ctx != NULL, err, TG_E_NOMEM, "hash: out of memory");
	TG_TRY(restart(h, err));
	*ret = h;
	h = NULL;
	return TG_OK;
}

tg_status
tg_sha256_put(struct tg_sha256_stream *h, const void *p, size_t n, struct tg_error *err)
{
	TG_REQUIRE(EVP_DigestUpdate(h->ctx, p, n) == 1, err, TG_E_INTERNAL, "hash: update failed");
	return TG_OK;
}

tg_status
tg_sha256_finish(struct tg_sha256_stream *h, uint8_t out[static 32], struct tg_error *err)
{
	TG_REQUIRE(EVP_DigestFinal_ex(h->ctx, out, NULL) == 1, err, TG_E_INTERNAL,
	    "hash: final failed");
	return restart(h, err);
}

void
tg_sha256_free(struct tg_sha256_stream *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

/* RFC 2104 over our own digest, so that no key passes through a parameter list. */
tg_status
tg_hmac_sha256(tg_bytes key, const tg_bytes *parts, size_t n, uint8_t out[static 32],
    struct tg_error *err)
{
	uint8_t pad[64] = { 0 }, inner[32];
	tg_bytes all[16];
	tg_status s = TG_OK;

	TG_REQUIRE(n < TG_LEN(all), err, TG_E_INTERNAL, "HMAC of %zu parts", n);
	if (key.n > sizeof(pad))
		s = tg_sha256(&key, 1, pad, err);
	else if (key.n > 0)
		memcpy(pad, key.p, key.n);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	all[0] = (tg_bytes){ pad, sizeof(pad) };
	for (size_t i = 0; i < n; i++)
		all[i + 1] = parts[i];
	if (s == TG_OK)
		s = tg_sha256(all, n + 1, inner, err);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	all[1] = (tg_bytes){ inner, sizeof(inner) };
	if (s == TG_OK)
		s = tg_sha256(all, 2, out, err);
	if (s != TG_OK)
		tg_wipe(out, 32);
	tg_wipe(pad, sizeof(pad));
	tg_wipe(inner, sizeof(inner));
	return s;
}

tg_status
tg_hkdf_extract(tg_bytes salt, tg_bytes ikm, uint8_t prk[static 32], struct tg_error *err)
{
	return tg_hmac_sha256(salt, &ikm, 1, prk, err);
}

tg_status
tg_hkdf_expand(const uint8_t prk[static 32], const tg_bytes *info, size_t n_info,
    uint8_t out[static 32], struct tg_error *err)
{
	static const uint8_t one = 1;
	tg_bytes parts[12];

	TG_REQUIRE(n_info < TG_LEN(parts), err, TG_E_INTERNAL, "HKDF info of %zu parts", n_info);
	for (size_t i = 0; i < n_info; i++)
		parts[i] = info[i];
	parts[n_info] = (tg_bytes){ &one, 1 };
	return tg_hmac_sha256((tg_bytes){ prk, 32 }, parts, n_info + 1, out, err);
}
