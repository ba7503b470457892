/*
 * bench/tgsp - what the container costs beside the raw primitives it is made of, and beside age.
 *
 *   bench/tgsp [--mib N] [--rounds N] [--dir DIR] [--large-gib N] [--json]
 *
 * Every row is measured in this run, on the same file: each round runs all rows one after the
 * other, so that a slow minute of the machine hits all of them, and the best of the rounds counts.
 * CPU time is user and system time of all threads.
 */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tensorguard/build.h>
#include <tensorguard/package.h>
#include <unistd.h>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "crypto/leaf.h"
#include "tgsp/recipients.h"
#include "util/file.h"
#include "util/parallel.h"
#include "util/try.h"

#define CHUNK (64u << 10)
#define BATCH (4u * CHUNK)

static void
must(tg_status s, const struct tg_error *err)
{
	if (s == TG_OK)
		return;
	fprintf(stderr, "bench/tgsp: %s (%s)\n", err->text, tg_status_name(s));
	exit(1);
}

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench/tgsp: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- where things are ---- */

struct bench {
	uint64_t bytes;
	unsigned rounds, large_gib;
	bool json;
	const char *dir;
	char tensorguard[4096]; /* the program, beside this one */
	char model[4096], file[4200], package[4096], keys[4096], signing[4200], signing_pub[4200];
	char decrypt[4200], age_file[4200], age_key[4200], age_pub[64], scratch[4200];
	bool age;
};

static void
path(char *to, size_t n, const char *a, const char *b)
{
	need((size_t)snprintf(to, n, "%s/%s", a, b) < n, "path");
}

static void
find_program(struct bench *b)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	need(n > 0, "/proc/self/exe");
	self[n] = '\0';
	for (int up = 0; up < 2; up++)
		*strrchr(self, '/') = '\0';
	path(b->tensorguard, sizeof(b->tensorguard), self, "tensorguard");
	need(access(b->tensorguard, X_OK) == 0, b->tensorguard);
}

/* ---- input ---- */

/* A safetensors header of 4 KiB for one small tensor and one that is the rest. */
static void
write_header(int fd, const char *file, uint64_t bytes)
{
	char json[4096];
	struct tg_error err = TG_ERROR_INIT;
	const unsigned long long data = bytes - sizeof(json), small = 65536;
	const uint64_t n = sizeof(json) - 8;

	memset(json, ' ', sizeof(json));
	memcpy(json, &n, 8); /* little-endian machines only, as is the format */
	const int len = snprintf(json + 8, sizeof(json) - 8,
	    "{\"first\":{\"dtype\":\"F32\",\"shape\":[%llu],\"data_offsets\":[0,%llu]},"
	    "\"rest\":{\"dtype\":\"U8\",\"shape\":[%llu],\"data_offsets\":[%llu,%llu]}}",
	    small / 4, small, data - small, small, data);
	json[8 + len] = ' ';
	must(tg_fd_write(fd, json, sizeof(json), file, &err), &err);
}

/* A model of bytes that no compressor likes, from a counter through ChaCha20. */
static void
write_random(const char *file, uint64_t bytes)
{
	static const uint8_t key[32] = { 1 };
	struct tg_aead *a = NULL;
	struct tg_error err = TG_ERROR_INIT;
	uint8_t *buf = calloc(1, 1 << 20), tag[16], nonce[12];
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	need(fd >= 0 && buf != NULL, file);
	must(tg_aead_new(key, &a, &err), &err);
	write_header(fd, file, bytes);
	for (uint64_t at = 4096; at < bytes; at += 1 << 20) {
		const size_t n = bytes - at < 1 << 20 ? (size_t)(bytes - at) : 1 << 20;

		tg_stream_nonce(at, false, nonce);
		must(tg_aead_seal(a, nonce, (tg_bytes){ NULL, 0 }, buf, n, buf, tag, &err), &err);
		must(tg_fd_write(fd, buf, n, file, &err), &err);
	}
	tg_aead_free(a);
	free(buf);
	close(fd);
}

