/* crypto/many.h - SHA-256 of many messages at once, in the lanes of this processor's kernel. */
#ifndef TG_CRYPTO_MANY_H
#define TG_CRYPTO_MANY_H

#include "util/bytes.h"

#define TG_SHA256_HEAD_MAX 63

/* One message: head || body. */
struct tg_sha256_job {
	tg_bytes head; /* at most TG_SHA256_HEAD_MAX bytes; a prefix for domain separation */
	tg_bytes body;
	uint8_t hash[32]; /* result */
};

/* Messages of about the same length keep the lanes full; any lengths are right. */
TG_MUST_CHECK tg_status tg_sha256_many(struct tg_sha256_job *jobs, size_t n, struct tg_error *err);

#endif
