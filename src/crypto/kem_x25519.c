#include <openssl/core_names.h>

#include "crypto/kem.h"
#include "crypto/ossl_pkey.h"
#include "util/try.h"
#include "util/wipe.h"

static tg_status
load_public(const uint8_t *pk, struct tg_pkey **ret, struct tg_error *err)
{
	return tg_pkey_public("X25519", pk, TG_X25519_LEN, ret, err);
}

static tg_status
load_private(const uint8_t *seed, struct tg_pkey **ret, struct tg_error *err)
{
	return tg_pkey_private("X25519", OSSL_PKEY_PARAM_PRIV_KEY, seed, TG_X25519_LEN, ret, err);
}

static tg_status
public_of(const struct tg_pkey *k, uint8_t *pk, struct tg_error *err)
{
	return tg_pkey_raw(k, pk, TG_X25519_LEN, err);
}

/* The Diffie-Hellman value; OpenSSL fails on an all-zero result, and so do we if it did not. */
static tg_status
exchange(const struct tg_pkey *own, const struct tg_pkey *peer, uint8_t ss[static 32],
    struct tg_error *err)
{
	static const uint8_t zero[TG_KEM_SS_LEN];
	const struct tg_ossl *o = NULL;
	TG_AUTO(tg_pkey_ctxp) EVP_PKEY_CTX *c = NULL;
	size_t len = TG_KEM_SS_LEN;

	TG_TRY(tg_ossl(&o, err));
	c = EVP_PKEY_CTX_new_from_pkey(o->lib, tg_pkey_evp(own), NULL);
	if (c != NULL && EVP_PKEY_derive_init(c) == 1 &&
	    EVP_PKEY_derive_set_peer(c, tg_pkey_evp(peer)) == 1 &&
	    EVP_PKEY_derive(c, ss, &len) == 1 && len == TG_KEM_SS_LEN &&
	    !tg_equal_ct(ss, zero, sizeof(zero)))
		return TG_OK;
	tg_wipe(ss, TG_KEM_SS_LEN);
	return tg_fail(err, TG_E_AUTH, "X25519: public key of small order");
}

static tg_status
encaps(const struct tg_pkey *to, const uint8_t *coins, uint8_t *ct,
    uint8_t ss[static TG_KEM_SS_LEN], struct tg_error *err)
{
	TG_AUTO(tg_pkey_freep) struct tg_pkey *ephemeral = NULL;

	TG_TRY(load_private(coins, &ephemeral, err));
	TG_TRY(public_of(ephemeral, ct, err));
	return exchange(ephemeral, to, ss, err);
}

static tg_status
decaps(const struct tg_pkey *key, const uint8_t *ct, uint8_t ss[static TG_KEM_SS_LEN],
    struct tg_error *err)
{
	TG_AUTO(tg_pkey_freep) struct tg_pkey *ephemeral = NULL;

	TG_TRY(load_public(ct, &ephemeral, err));
	return exchange(key, ephemeral, ss, err);
}

const struct tg_kem_alg tg_kem_x25519 = {
	.key = { "X25519", TG_X25519_LEN, TG_X25519_LEN, load_public, load_private, public_of },
	.ct_len = TG_X25519_LEN,
	.coins_len = TG_X25519_LEN,
	.encaps = encaps,
	.decaps = decaps,
};
