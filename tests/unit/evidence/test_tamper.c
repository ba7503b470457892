/*
 * Records that somebody has changed who can write the log's files, alone or with all the hashes
 * that depend on them: checking says so, and names the record, or the two checkpoints between which
 * it lies.
 */
#include "tamper.h"

enum { LOGS = SLOWER > 1 ? 1 : 2, FLIPS = 3 };

/* ---- one record ---- */

static void
flip(struct row *row, uint64_t i, size_t at, unsigned bit)
{
	/* without its newline, the last record that no checkpoint covers is an unfinished one */
	const bool last = at == row->n - 1 && i == records - 1;

	row->p[at] ^= (uint8_t)(1u << bit);
	changed();
	if (last)
		accepted("newline of the last", i);
	else
		refused("bit of", i, i);
	row->p[at] ^= (uint8_t)(1u << bit);
}

static void
single_bits(void)
{
	begin();
	restore();
	for (uint64_t i = 0; i < records; i++) {
		struct row *row = &im.row[i];
		const struct tg_record rec = row_record(row);
		const size_t places[] = { TG_RECORD_CHAIN_AT, TG_RECORD_EVENT_AT + 63,
			TG_RECORD_PREV_AT + 7, TG_RECORD_SEQUENCE_AT, rec.rest, row->n - 2,
			row->n - 1 };

		for (size_t k = 0; k < TG_LEN(places); k++)
			flip(row, i, places[k], (unsigned)draw(8));
		for (unsigned k = 0; k < FLIPS; k++)
			flip(row, i, draw(row->n), (unsigned)draw(8));
	}
	OK_NONE(wrong, tried, "single bits");
}

/* Every bit of one of them. */
static void
every_bit_of_one(void)
{
	const uint64_t i = 1 + draw(records - 2);

	begin();
	restore();
	for (size_t at = 0; at < im.row[i].n; at += SLOWER)
		flip(&im.row[i], i, at, (unsigned)((at * 5) % 8));
	OK_NONE(wrong, tried, "every byte of a record");
}

/* Another signature's last digit: the same length, canonical, of its form. */
static void
rewrite_event(uint64_t i)
{
	const char *sig = memmem(im.row[i].p, im.row[i].n, "\"sig\":\"", 7);

	if (sig == NULL) /* LOG_CREATED */
		row_find(&im.row[i], "tensorguard")[0] = 'T';
	else
		row_find(&im.row[i], "\"sig\":\"")[11] ^= 3;
}

static void
rewritten_events(void)
{
	const uint64_t covered = sizes[n_sizes - 1];

	begin();
	for (uint64_t i = 0; i < records; i++) {
		restore();
		rewrite_event(i);
		changed();
		refused("event of", i, i);
		fix_event_hash(&im.row[i]);
		changed();
		refused("event and event_hash of", i, i);
		fix_chain_hash(&im.row[i]);
		changed();
		if (i + 1 < records) /* the next one does not follow, or the checkpoint between does
					not fit */
			refused("event, event_hash and chain_hash of", i, i + 1);
		image_rechain(&im, i);
		changed();
		if (i >= covered) { /* nobody has signed it yet */
			accepted("unprotected", i);
			continue;
		}
		refused("all from", i, i); /* tree/00 knows */
		mem_remove_all(&m, "tree/");
		refused_between("all, without tree/, from", i);
	}
	OK_NONE(wrong, tried, "rewritten events");
}

/* Leaves as the records are now, into tree/00. */
static void
rewrite_tree(uint64_t from)
{
	struct mem_file *f = mem_get(&m, "tree/00");

	for (uint64_t i = from; i < im.n && 32 * i < f->n; i++) {
		struct tg_sha256_job job;
		const struct tg_record rec = row_record(&im.row[i]);

		job = tg_record_leaf_job(&rec);
		mem_check(tg_sha256_many(&job, 1, NULL) == TG_OK ? f : NULL);
		memcpy(f->p + 32 * i, job.hash, 32);
	}
}

