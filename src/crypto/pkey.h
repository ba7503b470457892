/* crypto/pkey.h - one half of a hybrid key: what signature and KEM algorithms have in common. */
#ifndef TG_CRYPTO_PKEY_H
#define TG_CRYPTO_PKEY_H

#include "util/bytes.h"

/* A key loaded into OpenSSL. Immutable: shared by threads. Release with tg_pkey_free(). */
struct tg_pkey;
void tg_pkey_free(struct tg_pkey *k); /* accepts NULL */
static inline void
tg_pkey_freep(struct tg_pkey **k)
{
	tg_pkey_free(*k);
}

struct tg_pkey_alg {
	const char *name;
	size_t pk_len, seed_len; /* bytes */
	/* *ret is new. TG_E_FORMAT for a public key that must not be used. */
	tg_status (*load_public)(const uint8_t *pk, struct tg_pkey **ret, struct tg_error *err);
	tg_status (*load_private)(const uint8_t *seed, struct tg_pkey **ret, struct tg_error *err);
	/* Writes pk_len bytes. */
	tg_status (*public_of)(const struct tg_pkey *k, uint8_t *pk, struct tg_error *err);
};

#endif
