/* crypto/argon2.h - Argon2id (RFC 9106): a passphrase into a key. */
#ifndef TG_CRYPTO_ARGON2_H
#define TG_CRYPTO_ARGON2_H

#include "util/bytes.h"

struct tg_argon2_cost {
	uint32_t kib;    /* memory, KiB; 8 x lanes ... TG_MAX_ARGON2_KIB */
	uint32_t passes; /* 1 ... TG_MAX_ARGON2_PASSES */
	uint32_t lanes;  /* 1 ... TG_MAX_ARGON2_LANES */
};
/* 64 MiB, 3 passes, 4 lanes: about 0.2 s */
extern const struct tg_argon2_cost tg_argon2_default;

/* TG_E_LIMIT for a cost outside the ranges. On failure out is zeroed. */
TG_MUST_CHECK tg_status tg_argon2id(const struct tg_argon2_cost *cost, tg_bytes passphrase,
    tg_bytes salt, uint8_t out[static 32], struct tg_error *err);

#endif
