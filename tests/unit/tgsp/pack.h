/* tests/unit/tgsp/pack.h - packages in memory: keys of fixed seeds, inputs, targets, sinks. */
#ifndef TG_TESTS_TGSP_PACK_H
#define TG_TESTS_TGSP_PACK_H

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <tensorguard/build.h>
#include <tensorguard/package.h>

#include "../../tap.h"
#include "crypto/key.h"
#include "util/buf.h"
#include "util/text.h"
#include "util/try.h"

/* A named check: for tables, whose rows have better names than their condition. */
__attribute__((format(printf, 2, 3))) static inline void
named(bool good, const char *fmt, ...)
{
	va_list ap;

	tap_n++;
	tap_bad += !good;
	printf("%s %d - ", good ? "ok" : "not ok", tap_n);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* Without this the test cannot go on. */
static inline void
must(tg_status s, const struct tg_error *err, const char *what)
{
	if (s == TG_OK)
		return;
	printf("Bail out! %s: %s: %s\n", what, tg_status_name(s), err == NULL ? "" : err->text);
	exit(1);
}
#define MUST(call)                                                        \
	do {                                                              \
		struct tg_error must_e_ = TG_ERROR_INIT, *err = &must_e_; \
		must((call), err, #call);                                 \
	} while (0)

/* ---- keys ---- */

/* The key of constant seeds; an ML-KEM seed is d = pqc x 32, z = (pqc + 1) x 32. */
static inline struct tg_key *
fixed_key(enum tg_key_use use, uint8_t classic, uint8_t pqc)
{
	const size_t n = tg_key_seeds_len(tg_key_suite(use));
	struct tg_secret *seeds = NULL;
	struct tg_key *k = NULL;

	MUST(tg_secret_new(n, &seeds, err));
	for (size_t i = 0; i < n; i++)
		tg_secret_bytes(seeds)[i] = (uint8_t)(i < 32 ? classic : i < 64 ? pqc : pqc + 1);
	MUST(tg_key_from_seeds(use, 1577836800, seeds, &k, err));
	return k;
}

/* The keys of PROTOCOL.tgsp.md section 6. */
static inline struct tg_key *
vector_signer(void)
{
	return fixed_key(TG_KEY_SIGNING, 1, 2);
}
static inline struct tg_key *
vector_recipient(void)
{
	return fixed_key(TG_KEY_ENCRYPTION, 3, 4);
}

/* The public half alone, as another key object. */
static inline struct tg_key *
public_half(const struct tg_key *k)
{
	struct tg_key *ret = NULL;

	MUST(tg_key_from_public(
	    tg_key_use_of(k), tg_key_created(k), k->pk[TG_CLASSIC], k->pk[TG_PQC], &ret, err));
	return ret;
}

/* A store with one author, and with one delegate unless that is NULL. */
static inline struct tg_trust *
trust_of(const struct tg_key *author, const struct tg_key *delegate)
{
	struct tg_trust *t = NULL;

	MUST(tg_trust_new(&t, err));
	if (author != NULL)
		MUST(tg_trust_add(t, TG_TRUST_AUTHOR, public_half(author), err));
	if (delegate != NULL)
		MUST(tg_trust_add(t, TG_TRUST_DELEGATE, public_half(delegate), err));
	return t;
}

/* ---- bytes ---- */

/* Not compressible, not constant, and the same every time. */
static inline void
fill(uint8_t *p, size_t n, uint32_t seed)
{
	uint32_t v = seed * 2654435761u + 12345;

	for (size_t i = 0; i < n; i++) {
		v = v * 1664525u + 1013904223u;
		p[i] = (uint8_t)(v >> 24);
	}
}

static inline tg_bytes
filled(size_t n, uint32_t seed)
{
	uint8_t *p = malloc(n + 1);

	if (p == NULL)
		abort();
	fill(p, n, seed);
	return (tg_bytes){ p, n };
}

static inline bool
is_hex(const uint8_t *p, size_t n, const char *want)
{
	char got[2 * 128 + 1];

	if (n > 128)
		return false;
	tg_hex_encode(got, (tg_bytes){ p, n });
	if (strcmp(got, want) != 0)
		printf("# got  %s\n# want %s\n", got, want);
	return strcmp(got, want) == 0;
}

static inline void
put(struct tg_buf *b, const void *p, size_t n)
{
	MUST(((void)err, tg_buf_put(b, p, n)));
}

static inline void
put_view(struct tg_buf *b, tg_bytes v)
{
	put(b, v.p, v.n);
}

/* ---- inputs and outputs ---- */

struct mem_file {
	const char *path;
	tg_bytes data;
};

static inline tg_status
mem_open(void *ctx, struct tg_source *ret, struct tg_error *err)
{
	const struct mem_file *f = ctx;

	(void)err;
	*ret = tg_source_bytes(&f->data);
	return TG_OK;
}

static inline void
mem_close(void *ctx, struct tg_source *src)
{
	(void)ctx, (void)src;
}

static inline struct tg_build_input
mem_input(struct mem_file *f)
{
	return (struct tg_build_input){ f->path, mem_open, mem_close, f };
}

/* A growing target; written to by several threads. */
struct mem_target {
	pthread_mutex_t lock;
	uint8_t *p;
	size_t n, cap;
};

static inline tg_status
mem_write_at(void *ctx, const void *p, size_t n, uint64_t offset, struct tg_error *err)
{
	struct mem_target *t = ctx;

	(void)err;
	pthread_mutex_lock(&t->lock);
	if (offset + n > t->cap) {
		t->cap = 2 * (size_t)(offset + n);
		t->p = realloc(t->p, t->cap);
		if (t->p == NULL)
			abort();
		memset(t->p + t->n, 0xa5, t->cap - t->n);
	}
	if (n > 0)
		memcpy(t->p + offset, p, n);
	if (offset + n > t->n)
		t->n = (size_t)(offset + n);
	pthread_mutex_unlock(&t->lock);
	return TG_OK;
}

static inline struct tg_target
mem_target(struct mem_target *t)
{
	*t = (struct mem_target){ .lock = PTHREAD_MUTEX_INITIALIZER };
	return (struct tg_target){ mem_write_at, t };
}

/* A sink that keeps everything. */
static inline tg_status
sink_keep(void *ctx, const void *p, size_t n, struct tg_error *err)
{
	(void)err;
	return tg_buf_put(ctx, p, n);
}

static inline struct tg_sink
keep_in(struct tg_buf *b)
{
	tg_buf_init(b, SIZE_MAX);
	return (struct tg_sink){ sink_keep, b };
}

/* ---- a whole package ---- */

/* Build it of files in memory; inputs, signer and recipient are filled in where they are not.
 * Release with free(). */
static inline tg_status
pack(struct tg_build_spec spec, struct mem_file *files, size_t n, struct tg_build_result *result,
    tg_bytes *ret, struct tg_error *err)
{
	struct tg_build_input *rows = calloc(n + 1, sizeof(*rows));
	struct mem_target mem;
	const struct tg_target out = mem_target(&mem);
	struct tg_build_result ignored;

	if (rows == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		rows[i] = mem_input(&files[i]);
	spec.inputs = rows;
	spec.n_inputs = n;
	const tg_status s = tg_build(&spec, &out, result == NULL ? &ignored : result, err);
	free(rows);
	if (s != TG_OK)
		free(mem.p);
	else
		*ret = (tg_bytes){ mem.p, mem.n };
	return s;
}

/* The reader who may do everything. */
static inline struct tg_policy
easy_policy(void)
{
	return (struct tg_policy){ .now = 1700000000, .fleet = "edge", .agent_version = "1.0.0" };
}

/* How far a reader comes with a package, and what it was given on the way. */
enum step { STEP_OPEN, STEP_VERIFY, STEP_UNLOCK, STEP_FILES, STEP_LOAD, STEP_TAR, STEP_DONE };

struct attempt {
	enum step at; /* the step that failed */
	tg_status status;
	struct tg_error err;
	size_t delivered; /* bytes of plaintext that reached anybody */
};

static inline tg_status
sink_count(void *ctx, const void *p, size_t n, struct tg_error *err)
{
	(void)p, (void)err;
	*(size_t *)ctx += n;
	return TG_OK;
}

static inline tg_status
load_all(const struct tg_package *p, size_t *delivered, struct tg_error *err)
{
	for (size_t i = 0; i < tg_package_file_count(p); i++) {
		struct tg_secret *s = NULL;

		if (tg_package_file(p, i).size == 0)
			continue;
		TG_TRY(tg_package_load(p, i, 1, &s, err));
		*delivered += tg_secret_len(s);
		tg_secret_free(s);
	}
	return TG_OK;
}

/* Everything a reader can do with `p`, from step `from` on. */
static inline tg_status
use_package(struct tg_package *p, const struct tg_key *key, const struct tg_policy *policy,
    struct attempt *a)
{
	const struct tg_sink count = { sink_count, &a->delivered };

	a->at = STEP_VERIFY;
	TG_TRY(tg_package_verify(p, 1, NULL, &a->err));
	a->at = STEP_UNLOCK;
	TG_TRY(tg_package_unlock(p, key, policy, &a->err));
	a->at = STEP_FILES;
	TG_TRY(tg_package_verify_files(p, 1, NULL, &a->err));
	a->at = STEP_LOAD;
	TG_TRY(load_all(p, &a->delivered, &a->err));
	a->at = STEP_TAR;
	TG_TRY(tg_package_tar(p, 1, &count, NULL, &a->err));
	a->at = STEP_DONE;
	return TG_OK;
}

static inline struct attempt
attempt(tg_bytes bytes, const struct tg_trust *trust, const struct tg_key *key,
    const struct tg_policy *policy)
{
	const struct tg_source src = tg_source_bytes(&bytes);
	struct attempt a = { .at = STEP_OPEN, .err = TG_ERROR_INIT };
	struct tg_package *p = NULL;

	a.status = tg_package_open(&src, trust, &p, &a.err);
	if (a.status == TG_OK)
		a.status = use_package(p, key, policy, &a);
	tg_package_close(p);
	return a;
}

#endif
