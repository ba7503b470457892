/* tensor/safetensors.h - where the tensors of a .safetensors file lie. */
#ifndef TG_TENSOR_SAFETENSORS_H
#define TG_TENSOR_SAFETENSORS_H

#include "tensor/list.h"

/*
 * Read the header; the tensors' bytes stay unread. The file must be what the format demands: a
 * JSON header within TG_MAX_SAFETENSORS_HEADER, entries of exactly dtype, shape and data_offsets,
 * every byte behind the header in exactly one tensor, sizes that match shape and dtype. So no
 * second reading of the file is possible.
 * *ret is overwritten, on success only, and new: release with tg_tensor_list_done(). The list is in
 * the order of the bytes.
 */
TG_MUST_CHECK tg_status tg_safetensors_scan(const struct tg_source *src,
    struct tg_tensor_list *ret, struct tg_error *err);
/* Does the file start like one? Reads ten bytes; false on a failure to read. */
bool tg_safetensors_probe(const struct tg_source *src);

#endif
