#include "tensor/onnx_tensor.h"

#include <inttypes.h>
#include <stdio.h>

#include "tensor/dtype.h"
#include "util/try.h"

/* The fields of TensorProto. */
enum {
	TENSOR_DIMS = 1,
	TENSOR_TYPE = 2,
	TENSOR_SEGMENT = 3,
	TENSOR_FLOATS = 4,
	TENSOR_INT32S = 5,
	TENSOR_STRINGS = 6,
	TENSOR_INT64S = 7,
	TENSOR_NAME = 8,
	TENSOR_RAW = 9,
	TENSOR_DOUBLES = 10,
	TENSOR_UINT64S = 11,
	TENSOR_EXTERNAL = 13,
	TENSOR_LOCATION = 14,
};

enum { TYPE_FLOAT = 1, TYPE_STRING = 8, TYPE_DOUBLE = 11 };

tg_status
tg_onnx_dtype(uint64_t type, uint64_t offset, char ret[static TG_MAX_DTYPE_LEN + 1],
    struct tg_error *err)
{
	static const char *const names[] = { NULL, "F32", "U8", "I8", "U16", "I16", "I32", "I64",
		"STRING", "BOOL", "F16", "F64", "U32", "U64", "C64", "C128", "BF16", "F8_E4M3",
		"F8_E4M3FNUZ", "F8_E5M2", "F8_E5M2FNUZ", "U4", "I4", "F4" };

	TG_REQUIRE(type >= 1 && type <= 999, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": data type %" PRIu64 ", 1 or more expected", offset, type);
	if (type < TG_LEN(names))
		(void)snprintf(ret, TG_MAX_DTYPE_LEN + 1, "%s", names[type]);
	else
		(void)snprintf(ret, TG_MAX_DTYPE_LEN + 1, "ONNX_%u", (unsigned)type);
	return TG_OK;
}

/* What a TensorProto says, before it is known whether it can be described. */
struct tensor {
	uint32_t seen;
	struct tg_pb_text name;
	struct tg_tensor t;
	uint64_t type;
	uint64_t elements; /* the product of all dimensions */
	unsigned pieces;   /* data fields; one raw or packed piece can be described */
	bool scattered;    /* data that does not lie here as the machine wants it */
};

