/* Unfinished writes: what was never answered is cut off and said so, and nothing else is. */
#include "recover.h"

/* ---- torn writes ---- */

/* The last record of `m` is LOG_RECOVERED, and says this. */
static bool
says_recovered(const struct mem_file *segment, const uint8_t *cut, size_t at, size_t n)
{
	static struct image im;
	uint8_t hex[TG_HEX_HASH];
	char want[256];

	hash_text((tg_bytes){ NULL, 0 }, (tg_bytes){ cut, n }, hex);
	(void)snprintf(want, sizeof(want),
	    "\"detail\":{\"at\":%zu,\"bytes\":%zu,\"segment\":%llu,\"sha256\":\"%.64s\"},", at, n,
	    strtoull(segment->name + 9, NULL, 10), (const char *)hex);
	image_read(&im, &m);
	const struct row *last = &im.row[im.n - 1];
	const bool good = memmem(last->p, last->n, want, strlen(want)) != NULL &&
	    memmem(last->p, last->n, "\"LOG_RECOVERED\"", 15) != NULL;
	if (!good)
		printf("# %s, but %.*s\n", want, (int)last->n, (const char *)last->p);
	image_clear(&im);
	return good;
}

/* `m` is torn: `whole` bytes of the segment are whole records, `total` in all. */
static void
recovers(const char *what, const char *name, size_t whole, uint64_t records)
{
	struct tg_log_report r;
	static struct mem torn;

	tried++;
	mem_copy(&torn, &m);
	const struct mem_file *old = mem_get(&torn, name);
	const size_t cut = old->n - whole;
	struct tg_log *log = open_log();

	if (log == NULL || tg_log_size(log) != records + (cut > 0)) {
		complain(what, old->n);
		tg_log_close(log);
		return;
	}
	const bool sign = draw(8) == 0;
	const bool grows = image_append(log, 1) &&
	    (!sign || tg_log_checkpoint(log, key, 1700000001, NULL, &err) == TG_OK);
	tg_log_close(log);
	const struct mem_file *f = mem_get(&m, name);
	if (!grows || f->n < whole || memcmp(f->p, old->p, whole) != 0 ||
	    tg_log_verify(mem_files(&m), sign ? policy : NULL, 1, NULL, &r, &err) != TG_OK ||
	    r.tail_bytes != 0 || r.records != records + (cut > 0) + 1 ||
	    (sign && r.covered != r.records))
		complain(what, old->n);
	/* the last but one, now that another has been appended: cut it off to look */
	if (cut > 0) {
		struct mem_file *g = last_segment(&m);
		const uint8_t *end = memrchr(g->p, '\n', g->n - 1);
		if (end == NULL)
			mem_remove(&m, g->name);
		else
			mem_resize(g, (size_t)(end - g->p) + 1);
		if (!says_recovered(old, old->p + whole, whole, cut))
			complain(what, old->n);
	}
}

static size_t
whole_bytes(const uint8_t *p, size_t n)
{
	const uint8_t *end = n == 0 ? NULL : memrchr(p, '\n', n);

	return end == NULL ? 0 : (size_t)(end - p) + 1;
}

static unsigned
lines(const uint8_t *p, size_t n)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++)
		count += p[i] == '\n';
	return count;
}

/* What the tail and the tree were at that moment. */
enum left { AS_BEFORE, NO_TAIL, NO_TREE, TREE_AFTER, LEFT };

static void
leave(enum left how)
{
	if (how == NO_TAIL)
		mem_remove(&m, "tail");
	if (how == NO_TREE)
		mem_remove_all(&m, "tree/");
	for (size_t i = 0; how == TREE_AFTER && i < after.n; i++)
		if (strncmp(after.file[i]->name, "tree/", 5) == 0)
			mem_put(&m, after.file[i]->name, after.file[i]->p, after.file[i]->n);
}

/* The segment of the last batch ends at `n`; behind it `fill` bytes of zeros, or of anything. */
static void
tear(size_t n, size_t fill, bool garbage, enum left how)
{
	struct mem_file *to = last_segment(&after);
	const struct mem_file *old = mem_get(&before, to->name);
	const size_t start = old == NULL ? 0 : old->n;
	static struct image im;

	mem_copy(&m, &before);
	leave(how);
	struct mem_file *f = mem_make(&m, to->name);
	mem_resize(f, n + fill);
	memcpy(f->p, to->p, n);
	for (size_t i = n; garbage && i < n + fill; i++)
		f->p[i] = (uint8_t)draw(256);
	image_read(&im, &before);
	const size_t whole = whole_bytes(f->p, n);
	recovers(garbage   ? "garbage"
		: fill > 0 ? "zeros"
			   : "cut",
	    to->name, whole, im.n + lines(f->p + start, whole - start));
	image_clear(&im);
}

static void
torn_batch(unsigned records, unsigned batch)
{
	begin();
	make_states(records, batch);
	const struct mem_file *to = last_segment(&after);
	const struct mem_file *old = mem_get(&before, to->name);

	for (size_t n = old == NULL ? 0 : old->n; n <= to->n; n++) {
		if (n % SLOWER != 0 && n + 2 < to->n)
			continue;
		tear(n, 0, false, (enum left)draw(LEFT));
		if (n == to->n || (batch > 1 && n % 5 != 0))
			continue;
		tear(n, to->n - n, false, (enum left)draw(LEFT));
		if (n % 4 == 0)
			tear(n, 1 + draw(5000), false, (enum left)draw(LEFT));
		tear(n, to->n - n, true, (enum left)draw(LEFT));
		if (n % 4 == 0)
			tear(n, 1 + draw(5000), true, (enum left)draw(LEFT));
	}
	OK_NONE(wrong, tried, "torn writes");
}

