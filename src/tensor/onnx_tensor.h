/* tensor/onnx_tensor.h - one TensorProto of an ONNX model. */
#ifndef TG_TENSOR_ONNX_TENSOR_H
#define TG_TENSOR_ONNX_TENSOR_H

#include "tensor/list.h"
#include "tensor/protobuf.h"

/* The dtype of an ONNX type number that stands at offset; one of a later ONNX becomes "ONNX_27". */
TG_MUST_CHECK tg_status tg_onnx_dtype(uint64_t type, uint64_t offset,
    char ret[static TG_MAX_DTYPE_LEN + 1], struct tg_error *err);
/* Add the tensor to the list, under `name` or, when that is NULL, its own; or count it as skipped:
 * see tg_onnx_scan(). */
TG_MUST_CHECK tg_status tg_onnx_tensor_read(struct tg_pb m, const struct tg_pb_text *name,
    struct tg_tensor_list *to, struct tg_error *err);

#endif
