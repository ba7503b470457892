/* tensor/pickle.h - files that bring code of their own, which a loader would run. */
#ifndef TG_TENSOR_PICKLE_H
#define TG_TENSOR_PICKLE_H

#include "util/bytes.h"

#define TG_CODE_REASON_LEN 160 /* with the NUL */

/*
 * Would a usual loader run code out of this file? It would for
 *  - a pickle of any protocol that opcode.h recognises, also as the only thing inside a gzip or
 *    zlib stream, and also under any name;
 *  - a zip or tar (a .pt, .npz, .keras, .nemo) with a member that is such a file, or is called
 *    .pkl .pickle .pt .pth .joblib; zips inside it are opened one level down. Members that cannot
 *    be looked into (other compression, encryption, deeper nesting) count as found;
 *  - a .npy array of Python objects;
 *  - a Keras model with a Lambda layer: HDF5, a .json file, or keras_metadata.pb;
 *  - a file named .pkl .pickle .p .pt .pth .ckpt .joblib .sav .dill that is none of the formats
 *    known to be safe: protocols 0 and 1 have no mark of their own.
 * Not seen: pickles behind bzip2, xz, lzma or lz4, or in a compressed tar; TensorFlow graphs;
 * Keras classes other than Lambda and TorchModuleWrapper.
 *
 * `path` is the file's name, for the last rules only. On TG_OK with *ret_found, reason is one line
 * for people, in ASCII. TG_E_FORMAT for a zip or tar that readers would take differently or that
 * has no readable directory; TG_E_LIMIT for one that costs too much to look into. On failure the
 * outputs are untouched: refuse the file.
 */
TG_MUST_CHECK tg_status tg_code_find(const struct tg_source *src, tg_bytes path,
    char reason[static TG_CODE_REASON_LEN], bool *ret_found, struct tg_error *err);

#endif
