#include "tgsp/payload.h"

#include <stdlib.h>
#include <tensorguard/limits.h>

#include "crypto/aead.h"
#include "crypto/leaf.h"
#include "crypto/tree.h"
#include "util/parallel.h"
#include "util/try.h"

/* Chunks are worked on in batches that fill the leaf kernel's lanes, within this much memory per
 * thread: large enough for four common chunks, small enough for a core's cache. */
#define BATCH_BYTES (1u << 20)

/* A thread's own: a batch of chunks in protected memory, and a cipher. */
struct slot {
	struct tg_secret *mem;
	struct tg_aead *aead;
};

struct slots {
	struct slot at[TG_MAX_THREADS];
	void *pointer[TG_MAX_THREADS]; /* as tg_parallel_run() wants them */
	unsigned n;
};

static void
slots_done(struct slots *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		tg_secret_free(s->at[i].mem);
		tg_aead_free(s->at[i].aead);
	}
}

/* Reports work done; one call at a time because it is only made from in-order stages, or from
 * work stages through a lock of its own. */
struct meter {
	const struct tg_progress *progress;
	uint64_t done, total;
};

static void
meter_add(struct meter *m, uint64_t n)
{
	m->done += n;
	if (m->progress != NULL)
		m->progress->step(m->progress->ctx, m->done, m->total);
}

/* ---- reading ---- */

struct reading {
	const struct tgsp_payload *p;
	const struct tg_key32 *key; /* NULL: leaves only */
	uint64_t from, to;          /* plaintext bytes wanted */
	uint64_t first, end;        /* the chunks they lie in */
	unsigned batch;             /* chunks per item */
	uint8_t *mem;               /* of to - from bytes, or NULL: slot memory only */
	const struct tg_sink *sink; /* may be NULL */
	struct meter meter;
};

/* The chunks of one item. */
struct span {
	uint64_t first;
	unsigned n;
	uint64_t at;  /* plaintext offset */
	size_t bytes; /* all of them together */
};

static struct span
span_of(const struct reading *r, uint64_t item)
{
	const struct tgsp_layout *l = &r->p->layout;
	struct span s = { .first = r->first + item * r->batch };

	s.n = r->end - s.first < r->batch ? (unsigned)(r->end - s.first) : r->batch;
	s.at = s.first << l->chunk_log2;
	const uint64_t stop = s.at + ((uint64_t)s.n << l->chunk_log2);
	s.bytes = (size_t)((stop < l->plain_len ? stop : l->plain_len) - s.at);
	return s;
}

/* Where the item's chunks are decrypted: in place when all of it is wanted, else in the slot. */
static uint8_t *
place_of(const struct reading *r, const struct slot *slot, const struct span *s)
{
	if (r->mem != NULL && s->at >= r->from && s->at + s->bytes <= r->to)
		return r->mem + (s->at - r->from);
	return tg_secret_bytes(slot->mem);
}

static tg_status
leaves_check(const struct reading *r, const struct span *s, const uint8_t *ct, struct tg_error *err)
{
	const struct tgsp_layout *l = &r->p->layout;
	struct tg_leaf leaf[TG_LEAF_MAX_LANES];
	unsigned whole = s->n;

	for (unsigned i = 0; i < s->n; i++)
		leaf[i] = (struct tg_leaf){ .ct = ct + ((size_t)i << l->chunk_log2),
			.tag = r->p->index[s->first + i] + 32 };
	/* the last chunk of all may be shorter than its neighbours */
	if (tgsp_chunk_len(l, s->first + s->n - 1) != tgsp_chunk_size(l))
		whole--;
	TG_TRY(tg_leaf_hash(leaf, whole, tgsp_chunk_size(l), err));
	if (whole < s->n)
		TG_TRY(tg_leaf_hash(&leaf[whole], 1, tgsp_chunk_len(l, s->first + whole), err));
	for (unsigned i = 0; i < s->n; i++)
		TG_REQUIRE(memcmp(leaf[i].hash, r->p->index[s->first + i], 32) == 0, err, TG_E_AUTH,
		    "chunk %llu of %llu is not what was signed", (unsigned long long)(s->first + i),
		    (unsigned long long)l->chunks);
	return TG_OK;
}

