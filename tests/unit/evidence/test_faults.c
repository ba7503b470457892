/*
 * Disks that fail and machines that lose power: every call that changes a file fails once, or from
 * then on, at whatever moment. What was answered is there afterwards, and what is there is whole.
 */
#include "image.h"

enum { MAX_ANSWERED = 256, POWER_LOSSES = 4 };

static struct tg_key *key;
static struct mem m;
static struct tg_error err;
static unsigned long wrong, tried;

/* What the log said it has. */
static struct {
	bool created;
	uint64_t sequence[MAX_ANSWERED];
	char id[MAX_ANSWERED][TG_LOG_ID_TEXT + 1];
	unsigned n;
	uint64_t covered;
	bool failed; /* of this opening, an append */
	tg_status how;
} answered;

static void
complain(const char *what, unsigned long at)
{
	wrong++;
	printf("# %s, call %lu (%d): %s\n", what, at, (int)m.failed, err.text);
}

static void
answer(const struct tg_log_entry *e)
{
	answered.sequence[answered.n] = e->sequence;
	memcpy(answered.id[answered.n++], e->event_id, sizeof(e->event_id));
}

/* After a failure there is only the same failure. */
static void
note_status(tg_status s)
{
	if (answered.failed && s != answered.how)
		complain("another answer after a failure", m.fail_at);
	if (s != TG_OK) {
		answered.failed = true;
		answered.how = s;
	}
}

static void
append(struct tg_log *log)
{
	struct tg_log_entry e;
	char event[512];

	image_event(event, sizeof(event), 0);
	const tg_status s = tg_log_append(log, tg_bytes_str(event), &e, &err);
	if (s == TG_OK)
		answer(&e);
	note_status(s);
}

static void
append_batch(struct tg_log *log, unsigned n)
{
	struct tg_log_entry e[16];
	char event[512];
	unsigned got = 0;

	for (; got < n; got++) {
		image_event(event, sizeof(event), got);
		const tg_status s = tg_log_submit(log, tg_bytes_str(event), &e[got], &err);
		if (s != TG_OK)
			note_status(s);
		if (s != TG_OK)
			return;
	}
	const tg_status s = tg_log_wait(log, e[got - 1].sequence, &err);
	for (unsigned i = 0; s == TG_OK && i < got; i++)
		answer(&e[i]);
	note_status(s);
}

static void
sign(struct tg_log *log)
{
	const uint64_t size = tg_log_size(log);
	struct tg_buf note = { .max = 1 << 16 };

	if (tg_log_checkpoint(log, key, 1700000000, NULL, &err) == TG_OK)
		answered.covered = size;
	tg_buf_done(&note);
}

static struct tg_log *
open_log(void)
{
	struct tg_log *log = NULL;

	answered.failed = false;
	return tg_log_open(mem_files(&m), &image_options, &log, &err) == TG_OK ? log : NULL;
}

/* A life with several openings. */
static void
live(void)
{
	struct tg_log *log;

	if (tg_log_create(mem_files(&m), "example.com/log", key, &image_options, &err) == TG_OK)
		answered.created = true;
	for (unsigned round = 0; answered.created && round < 3; round++) {
		if ((log = open_log()) == NULL)
			continue;
		append(log);
		append_batch(log, 3 + 2 * round);
		sign(log);
		append(log);
		append_batch(log, 4);
		if (round == 2) {
			sign(log);
			append(log);
		}
		tg_log_close(log);
	}
}

/* What was not made safe may be there, or not, or a part of it. */
static void
lose_power(void)
{
	for (size_t i = m.n; i-- > 0;) {
		struct mem_file *f = m.file[i];
		const bool tree = strncmp(f->name, "tree/", 5) == 0 || strcmp(f->name, "tail") == 0;
		const size_t kept = f->n < f->safe_n ? f->n : f->safe_n;
		const uint64_t kind = draw(4);

		if (f->safe == NULL) {
			if (kind == 0)
				mem_remove(&m, f->name);
			continue;
		}
		if (kind == 0 ||
		    (kind < 3 && f->n < f->safe_n)) { /* nothing of it, also of a cut */
			mem_resize(f, f->safe_n);
			memcpy(f->p, f->safe, f->safe_n);
		} else if (tree && kind < 3) { /* pieces of it */
			for (size_t at = 0; at + 16 <= kept; at += 16)
				if (draw(2) == 0)
					memcpy(f->p + at, f->safe + at, 16);
		} else if (kind < 3) { /* its front, with zeros behind, or with nothing */
			const size_t front = f->safe_n + draw(f->n - f->safe_n + 1), all = f->n;

			mem_resize(f, front);
			if (kind == 1)
				mem_resize(f, all);
		}
	}
}

static bool
has_record(const struct image *im, uint64_t sequence, const char *id)
{
	return sequence < im->n &&
	    memmem(im->row[sequence].p, im->row[sequence].n, id, TG_LOG_ID_TEXT) != NULL;
}

