#include "crypto/ossl_pkey.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "util/try.h"
#include "util/wipe.h"

void
tg_pkey_free(struct tg_pkey *k)
{
	EVP_PKEY_free(tg_pkey_evp(k));
}

static tg_status
from_params(const char *name, int selection, OSSL_PARAM *params, struct tg_pkey **ret,
    struct tg_error *err)
{
	const struct tg_ossl *o = NULL;
	TG_AUTO(tg_pkey_ctxp) EVP_PKEY_CTX *c = NULL;
	EVP_PKEY *k = NULL;

	TG_TRY(tg_ossl(&o, err));
	c = EVP_PKEY_CTX_new_from_name(o->lib, name, NULL);
	TG_REQUIRE(c != NULL && EVP_PKEY_fromdata_init(c) == 1, err, TG_E_UNSUPPORTED,
	    "this OpenSSL has no %s", name);
	TG_REQUIRE(EVP_PKEY_fromdata(c, &k, selection, params) == 1, err, TG_E_FORMAT,
	    "not a valid %s key", name);
	*ret = (struct tg_pkey *)k;
	return TG_OK;
}

tg_status
tg_pkey_public(const char *name, const uint8_t *pk, size_t n, struct tg_pkey **ret,
    struct tg_error *err)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)pk, n),
		OSSL_PARAM_construct_end(),
	};

	return from_params(name, EVP_PKEY_PUBLIC_KEY, params, ret, err);
}

tg_status
tg_pkey_private(const char *name, const char *seed_param, const uint8_t *seed, size_t n,
    struct tg_pkey **ret, struct tg_error *err)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(seed_param, (void *)(uintptr_t)seed, n),
		OSSL_PARAM_construct_end(),
	};

	return from_params(name, EVP_PKEY_KEYPAIR, params, ret, err);
}

tg_status
tg_pkey_raw(const struct tg_pkey *k, uint8_t *pk, size_t n, struct tg_error *err)
{
	size_t len = n;

	TG_REQUIRE(EVP_PKEY_get_raw_public_key(tg_pkey_evp(k), pk, &len) == 1 && len == n, err,
	    TG_E_INTERNAL, "public key of another length than %zu", n);
	return TG_OK;
}

tg_status
tg_pkey_sign(const struct tg_pkey *k, const OSSL_PARAM *params, tg_bytes msg, uint8_t *sig,
    size_t sig_len, struct tg_error *err)
{
	const struct tg_ossl *o = NULL;
	TG_AUTO(tg_md_ctxp) EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = sig_len;

	TG_TRY(tg_ossl(&o, err));
	if (c != NULL &&
	    EVP_DigestSignInit_ex(c, NULL, NULL, o->lib, NULL, tg_pkey_evp(k), params) == 1 &&
	    EVP_DigestSign(c, sig, &len, msg.p, msg.n) == 1 && len == sig_len)
		return TG_OK;
	tg_wipe(sig, sig_len);
	return tg_fail(err, TG_E_INTERNAL, "signing failed");
}

tg_status
tg_pkey_verify(const struct tg_pkey *k, const OSSL_PARAM *params, tg_bytes msg, const uint8_t *sig,
    size_t sig_len, struct tg_error *err)
{
	const struct tg_ossl *o = NULL;
	TG_AUTO(tg_md_ctxp) EVP_MD_CTX *c = EVP_MD_CTX_new();

	TG_TRY(tg_ossl(&o, err));
	TG_REQUIRE(c != NULL &&
		EVP_DigestVerifyInit_ex(c, NULL, NULL, o->lib, NULL, tg_pkey_evp(k), params) == 1,
	    err, TG_E_NOMEM, "verification: out of memory");
	TG_REQUIRE(EVP_DigestVerify(c, sig, sig_len, msg.p, msg.n) == 1, err, TG_E_AUTH,
	    "signature does not verify");
	return TG_OK;
}
