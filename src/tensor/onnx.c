#include "tensor/onnx.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tensor/onnx_tensor.h"
#include "util/try.h"

/* The fields of onnx.proto that matter here, message by message. */
enum { MODEL_IR = 1, MODEL_PRODUCER = 2, MODEL_GRAPH = 7, MODEL_OPSET = 8 };
enum { OPSET_DOMAIN = 1, OPSET_VERSION = 2 };
enum { GRAPH_NODE = 1, GRAPH_INIT = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12, GRAPH_SPARSE = 15 };
enum { NODE_OUTPUT = 2, NODE_OP = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_TENSOR = 5, ATTRIBUTE_GRAPH = 6, ATTRIBUTE_GRAPHS = 11 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2 };
enum { TYPE_TENSOR = 1 };
enum { TENSOR_TYPE_ELEM = 1, TENSOR_TYPE_SHAPE = 2 };
enum { SHAPE_DIM = 1 };
enum { DIM_VALUE = 1, DIM_NAME = 2 };

struct scan {
	struct tg_onnx_info *info;
	struct tg_error *err;
};

/* One node's outputs and operator, known before its attributes are entered. */
struct node {
	struct tg_pb_text output;
	bool constant;
};

static tg_status graph_read(struct scan *s, struct tg_pb m, bool top);

void
tg_onnx_info_init(struct tg_onnx_info *i)
{
	*i = (struct tg_onnx_info){ 0 };
}

static void
value_done(struct tg_onnx_value *v)
{
	free(v->name);
	for (size_t i = 0; i < TG_LEN(v->dim); i++)
		free(v->dim[i].name);
}

static void
values_done(struct tg_onnx_values *l)
{
	for (size_t i = 0; i < l->n; i++)
		value_done(&l->at[i]);
	free(l->at);
}

void
tg_onnx_info_done(struct tg_onnx_info *i)
{
	free(i->producer);
	values_done(&i->inputs);
	values_done(&i->outputs);
	tg_tensor_list_done(&i->tensors);
	tg_onnx_info_init(i);
}

/* A C string that outlives the scan: it must be one that can be shown. Empty is fine. */
static tg_status
string_read(const struct tg_pb *m, const struct tg_pb_field *f, char **ret, struct tg_error *err)
{
	struct tg_pb_text t = { .n = 0 };

	TG_TRY(tg_pb_text(m, f, &t, err));
	TG_REQUIRE(t.n <= TG_MAX_NAME_LEN, err, TG_E_LIMIT,
	    "offset %" PRIu64 ": a name of %" PRIu64 " bytes, at most %u expected", f->offset,
	    f->size, TG_MAX_NAME_LEN);
	TG_REQUIRE(t.n == 0 || tg_tensor_name_ok(tg_pb_text_view(&t)), err, TG_E_FORMAT,
	    "offset %" PRIu64 ": UTF-8 without control characters is expected", f->offset);
	*ret = strndup((const char *)t.b, t.n);
	TG_REQUIRE(*ret != NULL, err, TG_E_NOMEM, "no memory for a name");
	return TG_OK;
}

static tg_status
attribute_read(struct scan *s, struct tg_pb m, const struct node *node)
{
	struct tg_pb_field f;
	struct tg_pb inner;
	uint32_t seen = 0;

	while (tg_pb_more(&m)) {
		TG_TRY(tg_pb_next(&m, &f, s->err));
		if (f.number == ATTRIBUTE_TENSOR || f.number == ATTRIBUTE_GRAPH)
			TG_TRY(tg_pb_once(&f, TG_PB_BYTES, &seen, s->err));
		if (f.number == ATTRIBUTE_TENSOR && node->constant) {
			TG_TRY(tg_pb_enter(&m, &f, &inner, s->err));
			TG_TRY(
			    tg_onnx_tensor_read(inner, &node->output, &s->info->tensors, s->err));
		} else if (f.number == ATTRIBUTE_GRAPH || f.number == ATTRIBUTE_GRAPHS) {
			TG_TRY(tg_pb_enter(&m, &f, &inner, s->err));
			TG_TRY(graph_read(s, inner, false));
		}
	}
	return TG_OK;
}

