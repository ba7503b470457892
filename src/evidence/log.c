/*
 * Appending. Threads put their events into the open batch; whoever waits for one and finds nobody
 * writing becomes the writer, takes the whole batch, and makes it durable for all (group commit).
 * Meanwhile the others fill the next one.
 */
#include <tensorguard/log.h>

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <tensorguard/limits.h>
#include <unistd.h>

#include "crypto/rng.h"
#include "evidence/defaults.h"
#include "evidence/genesis.h"
#include "evidence/writer.h"
#include "util/try.h"

#define SEGMENT_BYTES (64ull << 20)
#define GATHER_MAX_US 5000
#define GATHER_YIELDS 20000
#define RANDOM_POOL   4096

/* What threads sleep on. */
struct word {
	_Atomic uint32_t value, sleepers;
};

struct tg_log {
	const struct tg_log_files *files;
	struct tg_log_options options;
	struct tg_genesis genesis;
	struct tg_defaults defaults;
	void *lock;                /* of the files */

	/* shared, under the mutex */
	pthread_mutex_t mutex;
	struct tg_batch *open;
	uint64_t next; /* sequence */
	uint8_t random[RANDOM_POOL];
	size_t random_left;
	tg_status dead; /* a write failed: nothing more is taken */
	struct tg_error why;

	/* read without it */
	_Atomic uint64_t durable;     /* records */
	_Atomic uint64_t sealed;      /* first record of the open batch x 2, and the batch's index */
	struct word turn[2];          /* those who wait for a record of a batch sleep on its word */
	struct word room;             /* those who found the open batch full, on this one */
	_Atomic uint32_t writing;     /* somebody is the writer */
	_Atomic size_t waiting_in_open; /* records in the open batch */
	atomic_bool failed;
	bool given_out; /* until then it writes its own events */

	/* the writer's alone */
	struct tg_batch batches[2];
	struct tg_writer writer;
	bool has_tree;      /* of the writer, to be closed */
	size_t last_count;  /* records of the last commit */
	int64_t last_sync;  /* how long it took, microseconds */
};

/* ---- sleeping and waking ---- */