static tg_status
chunks_open(const struct reading *r, const struct slot *slot, const struct span *s, uint8_t *buf,
    struct tg_error *err)
{
	const struct tgsp_layout *l = &r->p->layout;

	for (unsigned i = 0; i < s->n; i++) {
		const uint64_t chunk = s->first + i;
		uint8_t nonce[TG_AEAD_NONCE_LEN], *p = buf + ((size_t)i << l->chunk_log2);

		tg_stream_nonce(chunk, chunk + 1 == l->chunks, nonce);
		TG_REQUIRE(tg_aead_open(slot->aead, nonce, (tg_bytes){ NULL, 0 }, p,
			       tgsp_chunk_len(l, chunk), r->p->index[chunk] + 32, p, NULL) == TG_OK,
		    err, TG_E_AUTH, "chunk %llu of %llu does not open", (unsigned long long)chunk,
		    (unsigned long long)l->chunks);
	}
	return TG_OK;
}

static tg_status
read_work(void *ctx, void *slot, uint64_t item, struct tg_error *err)
{
	const struct reading *r = ctx;
	const struct span s = span_of(r, item);
	uint8_t *buf = place_of(r, slot, &s);

	/* read once, into memory nobody else can write: what is hashed is what is opened */
	if (s.bytes > 0)
		TG_TRY(r->p->src.read_at(r->p->src.ctx, buf, s.bytes, r->p->layout.ct_at + s.at, err));
	TG_TRY(leaves_check(r, &s, buf, err));
	return r->key == NULL ? TG_OK : chunks_open(r, slot, &s, buf, err);
}

static tg_status
read_give(void *ctx, void *slot, uint64_t item, struct tg_error *err)
{
	struct reading *r = ctx;
	const struct span s = span_of(r, item);
	const uint8_t *buf = place_of(r, slot, &s);
	const uint64_t from = s.at > r->from ? s.at : r->from;
	const uint64_t to = s.at + s.bytes < r->to ? s.at + s.bytes : r->to;

	if (from < to) {
		const uint8_t *p = buf + (from - s.at);

		if (r->mem != NULL && p != r->mem + (from - r->from))
			memcpy(r->mem + (from - r->from), p, (size_t)(to - from));
		if (r->sink != NULL)
			TG_TRY(r->sink->write(r->sink->ctx, p, (size_t)(to - from), err));
	}
	meter_add(&r->meter, s.bytes);
	return TG_OK;
}

static unsigned
batch_for(const struct tgsp_layout *l)
{
	const size_t fit = BATCH_BYTES >> l->chunk_log2;

	return fit < 1 ? 1 : fit > TG_LEAF_MAX_LANES ? TG_LEAF_MAX_LANES : (unsigned)fit;
}

static tg_status
slots_new(struct slots *s, unsigned n, size_t bytes, const struct tg_key32 *key,
    struct tg_error *err)
{
	for (; s->n < n; s->n++) {
		struct slot *slot = &s->at[s->n];

		s->pointer[s->n] = slot;
		TG_TRY(tg_secret_new(bytes, &slot->mem, err));
		if (key != NULL) {
			tg_status st = tg_aead_new(key->b, &slot->aead, err);
			if (st != TG_OK) {
				tg_secret_free(slot->mem);
				return st;
			}
		}
	}
	return TG_OK;
}

static unsigned
threads_for(unsigned asked, uint64_t items)
{
	unsigned n = asked == 0 ? tg_parallel_cores() : asked;

	if (n > TG_MAX_THREADS)
		n = TG_MAX_THREADS;
	return n > items ? (unsigned)items : n;
}

