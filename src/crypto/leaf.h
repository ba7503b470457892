/* crypto/leaf.h - SHA256(00 || chunk || tag) for several chunks at once. */
#ifndef TG_CRYPTO_LEAF_H
#define TG_CRYPTO_LEAF_H

#include "util/bytes.h"

#define TG_LEAF_MAX_LANES 4

/* One chunk of a batch; all chunks of a batch have the same length. */
struct tg_leaf {
	const uint8_t *ct;
	const uint8_t *tag; /* 16 bytes */
	uint8_t hash[32];   /* result */
};

/* Fills the hash of n leaves over chunks of `len` bytes with the fastest kernel of this CPU. */
TG_MUST_CHECK tg_status tg_leaf_hash(struct tg_leaf *leaves, size_t n, size_t len,
    struct tg_error *err);

/* One of several SHA-256 computations that run side by side. */
struct tg_sha256_lane {
	uint32_t h[8];    /* the state, in the words of FIPS 180-4 */
	const uint8_t *p; /* the next block; moved on */
};

/* A way to do it. Rows of tg_leaf_kernels[], fastest first, the portable one last. */
struct tg_leaf_kernel {
	const char *name;
	unsigned lanes; /* leaves per call */
	bool (*usable)(void);
	/* n blocks of 64 bytes on each of `lanes` lanes. NULL: OpenSSL's hash serves. */
	void (*blocks)(struct tg_sha256_lane *lane, size_t n);
};
extern const struct tg_leaf_kernel *const tg_leaf_kernels[];
extern const size_t tg_leaf_kernel_count;

/* Exactly `lanes` leaves, of any length but for chunks of >= 64 bytes unless k is portable. */
TG_MUST_CHECK tg_status tg_leaf_kernel_hash(const struct tg_leaf_kernel *k, struct tg_leaf *leaves,
    size_t len, struct tg_error *err);
/* SHA256(01 || pair) of `lanes` pairs of 64 bytes, one behind the other; out may overlap the front
 * of pairs. */
TG_MUST_CHECK tg_status tg_leaf_kernel_nodes(const struct tg_leaf_kernel *k, const uint8_t *pairs,
    uint8_t *out, struct tg_error *err);

extern const struct tg_leaf_kernel tg_leaf_portable; /* the reference, on any machine */
#if defined(__x86_64__)
extern const struct tg_leaf_kernel tg_leaf_shani4, tg_leaf_shani2, tg_leaf_shani1;
#elif defined(__aarch64__)
extern const struct tg_leaf_kernel tg_leaf_armv8x2, tg_leaf_armv8x1;
#endif

/* Tree nodes over n pairs of 64 bytes, 32 bytes each; out == pairs is fine. */
TG_MUST_CHECK tg_status tg_node_hash(const uint8_t *pairs, uint64_t n, uint8_t *out,
    struct tg_error *err);

/* The kernel in use for batches of up to n leaves. Borrowed. */
const struct tg_leaf_kernel *tg_leaf_kernel(size_t n);

#endif
