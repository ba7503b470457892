/* crypto/rng.h - the only source of randomness. */
#ifndef TG_CRYPTO_RNG_H
#define TG_CRYPTO_RNG_H

#include <stddef.h>
#include <tensorguard/error.h>

/* n bytes fit for keys. On failure out is zeroed. */
TG_MUST_CHECK tg_status tg_random(void *out, size_t n, struct tg_error *err);

#endif
