/* crypto/sha256_k.h - the constants of SHA-256 (FIPS 180-4 sections 4.2.2 and 5.3.3), for the leaf
 * kernels. */
#ifndef TG_CRYPTO_SHA256_K_H
#define TG_CRYPTO_SHA256_K_H

#include <stdint.h>

extern const uint32_t tg_sha256_k[64] __attribute__((aligned(64)));
extern const uint32_t tg_sha256_start[8];

#endif
