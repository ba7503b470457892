#include "moai/external.h"

#include "tensor/protobuf.h"
#include "util/try.h"

/*
 * Why we look before the runtime does: a tensor may name a file, a range of it, and in newer
 * versions of ONNX Runtime even an address in memory, to take its values from. The runtime follows
 * such names relative to the working directory, with checks that differ from version to version. A
 * package's signature covers none of that, so no model gets as far as having it followed.
 */

enum message {
	NOTHING,
	MODEL,
	TRAINING,
	FUNCTION,
	GRAPH,
	NODE,
	ATTRIBUTE,
	SPARSE_TENSOR,
	TENSOR,
};

/* The fields of onnx.proto by which a tensor can be reached. */
static const struct {
	enum message in;
	uint32_t number;
	enum message holds;
} paths[] = {
	{ MODEL, 7, GRAPH },
	{ MODEL, 20, TRAINING },
	{ MODEL, 25, FUNCTION },
	{ TRAINING, 1, GRAPH },
	{ TRAINING, 2, GRAPH },
	{ FUNCTION, 7, NODE },
	{ FUNCTION, 11, ATTRIBUTE },
	{ GRAPH, 1, NODE },
	{ GRAPH, 5, TENSOR },
	{ GRAPH, 15, SPARSE_TENSOR },
	{ NODE, 5, ATTRIBUTE },
	{ ATTRIBUTE, 5, TENSOR },
	{ ATTRIBUTE, 6, GRAPH },
	{ ATTRIBUTE, 10, TENSOR },
	{ ATTRIBUTE, 11, GRAPH },
	{ ATTRIBUTE, 22, SPARSE_TENSOR },
	{ ATTRIBUTE, 23, SPARSE_TENSOR },
	{ SPARSE_TENSOR, 1, TENSOR },
	{ SPARSE_TENSOR, 2, TENSOR },
};

#define TENSOR_EXTERNAL_DATA 13 /* where to find it: even one unused entry is refused */
#define TENSOR_DATA_LOCATION 14 /* 0: here, 1: elsewhere */

static enum message
held_by(enum message in, uint32_t number)
{
	for (size_t i = 0; i < TG_LEN(paths); i++)
		if (paths[i].in == in && paths[i].number == number)
			return paths[i].holds;
	return NOTHING;
}

static bool
is_external(const struct tg_pb_field *f)
{
	if (f->number == TENSOR_EXTERNAL_DATA)
		return true;
	return f->number == TENSOR_DATA_LOCATION && (f->wire != TG_PB_VARINT || f->value != 0);
}

/* Recursion ends at TG_MAX_PROTOBUF_DEPTH, inside tg_pb_enter(). */
static tg_status
walk(struct tg_pb *m, enum message kind, struct tg_error *err)
{
	while (tg_pb_more(m)) {
		struct tg_pb_field f = { 0 };
		struct tg_pb inner = { 0 };

		TG_TRY(tg_pb_next(m, &f, err));
		TG_REQUIRE(kind != TENSOR || !is_external(&f), err, TG_E_UNSUPPORTED,
		    "the model keeps weights in other files (external data): save it as one file");
		enum message held = held_by(kind, f.number);
		if (held == NOTHING)
			continue;
		TG_TRY(tg_pb_enter(m, &f, &inner, err));
		TG_TRY(walk(&inner, held, err));
	}
	return TG_OK;
}

tg_status
tg_onnx_self_contained(tg_bytes model, struct tg_error *err)
{
	struct tg_source src = tg_source_bytes(&model);
	struct tg_window window;
	struct tg_pb file = { 0 };

	tg_window_init(&window, &src);
	TG_TRY(tg_pb_open(&window, &file, err));
	return walk(&file, MODEL, err);
}
