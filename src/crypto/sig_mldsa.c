#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/ossl_pkey.h"
#include "crypto/sig.h"
#include "util/try.h"

#define SEED_LEN 32

static tg_status
load_public44(const uint8_t *pk, struct tg_pkey **ret, struct tg_error *err)
{
	return tg_pkey_public("ML-DSA-44", pk, TG_MLDSA44_PK_LEN, ret, err);
}

static tg_status
load_public65(const uint8_t *pk, struct tg_pkey **ret, struct tg_error *err)
{
	return tg_pkey_public("ML-DSA-65", pk, TG_MLDSA65_PK_LEN, ret, err);
}

static tg_status
load_private44(const uint8_t *seed, struct tg_pkey **ret, struct tg_error *err)
{
	return tg_pkey_private("ML-DSA-44", OSSL_PKEY_PARAM_ML_DSA_SEED, seed, SEED_LEN, ret, err);
}

static tg_status
load_private65(const uint8_t *seed, struct tg_pkey **ret, struct tg_error *err)
{
	return tg_pkey_private("ML-DSA-65", OSSL_PKEY_PARAM_ML_DSA_SEED, seed, SEED_LEN, ret, err);
}

static tg_status
public_of44(const struct tg_pkey *k, uint8_t *pk, struct tg_error *err)
{
	return tg_pkey_raw(k, pk, TG_MLDSA44_PK_LEN, err);
}

static tg_status
public_of65(const struct tg_pkey *k, uint8_t *pk, struct tg_error *err)
{
	return tg_pkey_raw(k, pk, TG_MLDSA65_PK_LEN, err);
}

/* OpenSSL knows by the key how long its signatures are, so that these two serve every size. */
static size_t
sig_len(const struct tg_pkey *k)
{
	return (size_t)EVP_PKEY_get_size(tg_pkey_evp(k));
}

static OSSL_PARAM
context_param(tg_bytes context)
{
	const void *p = context.n == 0 ? "" : (const void *)context.p;

	return OSSL_PARAM_construct_octet_string(
	    OSSL_SIGNATURE_PARAM_CONTEXT_STRING, (void *)(uintptr_t)p, context.n);
}

static tg_status
sign(const struct tg_pkey *k, tg_bytes msg, tg_bytes context, bool deterministic, uint8_t *sig,
    struct tg_error *err)
{
	int det = deterministic;
	const OSSL_PARAM params[] = {
		context_param(context),
		OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, &det),
		OSSL_PARAM_construct_end(),
	};

	return tg_pkey_sign(k, params, msg, sig, sig_len(k), err);
}

static tg_status
verify(const struct tg_pkey *k, tg_bytes msg, tg_bytes context, const uint8_t *sig,
    struct tg_error *err)
{
	const OSSL_PARAM params[] = {
		context_param(context),
		OSSL_PARAM_construct_end(),
	};

	return tg_pkey_verify(k, params, msg, sig, sig_len(k), err);
}

const struct tg_sig_alg tg_sig_mldsa44 = {
	.key = { "ML-DSA-44", TG_MLDSA44_PK_LEN, SEED_LEN, load_public44, load_private44,
	    public_of44 },
	.sig_len = TG_MLDSA44_SIG_LEN,
	.sign = sign,
	.verify = verify,
};

const struct tg_sig_alg tg_sig_mldsa65 = {
	.key = { "ML-DSA-65", TG_MLDSA65_PK_LEN, SEED_LEN, load_public65, load_private65,
	    public_of65 },
	.sig_len = TG_MLDSA65_SIG_LEN,
	.sign = sign,
	.verify = verify,
};