static void
run(struct bench *b, const char *const argv[])
{
	(void)b;
	(void)cost_of_program(NULL, argv);
}

/* Is there such a program on the PATH? */
static bool
installed(const char *name)
{
	const char *dirs = getenv("PATH");

	while (dirs != NULL && *dirs != '\0') {
		char file[4096];
		const size_t n = strcspn(dirs, ":");

		if ((size_t)snprintf(file, sizeof(file), "%.*s/%s", (int)n, dirs, name) < sizeof(file) &&
		    access(file, X_OK) == 0)
			return true;
		dirs += n + (dirs[n] == ':');
	}
	return false;
}

static void
set_up(struct bench *b)
{
	struct stat st;

	find_program(b);
	path(b->model, sizeof(b->model), b->dir, "model");
	path(b->file, sizeof(b->file), b->model, "weights.safetensors");
	path(b->package, sizeof(b->package), b->dir, "m.tgsp");
	path(b->keys, sizeof(b->keys), b->dir, "keys");
	path(b->signing, sizeof(b->signing), b->keys, "signing.priv");
	path(b->signing_pub, sizeof(b->signing_pub), b->keys, "signing.pub");
	path(b->decrypt, sizeof(b->decrypt), b->keys, "encryption.priv");
	path(b->age_file, sizeof(b->age_file), b->dir, "m.age");
	path(b->age_key, sizeof(b->age_key), b->dir, "age.key");
	path(b->scratch, sizeof(b->scratch), b->dir, "scratch");
	need(mkdir(b->model, 0700) == 0, b->model);
	write_random(b->file, b->bytes);
	run(b, (const char *[]){ b->tensorguard, "keygen", "--type", "both", "--out", b->keys,
		   "--no-passphrase", NULL });
	path(b->scratch, sizeof(b->scratch), b->keys, "encryption.pub");
	run(b, (const char *[]){ b->tensorguard, "build", "--input-dir", b->model, "--out", b->package,
		   "--signing-key", b->signing, "--recipient", b->scratch, NULL });
	path(b->scratch, sizeof(b->scratch), b->dir, "scratch");
	b->age = installed("age") && installed("age-keygen");
	if (!b->age)
		return;
	run(b, (const char *[]){ "sh", "-c", "exec age-keygen -o \"$0\" 2>/dev/null", b->age_key, NULL });
	FILE *f = fopen(b->age_key, "re");
	need(f != NULL, b->age_key);
	for (char line[256]; fgets(line, sizeof(line), f) != NULL;)
		(void)sscanf(line, "# public key: %63s", b->age_pub);
	fclose(f);
	run(b, (const char *[]){ "age", "-r", b->age_pub, "-o", b->age_file, b->file, NULL });
	need(stat(b->age_file, &st) == 0, b->age_file);
}

static int
remove_one(const char *file, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(file);
}