/* What tree/00 says is believed only when it is what was signed. */
static void
rewritten_trees(void)
{
	const uint64_t covered = sizes[n_sizes - 1];

	begin();
	for (uint64_t i = 1; i < covered; i++) {
		restore();
		rewrite_event(i);
		image_rechain(&im, i);
		changed();
		rewrite_tree(i);
		refused_between("with its hashes, all from", i);
		mem_get(&m, "tree/00")->p[32 * draw(covered)] ^= 1; /* to point at another */
		refused_between("with a wrong hash, all from", i);
		restore(); /* alone it is no harm to the records */
		mem_get(&m, "tree/00")->p[32 * i] ^= 1;
		wrong += verify(policy) != TG_OK;
	}
	OK_NONE(wrong, tried, "rewritten trees");
}

/* ---- order and number ---- */

static void
deleted(void)
{
	const uint64_t covered = sizes[n_sizes - 1];

	begin();
	for (uint64_t i = 0; i < records; i++) {
		restore();
		image_delete(&im, i);
		changed();
		if (i == records - 1 && i >= covered)
			accepted("last, deleted", i);
		else
			refused("deleted", i, i);
		if (i + 1 >= records || i >= covered)
			continue;
		image_renumber(&im, i);
		changed();
		refused("deleted, all renumbered from", i, covered);
		mem_remove_all(&m, "tree/");
		refused(
		    "deleted, all renumbered, without tree/, from", checkpoint_before(i), covered);
	}
	OK_NONE(wrong, tried, "deleted records");
}

static void
inserted(void)
{
	const uint64_t covered = sizes[n_sizes - 1];

	begin();
	for (uint64_t i = 1; i <= records; i++) {
		restore();
		image_insert(&im, i, &im.row[i - 1]); /* twice */
		changed();
		refused("twice", i, i);
		if (i >= covered)
			continue;
		rewrite_event(i);
		image_renumber(&im, i);
		changed();
		refused("inserted before", i, i);
		mem_remove_all(&m, "tree/");
		refused_between("inserted, without tree/, before", i);
	}
	for (unsigned k = 0; k < 20; k++) { /* from anywhere to anywhere */
		const uint64_t from = draw(records), to = draw(records);

		restore();
		image_insert(&im, to, &im.row[from]);
		changed();
		if (from != to)
			refused("copied to", to, to);
	}
	OK_NONE(wrong, tried, "inserted records");
}

static void
reordered(void)
{
	const uint64_t covered = sizes[n_sizes - 1];

	begin();
	for (uint64_t i = 0; i + 1 < records; i++) {
		const uint64_t j = draw(2) == 0 ? i + 1 : i + 1 + draw(records - i - 1);

		restore();
		image_swap(&im, i, j);
		changed();
		refused("swapped", i, i);
		image_renumber(&im, i);
		changed();
		if (i > 0 && i < covered)
			refused("swapped and renumbered", i, i);
		if (i == 0)
			continue;
		restore(); /* what their authors signed, exchanged */
		uint8_t sig[8], *a = row_find(&im.row[i], "\"sig\":\"") + 7,
				*b = row_find(&im.row[j], "\"sig\":\"") + 7;
		memcpy(sig, a, 8);
		memcpy(a, b, 8);
		memcpy(b, sig, 8);
		changed();
		refused("signatures swapped", i, i);
		fix_event_hash(&im.row[i]);
		fix_event_hash(&im.row[j]);
		changed();
		refused("signatures swapped, event_hash fixed", i, i);
		image_rechain(&im, i);
		changed();
		if (i < covered)
			refused("signatures swapped, all fixed", i, i);
	}
	OK_NONE(wrong, tried, "reordered records");
}

int
main(void)
{
	tamper_begin();
	for (unsigned i = 0; i < LOGS; i++) {
		make_random_log();
		single_bits();
		every_bit_of_one();
		rewritten_events();
		rewritten_trees();
		deleted();
		inserted();
		reordered();
		tg_log_policy_free(policy);
	}
	return tamper_done();
}
