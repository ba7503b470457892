/* evidence/proof.h - the audit paths and consistency proofs of RFC 6962 sections 2.1.1 and 2.1.2:
 * made from stored hashes, checked without them (RFC 9162 sections 2.1.3.2 and 2.1.4.2). */
#ifndef TG_EVIDENCE_PROOF_H
#define TG_EVIDENCE_PROOF_H

#include "util/buf.h"

#define TG_MAX_PATH_HASHES 64

struct tg_path {
	unsigned n;
	uint8_t hash[TG_MAX_PATH_HASHES][32]; /* from the leaf's side up */
};

/* Where stored hashes come from: the root of the complete subtree over the 2^level leaves from
 * index << level on. Only asked for subtrees that lie within the tree. */
struct tg_hashes {
	tg_status (*node)(void *ctx, unsigned level, uint64_t index, uint8_t out[static 32],
	    struct tg_error *err);
	void *ctx;
};

/* Root of the first n leaves; SHA-256 of nothing for n == 0. */
TG_MUST_CHECK tg_status tg_proof_root(
    const struct tg_hashes *h, uint64_t n, uint8_t out[static 32], struct tg_error *err);
/* Leaf `index` < n in the tree of n leaves; TG_E_USAGE otherwise. */
TG_MUST_CHECK tg_status tg_proof_inclusion(const struct tg_hashes *h, uint64_t index, uint64_t n,
    struct tg_path *ret, struct tg_error *err);
/* From m to n leaves, m <= n; empty for m == 0 and m == n. May be TG_E_LIMIT above 2^63 leaves. */
TG_MUST_CHECK tg_status tg_proof_consistency(
    const struct tg_hashes *h, uint64_t m, uint64_t n, struct tg_path *ret, struct tg_error *err);

/* TG_E_AUTH when the path does not lead from the leaf to the root. */
TG_MUST_CHECK tg_status tg_proof_check_inclusion(const uint8_t leaf[static 32], uint64_t index,
    uint64_t n, const struct tg_path *path, const uint8_t root[static 32], struct tg_error *err);
/* TG_E_AUTH when root_n is not an extension of root_m. For m == 0 the path is empty and root_m
 * that of the empty tree; for m == n it is empty and the roots are equal. */
TG_MUST_CHECK tg_status tg_proof_check_consistency(uint64_t m, const uint8_t root_m[static 32],
    uint64_t n, const uint8_t root_n[static 32], const struct tg_path *path, struct tg_error *err);

/* As tlog-proof and tlog-witness write it: one line of base64 for each hash. */
TG_MUST_CHECK tg_status tg_path_put(const struct tg_path *path, struct tg_buf *out);
/* Take such lines off *rest, and the empty line behind them. */
TG_MUST_CHECK tg_status tg_path_take(
    tg_bytes *rest, const char *what, struct tg_path *ret, struct tg_error *err);

#endif
