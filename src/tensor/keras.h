/* tensor/keras.h - Keras layers that carry Python code in their JSON description. */
#ifndef TG_TENSOR_KERAS_H
#define TG_TENSOR_KERAS_H

#include "util/bytes.h"

/*
 * Search all of the source for "class_name": "Lambda" and its like, with any white space and any
 * JSON escapes, in UTF-8 or UTF-16, alone or among other bytes: a config.json, or an HDF5 file with
 * a model_config attribute. *ret_name is the class, static, or NULL when there is none.
 */
TG_MUST_CHECK tg_status tg_keras_find_code(const struct tg_source *src, const char **ret_name,
    struct tg_error *err);

#endif
