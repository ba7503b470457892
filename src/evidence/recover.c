#include "evidence/recover.h"

#include <tensorguard/limits.h>

#include "crypto/hash.h"
#include "util/try.h"

/* ---- the newest checkpoint ---- */

tg_status
tg_log_file_read(
    const struct tg_log_files *files, const char *name, struct tg_buf *out, struct tg_error *err)
{
	uint64_t size = 0;
	uint8_t *to = NULL;
	void *f = NULL;

	TG_TRY(files->open(files->ctx, name, 0, &f, err));
	tg_status s = files->size(files->ctx, f, &size, err);
	if (s == TG_OK && size > out->max - out->n)
		s = tg_fail(err, TG_E_LIMIT, "%s: %llu bytes, at most %zu allowed", name,
		    (unsigned long long)size, out->max - out->n);
	if (s == TG_OK && tg_buf_grow(out, (size_t)size, &to) != TG_OK)
		s = tg_fail(err, TG_E_NOMEM, "%s: out of memory", name);
	if (s == TG_OK)
		s = files->read_at(files->ctx, f, to, (size_t)size, 0, err);
	files->close(files->ctx, f);
	return s;
}

static tg_status
read_checkpoint(const struct tg_log_files *files, const char *name, struct tg_buf *note,
    struct tg_checkpoint *ret, struct tg_error *err)
{
	struct tg_note n;

	TG_TRY(tg_log_file_read(files, name, note, err));
	TG_TRY(tg_note_parse(tg_buf_view(note), name, &n, err));
	const tg_status s = tg_checkpoint_parse(n.text, name, ret, err);
	tg_note_done(&n);
	return s;
}

tg_status
tg_checkpoint_newest(const struct tg_log_files *files, struct tg_buf *note,
    struct tg_checkpoint *ret, struct tg_error *err)
{
	return read_checkpoint(files, "checkpoint", note, ret, err);
}

/* The newest of all: `checkpoint` is written behind checkpoints/SIZE, so that after a crash it may
 * be the one before. */
struct newest {
	struct tg_checkpoint c; /* size 0: there is none */
	struct tg_buf note;
	bool behind; /* `checkpoint` is another */
};

static tg_status
find_newest(const struct tg_log_files *files, struct newest *ret, struct tg_error *err)
{
	struct tg_error why = TG_ERROR_INIT;
	struct tg_numbers l;
	char name[TG_SEGMENT_NAME_MAX];
	uint64_t last = 0;

	const tg_status s = tg_checkpoint_newest(files, &ret->note, &ret->c, &why);
	TG_REQUIRE(s == TG_OK || s == TG_E_NOTFOUND, err, s, "%s", why.text);
	TG_TRY(tg_checkpoints_list(files, &l, err));
	if (l.n > 0)
		last = l.at[l.n - 1];
	tg_numbers_done(&l);
	if (last <= ret->c.size)
		return TG_OK;
	ret->behind = true;
	ret->note.n = 0;
	tg_checkpoint_name(name, last);
	TG_TRY(read_checkpoint(files, name, &ret->note, &ret->c, err));
	TG_REQUIRE(ret->c.size == last, err, TG_E_FORMAT, "%s: it covers %llu records", name,
	    (unsigned long long)ret->c.size);
	return TG_OK;
}

/* ---- reading on from the mark ---- */

struct scan {
	const struct tg_log_files *files;
	struct tg_recovered *to;
	struct tg_segments segments;
	struct tg_block block;
	struct tg_spot known_end;      /* of the tail */
	const struct tg_checkpoint *c; /* the newest */
};

/* Is there a whole valid record in these bytes, past what is bad at their front? */
static tg_status
holds_record(const struct scan *s, size_t from, bool *ret, struct tg_error *err)
{
	const struct tg_block *b = &s->block;

	*ret = false;
	while (!*ret && from < b->n) {
		const uint8_t *end = memchr(b->bytes + from, '\n', b->n - from);
		struct tg_record r;
		struct tg_event event;

		if (end == NULL)
			return TG_OK;
		const size_t next = (size_t)(end - b->bytes) + 1;
		tg_status st = tg_record_split(b->bytes + from, next - 1 - from, "record", &r, err);
		if (st == TG_OK)
			st = tg_record_check(&r, "record", &event, err);
		*ret = st == TG_OK;
		from = next;
	}
	return TG_OK;
}

