/* The same for what leaves a log: the folder of an exported one, and proofs. */
#include "evidence/tiles.h"
#include "tamper.h"
#include "util/buf.h"

static struct mem out;

/* ---- exported folders ---- */

static void
export_log(void)
{
	uint64_t n = 0;

	mem_clear(&out);
	OK_STATUS(tg_tiles_export(mem_files(&whole), mem_files(&out), NULL, &n, &err), TG_OK);
	records = sizes[n_sizes - 1];
	OK(n == records);
	mem_copy(&m, &out);
	begin();
	OK_STATUS(verify(policy), TG_OK);
	OK(r.records == records && r.covered == records && r.checkpoints == n_sizes && wrong == 0);
	OK_STATUS(verify(NULL), TG_OK);
}

static void
bundle_name(uint64_t i, char out_name[static TG_TILE_NAME_MAX])
{
	const uint64_t left = records - i / TG_TILE_WIDTH * TG_TILE_WIDTH;

	tg_tile_name(
	    out_name, -1, i / TG_TILE_WIDTH, left < TG_TILE_WIDTH ? (unsigned)left : TG_TILE_WIDTH);
}

/* The bundle that holds record i, and where in it the record's length stands. */
static struct mem_file *
entry(uint64_t i, size_t *ret)
{
	char name[TG_TILE_NAME_MAX];
	size_t at = 0;

	bundle_name(i, name);
	struct mem_file *f = mem_get(&m, name);
	mem_check(f);
	for (uint64_t k = i % TG_TILE_WIDTH; k > 0; k--)
		at += 2 + ((size_t)f->p[at] << 8 | f->p[at + 1]);
	*ret = at;
	return f;
}

static size_t
entry_len(const struct mem_file *f, size_t at)
{
	return 2 + ((size_t)f->p[at] << 8 | f->p[at + 1]);
}

/* n bytes at `at` give way to others. */
static void
splice(struct mem_file *f, size_t at, size_t n, const uint8_t *p, size_t with)
{
	uint8_t *all = malloc(f->n + with);
	const size_t rest = f->n - at - n;

	mem_check(all);
	memcpy(all, f->p, at);
	if (with > 0)
		memcpy(all + at, p, with);
	memcpy(all + at + with, f->p + at + n, rest);
	mem_resize(f, at + with + rest);
	memcpy(f->p, all, f->n);
	free(all);
}

static void
exported_bits(void)
{
	begin();
	for (uint64_t i = 0; i < records; i += 1 + records / 60) {
		size_t at = 0;

		mem_copy(&m, &out);
		struct mem_file *f = entry(i, &at);
		const size_t n = entry_len(f, at);
		for (unsigned k = 0; k < 6; k++) {
			const size_t where = at + (k < 2 ? k : draw(n));
			const uint8_t bit = (uint8_t)(1u << draw(8));

			f->p[where] ^= bit;
			refused("exported: bit of", i, i);
			f->p[where] ^= bit;
		}
	}
	OK_NONE(wrong, tried, "single bits of an exported log");
}

static void
exported_order(void)
{
	begin();
	for (uint64_t i = 0; i < records; i += 1 + records / 60) {
		const uint64_t in_bundle = i % TG_TILE_WIDTH;
		const bool has_next = i + 1 < records && in_bundle + 1 < TG_TILE_WIDTH;
		size_t at = 0;

		mem_copy(&m, &out);
		struct mem_file *f = entry(i, &at);
		const size_t n = entry_len(f, at);
		splice(f, at, n, NULL, 0);
		refused("exported: deleted", i, has_next ? i : i + 1);
		mem_copy(&m, &out);
		f = entry(i, &at);
		uint8_t *copy = malloc(n);
		mem_check(copy);
		memcpy(copy, f->p + at, n);
		splice(f, at, 0, copy, n);
		refused("exported: twice", i + 1, i + 1);
		if (has_next) {
			mem_copy(&m, &out);
			f = entry(i, &at);
			splice(f, at, n, NULL, 0);
			splice(f, at + entry_len(f, at), 0, copy, n);
			refused("exported: swapped", i, i);
			mem_copy(&m, &out); /* two in one entry, and their lines are right */
			f = entry(i, &at);
			const size_t both = n - 2 + 1 + entry_len(f, at + n) - 2;
			f->p[at] = (uint8_t)(both >> 8);
			f->p[at + 1] = (uint8_t)both;
			splice(f, at + n, 2, (const uint8_t *)"\n", 1);
			refused("exported: two in one entry", i, records);
		}
		free(copy);
	}
	OK_NONE(wrong, tried, "order in an exported log");
}

