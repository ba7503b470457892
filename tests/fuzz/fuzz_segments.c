/*
 * The files of a small log, in any state: checking and opening end with an answer. What is refused
 * is left as it was; what is opened keeps every byte but those that LOG_RECOVERED then names, and a
 * log that was whole stays so.
 */
#include "../unit/evidence/image.h"
#include "evidence/tiles.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
require(bool good)
{
	if (!good)
		__builtin_trap();
}

/* "NAME SIZE\n" and that many bytes, again and again. */
static void
unpack(struct mem *m, const uint8_t *p, size_t n)
{
	for (size_t at = 0; at < n && m->n < 64;) {
		const uint8_t *end = memchr(p + at, '\n', n - at), *space;
		char name[96];

		if (end == NULL ||
		    (space = memchr(p + at, ' ', (size_t)(end - (p + at)))) == NULL ||
		    (size_t)(space - (p + at)) >= sizeof(name))
			return;
		memcpy(name, p + at, (size_t)(space - (p + at)));
		name[space - (p + at)] = '\0';
		size_t size = 0;
		for (const uint8_t *d = space + 1;
		     d < end && *d >= '0' && *d <= '9' && size < 1 << 20; d++)
			size = 10 * size + (size_t)(*d - '0');
		at = (size_t)(end - p) + 1;
		if (size > n - at)
			size = n - at;
		mem_put(m, name, p + at, size);
		at += size;
	}
}

static tg_status
verify(struct mem *m)
{
	struct tg_log_report r;
	struct tg_log_policy *policy = NULL;
	struct tg_error err = TG_ERROR_INIT;
	const struct mem_file *f = mem_get(m, "log.policy");

	const tg_status s = tg_log_verify(mem_files(m), NULL, 1, NULL, &r, &err);
	require(s == TG_OK || (err.text[0] != '\0' && strchr(err.text, '\n') == NULL));
	require(s != TG_OK || r.records > 0);
	if (f != NULL &&
	    tg_log_policy_parse((tg_bytes){ f->p, f->n }, "log.policy", &policy, NULL) == TG_OK) {
		const tg_status t = tg_log_verify(mem_files(m), policy, 1, NULL, &r, &err);
		require(s == TG_OK || t != TG_OK); /* a policy asks for more */
		tg_log_policy_free(policy);
	}
	return s;
}

static tg_status
put(void *ctx, const void *p, size_t n, struct tg_error *err)
{
	(void)err;
	return tg_buf_put(ctx, p, n);
}

static void
read_on(struct mem *m)
{
	struct mem out = { .n = 0 };
	struct tg_log_prover *prover = NULL;
	uint64_t n = 0;

	if (tg_log_prover_open(mem_files(m), &prover, NULL) == TG_OK)
		for (uint64_t i = 0; i < 3; i++) {
			struct tg_buf b = { .max = 1 << 20 };
			const struct tg_sink to = { put, &b };

			(void)!tg_log_prove(prover, i, 1, &to, NULL);
			tg_buf_done(&b);
		}
	tg_log_prover_close(prover);
	if (tg_tiles_export(mem_files(m), mem_files(&out), NULL, &n, NULL) == TG_OK)
		(void)verify(&out);
	mem_clear(&out);
}

/* Of a segment that is not as it was: its front, and behind that the record that says what was cut.
 */
static void
cut_and_said(const struct mem_file *was, const struct mem_file *is)
{
	static const char mark[] = "\"detail\":{\"at\":";
	uint8_t hex[TG_HEX_HASH];
	char want[256];

	const char *said = memmem(is->p, is->n, mark, sizeof(mark) - 1);
	for (const char *next = said; next != NULL; /* the last of them */
	     next = memmem(next + 1, is->n - (size_t)((const uint8_t *)next + 1 - is->p), mark,
		 sizeof(mark) - 1))
		said = next;
	require(said != NULL);
	const size_t at = strtoull(said + sizeof(mark) - 1, NULL, 10);
	require(at <= was->n && at <= is->n && memcmp(was->p, is->p, at) == 0);
	require(at == 0 || was->p[at - 1] == '\n');
	hash_text((tg_bytes){ NULL, 0 }, (tg_bytes){ was->p + at, was->n - at }, hex);
	(void)snprintf(want, sizeof(want),
	    "\"detail\":{\"at\":%zu,\"bytes\":%zu,\"segment\":%llu,\"sha256\":\"%.64s\"}", at,
	    was->n - at, strtoull(was->name + 9, NULL, 10), (const char *)hex);
	require(memmem(is->p + at, is->n - at, want, strlen(want)) != NULL);
}

static void
compare(const struct mem *was, const struct mem *is)
{
	for (size_t i = 0; i < was->n; i++) {
		const struct mem_file *f = was->file[i], *g = mem_get(is, f->name);

		require(g != NULL);
		if (strncmp(f->name, "segments/", 9) == 0 &&
		    (g->n < f->n || memcmp(f->p, g->p, f->n) != 0))
			cut_and_said(f, g);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct mem m = { .n = 0 }, was = { .n = 0 };
	struct tg_log_options o = image_options;
	struct tg_log *log = NULL;
	struct tg_error err = TG_ERROR_INIT;

	if (n > 1 << 18)
		return 0;
	o.segment_bytes = 1 << 20;
	unpack(&m, p, n);
	mem_copy(&was, &m);
	const tg_status before = verify(&m);
	require(mem_same(&was, &m) && m.n == was.n);
	read_on(&m);
	const tg_status s = tg_log_open(mem_files(&m), &o, &log, &err);
	if (s != TG_OK) {
		require(log == NULL && err.text[0] != '\0' && mem_same(&was, &m) && m.n == was.n &&
		    !m.locked);
	} else {
		struct tg_log_entry e;

		compare(&was, &m);
		require(tg_log_append(log,
			    tg_bytes_str("{\"event_type\":\"NOTE_ADDED\",\"note\":\"x\"}"), &e,
			    NULL) == TG_OK);
		require(tg_log_size(log) == e.sequence + 1);
		tg_log_close(log);
		require(before != TG_OK || verify(&m) == TG_OK);
		read_on(&m);
	}
	mem_clear(&m);
	mem_clear(&was);
	return 0;
}