static void
sleep_while(struct word *w, uint32_t value)
{
	atomic_fetch_add(&w->sleepers, 1);
	(void)syscall(SYS_futex, &w->value, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
	atomic_fetch_sub(&w->sleepers, 1);
}

/* The value changes, so that who is about to sleep on it does not. */
static void
wake(struct word *w, int n)
{
	atomic_fetch_add(&w->value, 1);
	if (atomic_load(&w->sleepers) > 0)
		(void)syscall(SYS_futex, &w->value, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static bool
try_writing(struct tg_log *log)
{
	uint32_t no = 0;

	return atomic_compare_exchange_strong(&log->writing, &no, 1);
}

/* Everybody whose batch may have been written, and one of the others, to be the next writer. */
static void
stop_writing(struct tg_log *log)
{
	const unsigned open = atomic_load(&log->sealed) & 1;

	atomic_store(&log->writing, 0);
	wake(&log->turn[open], atomic_load(&log->failed) ? INT_MAX : 1);
	wake(&log->turn[!open], INT_MAX);
}

/* ---- the writer ---- */

static int64_t
now(const struct tg_log *log)
{
	return log->options.now(log->options.now_ctx);
}

/* Those whom the last commit woke are about to come back: a moment's wait, not much longer than a
 * commit takes, makes one commit of theirs instead of many. Half of them are enough: the others fill
 * the next batch meanwhile. */
static void
gather(const struct tg_log *log)
{
	const int64_t start = now(log);
	const int64_t most = log->last_sync * 2 < GATHER_MAX_US ? log->last_sync * 2 : GATHER_MAX_US;

	/* the clock is the caller's, and may stand still */
	for (int i = 0; i < GATHER_YIELDS &&
	     atomic_load_explicit(&log->waiting_in_open, memory_order_relaxed) < (log->last_count + 1) / 2;
	     i++) {
		const int64_t waited = now(log) - start;

		if (waited < 0 || waited >= most)
			return;
		(void)sched_yield();
	}
}

/* Take the open batch; what is left of its hashing is claimed with it. */
static struct tg_batch *
take_batch(struct tg_log *log, struct tg_batch_claim *ret_claim)
{
	pthread_mutex_lock(&log->mutex);
	struct tg_batch *b = log->open;
	if (log->dead != TG_OK || b->count == 0) {
		b = NULL;
	} else {
		*ret_claim = tg_batch_claim(b, true);
		log->open = b == &log->batches[0] ? &log->batches[1] : &log->batches[0];
		atomic_store_explicit(&log->waiting_in_open, 0, memory_order_relaxed);
		atomic_store(&log->sealed, log->next << 1 | (uint64_t)(log->open - log->batches));
	}
	pthread_mutex_unlock(&log->mutex);
	wake(&log->room, INT_MAX);
	return b;
}

static tg_status
commit(struct tg_log *log, struct tg_batch *b, struct tg_batch_claim claim, struct tg_error *err)
{
	struct tg_place place = log->writer.end.place;

	TG_TRY(tg_batch_hash(b, claim, err));
	TG_TRY(tg_batch_seal(b, &place, err));
	const int64_t start = now(log);
	TG_TRY(tg_writer_put(&log->writer, b, &place, err));
	log->last_sync = now(log) - start;
	log->last_count = b->count;
	tg_batch_clear(b);
	return TG_OK;
}

static void
die(struct tg_log *log, tg_status s, const struct tg_error *why)
{
	pthread_mutex_lock(&log->mutex);
	log->dead = s;
	log->why = *why;
	pthread_mutex_unlock(&log->mutex);
	atomic_store(&log->failed, true);
}

/* One batch, as the writer. False when there was none. */
static bool
write_batch(struct tg_log *log)
{
	struct tg_error why = TG_ERROR_INIT;
	struct tg_batch_claim claim = { 0, 0 };

	gather(log);
	struct tg_batch *b = take_batch(log, &claim);
	if (b == NULL)
		return false;
	const tg_status s = commit(log, b, claim, &why);
	if (s != TG_OK)
		die(log, s, &why);
	else
		atomic_store(&log->durable, log->writer.end.place.records);
	return true;
}

static tg_status
say_dead(struct tg_log *log, struct tg_error *err)
{
	pthread_mutex_lock(&log->mutex);
	const tg_status s = log->dead;
	if (s != TG_OK && err != NULL)
		*err = log->why;
	pthread_mutex_unlock(&log->mutex);
	return s;
}

/* ---- appending ---- */

tg_status
tg_log_wait(struct tg_log *log, uint64_t sequence, struct tg_error *err)
{
	for (;;) {
		const uint64_t sealed = atomic_load(&log->sealed);
		struct word *turn = &log->turn[(sealed & 1) ^ (sequence < sealed >> 1)];
		const uint32_t e = atomic_load(&turn->value);

		if (atomic_load(&log->durable) > sequence)
			return TG_OK;
		if (atomic_load(&log->failed))
			return say_dead(log, err);
		if (try_writing(log)) {
			const bool any = write_batch(log);

			stop_writing(log);
			TG_REQUIRE(any || atomic_load(&log->durable) > sequence || atomic_load(&log->failed), err,
			    TG_E_USAGE, "log: record %llu is waited for, but was not submitted",
			    (unsigned long long)sequence);
		} else {
			sleep_while(turn, e);
		}
	}
}

/* 16 bytes at a time from a pool; ids are unique, not secret. Under the mutex. */
static tg_status
draw_id(struct tg_log *log, char ret[static TG_UUID_TEXT + 1], struct tg_error *err)
{
	if (log->random_left == 0) {
		TG_TRY(tg_random(log->random, sizeof(log->random), err));
		log->random_left = sizeof(log->random);
	}
	log->random_left -= 16;
	tg_uuid4_text(log->random + log->random_left, ret);
	return TG_OK;
}

/* Under the mutex. TG_E_BUSY: the open batch is full. */
static tg_status
take_event(struct tg_log *log, const struct tg_draft *d, struct tg_log_entry *ret,
    struct tg_error *err)
{
	if (log->dead != TG_OK) {
		if (err != NULL)
			*err = log->why;
		return log->dead;
	}
	if (!tg_batch_takes(log->open, d))
		return TG_E_BUSY;
	ret->timestamp = now(log);
	TG_REQUIRE(ret->timestamp >= 0 && ret->timestamp <= TG_MAX_JSON_INT, err, TG_E_USAGE,
	    "log: the clock says %lld, microseconds since 1970 expected", (long long)ret->timestamp);
	TG_REQUIRE(log->next <= TG_MAX_JSON_INT, err, TG_E_LIMIT, "log: no sequence number is left");
	if (d->event_id.p != NULL) {
		memcpy(ret->event_id, d->event_id.p, TG_UUID_TEXT);
		ret->event_id[TG_UUID_TEXT] = '\0';
	} else {
		TG_TRY(draw_id(log, ret->event_id, err));
	}
	ret->sequence = log->next++;
	tg_batch_add(log->open, d, ret->sequence, ret->timestamp, ret->event_id);
	atomic_store_explicit(&log->waiting_in_open, log->open->count, memory_order_relaxed);
	return TG_OK;
}

tg_status
tg_log_submit(struct tg_log *log, tg_bytes event, struct tg_log_entry *ret, struct tg_error *err)
{
	struct tg_draft d;
	struct tg_log_entry entry;
	struct tg_batch_claim claim = { 0, 0 };
	struct tg_batch *b = NULL;
	tg_status s;

	TG_TRY(tg_draft_prepare(event, &log->defaults.texts, &d, err));
	TG_REQUIRE(!d.of_log || !log->given_out, err, TG_E_FORMAT,
	    "event: events LOG_... are written by the log itself");
	for (;;) {
		const uint32_t e = atomic_load(&log->room.value);

		pthread_mutex_lock(&log->mutex);
		s = take_event(log, &d, &entry, err);
		b = log->open;
		if (s == TG_OK)
			claim = tg_batch_claim(b, false);
		pthread_mutex_unlock(&log->mutex);
		if (s != TG_E_BUSY)
			break;
		if (try_writing(log)) {
			(void)write_batch(log);
			stop_writing(log);
		} else {
			sleep_while(&log->room, e);
		}
	}
	if (s != TG_OK)
		return s;
	if (claim.n > 0)
		TG_TRY(tg_batch_hash(b, claim, err));
	*ret = entry;
	return TG_OK;
}

tg_status
tg_log_append(struct tg_log *log, tg_bytes event, struct tg_log_entry *ret, struct tg_error *err)
{
	struct tg_log_entry entry;

	TG_TRY(tg_log_submit(log, event, &entry, err));
	TG_TRY(tg_log_wait(log, entry.sequence, err));
	*ret = entry;
	return TG_OK;
}

uint64_t
tg_log_size(struct tg_log *log)
{
	return atomic_load(&log->durable);
}

const char *
tg_log_origin(const struct tg_log *log)
{
	return log->genesis.origin;
}

/* ---- opening and closing ---- */

static tg_status
log_new(const struct tg_log_files *files, const struct tg_log_options *options, struct tg_log **ret,
    struct tg_error *err)
{
	TG_AUTO(tg_log_closep) struct tg_log *log = NULL;

	TG_REQUIRE(options != NULL && options->now != NULL, err, TG_E_USAGE, "log: it needs a clock");
	log = calloc(1, sizeof(*log));
	TG_REQUIRE(log != NULL, err, TG_E_NOMEM, "log: out of memory");
	log->files = files;
	log->options = *options;
	if (log->options.segment_bytes == 0)
		log->options.segment_bytes = SEGMENT_BYTES;
	log->writer.files = files;
	log->writer.segment_bytes = log->options.segment_bytes;
	(void)pthread_mutex_init(&log->mutex, NULL);
	log->open = &log->batches[0];
	TG_TRY(tg_batch_init(&log->batches[0], err));
	TG_TRY(tg_batch_init(&log->batches[1], err));
	TG_TRY(files->lock(files->ctx, options->wait_ms, &log->lock, err));
	*ret = log;
	log = NULL;
	return TG_OK;
}

/* Behind the last record, what an unfinished write has left being cut off. */
static tg_status
log_start(struct tg_log *log, struct tg_error *err)
{
	TG_TRY(tg_defaults_make(&log->defaults, log->genesis.origin, log->options.tenant, log->options.actor,
	    err));
	TG_TRY(tg_writer_start(&log->writer, err));
	log->next = log->writer.end.place.records;
	log->sealed = log->next << 1;
	log->durable = log->next;
	log->last_count = 1;
	return TG_OK;
}

static tg_status
say_recovered(struct tg_log *log, struct tg_error *err)
{
	uint8_t hex[TG_HEX_HASH];
	char event[512];
	struct tg_log_entry entry;

	if (log->writer.end.cut_bytes == 0)
		return TG_OK;
	tg_hex_hash(hex, log->writer.end.cut_sha256);
	(void)snprintf(event, sizeof(event),
	    "{\"actor\":{\"id\":\"tensorguard\",\"type\":\"system\"},\"detail\":{\"at\":%llu,"
	    "\"bytes\":%llu,\"segment\":%llu,\"sha256\":\"%.64s\"},\"event_type\":\"LOG_RECOVERED\"}",
	    (unsigned long long)log->writer.end.spot.at, (unsigned long long)log->writer.end.cut_bytes,
	    (unsigned long long)log->writer.end.spot.segment, (const char *)hex);
	return tg_log_append(log, tg_bytes_str(event), &entry, err);
}

tg_status
tg_log_open(const struct tg_log_files *files, const struct tg_log_options *options,
    struct tg_log **ret, struct tg_error *err)
{
	TG_AUTO(tg_log_closep) struct tg_log *log = NULL;

	TG_TRY(tg_genesis_exists(files, err));
	TG_TRY(log_new(files, options, &log, err));
	TG_TRY(tg_recover(files, &log->writer.end, err));
	log->has_tree = true;
	TG_TRY(tg_genesis_read(files, &log->genesis, err));
	TG_TRY(log_start(log, err));
	TG_TRY(say_recovered(log, err));
	log->given_out = true;
	*ret = log;
	log = NULL;
	return TG_OK;
}

/* A log without a record is one whose creation was interrupted. */
static tg_status
find_nothing(struct tg_log *log, struct tg_error *err)
{
	const tg_status s = tg_genesis_exists(log->files, err);

	if (s == TG_E_NOTFOUND) {
		TG_AUTO(tg_buf_done) struct tg_buf note = { .max = TG_MAX_NOTE };

		TG_REQUIRE(tg_log_file_read(log->files, "checkpoint", &note, NULL) == TG_E_NOTFOUND, err,
		    TG_E_CONFLICT, "there is a checkpoint of a log already, but no segments/");
		log->writer.end.place = tg_place_start();
		return tg_treefile_open(&log->writer.end.tree, log->files, true, 0, err);
	}
	TG_TRY(s);
	TG_REQUIRE(tg_genesis_read(log->files, &log->genesis, NULL) != TG_OK, err, TG_E_CONFLICT,
	    "there is a log already");
	TG_TRY(tg_recover(log->files, &log->writer.end, err));
	log->has_tree = true;
	TG_REQUIRE(log->writer.end.place.records == 0, err, TG_E_CONFLICT, "there is a log already");
	return TG_OK;
}

tg_status
tg_log_create(const struct tg_log_files *files, const char *origin, const struct tg_key *key,
    const struct tg_log_options *options, struct tg_error *err)
{
	TG_AUTO(tg_log_closep) struct tg_log *log = NULL;
	TG_AUTO(tg_buf_done) struct tg_buf event = { .max = TG_MAX_LOG_RECORD };
	struct tg_log_entry entry;

	TG_TRY(log_new(files, options, &log, err));
	TG_TRY(find_nothing(log, err));
	log->has_tree = true;
	TG_TRY(tg_genesis_of(origin, key, &log->genesis, err));
	TG_TRY(tg_genesis_event(&log->genesis, &event, err));
	TG_TRY(tg_genesis_policy(files, &log->genesis, err));
	TG_TRY(log_start(log, err));
	return tg_log_append(log, tg_buf_view(&event), &entry, err);
}

/* What is submitted is written; what that needs, the tree's files, is made durable for the mark. */
static void
finish(struct tg_log *log)
{
	struct tg_error why = TG_ERROR_INIT;

	if (log->next > atomic_load(&log->durable) && tg_log_wait(log, log->next - 1, &why) != TG_OK)
		return;
	if (!atomic_load(&log->failed))
		(void)!tg_writer_mark(&log->writer, &why);
}

void
tg_log_close(struct tg_log *log)
{
	if (log == NULL)
		return;
	if (log->writer.segment != NULL && log->writer.tail_file != NULL)
		finish(log);
	tg_writer_close(&log->writer);
	if (log->has_tree)
		tg_treefile_close(&log->writer.end.tree);
	if (log->lock != NULL)
		log->files->unlock(log->files->ctx, log->lock);
	tg_batch_done(&log->batches[0]);
	tg_batch_done(&log->batches[1]);
	tg_defaults_done(&log->defaults);
	(void)pthread_mutex_destroy(&log->mutex);
	free(log);
}

/* ---- checkpoints ---- */

static tg_status
make_checkpoint(struct tg_log *log, const struct tg_key *key, int64_t time, struct tg_buf *note,
    struct tg_error *err)
{
	struct tg_hashes h = tg_treefile_hashes(&log->writer.end.tree);
	struct tg_checkpoint c = { .size = log->writer.end.place.records };
	struct tg_checkpoint last = { .size = 0 };
	struct tg_error why = TG_ERROR_INIT;
	struct tg_path path;
	char name[TG_SEGMENT_NAME_MAX];

	TG_TRY(tg_writer_tree(&log->writer, err));
	TG_TRY(tg_treefile_root(&log->writer.end.tree, c.root, err));
	const tg_status s = tg_checkpoint_newest(log->files, note, &last, &why);
	if (s == TG_OK && last.size == c.size && memcmp(last.root, c.root, 32) == 0)
		return TG_OK; /* that one stands, with the cosignatures it may have got */
	TG_REQUIRE(s == TG_OK || s == TG_E_NOTFOUND, err, s, "%s", why.text);
	note->n = 0;
	if (last.size > 0 && last.size < c.size)
		TG_TRY(tg_proof_consistency(&h, last.size, c.size, &path, err));
	TG_REQUIRE(last.size == 0 ||
		(last.size < c.size &&
		    tg_proof_check_consistency(last.size, last.root, c.size, c.root, &path, NULL) == TG_OK),
	    err, TG_E_POLICY, "log: it does not extend its checkpoint of size %llu: none is signed (if 'evidence verify' finds "
	    "nothing, tree/ is damaged: remove it, it is made again)",
	    (unsigned long long)last.size);
	(void)snprintf(c.origin, sizeof(c.origin), "%s", log->genesis.origin);
	TG_TRY(tg_checkpoint_sign(&c, key, time, note, err));
	tg_checkpoint_name(name, c.size);
	TG_TRY(log->files->replace(log->files->ctx, name, note->p, note->n, err));
	return log->files->replace(log->files->ctx, "checkpoint", note->p, note->n, err);
}

tg_status
tg_log_checkpoint(struct tg_log *log, const struct tg_key *key, int64_t time,
    const struct tg_sink *to, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf note = { .max = TG_MAX_NOTE };

	TG_TRY(tg_genesis_is_key(&log->genesis, key, err));
	while (!try_writing(log))
		(void)sched_yield();
	tg_status s = atomic_load(&log->failed) ? say_dead(log, err) : TG_OK;
	if (s == TG_OK)
		s = make_checkpoint(log, key, time, &note, err);
	stop_writing(log);
	if (s == TG_OK && to != NULL)
		s = to->write(to->ctx, note.p, note.n, err);
	return s;
}
