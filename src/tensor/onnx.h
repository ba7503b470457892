/* tensor/onnx.h - what an ONNX model takes and gives, and where its weights lie. */
#ifndef TG_TENSOR_ONNX_H
#define TG_TENSOR_ONNX_H

#include "tensor/list.h"

/* One dimension of an input or output. */
struct tg_onnx_dim {
	int64_t size; /* -1: decided at run time */
	char *name;   /* its symbol; NULL without one */
};

/* An input or an output of the graph. */
struct tg_onnx_value {
	char *name;
	char dtype[TG_MAX_DTYPE_LEN + 1]; /* "" unless it is a tensor of a given type */
	bool shaped;                      /* false: even the rank is decided at run time */
	unsigned rank;
	struct tg_onnx_dim dim[TG_MAX_TENSOR_RANK];
};

struct tg_onnx_values {
	struct tg_onnx_value *at;
	size_t n;
};

struct tg_onnx_info {
	int64_t ir_version;
	int64_t opset;  /* of the default domain; 0 when none is imported */
	char *producer; /* "" when the file does not say */
	struct tg_onnx_values inputs; /* with IR version 3, initializers are among them */
	struct tg_onnx_values outputs;
	struct tg_tensor_list tensors;
};

void tg_onnx_info_init(struct tg_onnx_info *i); /* cannot fail, allocates nothing */
void tg_onnx_info_done(struct tg_onnx_info *i);

/*
 * Walk a model file; tensor contents are stepped over, not read. `tensors` has, in the order of
 * the file, the initializers of the graph and of the graphs inside If, Loop and Scan nodes, and
 * the tensors of Constant nodes under the name of the node's output, where their bytes lie in one
 * piece as the machine wants them (raw_data, one packed float_data or double_data). Number lists
 * of other kinds, strings, sparse tensors and tensors in other files count as skipped. Graphs of
 * model-local functions and of training_info are left out. Names of different graphs may be equal.
 *
 * A field that is given twice, or in another wire type than ONNX has it, is TG_E_FORMAT: parsers
 * would differ about it. *ret is overwritten, on success only; release with tg_onnx_info_done().
 */
TG_MUST_CHECK tg_status tg_onnx_scan(const struct tg_source *src, struct tg_onnx_info *ret,
    struct tg_error *err);
/* Are the top-level fields a model's? Reads a few bytes a field; false on a failure to read. */
bool tg_onnx_probe(const struct tg_source *src);

#endif
