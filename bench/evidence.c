/*
 * The evidence log against the raw cost of what it does: a bare write+fdatasync loop, the same hashing
 * in memory, and rows inserted into SQLite (WAL, synchronous=FULL), all in one run.
 *
 *   bench/evidence [--dir DIR] [--seconds S] [--rounds N] [--records N] [--tree N] [--json]
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <tensorguard/log.h>
#include <time.h>
#include <unistd.h>

#include "crypto/leaf.h"
#include "evidence/batch.h"
#include "evidence/checkpoint.h"
#include "evidence/segments.h"
#include "evidence/tlogproof.h"
#include "evidence/treefile.h"
#include "measure.h"
#include "util/parallel.h"

struct bench {
	char dir[400];
	double seconds;    /* of one measurement of a rate */
	unsigned rounds;
	uint64_t records;  /* of the log that is verified */
	uint64_t tree;     /* leaves of the tree that proofs are made from */
	int json;
	struct tg_key *key;
	size_t record_len; /* bytes, with its newline */
};

static struct tg_error err;

static void
need(tg_status s, const char *what)
{
	if (s == TG_OK)
		return;
	fprintf(stderr, "evidence: %s: %s\n", what, err.text);
	exit(1);
}

static void
need_errno(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "evidence: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static const char *
in(const struct bench *b, const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	return path;
}

static double
now_s(void)
{
	return cost_now().wall;
}

static int64_t
clock_us(void *unused)
{
	struct timespec t;

	(void)unused;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The event that everything here is measured with. */
static const char event[] =
    "{\"event_type\":\"TGSP_OPEN_ALLOWED\",\"fleet_id\":\"fceac734-e672-4a0c-863b-c7bb8e28b88e\","
    "\"manifest_hash\":\"8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4\","
    "\"package_hash\":\"8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4\","
    "\"result\":{\"status\":\"success\"},\"subject\":{\"tgsp_ref\":\"perception-net-1.4.2.tgsp\"}}";

static const struct tg_log_options options = {
	.actor = "{\"id\":\"a-000001\",\"type\":\"device\"}",
	.now = clock_us,
};

/* ---- raw costs ---- */

/* Loops of write+fdatasync of n records' bytes at the end of a file, a second. */
static double
bare_rate(const struct bench *b, size_t n)
{
	const size_t len = n * b->record_len;
	char *bytes = malloc(len);
	const int fd = open(in(b, "bare"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	unsigned long loops = 0;

	need_errno(bytes != NULL && fd >= 0, "bare file");
	memset(bytes, 'x', len);
	const double start = now_s();
	double took = 0;
	for (; took < b->seconds; took = now_s() - start, loops++)
		need_errno(write(fd, bytes, len) == (ssize_t)len && fdatasync(fd) == 0, "bare write");
	close(fd);
	free(bytes);
	(void)unlink(in(b, "bare"));
	return (double)loops / took;
}

/* 64 threads that sleep until they are woken, and come back at once: what it takes this machine to have
 * 64 appenders with one event each, whatever a log does for them. Rounds a second. */
static struct {
	_Atomic uint32_t turn, back;
	atomic_bool stop;
} woken;

static void *
sleeper(void *arg)
{
	while (!atomic_load(&woken.stop)) {
		const uint32_t t = atomic_load(&woken.turn);

		atomic_fetch_add(&woken.back, 1);
		while (atomic_load(&woken.turn) == t)
			(void)syscall(SYS_futex, &woken.turn, FUTEX_WAIT_PRIVATE, t, NULL, NULL, 0);
	}
	return arg;
}

static double
waking_rate(const struct bench *b)
{
	enum { N = 64 };
	pthread_t t[N];
	unsigned long rounds = 0;

	for (unsigned i = 0; i < N; i++)
		need_errno(pthread_create(&t[i], NULL, sleeper, NULL) == 0, "thread");
	const double start = now_s();
	double took = 0;
	for (; took < b->seconds; took = now_s() - start, rounds++) {
		while (atomic_load(&woken.back) < N)
			(void)sched_yield();
		atomic_store(&woken.back, 0);
		atomic_fetch_add(&woken.turn, 1);
		(void)syscall(SYS_futex, &woken.turn, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	}
	atomic_store(&woken.stop, true);
	atomic_fetch_add(&woken.turn, 1);
	(void)syscall(SYS_futex, &woken.turn, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	for (unsigned i = 0; i < N; i++)
		(void)pthread_join(t[i], NULL);
	atomic_store(&woken.stop, false);
	atomic_store(&woken.back, 0);
	return (double)rounds / took;
}

/* Event, chain, leaf and node hashes of a batch in memory, by the same kernels: events a second. */
static double
hashing_rate(const struct bench *b)
{
	enum { N = TG_BATCH_RECORDS };
	static uint8_t chain[N][TG_RECORD_LINK_LEN], leaves[(N + 1) * 32];
	struct tg_sha256_job *job = calloc(N, sizeof(*job));
	uint8_t *bytes = calloc(N, b->record_len);
	struct tg_treefile tree;
	const size_t head = TG_RECORD_SEQUENCE_AT + 8, rest = b->record_len - 1 - head;
	uint64_t done = 0;

	need_errno(job != NULL && bytes != NULL, "memory");
	need(tg_treefile_open(&tree, NULL, false, 0, &err), "tree");
	const struct cost start = cost_now();
	double took = 0;
	for (; took < b->seconds; took = cost_since(start).cpu, done += N) {
		for (size_t i = 0; i < N; i++)
			job[i] = (struct tg_sha256_job){ .body = { bytes + i * b->record_len + head, rest } };
		need(tg_sha256_many(job, N, &err), "event hashes");
		for (size_t i = 0; i < N; i++) { /* each waits for the one before */
			struct tg_sha256_job one = { .body = { chain[i], TG_RECORD_LINK_LEN } };

			need(tg_sha256_many(&one, 1, &err), "chain hash");
		}
		for (size_t i = 0; i < N; i++)
			job[i] = (struct tg_sha256_job){ .head = { chain[0], 1 },
				.body = { bytes + i * b->record_len, b->record_len - 1 } };
		need(tg_sha256_many(job, N, &err), "leaf hashes");
		need(tg_treefile_append(&tree, leaves, N, &err), "node hashes");
	}
	free(job);
	free(bytes);
	return (double)done / took;
}

static void
sql(sqlite3 *db, const char *text)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "evidence: SQLite: %s\n", sqlite3_errmsg(db));
		exit(1);
	}
}

/* Rows of the same bytes, so many in a transaction: rows a second. */
static double
sqlite_rate(const struct bench *b, unsigned batch)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	char *bytes = malloc(b->record_len);
	uint64_t n = 0;

	need_errno(bytes != NULL && sqlite3_open(in(b, "rows.db"), &db) == SQLITE_OK, "SQLite");
	memset(bytes, 'x', b->record_len);
	sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"CREATE TABLE e(seq INTEGER PRIMARY KEY, record BLOB)");
	need_errno(sqlite3_prepare_v2(db, "INSERT INTO e VALUES(?,?)", -1, &s, NULL) == SQLITE_OK, "SQLite");
	const double start = now_s();
	double took = 0;
	for (; took < b->seconds; took = now_s() - start) {
		sql(db, "BEGIN");
		for (unsigned i = 0; i < batch; i++, n++) {
			sqlite3_bind_int64(s, 1, (sqlite3_int64)n);
			sqlite3_bind_blob(s, 2, bytes, (int)b->record_len, SQLITE_STATIC);
			need_errno(sqlite3_step(s) == SQLITE_DONE, "SQLite");
			sqlite3_reset(s);
		}
		sql(db, "COMMIT");
	}
	sqlite3_finalize(s);
	sqlite3_close(db);
	free(bytes);
	static const char *const files[] = { "rows.db", "rows.db-wal", "rows.db-shm" };
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(in(b, files[i]));
	return (double)n / took;
}

/* ---- appending ---- */

struct appending {
	struct tg_log *log;
	unsigned outstanding;
	atomic_bool stop;
	_Atomic uint64_t n;
};

static void *
appender(void *arg)
{
	struct appending *a = arg;
	const tg_bytes e = { (const uint8_t *)event, sizeof(event) - 1 };
	struct tg_log_entry entry = { .sequence = 0 };
	struct tg_error why = TG_ERROR_INIT;

	while (!atomic_load_explicit(&a->stop, memory_order_relaxed)) {
		for (unsigned i = 0; i < a->outstanding; i++)
			if (tg_log_submit(a->log, e, &entry, &why) != TG_OK)
				exit(1);
		if (tg_log_wait(a->log, entry.sequence, &why) != TG_OK)
			exit(1);
		atomic_fetch_add_explicit(&a->n, a->outstanding, memory_order_relaxed);
	}
	return NULL;
}

/* Durable events a second. */
static double
append_rate(const struct bench *b, unsigned threads, unsigned outstanding)
{
	struct tg_log_folder *folder = NULL;
	struct appending a = { .outstanding = outstanding };
	pthread_t t[64];
	char dir[512];

	(void)snprintf(dir, sizeof(dir), "%s", in(b, "log"));
	need(tg_log_folder_open(dir, 1, &folder, &err), "folder");
	const struct tg_log_files *files = tg_log_folder_files(folder);
	need(tg_log_create(files, "bench.example/log", b->key, &options, &err), "create");
	need(tg_log_open(files, &options, &a.log, &err), "open");
	const double start = now_s();
	for (unsigned i = 0; i < threads; i++)
		need_errno(pthread_create(&t[i], NULL, appender, &a) == 0, "thread");
	while (now_s() - start < b->seconds)
		(void)usleep(10000);
	const uint64_t n = atomic_load(&a.n);
	const double took = now_s() - start;
	atomic_store(&a.stop, 1);
	for (unsigned i = 0; i < threads; i++)
		(void)pthread_join(t[i], NULL);
	tg_log_close(a.log);
	tg_log_folder_close(folder);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return (double)n / took;
}

/* ---- verifying ---- */

static void
make_log(const struct bench *b, const char *dir, uint64_t n, struct tg_log_folder **ret)
{
	struct tg_log *log = NULL;
	struct tg_log_entry entry;
	const tg_bytes e = { (const uint8_t *)event, sizeof(event) - 1 };

	need(tg_log_folder_open(dir, 1, ret, &err), "folder");
	const struct tg_log_files *files = tg_log_folder_files(*ret);
	need(tg_log_create(files, "bench.example/log", b->key, &options, &err), "create");
	need(tg_log_open(files, &options, &log, &err), "open");
	for (uint64_t i = 1; i < n; i++)
		need(tg_log_submit(log, e, &entry, &err), "append");
	need(tg_log_wait(log, n - 1, &err), "append");
	need(tg_log_checkpoint(log, b->key, 1700000000, NULL, &err), "checkpoint");
	tg_log_close(log);
}

static struct cost
verify_cost(struct tg_log_folder *folder, uint64_t n, unsigned threads)
{
	struct tg_log_report r;
	const struct cost start = cost_now();

	need(tg_log_verify(tg_log_folder_files(folder), NULL, threads, NULL, &r, &err), "verify");
	if (r.records != n) {
		fprintf(stderr, "evidence: %llu records verified, %llu expected\n",
		    (unsigned long long)r.records, (unsigned long long)n);
		exit(1);
	}
	return cost_since(start);
}

/* ---- proving ---- */

struct proving {
	double us;   /* a proof */
	size_t file; /* bytes, with the log's two signatures */
};

static tg_status
count(void *ctx, const void *p, size_t n, struct tg_error *e)
{
	(void)p, (void)e;
	*(size_t *)ctx += n;
	return TG_OK;
}

/* A tree of so many leaves, its leaves made up, under a checkpoint that is signed for real. */
static void
make_tree(const struct bench *b, const struct tg_log_files *files, struct tg_checkpoint *c)
{
	enum { K = 65536 };
	uint8_t *scratch = malloc((K + 1) * 32);
	struct tg_treefile t;
	struct tg_buf note = { .max = 1 << 16 };

	need_errno(scratch != NULL, "memory");
	need(tg_treefile_open(&t, files, true, 0, &err), "tree");
	while (t.n < b->tree) {
		const size_t k = b->tree - t.n < K ? (size_t)(b->tree - t.n) : K;

		for (size_t i = 0; i < k * 32; i += 8)
			tg_put_u64be(scratch + 32 + i, (t.n * 32 + i) * 0x9e3779b97f4a7c15u);
		need(tg_treefile_append(&t, scratch, k, &err), "tree");
	}
	*c = (struct tg_checkpoint){ .origin = "bench.example/log", .size = b->tree };
	need(tg_treefile_root(&t, c->root, &err), "root");
	tg_treefile_close(&t);
	free(scratch);
	need(tg_checkpoint_sign(c, b->key, 1700000000, &note, &err), "checkpoint");
	need(files->replace(files->ctx, "checkpoint", note.p, note.n, &err), "checkpoint");
	tg_buf_done(&note);
}

static struct proving
prove(const struct bench *b)
{
	enum { PROOFS = 20000 };
	struct tg_log_folder *folder = NULL;
	struct tg_log_prover *p = NULL;
	struct tg_checkpoint c;
	struct proving ret = { 0, 0 };
	char dir[512];
	size_t sum = 0;
	const struct tg_sink to = { count, &sum };

	(void)snprintf(dir, sizeof(dir), "%s", in(b, "tree-log"));
	need(tg_log_folder_open(dir, 1, &folder, &err), "folder");
	make_tree(b, tg_log_folder_files(folder), &c);
	need(tg_log_prover_open(tg_log_folder_files(folder), &p, &err), "prover");
	for (int round = 0; round < 2; round++) { /* the first fills the page cache */
		const struct cost start = cost_now();
		uint64_t at = 1;

		for (unsigned i = 0; i < PROOFS; i++) {
			at = at * 6364136223846793005u + 1442695040888963407u;
			need(tg_log_prove(p, at % b->tree, 0, &to, &err), "proof");
		}
		ret.us = cost_since(start).wall / PROOFS * 1e6;
	}
	ret.file = sum / (2 * PROOFS);
	tg_log_prover_close(p);
	tg_log_folder_close(folder);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return ret;
}

static tg_status
any_node(void *ctx, unsigned level, uint64_t index, uint8_t out[static 32], struct tg_error *e)
{
	(void)ctx, (void)level, (void)index, (void)e;
	memset(out, 0xff, 32);
	return TG_OK;
}

/* What the proof of the first of n records comes to, whatever the hashes are: the path, and the file
 * with the log's two signatures and the post-quantum line of one witness. */
static void
proof_sizes(const struct bench *b, uint64_t n, size_t *ret_path, size_t *ret_file)
{
	const struct tg_checkpoint c = { .origin = "example.com/fleet-7", .size = n };
	const struct tg_hashes hashes = { any_node, NULL };
	struct tg_buf note = { .max = 1 << 16 }, lines = { .max = 1 << 16 }, out = { .max = 1 << 16 };
	struct tg_path path;

	need(tg_proof_inclusion(&hashes, 0, n, &path, &err), "path");
	need(tg_checkpoint_sign(&c, b->key, 1700000000, &note, &err), "checkpoint");
	need(tg_checkpoint_cosign(&c, "witness.example/w1", b->key, 1700000000, &lines, &err), "cosignature");
	const uint8_t *second = memchr(lines.p, '\n', lines.n); /* behind the Ed25519 line */
	need(second == NULL ? TG_E_INTERNAL : TG_OK, "cosignature");
	need(tg_buf_put(&note, second + 1, lines.n - (size_t)(second + 1 - lines.p)), "cosignature");
	need(tg_tlogproof_put((tg_bytes){ NULL, 0 }, 0, &path, tg_buf_view(&note), &out), "proof");
	*ret_path = 32 * (size_t)path.n;
	*ret_file = out.n;
	tg_buf_done(&note);
	tg_buf_done(&lines);
	tg_buf_done(&out);
}

/* ---- all of it ---- */

struct results {
	double bare1, bare64, bare4096, hashing, waking, sqlite1, sqlite1000;
	double one, many1, many64;
	struct cost verify1, verify2;
	double rss_small, rss_large; /* MiB */
	struct proving proof;
};

static double
best(double a, double b)
{
	return a > b ? a : b;
}

static void
measure_rates(const struct bench *b, struct results *r)
{
	for (unsigned i = 0; i < b->rounds; i++) {
		r->bare1 = best(r->bare1, bare_rate(b, 1));
		r->one = best(r->one, append_rate(b, 1, 1));
		r->bare64 = best(r->bare64, bare_rate(b, 64));
		r->many1 = best(r->many1, append_rate(b, 64, 1));
		r->bare4096 = best(r->bare4096, bare_rate(b, 4096));
		r->many64 = best(r->many64, append_rate(b, 64, 64));
		r->waking = best(r->waking, waking_rate(b));
		r->hashing = best(r->hashing, hashing_rate(b));
		r->sqlite1 = best(r->sqlite1, sqlite_rate(b, 1));
		r->sqlite1000 = best(r->sqlite1000, sqlite_rate(b, 1000));
	}
}

static double
rss_mib(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_maxrss / 1024;
}

static void
measure_verify(const struct bench *b, struct results *r)
{
	struct tg_log_folder *small = NULL, *large = NULL;
	char dir[512];

	(void)snprintf(dir, sizeof(dir), "%s", in(b, "small"));
	make_log(b, dir, b->records / 10, &small);
	(void)verify_cost(small, b->records / 10, 2);
	r->rss_small = rss_mib();
	tg_log_folder_close(small);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	(void)snprintf(dir, sizeof(dir), "%s", in(b, "large"));
	make_log(b, dir, b->records, &large);
	for (unsigned i = 0; i < b->rounds; i++) {
		const struct cost one = verify_cost(large, b->records, 1), two = verify_cost(large, b->records, 2);

		r->verify1 = i == 0 ? one : cost_best(r->verify1, one);
		r->verify2 = i == 0 ? two : cost_best(r->verify2, two);
	}
	r->rss_large = rss_mib();
	tg_log_folder_close(large);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct goal {
	const char *what;
	double value, limit;
	int most; /* the value should be at most the limit, not at least */
};

static size_t
goals(const struct bench *b, const struct results *r, struct goal *g)
{
	const double disk = 4096 * r->bare4096, smaller = disk < r->hashing ? disk : r->hashing;
	size_t n = 0, path = 0, file = 0;

	proof_sizes(b, 1000000000, &path, &file);
	g[n++] = (struct goal){ "64 appenders x 64 outstanding / smaller of disk and hashing", r->many64 / smaller, 0.8, 0 };
	g[n++] = (struct goal){ "64 appenders x 1 / (64 x bare write+fdatasync of 64)", r->many1 / (64 * r->bare64), 0.8, 0 };
	g[n++] = (struct goal){ "64 appenders x 1 / (such a write, then waking 64 threads)",
		r->many1 * (1 / r->bare64 + 1 / r->waking) / 64, 0.8, 0 };
	g[n++] = (struct goal){ "one at a time / bare write+fdatasync", r->one / r->bare1, 0.85, 0 };
	g[n++] = (struct goal){ "one at a time, events/s", r->one, 2000, 0 };
	g[n++] = (struct goal){ "64 x 64 / SQLite rows, 1000 a transaction", r->many64 / r->sqlite1000, 1, 0 };
	g[n++] = (struct goal){ "verify, events per CPU-second", (double)b->records / r->verify1.cpu, 800000, 0 };
	g[n++] = (struct goal){ "verify, events per CPU-second / raw hashing", (double)b->records / r->verify1.cpu / r->hashing, 0.5, 0 };
	if (tg_parallel_cores() > 1)
		g[n++] = (struct goal){ "verify, 2 threads / 1 thread, wall", r->verify1.wall / r->verify2.wall, 1.6, 0 };
	g[n++] = (struct goal){ "memory of verify, ten times the records, MiB more", r->rss_large - r->rss_small, 8, 1 };
	g[n++] = (struct goal){ "a proof, us", r->proof.us, 50, 1 };
	g[n++] = (struct goal){ "an inclusion path at 10^9 records, bytes", (double)path, 960, 1 };
	g[n++] = (struct goal){ "a proof file there, log and witness post-quantum, bytes", (double)file, 8192, 1 };
	return n;
}

static int
meets(const struct goal *g)
{
	return g->most ? g->value <= g->limit : g->value >= g->limit;
}

static void
print_text(const struct bench *b, const struct results *r, const struct goal *g, size_t n)
{
	size_t met = 0;

	printf("record of %zu bytes; kernel %s; %u cores\n\n", b->record_len, tg_leaf_kernel(4)->name,
	    tg_parallel_cores());
	printf("bare write+fdatasync of 1 / 64 / 4096 records   %9.0f %9.0f %9.0f /s\n", r->bare1, r->bare64,
	    r->bare4096);
	printf("hashing of events in memory, one thread         %9.0f /s\n", r->hashing);
	printf("64 threads woken and back                       %9.0f /s\n", r->waking);
	printf("SQLite rows, 1 / 1000 a transaction             %9.0f %9.0f /s\n", r->sqlite1, r->sqlite1000);
	printf("events, one appender, one at a time             %9.0f /s\n", r->one);
	printf("events, 64 appenders, 1 / 64 outstanding        %9.0f %9.0f /s\n", r->many1, r->many64);
	printf("a proof at %llu records                    %9.2f us, %zu bytes\n", (unsigned long long)b->tree,
	    r->proof.us, r->proof.file);
	printf("verify %llu events, 1 / 2 threads          %9.3f %9.3f s\n\n", (unsigned long long)b->records,
	    r->verify1.wall, r->verify2.wall);
	printf("%-62s %10s %10s\n", "goal", "here", "limit");
	for (size_t i = 0; i < n; i++) {
		met += (size_t)meets(&g[i]);
		printf("%-62s %10.4g %s%9.4g%s\n", g[i].what, g[i].value, g[i].most ? "<=" : ">=", g[i].limit,
		    meets(&g[i]) ? "" : "  MISSED");
	}
	printf("%zu of %zu goals met\n", met, n);
}

static void
print_json(const struct results *r, const struct goal *g, size_t n)
{
	printf("{\"bare\":{\"1\":%.1f,\"4096\":%.1f,\"64\":%.1f},\"goals\":[", r->bare1, r->bare4096, r->bare64);
	for (size_t i = 0; i < n; i++)
		printf("%s{\"limit\":%.6g,\"met\":%s,\"value\":%.6g,\"what\":\"%s\"}", i > 0 ? "," : "", g[i].limit,
		    meets(&g[i]) ? "true" : "false", g[i].value, g[i].what);
	printf("],\"hashing\":%.0f,\"sqlite\":{\"1\":%.0f,\"1000\":%.0f},\"waking_64\":%.0f}\n", r->hashing, r->sqlite1,
	    r->sqlite1000, r->waking);
}

static void
options_from(struct bench *b, int argc, char **argv)
{
	const char *dir = ".";

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--json") == 0) {
			b->json = 1;
			continue;
		}
		if (strcmp(argv[i], "--dir") == 0)
			dir = value;
		else if (strcmp(argv[i], "--seconds") == 0)
			b->seconds = strtod(value, NULL);
		else if (strcmp(argv[i], "--rounds") == 0)
			b->rounds = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--records") == 0)
			b->records = strtoull(value, NULL, 10);
		else if (strcmp(argv[i], "--tree") == 0)
			b->tree = strtoull(value, NULL, 10);
		else {
			fprintf(stderr, "usage: evidence [--dir DIR] [--seconds S] [--rounds N] [--records N] "
					"[--tree N] [--json]\n");
			exit(64);
		}
		i++;
	}
	(void)snprintf(b->dir, sizeof(b->dir), "%s/evidence-bench-XXXXXX", dir);
	need_errno(mkdtemp(b->dir) != NULL, b->dir);
}

int
main(int argc, char **argv)
{
	struct bench b = { .seconds = 1, .rounds = 3, .records = 1000000, .tree = 10000000 };
	struct results r = { 0 };
	struct goal g[16];
	struct tg_draft d;
	uint8_t record[2048];
	const struct tg_draft_defaults defaults = { "\"log_origin\":\"bench.example/log\"",
		"\"tenant_id\":\"default\"", "\"actor\":{\"id\":\"a-000001\",\"type\":\"device\"}" };

	options_from(&b, argc, argv);
	need(tg_key_generate(TG_KEY_CHECKPOINT, 1700000000, &b.key, &err), "key");
	need(tg_draft_prepare((tg_bytes){ (const uint8_t *)event, sizeof(event) - 1 }, &defaults, &d, &err), "event");
	b.record_len = tg_draft_write(&d, 1000000, clock_us(NULL), "00000000-0000-4000-8000-000000000000", record).n + 1;
	measure_rates(&b, &r);
	measure_verify(&b, &r);
	r.proof = prove(&b);
	const size_t n = goals(&b, &r, g);
	if (b.json)
		print_json(&r, g, n);
	else
		print_text(&b, &r, g, n);
	tg_key_free(b.key);
	(void)nftw(b.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
