/* A log in a folder: made, appended to, checkpointed, proved, checked, opened again. */
#include <pthread.h>

#include <tensorguard/log.h>

#include "../../tap.h"
#include "../util/scratch.h"
#include "evidence/segments.h"
#include "evidence/tiles.h"
#include "util/buf.h"

static int64_t clock_us = 1700000000000000;

static int64_t
tick(void *ctx)
{
	(void)ctx;
	return __atomic_add_fetch(&clock_us, 1, __ATOMIC_RELAXED);
}

static const struct tg_log_options options = {
	.actor = "{\"id\":\"tester\",\"type\":\"user\"}",
	.now = tick,
};
static struct tg_log_folder *folder;
static const struct tg_log_files *files;
static struct tg_key *key;
static struct tg_error err;

static tg_status
put(void *ctx, const void *p, size_t n, struct tg_error *e)
{
	(void)e;
	return tg_buf_put(ctx, p, n);
}

static void
fresh(const char *name)
{
	tg_log_folder_close(folder);
	folder = NULL;
	OK_STATUS(tg_log_folder_open(in(name), 1, &folder, &err), TG_OK);
	files = tg_log_folder_files(folder);
}

static tg_status
note(struct tg_log *log, unsigned i, struct tg_log_entry *ret)
{
	char event[128];

	(void)snprintf(event, sizeof(event), "{\"event_type\":\"NOTE_ADDED\",\"note\":\"number %u\"}", i);
	return tg_log_append(log, tg_bytes_str(event), ret, &err);
}

static void
life_of_a_log(void)
{
	struct tg_log *log = NULL, *second = NULL;
	struct tg_log_entry e;
	struct tg_log_report r;
	struct tg_log_policy *policy = NULL;
	struct tg_buf text = { .max = 1 << 20 }, proof = { .max = 1 << 20 }, record = { .max = 1 << 20 };
	const struct tg_sink to_proof = { put, &proof }, to_record = { put, &record };
	struct tg_log_proved proved;
	unsigned bad = 0;

	fresh("life");
	OK_STATUS(tg_log_open(files, &options, &log, &err), TG_E_NOTFOUND);
	OK_STATUS(tg_log_create(files, "example.com/log", key, &options, &err), TG_OK);
	OK_STATUS(tg_log_create(files, "example.com/log", key, &options, &err), TG_E_CONFLICT);
	OK_STATUS(tg_log_open(files, &options, &log, &err), TG_OK);
	OK_STATUS(tg_log_open(files, &options, &second, &err), TG_E_BUSY);
	OK(tg_log_size(log) == 1);
	for (unsigned i = 0; i < 700; i++)
		bad += note(log, i, &e) != TG_OK || e.sequence != i + 1;
	OK_NONE(bad, 700, "appends");
	OK_STATUS(tg_log_append(log, tg_bytes_str("{\"event_type\":\"NOTE_ADDED\"}"), &e, &err), TG_E_FORMAT);
	OK_STATUS(tg_log_append(log, tg_bytes_str("{\"event_type\":\"NO_SUCH\"}"), &e, &err), TG_E_FORMAT);
	OK_STATUS(tg_log_append(log,
		      tg_bytes_str("{\"detail\":{\"a\":1},\"event_type\":\"LOG_RECOVERED\"}"), &e, &err),
	    TG_E_FORMAT);
	OK_STATUS(tg_log_append(log,
		      tg_bytes_str("{\"event_type\":\"NOTE_ADDED\",\"note\":\"x\",\"sequence\":3}"), &e, &err),
	    TG_E_FORMAT);
	OK_STATUS(tg_log_checkpoint(log, key, 1700000000, NULL, &err), TG_OK);
	OK_STATUS(note(log, 700, &e), TG_OK);
	tg_log_close(log);

	OK_STATUS(tg_log_verify(files, NULL, 0, NULL, &r, &err), TG_OK);
	OK(r.records == 702 && r.checkpoints == 1 && r.covered == 701 && r.unknown_types == 0);
	OK_STATUS(tg_file_read(in("life/log.policy"), &text, &err), TG_OK);
	OK_STATUS(tg_log_policy_parse(tg_buf_view(&text), "log.policy", &policy, &err), TG_OK);
	OK_STATUS(tg_log_verify(files, policy, 2, NULL, &r, &err), TG_OK);
	OK(strcmp(r.origin, "example.com/log") == 0);

	struct tg_log_prover *prover = NULL;
	OK_STATUS(tg_log_prover_open(files, &prover, &err), TG_OK);
	OK(tg_log_prover_size(prover) == 701);
	OK_STATUS(tg_log_prove(prover, 701, 1, &to_proof, &err), TG_E_NOTFOUND);
	bad = 0;
	for (unsigned i = 0; i < 701; i++) {
		proof.n = record.n = 0;
		bad += tg_log_prove(prover, i, 1, &to_proof, &err) != TG_OK ||
		    tg_log_check_proof(tg_buf_view(&proof), (tg_bytes){ NULL, 0 }, policy, &to_record, &proved,
			&err) != TG_OK ||
		    proved.sequence != i || proved.size != 701;
	}
	OK_NONE(bad, 701, "proofs");
	proof.n = 0;
	OK_STATUS(tg_log_consistency(prover, 300, 701, &to_proof, &err), TG_OK);
	OK(proof.n > 0 && proof.n % 32 == 0);
	OK_STATUS(tg_log_consistency(prover, 300, 702, &to_proof, &err), TG_E_USAGE);
	tg_log_prover_close(prover);

	OK_STATUS(tg_log_open(files, &options, &log, &err), TG_OK);
	OK(tg_log_size(log) == 702);
	OK_STATUS(note(log, 701, &e), TG_OK);
	OK_STATUS(tg_log_checkpoint(log, key, 1700000001, NULL, &err), TG_OK);
	tg_log_close(log);
	OK_STATUS(tg_log_verify(files, policy, 2, NULL, &r, &err), TG_OK);
	OK(r.records == 703 && r.checkpoints == 2 && r.covered == 703);

	struct tg_log_folder *out = NULL;
	uint64_t n = 0;
	OK_STATUS(tg_log_folder_open(in("out"), 1, &out, &err), TG_OK);
	OK_STATUS(tg_tiles_export(files, tg_log_folder_files(out), NULL, &n, &err), TG_OK);
	OK(n == 703);
	OK_STATUS(tg_log_verify(tg_log_folder_files(out), policy, 2, NULL, &r, &err), TG_OK);
	OK(r.records == 703 && r.checkpoints == 2);
	tg_log_folder_close(out);
	tg_log_policy_free(policy);
	tg_buf_done(&text);
	tg_buf_done(&proof);
	tg_buf_done(&record);
}

