#include "../../tap.h"
#include "make.h"
#include "tensor/dtype.h"
#include "tensor/onnx.h"
#include "tensor/window.h"
#include "util/file.h"
#include "util/try.h"

static struct made model, graph;

/* A tensor of type and one dimension, with raw data. */
static void
put_tensor(struct made *to, unsigned field, const char *name, unsigned type, unsigned dim,
    const char *raw, size_t n)
{
	static struct made t;

	t.n = 0;
	put_number(&t, 1, dim);
	put_number(&t, 2, type);
	put_text(&t, 8, name);
	put_field(&t, 9, raw, n);
	put_message(to, field, &t);
}

/* A node with one attribute: the tensor (field 5) or graph (6, 11) in `inner`, with its tag. */
static void
put_node(struct made *to, const char *op, const char *output, const struct made *inner)
{
	static struct made node, attribute;

	attribute.n = node.n = 0;
	put_text(&attribute, 1, "value");
	put_made(&attribute, inner);
	put_message(&node, 5, &attribute); /* before the operator: order must not matter */
	put_text(&node, 2, output);
	put_text(&node, 2, "second");
	put_text(&node, 4, op);
	put_message(to, 1, &node);
}

/* An input or output: FLOAT of [-1, "batch", 5]. */
static void
put_value(struct made *to, unsigned field, const char *name)
{
	static struct made value, type, tensor, shape, dim;

	shape.n = dim.n = tensor.n = type.n = value.n = 0;
	put_message(&shape, 1, &dim);
	put_text(&dim, 2, "batch");
	put_message(&shape, 1, &dim);
	dim.n = 0;
	put_number(&dim, 1, 5);
	put_message(&shape, 1, &dim);
	put_number(&tensor, 1, 1);
	put_message(&tensor, 2, &shape);
	put_message(&type, 1, &tensor);
	put_text(&value, 1, name);
	put_message(&value, 2, &type);
	put_message(to, field, &value);
}

static void
put_head(struct made *to)
{
	static struct made opset;

	to->n = opset.n = 0;
	put_number(to, 1, 8);
	put_text(to, 2, "tester");
	put_number(&opset, 2, 17);
	put_message(to, 8, &opset);
	opset.n = 0;
	put_text(&opset, 1, "com.example");
	put_number(&opset, 2, 3);
	put_message(to, 8, &opset);
}

/* Everything that a model can have, once. */
static void
build(void)
{
	static struct made inner, body;

	put_head(&model);
	graph.n = inner.n = body.n = 0;
	put_value(&graph, 11, "in");
	put_value(&graph, 12, "out");
	put_tensor(&inner, 5, "ignored", 1, 1, "CONS", 4);
	put_node(&graph, "Constant", "const_out", &inner);
	put_node(&graph, "ConstantOfShape", "other", &inner);
	put_tensor(&body, 5, "inner_weight", 6, 1, "BODY", 4);
	put_value(&body, 11, "loop_in"); /* of a subgraph: not the model's */
	inner.n = 0;
	put_message(&inner, 6, &body);
	put_node(&graph, "If", "branch", &inner);
	inner.n = 0;
	put_message(&inner, 11, &body);
	put_message(&inner, 11, &body);
	put_node(&graph, "Custom", "branches", &inner);
	put_tensor(&graph, 5, "w", 10, 2, "WXYZ", 4);
	put_text(&graph, 15, "sparse");
	put_message(&model, 7, &graph);
}

static tg_status
scan(struct tg_onnx_info *info)
{
	SOURCE(src, model.b, model.n);

	return tg_onnx_scan(&src, info, NULL);
}

static void
facts_of_a_model(void)
{
	struct tg_onnx_info info;

	build();
	OK_STATUS(scan(&info), TG_OK);
	OK(info.ir_version == 8 && info.opset == 17 && strcmp(info.producer, "tester") == 0);
	OK(info.inputs.n == 1 && info.outputs.n == 1);
	OK(strcmp(info.inputs.at[0].name, "in") == 0 &&
	    strcmp(info.outputs.at[0].name, "out") == 0);
	OK(strcmp(info.inputs.at[0].dtype, "F32") == 0 && info.inputs.at[0].shaped);
	OK(info.inputs.at[0].rank == 3 && info.inputs.at[0].dim[0].size == -1 &&
	    info.inputs.at[0].dim[0].name == NULL);
	OK(info.inputs.at[0].dim[1].size == -1 &&
	    strcmp(info.inputs.at[0].dim[1].name, "batch") == 0);
	OK(info.inputs.at[0].dim[2].size == 5);
	tg_onnx_info_done(&info);
	OK(info.producer == NULL && info.inputs.n == 0);
}

