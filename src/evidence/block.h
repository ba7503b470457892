/* evidence/block.h - records that lie one behind the other, checked together: every hash of a block
 * is computed in the lanes of the processor. What checking a log and recovering one have in common. */
#ifndef TG_EVIDENCE_BLOCK_H
#define TG_EVIDENCE_BLOCK_H

#include "evidence/record.h"

/* The place between two records. */
struct tg_place {
	uint64_t records;          /* before it */
	uint8_t chain[TG_HEX_HASH]; /* chain_hash of the last of them, in text */
};
struct tg_place tg_place_start(void);

/* Owned; released with tg_block_done(), used again and again before. */
struct tg_block {
	uint8_t *bytes; /* lines of records, each with its newline; filled by the owner */
	size_t n, cap;
	/* what tg_block_check() found */
	size_t good;       /* records up to the first bad one */
	size_t good_bytes; /* where that one begins, or n */
	uint64_t first;    /* sequence of the first; valid when good > 0 */
	uint8_t prev[TG_HEX_HASH];  /* its prev_hash */
	uint8_t chain[TG_HEX_HASH]; /* chain_hash of the last good one */
	char origin[256];  /* log_origin of the first */
	uint64_t unknown;  /* of types this version does not know */
	uint8_t *leaves;   /* good x 32, from leaves + 32 on: room in front for tg_treefile_append() */
	tg_status status;  /* what is wrong with the first bad one, or TG_OK */
	struct tg_error why;
	/* scratch */
	struct tg_record *record;
	struct tg_sha256_job *job;
	uint8_t *link;
	size_t max_records;
};

/* Room for cap bytes of lines. */
TG_MUST_CHECK tg_status tg_block_init(struct tg_block *b, size_t cap, struct tg_error *err);
void tg_block_done(struct tg_block *b);
/*
 * Check b->n bytes: every line a record of its own form with its hashes right, each following the one
 * before. Whether the first follows what lies before the block is the caller's to see:
 * tg_block_follows(). Fails only for lack of memory; what is wrong with a record goes to b->status.
 * Messages call it "record N". The last line ends with a newline.
 */
TG_MUST_CHECK tg_status tg_block_check(struct tg_block *b, struct tg_error *err);
/* Does the block go on from there? If so the place moves behind its good records. */
TG_MUST_CHECK tg_status tg_block_follows(const struct tg_block *b, struct tg_place *place,
    struct tg_error *err);

#endif