/* First output and operator; attributes are stepped over, so that nesting costs no second walk. */
static tg_status
node_head(struct scan *s, struct tg_pb m, struct node *ret)
{
	bool output_seen = false;
	struct tg_pb_field f;
	uint32_t seen = 0;

	while (tg_pb_more(&m)) {
		TG_TRY(tg_pb_next(&m, &f, s->err));
		if (f.number == NODE_OUTPUT && !output_seen) {
			TG_TRY(tg_pb_text(&m, &f, &ret->output, s->err));
			output_seen = true;
		} else if (f.number == NODE_OP) {
			struct tg_pb_text op = { .n = 0 };

			TG_TRY(tg_pb_once(&f, TG_PB_BYTES, &seen, s->err));
			TG_TRY(tg_pb_text(&m, &f, &op, s->err));
			ret->constant =
			    tg_bytes_equal(tg_pb_text_view(&op), tg_bytes_str("Constant"));
		}
	}
	return TG_OK;
}

static tg_status
node_read(struct scan *s, struct tg_pb m)
{
	struct node node = { .constant = false };
	struct tg_pb_field f;
	struct tg_pb inner;

	TG_TRY(node_head(s, m, &node));
	while (tg_pb_more(&m)) {
		TG_TRY(tg_pb_next(&m, &f, s->err));
		if (f.number != NODE_ATTRIBUTE)
			continue;
		TG_TRY(tg_pb_enter(&m, &f, &inner, s->err));
		TG_TRY(attribute_read(s, inner, &node));
	}
	return TG_OK;
}

