/* crypto/ossl.h - the one place that sets OpenSSL up; included by src/crypto only. */
#ifndef TG_CRYPTO_OSSL_H
#define TG_CRYPTO_OSSL_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <tensorguard/error.h>

/*
 * Our own library context with the default provider, made once: no openssl.cnf is read and the
 * host program's OpenSSL settings cannot change what a package means. Immutable afterwards.
 */
struct tg_ossl {
	OSSL_LIB_CTX *lib;
	EVP_MD *sha256;
	EVP_MD *sha512;
	EVP_CIPHER *chacha20_poly1305;
};

/* Borrowed, valid for the life of the process. TG_E_UNSUPPORTED when the algorithms are missing. */
TG_MUST_CHECK tg_status tg_ossl(const struct tg_ossl **ret, struct tg_error *err);

static inline void
tg_pkey_ctxp(EVP_PKEY_CTX **c)
{
	EVP_PKEY_CTX_free(*c);
}
static inline void
tg_md_ctxp(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

#endif
