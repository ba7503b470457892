/*
 * Checking all of a log. Blocks of records are read in order, checked on all threads, and joined in
 * order: chain to chain, leaves into the tree, the tree's root against each checkpoint where it is
 * as large as that says (docs/PROTOCOL.evidence.md section 6).
 */
#include <stdlib.h>
#include <tensorguard/limits.h>

#include "evidence/policy.h"
#include "evidence/recover.h"
#include "evidence/tiles.h"
#include "util/parallel.h"
#include "util/text.h"
#include "util/try.h"

struct verify {
	const struct tg_log_files *files;
	const struct tg_log_policy *policy;
	const struct tg_progress *progress;
	uint64_t done, total; /* bytes of segments, records of an exported folder */
	/* where records come from: segments, or an exported folder */
	bool exported, end;
	struct tg_segments segments;
	struct tg_tiles_reader tiles;
	/* what has been joined */
	struct tg_place place;
	struct tg_treefile tree;
	struct tg_numbers checkpoints;
	size_t next_checkpoint;
	struct tg_buf newest; /* `checkpoint`, read before the records: both may grow meanwhile */
	bool has_newest;
	void *leaf_file; /* tree/00, to name the record when a root does not fit; NULL: not there */
	uint64_t
	    first_other; /* the first whose leaf is not the one stored there; UINT64_MAX: none */
	struct tg_log_report *report;
};

/* What one thread works on. */
struct slot {
	struct tg_block block;
	struct tg_spot at; /* of its first byte, in the segments */
	bool last;	   /* of the last segment */
};

/* ---- checkpoints ---- */

/* The witnesses are asked for under the newest one alone: it covers what the others do. */
static tg_status
check_note(const struct verify *v, tg_bytes note, const char *name, bool newest,
    struct tg_checkpoint *ret, struct tg_error *err)
{
	struct tg_note n;

	if (v->policy != NULL) {
		struct tg_error why = TG_ERROR_INIT;
		const tg_status st = tg_log_policy_check(v->policy, note, name, newest, ret, &why);

		TG_REQUIRE(st == TG_OK, err, st == TG_E_NOTFOUND ? TG_E_AUTH : st, "%s", why.text);
		return TG_OK;
	}
	TG_TRY(tg_note_parse(note, name, &n, err));
	const tg_status s = tg_checkpoint_parse(n.text, name, ret, err);
	tg_note_done(&n);
	return s;
}

/* Are the hashes in tree/00 those that were signed? Then they can tell which record is not. */
static bool
stored_are_signed(const struct verify *v, const struct tg_checkpoint *c)
{
	uint8_t leaves[32 * 257], root[32];
	struct tg_treefile t;
	bool good = v->leaf_file != NULL && tg_treefile_open(&t, NULL, false, 0, NULL) == TG_OK;

	while (good && t.n < c->size) {
		const size_t k = c->size - t.n < 256 ? (size_t)(c->size - t.n) : 256;

		good = v->files->read_at(v->files->ctx, v->leaf_file, leaves + 32, 32 * k, 32 * t.n,
			   NULL) == TG_OK &&
		    tg_treefile_append(&t, leaves, k, NULL) == TG_OK;
	}
	return good && tg_treefile_root(&t, root, NULL) == TG_OK && memcmp(root, c->root, 32) == 0;
}

/* The chain is right, the root is not: somebody has written it anew. */
static tg_status
wrong_root(
    const struct verify *v, const struct tg_checkpoint *c, const char *name, struct tg_error *err)
{
	struct tg_log_report *r = v->report;

	if (v->first_other >= c->size || !stored_are_signed(v, c))
		return tg_fail(err, TG_E_AUTH,
		    "records %llu to %llu are not those that were signed: %s has another root",
		    (unsigned long long)r->covered, (unsigned long long)c->size - 1, name);
	r->bad_sequence = v->first_other;
	return tg_fail(err, TG_E_AUTH,
	    "record %llu is not the one that was signed: %s has another root, and tree/00 still "
	    "the hash",
	    (unsigned long long)v->first_other, name);
}

