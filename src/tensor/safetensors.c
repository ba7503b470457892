#include "tensor/safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/json.h"
#include "tensor/dtype.h"
#include "tensor/window.h"
#include "util/try.h"

/* One entry of the header, its offsets counted from the end of the header as the file does. */
struct entry {
	const char *name;  /* borrowed from the tree */
	uint64_t elements; /* the product of all dimensions, also those that t cannot hold */
	struct tg_tensor t;
};

struct entries {
	struct entry *at;
	size_t n;
};

static void
entries_done(struct entries *e)
{
	free(e->at);
}

/* The header's length: the file's first 8 bytes. */
static tg_status
header_len(const struct tg_source *src, uint64_t *ret, struct tg_error *err)
{
	struct tg_window w;
	uint64_t n = 0;

	tg_window_init(&w, src);
	TG_TRY(tg_window_le(&w, 0, 8, &n, err));
	TG_REQUIRE(n <= TG_MAX_SAFETENSORS_HEADER, err, TG_E_LIMIT,
	    "offset 0: a header of %" PRIu64 " bytes, at most %u expected", n,
	    TG_MAX_SAFETENSORS_HEADER);
	TG_REQUIRE(n >= 2 && n <= src->size - 8, err, TG_E_FORMAT,
	    "offset 0: a header of %" PRIu64 " bytes, 2 to %" PRIu64 " fit into the file", n,
	    src->size - 8);
	*ret = n;
	return TG_OK;
}

bool
tg_safetensors_probe(const struct tg_source *src)
{
	struct tg_window w;
	uint64_t n = 0;
	bool object = false;

	tg_window_init(&w, src);
	return header_len(src, &n, NULL) == TG_OK &&
	    tg_window_match(&w, 8, tg_bytes_str("{"), &object, NULL) == TG_OK && object;
}

static tg_status
header_parse(const struct tg_source *src, uint64_t n, struct tg_json **ret, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_SAFETENSORS_HEADER };
	uint8_t *p = NULL;

	TG_REQUIRE(tg_buf_grow(&text, (size_t)n, &p) == TG_OK, err, TG_E_NOMEM,
	    "no memory for a header of %" PRIu64 " bytes", n);
	TG_TRY(src->read_at(src->ctx, p, (size_t)n, 8, err));
	TG_REQUIRE(p[0] == '{', err, TG_E_FORMAT, "offset 8: byte 0x%02x, '{' expected", p[0]);
	return tg_json_parse(tg_buf_view(&text), TG_JSON_ORDINARY, "safetensors header", ret, err);
}

/* "__metadata__": an object of strings, of no other use to us. */
static tg_status
metadata_check(const struct tg_json *m, struct tg_error *err)
{
	TG_REQUIRE(tg_json_typeof(m) == TG_JSON_OBJECT, err, TG_E_FORMAT,
	    "__metadata__: an object is expected");
	for (void *it = tg_json_iter(m); it != NULL; it = tg_json_iter_next(m, it))
		TG_REQUIRE(tg_json_typeof(tg_json_iter_value(it)) == TG_JSON_STRING, err,
		    TG_E_FORMAT, "__metadata__.%.64s: a string is expected", tg_json_iter_key(it));
	return TG_OK;
}

/* An element of a list of sizes. */
static tg_status
size_get(const struct tg_json *list, size_t i, const char *name, uint64_t *ret,
    struct tg_error *err)
{
	const struct tg_json *v = tg_json_at(list, i);

	TG_REQUIRE(tg_json_typeof(v) == TG_JSON_INT && tg_json_int(v) >= 0 &&
		tg_json_int(v) <= TG_MAX_JSON_INT,
	    err, TG_E_FORMAT,
	    "tensor %.64s: whole numbers, 0 to 2^53-1, are expected in shape and data_offsets",
	    name);
	*ret = (uint64_t)tg_json_int(v);
	return TG_OK;
}

/* Dimensions behind the eighth are checked but not kept: such a tensor is only counted. */
static tg_status
shape_get(const struct tg_json *shape, struct entry *e, struct tg_error *err)
{
	size_t rank = tg_json_count(shape);
	uint64_t dim = 0;

	TG_REQUIRE(rank <= TG_MAX_JSON_VALUES, err, TG_E_LIMIT, "tensor %.64s: %zu dimensions",
	    e->name, rank);
	e->t.rank = (unsigned)rank;
	e->elements = 1;
	for (size_t i = 0; i < rank; i++) {
		TG_TRY(size_get(shape, i, e->name, &dim, err));
		TG_REQUIRE(tg_mul_u64(e->elements, dim, &e->elements), err, TG_E_FORMAT,
		    "tensor %.64s: its shape has more than 2^64 elements", e->name);
		if (i < TG_MAX_TENSOR_RANK)
			e->t.shape[i] = dim;
	}
	return TG_OK;
}

static tg_status
offsets_get(const struct tg_json *offsets, struct entry *e, struct tg_error *err)
{
	uint64_t end = 0;

	TG_REQUIRE(tg_json_count(offsets) == 2, err, TG_E_FORMAT,
	    "tensor %.64s: %zu data_offsets, 2 expected", e->name, tg_json_count(offsets));
	TG_TRY(size_get(offsets, 0, e->name, &e->t.offset, err));
	TG_TRY(size_get(offsets, 1, e->name, &end, err));
	TG_REQUIRE(end >= e->t.offset, err, TG_E_FORMAT,
	    "tensor %.64s: data_offsets %" PRIu64 " to %" PRIu64 " run backwards", e->name,
	    e->t.offset, end);
	e->t.size = end - e->t.offset;
	return TG_OK;
}

