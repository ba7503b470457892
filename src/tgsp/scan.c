#include "tgsp/scan.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "tensor/format.h"
#include "tensor/onnx.h"
#include "tensor/pickle.h"
#include "tensor/safetensors.h"
#include "tgsp/path.h"
#include "util/parallel.h"
#include "util/try.h"

#define READ_BYTES (256u << 10)

void
tgsp_scan_done(struct tgsp_scan *s)
{
	for (size_t i = 0; i < s->n && s->at != NULL; i++)
		tg_tensor_list_done(&s->at[i].tensors);
	free(s->at);
	*s = (struct tgsp_scan){ NULL, 0 };
}

/* An input while it is open. */
struct opened {
	const struct tg_build_input *input;
	struct tg_source src;
	bool open;
};

static void
opened_close(struct opened *o)
{
	if (o->open)
		o->input->close(o->input->ctx, &o->src);
}

static tg_status
open_input(const struct tg_build_input *input, struct opened *ret, struct tg_error *err)
{
	ret->input = input;
	TG_TRY(input->open(input->ctx, &ret->src, err));
	ret->open = true;
	return TG_OK;
}

struct pass {
	const struct tg_build_spec *spec;
	struct tgsp_scan *scan;
	const struct tg_progress *progress;
	pthread_mutex_t lock; /* over done */
	uint64_t done, total;
};

static void
pass_add(struct pass *p, uint64_t n)
{
	if (p->progress == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->done += n;
	p->progress->step(p->progress->ctx, p->done, p->total);
	pthread_mutex_unlock(&p->lock);
}

static tg_status
hash_file(struct pass *p, const struct tg_source *src, uint8_t *buf, uint8_t ret[static 32],
    struct tg_error *err)
{
	TG_AUTO(tg_sha256_freep) struct tg_sha256_stream *hash = NULL;

	TG_TRY(tg_sha256_new(&hash, err));
	for (uint64_t at = 0; at < src->size;) {
		const size_t n = src->size - at < READ_BYTES ? (size_t)(src->size - at) : READ_BYTES;

		TG_TRY(src->read_at(src->ctx, buf, n, at, err));
		TG_TRY(tg_sha256_put(hash, buf, n, err));
		at += n;
		pass_add(p, n);
	}
	return tg_sha256_finish(hash, ret, err);
}

static tg_status
refuse_code(const struct tg_source *src, const char *path, struct tg_error *err)
{
	char reason[TG_CODE_REASON_LEN];
	bool found = false;

	TG_TRY(tg_code_find(src, tg_bytes_str(path), reason, &found, err));
	TG_REQUIRE(!found, err, TG_E_POLICY,
	    "%s: loading it would run code: %s (--allow-pickle packages it all the same)", path, reason);
	return TG_OK;
}

static tg_status
scan_tensors(const struct tg_source *src, const char *format, struct tg_tensor_list *ret,
    struct tg_error *err)
{
	if (strcmp(format, "safetensors") == 0)
		return tg_safetensors_scan(src, ret, err);
	if (strcmp(format, "onnx") == 0) {
		struct tg_onnx_info info;

		tg_onnx_info_init(&info);
		TG_TRY(tg_onnx_scan(src, &info, err));
		*ret = info.tensors;
		tg_tensor_list_init(&info.tensors);
		tg_onnx_info_done(&info);
	}
	return TG_OK;
}

/* Prefix a failure with the file it is about. */
static tg_status
about(const char *path, tg_status s, const struct tg_error *why, const char *hint,
    struct tg_error *err)
{
	if (s == TG_OK)
		return TG_OK;
	if (strncmp(why->text, path, strlen(path)) == 0)
		return tg_fail(err, s, "%s%s", why->text, hint);
	return tg_fail(err, s, "%s: %s%s", path, why->text, hint);
}

static tg_status
scan_work(void *ctx, void *slot, uint64_t item, struct tg_error *err)
{
	struct pass *p = ctx;
	struct tgsp_scanned *f = &p->scan->at[item];
	const char *path = f->input->path;
	TG_AUTO(opened_close) struct opened in = { .open = false };
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(open_input(f->input, &in, err));
	TG_REQUIRE(in.src.size == f->size, err, TG_E_CONFLICT, "%s: changed while being packaged", path);
	if (!p->spec->allow_code)
		TG_TRY(about(path, refuse_code(&in.src, path, &why), &why, "", err));
	f->format = tg_format_sniff(&in.src, tg_bytes_str(path));
	if (f->format != NULL && !p->spec->no_tensors)
		TG_TRY(about(path, scan_tensors(&in.src, f->format, &f->tensors, &why), &why,
		    " (--no-tensors packages it without a tensor table)", err));
	return about(path,
	    hash_file(p, &in.src, tg_secret_bytes(slot), f->sha256, &why), &why, "", err);
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct tgsp_scanned *)a)->input->path,
	    ((const struct tgsp_scanned *)b)->input->path);
}

