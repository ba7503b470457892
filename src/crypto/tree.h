/* crypto/tree.h - the Merkle tree hash of RFC 6962 section 2.1, over leaf hashes. */
#ifndef TG_CRYPTO_TREE_H
#define TG_CRYPTO_TREE_H

#include "util/bytes.h"

/* Feed leaf hashes in order; memory is logarithmic. */
struct tg_tree {
	uint64_t n;
	uint8_t peak[64][32]; /* roots of the perfect subtrees so far, largest first */
	unsigned peaks;
};

void tg_tree_init(struct tg_tree *t); /* cannot fail */
TG_MUST_CHECK tg_status tg_tree_add(struct tg_tree *t, const uint8_t leaf[static 32],
    struct tg_error *err);
/* The root; SHA-256 of nothing for an empty tree. The tree may grow on. */
TG_MUST_CHECK tg_status tg_tree_root(const struct tg_tree *t, uint8_t out[static 32],
    struct tg_error *err);

/* The root over n leaf hashes that lie `stride` bytes apart, several nodes at a time. */
TG_MUST_CHECK tg_status tg_tree_root_of(const uint8_t *leaves, size_t stride, uint64_t n,
    uint8_t out[static 32], struct tg_error *err);

/* SHA256(01 || left || right) */
TG_MUST_CHECK tg_status tg_tree_node(const uint8_t left[static 32], const uint8_t right[static 32],
    uint8_t out[static 32], struct tg_error *err);

#endif