static tg_status
dim_read(struct scan *s, struct tg_pb m, struct tg_onnx_value *v)
{
	struct tg_onnx_dim *dim = &v->dim[v->rank++];
	struct tg_pb_field f;
	uint32_t seen = 0;

	dim->size = -1;
	while (tg_pb_more(&m)) {
		TG_TRY(tg_pb_next(&m, &f, s->err));
		if (f.number == DIM_VALUE) {
			TG_TRY(tg_pb_once(&f, TG_PB_VARINT, &seen, s->err));
			/* a negative number is how some exporters write "unknown" */
			dim->size = f.value <= (uint64_t)TG_MAX_JSON_INT ? (int64_t)f.value : -1;
		} else if (f.number == DIM_NAME) {
			TG_TRY(tg_pb_once(&f, TG_PB_BYTES, &seen, s->err));
			TG_TRY(string_read(&m, &f, &dim->name, s->err));
		}
	}
	TG_REQUIRE(seen != (1u << DIM_VALUE | 1u << DIM_NAME), s->err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a dimension with a size and a symbol", m.end);
	return TG_OK;
}

/* A rank that we cannot hold is refused: unlike a tensor, an input cannot be left out. */
static tg_status
shape_read(struct scan *s, struct tg_pb m, struct tg_onnx_value *v)
{
	struct tg_pb_field f;
	struct tg_pb inner;

	v->shaped = true;
	while (tg_pb_more(&m)) {
		TG_TRY(tg_pb_next(&m, &f, s->err));
		if (f.number != SHAPE_DIM)
			continue;
		TG_REQUIRE(v->rank < TG_MAX_TENSOR_RANK, s->err, TG_E_LIMIT,
		    "offset %" PRIu64 ": more than %u dimensions", f.offset, TG_MAX_TENSOR_RANK);
		TG_TRY(tg_pb_enter(&m, &f, &inner, s->err));
		TG_TRY(dim_read(s, inner, v));
	}
	return TG_OK;
}

static tg_status
tensor_type_read(struct scan *s, struct tg_pb m, struct tg_onnx_value *v)
{
	struct tg_pb_field f;
	struct tg_pb inner;
	uint32_t seen = 0;

	while (tg_pb_more(&m)) {
		TG_TRY(tg_pb_next(&m, &f, s->err));
		if (f.number == TENSOR_TYPE_ELEM) {
			TG_TRY(tg_pb_once(&f, TG_PB_VARINT, &seen, s->err));
			if (f.value != 0)
				TG_TRY(tg_onnx_dtype(f.value, f.offset, v->dtype, s->err));
		} else if (f.number == TENSOR_TYPE_SHAPE) {
			TG_TRY(tg_pb_once(&f, TG_PB_BYTES, &seen, s->err));
			TG_TRY(tg_pb_enter(&m, &f, &inner, s->err));
			TG_TRY(shape_read(s, inner, v));
		}
	}
	return TG_OK;
}

static tg_status
type_read(struct scan *s, struct tg_pb m, struct tg_onnx_value *v)
{
	struct tg_pb_field f;
	struct tg_pb inner;
	uint32_t seen = 0;

	while (tg_pb_more(&m)) {
		TG_TRY(tg_pb_next(&m, &f, s->err));
		if (f.number != TYPE_TENSOR)
			continue;
		TG_TRY(tg_pb_once(&f, TG_PB_BYTES, &seen, s->err));
		TG_TRY(tg_pb_enter(&m, &f, &inner, s->err));
		TG_TRY(tensor_type_read(s, inner, v));
	}
	return TG_OK;
}

static tg_status
value_fields(struct scan *s, struct tg_pb m, struct tg_onnx_value *v)
{
	struct tg_pb_field f;
	struct tg_pb inner;
	uint32_t seen = 0;

	while (tg_pb_more(&m)) {
		TG_TRY(tg_pb_next(&m, &f, s->err));
		if (f.number == VALUE_NAME) {
			TG_TRY(tg_pb_once(&f, TG_PB_BYTES, &seen, s->err));
			TG_TRY(string_read(&m, &f, &v->name, s->err));
		} else if (f.number == VALUE_TYPE) {
			TG_TRY(tg_pb_once(&f, TG_PB_BYTES, &seen, s->err));
			TG_TRY(tg_pb_enter(&m, &f, &inner, s->err));
			TG_TRY(type_read(s, inner, v));
		}
	}
	TG_REQUIRE(v->name != NULL && v->name[0] != '\0', s->err, TG_E_FORMAT,
	    "offset %" PRIu64 ": an input or output without a name", m.end);
	return TG_OK;
}

static tg_status
values_add(struct tg_onnx_values *l, const struct tg_onnx_value *v, struct tg_error *err)
{
	size_t room = l->n == 0 ? 1 : 2 * l->n;

	TG_REQUIRE(l->n < TG_MAX_TENSORS, err, TG_E_LIMIT, "more than %u inputs or outputs",
	    TG_MAX_TENSORS);
	if ((l->n & (l->n - 1)) == 0) { /* full whenever n is 0 or a power of two */
		struct tg_onnx_value *p = realloc(l->at, room * sizeof(*p));

		TG_REQUIRE(p != NULL, err, TG_E_NOMEM, "no memory for %zu values", room);
		l->at = p;
	}
	l->at[l->n++] = *v;
	return TG_OK;
}

static tg_status
value_read(struct scan *s, struct tg_pb m, struct tg_onnx_values *to)
{
	TG_AUTO(value_done) struct tg_onnx_value v = { 0 };

	TG_TRY(value_fields(s, m, &v));
	TG_TRY(values_add(to, &v, s->err));
	v = (struct tg_onnx_value){ 0 };
	return TG_OK;
}

/* Inputs and outputs count for the top graph only. */
static tg_status
graph_field(struct scan *s, const struct tg_pb *m, const struct tg_pb_field *f, bool top)
{
	struct tg_pb inner;

	switch (f->number) {
	case GRAPH_NODE:
		TG_TRY(tg_pb_enter(m, f, &inner, s->err));
		return node_read(s, inner);
	case GRAPH_INIT:
		TG_TRY(tg_pb_enter(m, f, &inner, s->err));
		return tg_onnx_tensor_read(inner, NULL, &s->info->tensors, s->err);
	case GRAPH_SPARSE:
		s->info->tensors.skipped++;
		return TG_OK;
	case GRAPH_INPUT:
	case GRAPH_OUTPUT:
		if (!top)
			return TG_OK;
		TG_TRY(tg_pb_enter(m, f, &inner, s->err));
		return value_read(s, inner,
		    f->number == GRAPH_INPUT ? &s->info->inputs : &s->info->outputs);
	default:
		return TG_OK;
	}
}

static tg_status
graph_read(struct scan *s, struct tg_pb m, bool top)
{
	struct tg_pb_field f;

	while (tg_pb_more(&m)) {
		TG_TRY(tg_pb_next(&m, &f, s->err));
		TG_TRY(graph_field(s, &m, &f, top));
	}
	return TG_OK;
}

/* The default domain is "" or "ai.onnx"; versions of the others are of no use to us. */
static tg_status
opset_read(struct scan *s, struct tg_pb m)
{
	struct tg_pb_text domain = { .n = 0 };
	struct tg_pb_field f;
	uint64_t version = 0;
	uint32_t seen = 0;

	while (tg_pb_more(&m)) {
		TG_TRY(tg_pb_next(&m, &f, s->err));
		if (f.number == OPSET_DOMAIN) {
			TG_TRY(tg_pb_once(&f, TG_PB_BYTES, &seen, s->err));
			TG_TRY(tg_pb_text(&m, &f, &domain, s->err));
		} else if (f.number == OPSET_VERSION) {
			TG_TRY(tg_pb_once(&f, TG_PB_VARINT, &seen, s->err));
			version = f.value;
		}
	}
	if (domain.n != 0 && !tg_bytes_equal(tg_pb_text_view(&domain), tg_bytes_str("ai.onnx")))
		return TG_OK;
	TG_REQUIRE(s->info->opset == 0 && version >= 1 && version <= INT32_MAX, s->err, TG_E_FORMAT,
	    "offset %" PRIu64 ": one import of the default operators, version 1 or more, expected",
	    m.end);
	s->info->opset = (int64_t)version;
	return TG_OK;
}

static tg_status
model_field(struct scan *s, const struct tg_pb *m, const struct tg_pb_field *f, uint32_t *seen)
{
	struct tg_pb inner;

	switch (f->number) {
	case MODEL_IR:
		TG_TRY(tg_pb_once(f, TG_PB_VARINT, seen, s->err));
		TG_REQUIRE(f->value >= 1 && f->value <= INT32_MAX, s->err, TG_E_FORMAT,
		    "offset %" PRIu64 ": IR version %" PRIu64, f->offset, f->value);
		s->info->ir_version = (int64_t)f->value;
		return TG_OK;
	case MODEL_PRODUCER:
		TG_TRY(tg_pb_once(f, TG_PB_BYTES, seen, s->err));
		return string_read(m, f, &s->info->producer, s->err);
	case MODEL_GRAPH:
		TG_TRY(tg_pb_once(f, TG_PB_BYTES, seen, s->err));
		TG_TRY(tg_pb_enter(m, f, &inner, s->err));
		return graph_read(s, inner, true);
	case MODEL_OPSET:
		TG_TRY(tg_pb_enter(m, f, &inner, s->err));
		return opset_read(s, inner);
	default:
		return TG_OK;
	}
}

static tg_status
model_read(struct scan *s, struct tg_pb m)
{
	struct tg_pb_field f;
	uint32_t seen = 0;

	while (tg_pb_more(&m)) {
		TG_TRY(tg_pb_next(&m, &f, s->err));
		TG_TRY(model_field(s, &m, &f, &seen));
	}
	TG_REQUIRE(seen & 1u << MODEL_IR && seen & 1u << MODEL_GRAPH, s->err, TG_E_FORMAT,
	    "not an ONNX model: no %s", seen & 1u << MODEL_IR ? "graph" : "IR version");
	if (s->info->producer == NULL)
		s->info->producer = strdup("");
	TG_REQUIRE(s->info->producer != NULL, s->err, TG_E_NOMEM, "no memory for a name");
	return TG_OK;
}

tg_status
tg_onnx_scan(const struct tg_source *src, struct tg_onnx_info *ret, struct tg_error *err)
{
	TG_AUTO(tg_onnx_info_done) struct tg_onnx_info info = { 0 };
	struct scan s = { .info = &info, .err = err };
	struct tg_window in;
	struct tg_pb m;

	tg_window_init(&in, src);
	TG_TRY(tg_pb_open(&in, &m, err));
	TG_TRY(model_read(&s, m));
	*ret = info;
	tg_onnx_info_init(&info);
	return TG_OK;
}

/* Wire type of each field of ModelProto; what is not in the table is not a model's. */
static bool
model_has(const struct tg_pb_field *f)
{
	static const int8_t wires[] = { -1, TG_PB_VARINT, TG_PB_BYTES, TG_PB_BYTES, TG_PB_BYTES,
		TG_PB_VARINT, TG_PB_BYTES, TG_PB_BYTES, TG_PB_BYTES, -1, -1, -1, -1, -1,
		TG_PB_BYTES, -1, -1, -1, -1, -1, TG_PB_BYTES, -1, -1, -1, -1, TG_PB_BYTES,
		TG_PB_BYTES };

	return f->number < TG_LEN(wires) && wires[f->number] == (int)f->wire;
}

bool
tg_onnx_probe(const struct tg_source *src)
{
	struct tg_pb_field f;
	struct tg_window in;
	uint32_t seen = 0;
	struct tg_pb m;

	tg_window_init(&in, src);
	if (tg_pb_open(&in, &m, NULL) != TG_OK)
		return false;
	for (unsigned i = 0; tg_pb_more(&m); i++) {
		if (i == TG_MAX_TENSORS || tg_pb_next(&m, &f, NULL) != TG_OK || !model_has(&f))
			return false;
		if (f.number == MODEL_IR && (f.value < 1 || f.value > 255))
			return false;
		seen |= 1u << f.number;
	}
	return (seen & 1u << MODEL_IR) != 0 && (seen & 1u << MODEL_GRAPH) != 0;
}