static tg_status
paths_check(const struct tgsp_scan *s, struct tg_error *err)
{
	const char **paths = calloc(s->n + 1, sizeof(*paths));

	TG_REQUIRE(paths != NULL, err, TG_E_NOMEM, "build: out of memory");
	for (size_t i = 0; i < s->n; i++)
		paths[i] = s->at[i].input->path;
	tg_status st = tgsp_paths_check(paths, s->n, err);
	free(paths);
	return st;
}

/* The inputs in path order, with their sizes. */
static tg_status
list_inputs(const struct tg_build_spec *spec, struct tgsp_scan *s, uint64_t *ret_total,
    struct tg_error *err)
{
	TG_REQUIRE(spec->n_inputs <= TG_MAX_INPUT_FILES, err, TG_E_LIMIT,
	    "%zu files, at most %u fit into a package", spec->n_inputs, TG_MAX_INPUT_FILES);
	s->at = calloc(spec->n_inputs + 1, sizeof(*s->at));
	TG_REQUIRE(s->at != NULL, err, TG_E_NOMEM, "build: out of memory");
	for (s->n = 0; s->n < spec->n_inputs; s->n++) {
		TG_AUTO(opened_close) struct opened in = { .open = false };
		struct tgsp_scanned *f = &s->at[s->n];

		tg_tensor_list_init(&f->tensors);
		f->input = &spec->inputs[s->n];
		TG_TRY(open_input(f->input, &in, err));
		f->size = in.src.size;
		TG_REQUIRE(f->size <= TG_MAX_PLAIN_LEN && *ret_total <= TG_MAX_PLAIN_LEN, err, TG_E_LIMIT,
		    "%s: more than 2^40 bytes do not fit into a package", f->input->path);
		*ret_total += f->size;
	}
	qsort(s->at, s->n, sizeof(*s->at), by_path);
	return paths_check(s, err);
}

struct buffers {
	struct tg_secret *at[TG_MAX_THREADS];
	void *slots[TG_MAX_THREADS];
	unsigned n;
};

static void
buffers_done(struct buffers *b)
{
	for (unsigned i = 0; i < b->n; i++)
		tg_secret_free(b->at[i]);
}

static tg_status
run_pass(struct pass *p, struct tg_error *err)
{
	TG_AUTO(buffers_done) struct buffers b = { .n = 0 };
	unsigned threads = p->spec->threads == 0 ? tg_parallel_cores() : p->spec->threads;
	const struct tg_parallel run = { NULL, scan_work, NULL, p, p->scan->n, NULL };

	if (threads > TG_MAX_THREADS)
		threads = TG_MAX_THREADS;
	for (; b.n < threads; b.n++) {
		TG_TRY(tg_secret_new(READ_BYTES, &b.at[b.n], err));
		b.slots[b.n] = b.at[b.n];
	}
	return tg_parallel_run(&run, threads, b.slots, err);
}

tg_status
tgsp_scan(const struct tg_build_spec *spec, struct tgsp_scan *ret,
    const struct tg_progress *progress, struct tg_error *err)
{
	TG_AUTO(tgsp_scan_done) struct tgsp_scan s = { NULL, 0 };
	struct pass p = { .spec = spec, .scan = &s, .progress = progress };

	TG_TRY(list_inputs(spec, &s, &p.total, err));
	p.total *= 2; /* pass 2 reads it all again */
	pthread_mutex_init(&p.lock, NULL);
	tg_status st = run_pass(&p, err);
	pthread_mutex_destroy(&p.lock);
	TG_TRY(st);
	*ret = s;
	s = (struct tgsp_scan){ NULL, 0 };
	return TG_OK;
}