/* The checkpoint of just this many records, if there is one. */
static tg_status
meet_checkpoint(struct verify *v, const char *name, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf note = { .max = TG_MAX_NOTE };
	struct tg_checkpoint c;
	uint8_t root[32];

	v->report->bad_sequence =
	    v->report->covered; /* the checkpoint is bad, or what is behind that */
	TG_TRY(tg_log_file_read(v->files, name, &note, err));
	TG_TRY(check_note(v, tg_buf_view(&note), name, false, &c, err));
	TG_REQUIRE(v->place.records == 0 || strcmp(c.origin, v->report->origin) == 0, err,
	    TG_E_AUTH, "%s: a checkpoint of another log", name);
	TG_REQUIRE(c.size == v->tree.n, err, TG_E_AUTH,
	    "%s: it covers %llu records, %llu are expected", name, (unsigned long long)c.size,
	    (unsigned long long)v->tree.n);
	TG_TRY(tg_treefile_root(&v->tree, root, err));
	if (memcmp(root, c.root, 32) != 0)
		return wrong_root(v, &c, name, err);
	v->report->checkpoints++;
	v->report->covered = c.size;
	v->first_other = UINT64_MAX; /* if there was one, tree/00 was wrong */
	return TG_OK;
}

/* Which is the first record that tree/00 has another hash of? */
static void
compare_stored(struct verify *v, const uint8_t *leaves, size_t n)
{
	uint8_t stored[32 * 256];

	for (size_t i = 0; v->leaf_file != NULL && v->first_other == UINT64_MAX && i < n;
	     i += 256) {
		const size_t k = n - i < 256 ? n - i : 256;
		const uint64_t at = v->tree.n + i;

		if (v->files->read_at(v->files->ctx, v->leaf_file, stored, 32 * k, 32 * at, NULL) !=
		    TG_OK)
			return; /* it ends here */
		for (size_t j = 0; j < k && v->first_other == UINT64_MAX; j++)
			if (memcmp(stored + 32 * j, leaves + 32 * (i + j), 32) != 0)
				v->first_other = at + j;
	}
}

/* Leaves into the tree, stopping at every checkpoint's size. */
static tg_status
join_leaves(struct verify *v, uint8_t *leaves, size_t n, struct tg_error *err)
{
	char name[TG_SEGMENT_NAME_MAX];

	for (;;) {
		const uint64_t size = v->next_checkpoint < v->checkpoints.n
		    ? v->checkpoints.at[v->next_checkpoint]
		    : UINT64_MAX;
		const size_t k = size - v->tree.n < n ? (size_t)(size - v->tree.n) : n;

		compare_stored(v, leaves + 32, k);
		TG_TRY(tg_treefile_append(&v->tree, leaves, k, err));
		leaves += 32 * k; /* the last one used up is the room in front of the next */
		n -= k;
		if (v->tree.n != size)
			return TG_OK;
		tg_checkpoint_name(name, size);
		TG_TRY(meet_checkpoint(v, name, err));
		v->next_checkpoint++;
	}
}

/* ---- blocks ---- */

static tg_status
take(void *ctx, void *slot, uint64_t item, struct tg_error *err)
{
	struct verify *v = ctx;
	struct slot *to = slot;

	(void)item;
	if (v->exported)
		TG_TRY(tg_tiles_next(&v->tiles, &to->block, err));
	else
		TG_TRY(tg_segments_next(&v->segments, &to->block, &to->at, err));
	to->last = !v->exported && v->segments.i + 1 == v->segments.list.n;
	v->end = to->block.n == 0;
	return TG_OK;
}

static tg_status
work(void *ctx, void *slot, uint64_t item, struct tg_error *err)
{
	struct slot *s = slot;

	(void)ctx;
	(void)item;
	return tg_block_check(&s->block, err);
}

/* Behind the last newline of the last segment: a write that was never finished, or is going on. */
static bool
unfinished(const struct slot *s)
{
	const struct tg_block *b = &s->block;

	return s->last && b->good_bytes == 0 && memchr(b->bytes, '\n', b->n) == NULL;
}

