/* Logs with their end cut off, segments gone, checkpoints damaged, half signed, of others, of a
 * fork. */
#include "tamper.h"

enum { LOGS = SLOWER > 1 ? 1 : 2 };

static struct tg_key *other_key;

/* ---- the end ---- */

static void
truncated(void)
{
	const uint64_t covered = sizes[n_sizes - 1];
	char name[TG_SEGMENT_NAME_MAX];

	begin();
	for (uint64_t n = 1; n < records; n++) {
		restore();
		while (im.n > n)
			image_delete(&im, im.n - 1);
		changed();
		if (n >= covered) {
			accepted("cut behind the checkpoints", n);
			continue;
		}
		refused("cut to", n, n);
		tg_checkpoint_name(name, covered);
		struct mem_file *f = mem_get(&m, name);
		struct tg_buf note = { .max = 1 << 16 };
		mem_check(tg_buf_put(&note, f->p, f->n) == TG_OK ? f : NULL);
		mem_remove(&m, name); /* `checkpoint` still says so */
		n_sizes--;
		refused("cut, and the newest of checkpoints/ removed:", n, n);
		tg_checkpoint_name(name, sizes[n_sizes - 1]);
		f = mem_get(&m, name);
		mem_put(&m, "checkpoint", f->p,
		    f->n); /* an older one put back: only a copy elsewhere would tell */
		if (n >= sizes[n_sizes - 1])
			accepted("cut with all that says so:", n);
		else
			refused("cut, an older checkpoint put back:", n, n);
		n_sizes++;
		tg_checkpoint_name(name, covered);
		mem_put(&m, name, note.p, note.n);
		refused("cut, an older `checkpoint` put back:", n, n);
		tg_buf_done(&note);
	}
	OK_NONE(wrong, tried, "cut logs");
}

static void
segments_removed(void)
{
	struct tg_numbers l;
	char name[TG_SEGMENT_NAME_MAX];

	begin();
	restore();
	mem_check(tg_segments_list(mem_files(&m), &l, NULL) == TG_OK ? &m : NULL);
	OK(l.n > 2);
	for (size_t i = 1; i < l.n; i++) {
		restore();
		tg_segment_name(name, l.at[i]);
		mem_remove(&m, name);
		if (i + 1 < l.n || l.at[i] < sizes[n_sizes - 1])
			refused("removed segment", l.at[i], l.at[i]);
		else
			accepted("removed last segment", l.at[i]);
		restore();
		mem_resize(mem_get(&m, name), 0);
		if (i + 1 < l.n || l.at[i] < sizes[n_sizes - 1])
			refused("emptied segment", l.at[i], l.at[i]);
		restore(); /* a torn write is one only at the end of all */
		tg_segment_name(name, l.at[i - 1]);
		struct mem_file *f = mem_get(&m, name);
		mem_resize(f, f->n + 50);
		refused("bytes behind the segment before", l.at[i], l.at[i]);
		restore(); /* another name for it */
		tg_segment_name(name, l.at[i]);
		f = mem_get(&m, name);
		tg_segment_name(f->name, l.at[i] - 1);
		refused("renamed segment", l.at[i], l.at[i]);
	}
	restore();
	tg_segment_name(name, 0);
	mem_remove(&m, name);
	OK(verify(policy) != TG_OK && r.bad_sequence == 0);
	restore();
	mem_remove_all(&m, "segments/");
	OK(verify(policy) != TG_OK && r.bad_sequence == 0);
	tg_numbers_done(&l);
	OK_NONE(wrong, tried, "segments");
}

/* ---- checkpoints ---- */

static void
name_of(unsigned k, char out[static TG_SEGMENT_NAME_MAX])
{
	tg_checkpoint_name(out, sizes[k]);
}

/* Every byte of a note, and its end cut off. */
static void
damaged_notes(void)
{
	char name[TG_SEGMENT_NAME_MAX];

	begin();
	for (unsigned k = 0; k <= n_sizes; k++) {
		const uint64_t at = k < n_sizes ? checkpoint_before(sizes[k] - 1) : records;

		if (k < n_sizes)
			name_of(k, name);
		else
			(void)snprintf(name, sizeof(name), "checkpoint");
		restore();
		struct mem_file *f = mem_get(&m, name);
		for (size_t i = 0; i < f->n; i += k == 1 && i < 200 ? 1 : k == 1 ? 13 : 97) {
			f->p[i] ^= (uint8_t)(1u << draw(8));
			refused("byte of a checkpoint", at, at);
			mem_copy(&m, &whole);
			f = mem_get(&m, name);
		}
		for (size_t n = 0; n < f->n; n += 61) {
			mem_resize(f, n);
			refused("checkpoint cut to", at, at);
			mem_copy(&m, &whole);
			f = mem_get(&m, name);
		}
	}
	OK_NONE(wrong, tried, "damaged notes");
}

/* Line i (0: Ed25519, 1: ML-DSA-44) of the signatures alone. */
static void
keep_line(struct mem_file *f, unsigned i)
{
	uint8_t *lines = (uint8_t *)memmem(f->p, f->n, "\n\n", 2) + 2;
	uint8_t *second = (uint8_t *)memchr(lines, '\n', f->n - (size_t)(lines - f->p)) + 1;

	if (i == 0) {
		mem_resize(f, (size_t)(second - f->p));
	} else {
		const size_t n = f->n - (size_t)(second - f->p);

		memmove(lines, second, n);
		mem_resize(f, (size_t)(lines - f->p) + n);
	}
}