/* ---- the tensor table ---- */

void
tgsp_tensor_table_done(struct tgsp_tensor_table *t)
{
	for (size_t i = 0; i < t->n_owned; i++)
		free(t->owned[i]);
	free(t->owned);
	free(t->at);
}

static int
by_name(const void *a, const void *b)
{
	const struct tgsp_tensor *x = a, *y = b;
	const int d = strcmp(x->name, y->name);

	return d != 0 ? d : strcmp(x->path, y->path);
}

static bool
nameable(const char *name)
{
	const size_t n = strlen(name);

	if (n < 1 || n > TG_MAX_NAME_LEN)
		return false;
	for (size_t i = 0; i < n; i++) {
		const uint8_t c = (uint8_t)name[i];

		if (c < 0x20 || c == 0x7f || (c == 0xc2 && (uint8_t)name[i + 1] < 0xa0))
			return false;
	}
	return true;
}

static struct tgsp_tensor
table_row(const struct tgsp_scanned *f, const struct tg_tensor *t)
{
	struct tgsp_tensor row = { .name = t->name, .path = f->input->path, .dtype = t->dtype,
		.rank = t->rank, .offset = t->offset, .size = t->size };

	memcpy(row.shape, t->shape, sizeof(row.shape));
	return row;
}

/* Rows from[0 ... n-1] share a name: give each its path, unless one file alone has it twice. */
static tg_status
qualify(struct tgsp_tensor_table *t, struct tgsp_tensor *from, size_t n, struct tg_error *err)
{
	for (size_t i = 0; i < n; i++) {
		char *name = NULL;

		TG_REQUIRE(asprintf(&name, "%s:%s", from[i].path, from[i].name) >= 0, err, TG_E_NOMEM,
		    "tensors: out of memory");
		t->owned[t->n_owned++] = name;
		from[i].name = name;
	}
	return TG_OK;
}

static tg_status
qualify_equals(struct tgsp_tensor_table *t, struct tg_error *err)
{
	qsort(t->at, t->n, sizeof(*t->at), by_name);
	for (size_t i = 0, n; i < t->n; i += n) {
		for (n = 1; i + n < t->n && strcmp(t->at[i].name, t->at[i + n].name) == 0; n++)
			;
		if (n > 1)
			TG_TRY(qualify(t, &t->at[i], n, err));
	}
	qsort(t->at, t->n, sizeof(*t->at), by_name);
	return TG_OK;
}

/* Keep the first of those that even their paths do not tell apart, and what has a good name. */
static size_t
drop_unnameable(struct tgsp_tensor_table *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++)
		if (nameable(t->at[i].name) &&
		    (kept == 0 || strcmp(t->at[kept - 1].name, t->at[i].name) != 0))
			t->at[kept++] = t->at[i];
	const size_t dropped = t->n - kept;
	t->n = kept;
	return dropped;
}

tg_status
tgsp_tensor_table(const struct tgsp_scan *s, struct tgsp_tensor_table *ret, size_t *ret_skipped,
    struct tg_error *err)
{
	TG_AUTO(tgsp_tensor_table_done) struct tgsp_tensor_table t = { .n = 0 };
	size_t total = 0, skipped = 0;

	for (size_t i = 0; i < s->n; i++)
		total += s->at[i].tensors.n;
	t.at = calloc(total + 1, sizeof(*t.at));
	t.owned = calloc(total + 1, sizeof(*t.owned));
	TG_REQUIRE(t.at != NULL && t.owned != NULL, err, TG_E_NOMEM, "tensors: out of memory");
	for (size_t i = 0; i < s->n; i++) {
		for (size_t k = 0; k < s->at[i].tensors.n; k++)
			t.at[t.n++] = table_row(&s->at[i], &s->at[i].tensors.at[k]);
		skipped += s->at[i].tensors.skipped;
	}
	TG_TRY(qualify_equals(&t, err));
	skipped += drop_unnameable(&t);
	*ret = t;
	*ret_skipped = skipped;
	t = (struct tgsp_tensor_table){ .n = 0 };
	return TG_OK;
}
