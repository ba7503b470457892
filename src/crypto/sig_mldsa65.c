#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/ossl_pkey.h"
#include "crypto/sig.h"
#include "util/try.h"

static tg_status
load_public(const uint8_t *pk, struct tg_pkey **ret, struct tg_error *err)
{
	return tg_pkey_public("ML-DSA-65", pk, TG_MLDSA65_PK_LEN, ret, err);
}

static tg_status
load_private(const uint8_t *seed, struct tg_pkey **ret, struct tg_error *err)
{
	return tg_pkey_private("ML-DSA-65", OSSL_PKEY_PARAM_ML_DSA_SEED, seed, 32, ret, err);
}

static tg_status
public_of(const struct tg_pkey *k, uint8_t *pk, struct tg_error *err)
{
	return tg_pkey_raw(k, pk, TG_MLDSA65_PK_LEN, err);
}

static tg_status
sign(const struct tg_pkey *k, tg_bytes msg, tg_bytes context, bool deterministic, uint8_t *sig,
    struct tg_error *err)
{
	int det = deterministic;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING,
		    (void *)(uintptr_t)context.p, context.n),
		OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, &det),
		OSSL_PARAM_construct_end(),
	};

	return tg_pkey_sign(k, params, msg, sig, TG_MLDSA65_SIG_LEN, err);
}

static tg_status
verify(const struct tg_pkey *k, tg_bytes msg, tg_bytes context, const uint8_t *sig,
    struct tg_error *err)
{
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING,
		    (void *)(uintptr_t)context.p, context.n),
		OSSL_PARAM_construct_end(),
	};

	return tg_pkey_verify(k, params, msg, sig, TG_MLDSA65_SIG_LEN, err);
}

const struct tg_sig_alg tg_sig_mldsa65 = {
	.key = { "ML-DSA-65", TG_MLDSA65_PK_LEN, 32, load_public, load_private, public_of },
	.sig_len = TG_MLDSA65_SIG_LEN,
	.sign = sign,
	.verify = verify,
};