static tg_status
damaged(const struct scan *s, struct tg_spot at, struct tg_error *err)
{
	return tg_fail(err, TG_E_FORMAT,
	    "the log is damaged at byte %llu of segments/%020llu.jsonl: %s; nothing was changed "
	    "('tensorguard evidence verify' says more)",
	    (unsigned long long)at.at, (unsigned long long)at.segment, s->block.why.text);
}

static bool
before(struct tg_spot a, struct tg_spot b)
{
	return a.segment < b.segment || (a.segment == b.segment && a.at < b.at);
}

/* The bytes from `at` on are no records. An unfinished write, or damage? */
static tg_status
judge_tail(struct scan *s, struct tg_spot at, size_t from, struct tg_error *err)
{
	TG_AUTO(tg_sha256_freep) struct tg_sha256_stream *h = NULL;
	struct tg_recovered *to = s->to;
	struct tg_error why = TG_ERROR_INIT;
	struct tg_spot next = at;
	bool more = false;

	if (s->segments.i + 1 < s->segments.list.n || before(at, s->known_end) ||
	    to->place.records < s->c->size)
		return damaged(s, at, err);
	TG_TRY(tg_sha256_new(&h, err));
	to->spot = at;
	for (size_t skip = from; s->block.n > 0; skip = 0) {
		TG_TRY(holds_record(s, skip, &more, &why));
		if (more)
			return damaged(s, at, err);
		TG_TRY(tg_sha256_put(h, s->block.bytes + skip, s->block.n - skip, err));
		to->cut_bytes += s->block.n - skip;
		TG_TRY(tg_segments_next(&s->segments, &s->block, &next, err));
	}
	return tg_sha256_finish(h, to->cut_sha256, err);
}

/* The tree over the first c->size records must have the checkpoint's root. */
static tg_status
check_root(const struct tg_checkpoint *c, const uint8_t root[static 32], struct tg_error *err)
{
	TG_REQUIRE(memcmp(root, c->root, 32) == 0, err, TG_E_AUTH,
	    "the log does not have the root that its checkpoint of size %llu says",
	    (unsigned long long)c->size);
	return TG_OK;
}

static tg_status
append_leaves(struct scan *s, uint8_t *leaves, size_t k, struct tg_error *err)
{
	struct tg_treefile *t = &s->to->tree;
	uint8_t root[32];

	if (s->c->size > t->n && s->c->size - t->n <= k) {
		const size_t first = (size_t)(s->c->size - t->n);

		TG_TRY(tg_treefile_append(t, leaves, first, err));
		TG_TRY(tg_treefile_root(t, root, err));
		TG_TRY(check_root(s->c, root, err));
		leaves += 32 * first;
		k -= first;
	}
	return tg_treefile_append(t, leaves, k, err);
}

