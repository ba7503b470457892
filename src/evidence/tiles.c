#include "evidence/tiles.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <tensorguard/limits.h>

#include "crypto/tree.h"
#include "evidence/recover.h"
#include "util/try.h"

#define BUNDLE_MAX (TG_TILE_WIDTH * (2 + TG_MAX_LOG_RECORD))

void
tg_tile_name(char out[static TG_TILE_NAME_MAX], int level, uint64_t n, unsigned width)
{
	char number[40];
	size_t at = sizeof(number) - 1;

	number[at] = '\0';
	for (bool last = true; last || n > 0; last = false, n /= 1000) {
		char group[8];
		const int len =
		    snprintf(group, sizeof(group), last ? "%03u" : "x%03u/", (unsigned)(n % 1000));

		at -= (size_t)len;
		memcpy(number + at, group, (size_t)len);
	}
	const int len = level < 0
	    ? snprintf(out, TG_TILE_NAME_MAX, "tile/entries/%s", number + at)
	    : snprintf(out, TG_TILE_NAME_MAX, "tile/%d/%s", level, number + at);
	if (width < TG_TILE_WIDTH)
		(void)snprintf(out + len, TG_TILE_NAME_MAX - (size_t)len, ".p/%u", width);
}

/* ---- writing ---- */

#define LEVELS 8

/* The hashes of a level that are not in a full tile yet. */
struct row {
	uint8_t hash[32 * TG_TILE_WIDTH];
	unsigned width;
	uint64_t tiles; /* written */
};

/* Everything comes from the records, each of them checked; the tree's files are not asked. */
struct export {
	const struct tg_log_files *from, *to;
	const struct tg_progress *progress;
	uint64_t size, done; /* records */
	uint8_t *bundle;
	size_t n;
	struct row *row; /* of each level */
	struct tg_place place;
	struct tg_treefile tree;
};

static tg_status
put_file(const struct export *x, const char *name, const uint8_t *p, size_t n, struct tg_error *err)
{
	void *f = NULL;

	TG_TRY(x->to->open(x->to->ctx, name, TG_LOG_CREATE_LOOSE, &f, err));
	const tg_status s = x->to->write_at(x->to->ctx, f, p, n, 0, err);
	x->to->close(x->to->ctx, f);
	return s;
}

static tg_status
put_bundle(struct export *x, struct tg_error *err)
{
	char name[TG_TILE_NAME_MAX];
	const unsigned width = (unsigned)((x->done - 1) % TG_TILE_WIDTH) + 1;

	tg_tile_name(name, -1, (x->done - 1) / TG_TILE_WIDTH, width);
	TG_TRY(put_file(x, name, x->bundle, x->n, err));
	x->n = 0;
	if (x->progress != NULL)
		x->progress->step(x->progress->ctx, x->done, x->size);
	return TG_OK;
}

static tg_status
put_tile(const struct export *x, int level, struct tg_error *err)
{
	const struct row *r = &x->row[level];
	char name[TG_TILE_NAME_MAX];

	tg_tile_name(name, level, r->tiles, r->width);
	return put_file(x, name, r->hash, 32 * (size_t)r->width, err);
}

/* A full tile is one hash of the level above. */
static tg_status
put_hash(struct export *x, int level, const uint8_t hash[static 32], struct tg_error *err)
{
	uint8_t root[32];

	memcpy(root, hash, 32);
	for (; level < LEVELS; level++) {
		struct row *r = &x->row[level];

		memcpy(r->hash + 32 * r->width, root, 32);
		if (++r->width < TG_TILE_WIDTH)
			return TG_OK;
		TG_TRY(put_tile(x, level, err));
		TG_TRY(tg_tree_root_of(r->hash, 32, TG_TILE_WIDTH, root, err));
		r->tiles++;
		r->width = 0;
	}
	return tg_fail(err, TG_E_LIMIT, "export: more than %d levels of tiles", LEVELS);
}

