/* tests/unit/evidence/image.h - a log's records one by one, to be rewritten as somebody would who
 * can write the files; and logs to do that to. */
#ifndef TG_TESTS_EVIDENCE_IMAGE_H
#define TG_TESTS_EVIDENCE_IMAGE_H

#include "../../tap.h"
#include "evidence/record.h"
#include "evidence/segments.h"
#include "memfiles.h"

/* With sanitizers all takes several times as long: of what is done for every byte a part is enough.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOWER = 8 };
#else
enum { SLOWER = 1 };
#endif

/* ---- random numbers, a clock ---- */

static uint64_t draw_state = 0x2545f4914f6cdd1d;

static inline uint64_t
draw(uint64_t below)
{
	draw_state ^= draw_state << 13;
	draw_state ^= draw_state >> 7;
	draw_state ^= draw_state << 17;
	return (draw_state >> 11) % below;
}

static int64_t image_clock = 1700000000000000;

static inline int64_t
image_tick(void *ctx)
{
	(void)ctx;
	return __atomic_add_fetch(&image_clock, 1, __ATOMIC_RELAXED);
}

static const struct tg_log_options image_options = {
	.actor = "{\"id\":\"tester\",\"type\":\"user\"}",
	.now = image_tick,
	.segment_bytes = 4000,
};

/* A note of some length with a signature, so that records differ in both. */
static inline void
image_event(char *out, size_t size, unsigned i)
{
	(void)snprintf(out, size,
	    "{\"event_type\":\"NOTE_ADDED\",\"note\":\"number %u%.*s\","
	    "\"signature\":{\"alg\":\"a\",\"key_id\":\"k\",\"sig\":\"sig%05u\"}}",
	    i, (int)draw(120),
	    "......................................................................................"
	    ".."
	    "................................",
	    i);
}

static inline bool
image_append(struct tg_log *log, unsigned n)
{
	static unsigned next;
	struct tg_log_entry e;
	char event[512];

	for (unsigned i = 0; i < n; i++) {
		image_event(event, sizeof(event), next++ % 100000);
		if (tg_log_append(log, tg_bytes_str(event), &e, NULL) != TG_OK)
			return false;
	}
	return true;
}

/* Append up to each of `sizes` records (0 ends them) and sign there; then `more`. */
static inline bool
image_grow(struct mem *m, const struct tg_key *key, const uint64_t *sizes, unsigned more)
{
	TG_AUTO(tg_log_closep) struct tg_log *log = NULL;

	if (tg_log_open(mem_files(m), &image_options, &log, NULL) != TG_OK)
		return false;
	for (; *sizes > 0; sizes++)
		if (!image_append(log, (unsigned)(*sizes - tg_log_size(log))) ||
		    tg_log_checkpoint(log, key, 1700000000, NULL, NULL) != TG_OK)
			return false;
	return image_append(log, more);
}

static inline struct tg_log_policy *
image_policy(const struct mem *m)
{
	const struct mem_file *f = mem_get(m, "log.policy");
	struct tg_log_policy *p = NULL;

	if (f == NULL ||
	    tg_log_policy_parse((tg_bytes){ f->p, f->n }, "log.policy", &p, NULL) != TG_OK) {
		printf("Bail out! no policy\n");
		exit(1);
	}
	return p;
}

/* ---- records ---- */

#define IMAGE_ROWS 512

struct row {
	uint8_t *p; /* with its newline */
	size_t n;
	uint64_t segment; /* that it lies in */
};

struct image {
	struct row row[IMAGE_ROWS];
	size_t n;
};

static inline struct row
row_copy(const struct row *from)
{
	struct row r = { malloc(from->n), from->n, from->segment };

	mem_check(r.p);
	memcpy(r.p, from->p, from->n);
	return r;
}

static inline void
image_clear(struct image *im)
{
	while (im->n > 0)
		free(im->row[--im->n].p);
}

static inline void
image_read(struct image *im, struct mem *m)
{
	struct tg_numbers l;

	im->n = 0;
	mem_check(tg_segments_list(mem_files(m), &l, NULL) == TG_OK ? m : NULL);
	for (size_t i = 0; i < l.n; i++) {
		char name[TG_SEGMENT_NAME_MAX];

		tg_segment_name(name, l.at[i]);
		const struct mem_file *f = mem_get(m, name);
		for (size_t at = 0; at < f->n && im->n < IMAGE_ROWS;) {
			const uint8_t *end = memchr(f->p + at, '\n', f->n - at);
			const size_t n = (size_t)(end - (f->p + at)) + 1;

			im->row[im->n++] = row_copy(&(struct row){ f->p + at, n, l.at[i] });
			at += n;
		}
	}
	tg_numbers_done(&l);
}

static inline void
image_write(const struct image *im, struct mem *m)
{
	mem_remove_all(m, "segments/");
	for (size_t i = 0; i < im->n; i++) {
		char name[TG_SEGMENT_NAME_MAX];

		tg_segment_name(name, im->row[i].segment);
		struct mem_file *f = mem_make(m, name);
		const size_t at = f->n;
		mem_resize(f, at + im->row[i].n);
		memcpy(f->p + at, im->row[i].p, im->row[i].n);
	}
}

