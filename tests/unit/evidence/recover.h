/* tests/unit/evidence/recover.h - logs whose writer was stopped. */
#ifndef TG_TESTS_EVIDENCE_RECOVER_H
#define TG_TESTS_EVIDENCE_RECOVER_H

#include "image.h"

static struct tg_key *key;
static struct tg_log_policy *policy;
static struct mem m, before, after, was;
static struct tg_error err;
static unsigned long wrong, tried;

static inline void
begin(void)
{
	wrong = tried = 0;
}

static inline void
complain(const char *what, size_t at)
{
	wrong++;
	printf("# %s %zu: %s\n", what, at, err.text);
}

static inline struct tg_log *
open_log(void)
{
	struct tg_log *log = NULL;

	err = (struct tg_error)TG_ERROR_INIT;
	return tg_log_open(mem_files(&m), &image_options, &log, &err) == TG_OK ? log : NULL;
}

static inline void
must(bool good)
{
	if (good)
		return;
	printf("Bail out! %s\n", err.text);
	exit(1);
}

/* Several records that become durable together. */
static inline void
one_batch(struct tg_log *log, unsigned n)
{
	struct tg_log_entry e = { .sequence = 0 };
	char event[512];

	for (unsigned i = 0; i < n; i++) {
		image_event(event, sizeof(event), i);
		must(tg_log_submit(log, tg_bytes_str(event), &e, &err) == TG_OK);
	}
	must(tg_log_wait(log, e.sequence, &err) == TG_OK);
}

/* `before` and `after` the last batch, of a log that nobody has closed. */
static inline void
make_states(unsigned records, unsigned batch)
{
	const uint64_t sizes[] = { records / 2 + 1, 0 };

	mem_clear(&m);
	must(tg_log_create(mem_files(&m), "example.com/log", key, &image_options, &err) == TG_OK);
	must(image_grow(&m, key, sizes, 0));
	struct tg_log *log = open_log();
	must(log != NULL && image_append(log, records - (unsigned)tg_log_size(log)));
	mem_copy(&before, &m);
	one_batch(log, batch);
	mem_copy(&after, &m);
	tg_log_close(log);
	tg_log_policy_free(policy);
	policy = image_policy(&m);
}

static inline struct mem_file *
last_segment(struct mem *of)
{
	struct tg_numbers l;
	char name[TG_SEGMENT_NAME_MAX];

	must(tg_segments_list(mem_files(of), &l, &err) == TG_OK);
	tg_segment_name(name, l.at[l.n - 1]);
	tg_numbers_done(&l);
	return mem_get(of, name);
}

static inline void
recover_begin(void)
{
	OK_STATUS(tg_key_generate(TG_KEY_CHECKPOINT, 1700000000, &key, &err), TG_OK);
}

static inline int
recover_done(void)
{
	tg_log_policy_free(policy);
	mem_clear(&m);
	mem_clear(&before);
	mem_clear(&after);
	mem_clear(&was);
	tg_key_free(key);
	return tap_done();
}

#endif
