/*
 * Every allocation, and every call to the random number generator, failed one by one while a
 * package is built, opened and re-keyed: each time a clear status, nothing delivered that was not
 * verified, nothing leaked (the sanitizer build looks), and never a success that is none.
 *
 * Linked with --wrap (Makefile), so that calls out of this library's objects come here; OpenSSL's
 * and jansson's allocations come through their own hooks.
 */
#include "../unit/tgsp/pack.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <tensorguard/rekey.h>

#include "crypto/ossl.h"

/* ---- the injector ---- */

static struct {
	bool on;
	long countdown; /* the call that fails; counts down while on */
	long calls;
	long rng_countdown, rng_calls;
} inject;

static bool
fails_now(void)
{
	if (!inject.on)
		return false;
	inject.calls++;
	return inject.countdown > 0 && --inject.countdown == 0;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
int __real_RAND_priv_bytes_ex(OSSL_LIB_CTX *ctx, unsigned char *buf, size_t n, unsigned strength);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
int __wrap_RAND_priv_bytes_ex(OSSL_LIB_CTX *ctx, unsigned char *buf, size_t n, unsigned strength);

void *
__wrap_malloc(size_t n)
{
	return fails_now() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return fails_now() ? NULL : __real_realloc(p, n);
}

int
__wrap_RAND_priv_bytes_ex(OSSL_LIB_CTX *ctx, unsigned char *buf, size_t n, unsigned strength)
{
	if (inject.on) {
		inject.rng_calls++;
		if (inject.rng_countdown > 0 && --inject.rng_countdown == 0)
			return 0;
	}
	return __real_RAND_priv_bytes_ex(ctx, buf, n, strength);
}

static void *
ossl_malloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return fails_now() ? NULL : __real_malloc(n);
}

static void *
ossl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return fails_now() ? NULL : __real_realloc(p, n);
}

static void
ossl_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

/* ---- the cast ---- */

static struct tg_key *author, *reader, *second;
static struct tg_trust *trust;
static tg_bytes good, tampered;

/* A target of fixed size: a test's own memory must not fail. */
static uint8_t out_bytes[1 << 20];

static tg_status
fixed_write(void *ctx, const void *p, size_t n, uint64_t offset, struct tg_error *err)
{
	uint64_t *end = ctx;

	if (offset + n > sizeof(out_bytes))
		return tg_fail(err, TG_E_LIMIT, "test target is full");
	if (n > 0)
		memcpy(out_bytes + offset, p, n);
	*end = offset + n > *end ? offset + n : *end;
	return TG_OK;
}

static struct mem_file files[] = {
	{ "a.txt", { (const uint8_t *)"hello", 5 } },
	{ "b.bin", { NULL, 0 } },
};

static tg_status
do_build(struct tg_error *err)
{
	const struct tg_build_input inputs[] = { mem_input(&files[0]), mem_input(&files[1]) };
	const struct tg_key *to[] = { reader };
	const struct tg_build_spec spec = { .inputs = inputs, .n_inputs = 2, .signer = author,
		.recipients = to, .n_recipients = 1, .threads = 1,
		.custom = "{\"a\":1}" };
	struct tg_build_result r;
	uint64_t end = 0;
	const struct tg_target out = { fixed_write, &end };

	return tg_build(&spec, &out, &r, err);
}

static size_t delivered;

static tg_status
do_read(tg_bytes bytes, struct tg_error *err)
{
	const struct tg_source src = tg_source_bytes(&bytes);
	const struct tg_policy policy = easy_policy();
	const struct tg_sink count = { sink_count, &delivered };
	struct tg_package *p = NULL;
	struct tg_secret *mem = NULL;

	tg_status s = tg_package_open(&src, trust, &p, err);
	if (s == TG_OK)
		s = tg_package_unlock(p, reader, &policy, err);
	if (s == TG_OK)
		s = tg_package_load(p, 0, 1, &mem, err);
	if (s == TG_OK)
		s = tg_package_tar(p, 1, &count, NULL, err);
	tg_secret_free(mem);
	tg_package_close(p);
	return s;
}

static tg_status
do_read_good(struct tg_error *err)
{
	return do_read(good, err);
}

static tg_status
do_read_tampered(struct tg_error *err)
{
	return do_read(tampered, err);
}

static tg_status
do_rekey(struct tg_error *err)
{
	const struct tg_source src = tg_source_bytes(&good);
	const struct tg_policy policy = easy_policy();
	const struct tg_key *add[] = { second };
	const struct tg_rekey_spec spec = { .key = reader, .policy = &policy, .signer = author,
		.add = add, .n_add = 1 };
	struct tg_rekeyed r = { .added = 0 };
	tg_status s = tg_rekey(&src, trust, &spec, &r, err);

	tg_rekeyed_free(&r);
	return s;
}

