/* crypto/ossl_pkey.h - EVP_PKEY behind struct tg_pkey; included by src/crypto only. */
#ifndef TG_CRYPTO_OSSL_PKEY_H
#define TG_CRYPTO_OSSL_PKEY_H

#include "crypto/ossl.h"
#include "crypto/pkey.h"

static inline EVP_PKEY *
tg_pkey_evp(const struct tg_pkey *k)
{
	return (EVP_PKEY *)(uintptr_t)k; /* OpenSSL counts references in const keys too */
}

/* A raw public key, or the private key of a seed, of the algorithm OpenSSL calls `name`. */
TG_MUST_CHECK tg_status tg_pkey_public(const char *name, const uint8_t *pk, size_t n,
    struct tg_pkey **ret, struct tg_error *err);
TG_MUST_CHECK tg_status tg_pkey_private(const char *name, const char *seed_param,
    const uint8_t *seed, size_t n, struct tg_pkey **ret, struct tg_error *err);
TG_MUST_CHECK tg_status tg_pkey_raw(const struct tg_pkey *k, uint8_t *pk, size_t n,
    struct tg_error *err);

/* One-shot signature with parameters. */
struct ossl_param_st;
TG_MUST_CHECK tg_status tg_pkey_sign(const struct tg_pkey *k, const struct ossl_param_st *params,
    tg_bytes msg, uint8_t *sig, size_t sig_len, struct tg_error *err);
TG_MUST_CHECK tg_status tg_pkey_verify(const struct tg_pkey *k, const struct ossl_param_st *params,
    tg_bytes msg, const uint8_t *sig, size_t sig_len, struct tg_error *err);

#endif