/* The chain written anew from record i on, into all bundles behind it. */
static void
exported_rewritten(void)
{
	begin();
	for (uint64_t i = 1; i < records; i += 1 + records / 40) {
		size_t at = 0;

		mem_copy(&m, &out);
		restore();
		memcpy(row_find(&im.row[i], "number"), "Number", 6);
		image_rechain(&im, i);
		mem_copy(&m, &out);
		for (uint64_t k = i; k < records; k++) {
			struct mem_file *f = entry(k, &at);

			memcpy(f->p + at + 2, im.row[k].p, im.row[k].n - 1);
		}
		refused_between("exported: all from", i);
	}
	OK_NONE(wrong, tried, "exported chains written anew");
}

static void
exported_files(void)
{
	char name[TG_TILE_NAME_MAX];
	const uint64_t before = checkpoint_before(records - 1);

	begin();
	for (uint64_t i = 0; i < records; i += TG_TILE_WIDTH) {
		bundle_name(i, name);
		mem_copy(&m, &out);
		mem_remove(&m, name);
		refused("exported: bundle removed", i, i);
		for (unsigned k = 0; k < 20; k++) {
			mem_copy(&m, &out);
			struct mem_file *f = mem_get(&m, name);
			mem_resize(f, draw(f->n));
			refused("exported: bundle cut", i, records - 1);
		}
		mem_copy(&m, &out);
		mem_resize(mem_get(&m, name), mem_get(&m, name)->n + 1 + draw(100));
		const uint64_t end = i + TG_TILE_WIDTH < records ? i + TG_TILE_WIDTH : records;
		refused("exported: bytes behind a bundle", end, end);
	}
	mem_copy(&m, &out);
	tg_checkpoint_name(name, sizes[0]);
	mem_copy(&m, &out); /* an older one as the newest: its bundle has another name, or records
			       are too many */
	const struct mem_file *f = mem_get(&m, name);
	mem_put(&m, "checkpoint", f->p, f->n);
	OK(verify(policy) != TG_OK);
	mem_copy(&m, &out);
	tg_checkpoint_name(name, records);
	mem_remove(&m, name);
	n_sizes--;
	refused("exported: the newest of checkpoints/ removed", records, records);
	n_sizes++;
	mem_copy(&m, &out);
	mem_get(&m, name)->p[mem_get(&m, name)->n / 2] ^= 1;
	refused("exported: damaged checkpoint", before, before);
	mem_copy(&m, &out);
	mem_remove(&m, "checkpoint");
	OK(verify(policy) != TG_OK);
	OK_NONE(wrong, tried, "files of an exported log");
}

/* ---- proofs ---- */

static tg_status
put(void *ctx, const void *p, size_t n, struct tg_error *e)
{
	(void)e;
	return tg_buf_put(ctx, p, n);
}

static bool
is_refused(tg_bytes proof, tg_bytes record)
{
	struct tg_log_proved proved = { .sequence = 77 };
	struct tg_buf got = { .max = 1 << 17 };
	const struct tg_sink to = { put, &got };
	struct tg_error why = TG_ERROR_INIT;

	const tg_status s = tg_log_check_proof(proof, record, policy, &to, &proved, &why);
	const bool nothing = got.n == 0 && proved.sequence == 77 && why.text[0] != '\0';
	tg_buf_done(&got);
	return s != TG_OK && nothing;
}

