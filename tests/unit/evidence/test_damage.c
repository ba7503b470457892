/* Damage: it is refused and left as it is; what can be made again from the segments is. */
#include "recover.h"

/* ---- damage ---- */

static void
refuses(const char *what, size_t at)
{
	tried++;
	mem_copy(&was, &m);
	struct tg_log *log = NULL;
	err = (struct tg_error)TG_ERROR_INIT;
	const tg_status s = tg_log_open(mem_files(&m), &image_options, &log, &err);
	if ((s != TG_E_FORMAT && s != TG_E_AUTH) || log != NULL || !mem_same(&was, &m) ||
	    m.n != was.n || err.text[0] == '\0' || strchr(err.text, '\n') != NULL) {
		printf("# %s\n", tg_status_name(s));
		complain(what, at);
	}
	wrong += m.locked && log == NULL;
	tg_log_close(log);
}

/* Written up to here as `tail` says, or as the checkpoint does. */
static void
damaged_records(void)
{
	static struct image im;

	begin();
	make_states(24, 3);
	image_read(&im, &after);
	const size_t all = im.n;
	for (size_t i = 0; i < all; i++)
		for (unsigned k = 0; k < 6; k++) {
			mem_copy(&m, &after);
			image_clear(&im);
			image_read(&im, &m);
			im.row[i].p[draw(im.row[i].n)] ^= (uint8_t)(1u << draw(8));
			image_write(&im, &m);
			struct mem_file *f = mem_get(&m, "tail");
			if (k % 3 == 1)
				f->p[draw(f->n)] ^= 1; /* all of the log is read then, but nothing
							  is known of its end */
			else if (k % 3 == 2)
				mem_remove(&m, "tail");
			else
				f = mem_get(&before, "tail"), mem_put(&m, "tail", f->p, f->n);
			if (i + 1 < all &&
			    (k % 3 != 0 || im.row[i].segment == im.row[all - 1].segment))
				refuses("damaged record", i);
		}
	image_clear(&im);
	OK_NONE(wrong, tried, "damaged records");
}

static void
missing_segments(void)
{
	struct tg_numbers l;
	char name[TG_SEGMENT_NAME_MAX];

	begin();
	make_states(30, 1);
	must(tg_segments_list(mem_files(&after), &l, &err) == TG_OK && l.n > 3);
	for (unsigned tail = 0; tail < 2; tail++)
		for (size_t i = 0; i < l.n; i++) {
			tg_segment_name(name, l.at[i]);
			mem_copy(&m, &after);
			if (tail == 1)
				mem_remove(&m, "tail");
			mem_remove(&m, name);
			/* without tail, records that no checkpoint covers may go unnoticed */
			if (tail == 0 || i + 1 < l.n)
				refuses("missing segment", i);
			mem_copy(&m, &after);
			if (tail == 1)
				mem_remove(&m, "tail");
			mem_resize(mem_get(&m, name), 0);
			if (tail == 0 || i + 1 < l.n)
				refuses("emptied segment", i);
			mem_copy(&m, &after);
			if (tail == 1)
				mem_remove(&m, "tail");
			struct mem_file *f = mem_get(&m, name);
			mem_resize(f, f->n + 9);
			if (i + 1 < l.n)
				refuses("bytes behind a segment", i);
			mem_copy(&m, &after);
			f = mem_get(&m, name);
			tg_segment_name(f->name, l.at[i] + 1);
			refuses("renamed segment", i);
		}
	mem_copy(&m, &after); /* an empty one that is not the next */
	mem_put(&m, "segments/00000000000000000099.jsonl", "", 0);
	refuses("segment too many", 99);
	mem_copy(&m, &after); /* the last one gone, and the one before torn */
	tg_segment_name(name, l.at[l.n - 1]);
	mem_remove(&m, name);
	tg_segment_name(name, l.at[l.n - 2]);
	mem_resize(mem_get(&m, name), mem_get(&m, name)->n - 5);
	refuses("missing segment, torn before", l.n);
	tg_numbers_done(&l);
	OK_NONE(wrong, tried, "segments");
}

