/* tensor/format.h - what kind of model file is this? */
#ifndef TG_TENSOR_FORMAT_H
#define TG_TENSOR_FORMAT_H

#include "util/bytes.h"

/*
 * A label for the manifest: safetensors, onnx, npy, npz, tflite, hdf5, keras, tf-savedmodel,
 * pytorch-zip, zip, pickle, gguf, json or txt; NULL for anything else, and on a failure to read.
 * By content; the name only decides where content alone says little (tf-savedmodel, json, txt).
 * A label is a hint for people: it promises neither that the file is sound nor that it is safe.
 */
const char *tg_format_sniff(const struct tg_source *src, tg_bytes path);

/* Does the path end with the text, A-Z and a-z alike? */
bool tg_path_ends(tg_bytes path, const char *end);
/* What stands behind the last '/'. Borrowed. */
tg_bytes tg_path_base(tg_bytes path);

/* Is there an HDF5 signature where the format allows one: at 0, 512, 1024, 2048 and so on? */
TG_MUST_CHECK tg_status tg_hdf5_probe(const struct tg_source *src, bool *ret, struct tg_error *err);

#endif
