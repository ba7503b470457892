/* moai/external.h - whether an ONNX model asks for bytes that are not in it. */
#ifndef TG_MOAI_EXTERNAL_H
#define TG_MOAI_EXTERNAL_H

#include "util/bytes.h"

/*
 * TG_OK when every weight lies in the model itself. TG_E_UNSUPPORTED when a tensor anywhere in it
 * refers to external data, TG_E_FORMAT when this is no protobuf message.
 */
TG_MUST_CHECK tg_status tg_onnx_self_contained(tg_bytes model, struct tg_error *err);

#endif