static void
tensors_of_a_model(void)
{
	static const struct {
		const char *name, *dtype, *bytes;
	} want[] = { { "const_out", "F32", "CONS" }, { "inner_weight", "I32", "BODY" },
		{ "inner_weight", "I32", "BODY" }, { "inner_weight", "I32", "BODY" },
		{ "w", "F16", "WXYZ" } };
	struct tg_onnx_info info;
	unsigned wrong = 0;

	build();
	OK_STATUS(scan(&info), TG_OK);
	OK(info.tensors.n == 5 && info.tensors.skipped == 1);
	for (size_t i = 0; i < 5 && i < info.tensors.n; i++) {
		const struct tg_tensor *t = &info.tensors.at[i];

		wrong += strcmp(t->name, want[i].name) != 0 ||
		    strcmp(t->dtype, want[i].dtype) != 0 || t->size != 4 ||
		    memcmp(model.b + t->offset, want[i].bytes, 4) != 0;
	}
	OK_NONE(wrong, 5, "tensors");
	tg_onnx_info_done(&info);
}

/* A model of one node whose body is a graph of one node, and so on. */
static tg_status
nested(unsigned levels)
{
	static struct made inner;
	struct tg_onnx_info info;
	tg_status s;

	graph.n = 0;
	put_tensor(&graph, 5, "deep", 2, 1, "D", 1);
	for (unsigned i = 0; i < levels; i++) {
		inner.n = 0;
		put_message(&inner, 6, &graph);
		graph.n = 0;
		put_node(&graph, "If", "x", &inner);
	}
	put_head(&model);
	put_message(&model, 7, &graph);
	s = scan(&info);
	if (s == TG_OK)
		tg_onnx_info_done(&info);
	return s;
}

static void
nesting_is_bounded(void)
{
	OK_STATUS(nested(10), TG_OK);
	OK_STATUS(nested(11), TG_E_LIMIT);
	OK_STATUS(nested(200), TG_E_LIMIT);
}

static void
bad_models(void)
{
	static struct made inner;
	struct tg_onnx_info info;

	model.n = 0;
	OK_STATUS(scan(&info), TG_E_FORMAT); /* empty */
	put_head(&model);
	OK_STATUS(scan(&info), TG_E_FORMAT); /* no graph */
	build();
	put_message(&model, 7, &graph);
	OK_STATUS(scan(&info), TG_E_FORMAT); /* two graphs */
	build();
	put_number(&model, 1, 8);
	OK_STATUS(scan(&info), TG_E_FORMAT); /* two versions */
	build();
	inner.n = 0;
	put_number(&inner, 2, 5);
	put_message(&model, 8, &inner);
	OK_STATUS(scan(&info), TG_E_FORMAT); /* two default operator sets */
	build();
	put_number(&model, 7, 1);
	OK_STATUS(scan(&info), TG_E_FORMAT); /* a graph that is a number */
	put_head(&model);
	graph.n = 0;
	put_value(&graph, 11, "");
	put_message(&model, 7, &graph);
	OK_STATUS(scan(&info), TG_E_FORMAT); /* an input without a name */
	put_head(&model);
	graph.n = 0;
	put_value(&graph, 11, "\xff");
	put_message(&model, 7, &graph);
	OK_STATUS(scan(&info), TG_E_FORMAT); /* not UTF-8 */
	put_head(&model);
	graph.n = inner.n = 0;
	put_tensor(&inner, 5, "a", 2, 1, "1", 1);
	put_tensor(&inner, 5, "b", 2, 1, "2", 1);
	put_node(&graph, "Constant", "x", &inner);
	put_message(&model, 7, &graph);
	OK_STATUS(scan(&info), TG_E_FORMAT); /* an attribute of two tensors */
}

static void
every_truncation_is_clean(void)
{
	struct tg_onnx_info info;
	unsigned wrong = 0;
	size_t whole;

	build();
	whole = model.n;
	for (size_t n = 0; n < whole; n++) {
		SOURCE(cut, model.b, n);
		wrong += tg_onnx_scan(&cut, &info, NULL) != TG_E_FORMAT;
	}
	OK_NONE(wrong, whole, "truncations");
}

