#include "tgsp/manifest.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "tensor/dtype.h"
#include "tgsp/layout.h"
#include "tgsp/path.h"
#include "tgsp/value.h"
#include "util/try.h"

/* ---- writing ---- */

/* Adds members until one fails; keeps callers straight-line. */
struct adder {
	struct tg_json *o;
	tg_status s;
};

static void
add(struct adder *a, const char *key, struct tg_json *value)
{
	if (a->s != TG_OK)
		tg_json_free(value);
	else
		a->s = tg_json_set(a->o, key, value);
}

static void
add_str(struct adder *a, const char *key, const char *v)
{
	if (v != NULL)
		add(a, key, tg_json_new_str(tg_bytes_str(v)));
}

static void
add_uint(struct adder *a, const char *key, const uint64_t *v)
{
	if (v != NULL)
		add(a, key, tg_json_new_int((int64_t)*v));
}

static void
add_hex(struct adder *a, const char *key, const uint8_t *p, size_t n)
{
	if (p != NULL)
		add(a, key, tg_json_new_hex((tg_bytes){ p, n }));
}

static void
add_copy(struct adder *a, const char *key, const struct tg_json *v)
{
	if (v != NULL)
		add(a, key, tg_json_copy(v));
}

static struct adder
adder_new(void)
{
	struct tg_json *o = tg_json_new_object();

	return (struct adder){ o, o == NULL ? TG_E_NOMEM : TG_OK };
}

/* The object, or NULL when something failed. */
static struct tg_json *
adder_take(struct adder *a)
{
	if (a->s == TG_OK)
		return a->o;
	tg_json_free(a->o);
	return NULL;
}

static struct tg_json *
file_json(const struct tg_package_file *f)
{
	struct adder a = adder_new();

	add_str(&a, "format", f->format);
	add_uint(&a, "offset", &f->offset);
	add_str(&a, "path", f->path);
	add_hex(&a, "sha256", f->sha256, TG_HASH_LEN);
	add_uint(&a, "size", &f->size);
	return adder_take(&a);
}

static struct tg_json *
shape_json(const struct tgsp_tensor *t)
{
	struct tg_json *o = tg_json_new_array();

	for (unsigned i = 0; o != NULL && i < t->rank; i++)
		if (tg_json_push(o, tg_json_new_int((int64_t)t->shape[i])) != TG_OK) {
			tg_json_free(o);
			o = NULL;
		}
	return o;
}

static struct tg_json *
tensor_json(const struct tgsp_tensor *t)
{
	struct adder a = adder_new();

	add_str(&a, "dtype", t->dtype);
	add_str(&a, "name", t->name);
	add_uint(&a, "offset", &t->offset);
	add_str(&a, "path", t->path);
	add(&a, "shape", shape_json(t));
	add_uint(&a, "size", &t->size);
	return adder_take(&a);
}

/* An array of what `item` makes of 0 ... n-1; NULL when something failed. */
static struct tg_json *
array_json(size_t n, struct tg_json *(*item)(const void *ctx, size_t i), const void *ctx)
{
	struct tg_json *o = tg_json_new_array();

	for (size_t i = 0; o != NULL && i < n; i++)
		if (tg_json_push(o, item(ctx, i)) != TG_OK) {
			tg_json_free(o);
			return NULL;
		}
	return o;
}

static struct tg_json *
nth_file(const void *files, size_t i)
{
	return file_json((const struct tg_package_file *)files + i);
}

static struct tg_json *
nth_tensor(const void *tensors, size_t i)
{
	return tensor_json((const struct tgsp_tensor *)tensors + i);
}

static struct tg_json *
nth_string(const void *strings, size_t i)
{
	return tg_json_new_str(tg_bytes_str(((const char *const *)strings)[i]));
}

static struct tg_json *
nth_id(const void *ids, size_t i)
{
	return tg_json_new_hex((tg_bytes){ (const uint8_t *)ids + i * TG_KEY_ID_LEN, TG_KEY_ID_LEN });
}