static tg_status
dtype_get(tg_bytes dtype, struct entry *e, struct tg_error *err)
{
	TG_REQUIRE(tg_dtype_name_ok(dtype), err, TG_E_FORMAT,
	    "tensor %.64s: dtype \"%.32s\", 1 to %u of A-Z, 0-9 and _ expected", e->name,
	    (const char *)dtype.p, TG_MAX_DTYPE_LEN);
	memcpy(e->t.dtype, dtype.p, dtype.n);
	return TG_OK;
}

/* A type of unknown width takes its size as given. */
static tg_status
size_check(const struct entry *e, struct tg_error *err)
{
	size_t width = tg_dtype_width(tg_bytes_str(e->t.dtype));
	uint64_t want = 0;

	if (width == 0)
		return TG_OK;
	TG_REQUIRE(tg_mul_u64(e->elements, width, &want) && want == e->t.size, err, TG_E_FORMAT,
	    "tensor %.64s: %" PRIu64 " bytes, %" PRIu64 " elements of %zu expected", e->name,
	    e->t.size, e->elements, width);
	return TG_OK;
}

static tg_status
entry_get(const char *name, const struct tg_json *value, struct entry *ret, struct tg_error *err)
{
	enum { DTYPE, SHAPE, OFFSETS, FIELDS };
	static const struct tg_json_field schema[FIELDS] = {
		[DTYPE] = { "dtype", TG_JSON_STRING, true },
		[SHAPE] = { "shape", TG_JSON_ARRAY, true },
		[OFFSETS] = { "data_offsets", TG_JSON_ARRAY, true },
	};
	const struct tg_json *field[FIELDS] = { NULL };
	char what[96];

	*ret = (struct entry){ .name = name };
	(void)snprintf(what, sizeof(what), "tensor %.64s", name);
	TG_TRY(tg_json_fields(value, what, schema, FIELDS, field, err));
	TG_TRY(dtype_get(tg_json_str(field[DTYPE]), ret, err));
	TG_TRY(shape_get(field[SHAPE], ret, err));
	TG_TRY(offsets_get(field[OFFSETS], ret, err));
	return size_check(ret, err);
}

static tg_status
entries_get(const struct tg_json *header, struct entries *ret, struct tg_error *err)
{
	size_t n = tg_json_count(header);

	TG_REQUIRE(n <= TG_MAX_TENSORS + 1, err, TG_E_LIMIT, "%zu tensors, at most %u expected", n,
	    TG_MAX_TENSORS);
	ret->at = calloc(n + 1, sizeof(*ret->at));
	TG_REQUIRE(ret->at != NULL, err, TG_E_NOMEM, "no memory for %zu tensors", n);
	for (void *it = tg_json_iter(header); it != NULL; it = tg_json_iter_next(header, it)) {
		const char *name = tg_json_iter_key(it);

		if (strcmp(name, "__metadata__") == 0)
			TG_TRY(metadata_check(tg_json_iter_value(it), err));
		else
			TG_TRY(entry_get(name, tg_json_iter_value(it), &ret->at[ret->n++], err));
	}
	return TG_OK;
}

/* By place; of an empty tensor and one that starts at the same byte, the empty one is first. */
static int
entry_order(const void *a, const void *b)
{
	const struct tg_tensor *x = &((const struct entry *)a)->t;
	const struct tg_tensor *y = &((const struct entry *)b)->t;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* No overlap, no hole, no byte behind the last: tensors follow each other. */
static tg_status
coverage_check(const struct entries *e, uint64_t data_len, struct tg_error *err)
{
	uint64_t at = 0;

	for (size_t i = 0; i < e->n; i++) {
		const struct tg_tensor *t = &e->at[i].t;

		TG_REQUIRE(t->offset == at, err, TG_E_FORMAT,
		    "tensor %.64s: starts at byte %" PRIu64 " of the data, %" PRIu64 " expected",
		    e->at[i].name, t->offset, at);
		TG_REQUIRE(t->size <= data_len - at, err, TG_E_FORMAT,
		    "tensor %.64s: ends at byte %" PRIu64 " of the data, which has %" PRIu64,
		    e->at[i].name, at + t->size, data_len);
		at += t->size;
	}
	TG_REQUIRE(at == data_len, err, TG_E_FORMAT,
	    "the tensors end at byte %" PRIu64 " of the data, which has %" PRIu64, at, data_len);
	return TG_OK;
}

static tg_status
entries_list(const struct entries *e, uint64_t data, struct tg_tensor_list *ret,
    struct tg_error *err)
{
	for (size_t i = 0; i < e->n; i++) {
		struct tg_tensor t = e->at[i].t;

		t.offset += data;
		TG_TRY(tg_tensor_list_offer(ret, &t, tg_bytes_str(e->at[i].name), err));
	}
	return TG_OK;
}

tg_status
tg_safetensors_scan(const struct tg_source *src, struct tg_tensor_list *ret, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *header = NULL;
	TG_AUTO(entries_done) struct entries entries = { NULL, 0 };
	TG_AUTO(tg_tensor_list_done) struct tg_tensor_list list = { 0 };
	uint64_t n = 0;

	TG_TRY(header_len(src, &n, err));
	TG_TRY(header_parse(src, n, &header, err));
	TG_TRY(entries_get(header, &entries, err));
	qsort(entries.at, entries.n, sizeof(*entries.at), entry_order);
	TG_TRY(coverage_check(&entries, src->size - 8 - n, err));
	TG_TRY(entries_list(&entries, 8 + n, &list, err));
	*ret = list;
	tg_tensor_list_init(&list);
	return TG_OK;
}