static void
remove_tree(const struct bench *b)
{
	if (nftw(b->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		fprintf(stderr, "bench/tgsp: %s stays\n", b->dir);
}

/* ---- raw primitives, one thread, on the same file ---- */

enum raw { READ, LEAF, OPEN, SEAL, SHA256, WRITE, MEMORY, RAWS };
static const char *const raw_names[RAWS] = {
	[READ] = "read from the page cache, 256 KiB at a time",
	[LEAF] = "leaf hash (fastest kernel)",
	[OPEN] = "ChaCha20-Poly1305 open, 64 KiB",
	[SEAL] = "ChaCha20-Poly1305 seal, 64 KiB",
	[SHA256] = "SHA-256 (OpenSSL)",
	[WRITE] = "write to a file of its own, 256 KiB at a time",
	[MEMORY] = "first touch of fresh locked memory",
};

struct raws {
	struct cost c[RAWS];
};

static struct cost
raw_read(const struct bench *b, int fd, uint8_t *buf)
{
	const struct cost from = cost_now();

	for (uint64_t at = 0; at < b->bytes; at += BATCH)
		need(pread(fd, buf, BATCH, (off_t)at) > 0, "pread");
	return cost_since(from);
}

static struct cost
raw_leaf(const struct bench *b, const uint8_t *buf)
{
	struct tg_error err = TG_ERROR_INIT;
	const struct cost from = cost_now();

	for (uint64_t at = 0; at < b->bytes; at += BATCH) {
		struct tg_leaf leaf[4];

		for (int i = 0; i < 4; i++)
			leaf[i] = (struct tg_leaf){ .ct = buf + (size_t)i * CHUNK, .tag = buf };
		must(tg_leaf_hash(leaf, 4, CHUNK, &err), &err);
	}
	return cost_since(from);
}

static struct cost
raw_aead(const struct bench *b, uint8_t *buf, bool open)
{
	static const uint8_t key[32] = { 7 };
	struct tg_aead *a = NULL;
	struct tg_error err = TG_ERROR_INIT;
	uint8_t nonce[12] = { 0 }, tag[16], *plain = malloc(CHUNK), *sealed = malloc(CHUNK);

	need(plain != NULL && sealed != NULL, "malloc");
	memcpy(plain, buf, CHUNK);
	must(tg_aead_new(key, &a, &err), &err);
	must(tg_aead_seal(a, nonce, (tg_bytes){ NULL, 0 }, plain, CHUNK, sealed, tag, &err), &err);
	const struct cost from = cost_now();
	for (uint64_t at = 0; at < b->bytes; at += CHUNK)
		must(open ? tg_aead_open(a, nonce, (tg_bytes){ NULL, 0 }, sealed, CHUNK, tag, plain, &err)
			  : tg_aead_seal(a, nonce, (tg_bytes){ NULL, 0 }, plain, CHUNK, sealed, tag,
				&err),
		    &err);
	const struct cost c = cost_since(from);
	tg_aead_free(a);
	free(plain);
	free(sealed);
	return c;
}

static struct cost
raw_sha256(const struct bench *b, const uint8_t *buf)
{
	struct tg_sha256_stream *h = NULL;
	struct tg_error err = TG_ERROR_INIT;
	uint8_t out[32];

	must(tg_sha256_new(&h, &err), &err);
	const struct cost from = cost_now();
	for (uint64_t at = 0; at < b->bytes; at += BATCH)
		must(tg_sha256_put(h, buf, BATCH, &err), &err);
	must(tg_sha256_finish(h, out, &err), &err);
	const struct cost c = cost_since(from);
	tg_sha256_free(h);
	return c;
}

static struct cost
raw_write(const struct bench *b, const uint8_t *buf)
{
	const int fd = open(b->scratch, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	const struct cost from = cost_now();

	need(fd >= 0, b->scratch);
	for (uint64_t at = 0; at < b->bytes; at += BATCH)
		need(pwrite(fd, buf, BATCH, (off_t)at) == BATCH, b->scratch);
	need(fsync(fd) == 0, b->scratch);
	const struct cost c = cost_since(from);
	close(fd);
	unlink(b->scratch);
	return c;
}

/* mlock faults every page in: this is what a fresh protected block costs before any decryption */
static struct cost
raw_memory(const struct bench *b)
{
	struct tg_secret *s = NULL;
	struct tg_error err = TG_ERROR_INIT;
	const struct cost from = cost_now();

	must(tg_secret_new(b->bytes, &s, &err), &err);
	for (uint64_t at = 0; at < b->bytes; at += 4096)
		tg_secret_bytes(s)[at] = 1;
	const struct cost c = cost_since(from);
	tg_secret_free(s);
	return c;
}

static void
raw_round(const struct bench *b, struct raws *r, bool first)
{
	uint8_t *buf = aligned_alloc(4096, BATCH);
	const int fd = open(b->file, O_RDONLY);
	struct cost now[RAWS];

	need(buf != NULL && fd >= 0, b->file);
	now[READ] = raw_read(b, fd, buf);
	now[LEAF] = raw_leaf(b, buf);
	now[OPEN] = raw_aead(b, buf, true);
	now[SEAL] = raw_aead(b, buf, false);
	now[SHA256] = raw_sha256(b, buf);
	now[WRITE] = raw_write(b, buf);
	now[MEMORY] = raw_memory(b);
	for (int i = 0; i < RAWS; i++)
		r->c[i] = first ? now[i] : cost_best(r->c[i], now[i]);
	free(buf);
	close(fd);
}

/* ---- the programs ---- */

enum ours { OPEN_TAR, OPEN_TAR_1, VERIFY, VERIFY_1, DEEP, BUILD, BUILD_1, LOAD, AGE_DECRYPT, AGE_ENCRYPT, OURS };
static const char *const our_names[OURS] = {
	[OPEN_TAR] = "open --tar >/dev/null",
	[OPEN_TAR_1] = "open --tar --threads 1 >/dev/null",
	[VERIFY] = "verify",
	[VERIFY_1] = "verify --threads 1",
	[DEEP] = "verify --deep (file hashes too)",
	[BUILD] = "build",
	[BUILD_1] = "build --threads 1",
	[LOAD] = "into fresh locked memory (library, 1 thread)",
	[AGE_DECRYPT] = "age -d >/dev/null",
	[AGE_ENCRYPT] = "age -r",
};

static struct cost
load(const struct bench *b)
{
	struct tg_error err = TG_ERROR_INIT;
	struct tg_key *key = NULL;
	struct tg_trust *trust = NULL;
	struct tg_file *file = NULL;
	struct tg_package *p = NULL;
	struct tg_secret *mem = NULL;
	const struct tg_policy policy = { .now = 1, .agent_version = "0.1.0" };

	must(tg_key_load(b->decrypt, NULL, &key, &err), &err);
	must(tg_trust_new(&trust, &err), &err);
	must(tg_trust_add_path(trust, TG_TRUST_AUTHOR, b->signing_pub, &err), &err);
	must(tg_file_open(b->package, &file, &err), &err);
	const struct tg_source src = tg_file_source(file);
	const struct cost from = cost_now();
	must(tg_package_open(&src, trust, &p, &err), &err);
	must(tg_package_unlock(p, key, &policy, &err), &err);
	must(tg_package_load(p, 0, 1, &mem, &err), &err);
	const struct cost c = cost_since(from);
	tg_secret_free(mem);
	tg_package_close(p);
	tg_file_close(file);
	tg_trust_free(trust);
	tg_key_free(key);
	return c;
}

static struct cost
build(struct bench *b, const char *threads)
{
	char pub[4200];

	path(pub, sizeof(pub), b->keys, "encryption.pub");
	const struct cost c = cost_of_program(NULL,
	    (const char *[]){ b->tensorguard, "build", "--input-dir", b->model, "--out", b->scratch,
		"--signing-key", b->signing, "--recipient", pub, "--threads", threads, NULL });
	unlink(b->scratch);
	return c;
}

static void
our_round(struct bench *b, struct cost c[OURS], bool first)
{
	struct cost now[OURS] = { { 0 } };

#define OPEN_ARGS b->tensorguard, "open", b->package, "--key", b->decrypt, "--trust", b->signing_pub
#define VERIFY_ARGS b->tensorguard, "verify", b->package, "--trust", b->signing_pub
	now[OPEN_TAR] = cost_of_program(NULL, (const char *[]){ OPEN_ARGS, "--tar", NULL });
	now[OPEN_TAR_1] = cost_of_program(NULL,
	    (const char *[]){ OPEN_ARGS, "--tar", "--threads", "1", NULL });
	if (b->age)
		now[AGE_DECRYPT] = cost_of_program(NULL,
		    (const char *[]){ "age", "-d", "-i", b->age_key, b->age_file, NULL });
	now[VERIFY] = cost_of_program(NULL, (const char *[]){ VERIFY_ARGS, NULL });
	now[VERIFY_1] = cost_of_program(NULL, (const char *[]){ VERIFY_ARGS, "--threads", "1", NULL });
	now[DEEP] = cost_of_program(NULL,
	    (const char *[]){ VERIFY_ARGS, "--deep", "--key", b->decrypt, NULL });
	now[BUILD] = build(b, "0");
	now[BUILD_1] = build(b, "1");
	if (b->age) {
		now[AGE_ENCRYPT] = cost_of_program(NULL,
		    (const char *[]){ "age", "-r", b->age_pub, "-o", b->scratch, b->file, NULL });
		unlink(b->scratch);
	}
	now[LOAD] = load(b);
	for (int i = 0; i < OURS; i++)
		c[i] = first ? now[i] : cost_best(c[i], now[i]);
}

/* ---- both halves of one statement, keys loaded ---- */

static double
statement_ms(unsigned rounds)
{
	static const uint8_t text[1024] = { 42 };
	const tg_bytes part = { text, sizeof(text) };
	struct tg_error err = TG_ERROR_INIT;
	struct tg_key *k = NULL;
	struct tg_composite_sig *sig = malloc(sizeof(*sig));
	double best = 1e9;

	need(sig != NULL, "malloc");
	must(tg_key_generate(TG_KEY_SIGNING, 0, &k, &err), &err);
	must(tg_composite_sign(k->private[TG_CLASSIC], k->private[TG_PQC], &part, 1, false, sig, &err),
	    &err);
	for (unsigned i = 0; i < rounds; i++) {
		const struct cost from = cost_now();

		for (int n = 0; n < 100; n++)
			must(tg_composite_verify(k->public[TG_CLASSIC], k->public[TG_PQC], &part, 1, sig,
				 &err),
			    &err);
		const double ms = cost_since(from).cpu * 10;
		best = ms < best ? ms : best;
	}
	tg_key_free(k);
	free(sig);
	return best;
}

/* ---- start of process to the first tensor ---- */

static struct cost
first_tensor(struct bench *b, unsigned rounds)
{
	struct cost best = { 1e9, 1e9, 0 };

	for (unsigned i = 0; i < rounds; i++) {
		unlink(b->scratch);
		const struct cost c = cost_of_program(NULL,
		    (const char *[]){ OPEN_ARGS, "--tensor", "first", "--out", b->scratch, NULL });
		best = i == 0 ? c : cost_best(best, c);
	}
	unlink(b->scratch);
	return best;
}

/* ---- a thousand recipients ---- */

static double
wrap_thousand_s(void)
{
	static const uint8_t manifest[32] = { 1 }, commit[32] = { 2 };
	static const struct tgsp_coins coins = { { 3 }, { 4 } };
	const struct tg_key32 dek = { { 5 } };
	struct tg_error err = TG_ERROR_INIT;
	struct tg_key *k = NULL;
	struct tgsp_recipient *r = malloc(sizeof(*r));

	need(r != NULL, "malloc");
	must(tg_key_generate(TG_KEY_ENCRYPTION, 0, &k, &err), &err);
	const struct cost from = cost_now();
	for (int i = 0; i < 1000; i++)
		must(tgsp_recipient_wrap(k, &coins, &dek, manifest, commit, r, &err), &err);
	const double s = cost_since(from).cpu;
	tg_key_free(k);
	free(r);
	return s;
}

/* ---- other recipients for a large package ---- */

static struct cost
rekey_hundred(struct bench *b)
{
	enum { MORE = 100, FIXED = 11 };
	static char pubs[MORE][4300];
	const char *argv[FIXED + 2 * MORE + 2] = { b->tensorguard, "rekey", b->package, "--key",
		b->decrypt, "--signing-key", b->signing, "--trust", b->signing_pub, "--out", b->scratch };

	for (int i = 0; i < MORE; i++) {
		char dir[4200];

		(void)snprintf(dir, sizeof(dir), "%s/r%d", b->dir, i);
		if (access(dir, F_OK) != 0)
			run(b, (const char *[]){ b->tensorguard, "keygen", "--type", "encryption", "--out",
				   dir, "--no-passphrase", NULL });
		(void)snprintf(pubs[i], sizeof(pubs[i]), "%s/encryption.pub", dir);
		argv[FIXED + 2 * i] = "--add";
		argv[FIXED + 2 * i + 1] = pubs[i];
	}
	argv[FIXED + 2 * MORE] = "--json";
	char report[4300];
	(void)snprintf(report, sizeof(report), "%s/rekey.json", b->dir);
	return cost_of_program(report, argv);
}

/* ---- the report ---- */

/* A goal, what was measured, and the least or most it should be. */
struct goal {
	const char *name;
	double value, limit;
	bool at_most;
};

static double
sum_cpu(const struct raws *r, const enum raw *terms, size_t n)
{
	double cpu = 0;

	for (size_t i = 0; i < n; i++)
		cpu += r->c[terms[i]].cpu;
	return cpu;
}
#define SUM(r, ...)                                                                                \
	sum_cpu((r), (const enum raw[]){ __VA_ARGS__ },                                            \
	    sizeof((const enum raw[]){ __VA_ARGS__ }) / sizeof(enum raw))

static void
print_rows(const struct bench *b, const struct raws *r, const struct cost c[OURS])
{
	printf("%-46s %12s %12s %10s\n", "", "MB/CPU-s", "MB/s", "peak MiB");
	for (int i = 0; i < RAWS; i++)
		printf("raw   %-40.40s %12.0f %12.0f\n", raw_names[i], mb_per_cpu(b->bytes, r->c[i]),
		    mb_per_s(b->bytes, r->c[i]));
	for (int i = 0; i < OURS; i++)
		if (c[i].cpu > 0)
			printf("%-46.46s %12.0f %12.0f %10.1f\n", our_names[i],
			    mb_per_cpu(b->bytes, c[i]), mb_per_s(b->bytes, c[i]),
			    (double)c[i].rss_kib / 1024);
}

/* What is measured once, at the large size if there is one. */
struct once {
	double statement_ms, wrap_s;
	struct cost open, tensor, rekey, cp; /* zero when not measured */
	bool shared;                     /* the file system shared the ciphertext's blocks */
};

static size_t
goals(const struct bench *b, const struct raws *r, const struct cost c[OURS], const struct once *o,
    struct goal *g)
{
	const unsigned threads = tg_parallel_cores() < 2 ? 1 : 2;
	size_t n = 0;

	g[n++] = (struct goal){ "open --tar / (read + leaf + ChaCha20-Poly1305)",
		SUM(r, READ, LEAF, OPEN) / c[OPEN_TAR_1].cpu, 0.9, false };
	g[n++] = (struct goal){ "open --tar, GB per CPU-second", mb_per_cpu(b->bytes, c[OPEN_TAR_1]) / 1e3,
		1.4, false };
	g[n++] = (struct goal){ "open --tar, all threads / 1 thread, wall",
		c[OPEN_TAR_1].wall / c[OPEN_TAR].wall, threads == 2 ? 1.8 : 0.9, false };
	g[n++] = (struct goal){ "verify / (read + leaf)", SUM(r, READ, LEAF) / c[VERIFY_1].cpu, 0.9,
		false };
	g[n++] = (struct goal){ "verify --deep / (read + leaf + ChaCha + SHA-256)",
		SUM(r, READ, LEAF, OPEN, SHA256) / c[DEEP].cpu, 0.9, false };
	g[n++] = (struct goal){ "build / (2 read + 2 SHA-256 + seal + leaf + write)",
		SUM(r, READ, READ, SHA256, SHA256, SEAL, LEAF, WRITE) / c[BUILD_1].cpu, 0.8, false };
	g[n++] = (struct goal){ "load / (locked memory + read + leaf + ChaCha + SHA-256)",
		SUM(r, MEMORY, READ, LEAF, OPEN, SHA256) / c[LOAD].cpu, 0.9, false };
	if (b->age) {
		g[n++] = (struct goal){ "open --tar / age -d, per CPU-second",
			c[AGE_DECRYPT].cpu / c[OPEN_TAR].cpu, 1.8, false };
		g[n++] = (struct goal){ "open --tar / age -d, wall, all threads",
			c[AGE_DECRYPT].wall / c[OPEN_TAR].wall, 1.8 * threads, false };
	}
	g[n++] = (struct goal){ "both halves of one statement, ms", o->statement_ms, 0.5, true };
	g[n++] = (struct goal){ "wrapping for 1,000 recipients, s", o->wrap_s, 0.2, true };
	g[n++] = (struct goal){ "process start to first tensor, ms", o->tensor.wall * 1e3, 25, true };
	g[n++] = (struct goal){ "peak RSS of open, MiB", (double)c[OPEN_TAR].rss_kib / 1024, 32, true };
	g[n++] = (struct goal){ "peak RSS of verify, MiB", (double)c[VERIFY].rss_kib / 1024, 32, true };
	g[n++] = (struct goal){ "peak RSS of build, MiB", (double)c[BUILD].rss_kib / 1024, 32, true };
	if (b->large_gib > 0) {
		g[n++] = (struct goal){ "peak RSS of open at the large size, MiB",
			(double)o->open.rss_kib / 1024, 32, true };
		if (o->shared)
			g[n++] = (struct goal){ "re-key for 100 more recipients, blocks shared, s",
				o->rekey.wall, 1, true };
		else
			g[n++] = (struct goal){ "re-key for 100 more recipients, blocks copied / cp",
				o->cp.wall / o->rekey.wall, 0.8, false };
	}
	return n;
}

static int
print_goals(const struct goal *g, size_t n)
{
	int missed = 0;

	printf("\n%-58s %8s %10s\n", "goal", "here", "limit");
	for (size_t i = 0; i < n; i++) {
		const bool met = g[i].at_most ? g[i].value <= g[i].limit : g[i].value >= g[i].limit;

		printf("%-58s %8.2f %7s%.2f  %s\n", g[i].name, g[i].value, g[i].at_most ? "<= " : ">= ",
		    g[i].limit, met ? "met" : "MISSED");
		missed += !met;
	}
	return missed;
}

static void
print_json(const struct bench *b, const struct raws *r, const struct cost c[OURS],
    const struct goal *g, size_t n)
{
	printf("{\"bytes\":%llu,\"rounds\":%u,\"rows\":[", (unsigned long long)b->bytes, b->rounds);
	for (int i = 0; i < RAWS; i++)
		printf("%s{\"name\":\"raw: %s\",\"cpu_s\":%.6f,\"wall_s\":%.6f}", i > 0 ? "," : "",
		    raw_names[i], r->c[i].cpu, r->c[i].wall);
	for (int i = 0; i < OURS; i++)
		if (c[i].cpu > 0)
			printf(",{\"name\":\"%s\",\"cpu_s\":%.6f,\"wall_s\":%.6f,\"rss_kib\":%ld}",
			    our_names[i], c[i].cpu, c[i].wall, c[i].rss_kib);
	printf("],\"goals\":[");
	for (size_t i = 0; i < n; i++)
		printf("%s{\"name\":\"%s\",\"value\":%.4f,\"limit\":%.4f,\"at_most\":%s}",
		    i > 0 ? "," : "", g[i].name, g[i].value, g[i].limit,
		    g[i].at_most ? "true" : "false");
	printf("]}\n");
}

/* ---- several GiB: memory, the first tensor, re-keying ---- */

static bool
was_shared(const struct bench *b)
{
	char file[4300], text[512] = "";

	(void)snprintf(file, sizeof(file), "%s/rekey.json", b->dir);
	FILE *f = fopen(file, "re");
	need(f != NULL && fgets(text, sizeof(text), f) != NULL, file);
	fclose(f);
	return strstr(text, "\"shared_bytes\":0}") == NULL;
}

static void
at_large_size(struct bench *b, struct once *o)
{
	if (b->large_gib == 0)
		return;
	unlink(b->age_file);
	write_random(b->file, (uint64_t)b->large_gib << 30);
	run(b, (const char *[]){ b->tensorguard, "build", "--input-dir", b->model, "--out", b->package,
		   "--signing-key", b->signing, NULL });
	unlink(b->file);
	o->open = cost_of_program(NULL, (const char *[]){ OPEN_ARGS, "--tar", NULL });
	o->tensor = first_tensor(b, b->rounds);
	o->rekey = rekey_hundred(b);
	unlink(b->scratch);
	o->shared = was_shared(b);
	if (!o->shared) /* a bare copy, made durable as ours is */
		o->cp = cost_of_program(NULL,
		    (const char *[]){ "sh", "-c", "cp -- \"$0\" \"$1\" && sync -- \"$1\"", b->package,
			b->scratch, NULL });
	unlink(b->scratch);
}

static uint64_t
number(const char *text)
{
	char *end = NULL;
	const unsigned long long v = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0' || v == 0) {
		fprintf(stderr, "bench/tgsp: \"%s\", a number expected\n", text);
		exit(64);
	}
	return v;
}

static void
options(struct bench *b, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			b->json = true;
		} else if (i + 1 < argc && strcmp(argv[i], "--mib") == 0) {
			b->bytes = number(argv[++i]) << 20;
		} else if (i + 1 < argc && strcmp(argv[i], "--rounds") == 0) {
			b->rounds = (unsigned)number(argv[++i]);
		} else if (i + 1 < argc && strcmp(argv[i], "--large-gib") == 0) {
			b->large_gib = (unsigned)number(argv[++i]);
		} else if (i + 1 < argc && strcmp(argv[i], "--dir") == 0) {
			b->dir = argv[++i];
		} else {
			printf("usage: bench/tgsp [--mib N] [--rounds N] [--large-gib N] [--dir DIR] [--json]\n"
			       "example: bench/tgsp --mib 1024 --rounds 5 --large-gib 8\n");
			exit(strcmp(argv[i], "-h") == 0 ? 0 : 64);
		}
	}
}