static tg_status
put_record(struct export *x, const struct tg_record *r, const uint8_t leaf[static 32],
    struct tg_error *err)
{
	x->bundle[x->n++] = (uint8_t)(r->n >> 8);
	x->bundle[x->n++] = (uint8_t)r->n;
	memcpy(x->bundle + x->n, r->p, r->n);
	x->n += r->n;
	TG_TRY(put_hash(x, 0, leaf, err));
	if (++x->done % TG_TILE_WIDTH == 0 || x->done == x->size)
		TG_TRY(put_bundle(x, err));
	return TG_OK;
}

/* As many of the block's records as the checkpoint covers; they must be good. */
static tg_status
put_block(struct export *x, struct tg_block *b, struct tg_error *err)
{
	const uint64_t left = x->size - x->done;
	const size_t n = b->good < left ? b->good : (size_t)left;

	TG_TRY(tg_block_follows(b, &x->place, err));
	for (size_t i = 0; i < n; i++)
		TG_TRY(put_record(x, &b->record[i], b->leaves + 32 * (i + 1), err));
	TG_TRY(tg_treefile_append(&x->tree, b->leaves, n, err));
	if (b->status == TG_OK || x->done == x->size)
		return TG_OK;
	return tg_fail(err, b->status, "%s", b->why.text);
}

static tg_status
put_entries(struct export *x, struct tg_error *err)
{
	struct tg_segments s;
	struct tg_block b;
	struct tg_spot at;

	TG_TRY(tg_segments_open(&s, x->from, (struct tg_spot){ 0, 0 }, err));
	tg_status st = tg_block_init(&b, TG_BLOCK_BYTES, err);
	while (st == TG_OK && x->done < x->size) {
		st = tg_segments_next(&s, &b, &at, err);
		if (st == TG_OK && b.n == 0)
			st = tg_fail(err, TG_E_AUTH,
			    "%llu records are there, but the checkpoint covers %llu",
			    (unsigned long long)x->done, (unsigned long long)x->size);
		if (st == TG_OK)
			st = tg_block_check(&b, err);
		if (st == TG_OK)
			st = put_block(x, &b, err);
	}
	tg_block_done(&b);
	tg_segments_close(&s);
	return st;
}

/* What is left of each level; and the root must be the one that was signed. */
static tg_status
put_rest(struct export *x, const struct tg_checkpoint *c, struct tg_error *err)
{
	uint8_t root[32];

	for (int level = 0; level < LEVELS; level++)
		if (x->row[level].width > 0)
			TG_TRY(put_tile(x, level, err));
	TG_TRY(tg_treefile_root(&x->tree, root, err));
	TG_REQUIRE(memcmp(root, c->root, 32) == 0, err, TG_E_AUTH,
	    "the records do not have the root that the checkpoint of size %llu says",
	    (unsigned long long)c->size);
	return TG_OK;
}

static tg_status
put_checkpoints(const struct export *x, struct tg_error *err)
{
	struct tg_numbers l;
	char name[TG_SEGMENT_NAME_MAX];

	TG_TRY(tg_checkpoints_list(x->from, &l, err));
	tg_status s = TG_OK;
	for (size_t i = 0; s == TG_OK && i < l.n && l.at[i] <= x->size; i++) {
		struct tg_buf note = { .max = TG_MAX_NOTE };

		tg_checkpoint_name(name, l.at[i]);
		s = tg_log_file_read(x->from, name, &note, err);
		if (s == TG_OK)
			s = put_file(x, name, note.p, note.n, err);
		tg_buf_done(&note);
	}
	tg_numbers_done(&l);
	return s;
}

tg_status
tg_tiles_export(const struct tg_log_files *from, const struct tg_log_files *to,
    const struct tg_progress *progress, uint64_t *ret_records, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf note = { .max = TG_MAX_NOTE };
	struct tg_checkpoint c;
	struct export x = { .from = from, .to = to, .progress = progress };

	TG_TRY(tg_checkpoint_newest(from, &note, &c, err));
	x.size = c.size;
	x.place = tg_place_start();
	TG_TRY(tg_treefile_open(&x.tree, NULL, false, 0, err));
	x.bundle = malloc(BUNDLE_MAX);
	x.row = calloc(LEVELS, sizeof(*x.row));
	tg_status s = TG_OK;
	if (x.bundle == NULL || x.row == NULL)
		s = tg_fail(err, TG_E_NOMEM, "export: out of memory");
	if (s == TG_OK)
		s = put_entries(&x, err);
	if (s == TG_OK)
		s = put_rest(&x, &c, err);
	free(x.bundle);
	free(x.row);
	if (s == TG_OK)
		s = put_checkpoints(&x, err);
	if (s == TG_OK)
		s = to->replace(to->ctx, "checkpoint", note.p, note.n, err);
	if (s == TG_OK)
		*ret_records = x.size;
	return s;
}