/* Does it go on from there, in the file that is named after it? */
static tg_status
follows(struct verify *v, const struct slot *s, struct tg_error *err)
{
	const struct tg_block *b = &s->block;

	TG_TRY(tg_block_follows(b, &v->place, err));
	TG_REQUIRE(b->good == 0 || strcmp(b->origin, v->report->origin) == 0, err, TG_E_AUTH,
	    "record %llu: \"log_origin\" is that of another log", (unsigned long long)b->first);
	TG_REQUIRE(b->good == 0 || v->exported || s->at.at > 0 || s->at.segment == b->first, err,
	    TG_E_FORMAT, "record %llu: it begins segments/%020llu.jsonl, which has another name",
	    (unsigned long long)b->first, (unsigned long long)s->at.segment);
	return TG_OK;
}

static tg_status
give(void *ctx, void *slot, uint64_t item, struct tg_error *err)
{
	struct verify *v = ctx;
	struct tg_block *b = &((struct slot *)slot)->block;
	struct tg_log_report *r = v->report;

	(void)item;
	if (b->status != TG_OK && unfinished(slot)) {
		r->tail_bytes += b->n;
		return TG_OK;
	}
	if (v->place.records == 0 && b->good > 0)
		memcpy(r->origin, b->origin, sizeof(r->origin));
	r->bad_sequence = v->place.records;
	TG_TRY(follows(v, slot, err));
	TG_TRY(join_leaves(v, b->leaves, b->good, err));
	r->records = r->bad_sequence = v->place.records;
	r->unknown_types += b->unknown;
	if (b->status != TG_OK) {
		*err = b->why;
		return b->status;
	}
	v->done += v->exported ? b->good : b->n;
	if (v->progress != NULL)
		v->progress->step(v->progress->ctx, v->done, v->total);
	return TG_OK;
}

/* ---- all of it ---- */

static tg_status
run(struct verify *v, unsigned threads, struct tg_error *err)
{
	struct slot slot[TG_MAX_THREADS];
	void *slots[TG_MAX_THREADS];
	unsigned n = 0;
	tg_status s = TG_OK;

	threads = threads == 0 ? tg_parallel_cores() : threads;
	for (; s == TG_OK && n < threads && n < TG_MAX_THREADS; n++) {
		s = tg_block_init(&slot[n].block, TG_BLOCK_BYTES, err);
		slots[n] = &slot[n];
	}
	const struct tg_parallel p = { take, work, give, v, UINT64_MAX, &v->end };
	if (s == TG_OK)
		s = tg_parallel_run(&p, n, slots, err);
	while (n > 0)
		tg_block_done(&slot[--n].block);
	return s;
}

/* What `checkpoint` says must stand among those that were met. */
static tg_status
same_as_stored(const struct verify *v, const struct tg_checkpoint *c, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf note = { .max = TG_MAX_NOTE };
	struct tg_checkpoint other;
	struct tg_error why = TG_ERROR_INIT;
	char name[TG_SEGMENT_NAME_MAX];

	TG_REQUIRE(c->size <= v->report->records, err, TG_E_AUTH,
	    "%llu records are there, but the checkpoint covers %llu: the end is missing",
	    (unsigned long long)v->report->records, (unsigned long long)c->size);
	tg_checkpoint_name(name, c->size);
	TG_REQUIRE(tg_log_file_read(v->files, name, &note, &why) == TG_OK, err, TG_E_AUTH,
	    "checkpoint: covers %llu records, but %s is not there", (unsigned long long)c->size,
	    name);
	TG_TRY(check_note(v, tg_buf_view(&note), name, false, &other, err));
	TG_REQUIRE(memcmp(other.root, c->root, 32) == 0 && strcmp(other.origin, c->origin) == 0,
	    err, TG_E_AUTH, "checkpoint: not the one that stands in %s", name);
	return TG_OK;
}

/* The witnesses must have cosigned the newest. `checkpoint` is written behind checkpoints/SIZE, so
 * that after a crash it may be the one before, or not be there. */
