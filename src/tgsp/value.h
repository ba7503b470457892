/* tgsp/value.h - the binary and text values that the JSON sections share. */
#ifndef TG_TGSP_VALUE_H
#define TG_TGSP_VALUE_H

#include "json/json.h"

/* Lower-case hex, or unpadded base64, of exactly n bytes. `what` names the value. */
TG_MUST_CHECK tg_status tgsp_get_hex(const struct tg_json *j, const char *what, uint8_t *out,
    size_t n, struct tg_error *err);
TG_MUST_CHECK tg_status tgsp_get_base64(const struct tg_json *j, const char *what, uint8_t *out,
    size_t n, struct tg_error *err);
/* An integer min ... max. */
TG_MUST_CHECK tg_status tgsp_get_uint(const struct tg_json *j, const char *what, uint64_t max,
    uint64_t *ret, struct tg_error *err);
/* A name: 1 ... 255 bytes, no control characters. Borrowed from the tree, NUL-terminated. */
TG_MUST_CHECK tg_status tgsp_get_name(const struct tg_json *j, const char *what, const char **ret,
    struct tg_error *err);
TG_MUST_CHECK tg_status tgsp_name_check(tg_bytes name, const char *what, struct tg_error *err);
/* A string that must have this very value. */
TG_MUST_CHECK tg_status tgsp_get_exact(const struct tg_json *j, const char *what, const char *want,
    struct tg_error *err);

#endif
