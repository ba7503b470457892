#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/kem.h"
#include "crypto/ossl_pkey.h"
#include "util/try.h"
#include "util/wipe.h"

static tg_status
load_public(const uint8_t *pk, struct tg_pkey **ret, struct tg_error *err)
{
	/* OpenSSL does the encapsulation-key check of FIPS 203 section 7.2 on import */
	return tg_pkey_public("ML-KEM-768", pk, TG_MLKEM768_PK_LEN, ret, err);
}

static tg_status
load_private(const uint8_t *seed, struct tg_pkey **ret, struct tg_error *err)
{
	return tg_pkey_private("ML-KEM-768", OSSL_PKEY_PARAM_ML_KEM_SEED, seed,
	    TG_MLKEM768_SEED_LEN, ret, err);
}

static tg_status
public_of(const struct tg_pkey *k, uint8_t *pk, struct tg_error *err)
{
	return tg_pkey_raw(k, pk, TG_MLKEM768_PK_LEN, err);
}

static tg_status
encaps(const struct tg_pkey *to, const uint8_t *coins, uint8_t *ct,
    uint8_t ss[static TG_KEM_SS_LEN], struct tg_error *err)
{
	const struct tg_ossl *o = NULL;
	TG_AUTO(tg_pkey_ctxp) EVP_PKEY_CTX *c = NULL;
	size_t ct_len = TG_MLKEM768_CT_LEN, ss_len = TG_KEM_SS_LEN;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_KEM_PARAM_IKME, (void *)(uintptr_t)coins, 32),
		OSSL_PARAM_construct_end(),
	};

	TG_TRY(tg_ossl(&o, err));
	c = EVP_PKEY_CTX_new_from_pkey(o->lib, tg_pkey_evp(to), NULL);
	if (c != NULL && EVP_PKEY_encapsulate_init(c, params) == 1 &&
	    EVP_PKEY_encapsulate(c, ct, &ct_len, ss, &ss_len) == 1 &&
	    ct_len == TG_MLKEM768_CT_LEN && ss_len == TG_KEM_SS_LEN)
		return TG_OK;
	tg_wipe(ct, TG_MLKEM768_CT_LEN);
	tg_wipe(ss, TG_KEM_SS_LEN);
	return tg_fail(err, TG_E_INTERNAL, "ML-KEM-768 encapsulation failed");
}

static tg_status
decaps(const struct tg_pkey *key, const uint8_t *ct, uint8_t ss[static TG_KEM_SS_LEN],
    struct tg_error *err)
{
	const struct tg_ossl *o = NULL;
	TG_AUTO(tg_pkey_ctxp) EVP_PKEY_CTX *c = NULL;
	size_t len = TG_KEM_SS_LEN;

	TG_TRY(tg_ossl(&o, err));
	c = EVP_PKEY_CTX_new_from_pkey(o->lib, tg_pkey_evp(key), NULL);
	if (c != NULL && EVP_PKEY_decapsulate_init(c, NULL) == 1 &&
	    EVP_PKEY_decapsulate(c, ss, &len, ct, TG_MLKEM768_CT_LEN) == 1 && len == TG_KEM_SS_LEN)
		return TG_OK;
	tg_wipe(ss, TG_KEM_SS_LEN);
	return tg_fail(err, TG_E_AUTH, "ML-KEM-768 decapsulation failed");
}

const struct tg_kem_alg tg_kem_mlkem768 = {
	.key = { "ML-KEM-768", TG_MLKEM768_PK_LEN, TG_MLKEM768_SEED_LEN, load_public, load_private, public_of },
	.ct_len = TG_MLKEM768_CT_LEN,
	.coins_len = 32,
	.encaps = encaps,
	.decaps = decaps,
};