static tg_status
check_newest(const struct verify *v, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf note = { .max = TG_MAX_NOTE };
	const struct tg_numbers *l = &v->checkpoints;
	struct tg_checkpoint c;
	char name[TG_SEGMENT_NAME_MAX];

	TG_REQUIRE(v->has_newest || l->n < 2, err, TG_E_FORMAT, "checkpoint: not there");
	if (l->n == 0)
		return TG_OK;
	tg_checkpoint_name(name, l->at[l->n - 1]);
	TG_TRY(tg_log_file_read(v->files, name, &note, err));
	return check_note(v, tg_buf_view(&note), name, true, &c, err);
}

/* Every checkpoint there is must have been met. */
static tg_status
all_met(struct verify *v, struct tg_error *err)
{
	const struct tg_log_report *r = v->report;

	TG_REQUIRE(
	    r->records > 0, err, TG_E_FORMAT, "no record: the log has not come to its first");
	TG_REQUIRE(v->next_checkpoint == v->checkpoints.n, err, TG_E_AUTH,
	    "%llu records are there, but checkpoints/%020llu covers %llu: the end is missing",
	    (unsigned long long)r->records,
	    (unsigned long long)v->checkpoints.at[v->next_checkpoint],
	    (unsigned long long)v->checkpoints.at[v->next_checkpoint]);
	TG_TRY(check_newest(v, err));
	if (!v->has_newest)
		return TG_OK;
	struct tg_checkpoint c;
	TG_TRY(check_note(v, tg_buf_view(&v->newest), "checkpoint", false, &c, err));
	return same_as_stored(v, &c, err);
}

/* Between which checkpoints the bad record lies. */
static void
locate(const struct verify *v)
{
	struct tg_log_report *r = v->report;

	for (size_t i = 0; i < v->checkpoints.n; i++) {
		if (v->checkpoints.at[i] <= r->bad_sequence) {
			r->before = v->checkpoints.at[i];
		} else {
			r->after = v->checkpoints.at[i];
			return;
		}
	}
}

static tg_status
open_source(struct verify *v, struct tg_error *err)
{
	struct tg_error why = TG_ERROR_INIT;

	tg_buf_init(&v->newest, TG_MAX_NOTE);
	const tg_status found = tg_log_file_read(v->files, "checkpoint", &v->newest, &why);
	TG_REQUIRE(found == TG_OK || found == TG_E_NOTFOUND, err, found, "%s", why.text);
	v->has_newest = found == TG_OK;
	TG_TRY(tg_checkpoints_list(v->files, &v->checkpoints, err));
	TG_TRY(tg_treefile_open(&v->tree, NULL, false, 0, err));
	v->place = tg_place_start();
	v->first_other = UINT64_MAX;
	if (v->files->open(v->files->ctx, "tree/00", 0, &v->leaf_file, NULL) != TG_OK)
		v->leaf_file = NULL;
	const tg_status s =
	    tg_segments_open(&v->segments, v->files, (struct tg_spot){ 0, 0 }, &why);
	if (s == TG_OK)
		return tg_segments_left(&v->segments, &v->total, err);
	TG_REQUIRE(s == TG_E_NOTFOUND, err, s, "%s", why.text);
	v->exported = true;
	return tg_tiles_open(&v->tiles, v->files, &v->total, err);
}

tg_status
tg_log_verify(const struct tg_log_files *files, const struct tg_log_policy *policy,
    unsigned threads, const struct tg_progress *progress, struct tg_log_report *ret,
    struct tg_error *err)
{
	struct verify v = { .files = files, .policy = policy, .progress = progress, .report = ret };

	memset(ret, 0, sizeof(*ret));
	tg_status s = open_source(&v, err);
	if (s == TG_OK)
		s = run(&v, threads, err);
	if (s == TG_OK)
		s = all_met(&v, err);
	if (s == TG_OK)
		s = tg_treefile_root(&v.tree, ret->root, err);
	(void)tg_hex_decode(
	    ret->chain, sizeof(ret->chain), (tg_bytes){ v.place.chain, TG_HEX_HASH });
	if (s != TG_OK)
		locate(&v);
	if (v.leaf_file != NULL)
		files->close(files->ctx, v.leaf_file);
	tg_segments_close(&v.segments);
	tg_tiles_close(&v.tiles);
	tg_numbers_done(&v.checkpoints);
	tg_buf_done(&v.newest);
	return s;
}