static tg_status
run_reading(struct reading *r, unsigned threads, struct tg_error *err)
{
	const struct tgsp_layout *l = &r->p->layout;
	TG_AUTO(slots_done) struct slots slots = { .n = 0 };

	if (r->from == r->to && l->plain_len > 0)
		return TG_OK; /* no byte lies in no chunk */
	r->first = r->from >> l->chunk_log2;
	r->end = r->to == 0 ? 1 : ((r->to - 1) >> l->chunk_log2) + 1; /* an empty payload has one */
	r->batch = batch_for(l);
	r->meter.total = r->to - r->from;
	const struct tg_parallel run = { NULL, read_work, read_give, r,
		(r->end - r->first + r->batch - 1) / r->batch, NULL };
	threads = threads_for(threads, run.n);
	const size_t chunk = l->plain_len < tgsp_chunk_size(l) ? (size_t)l->plain_len
							       : tgsp_chunk_size(l);
	TG_TRY(slots_new(&slots, threads, chunk == 0 ? 1 : r->batch * chunk, r->key, err));
	return tg_parallel_run(&run, threads, slots.pointer, err);
}

tg_status
tgsp_payload_verify(const struct tgsp_payload *p, unsigned threads,
    const struct tg_progress *progress, struct tg_error *err)
{
	struct reading r = { .p = p, .to = p->layout.plain_len, .meter = { .progress = progress } };

	return run_reading(&r, threads, err);
}

tg_status
tgsp_payload_read(const struct tgsp_payload *p, const struct tg_key32 *key, uint64_t from,
    uint64_t to, unsigned threads, const struct tg_sink *sink, const struct tg_progress *progress,
    struct tg_error *err)
{
	struct reading r = { .p = p, .key = key, .from = from, .to = to, .sink = sink,
		.meter = { .progress = progress } };

	TG_REQUIRE(from <= to && to <= p->layout.plain_len, err, TG_E_USAGE,
	    "bytes %llu ... %llu of %llu", (unsigned long long)from, (unsigned long long)to,
	    (unsigned long long)p->layout.plain_len);
	return run_reading(&r, threads, err);
}

tg_status
tgsp_payload_load(const struct tgsp_payload *p, const struct tg_key32 *key, uint64_t from,
    uint64_t to, unsigned threads, uint8_t *mem, const struct tg_sink *seen, struct tg_error *err)
{
	struct reading r = { .p = p, .key = key, .from = from, .to = to, .mem = mem, .sink = seen };

	TG_REQUIRE(from <= to && to <= p->layout.plain_len, err, TG_E_USAGE,
	    "bytes %llu ... %llu of %llu", (unsigned long long)from, (unsigned long long)to,
	    (unsigned long long)p->layout.plain_len);
	tg_status s = run_reading(&r, threads, err);
	if (s != TG_OK)
		tg_wipe(mem, (size_t)(to - from));
	return s;
}

static tg_status
padding_check(const struct tgsp_payload *p, struct tg_error *err)
{
	const struct tgsp_layout *l = &p->layout;
	uint8_t pad[TG_PAYLOAD_ALIGN];

	TG_TRY(p->src.read_at(p->src.ctx, pad, (size_t)l->pad_len, l->index_at + l->index_len, err));
	for (uint64_t i = 0; i < l->pad_len; i++)
		TG_REQUIRE(pad[i] == 0, err, TG_E_FORMAT, "payload: padding byte at offset %llu is not 0",
		    (unsigned long long)(l->index_at + l->index_len + i));
	return TG_OK;
}

tg_status
tgsp_payload_open(const struct tg_source *src, const struct tgsp_layout *layout,
    const uint8_t root[static 32], struct tgsp_payload *ret, struct tg_error *err)
{
	TG_AUTO(tgsp_payload_done) struct tgsp_payload p = { .src = *src, .layout = *layout };
	uint8_t got[32];

	p.index = malloc((size_t)layout->index_len);
	TG_REQUIRE(p.index != NULL, err, TG_E_NOMEM, "payload index: out of memory");
	TG_TRY(src->read_at(src->ctx, p.index, (size_t)layout->index_len, layout->index_at, err));
	TG_TRY(tg_tree_root_of(p.index[0], TGSP_INDEX_RECORD, layout->chunks, got, err));
	TG_REQUIRE(memcmp(got, root, 32) == 0, err, TG_E_AUTH,
	    "payload index is not what was signed (its root does not match)");
	TG_TRY(padding_check(&p, err));
	*ret = p;
	p.index = NULL;
	return TG_OK;
}

void
tgsp_payload_done(struct tgsp_payload *p)
{
	free(p->index);
	p->index = NULL;
}

/* ---- writing ---- */