static tg_status
scan_on(struct scan *s, struct tg_error *err)
{
	struct tg_recovered *to = s->to;
	struct tg_block *b = &s->block;
	struct tg_spot at = to->spot;

	for (;;) {
		TG_TRY(tg_segments_next(&s->segments, b, &at, err));
		if (b->n == 0)
			break;
		if (at.segment != to->spot.segment)
			to->spot = (struct tg_spot){ at.segment, 0 };
		TG_REQUIRE(at.at > 0 || at.segment == to->place.records, err, TG_E_FORMAT,
		    "segments/%020llu.jsonl begins where record %llu is expected: a segment is "
		    "missing",
		    (unsigned long long)at.segment, (unsigned long long)to->place.records);
		TG_TRY(tg_block_check(b, err));
		tg_status st = tg_block_follows(b, &to->place, &b->why);
		if (st != TG_OK)
			return damaged(s, at, err);
		TG_TRY(append_leaves(s, b->leaves, b->good, err));
		to->spot.at = at.at + b->good_bytes;
		if (b->status != TG_OK)
			return judge_tail(
			    s, (struct tg_spot){ at.segment, to->spot.at }, b->good_bytes, err);
	}
	/* a new segment that nothing was written to yet */
	if (s->segments.spot.segment != to->spot.segment)
		to->spot = s->segments.spot;
	TG_REQUIRE(to->spot.at > 0 || to->spot.segment == to->place.records, err, TG_E_FORMAT,
	    "segments/%020llu.jsonl is empty, and record %llu is expected next: a segment is "
	    "missing",
	    (unsigned long long)to->spot.segment, (unsigned long long)to->place.records);
	TG_REQUIRE(!before(to->spot, s->known_end), err, TG_E_FORMAT,
	    "the log ends at byte %llu of segments/%020llu.jsonl, but it was written up to byte "
	    "%llu of "
	    "segments/%020llu.jsonl: the end is missing",
	    (unsigned long long)to->spot.at, (unsigned long long)to->spot.segment,
	    (unsigned long long)s->known_end.at, (unsigned long long)s->known_end.segment);
	return TG_OK;
}

/* ---- the mark ---- */

/* The place behind the record that ends at byte `end` of a segment, or at its end (UINT64_MAX). */
static tg_status
place_at(struct scan *s, uint64_t segment, uint64_t end, struct tg_place *ret, struct tg_error *err)
{
	const struct tg_log_files *files = s->files;
	uint8_t *p = s->block.bytes;
	char name[TG_SEGMENT_NAME_MAX];
	struct tg_record r;
	struct tg_event e;
	uint64_t size = 0;
	void *f = NULL;

	tg_segment_name(name, segment);
	TG_TRY(files->open(files->ctx, name, 0, &f, err));
	tg_status st = files->size(files->ctx, f, &size, err);
	end = end == UINT64_MAX ? size : end;
	const size_t n = end <= TG_MAX_LOG_RECORD + 2 ? (size_t)end : TG_MAX_LOG_RECORD + 2;
	if (st == TG_OK)
		st = files->read_at(files->ctx, f, p, n, end - n, err);
	files->close(files->ctx, f);
	TG_TRY(st);
	TG_REQUIRE(n > 0 && p[n - 1] == '\n', err, TG_E_FORMAT, "%s: no record ends at byte %llu",
	    name, (unsigned long long)end);
	const uint8_t *newline = memrchr(p, '\n', n - 1);
	const size_t from = newline == NULL ? 0 : (size_t)(newline - p) + 1;
	TG_TRY(tg_record_split(p + from, n - 1 - from, name, &r, err));
	TG_TRY(tg_record_check(&r, name, &e, err));
	ret->records = r.sequence + 1;
	memcpy(ret->chain, r.p + TG_RECORD_CHAIN_AT, TG_HEX_HASH);
	return TG_OK;
}

/* Segments up to the mark, whose records are not read: all there, by where they end. */
static tg_status
check_mark(
    struct scan *s, const struct tg_tail *t, const struct tg_numbers *l, struct tg_error *err)
{
	struct tg_place place = tg_place_start();
	size_t i = 0;

	for (; i < l->n && l->at[i] < t->mark_spot.segment; i++) {
		TG_REQUIRE(l->at[i] == place.records, err, TG_E_FORMAT, "a segment is missing");
		TG_TRY(place_at(s, l->at[i], UINT64_MAX, &place, err));
	}
	TG_REQUIRE(i < l->n && l->at[i] == t->mark_spot.segment && l->at[i] == place.records, err,
	    TG_E_FORMAT, "a segment is missing");
	if (t->mark_spot.at > 0)
		TG_TRY(place_at(s, t->mark_spot.segment, t->mark_spot.at, &place, err));
	TG_REQUIRE(place.records == t->mark.records &&
		memcmp(place.chain, t->mark.chain, TG_HEX_HASH) == 0,
	    err, TG_E_FORMAT, "tail: it does not fit the segments");
	return TG_OK;
}

