/* crypto/sig.h - signature algorithms, and the composite of two of them. */
#ifndef TG_CRYPTO_SIG_H
#define TG_CRYPTO_SIG_H

#include "crypto/pkey.h"

#define TG_ED25519_PK_LEN  32
#define TG_ED25519_SIG_LEN 64
#define TG_MLDSA44_PK_LEN  1312
#define TG_MLDSA44_SIG_LEN 2420
#define TG_MLDSA65_PK_LEN  1952
#define TG_MLDSA65_SIG_LEN 3309

struct tg_sig_alg {
	struct tg_pkey_alg key;
	size_t sig_len; /* bytes */
	/* Writes sig_len bytes; zeroed on failure. `context` is for algorithms that have one. */
	tg_status (*sign)(const struct tg_pkey *k, tg_bytes msg, tg_bytes context, bool deterministic,
	    uint8_t *sig, struct tg_error *err);
	/* TG_OK or TG_E_AUTH, or TG_E_NOMEM. */
	tg_status (*verify)(const struct tg_pkey *k, tg_bytes msg, tg_bytes context,
	    const uint8_t *sig, struct tg_error *err);
};
extern const struct tg_sig_alg tg_sig_ed25519; /* RFC 8032; sig_ed25519.c */
extern const struct tg_sig_alg tg_sig_mldsa44; /* FIPS 204, pure; sig_mldsa.c */
extern const struct tg_sig_alg tg_sig_mldsa65; /* the same */

/*
 * Ed25519 public keys that are refused at load: non-canonical encodings (y >= 2^255 - 19) and the
 * points of small order. OpenSSL accepts them, and a signature under such a key can verify for
 * many messages. True when pk is one of them.
 */
bool tg_ed25519_refused(const uint8_t pk[static TG_ED25519_PK_LEN]);

/*
 * Composite signature (draft-ietf-lamps-pq-composite-sigs, MLDSA65-Ed25519-SHA512): both halves
 * over M' = prefix || label || len(ctx) || ctx || SHA512(M). `parts` are M.
 */
struct tg_composite_sig {
	uint8_t classic[TG_ED25519_SIG_LEN];
	uint8_t pqc[TG_MLDSA65_SIG_LEN];
};
TG_MUST_CHECK tg_status tg_composite_sign(const struct tg_pkey *classic, const struct tg_pkey *pqc,
    const tg_bytes *parts, size_t n, bool deterministic, struct tg_composite_sig *ret,
    struct tg_error *err);
/* TG_OK only when both halves verify; else TG_E_AUTH. */
TG_MUST_CHECK tg_status tg_composite_verify(const struct tg_pkey *classic,
    const struct tg_pkey *pqc, const tg_bytes *parts, size_t n, const struct tg_composite_sig *sig,
    struct tg_error *err);

#define TG_COMPOSITE_MSG_LEN (32 + 30 + 1 + 7 + 64)
/* M' itself, for test vectors. */
TG_MUST_CHECK tg_status tg_composite_message(const tg_bytes *parts, size_t n,
    uint8_t ret[static TG_COMPOSITE_MSG_LEN], struct tg_error *err);

#endif