static void
truncated(void)
{
	begin();
	make_states(24, 3);
	const size_t end = last_segment(&after)->n, durable = last_segment(&before)->n;
	for (size_t n = 0; n < end; n += 1 + draw(7 * SLOWER)) {
		mem_copy(&m, &after);
		mem_resize(last_segment(&m), n);
		refuses("cut to", n);
		if (n < durable) {
			mem_copy(&m, &before);
			mem_resize(last_segment(&m), n);
			refuses("cut to", n);
		}
	}
	/* closed properly: the mark is the end */
	mem_copy(&m, &after);
	tg_log_close(open_log());
	mem_copy(&before, &m);
	for (size_t n = 0; n < end; n += 7 * SLOWER) {
		mem_copy(&m, &before);
		mem_resize(last_segment(&m), n);
		refuses("closed, cut to", n);
	}
	OK_NONE(wrong, tried, "cut logs");
}

/* Fewer records than a checkpoint covers, or others. */
static void
against_checkpoints(void)
{
	static struct image im;
	struct mem_file *f;
	char name[TG_SEGMENT_NAME_MAX];

	begin();
	make_states(20, 1);
	tg_checkpoint_name(name, 11);
	for (size_t n = 1; n < 11; n++) {
		mem_copy(&m, &after);
		mem_remove(&m, "tail");
		image_read(&im, &m);
		while (im.n > n)
			image_delete(&im, im.n - 1);
		image_write(&im, &m);
		image_clear(&im);
		refuses("fewer records than the checkpoint covers:", n);
		mem_remove(&m, "checkpoint"); /* that of checkpoints/ counts as well */
		refuses("fewer records than checkpoints/ cover:", n);
	}
	for (size_t i = 1; i < 11; i++) {
		mem_copy(&m, &after);
		image_read(&im, &m);
		row_find(&im.row[i], "\"sig\":\"")[11] ^= 3;
		image_rechain(&im, i);
		image_write(&im, &m);
		image_clear(&im);
		refuses("written anew from", i);
		mem_remove(&m, "tail");
		refuses("written anew, no tail, from", i);
		mem_remove_all(&m, "tree/");
		refuses("written anew, no tree, from", i);
	}
	mem_copy(&m, &after);
	f = mem_get(&m, "checkpoint");
	for (size_t i = 0; i < 30; i++) {
		mem_resize(f, i);
		refuses("checkpoint cut to", i);
	}
	OK_NONE(wrong, tried, "logs and their checkpoints");
}

/* ---- what can be made again ---- */

/* It opens and goes on; `may_refuse`: its next checkpoint may be refused until tree/ is made anew.
 */
static void
goes_on(const char *what, size_t at, bool may_refuse)
{
	struct tg_log_report r;

	tried++;
	for (unsigned round = 0; round < 2; round++) {
		struct tg_log *log = open_log();
		if (log == NULL || !image_append(log, 2)) {
			complain(what, at);
			tg_log_close(log);
			return;
		}
		const tg_status s = tg_log_checkpoint(log, key, 1700000001, NULL, &err);
		tg_log_close(log);
		if (s == TG_OK)
			break;
		if (!may_refuse || s != TG_E_POLICY || round == 1)
			complain(what, at);
		mem_remove_all(&m, "tree/");
	}
	if (tg_log_verify(mem_files(&m), policy, 1, NULL, &r, &err) != TG_OK ||
	    r.covered != r.records)
		complain(what, at);
}

static void
tails(void)
{
	static struct mem stale;
	struct mem_file *f;

	begin();
	make_states(20, 2);
	mem_copy(&stale, &before);
	const size_t n = mem_get(&after, "tail")->n;
	for (size_t i = 0; i < n; i += SLOWER) {
		mem_copy(&m, &after);
		mem_get(&m, "tail")->p[i] ^= (uint8_t)(1u << draw(8));
		goes_on("damaged tail", i, false);
		mem_copy(&m, &after);
		mem_resize(mem_get(&m, "tail"), i);
		goes_on("tail cut to", i, false);
	}
	mem_copy(&m, &after);
	mem_remove(&m, "tail");
	goes_on("no tail", 0, false);
	mem_copy(&m, &after);
	mem_resize(mem_get(&m, "tail"), n + 100);
	goes_on("longer tail", 0, false);
	/* tails of all its life */
	mem_clear(&m);
	must(tg_log_create(mem_files(&m), "example.com/log", key, &image_options, &err) == TG_OK);
	tg_log_policy_free(policy);
	policy = image_policy(&m);
	static struct mem tail_of[40];
	for (unsigned i = 0; i < 40; i++) {
		struct tg_log *log = open_log();
		must(log != NULL && image_append(log, 1));
		f = mem_get(&m, "tail");
		mem_put(&tail_of[i], "tail", f->p, f->n);
		if (i % 3 == 0)
			must(image_append(log, 2));
		if (i == 20)
			must(tg_log_checkpoint(log, key, 1700000000, NULL, &err) == TG_OK);
		tg_log_close(log);
	}
	mem_copy(&stale, &m);
	for (unsigned i = 0; i < 40; i++) {
		mem_copy(&m, &stale);
		f = mem_get(&tail_of[i], "tail");
		mem_put(&m, "tail", f->p, f->n);
		goes_on("stale tail", i, false);
		mem_clear(&tail_of[i]);
	}
	/* of another log with the same sizes */
	make_states(20, 2);
	mem_copy(&stale, &after);
	struct tg_log *log;
	mem_copy(&m, &after);
	tg_log_close(log = open_log());
	static struct image im;
	image_read(&im, &m);
	row_find(&im.row[im.n - 1], "\"sig\":\"")[11] ^= 3;
	image_rechain(&im, im.n - 1);
	image_write(&im, &m);
	goes_on("tail of another end", 0, false);
	image_clear(&im);
	mem_clear(&stale);
	OK_NONE(wrong, tried, "tails");
}