tg_status
tgsp_manifest_write(const struct tgsp_manifest_draft *d, struct tg_buf *out, struct tg_error *err)
{
	struct adder a = adder_new();

	add_hex(&a, "author_key_id", d->author, TG_KEY_ID_LEN);
	add_hex(&a, "base_model_sha256", d->base_model_sha256, TG_HASH_LEN);
	add(&a, "content_index", array_json(d->n_files, nth_file, d->files));
	add_uint(&a, "created_at", &d->created_at);
	add_copy(&a, "custom", d->custom);
	if (d->n_delegates > 0)
		add(&a, "delegates", array_json(d->n_delegates, nth_id, d->delegates));
	add_str(&a, "kind", d->kind);
	add_str(&a, "min_agent_version", d->min_agent_version);
	add_copy(&a, "model_card", d->model_card);
	add_str(&a, "model_name", d->model_name);
	add_str(&a, "model_version", d->model_version);
	add_uint(&a, "not_after", d->not_after);
	add_uint(&a, "not_before", d->not_before);
	add_str(&a, "package_id", d->package_id);
	add_copy(&a, "policy", d->policy);
	add_copy(&a, "preprocessing", d->preprocessing);
	add_hex(&a, "prev_package", d->prev_package, TG_HASH_LEN);
	add_copy(&a, "provenance", d->provenance);
	add_uint(&a, "rollback_index", &d->rollback_index);
	if (d->n_fleets > 0)
		add(&a, "target_fleets", array_json(d->n_fleets, nth_string, d->fleets));
	if (d->n_tensors > 0)
		add(&a, "tensors", array_json(d->n_tensors, nth_tensor, d->tensors));
	add_str(&a, "tgsp_version", "1.0");
	TG_AUTO(tg_json_freep) struct tg_json *o = adder_take(&a);
	TG_REQUIRE(o != NULL, err, TG_E_NOMEM, "manifest: out of memory");
	return tg_json_write(o, out, err);
}

static tg_status
hash_json(const struct tg_json *j, size_t max, uint8_t ret[static TG_HASH_LEN], struct tg_error *err)
{
	struct tg_buf text = { .max = max };
	tg_status s = tg_json_write(j, &text, err);
	const tg_bytes part = tg_buf_view(&text);

	if (s == TG_OK)
		s = tg_sha256(&part, 1, ret, err);
	tg_buf_done(&text);
	return s;
}

tg_status
tgsp_content_hash(const struct tg_package_file *files, size_t n, uint8_t ret[static TG_HASH_LEN],
    struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *o = array_json(n, nth_file, files);

	TG_REQUIRE(o != NULL, err, TG_E_NOMEM, "content index: out of memory");
	return hash_json(o, TG_MAX_TGSP_MANIFEST, ret, err);
}

/* ---- reading ---- */

void
tgsp_manifest_free(struct tgsp_manifest *m)
{
	if (m == NULL)
		return;
	free(m->files);
	free(m->tensors);
	free(m->fleets);
	free(m->delegates);
	tg_json_free(m->tree);
	free(m);
}

/* calloc that gives memory for zero items too */
static tg_status
alloc(size_t n, size_t size, void *ret, struct tg_error *err)
{
	void *p = calloc(n == 0 ? 1 : n, size);

	TG_REQUIRE(p != NULL, err, TG_E_NOMEM, "manifest: out of memory");
	memcpy(ret, &p, sizeof(p));
	return TG_OK;
}

static tg_status
read_format(const struct tg_json *j, const char **ret, struct tg_error *err)
{
	const tg_bytes s = tg_json_str(j);
	bool good = s.n >= 1 && s.n <= TG_MAX_FORMAT_LEN;

	for (size_t i = 0; good && i < s.n; i++)
		good = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
		    strchr("._-", s.p[i]) != NULL;
	TG_REQUIRE(good, err, TG_E_FORMAT,
	    "manifest.content_index: \"format\" is not 1 ... %u of [a-z0-9._-]", TG_MAX_FORMAT_LEN);
	*ret = (const char *)s.p;
	return TG_OK;
}

