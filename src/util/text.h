/* util/text.h - bytes as hex and base64, numbers, lines: what JSON and line formats are made of. */
#ifndef TG_UTIL_TEXT_H
#define TG_UTIL_TEXT_H

#include "util/buf.h"

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

/* Base64 with its padding (RFC 4648 section 4): bytes that a text of this length and padding stands
 * for. False for a length or padding that none has. */
bool tg_base64_padded_size(tg_bytes text, size_t *ret);
/* As tg_base64_decode(), with the padding. */
bool tg_base64_padded_decode(uint8_t *out, size_t n, tg_bytes text);
TG_MUST_CHECK tg_status tg_base64_padded_put(struct tg_buf *out, tg_bytes in);

/* ASCII decimal without sign and leading zeros, below 2^64. */
bool tg_decimal_decode(tg_bytes text, uint64_t *ret);
TG_MUST_CHECK tg_status tg_decimal_put(struct tg_buf *out, uint64_t v);

/* Take the first line off *rest, without its newline. False, and nothing taken, when there is no
 * newline. */
bool tg_line_take(tg_bytes *rest, tg_bytes *ret);
/* Take `prefix` off *text. False, and nothing taken, when it does not begin so. */
bool tg_prefix_take(tg_bytes *text, const char *prefix);

/* Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, at most U+10FFFF. */
bool tg_utf8_valid(tg_bytes s);

#endif
