/* Everything at once: threads that append, submit and wait, sign checkpoints, prove, check and
 * index by number, on one log. */
#include <pthread.h>
#include <stdatomic.h>

#include "../util/scratch.h"
#include "image.h"

enum { APPENDERS = 4, EACH = 400, BURST = 7 };

static struct tg_key *key;
static struct tg_error err;
static struct tg_log_folder *folder;
static const struct tg_log_files *files;
static struct tg_log_policy *policy;
static struct tg_log *log_;
static atomic_bool over;
static _Atomic unsigned long proofs, checks, checkpoints;

static void *
appender(void *arg)
{
	const bool waits = *(const unsigned *)arg % 2 == 0;
	struct tg_log_entry e = { .sequence = 0 };
	struct tg_error why = TG_ERROR_INIT;
	uintptr_t bad = 0;
	char event[256];

	for (unsigned i = 0; i < EACH; i++) {
		(void)snprintf(event, sizeof(event),
		    "{\"event_type\":\"NOTE_ADDED\",\"note\":\"%0*u\"}", (int)(1 + i % 90), i);
		if (waits) {
			bad += tg_log_append(log_, tg_bytes_str(event), &e, &why) != TG_OK;
			bad += tg_log_size(log_) <= e.sequence;
			continue;
		}
		bad += tg_log_submit(log_, tg_bytes_str(event), &e, &why) != TG_OK;
		if (i % BURST == 0)
			bad += tg_log_wait(log_, e.sequence, &why) != TG_OK;
		if (i % 50 == 0) /* what is wrong disturbs nobody */
			bad += tg_log_append(log_, tg_bytes_str("{\"event_type\":\"NOTE_ADDED\"}"),
				   &e, &why) != TG_E_FORMAT;
	}
	return (void *)bad;
}

static void *
signer(void *arg)
{
	struct tg_error why = TG_ERROR_INIT;
	uintptr_t bad = 0;

	(void)arg;
	while (!atomic_load(&over)) {
		if (tg_log_checkpoint(log_, key, 1700000000, NULL, &why) != TG_OK) {
			bad++;
			printf("# checkpoint: %s\n", why.text);
		}
		atomic_fetch_add(&checkpoints, 1);
	}
	return (void *)bad;
}

static tg_status
put(void *ctx, const void *p, size_t n, struct tg_error *e)
{
	(void)e;
	return tg_buf_put(ctx, p, n);
}

static tg_status
prove_one(struct tg_log_prover *p, uint64_t i, struct tg_error *why)
{
	TG_AUTO(tg_buf_done) struct tg_buf proof = { .max = 1 << 20 };
	const struct tg_sink to = { put, &proof };
	struct tg_log_proved proved;

	TG_TRY(tg_log_prove(p, i, 1, &to, why));
	return tg_log_check_proof(
	    tg_buf_view(&proof), (tg_bytes){ NULL, 0 }, policy, NULL, &proved, why);
}

static void *
prover(void *arg)
{
	uintptr_t bad = 0;
	uint64_t i = 0;

	(void)arg;
	while (!atomic_load(&over)) {
		TG_AUTO(tg_log_prover_closep) struct tg_log_prover *p = NULL;
		struct tg_error why = TG_ERROR_INIT;

		tg_status s = tg_log_prover_open(files, &p, &why);
		if (s == TG_E_NOTFOUND)
			continue; /* no checkpoint yet */
		for (unsigned k = 0; s == TG_OK && k < 5; k++, i = i * 31 + 7)
			s = prove_one(p, i % tg_log_prover_size(p), &why);
		if (s != TG_OK) {
			bad++;
			printf("# proof: %s\n", why.text);
		}
		atomic_fetch_add(&proofs, 1);
	}
	return (void *)bad;
}

static void *
checker(void *arg)
{
	uintptr_t bad = 0;
	uint64_t before = 0;

	(void)arg;
	while (!atomic_load(&over)) {
		struct tg_error why = TG_ERROR_INIT;
		struct tg_log_report r;

		if (tg_log_verify(files, policy, 1 + (unsigned)(before % 3), NULL, &r, &why) !=
			TG_OK ||
		    r.records < before || r.covered < 1) {
			bad++;
			printf("# verify: %s\n", why.text);
		}
		before = r.records;
		atomic_fetch_add(&checks, 1);
	}
	return (void *)bad;
}

int
main(void)
{
	struct tg_log_options o = image_options;
	pthread_t append[APPENDERS], others[3];
	unsigned number[APPENDERS];
	struct tg_log_report r;
	uintptr_t bad = 0;
	struct tg_buf text = { .max = 1 << 16 };
	void *ret = NULL;

	make_scratch();
	o.segment_bytes = 20000;
	OK_STATUS(tg_key_generate(TG_KEY_CHECKPOINT, 1700000000, &key, &err), TG_OK);
	OK_STATUS(tg_log_folder_open(in("log"), 1, &folder, &err), TG_OK);
	files = tg_log_folder_files(folder);
	OK_STATUS(tg_log_create(files, "example.com/log", key, &o, &err), TG_OK);
	OK_STATUS(tg_file_read(in("log/log.policy"), &text, &err), TG_OK);
	OK_STATUS(tg_log_policy_parse(tg_buf_view(&text), "log.policy", &policy, &err), TG_OK);
	OK_STATUS(tg_log_open(files, &o, &log_, &err), TG_OK);
	OK_STATUS(tg_log_checkpoint(log_, key, 1700000000, NULL, &err), TG_OK);
	void *(*const other[])(void *) = { signer, prover, checker };
	for (unsigned i = 0; i < TG_LEN(others); i++)
		OK(pthread_create(&others[i], NULL, other[i], NULL) == 0);
	for (unsigned i = 0; i < APPENDERS; i++) {
		number[i] = i;
		OK(pthread_create(&append[i], NULL, appender, &number[i]) == 0);
	}
	for (unsigned i = 0; i < APPENDERS; i++) {
		OK(pthread_join(append[i], &ret) == 0);
		bad += (uintptr_t)ret;
	}
	OK_NONE(bad, APPENDERS * EACH, "appends");
	atomic_store(&over, true);
	bad = 0;
	for (unsigned i = 0; i < TG_LEN(others); i++) {
		OK(pthread_join(others[i], &ret) == 0);
		bad += (uintptr_t)ret;
	}
	OK_NONE(bad, checkpoints + proofs + checks, "checkpoints, proofs and checks meanwhile");
	printf("# %lu checkpoints, %lu proofs, %lu checks\n", (unsigned long)checkpoints,
	    (unsigned long)proofs, (unsigned long)checks);
	OK_STATUS(tg_log_checkpoint(log_, key, 1700000000, NULL, &err), TG_OK);
	tg_log_close(log_);
	OK_STATUS(tg_log_verify(files, policy, 2, NULL, &r, &err), TG_OK);
	OK(r.records == APPENDERS * EACH + 1 && r.covered == r.records);
	tg_buf_done(&text);
	tg_log_policy_free(policy);
	tg_log_folder_close(folder);
	tg_key_free(key);
	remove_scratch();
	return tap_done();
}