static tg_status
dim_add(struct tensor *t, uint64_t dim, uint64_t offset, struct tg_error *err)
{
	TG_REQUIRE(dim <= (uint64_t)TG_MAX_JSON_INT, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a dimension of %" PRId64 ", 0 to 2^53-1 expected", offset,
	    (int64_t)dim);
	TG_REQUIRE(tg_mul_u64(t->elements, dim, &t->elements), err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a shape of more than 2^64 elements", offset);
	if (t->t.rank < TG_MAX_TENSOR_RANK)
		t->t.shape[t->t.rank] = dim;
	if (t->t.rank <= TG_MAX_TENSOR_RANK)
		t->t.rank++; /* stops one above what can be described */
	return TG_OK;
}

/* Dimensions come one a field, or packed. */
static tg_status
dims_read(const struct tg_pb *m, const struct tg_pb_field *f, struct tensor *t,
    struct tg_error *err)
{
	struct tg_pb packed;
	uint64_t dim = 0;

	if (f->wire == TG_PB_VARINT)
		return dim_add(t, f->value, f->offset, err);
	TG_TRY(tg_pb_enter(m, f, &packed, err));
	while (tg_pb_more(&packed)) {
		TG_TRY(tg_pb_varint(&packed, &dim, err));
		TG_TRY(dim_add(t, dim, f->offset, err));
	}
	return TG_OK;
}

/* Raw or packed data: as wide in the file as in memory. */
static void
piece_add(const struct tg_pb_field *f, struct tensor *t)
{
	t->pieces++;
	t->t.offset = f->offset;
	t->t.size = f->size;
	t->scattered = t->scattered || f->wire != TG_PB_BYTES || t->pieces > 1;
}

static tg_status
tensor_field(const struct tg_pb *m, const struct tg_pb_field *f, struct tensor *t,
    struct tg_error *err)
{
	switch (f->number) {
	case TENSOR_DIMS:
		return dims_read(m, f, t, err);
	case TENSOR_TYPE:
		TG_TRY(tg_pb_once(f, TG_PB_VARINT, &t->seen, err));
		t->type = f->value;
		return tg_onnx_dtype(f->value, f->offset, t->t.dtype, err);
	case TENSOR_NAME:
		TG_TRY(tg_pb_once(f, TG_PB_BYTES, &t->seen, err));
		return tg_pb_text(m, f, &t->name, err);
	case TENSOR_RAW:
		TG_TRY(tg_pb_once(f, TG_PB_BYTES, &t->seen, err));
		piece_add(f, t);
		return TG_OK;
	case TENSOR_LOCATION:
		TG_TRY(tg_pb_once(f, TG_PB_VARINT, &t->seen, err));
		TG_REQUIRE(f->value <= 1, err, TG_E_FORMAT,
		    "offset %" PRIu64 ": data location %" PRIu64 ", 0 or 1 expected", f->offset,
		    f->value);
		t->scattered = t->scattered || f->value == 1;
		return TG_OK;
	case TENSOR_FLOATS:
	case TENSOR_DOUBLES:
		t->seen |= 1u << f->number;
		piece_add(f, t);
		return TG_OK;
	case TENSOR_SEGMENT:
	case TENSOR_INT32S:
	case TENSOR_STRINGS:
	case TENSOR_INT64S:
	case TENSOR_UINT64S:
	case TENSOR_EXTERNAL:
		t->seen |= 1u << f->number;
		t->scattered = true;
		return TG_OK;
	default:
		return TG_OK;
	}
}

/* Data stands in one field, and a field of numbers in that of its type. */
static tg_status
data_check(const struct tensor *t, uint64_t offset, struct tg_error *err)
{
	const uint32_t floats = 1u << TENSOR_FLOATS, doubles = 1u << TENSOR_DOUBLES;
	uint32_t data = t->seen &
	    (floats | doubles | 1u << TENSOR_INT32S | 1u << TENSOR_STRINGS | 1u << TENSOR_INT64S |
		1u << TENSOR_RAW | 1u << TENSOR_UINT64S);

	TG_REQUIRE((data & (data - 1)) == 0, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a tensor with data in two fields", offset);
	TG_REQUIRE(t->seen & 1u << TENSOR_TYPE, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a tensor without a data type", offset);
	return TG_OK;
}

/* Complex numbers stand in float_data and double_data too, as pairs; only the plain types are
 * described from there. */
static bool
describable(const struct tensor *t)
{
	if (t->scattered || t->pieces != 1 || t->type == TYPE_STRING)
		return false;
	if (t->seen & 1u << TENSOR_FLOATS)
		return t->type == TYPE_FLOAT;
	if (t->seen & 1u << TENSOR_DOUBLES)
		return t->type == TYPE_DOUBLE;
	return true;
}

static tg_status
size_check(const struct tensor *t, struct tg_error *err)
{
	size_t width = tg_dtype_width(tg_bytes_str(t->t.dtype));
	uint64_t want = 0;

	if (width == 0)
		return TG_OK;
	TG_REQUIRE(tg_mul_u64(t->elements, width, &want) && want == t->t.size, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a tensor of %" PRIu64 " bytes, %" PRIu64
	    " elements of %zu expected",
	    t->t.offset, t->t.size, t->elements, width);
	return TG_OK;
}

tg_status
tg_onnx_tensor_read(struct tg_pb m, const struct tg_pb_text *name, struct tg_tensor_list *to,
    struct tg_error *err)
{
	struct tensor t = { .elements = 1 };
	uint64_t start = m.at;
	struct tg_pb_field f;

	while (tg_pb_more(&m)) {
		TG_TRY(tg_pb_next(&m, &f, err));
		TG_TRY(tensor_field(&m, &f, &t, err));
	}
	TG_TRY(data_check(&t, start, err));
	if (!describable(&t)) {
		to->skipped++;
		return TG_OK;
	}
	TG_TRY(size_check(&t, err));
	return tg_tensor_list_offer(to, &t.t, tg_pb_text_view(name != NULL ? name : &t.name), err);
}