/* ---- reading ---- */

tg_status
tg_tiles_open(struct tg_tiles_reader *t, const struct tg_log_files *files, uint64_t *ret_records,
    struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf note = { .max = TG_MAX_NOTE };
	struct tg_checkpoint c = { .size = 0 };
	struct tg_error why = TG_ERROR_INIT;

	*t = (struct tg_tiles_reader){ .files = files };
	const tg_status s = tg_checkpoint_newest(files, &note, &c, &why);
	TG_REQUIRE(s != TG_E_NOTFOUND, err, s,
	    "neither a log nor an exported one: no segments/, no checkpoint");
	TG_REQUIRE(s == TG_OK, err, s, "%s", why.text);
	t->bundle = malloc(BUNDLE_MAX);
	TG_REQUIRE(t->bundle != NULL, err, TG_E_NOMEM, "verify: out of memory");
	*ret_records = t->size = c.size;
	return TG_OK;
}

void
tg_tiles_close(struct tg_tiles_reader *t)
{
	free(t->bundle);
	t->bundle = NULL;
}

static tg_status
next_bundle(struct tg_tiles_reader *t, struct tg_error *err)
{
	const uint64_t left = t->size - t->next;
	const unsigned width = left < TG_TILE_WIDTH ? (unsigned)left : TG_TILE_WIDTH;
	struct tg_buf text = { .max = BUNDLE_MAX };
	char name[TG_TILE_NAME_MAX];

	tg_tile_name(name, -1, t->next / TG_TILE_WIDTH, width);
	const tg_status s = tg_log_file_read(t->files, name, &text, err);
	if (s == TG_OK) {
		if (text.n > 0)
			memcpy(t->bundle, text.p, text.n);
		t->n = text.n;
		t->at = 0;
		t->next += width;
		t->left = width;
	}
	tg_buf_done(&text);
	TG_REQUIRE(s != TG_E_NOTFOUND, err, TG_E_FORMAT, "%s: not there", name);
	return s;
}

static tg_status
fill(struct tg_tiles_reader *t, struct tg_block *b, struct tg_error *err)
{
	for (;;) {
		TG_REQUIRE((t->at == t->n) == (t->left == 0), err, TG_E_FORMAT,
		    "entry bundle before record %" PRIu64
		    ": more or fewer records than its name says",
		    t->next);
		if (t->at == t->n) {
			if (t->next == t->size)
				return TG_OK;
			TG_TRY(next_bundle(t, err));
		}
		TG_REQUIRE(t->n - t->at >= 2, err, TG_E_FORMAT,
		    "entry bundle before record %" PRIu64 ": cut short", t->next);
		const size_t n = (size_t)t->bundle[t->at] << 8 | t->bundle[t->at + 1];
		TG_REQUIRE(n <= t->n - t->at - 2, err, TG_E_FORMAT,
		    "entry bundle before record %" PRIu64 ": cut short", t->next);
		if (n + 1 > b->cap - b->n)
			return TG_OK;
		memcpy(b->bytes + b->n, t->bundle + t->at + 2, n);
		b->bytes[b->n + n] = '\n';
		b->n += n + 1;
		t->at += 2 + n;
		t->left--;
	}
}

tg_status
tg_tiles_next(struct tg_tiles_reader *t, struct tg_block *b, struct tg_error *err)
{
	b->n = 0;
	const tg_status s = fill(t, b, err);
	return b->n > 0 ? TG_OK : s; /* what is wrong behind these records is found again */
}
