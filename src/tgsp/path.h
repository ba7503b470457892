/* tgsp/path.h - the path rules of docs/PROTOCOL.tgsp.md section 2. */
#ifndef TG_TGSP_PATH_H
#define TG_TGSP_PATH_H

#include "util/bytes.h"

/* One path by itself. */
TG_MUST_CHECK tg_status tgsp_path_check(tg_bytes path, struct tg_error *err);

/*
 * A list of checked paths: in bytewise order and unique; unique too when A-Z is folded to a-z;
 * and none, so folded, another's leading directories.
 */
TG_MUST_CHECK tg_status tgsp_paths_check(const char *const *paths, size_t n, struct tg_error *err);

#endif
