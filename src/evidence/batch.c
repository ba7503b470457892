#include "evidence/batch.h"

#include <sched.h>
#include <stdlib.h>

#include "util/try.h"

#define CLAIM 16 /* a few for each lane */

tg_status
tg_batch_init(struct tg_batch *b, struct tg_error *err)
{
	memset(b, 0, sizeof(*b));
	b->bytes = malloc(TG_BATCH_BYTES);
	b->record = calloc(TG_BATCH_RECORDS, sizeof(*b->record));
	b->job = calloc(TG_BATCH_RECORDS, sizeof(*b->job));
	b->leaves = malloc((TG_BATCH_RECORDS + 1) * 32);
	if (b->bytes != NULL && b->record != NULL && b->job != NULL && b->leaves != NULL)
		return TG_OK;
	tg_batch_done(b);
	return tg_fail(err, TG_E_NOMEM, "log: out of memory");
}

void
tg_batch_done(struct tg_batch *b)
{
	free(b->bytes);
	free(b->record);
	free(b->job);
	free(b->leaves);
	memset(b, 0, sizeof(*b));
}

void
tg_batch_clear(struct tg_batch *b)
{
	b->n = b->count = b->claimed = 0;
	atomic_store_explicit(&b->hashed, 0, memory_order_relaxed);
}

bool
tg_batch_takes(const struct tg_batch *b, const struct tg_draft *d)
{
	return b->count < TG_BATCH_RECORDS && d->room <= TG_BATCH_BYTES - b->n;
}

void
tg_batch_add(struct tg_batch *b, const struct tg_draft *d, uint64_t sequence, int64_t timestamp,
    const char event_id[static TG_UUID_TEXT])
{
	struct tg_record *r = &b->record[b->count];

	*r = tg_draft_write(d, sequence, timestamp, event_id, b->bytes + b->n);
	b->n += r->n + 1;
	b->count++;
}

struct tg_batch_claim
tg_batch_claim(struct tg_batch *b, bool all)
{
	struct tg_batch_claim c = { b->claimed, b->count - b->claimed };

	if (c.n < CLAIM && !all)
		c.n = 0;
	b->claimed += c.n;
	return c;
}

tg_status
tg_batch_hash(struct tg_batch *b, struct tg_batch_claim c, struct tg_error *err)
{
	for (size_t i = c.from; i < c.from + c.n; i++)
		b->job[i] = tg_record_event_job(&b->record[i]);
	const tg_status s = tg_sha256_many(b->job + c.from, c.n, err);
	for (size_t i = c.from; s == TG_OK && i < c.from + c.n; i++)
		tg_hex_hash(b->record[i].p + TG_RECORD_EVENT_AT, b->job[i].hash);
	if (s != TG_OK)
		atomic_store_explicit(&b->failed, true, memory_order_relaxed);
	atomic_fetch_add_explicit(&b->hashed, c.n, memory_order_release);
	return s;
}

/* One after the other: each needs the chain_hash of the one before. */
static tg_status
link_records(struct tg_batch *b, struct tg_place *place, struct tg_error *err)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct tg_record *r = &b->record[i];
		uint8_t text[TG_RECORD_LINK_LEN];
		struct tg_sha256_job job = { .body = { text, sizeof(text) } };

		memcpy(r->p + TG_RECORD_PREV_AT, place->chain, TG_HEX_HASH);
		tg_record_link(r, text);
		TG_TRY(tg_sha256_many(&job, 1, err));
		tg_hex_hash(place->chain, job.hash);
		memcpy(r->p + TG_RECORD_CHAIN_AT, place->chain, TG_HEX_HASH);
	}
	place->records += b->count;
	return TG_OK;
}

tg_status
tg_batch_seal(struct tg_batch *b, struct tg_place *place, struct tg_error *err)
{
	while (atomic_load_explicit(&b->hashed, memory_order_acquire) < b->count)
		(void)sched_yield();
	TG_REQUIRE(!atomic_load_explicit(&b->failed, memory_order_relaxed), err, TG_E_NOMEM,
	    "log: out of memory");
	TG_TRY(link_records(b, place, err));
	for (size_t i = 0; i < b->count; i++)
		b->job[i] = tg_record_leaf_job(&b->record[i]);
	TG_TRY(tg_sha256_many(b->job, b->count, err));
	for (size_t i = 0; i < b->count; i++)
		memcpy(b->leaves + 32 * (i + 1), b->job[i].hash, 32);
	return TG_OK;
}
