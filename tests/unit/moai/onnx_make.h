/* tests/unit/moai/onnx_make.h - ONNX files made by hand, a field at a time. */
#ifndef TG_TESTS_ONNX_MAKE_H
#define TG_TESTS_ONNX_MAKE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tensorguard/io.h>

/* A message under construction; too small a one is a bug in the test. */
struct pb {
	uint8_t b[8192];
	size_t n;
};

static inline void
pb_raw(struct pb *m, const void *p, size_t n)
{
	if (n > sizeof(m->b) - m->n)
		abort();
	memcpy(m->b + m->n, p, n);
	m->n += n;
}

static inline void
pb_number(struct pb *m, uint64_t v)
{
	do {
		uint8_t b = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));

		pb_raw(m, &b, 1);
		v >>= 7;
	} while (v != 0);
}

static inline void
pb_varint(struct pb *m, unsigned field, uint64_t v)
{
	pb_number(m, field << 3);
	pb_number(m, v);
}

static inline void
pb_bytes(struct pb *m, unsigned field, const void *p, size_t n)
{
	pb_number(m, field << 3 | 2);
	pb_number(m, n);
	pb_raw(m, p, n);
}

static inline void
pb_text(struct pb *m, unsigned field, const char *text)
{
	pb_bytes(m, field, text, strlen(text));
}

static inline void
pb_message(struct pb *m, unsigned field, const struct pb *inner)
{
	pb_bytes(m, field, inner->b, inner->n);
}

static inline tg_bytes
pb_view(const struct pb *m)
{
	return (tg_bytes){ m->b, m->n };
}

/* ModelProto around a graph: IR version 8, operator set 13. */
static inline void
make_model(struct pb *model, const struct pb *graph)
{
	struct pb opset = { .n = 0 };

	pb_varint(&opset, 2, 13);
	pb_varint(model, 1, 8);
	pb_message(model, 7, graph);
	pb_message(model, 8, &opset);
}

/* ValueInfoProto of a tensor: element type `type`, dims of -1 are free; rank -1: no shape at all.
 */
static inline void
make_value(struct pb *value, const char *name, unsigned type, int rank, const int64_t *dims)
{
	struct pb shape = { .n = 0 }, tensor = { .n = 0 }, holder = { .n = 0 };

	for (int i = 0; i < rank; i++) {
		struct pb dim = { .n = 0 };

		if (dims[i] >= 0)
			pb_varint(&dim, 1, (uint64_t)dims[i]);
		else
			pb_text(&dim, 2, "free");
		pb_message(&shape, 1, &dim);
	}
	pb_varint(&tensor, 1, type);
	if (rank >= 0)
		pb_message(&tensor, 2, &shape);
	pb_message(&holder, 1, &tensor);
	pb_text(value, 1, name);
	pb_message(value, 2, &holder);
}

/* A node of the default domain with up to two inputs. */
static inline void
make_node(struct pb *node, const char *op, const char *in1, const char *in2, const char *out)
{
	pb_text(node, 1, in1);
	if (in2 != NULL)
		pb_text(node, 1, in2);
	pb_text(node, 2, out);
	pb_text(node, 4, op);
}

/* y = Identity(x), both of the given type and shape. */
static inline void
make_identity(struct pb *model, unsigned type, int rank, const int64_t *dims)
{
	struct pb node = { .n = 0 }, in = { .n = 0 }, out = { .n = 0 }, graph = { .n = 0 };

	make_node(&node, "Identity", "x", NULL, "y");
	make_value(&in, "x", type, rank, dims);
	make_value(&out, "y", type, rank, dims);
	pb_message(&graph, 1, &node);
	pb_text(&graph, 2, "g");
	pb_message(&graph, 11, &in);
	pb_message(&graph, 12, &out);
	make_model(model, &graph);
}

/* y = Add(x, w) on four floats; w lies in the file `location`, or in the model when that is NULL.
 */
static inline void
make_add(struct pb *model, const char *location)
{
	static const float w[4] = { 1, 2, 3, 4 };
	static const int64_t four[1] = { 4 };
	struct pb node = { .n = 0 }, in = { .n = 0 }, out = { .n = 0 }, graph = { .n = 0 };
	struct pb weight = { .n = 0 }, entry = { .n = 0 };

	pb_varint(&weight, 1, 4);
	pb_varint(&weight, 2, 1);
	pb_text(&weight, 8, "w");
	if (location == NULL) {
		pb_bytes(&weight, 9, w, sizeof(w));
	} else {
		pb_text(&entry, 1, "location");
		pb_text(&entry, 2, location);
		pb_message(&weight, 13, &entry);
		pb_varint(&weight, 14, 1);
	}
	make_node(&node, "Add", "x", "w", "y");
	make_value(&in, "x", 1, 1, four);
	make_value(&out, "y", 1, 1, four);
	pb_message(&graph, 1, &node);
	pb_text(&graph, 2, "g");
	pb_message(&graph, 5, &weight);
	pb_message(&graph, 11, &in);
	pb_message(&graph, 12, &out);
	make_model(model, &graph);
}

#endif