static void
proofs(void)
{
	TG_AUTO(tg_log_prover_closep) struct tg_log_prover *prover = NULL;
	static bool every_byte_done;
	const tg_bytes inside = { NULL, 0 };

	begin();
	restore();
	records = im.n;
	const uint64_t covered = sizes[n_sizes - 1];
	OK_STATUS(tg_log_prover_open(mem_files(&m), &prover, &err), TG_OK);
	for (uint64_t i = 0; i < covered; i += 1 + draw(covered / 3)) {
		struct tg_buf with = { .max = 1 << 20 }, without = { .max = 1 << 20 };
		const struct tg_sink to_with = { put, &with }, to_without = { put, &without };
		tg_bytes record = { im.row[i].p, im.row[i].n - 1 };
		struct tg_log_proved proved;

		OK_STATUS(tg_log_prove(prover, i, 1, &to_with, &err), TG_OK);
		OK_STATUS(tg_log_prove(prover, i, 0, &to_without, &err), TG_OK);
		OK_STATUS(
		    tg_log_check_proof(tg_buf_view(&with), inside, policy, NULL, &proved, &err),
		    TG_OK);
		OK(proved.sequence == i && proved.size == covered);
		OK_STATUS(
		    tg_log_check_proof(tg_buf_view(&without), record, policy, NULL, &proved, &err),
		    TG_OK);
		OK_STATUS(
		    tg_log_check_proof(tg_buf_view(&with), record, policy, NULL, &proved, &err),
		    TG_OK);
		OK_STATUS(
		    tg_log_check_proof(tg_buf_view(&without), inside, policy, NULL, &proved, &err),
		    TG_E_USAGE);
		for (size_t k = 0; k < with.n;
		     k += i == 0 && !every_byte_done ? 1 : 1 + draw(30 * SLOWER), tried++) {
			const uint8_t bit = (uint8_t)(1u << draw(8));

			with.p[k] ^= bit;
			wrong += !is_refused(tg_buf_view(&with), inside);
			with.p[k] ^= bit;
		}
		for (size_t k = 0; k < record.n; k += SLOWER, tried++) {
			const uint8_t bit = (uint8_t)(1u << draw(8));

			im.row[i].p[k] ^= bit;
			wrong += !is_refused(tg_buf_view(&without), record);
			im.row[i].p[k] ^= bit;
		}
		for (size_t k = 0; k < with.n; k += 1 + draw(40), tried++)
			wrong += !is_refused((tg_bytes){ with.p, k }, inside);
		every_byte_done = true;
		for (uint64_t k = 0; k < records;
		     k += 1 + records / 40, tried++) /* under another record's proof */
			wrong += k != i &&
			    !is_refused(
				tg_buf_view(&without), (tg_bytes){ im.row[k].p, im.row[k].n - 1 });
		tg_buf_done(&with);
		tg_buf_done(&without);
	}
	OK_NONE(wrong, tried, "proofs and records that are not as they were");
}

/* A tree whose files are damaged gives no proof, not a wrong one. */
static void
damaged_trees(void)
{
	const uint64_t covered = sizes[n_sizes - 1];

	begin();
	for (unsigned k = 0; k < 60 / SLOWER; k++) {
		TG_AUTO(tg_log_prover_closep) struct tg_log_prover *prover = NULL;
		char name[16];

		restore();
		(void)snprintf(name, sizeof(name), "tree/%02u", (unsigned)draw(4));
		struct mem_file *f = mem_get(&m, name);
		if (draw(4) == 0)
			mem_resize(f, draw(f->n));
		else
			f->p[draw(f->n)] ^= (uint8_t)(1u << draw(8));
		if (tg_log_prover_open(mem_files(&m), &prover, &err) != TG_OK)
			continue;
		for (uint64_t i = draw(3); i < covered; i += 1 + covered / 30) {
			struct tg_buf proof = { .max = 1 << 20 };
			const struct tg_sink to = { put, &proof };
			struct tg_log_proved proved;

			tried++;
			if (tg_log_prove(prover, i, draw(2) == 0, &to, &err) == TG_OK)
				wrong += tg_log_check_proof(tg_buf_view(&proof),
					     (tg_bytes){ im.row[i].p, im.row[i].n - 1 }, policy,
					     NULL, &proved, &err) != TG_OK;
			else
				wrong += proof.n > 0;
			tg_buf_done(&proof);
		}
	}
	OK_NONE(wrong, tried, "proofs from damaged trees");
}

static void
all_of_it(void)
{
	proofs();
	damaged_trees();
	export_log();
	exported_bits();
	exported_order();
	exported_rewritten();
	exported_files();
	tg_log_policy_free(policy);
}

int
main(void)
{
	tamper_begin();
	make_random_log();
	all_of_it();
	n_sizes = 3; /* more than one bundle */
	memcpy(sizes, (const uint64_t[]){ 100, 260, 300, 0 }, 4 * sizeof(sizes[0]));
	make_log(&whole, "example.com/long", key, sizes, 1);
	policy = image_policy(&whole);
	all_of_it();
	mem_clear(&out);
	return tamper_done();
}