static tg_status
read_file(const struct tg_json *j, struct tgsp_file *ret, struct tg_error *err)
{
	enum { FORMAT, OFFSET, PATH, SHA256, SIZE, N };
	static const struct tg_json_field fields[N] = {
		[FORMAT] = { "format", TG_JSON_STRING, false },
		[OFFSET] = { "offset", TG_JSON_INT, true },
		[PATH] = { "path", TG_JSON_STRING, true },
		[SHA256] = { "sha256", TG_JSON_STRING, true },
		[SIZE] = { "size", TG_JSON_INT, true },
	};
	const struct tg_json *f[N] = { NULL };

	TG_TRY(tg_json_fields(j, "manifest.content_index", fields, N, f, err));
	if (f[FORMAT] != NULL)
		TG_TRY(read_format(f[FORMAT], &ret->f.format, err));
	TG_TRY(tgsp_get_uint(f[OFFSET], "manifest.content_index: \"offset\"", TG_MAX_PLAIN_LEN,
	    &ret->f.offset, err));
	TG_TRY(tgsp_get_uint(f[SIZE], "manifest.content_index: \"size\"", TG_MAX_PLAIN_LEN,
	    &ret->f.size, err));
	TG_TRY(tgsp_get_hex(f[SHA256], "manifest.content_index: \"sha256\"", ret->sha256,
	    TG_HASH_LEN, err));
	ret->f.path = (const char *)tg_json_str(f[PATH]).p;
	ret->f.sha256 = ret->sha256;
	return TG_OK;
}

static tg_status
read_files(const struct tg_json *j, struct tgsp_manifest *m, struct tg_error *err)
{
	const size_t n = tg_json_count(j);

	TG_REQUIRE(n <= TG_MAX_INPUT_FILES, err, TG_E_LIMIT,
	    "manifest.content_index: %zu files, at most %u allowed", n, TG_MAX_INPUT_FILES);
	TG_TRY(alloc(n, sizeof(*m->files), &m->files, err));
	for (m->n_files = 0; m->n_files < n; m->n_files++)
		TG_TRY(read_file(tg_json_at(j, m->n_files), &m->files[m->n_files], err));
	return hash_json(j, TG_MAX_TGSP_MANIFEST, m->content_hash, err);
}

static tg_status
read_shape(const struct tg_json *j, struct tgsp_tensor *t, struct tg_error *err)
{
	const size_t n = tg_json_count(j);

	TG_REQUIRE(n <= TG_MAX_TENSOR_RANK, err, TG_E_FORMAT,
	    "manifest.tensors: shape of %zu dimensions, at most %u expected", n, TG_MAX_TENSOR_RANK);
	for (t->rank = 0; t->rank < n; t->rank++) {
		const struct tg_json *d = tg_json_at(j, t->rank);

		TG_REQUIRE(tg_json_typeof(d) == TG_JSON_INT, err, TG_E_FORMAT,
		    "manifest.tensors: \"shape\" holds something else than integers");
		TG_TRY(tgsp_get_uint(d, "manifest.tensors: \"shape\"", TG_MAX_JSON_INT,
		    &t->shape[t->rank], err));
	}
	return TG_OK;
}

