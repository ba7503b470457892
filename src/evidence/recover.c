#include "evidence/recover.h"

#include <tensorguard/limits.h>

#include "crypto/hash.h"
#include "util/try.h"

/* ---- the newest checkpoint ---- */

tg_status
tg_log_file_read(const struct tg_log_files *files, const char *name, struct tg_buf *out,
    struct tg_error *err)
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

tg_status
tg_checkpoint_newest(const struct tg_log_files *files, struct tg_buf *note,
    struct tg_checkpoint *ret, struct tg_error *err)
{
	struct tg_note n;

	TG_TRY(tg_log_file_read(files, "checkpoint", note, err));
	TG_TRY(tg_note_parse(tg_buf_view(note), "checkpoint", &n, err));
	const tg_status s = tg_checkpoint_parse(n.text, "checkpoint", ret, err);
	tg_note_done(&n);
	return s;
}

/* ---- reading on from the mark ---- */

struct scan {
	const struct tg_log_files *files;
	struct tg_recovered *to;
	struct tg_segments segments;
	struct tg_block block;
	struct tg_spot known_end; /* of the tail */
	uint64_t covered;         /* by the newest checkpoint */
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

/* The bytes from `at` on are no records. An unfinished write, or damage? */
static tg_status
judge_tail(struct scan *s, struct tg_spot at, size_t from, struct tg_error *err)
{
	TG_AUTO(tg_sha256_freep) struct tg_sha256_stream *h = NULL;
	struct tg_recovered *to = s->to;
	struct tg_error why = TG_ERROR_INIT;
	struct tg_spot next = at;
	bool more = false;

	if (s->segments.i + 1 < s->segments.list.n ||
	    (at.segment == s->known_end.segment && at.at < s->known_end.at) ||
	    to->place.records < s->covered)
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
		    "segments/%020llu.jsonl begins where record %llu is expected: a segment is missing",
		    (unsigned long long)at.segment, (unsigned long long)to->place.records);
		TG_TRY(tg_block_check(b, err));
		tg_status st = tg_block_follows(b, &to->place, &b->why);
		if (st != TG_OK)
			return damaged(s, at, err);
		TG_TRY(tg_treefile_append(&to->tree, b->leaves, b->good, err));
		to->spot.at = at.at + b->good_bytes;
		if (b->status != TG_OK)
			return judge_tail(s, (struct tg_spot){ at.segment, to->spot.at }, b->good_bytes, err);
	}
	/* a new segment that nothing was written to yet */
	if (s->segments.list.n > 0 && s->segments.spot.segment != to->spot.segment)
		to->spot = s->segments.spot;
	TG_REQUIRE(to->spot.segment > s->known_end.segment ||
		(to->spot.segment == s->known_end.segment && to->spot.at >= s->known_end.at),
	    err, TG_E_FORMAT,
	    "the log ends at byte %llu of segments/%020llu.jsonl, but it was written up to byte %llu of "
	    "segments/%020llu.jsonl: the end is missing",
	    (unsigned long long)to->spot.at, (unsigned long long)to->spot.segment,
	    (unsigned long long)s->known_end.at, (unsigned long long)s->known_end.segment);
	return TG_OK;
}

static tg_status
check_checkpoint(const struct tg_recovered *to, const struct tg_checkpoint *c, struct tg_error *err)
{
	struct tg_hashes h = tg_treefile_hashes((struct tg_treefile *)(uintptr_t)&to->tree);
	uint8_t root[32];

	TG_REQUIRE(to->place.records >= c->size, err, TG_E_AUTH,
	    "the log has %llu records, but its checkpoint covers %llu: the end is missing",
	    (unsigned long long)to->place.records, (unsigned long long)c->size);
	TG_TRY(tg_proof_root(&h, c->size, root, err));
	TG_REQUIRE(memcmp(root, c->root, 32) == 0, err, TG_E_AUTH,
	    "the log does not have the root that its checkpoint of size %llu says",
	    (unsigned long long)c->size);
	return TG_OK;
}

static tg_status
recover_from(const struct tg_log_files *files, const struct tg_tail *t,
    const struct tg_checkpoint *c, struct tg_recovered *ret, struct tg_error *err)
{
	struct scan s = { .files = files, .to = ret, .known_end = t->end, .covered = c->size };

	ret->place = t->mark;
	ret->spot = t->mark_spot;
	ret->cut_bytes = 0;
	ret->last_checkpoint = c->size;
	TG_TRY(tg_treefile_open(&ret->tree, files, true, t->mark.records, err));
	tg_status st = tg_segments_open(&s.segments, files, t->mark_spot, err);
	if (st == TG_OK) {
		st = tg_block_init(&s.block, TG_BLOCK_BYTES, err);
		if (st == TG_OK)
			st = scan_on(&s, err);
		tg_block_done(&s.block);
		tg_segments_close(&s.segments);
	}
	if (st == TG_OK && c->size > 0)
		st = check_checkpoint(ret, c, err);
	if (st != TG_OK)
		tg_treefile_close(&ret->tree);
	return st;
}

tg_status
tg_recover(const struct tg_log_files *files, struct tg_recovered *ret, struct tg_error *err)
{
	struct tg_tail t = { .mark = tg_place_start() }, hint;
	struct tg_checkpoint c = { .size = 0 };
	struct tg_buf note = { .max = TG_MAX_NOTE };
	struct tg_error why = TG_ERROR_INIT;

	tg_status s = tg_checkpoint_newest(files, &note, &c, &why);
	tg_buf_done(&note);
	TG_REQUIRE(s == TG_OK || s == TG_E_NOTFOUND, err, s, "%s", why.text);
	if (tg_tail_read(files, &hint, &why) == TG_OK) {
		if (recover_from(files, &hint, &c, ret, &why) == TG_OK)
			return TG_OK;
		t.end = hint.end; /* this much was durable, whatever the hint is worth otherwise */
	}
	/* all of it, from the first record: what is wrong is then known to be in the segments */
	return recover_from(files, &t, &c, ret, err);
}