static void
trees(void)
{
	begin();
	for (unsigned closed = 0; closed < 2; closed++) {
		make_states(20, 2);
		if (closed == 1) {
			mem_copy(&m, &after);
			tg_log_close(open_log());
			mem_copy(&after, &m);
		}
		for (size_t k = 0; k < after.n; k++) {
			char name[96];

			(void)snprintf(name, sizeof(name), "%s", after.file[k]->name);
			if (strncmp(name, "tree/", 5) != 0)
				continue;
			mem_copy(&m, &after);
			mem_remove(&m, name);
			goes_on("no tree file", k, true);
			for (size_t i = 0; i < mem_get(&after, name)->n;
			     i += 1 + draw(12 * SLOWER)) {
				mem_copy(&m, &after);
				mem_get(&m, name)->p[i] ^= (uint8_t)(1u << draw(8));
				goes_on("damaged tree file", i, true);
				mem_copy(&m, &after);
				mem_resize(mem_get(&m, name), i);
				goes_on("tree file cut to", i, true);
				mem_copy(&m, &after);
				mem_get(&m, name)->p[i] ^= (uint8_t)(1u << draw(8));
				mem_remove_all(&m, "checkpoint");
				goes_on("damaged tree file, no checkpoint", i, true);
			}
		}
		mem_copy(&m, &after);
		mem_remove_all(&m, "tree/");
		goes_on("no tree", 0, false);
		mem_remove_all(&m, "tree/");
		mem_remove(&m, "tail");
		goes_on("neither tree nor tail", 0, false);
	}
	OK_NONE(wrong, tried, "trees");
}

/* The newest checkpoint was written among the others, and `checkpoint` not any more. */
static void
checkpoint_behind(void)
{
	const uint64_t sizes[] = { 5, 9, 14, 0 };
	struct mem_file *f;
	char name[TG_SEGMENT_NAME_MAX];
	struct tg_log_report r;

	begin();
	make_states(20, 1);
	mem_clear(&m);
	must(tg_log_create(mem_files(&m), "example.com/log", key, &image_options, &err) == TG_OK);
	tg_log_policy_free(policy);
	policy = image_policy(&m);
	must(image_grow(&m, key, sizes, 3));
	mem_copy(&after, &m);
	tg_checkpoint_name(name, 9);
	f = mem_get(&after, name);
	mem_put(&m, "checkpoint", f->p, f->n);
	OK_STATUS(tg_log_verify(mem_files(&m), policy, 1, NULL, &r, &err), TG_OK);
	OK(r.covered == 14);
	tg_log_close(open_log());
	OK(mem_get(&m, "checkpoint")->n == mem_get(&after, "checkpoint")->n &&
	    memcmp(mem_get(&m, "checkpoint")->p, mem_get(&after, "checkpoint")->p,
		mem_get(&m, "checkpoint")->n) == 0);
	goes_on("`checkpoint` is the one before", 9, false);
	OK_NONE(wrong, tried, "checkpoints that are one behind");
}

int
main(void)
{
	recover_begin();
	damaged_records();
	missing_segments();
	truncated();
	against_checkpoints();
	tails();
	trees();
	checkpoint_behind();
	return recover_done();
}