int
main(int argc, char **argv)
{
	struct bench b = { .bytes = 1ull << 30, .rounds = 5, .dir = "." };
	char dir[4096];
	struct raws raws;
	struct cost ours[OURS];
	struct goal g[24];

	options(&b, argc, argv);
	(void)snprintf(dir, sizeof(dir), "%s/bench-tgsp.XXXXXX", b.dir);
	need(mkdtemp(dir) != NULL, dir);
	b.dir = dir;
	set_up(&b);
	for (unsigned i = 0; i < b.rounds; i++) {
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\rround %u of %u", i + 1, b.rounds);
		raw_round(&b, &raws, i == 0);
		our_round(&b, ours, i == 0);
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	struct once once = { .statement_ms = statement_ms(b.rounds), .wrap_s = wrap_thousand_s(),
		.tensor = first_tensor(&b, b.rounds) };
	at_large_size(&b, &once);
	const size_t n = goals(&b, &raws, ours, &once, g);
	int missed = 0;
	if (b.json) {
		print_json(&b, &raws, ours, g, n);
	} else {
		printf("%llu MiB, %u rounds, best of each; leaf kernel %s, %u cores\n\n",
		    (unsigned long long)b.bytes >> 20, b.rounds, tg_leaf_kernel(4)->name,
		    tg_parallel_cores());
		print_rows(&b, &raws, ours);
		missed = print_goals(g, n);
		printf("%zu of %zu goals met\n", n - (size_t)missed, n);
	}
	remove_tree(&b);
	return 0;
}
