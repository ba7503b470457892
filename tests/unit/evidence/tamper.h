/* tests/unit/evidence/tamper.h - logs to be tampered with, and what checking them has to say then.
 */
#ifndef TG_TESTS_EVIDENCE_TAMPER_H
#define TG_TESTS_EVIDENCE_TAMPER_H

#include "image.h"

static struct tg_key *key;
static struct tg_log_policy *policy;
static struct mem whole, m; /* as it was written; what is made of it */
static struct image im;
static uint64_t records, sizes[8];
static unsigned n_sizes;
static struct tg_error err;
static struct tg_log_report r;
static unsigned long wrong, tried;

/* ---- what has to be found ---- */

static inline uint64_t
checkpoint_before(uint64_t i)
{
	uint64_t size = 0;

	for (unsigned k = 0; k < n_sizes && sizes[k] <= i; k++)
		size = sizes[k];
	return size;
}

/* 0: there is none */
static inline uint64_t
checkpoint_after(uint64_t i)
{
	for (unsigned k = 0; k < n_sizes; k++)
		if (sizes[k] > i)
			return sizes[k];
	return 0;
}

static inline bool
same_report(const struct tg_log_report *a, const struct tg_log_report *b)
{
	return strcmp(a->origin, b->origin) == 0 && a->records == b->records &&
	    a->checkpoints == b->checkpoints && a->covered == b->covered &&
	    a->unknown_types == b->unknown_types && a->tail_bytes == b->tail_bytes &&
	    memcmp(a->root, b->root, 32) == 0 && memcmp(a->chain, b->chain, 32) == 0 &&
	    a->bad_sequence == b->bad_sequence && a->before == b->before && a->after == b->after;
}

static inline void
complain(const char *what, uint64_t i, tg_status s)
{
	wrong++;
	printf("# %s %llu: %s, bad %llu between %llu and %llu: %s\n", what, (unsigned long long)i,
	    tg_status_name(s), (unsigned long long)r.bad_sequence, (unsigned long long)r.before,
	    (unsigned long long)r.after, err.text);
}

/* On one thread and on three the same is found. */
static inline tg_status
verify(const struct tg_log_policy *p)
{
	struct tg_log_report other;
	struct tg_error why = TG_ERROR_INIT;

	err = (struct tg_error)TG_ERROR_INIT;
	const tg_status s = tg_log_verify(mem_files(&m), p, 1, NULL, &r, &err);
	const tg_status t = tg_log_verify(mem_files(&m), p, 3, NULL, &other, &why);
	if (s != t || !same_report(&r, &other) || strcmp(err.text, why.text) != 0) {
		complain("another with three threads, or so:", 0, s);
		printf("# %s, bad %llu: %s\n", tg_status_name(t),
		    (unsigned long long)other.bad_sequence, why.text);
	}
	return s;
}

/* Refused, and for a record of from ... to, with the checkpoints around it. */
static inline void
refused(const char *what, uint64_t from, uint64_t to)
{
	const tg_status s = verify(policy);

	tried++;
	if ((s != TG_E_AUTH && s != TG_E_FORMAT && s != TG_E_LIMIT) || r.bad_sequence < from ||
	    r.bad_sequence > to || r.before != checkpoint_before(r.bad_sequence) ||
	    r.after != checkpoint_after(r.bad_sequence) || strchr(err.text, '\n') != NULL ||
	    err.text[0] == '\0')
		complain(what, from, s);
}

/* It lies between two checkpoints, and nobody can say more; `i` is among what the message names. */
static inline void
refused_between(const char *what, uint64_t i)
{
	const uint64_t before = checkpoint_before(i), after = checkpoint_after(i);
	char range[64];

	refused(what, before, before);
	(void)snprintf(range, sizeof(range), "records %llu to %llu ", (unsigned long long)before,
	    (unsigned long long)after - 1);
	if (strstr(err.text, range) == NULL)
		complain(what, i, TG_E_AUTH);
}

static inline void
accepted(const char *what, uint64_t i)
{
	const tg_status s = verify(policy);

	tried++;
	if (s != TG_OK || r.covered > i)
		complain(what, i, s);
}

static inline void
restore(void)
{
	mem_copy(&m, &whole);
	image_clear(&im);
	image_read(&im, &m);
}

static inline void
changed(void)
{
	image_write(&im, &m);
}

static inline void
begin(void)
{
	wrong = tried = 0;
}

/* ---- logs ---- */

static inline void
make_log(
    struct mem *to, const char *origin, const struct tg_key *k, const uint64_t *at, unsigned more)
{
	mem_clear(to);
	if (tg_log_create(mem_files(to), origin, k, &image_options, &err) != TG_OK ||
	    !image_grow(to, k, at, more)) {
		printf("Bail out! no log: %s\n", err.text);
		exit(1);
	}
}

static inline void
make_random_log(void)
{
	uint64_t at = 1;

	n_sizes = 3 + (unsigned)draw(3);
	for (unsigned i = 0; i < n_sizes; i++)
		sizes[i] = at += 2 + draw(14);
	sizes[n_sizes] = 0;
	const unsigned more = 2 + (unsigned)draw(6);
	make_log(&whole, "example.com/log", key, sizes, more);
	records = at + more;
	policy = image_policy(&whole);
	restore();
	begin();
	OK(im.n == records);
	OK_STATUS(verify(policy), TG_OK);
	OK(r.records == records && r.covered == sizes[n_sizes - 1] && r.checkpoints == n_sizes &&
	    r.tail_bytes == 0 && r.unknown_types == 0 && strcmp(r.origin, "example.com/log") == 0);
	OK_STATUS(verify(NULL), TG_OK);
	OK(wrong == 0);
	for (unsigned t = 0; t < 9; t++) {
		struct tg_log_report again;

		wrong += tg_log_verify(mem_files(&m), policy, t, NULL, &again, &err) != TG_OK ||
		    !same_report(&r, &again);
	}
	OK_NONE(wrong, 9, "numbers of threads");
}

static inline void
tamper_begin(void)
{
	OK_STATUS(tg_key_generate(TG_KEY_CHECKPOINT, 1700000000, &key, &err), TG_OK);
}

static inline int
tamper_done(void)
{
	mem_clear(&whole);
	mem_clear(&m);
	image_clear(&im);
	tg_key_free(key);
	return tap_done();
}

#endif