/* The tree's files up to the mark: the root is the tail's, and the checkpoint's where that is
 * older. */
static tg_status
check_tree(struct scan *s, const struct tg_tail *t, struct tg_error *err)
{
	struct tg_hashes h = tg_treefile_hashes(&s->to->tree);
	uint8_t root[32];

	TG_TRY(tg_treefile_root(&s->to->tree, root, err));
	TG_REQUIRE(
	    memcmp(root, t->root, 32) == 0, err, TG_E_FORMAT, "tree: it does not fit the tail");
	if (s->c->size > t->mark.records)
		return TG_OK;
	TG_TRY(tg_proof_root(&h, s->c->size, root, err));
	return s->c->size == 0 ? TG_OK : check_root(s->c, root, err);
}

static tg_status
check_before(struct scan *s, const struct tg_tail *t, struct tg_error *err)
{
	if (t->mark.records == 0)
		return TG_OK;
	TG_TRY(check_tree(s, t, err));
	return check_mark(s, t, &s->segments.list, err);
}

/* ---- all of it ---- */

/* Read on from t->mark. `write`: the tree's files as well, which nothing but a log that is known to
 * be whole may change; otherwise the tree is closed again. */
static tg_status
recover_from(const struct tg_log_files *files, const struct tg_tail *t,
    const struct tg_checkpoint *c, bool write, struct tg_recovered *ret, struct tg_error *err)
{
	struct scan s = { .files = files, .to = ret, .known_end = t->end, .c = c };

	ret->place = t->mark;
	ret->spot = t->mark_spot;
	ret->cut_bytes = 0;
	TG_TRY(tg_treefile_open(&ret->tree, files, write, t->mark.records, err));
	tg_status st = tg_segments_open(&s.segments, files, t->mark_spot, err);
	if (st == TG_OK) {
		st = tg_block_init(&s.block, TG_BLOCK_BYTES, err);
		if (st == TG_OK)
			st = check_before(&s, t, err);
		if (st == TG_OK)
			st = scan_on(&s, err);
		tg_block_done(&s.block);
		tg_segments_close(&s.segments);
	}
	if (st == TG_OK && ret->place.records < c->size)
		st = tg_fail(err, TG_E_AUTH,
		    "the log has %llu records, but its checkpoint covers %llu: the end is missing",
		    (unsigned long long)ret->place.records, (unsigned long long)c->size);
	if (st != TG_OK || !write)
		tg_treefile_close(&ret->tree);
	return st;
}

static tg_status
recover(const struct tg_log_files *files, const struct newest *newest, struct tg_recovered *ret,
    struct tg_error *err)
{
	struct tg_tail t = { .mark = tg_place_start() }, hint;
	struct tg_error why = TG_ERROR_INIT;
	bool good = false;

	if (tg_tail_read(files, &hint, &why) == TG_OK) {
		t.end = hint.end; /* this much was durable, whatever the hint is worth otherwise */
		good = recover_from(files, &hint, &newest->c, false, ret, &why) == TG_OK;
	}
	/* all of it, from the first record: what is wrong is then known to be in the segments */
	if (!good) {
		const tg_status s = recover_from(files, &t, &newest->c, false, ret, &why);

		TG_REQUIRE(s == TG_OK, err, s == TG_E_NOTFOUND ? TG_E_FORMAT : s, "%s", why.text);
	}
	TG_TRY(recover_from(files, good ? &hint : &t, &newest->c, true, ret, err));
	if (!newest->behind)
		return TG_OK;
	const tg_status s =
	    files->replace(files->ctx, "checkpoint", newest->note.p, newest->note.n, err);
	if (s != TG_OK)
		tg_treefile_close(&ret->tree);
	return s;
}

tg_status
tg_recover(const struct tg_log_files *files, struct tg_recovered *ret, struct tg_error *err)
{
	struct newest newest = { .note = { .max = TG_MAX_NOTE } };
	tg_status s = find_newest(files, &newest, err);

	if (s == TG_OK)
		s = recover(files, &newest, ret, err);
	tg_buf_done(&newest.note);
	return s;
}