struct writing {
	const struct tgsp_layout *l;
	const struct tgsp_plaintext *from;
	const struct tg_target *to;
	uint8_t *index;
	unsigned batch;
	struct meter meter;
};

static struct span
write_span(const struct writing *w, uint64_t item)
{
	struct span s = { .first = item * w->batch };

	s.n = w->l->chunks - s.first < w->batch ? (unsigned)(w->l->chunks - s.first) : w->batch;
	s.at = s.first << w->l->chunk_log2;
	const uint64_t stop = s.at + ((uint64_t)s.n << w->l->chunk_log2);
	s.bytes = (size_t)((stop < w->l->plain_len ? stop : w->l->plain_len) - s.at);
	return s;
}

static tg_status
write_take(void *ctx, void *slot, uint64_t item, struct tg_error *err)
{
	struct writing *w = ctx;
	const struct span s = write_span(w, item);

	TG_TRY(w->from->fill(w->from->ctx, tg_secret_bytes(((struct slot *)slot)->mem), s.bytes, err));
	meter_add(&w->meter, s.bytes);
	return TG_OK;
}

static tg_status
chunk_seal(const struct writing *w, struct slot *slot, uint64_t chunk, uint8_t *p,
    struct tg_error *err)
{
	uint8_t nonce[TG_AEAD_NONCE_LEN];

	tg_stream_nonce(chunk, chunk + 1 == w->l->chunks, nonce);
	return tg_aead_seal(slot->aead, nonce, (tg_bytes){ NULL, 0 }, p, tgsp_chunk_len(w->l, chunk), p,
	    w->index + chunk * TGSP_INDEX_RECORD + 32, err);
}

static tg_status
write_work(void *ctx, void *slot, uint64_t item, struct tg_error *err)
{
	const struct writing *w = ctx;
	const struct span s = write_span(w, item);
	uint8_t *buf = tg_secret_bytes(((struct slot *)slot)->mem);
	struct tg_leaf leaf[TG_LEAF_MAX_LANES];
	unsigned whole = s.n;

	for (unsigned i = 0; i < s.n; i++) {
		uint8_t *p = buf + ((size_t)i << w->l->chunk_log2);

		TG_TRY(chunk_seal(w, slot, s.first + i, p, err));
		leaf[i] = (struct tg_leaf){ .ct = p,
			.tag = w->index + (s.first + i) * TGSP_INDEX_RECORD + 32 };
	}
	if (tgsp_chunk_len(w->l, s.first + s.n - 1) != tgsp_chunk_size(w->l))
		whole--;
	TG_TRY(tg_leaf_hash(leaf, whole, tgsp_chunk_size(w->l), err));
	if (whole < s.n)
		TG_TRY(tg_leaf_hash(&leaf[whole], 1, tgsp_chunk_len(w->l, s.first + whole), err));
	for (unsigned i = 0; i < s.n; i++)
		memcpy(w->index + (s.first + i) * TGSP_INDEX_RECORD, leaf[i].hash, 32);
	return s.bytes == 0 ? TG_OK
			    : w->to->write_at(w->to->ctx, buf, s.bytes, w->l->ct_at + s.at, err);
}

tg_status
tgsp_payload_write(const struct tgsp_layout *layout, const struct tg_key32 *key,
    const struct tgsp_plaintext *from, unsigned threads, const struct tg_target *to, uint8_t *index,
    uint8_t ret_root[static 32], const struct tg_progress *progress, struct tg_error *err)
{
	struct writing w = { .l = layout, .from = from, .to = to, .index = index,
		.batch = batch_for(layout),
		.meter = { .progress = progress, .total = layout->plain_len } };
	TG_AUTO(slots_done) struct slots slots = { .n = 0 };
	const struct tg_parallel run = { write_take, write_work, NULL, &w,
		(layout->chunks + w.batch - 1) / w.batch, NULL };

	threads = threads_for(threads, run.n);
	TG_TRY(slots_new(&slots, threads, w.batch * tgsp_chunk_size(layout), key, err));
	TG_TRY(tg_parallel_run(&run, threads, slots.pointer, err));
	return tg_tree_root_of(index, TGSP_INDEX_RECORD, layout->chunks, ret_root, err);
}
