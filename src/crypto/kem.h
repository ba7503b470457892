/* crypto/kem.h - key encapsulation algorithms, and the hybrid of two of them. */
#ifndef TG_CRYPTO_KEM_H
#define TG_CRYPTO_KEM_H

#include "crypto/pkey.h"

#define TG_X25519_LEN          32
#define TG_MLKEM768_PK_LEN     1184
#define TG_MLKEM768_CT_LEN     1088
#define TG_MLKEM768_SEED_LEN   64 /* d || z */
#define TG_KEM_SS_LEN          32

struct tg_kem_alg {
	struct tg_pkey_alg key;
	size_t ct_len, coins_len; /* bytes; the shared secret has TG_KEM_SS_LEN */
	/* coins_len bytes of randomness decide the result. Outputs are zeroed on failure. */
	tg_status (*encaps)(const struct tg_pkey *to, const uint8_t *coins, uint8_t *ct,
	    uint8_t ss[static TG_KEM_SS_LEN], struct tg_error *err);
	tg_status (*decaps)(const struct tg_pkey *key, const uint8_t *ct,
	    uint8_t ss[static TG_KEM_SS_LEN], struct tg_error *err);
};
extern const struct tg_kem_alg tg_kem_x25519;   /* RFC 7748, an ephemeral as ciphertext */
extern const struct tg_kem_alg tg_kem_mlkem768; /* FIPS 203 */

/* SHA256(ss_x || ss_m): the two shared secrets as one. */
TG_MUST_CHECK tg_status tg_kem_combine(const uint8_t ss_x[static TG_KEM_SS_LEN],
    const uint8_t ss_m[static TG_KEM_SS_LEN], uint8_t ret[static 32], struct tg_error *err);

#endif