/* On a machine that works. */
static void
check_after(unsigned long at)
{
	static struct image im;
	struct tg_log_report r;
	struct tg_log *log;
	const uint64_t signed_before = answered.covered;

	tried++;
	m.fail_at = 0;
	m.locked = false;
	if (!answered.created && (log = open_log()) == NULL) {
		if (tg_log_create(mem_files(&m), "example.com/log", key, &image_options, &err) !=
		    TG_OK)
			complain("not created then", at);
	} else if (!answered.created) {
		tg_log_close(log); /* it was there after all */
	}
	log = open_log();
	if (log == NULL) {
		complain("does not open", at);
		return;
	}
	append(log);
	sign(log);
	const uint64_t size = tg_log_size(log);
	tg_log_close(log);
	struct tg_log_policy *policy = image_policy(&m);
	if (tg_log_verify(mem_files(&m), policy, 1, NULL, &r, &err) != TG_OK || r.records != size ||
	    r.covered != size || answered.covered != size || size <= signed_before)
		complain("is not whole", at);
	tg_log_policy_free(policy);
	image_read(&im, &m);
	for (unsigned i = 0; i < answered.n; i++)
		if (!has_record(&im, answered.sequence[i], answered.id[i])) {
			complain("has lost what it answered for", at);
			break;
		}
	image_clear(&im);
}

static void
start_over(unsigned long fail_at, bool forever, bool half)
{
	mem_clear(&m);
	memset(&answered, 0, sizeof(answered));
	m.fail_at = fail_at;
	m.forever = forever;
	m.half = half;
}

static unsigned long
all_calls(void)
{
	start_over(0, false, false);
	live();
	OK(answered.created && answered.n == 34 && answered.covered > 0 && !answered.failed);
	return m.calls;
}

/* Opened again, what the one before had not made durable is there, and is signed: then it must
 * stay. */
static void
sign_and_lose_power(void)
{
	m.fail_at = 0;
	m.locked = false;
	struct tg_log *log = open_log();
	if (log != NULL)
		sign(log);
	lose_power(); /* before it is closed */
	m.fail_at = m.calls + 1;
	m.forever = true;
	tg_log_close(log);
}

static void
failing_calls(unsigned long calls)
{
	wrong = tried = 0;
	for (unsigned long k = 1; k <= calls; k++)
		for (unsigned how = 0; how < 6; how++) {
			if ((k + how) % SLOWER != 0)
				continue;
			start_over(k, how & 1, how & 2);
			live();
			if (how >= 4)
				sign_and_lose_power();
			check_after(k);
		}
	OK_NONE(wrong, tried, "calls that fail, and then the log is opened again");
}

static void
lost_power(unsigned long calls)
{
	wrong = tried = 0;
	for (unsigned long k = 1; k <= calls + 1; k++)
		for (unsigned i = 0; i < POWER_LOSSES; i++) {
			if ((k + i) % SLOWER != 0)
				continue;
			start_over(k, true, i & 1); /* from here on nothing is done any more */
			live();
			lose_power();
			check_after(k);
		}
	OK_NONE(wrong, tried, "losses of power");
}

/* What a failure says, and that there is no more after it. */
static void
failure_is_said(void)
{
	struct tg_log_entry e = { .sequence = 77 };
	static const char event[] = "{\"event_type\":\"NOTE_ADDED\",\"note\":\"x\"}";

	start_over(0, false, false);
	OK_STATUS(
	    tg_log_create(mem_files(&m), "example.com/log", key, &image_options, &err), TG_OK);
	struct tg_log *log = open_log();
	OK(log != NULL);
	m.fail_at = m.calls + 1; /* the write, once */
	err = (struct tg_error)TG_ERROR_INIT;
	OK_STATUS(tg_log_append(log, tg_bytes_str(event), &e, &err), TG_E_IO);
	OK(strstr(err.text, "segments/") != NULL && strstr(err.text, "No space") != NULL);
	OK(e.sequence == 77 && tg_log_size(log) == 1);
	for (unsigned i = 0; i < 3; i++) {
		err = (struct tg_error)TG_ERROR_INIT;
		OK_STATUS(tg_log_append(log, tg_bytes_str(event), &e, &err), TG_E_IO);
		OK(strstr(err.text, "No space") != NULL);
		OK_STATUS(tg_log_submit(log, tg_bytes_str(event), &e, &err), TG_E_IO);
		OK_STATUS(tg_log_wait(log, 1, &err), TG_E_IO);
		OK_STATUS(tg_log_wait(log, 0, &err), TG_OK); /* that one is durable */
		OK_STATUS(tg_log_checkpoint(log, key, 1700000000, NULL, &err), TG_E_IO);
	}
	OK(mem_get(&m, "checkpoint") == NULL);
	tg_log_close(log);
	log = open_log();
	OK(log != NULL && tg_log_size(log) == 1);
	OK_STATUS(tg_log_wait(log, 1, &err), TG_E_USAGE); /* nobody has submitted it */
	OK_STATUS(tg_log_wait(log, UINT64_MAX, &err), TG_E_USAGE);
	OK_STATUS(tg_log_append(log, tg_bytes_str(event), &e, &err), TG_OK);
	OK(e.sequence == 1);
	tg_log_close(log);
}

int
main(void)
{
	OK_STATUS(tg_key_generate(TG_KEY_CHECKPOINT, 1700000000, &key, &err), TG_OK);
	const unsigned long calls = all_calls();
	OK(calls > 50);
	failure_is_said();
	failing_calls(calls);
	lost_power(calls);
	mem_clear(&m);
	tg_key_free(key);
	return tap_done();
}