static tg_status
read_dtype(const struct tg_json *j, const char **ret, struct tg_error *err)
{
	const tg_bytes s = tg_json_str(j);
	bool good = s.n >= 1 && s.n <= TG_MAX_DTYPE_LEN;

	for (size_t i = 0; good && i < s.n; i++)
		good = (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
		    s.p[i] == '_';
	TG_REQUIRE(good, err, TG_E_FORMAT, "manifest.tensors: \"dtype\" is not 1 ... %u of [A-Z0-9_]",
	    TG_MAX_DTYPE_LEN);
	*ret = (const char *)s.p;
	return TG_OK;
}

static tg_status
read_tensor(const struct tg_json *j, struct tgsp_tensor *t, struct tg_error *err)
{
	enum { DTYPE, NAME, OFFSET, PATH, SHAPE, SIZE, N };
	static const struct tg_json_field fields[N] = {
		[DTYPE] = { "dtype", TG_JSON_STRING, true },
		[NAME] = { "name", TG_JSON_STRING, true },
		[OFFSET] = { "offset", TG_JSON_INT, true },
		[PATH] = { "path", TG_JSON_STRING, true },
		[SHAPE] = { "shape", TG_JSON_ARRAY, true },
		[SIZE] = { "size", TG_JSON_INT, true },
	};
	const struct tg_json *f[N] = { NULL };

	TG_TRY(tg_json_fields(j, "manifest.tensors", fields, N, f, err));
	TG_TRY(read_dtype(f[DTYPE], &t->dtype, err));
	TG_TRY(tgsp_get_name(f[NAME], "manifest.tensors: \"name\"", &t->name, err));
	TG_TRY(tgsp_get_uint(f[OFFSET], "manifest.tensors: \"offset\"", TG_MAX_PLAIN_LEN, &t->offset,
	    err));
	TG_TRY(tgsp_get_uint(f[SIZE], "manifest.tensors: \"size\"", TG_MAX_PLAIN_LEN, &t->size, err));
	t->path = (const char *)tg_json_str(f[PATH]).p;
	return read_shape(f[SHAPE], t, err);
}

static tg_status
read_tensors(const struct tg_json *j, struct tgsp_manifest *m, struct tg_error *err)
{
	const size_t n = tg_json_count(j);

	TG_TRY(alloc(n, sizeof(*m->tensors), &m->tensors, err));
	for (m->n_tensors = 0; m->n_tensors < n; m->n_tensors++)
		TG_TRY(read_tensor(tg_json_at(j, m->n_tensors), &m->tensors[m->n_tensors], err));
	return TG_OK;
}

static tg_status
read_fleets(const struct tg_json *j, struct tgsp_manifest *m, struct tg_error *err)
{
	const size_t n = tg_json_count(j);

	TG_REQUIRE(n >= 1, err, TG_E_FORMAT, "manifest.target_fleets: empty");
	TG_REQUIRE(n <= TG_MAX_TARGET_FLEETS, err, TG_E_LIMIT,
	    "manifest.target_fleets: %zu names, at most %u allowed", n, TG_MAX_TARGET_FLEETS);
	TG_TRY(alloc(n, sizeof(*m->fleets), &m->fleets, err));
	for (size_t i = 0; i < n; i++) {
		TG_TRY(tgsp_get_name(tg_json_at(j, i), "manifest.target_fleets", &m->fleets[i], err));
		TG_REQUIRE(i == 0 || strcmp(m->fleets[i - 1], m->fleets[i]) < 0, err, TG_E_FORMAT,
		    "manifest.target_fleets: \"%s\" twice or out of order", m->fleets[i]);
	}
	m->n_fleets = n;
	return TG_OK;
}

static tg_status
read_delegates(const struct tg_json *j, struct tgsp_manifest *m, struct tg_error *err)
{
	const size_t n = tg_json_count(j);

	TG_REQUIRE(n <= TG_MAX_DELEGATES, err, TG_E_LIMIT,
	    "manifest.delegates: %zu key ids, at most %u allowed", n, TG_MAX_DELEGATES);
	TG_TRY(alloc(n, sizeof(*m->delegates), &m->delegates, err));
	for (size_t i = 0; i < n; i++) {
		TG_TRY(tgsp_get_hex(tg_json_at(j, i), "manifest.delegates", m->delegates[i],
		    TG_KEY_ID_LEN, err));
		TG_REQUIRE(i == 0 || memcmp(m->delegates[i - 1], m->delegates[i], TG_KEY_ID_LEN) < 0,
		    err, TG_E_FORMAT, "manifest.delegates: key id twice or out of order");
	}
	m->n_delegates = n;
	return TG_OK;
}

tg_status
tgsp_version_parse(const char *text, const char *what, uint16_t ret[static 3], struct tg_error *err)
{
	uint16_t v[3] = { 0 };
	const char *p = text;

	for (int i = 0; i < 3; i++) {
		uint32_t n = 0;
		int digits = 0;
		const bool zero = *p == '0';

		for (; *p >= '0' && *p <= '9' && digits < 6; p++, digits++)
			n = n * 10 + (uint32_t)(*p - '0');
		TG_REQUIRE(digits >= 1 && digits <= 5 && n <= 65535 && (!zero || digits == 1) &&
			*p == (i < 2 ? '.' : '\0'),
		    err, TG_E_FORMAT, "%s: \"%s\" is not MAJOR.MINOR.PATCH", what, text);
		v[i] = (uint16_t)n;
		p++;
	}
	memcpy(ret, v, sizeof(v));
	return TG_OK;
}

static tg_status
read_kind(const struct tg_json *j, const char **ret, struct tg_error *err)
{
	static const char *const kinds[] = { "adapter", "model", "update" };
	const tg_bytes s = tg_json_str(j);

	for (size_t i = 0; i < TG_LEN(kinds); i++)
		if (tg_bytes_equal(s, tg_bytes_str(kinds[i]))) {
			*ret = kinds[i];
			return TG_OK;
		}
	return tg_fail(err, TG_E_FORMAT, "manifest.kind: \"%.32s\", model, adapter or update expected",
	    (const char *)s.p);
}

enum {
	AUTHOR, BASE, CONTENT, CREATED, CUSTOM, DELEGATES, KIND, MIN_AGENT, CARD, NAME, VERSION, NOT_AFTER,
	NOT_BEFORE, PACKAGE_ID, POLICY, PREPROCESSING, PREV, PROVENANCE, ROLLBACK, FLEETS, TENSORS,
	TGSP_VERSION, FIELDS
};

static const struct tg_json_field schema[FIELDS] = {
	[AUTHOR] = { "author_key_id", TG_JSON_STRING, true },
	[BASE] = { "base_model_sha256", TG_JSON_STRING, false },
	[CONTENT] = { "content_index", TG_JSON_ARRAY, true },
	[CREATED] = { "created_at", TG_JSON_INT, true },
	[CUSTOM] = { "custom", TG_JSON_OBJECT, false },
	[DELEGATES] = { "delegates", TG_JSON_ARRAY, false },
	[KIND] = { "kind", TG_JSON_STRING, false },
	[MIN_AGENT] = { "min_agent_version", TG_JSON_STRING, false },
	[CARD] = { "model_card", TG_JSON_OBJECT, false },
	[NAME] = { "model_name", TG_JSON_STRING, true },
	[VERSION] = { "model_version", TG_JSON_STRING, true },
	[NOT_AFTER] = { "not_after", TG_JSON_INT, false },
	[NOT_BEFORE] = { "not_before", TG_JSON_INT, false },
	[PACKAGE_ID] = { "package_id", TG_JSON_STRING, true },
	[POLICY] = { "policy", TG_JSON_OBJECT, false },
	[PREPROCESSING] = { "preprocessing", TG_JSON_OBJECT, false },
	[PREV] = { "prev_package", TG_JSON_STRING, false },
	[PROVENANCE] = { "provenance", TG_JSON_OBJECT, false },
	[ROLLBACK] = { "rollback_index", TG_JSON_INT, true },
	[FLEETS] = { "target_fleets", TG_JSON_ARRAY, false },
	[TENSORS] = { "tensors", TG_JSON_ARRAY, false },
	[TGSP_VERSION] = { "tgsp_version", TG_JSON_STRING, true },
};

static tg_status
read_scalars(const struct tg_json *const f[FIELDS], struct tgsp_manifest *m, struct tg_error *err)
{
	uint8_t hash[32];

	TG_TRY(tgsp_get_exact(f[TGSP_VERSION], "manifest.tgsp_version", "1.0", err));
	TG_TRY(tgsp_get_hex(f[PACKAGE_ID], "manifest.package_id", hash, 16, err));
	m->package_id = (const char *)tg_json_str(f[PACKAGE_ID]).p;
	TG_TRY(tgsp_get_name(f[NAME], "manifest.model_name", &m->model_name, err));
	TG_TRY(tgsp_get_name(f[VERSION], "manifest.model_version", &m->model_version, err));
	TG_TRY(tgsp_get_hex(f[AUTHOR], "manifest.author_key_id", m->author, TG_KEY_ID_LEN, err));
	TG_TRY(tgsp_get_uint(f[CREATED], "manifest.created_at", TG_MAX_JSON_INT, &m->created_at, err));
	TG_TRY(tgsp_get_uint(f[ROLLBACK], "manifest.rollback_index", TG_MAX_JSON_INT,
	    &m->rollback_index, err));
	if (f[BASE] != NULL)
		TG_TRY(tgsp_get_hex(f[BASE], "manifest.base_model_sha256", hash, 32, err));
	if (f[PREV] != NULL)
		TG_TRY(tgsp_get_hex(f[PREV], "manifest.prev_package", hash, 32, err));
	m->kind = "model";
	return f[KIND] == NULL ? TG_OK : read_kind(f[KIND], &m->kind, err);
}

static tg_status
read_conditions(const struct tg_json *const f[FIELDS], struct tgsp_manifest *m,
    struct tg_error *err)
{
	m->has_not_before = f[NOT_BEFORE] != NULL;
	m->has_not_after = f[NOT_AFTER] != NULL;
	if (m->has_not_before)
		TG_TRY(tgsp_get_uint(f[NOT_BEFORE], "manifest.not_before", TG_MAX_JSON_INT,
		    &m->not_before, err));
	if (m->has_not_after)
		TG_TRY(tgsp_get_uint(f[NOT_AFTER], "manifest.not_after", TG_MAX_JSON_INT, &m->not_after,
		    err));
	if (f[FLEETS] != NULL)
		TG_TRY(read_fleets(f[FLEETS], m, err));
	if (f[DELEGATES] != NULL)
		TG_TRY(read_delegates(f[DELEGATES], m, err));
	if (f[MIN_AGENT] == NULL)
		return TG_OK;
	m->min_agent_version = (const char *)tg_json_str(f[MIN_AGENT]).p;
	return tgsp_version_parse(m->min_agent_version, "manifest.min_agent_version", m->min_agent,
	    err);
}

tg_status
tgsp_manifest_read(tg_bytes json, struct tgsp_manifest **ret, struct tg_error *err)
{
	TG_AUTO(tgsp_manifest_freep) struct tgsp_manifest *m = NULL;
	const struct tg_json *f[FIELDS] = { NULL };

	TG_TRY(alloc(1, sizeof(*m), &m, err));
	TG_TRY(tg_json_parse(json, TG_JSON_CANONICAL, "manifest", &m->tree, err));
	TG_TRY(tg_json_fields(m->tree, "manifest", schema, FIELDS, f, err));
	TG_TRY(read_scalars(f, m, err));
	TG_TRY(read_conditions(f, m, err));
	TG_TRY(read_files(f[CONTENT], m, err));
	if (f[TENSORS] != NULL)
		TG_TRY(read_tensors(f[TENSORS], m, err));
	*ret = m;
	m = NULL;
	return TG_OK;
}

/* ---- checking ---- */

size_t
tgsp_manifest_find(const struct tgsp_manifest *m, const char *path)
{
	size_t lo = 0, hi = m->n_files;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;
		const int d = strcmp(m->files[mid].f.path, path);

		if (d == 0)
			return mid;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return m->n_files;
}

static tg_status
paths_check(const struct tgsp_manifest *m, struct tg_error *err)
{
	const char **paths = NULL;

	TG_TRY(alloc(m->n_files, sizeof(*paths), &paths, err));
	for (size_t i = 0; i < m->n_files; i++)
		paths[i] = m->files[i].f.path;
	tg_status s = tgsp_paths_check(paths, m->n_files, err);
	free(paths);
	return s;
}

/* offset_k = roundup4096(end of file k-1); no sum can overflow, all terms are <= 2^40 */
static tg_status
offsets_check(const struct tgsp_manifest *m, uint64_t plain_len, struct tg_error *err)
{
	uint64_t end = 0;

	for (size_t i = 0; i < m->n_files; i++) {
		const struct tg_package_file *f = &m->files[i].f;
		const uint64_t want = tgsp_align_up(end);

		TG_REQUIRE(f->offset == want, err, TG_E_FORMAT,
		    "manifest.content_index: \"%s\" at offset %llu, %llu expected", f->path,
		    (unsigned long long)f->offset, (unsigned long long)want);
		end = f->offset + f->size;
		TG_REQUIRE(end <= plain_len, err, TG_E_FORMAT,
		    "manifest.content_index: \"%s\" ends at %llu, behind plain_len %llu", f->path,
		    (unsigned long long)end, (unsigned long long)plain_len);
	}
	TG_REQUIRE(end == plain_len, err, TG_E_FORMAT,
	    "manifest.content_index: files end at %llu, plain_len is %llu", (unsigned long long)end,
	    (unsigned long long)plain_len);
	return TG_OK;
}

static tg_status
tensor_check(const struct tgsp_manifest *m, const struct tgsp_tensor *t, struct tg_error *err)
{
	const size_t width = tg_dtype_width(tg_bytes_str(t->dtype));
	const size_t file = tgsp_manifest_find(m, t->path);
	uint64_t bytes = width == 0 ? 1 : width;
	bool fits = true;

	TG_REQUIRE(file < m->n_files, err, TG_E_FORMAT, "tensor \"%s\": no file \"%s\"", t->name,
	    t->path);
	TG_REQUIRE(t->size <= m->files[file].f.size && t->offset <= m->files[file].f.size - t->size, err,
	    TG_E_FORMAT, "tensor \"%s\": %llu bytes at %llu leave the file \"%s\"", t->name,
	    (unsigned long long)t->size, (unsigned long long)t->offset, t->path);
	for (unsigned i = 0; fits && i < t->rank; i++)
		fits = tg_mul_u64(bytes, t->shape[i], &bytes);
	/* a zero dimension makes the product 0, so an overflow before it is no fault of the size */
	for (unsigned i = 0; !fits && i < t->rank; i++)
		if (t->shape[i] == 0) {
			fits = true;
			bytes = 0;
		}
	TG_REQUIRE(fits, err, TG_E_FORMAT, "tensor \"%s\": shape overflows", t->name);
	TG_REQUIRE(width == 0 || t->size == bytes, err, TG_E_FORMAT,
	    "tensor \"%s\": %llu bytes, shape and dtype make %llu", t->name,
	    (unsigned long long)t->size, (unsigned long long)bytes);
	return TG_OK;
}

tg_status
tgsp_manifest_check(const struct tgsp_manifest *m, uint64_t plain_len, struct tg_error *err)
{
	TG_TRY(paths_check(m, err));
	TG_TRY(offsets_check(m, plain_len, err));
	for (size_t i = 0; i < m->n_tensors; i++) {
		const struct tgsp_tensor *t = &m->tensors[i];

		TG_REQUIRE(i == 0 || strcmp(t[-1].name, t->name) < 0, err, TG_E_FORMAT,
		    "tensor \"%s\": twice or out of order", t->name);
		TG_TRY(tensor_check(m, t, err));
	}
	return TG_OK;
}
