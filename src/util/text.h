/* util/text.h - hex and base64, the two ways bytes stand in JSON. */
#ifndef TG_UTIL_TEXT_H
#define TG_UTIL_TEXT_H

#include "util/bytes.h"

/* Writes 2n lower-case digits and a NUL. */
void tg_hex_encode(char *out, tg_bytes in);
/* Exactly 2n lower-case digits into n bytes. False, with out zeroed, otherwise. */
bool tg_hex_decode(uint8_t *out, size_t n, tg_bytes text);

/* Characters of unpadded base64 for n bytes. */
static inline size_t
tg_base64_len(size_t n)
{
	return n / 3 * 4 + (n % 3 == 0 ? 0 : n % 3 + 1);
}
/* Writes tg_base64_len(in.n) characters and a NUL: standard alphabet, no padding. */
void tg_base64_encode(char *out, tg_bytes in);
/* Unpadded base64 of exactly n bytes, trailing bits zero. False, with out zeroed, otherwise.
 * No table look-up depends on the data, so that keys may be decoded. */
bool tg_base64_decode(uint8_t *out, size_t n, tg_bytes text);

/* Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, at most U+10FFFF. */
bool tg_utf8_valid(tg_bytes s);

#endif
