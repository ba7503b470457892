#include "moai/external.h"

#include "../../tap.h"
#include "onnx_make.h"

/* The tensor that must not get through, and how it says that its data lies elsewhere. */
static void
bad_tensor(struct pb *t, unsigned field, uint64_t value)
{
	pb_varint(t, 2, 1);
	pb_varint(t, field, value);
}

/* Wrap `inner` in messages along the field numbers, outermost first. */
static void
wrap(struct pb *ret, const struct pb *inner, const unsigned *fields, size_t n)
{
	*ret = *inner;
	for (size_t i = n; i > 0; i--) {
		struct pb outer = { .n = 0 };

		pb_message(&outer, fields[i - 1], ret);
		*ret = outer;
	}
}

/* Every kind of place in a model where a tensor can stand. */
static void
external_data_is_found_everywhere(void)
{
	static const struct {
		unsigned fields[12];
		size_t n;
	} places[] = {
		{ { 7, 5 }, 2 },			  /* graph.initializer */
		{ { 7, 15, 1 }, 3 },			  /* graph.sparse_initializer.values */
		{ { 7, 15, 2 }, 3 },			  /* ... .indices */
		{ { 7, 1, 5, 5 }, 4 },			  /* graph.node.attribute.t */
		{ { 7, 1, 5, 10 }, 4 },			  /* ... .tensors */
		{ { 7, 1, 5, 22, 1 }, 5 },		  /* ... .sparse_tensor */
		{ { 7, 1, 5, 23, 2 }, 5 },		  /* ... .sparse_tensors */
		{ { 7, 1, 5, 6, 5 }, 5 },		  /* ... .g.initializer */
		{ { 7, 1, 5, 11, 5 }, 5 },		  /* ... .graphs.initializer */
		{ { 7, 1, 5, 6, 1, 5, 6, 1, 5, 5 }, 10 }, /* an If in an If */
		{ { 20, 1, 5 }, 3 },			  /* training_info.initialization */
		{ { 20, 2, 5 }, 3 },			  /* training_info.algorithm */
		{ { 25, 7, 5, 5 }, 4 },			  /* functions.node.attribute.t */
		{ { 25, 11, 5 }, 3 },			  /* functions.attribute_proto.t */
	};
	struct pb file = { .n = 0 };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct pb tensor = { .n = 0 };

		bad_tensor(&tensor, 14, 1);
		wrap(&file, &tensor, places[i].fields, places[i].n);
		OK_STATUS(tg_onnx_self_contained(pb_view(&file), NULL), TG_E_UNSUPPORTED);
		tensor.n = 0;
		bad_tensor(&tensor, 14, 0);
		wrap(&file, &tensor, places[i].fields, places[i].n);
		OK_STATUS(tg_onnx_self_contained(pb_view(&file), NULL), TG_OK);
	}
}

static void
every_way_to_say_external_counts(void)
{
	static const unsigned initializer[] = { 7, 5 };
	struct pb tensor = { .n = 0 }, file = { .n = 0 };

	/* An enum is cut to 32 bits by protobuf: this reads as 1 there. */
	bad_tensor(&tensor, 14, 0x100000001);
	wrap(&file, &tensor, initializer, 2);
	OK_STATUS(tg_onnx_self_contained(pb_view(&file), NULL), TG_E_UNSUPPORTED);
	/* Said first and taken back later, or the reverse. */
	tensor.n = 0;
	bad_tensor(&tensor, 14, 1);
	pb_varint(&tensor, 14, 0);
	wrap(&file, &tensor, initializer, 2);
	OK_STATUS(tg_onnx_self_contained(pb_view(&file), NULL), TG_E_UNSUPPORTED);
	/* A location alone, without the switch. */
	tensor.n = 0;
	pb_text(&tensor, 13, "");
	wrap(&file, &tensor, initializer, 2);
	OK_STATUS(tg_onnx_self_contained(pb_view(&file), NULL), TG_E_UNSUPPORTED);
	/* The same numbers in other messages mean other things: value_info, metadata_props. */
	file.n = 0;
	pb_text(&file, 14, "metadata");
	pb_text(&file, 13, "unknown");
	OK_STATUS(tg_onnx_self_contained(pb_view(&file), NULL), TG_OK);
}

static void
what_is_no_protobuf_is_refused(void)
{
	static const uint8_t group[] = { 7 << 3 | 3, 7 << 3 | 4 };
	static const uint8_t number_for_graph[] = { 7 << 3, 1 };
	struct pb file = { .n = 0 }, deep = { .n = 0 };

	OK_STATUS(tg_onnx_self_contained((tg_bytes){ group, sizeof(group) }, NULL), TG_E_FORMAT);
	OK_STATUS(
	    tg_onnx_self_contained((tg_bytes){ number_for_graph, sizeof(number_for_graph) }, NULL),
	    TG_E_FORMAT);
	for (int i = 0; i < 40; i++) { /* graph.node.attribute.g, over and over */
		static const unsigned around[] = { 1, 5, 6 };
		struct pb next = { .n = 0 };

		wrap(&next, &deep, around, 3);
		deep = next;
	}
	pb_message(&file, 7, &deep);
	OK_STATUS(tg_onnx_self_contained(pb_view(&file), NULL), TG_E_LIMIT);
}

static void
every_truncation_is_refused_or_harmless(void)
{
	struct pb file = { .n = 0 };
	unsigned long hidden = 0;

	make_add(&file, "weights.bin");
	OK_STATUS(tg_onnx_self_contained(pb_view(&file), NULL), TG_E_UNSUPPORTED);
	/* What is left of the file may be fine only while the graph is not in it yet. */
	for (size_t n = 0; n < file.n; n++)
		hidden += tg_onnx_self_contained((tg_bytes){ file.b, n }, NULL) == TG_OK && n > 2;
	OK_NONE(hidden, file.n, "external data hidden by a truncation");
}

int
main(void)
{
	external_data_is_found_everywhere();
	every_way_to_say_external_counts();
	what_is_no_protobuf_is_refused();
	every_truncation_is_refused_or_harmless();
	return tap_done();
}