static tg_status
do_generate(struct tg_error *err)
{
	struct tg_key *k = NULL;
	tg_status s = tg_key_generate(TG_KEY_ENCRYPTION, 0, &k, err);

	tg_key_free(k);
	return s;
}

/* ---- the rounds ---- */

struct story {
	const char *name;
	tg_status (*run)(struct tg_error *err);
	tg_status without_faults;
	bool rng; /* it draws randomness */
};

static long
allocations_of(const struct story *st)
{
	struct tg_error err = TG_ERROR_INIT;

	inject.calls = inject.rng_calls = 0;
	inject.on = true;
	tg_status s = st->run(&err);
	inject.on = false;
	named(s == st->without_faults, "%s without faults: %s (%ld allocations, %ld draws)", st->name,
	    tg_status_name(s), inject.calls, inject.rng_calls);
	return inject.calls;
}

/* Fail the nth call of one kind; true when what came of it is in order. */
static bool
one_fault(const struct story *st, long nth, long *which)
{
	struct tg_error err = TG_ERROR_INIT;

	delivered = 0;
	*which = nth;
	inject.on = true;
	tg_status s = st->run(&err);
	inject.on = false;
	const bool hit = *which == 0;
	inject.countdown = inject.rng_countdown = 0;
	/* a failure says so in words; a success is only fine where there was something to succeed,
	 * which is so when the fault was survivable (a cache not made, say) or not reached */
	if (s != TG_OK)
		return err.text[0] != '\0' && (hit || s == st->without_faults);
	return st->without_faults == TG_OK;
}

static void
every_allocation(const struct story *st)
{
	const long n = allocations_of(st);
	unsigned long wrong = 0;

	for (long i = 1; i <= n; i++)
		wrong += !one_fault(st, i, &inject.countdown);
	printf("# %s\n", st->name);
	OK_NONE(wrong, n, "failed allocations");
}

static void
every_draw(const struct story *st)
{
	unsigned long wrong = 0;
	const long n = inject.rng_calls;

	for (long i = 1; i <= n; i++) {
		struct tg_error err = TG_ERROR_INIT;

		inject.rng_countdown = i;
		inject.on = true;
		wrong += st->run(&err) == TG_OK; /* no randomness, no success */
		inject.on = false;
	}
	inject.rng_countdown = 0;
	printf("# %s\n", st->name);
	OK_NONE(wrong, n, "failed draws");
}

static void
set_up(void)
{
	const struct tg_ossl *o = NULL;
	uint8_t *copy;

	files[1].data = filled(70000, 1);
	author = vector_signer();
	reader = vector_recipient();
	second = fixed_key(TG_KEY_ENCRYPTION, 13, 14);
	trust = trust_of(author, NULL);
	MUST(tg_ossl(&o, err));
	MUST(do_build(err));
	const uint64_t n = 200000;
	copy = malloc(n);
	memcpy(copy, out_bytes, n);
	/* the real length: the frame says it, and the reader insists */
	for (uint64_t len = 70000; len <= n; len++) {
		tg_bytes v = { copy, len };

		if (memcmp(copy + len - 2, "}}", 2) == 0 && do_read(v, NULL) == TG_OK) {
			good = v;
			break;
		}
	}
	copy = malloc(good.n);
	memcpy(copy, good.p, good.n);
	copy[good.n - 30000] ^= 1; /* in the ciphertext */
	tampered = (tg_bytes){ copy, good.n };
}

int
main(void)
{
	static const struct story stories[] = {
		{ "build", do_build, TG_OK, true },
		{ "read", do_read_good, TG_OK, false },
		{ "read a tampered package", do_read_tampered, TG_E_AUTH, false },
		{ "rekey", do_rekey, TG_OK, true },
		{ "generate a key", do_generate, TG_OK, true },
	};

	if (CRYPTO_set_mem_functions(ossl_malloc, ossl_realloc, ossl_free) != 1)
		printf("# OpenSSL keeps its own allocator\n");
	json_set_alloc_funcs(__wrap_malloc, free);
	set_up();
	OK(good.n > 70000);
	for (size_t i = 0; i < TG_LEN(stories); i++) {
		every_allocation(&stories[i]);
		if (stories[i].rng) {
			(void)allocations_of(&stories[i]);
			every_draw(&stories[i]);
		}
	}
	free((void *)(uintptr_t)good.p);
	free((void *)(uintptr_t)tampered.p);
	free((void *)(uintptr_t)files[1].data.p);
	tg_trust_free(trust);
	tg_key_free(author);
	tg_key_free(reader);
	tg_key_free(second);
	return tap_done();
}