/* ---- many threads, small segments ---- */

enum { THREADS = 8, EACH = 2000, BURST = 50 };

static void *
appender(void *arg)
{
	struct tg_log *log = arg;
	struct tg_log_entry e = { .sequence = 0 };
	struct tg_error why = TG_ERROR_INIT;
	uintptr_t bad = 0;
	uint64_t before = 0;

	for (unsigned i = 0; i < EACH; i++) {
		bad += tg_log_submit(log, tg_bytes_str("{\"event_type\":\"NOTE_ADDED\",\"note\":\"t\"}"), &e,
			   &why) != TG_OK ||
		    e.sequence <= before;
		before = e.sequence;
		if (i % BURST == BURST - 1)
			bad += tg_log_wait(log, e.sequence, &why) != TG_OK || tg_log_size(log) <= e.sequence;
	}
	return (void *)bad;
}

static void
many_threads(void)
{
	struct tg_log_options small = options;
	struct tg_log *log = NULL;
	struct tg_log_report r;
	pthread_t t[THREADS];
	struct tg_numbers l;
	uintptr_t bad = 0;

	small.segment_bytes = 1 << 20;
	fresh("threads");
	OK_STATUS(tg_log_create(files, "example.com/threads", key, &small, &err), TG_OK);
	OK_STATUS(tg_log_open(files, &small, &log, &err), TG_OK);
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_create(&t[i], NULL, appender, log);
	for (unsigned i = 0; i < THREADS; i++) {
		void *ret = NULL;

		(void)pthread_join(t[i], &ret);
		bad += (uintptr_t)ret;
	}
	OK_NONE(bad, THREADS * EACH, "appends of many threads");
	tg_log_close(log);
	OK_STATUS(tg_segments_list(files, &l, &err), TG_OK);
	OK(l.n > 4);
	tg_numbers_done(&l);
	OK_STATUS(tg_log_verify(files, NULL, 2, NULL, &r, &err), TG_OK);
	OK(r.records == THREADS * EACH + 1);
	bad = 0;
	for (uint64_t i = 0; i < r.records; i += 997) {
		struct tg_buf text = { .max = 1 << 16 };

		bad += tg_segments_record(files, i, &text, &err) != TG_OK;
		tg_buf_done(&text);
	}
	OK_NONE(bad, r.records / 997, "records by number");
}

int
main(void)
{
	make_scratch();
	OK_STATUS(tg_key_generate(TG_KEY_CHECKPOINT, 1700000000, &key, &err), TG_OK);
	life_of_a_log();
	many_threads();
	tg_log_folder_close(folder);
	tg_key_free(key);
	remove_scratch();
	return tap_done();
}