/* Whatever bit flips: an error, or tensors that lie inside the file. */
static void
every_bit_flip_is_clean(void)
{
	unsigned wrong = 0, n = 0;

	build();
	for (size_t bit = 0; bit < 8 * model.n; bit++, n++) {
		struct tg_onnx_info info;

		model.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (scan(&info) == TG_OK) {
			for (size_t i = 0; i < info.tensors.n; i++)
				wrong += info.tensors.at[i].offset > model.n ||
				    info.tensors.at[i].size > model.n - info.tensors.at[i].offset;
			tg_onnx_info_done(&info);
		}
		model.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	OK_NONE(wrong, n, "bit flips");
}

static void
every_failing_read_is_reported(void)
{
	struct tg_onnx_info info;
	unsigned wrong = 0, n = 1;

	build();
	for (;; n++) {
		SOURCE(src, model.b, model.n);
		tg_status s;

		src_f.fail_at = n;
		s = tg_onnx_scan(&src, &info, NULL);
		if (s == TG_OK)
			break;
		wrong += s != TG_E_IO;
	}
	tg_onnx_info_done(&info);
	OK_NONE(wrong, n - 1, "failing reads");
}

static void
probe(void)
{
	SOURCE(text, "Hello, this is text.\n", 21);
	SOURCE(none, "", 0);

	build();
	SOURCE(good, model.b, model.n);
	OK(tg_onnx_probe(&good));
	SOURCE(cut, model.b, model.n - 1);
	OK(!tg_onnx_probe(&cut) && !tg_onnx_probe(&text) && !tg_onnx_probe(&none));
	put_number(&model, 3, 1); /* a field of another type than a model has */
	SOURCE(odd, model.b, model.n);
	OK(!tg_onnx_probe(&odd));
}

/* Counted with a protobuf dump made by another program: tensors of Constant nodes and
 * initializers, at any depth, with raw_data. */
static void
silero(const char *name, size_t tensors, size_t skipped, int64_t opset, size_t inputs)
{
	TG_AUTO(tg_file_closep) struct tg_file *f = NULL;
	struct tg_onnx_info info;
	unsigned wrong = 0;
	struct tg_window w;
	char path[128];

	snprintf(path, sizeof(path), ".deps/models/silero/%s", name);
	if (!tg_file_exists(path)) {
		SKIP("the silero models are not here: scripts/setup");
		return;
	}
	OK_STATUS(tg_file_open(path, &f, NULL), TG_OK);
	struct tg_source src = tg_file_source(f);
	tg_window_init(&w, &src);
	OK(tg_onnx_probe(&src));
	OK_STATUS(tg_onnx_scan(&src, &info, NULL), TG_OK);
	OK(info.tensors.n == tensors && info.tensors.skipped == skipped && info.opset == opset);
	OK(info.inputs.n == inputs && info.outputs.n == 2);
	OK(strcmp(info.inputs.at[0].name, "input") == 0 && info.inputs.at[0].rank == 2);
	for (size_t i = 0; i < info.tensors.n; i++) {
		const struct tg_tensor *t = &info.tensors.at[i];
		float v = 0;

		/* weights are small numbers: a wrong offset would show wild exponents */
		if (strcmp(t->dtype, "F32") != 0 || t->size == 0)
			continue;
		for (uint64_t at = 0; at < t->size; at += 4)
			wrong += tg_window_read(&w, t->offset + at, &v, 4, NULL) != TG_OK ||
			    !(v > -1e6f && v < 1e6f && (v == 0 || v > 1e-30f || v < -1e-30f));
	}
	OK_NONE(wrong, info.tensors.n, "weights look like weights");
	tg_onnx_info_done(&info);
}

int
main(void)
{
	facts_of_a_model();
	tensors_of_a_model();
	nesting_is_bounded();
	bad_models();
	every_truncation_is_clean();
	every_bit_flip_is_clean();
	every_failing_read_is_reported();
	probe();
	silero("silero_vad.onnx", 340, 1, 16, 3);
	silero("silero_vad_16k_op15.onnx", 175, 0, 15, 3);
	silero("silero_vad_half.onnx", 170, 0, 16, 2);
	silero("silero_vad_op18_ifless.onnx", 45, 0, 18, 3);
	return tap_done();
}
