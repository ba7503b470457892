/* crypto/hash.h - SHA-256, SHA-512, HMAC and HKDF over byte views. */
#ifndef TG_CRYPTO_HASH_H
#define TG_CRYPTO_HASH_H

#include <tensorguard/package.h>

#include "util/bytes.h"

/* Digest of the concatenation of n parts. */
TG_MUST_CHECK tg_status tg_sha256(const tg_bytes *parts, size_t n, uint8_t out[static 32],
    struct tg_error *err);
TG_MUST_CHECK tg_status tg_sha512(const tg_bytes *parts, size_t n, uint8_t out[static 64],
    struct tg_error *err);

/* Streaming SHA-256. *ret is new: release with tg_sha256_free(). */
struct tg_sha256_stream;
TG_MUST_CHECK tg_status tg_sha256_new(struct tg_sha256_stream **ret, struct tg_error *err);
TG_MUST_CHECK tg_status tg_sha256_put(struct tg_sha256_stream *h, const void *p, size_t n,
    struct tg_error *err);
/* The digest of what was put since the last finish; the stream starts anew. */
TG_MUST_CHECK tg_status tg_sha256_finish(struct tg_sha256_stream *h, uint8_t out[static 32],
    struct tg_error *err);
void tg_sha256_free(struct tg_sha256_stream *h); /* accepts NULL */
static inline void
tg_sha256_freep(struct tg_sha256_stream **h)
{
	tg_sha256_free(*h);
}

/* RFC 5869 with SHA-256, one output block: n <= 32. On failure out is zeroed. */
TG_MUST_CHECK tg_status tg_hkdf_extract(tg_bytes salt, tg_bytes ikm, uint8_t prk[static 32],
    struct tg_error *err);
TG_MUST_CHECK tg_status tg_hkdf_expand(const uint8_t prk[static 32], const tg_bytes *info,
    size_t n_info, uint8_t out[static 32], struct tg_error *err);
/* HMAC-SHA256 of the concatenation of n parts. */
TG_MUST_CHECK tg_status tg_hmac_sha256(tg_bytes key, const tg_bytes *parts, size_t n,
    uint8_t out[static 32], struct tg_error *err);

#endif