static void
torn_writes(void)
{
	static struct image im;
	bool rotated = false;

	torn_batch(1, 1); /* behind LOG_CREATED alone */
	torn_batch(9, 1);
	torn_batch(12, 4);
	for (unsigned n = 14; !rotated; n++) { /* and the first of a new segment */
		make_states(n, 2);
		rotated = mem_get(&before, last_segment(&after)->name) == NULL;
		if (rotated)
			torn_batch(n, 2);
	}
	image_clear(&im);
}

/* The cutting is stopped itself, at each of its calls: nothing is ever cut off without a record
 * that says so. */
static void
stopped_again(bool at_end_of_segment)
{
	static struct mem torn;
	struct tg_log *log;
	unsigned long calls = 1;

	for (unsigned long k = 1; k <= calls; k++)
		for (unsigned half = 0; half < 2; half++) {
			mem_copy(&m, &before);
			struct mem_file *f = last_segment(&m);
			const size_t whole = f->n;
			mem_resize(f, whole + 100 + draw(3000));
			mem_copy(&torn, &m);
			tried++;
			for (unsigned round = 0; round < 2; round++) {
				struct tg_log_options o = image_options;

				if (at_end_of_segment)
					o.segment_bytes = whole;
				m.calls = 0;
				m.fail_at = round == 0 ? k : 0;
				m.forever = true;
				m.half = half;
				err = (struct tg_error)TG_ERROR_INIT;
				log = NULL;
				if (tg_log_open(mem_files(&m), &o, &log, &err) != TG_OK &&
				    round == 1)
					complain("does not open, stopped at", k);
				if (k == 1 && round == 1)
					calls = m.calls;
				tg_log_close(log);
				/* open or not: what is there of the bytes, or a record about them
				 */
				f = mem_get(&m, f->name);
				if (memmem(f->p, f->n, "\"LOG_RECOVERED\"", 15) == NULL &&
				    (round == 1 || f->n != mem_get(&torn, f->name)->n))
					complain("cut without a word, stopped at", k);
			}
		}
	mem_clear(&torn);
}

static void
recovery_stopped(void)
{
	begin();
	make_states(9, 1);
	stopped_again(false);
	stopped_again(true);
	OK_NONE(wrong, tried, "recoveries that were stopped");
}

/* Garbage longer than what is read at a time. */
static void
long_garbage(void)
{
	begin();
	make_states(9, 1);
	tear(last_segment(&before)->n, (2u << 20) + 77, true, AS_BEFORE);
	tear(last_segment(&before)->n, (3u << 20) + 1, false, AS_BEFORE);
	tear(last_segment(&after)->n, (1u << 20) + 1, false, NO_TAIL);
	OK_NONE(wrong, tried, "long garbage");
}

/* ---- creation ---- */

static void
interrupted_creation(void)
{
	static struct mem made;
	struct tg_log_report r;
	struct tg_log *log;

	begin();
	mem_clear(&m);
	must(tg_log_create(mem_files(&m), "example.com/log", key, &image_options, &err) == TG_OK);
	mem_copy(&made, &m);
	const size_t n = last_segment(&made)->n;
	for (size_t i = 0; i < n; i++)
		for (unsigned how = 0; how < 3; how++) {
			if ((how > 0 && i % 5 != 0) || i % SLOWER != 0)
				continue;
			tried++;
			mem_copy(&m, &made);
			mem_remove(&m, "tail");
			mem_remove_all(&m, "tree/");
			mem_resize(last_segment(&m), i);
			if (how == 1)
				mem_resize(last_segment(&m), n);
			if (how == 2)
				mem_remove(&m, "log.policy");
			mem_copy(&was, &m);
			if (open_log() != NULL || !mem_same(&was, &m))
				complain("opened a log without a record, of", i);
			if (tg_log_create(mem_files(&m), "example.com/log", key, &image_options,
				&err) != TG_OK ||
			    (log = open_log()) == NULL) {
				complain("creation, stopped at", i);
				continue;
			}
			tg_log_close(log);
			if (tg_log_verify(mem_files(&m), policy, 1, NULL, &r, &err) != TG_OK ||
			    r.records != 1)
				complain("creation, stopped at", i);
		}
	OK_NONE(wrong, tried, "interrupted creations");
	/* not over what is left of another log */
	make_states(12, 1);
	mem_copy(&m, &after);
	OK_STATUS(tg_log_create(mem_files(&m), "example.com/log", key, &image_options, &err),
	    TG_E_CONFLICT);
	OK(mem_same(&after, &m));
	mem_remove_all(&m, "segments/");
	mem_copy(&was, &m);
	OK_STATUS(tg_log_create(mem_files(&m), "example.com/log", key, &image_options, &err),
	    TG_E_CONFLICT);
	OK(mem_same(&was, &m));
	mem_clear(&made);
}

int
main(void)
{
	recover_begin();
	torn_writes();
	recovery_stopped();
	long_garbage();
	interrupted_creation();
	return recover_done();
}
