/* crypto/aead.h - ChaCha20-Poly1305 (RFC 8439) under one key, many nonces. */
#ifndef TG_CRYPTO_AEAD_H
#define TG_CRYPTO_AEAD_H

#include "util/bytes.h"

#define TG_AEAD_TAG_LEN   16
#define TG_AEAD_NONCE_LEN 12

/* One thread at a time. The key is inside OpenSSL's context, wiped when freed. */
struct tg_aead;

TG_MUST_CHECK tg_status tg_aead_new(const uint8_t key[static 32], struct tg_aead **ret,
    struct tg_error *err);
void tg_aead_free(struct tg_aead *a); /* accepts NULL */
static inline void
tg_aead_freep(struct tg_aead **a)
{
	tg_aead_free(*a);
}

/* n bytes from in to out; in == out is fine. */
TG_MUST_CHECK tg_status tg_aead_seal(struct tg_aead *a, const uint8_t nonce[static 12], tg_bytes aad,
    const uint8_t *in, size_t n, uint8_t *out, uint8_t tag[static 16], struct tg_error *err);
/* TG_E_AUTH, and out zeroed, when the tag does not match. */
TG_MUST_CHECK tg_status tg_aead_open(struct tg_aead *a, const uint8_t nonce[static 12], tg_bytes aad,
    const uint8_t *in, size_t n, const uint8_t tag[static 16], uint8_t *out, struct tg_error *err);

/* The STREAM nonce of chunk i: be88(i), then 01 on the last chunk (docs/PROTOCOL.tgsp.md 3). */
void tg_stream_nonce(uint64_t i, bool last, uint8_t out[static 12]);

#endif
