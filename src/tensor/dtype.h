/* tensor/dtype.h - element types, by the names that safetensors and manifests use. */
#ifndef TG_TENSOR_DTYPE_H
#define TG_TENSOR_DTYPE_H

#include <tensorguard/limits.h>

#include "util/bytes.h"

/* Bytes of one element of BOOL U8 I8 F8_E4M3 F8_E5M2 U16 I16 F16 BF16 U32 I32 F32 U64 I64 F64;
 * 0 for any other name. */
size_t tg_dtype_width(tg_bytes name);

/* What a manifest takes as a dtype: 1 ... TG_MAX_DTYPE_LEN of [A-Z0-9_]. */
bool tg_dtype_name_ok(tg_bytes name);

/* *ret = bytes of a tensor. False, and *ret untouched, for a type without a width, or when the
 * product does not fit. */
bool tg_dtype_size(tg_bytes name, unsigned rank, const uint64_t *shape, uint64_t *ret);

#endif