static void
half_signed(void)
{
	char name[TG_SEGMENT_NAME_MAX];

	begin();
	for (unsigned k = 0; k < n_sizes; k++)
		for (unsigned line = 0; line < 2; line++) {
			const uint64_t at = checkpoint_before(sizes[k] - 1);

			restore();
			name_of(k, name);
			keep_line(mem_get(&m, name), line);
			refused("checkpoint with one signature", at, at);
			restore();
			keep_line(mem_get(&m, "checkpoint"), line);
			refused("`checkpoint` with one signature", records, records);
		}
	OK_NONE(wrong, tried, "half signed checkpoints");
}

/* One of another log's in the place of ours. */
static void
put_foreign(const char *what, const char *origin, const struct tg_key *k)
{
	struct mem other = { .n = 0 };
	char name[TG_SEGMENT_NAME_MAX];

	make_log(&other, origin, k, sizes, 0);
	for (unsigned i = 0; i < n_sizes; i++) {
		const uint64_t at = checkpoint_before(sizes[i] - 1);

		restore();
		name_of(i, name);
		const struct mem_file *f = mem_get(&other, name);
		mem_put(&m, name, f->p, f->n);
		refused(what, at, at);
		tried++;
		wrong += verify(NULL) == TG_OK; /* the root alone tells */
		restore();
		mem_put(&m, "checkpoint", f->p, f->n);
		refused(what, records, records);
	}
	mem_clear(&other);
}

static void
foreign_checkpoints(void)
{
	begin();
	put_foreign("of another log", "example.com/other", key);
	put_foreign("of another key", "example.com/log", other_key);
	put_foreign("of another log with this key", "example.com/log", key);
	OK_NONE(wrong, tried, "checkpoints of others");
	begin();
	for (unsigned i = 0; i < n_sizes; i++) { /* one of ours under the name of another */
		char name[TG_SEGMENT_NAME_MAX], from[TG_SEGMENT_NAME_MAX];
		const uint64_t at = checkpoint_before(sizes[i] - 1);

		restore();
		name_of(i, name);
		name_of((i + 1) % n_sizes, from);
		const struct mem_file *f = mem_get(&m, from);
		mem_put(&m, name, f->p, f->n);
		refused("another size's", at, at);
	}
	OK_NONE(wrong, tried, "checkpoints under other names");
}

/* Two logs of one key that agree up to `p`, checkpointed at the same sizes. */
static void
forked(void)
{
	static struct mem fork;
	const uint64_t covered = sizes[n_sizes - 1];

	begin();
	for (unsigned k = 0; k + 1 < n_sizes; k++) {
		uint64_t p = sizes[k], later[8] = { 0 };
		struct mem_file *f;
		char name[TG_SEGMENT_NAME_MAX];

		mem_copy(&fork, &whole);
		mem_remove_all(&fork, "checkpoint");
		mem_remove_all(&fork, "tree/");
		mem_remove(&fork, "tail");
		restore();
		while (im.n > p)
			image_delete(&im, im.n - 1);
		image_write(&im, &fork);
		for (unsigned i = 0; i <= k; i++) {
			name_of(i, name);
			f = mem_get(&whole, name);
			mem_put(&fork, name, f->p, f->n);
		}
		mem_put(&fork, "checkpoint", f->p, f->n);
		memcpy(later, sizes + k + 1, (n_sizes - k - 1) * sizeof(later[0]));
		OK(image_grow(&fork, key, later, 2));
		mem_copy(&m, &fork);
		OK_STATUS(tg_log_verify(mem_files(&m), policy, 2, NULL, &r, &err),
		    TG_OK); /* each is whole */

		restore(); /* our records under its checkpoints */
		for (unsigned i = 0; i < n_sizes; i++) {
			name_of(i, name);
			f = mem_get(&fork, name);
			mem_put(&m, name, f->p, f->n);
		}
		f = mem_get(&fork, "checkpoint");
		mem_put(&m, "checkpoint", f->p, f->n);
		refused_between("fork at", p);
		f = mem_get(&fork, "tree/00");
		mem_put(&m, "tree/00", f->p, f->n);
		refused("fork with its tree at", p, p);
		restore(); /* one of its checkpoints among ours */
		name_of(n_sizes - 1, name);
		f = mem_get(&fork, name);
		mem_put(&m, name, f->p, f->n);
		refused("fork with one checkpoint", checkpoint_before(covered - 1),
		    checkpoint_before(covered - 1));
	}
	mem_clear(&fork);
	OK_NONE(wrong, tried, "forks");
}

int
main(void)
{
	tamper_begin();
	OK_STATUS(tg_key_generate(TG_KEY_CHECKPOINT, 1700000000, &other_key, &err), TG_OK);
	for (unsigned i = 0; i < LOGS; i++) {
		make_random_log();
		truncated();
		segments_removed();
		damaged_notes();
		half_signed();
		foreign_checkpoints();
		forked();
		tg_log_policy_free(policy);
	}
	tg_key_free(other_key);
	return tamper_done();
}