static inline void
image_delete(struct image *im, size_t i)
{
	free(im->row[i].p);
	im->n--;
	memmove(&im->row[i], &im->row[i + 1], (im->n - i) * sizeof(im->row[0]));
}

/* A copy of `r` in front of row i, in the segment of its neighbour. */
static inline void
image_insert(struct image *im, size_t i, const struct row *r)
{
	struct row copy = row_copy(r);

	copy.segment = i > 0 ? im->row[i - 1].segment : 0;
	memmove(&im->row[i + 1], &im->row[i], (im->n - i) * sizeof(im->row[0]));
	im->row[i] = copy;
	im->n++;
}

static inline void
image_swap(struct image *im, size_t i, size_t j)
{
	const struct row a = im->row[i];
	const uint64_t sa = a.segment, sb = im->row[j].segment;

	im->row[i] = im->row[j];
	im->row[j] = a;
	im->row[i].segment = sa;
	im->row[j].segment = sb;
}

/* ---- rewriting ---- */

static inline void
hash_text(tg_bytes head, tg_bytes body, uint8_t out[static TG_HEX_HASH])
{
	struct tg_sha256_job job = { head, body, { 0 } };

	mem_check(tg_sha256_many(&job, 1, NULL) == TG_OK ? out : NULL);
	tg_hex_hash(out, job.hash);
}

static inline struct tg_record
row_record(const struct row *r)
{
	struct tg_record rec = { .n = 0 };

	if (tg_record_split(r->p, r->n - 1, "row", &rec, NULL) != TG_OK) {
		printf("Bail out! no record\n");
		exit(1);
	}
	return rec;
}

static inline void
fix_event_hash(struct row *r)
{
	const struct tg_record rec = row_record(r);

	hash_text((tg_bytes){ (const uint8_t *)"{", 1 },
	    (tg_bytes){ rec.p + rec.rest + 1, rec.n - rec.rest - 1 }, r->p + TG_RECORD_EVENT_AT);
}

static inline void
fix_chain_hash(struct row *r)
{
	const struct tg_record rec = row_record(r);
	uint8_t link[TG_RECORD_LINK_LEN];

	tg_record_link(&rec, link);
	hash_text(
	    (tg_bytes){ NULL, 0 }, (tg_bytes){ link, sizeof(link) }, r->p + TG_RECORD_CHAIN_AT);
}

/* Every hash from row i on, so that the chain holds. */
static inline void
image_rechain(struct image *im, size_t i)
{
	for (; i < im->n; i++) {
		memcpy(im->row[i].p + TG_RECORD_PREV_AT,
		    i == 0 ? (const uint8_t *)tg_record_genesis
			   : im->row[i - 1].p + TG_RECORD_CHAIN_AT,
		    TG_HEX_HASH);
		fix_event_hash(&im->row[i]);
		fix_chain_hash(&im->row[i]);
	}
}

/* Another number in both places. */
static inline void
row_renumber(struct row *r, uint64_t sequence)
{
	static const char key[] = ",\"sequence\":";
	const struct tg_record rec = row_record(r);
	const uint8_t *event = memmem(r->p + rec.rest, r->n - rec.rest, key, sizeof(key) - 1);
	const uint8_t *digits = event + sizeof(key) - 1, *rest = digits;
	uint8_t *p = malloc(r->n + 40);

	mem_check(p);
	while (*rest >= '0' && *rest <= '9')
		rest++;
	memcpy(p, r->p, TG_RECORD_SEQUENCE_AT);
	size_t n = TG_RECORD_SEQUENCE_AT;
	n += (size_t)snprintf((char *)p + n, 24, "%llu}", (unsigned long long)sequence);
	memcpy(p + n, r->p + rec.rest, (size_t)(digits - (r->p + rec.rest)));
	n += (size_t)(digits - (r->p + rec.rest));
	n += (size_t)snprintf((char *)p + n, 24, "%llu", (unsigned long long)sequence);
	memcpy(p + n, rest, (size_t)(r->p + r->n - rest));
	n += (size_t)(r->p + r->n - rest);
	free(r->p);
	r->p = p;
	r->n = n;
}

/* Numbers without a gap, and the chain, from row i on; segments get their names from them. */
static inline void
image_renumber(struct image *im, size_t i)
{
	uint64_t old = UINT64_MAX, name = 0;

	for (size_t k = 0; k < im->n; k++) {
		if (im->row[k].segment != old)
			name = k;
		old = im->row[k].segment;
		im->row[k].segment = name;
		if (k >= i)
			row_renumber(&im->row[k], k);
	}
	image_rechain(im, i);
}

/* The place of a text within row i, for writing. */
static inline uint8_t *
row_find(const struct row *r, const char *text)
{
	uint8_t *p = memmem(r->p, r->n, text, strlen(text));

	mem_check(p);
	return p;
}

#endif
