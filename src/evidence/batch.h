/* evidence/batch.h - records that become durable together: collected by many threads, sealed and
 * written by one. */
#ifndef TG_EVIDENCE_BATCH_H
#define TG_EVIDENCE_BATCH_H

#include <stdatomic.h>

#include "evidence/block.h"
#include "evidence/draft.h"

#define TG_BATCH_RECORDS 4096
#define TG_BATCH_BYTES   (8u << 20)

struct tg_batch {
	uint8_t *bytes; /* records with their newlines */
	size_t n;
	struct tg_record *record;
	struct tg_sha256_job *job;
	uint8_t *leaves; /* as of struct tg_block */
	size_t count;
	size_t claimed;       /* records whose event hash has somebody computing it */
	_Atomic size_t hashed; /* records that are through with it */
	atomic_bool failed;    /* some of them without it */
};

TG_MUST_CHECK tg_status tg_batch_init(struct tg_batch *b, struct tg_error *err);
void tg_batch_done(struct tg_batch *b);
void tg_batch_clear(struct tg_batch *b);

/* Is there room for the draft? One thread at a time, as for tg_batch_add(). */
bool tg_batch_takes(const struct tg_batch *b, const struct tg_draft *d);
void tg_batch_add(struct tg_batch *b, const struct tg_draft *d, uint64_t sequence,
    int64_t timestamp, const char event_id[static TG_UUID_TEXT]);
/* Event hashes are the work that many threads can share: claim some records (one thread at a time),
 * hash them (all at once). A claim of 0 records needs no hashing; `all`: also fewer than the lanes
 * would like. */
struct tg_batch_claim {
	size_t from, n;
};
struct tg_batch_claim tg_batch_claim(struct tg_batch *b, bool all);
TG_MUST_CHECK tg_status tg_batch_hash(struct tg_batch *b, struct tg_batch_claim claim,
    struct tg_error *err);
/* Nobody adds any more and every record has been claimed: wait for the hashes, link the records from
 * `place` on, which moves behind them, and hash the leaves. */
TG_MUST_CHECK tg_status tg_batch_seal(struct tg_batch *b, struct tg_place *place,
    struct tg_error *err);

#endif
