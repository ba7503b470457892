#include "util/text.h"

#include "util/try.h"
#include "util/wipe.h"

void
tg_hex_encode(char *out, tg_bytes in)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < in.n; i++) {
		*out++ = digits[in.p[i] >> 4];
		*out++ = digits[in.p[i] & 15];
	}
	*out = '\0';
}

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
tg_hex_decode(uint8_t *out, size_t n, tg_bytes text)
{
	bool good = text.n == 2 * n;

	for (size_t i = 0; good && i < n; i++) {
		int hi = hex_value(text.p[2 * i]), lo = hex_value(text.p[2 * i + 1]);

		good = hi >= 0 && lo >= 0;
		out[i] = (uint8_t)(good ? hi << 4 | lo : 0);
	}
	if (!good)
		memset(out, 0, n);
	return good;
}

/* 0xff.. when lo <= c <= hi, else 0, without a branch. */
static uint32_t
in_range(uint32_t c, uint32_t lo, uint32_t hi)
{
	return (((c - lo) | (hi - c)) >> 31) - 1;
}

static char
base64_digit(uint32_t v)
{
	uint32_t c = in_range(v, 0, 25) & (v + 'A');

	c |= in_range(v, 26, 51) & (v - 26 + 'a');
	c |= in_range(v, 52, 61) & (v - 52 + '0');
	c |= in_range(v, 62, 62) & '+';
	c |= in_range(v, 63, 63) & '/';
	return (char)c;
}

/* 0..63, or above 63 for anything outside the alphabet. */
static uint32_t
base64_value(uint32_t c)
{
	uint32_t upper = in_range(c, 'A', 'Z'), lower = in_range(c, 'a', 'z');
	uint32_t digit = in_range(c, '0', '9'), plus = in_range(c, '+', '+');
	uint32_t slash = in_range(c, '/', '/');
	uint32_t v = (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (digit & (c - '0' + 52)) |
	    (plus & 62) | (slash & 63);

	return v | (~(upper | lower | digit | plus | slash) & 64);
}

void
tg_base64_encode(char *out, tg_bytes in)
{
	size_t i = 0;

	for (; i + 3 <= in.n; i += 3) {
		uint32_t v = (uint32_t)in.p[i] << 16 | (uint32_t)in.p[i + 1] << 8 | in.p[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			*out++ = base64_digit(v >> shift & 63);
	}
	if (in.n - i == 1) {
		*out++ = base64_digit(in.p[i] >> 2);
		*out++ = base64_digit((uint32_t)(in.p[i] & 3) << 4);
	} else if (in.n - i == 2) {
		uint32_t v = (uint32_t)in.p[i] << 8 | in.p[i + 1];

		*out++ = base64_digit(v >> 10);
		*out++ = base64_digit(v >> 4 & 63);
		*out++ = base64_digit(v << 2 & 63);
	}
	*out = '\0';
}

bool
tg_base64_decode(uint8_t *out, size_t n, tg_bytes text)
{
	uint32_t bad = text.n != tg_base64_len(n), acc = 0;
	unsigned bits = 0;
	size_t have = 0;

	for (size_t i = 0; i < text.n && text.n == tg_base64_len(n); i++) {
		uint32_t v = base64_value(text.p[i]);

		bad |= v >> 6;
		acc = (acc << 6 | (v & 63)) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[have++] = (uint8_t)(acc >> bits);
		}
	}
	bad |= acc & ((1u << bits) - 1); /* the trailing bits must be zero */
	if (bad != 0)
		tg_wipe(out, n);
	return bad == 0;
}

bool
tg_base64_padded_size(tg_bytes text, size_t *ret)
{
	size_t pads = 0;

	if (text.n % 4 != 0)
		return false;
	while (pads < 2 && pads < text.n && text.p[text.n - 1 - pads] == '=')
		pads++;
	*ret = text.n / 4 * 3 - pads;
	return true;
}

bool
tg_base64_padded_decode(uint8_t *out, size_t n, tg_bytes text)
{
	size_t have = 0;

	if (!tg_base64_padded_size(text, &have) || have != n) {
		memset(out, 0, n);
		return false;
	}
	return tg_base64_decode(out, n, (tg_bytes){ text.p, tg_base64_len(n) });
}

tg_status
tg_base64_padded_put(struct tg_buf *out, tg_bytes in)
{
	const size_t n = (in.n + 2) / 3 * 4, plain = tg_base64_len(in.n);
	uint8_t *to = NULL;

	/* one more for the encoder's NUL, which is not kept */
	TG_TRY(tg_buf_grow(out, n + 1, &to));
	tg_base64_encode((char *)to, in);
	memset(to + plain, '=', n - plain);
	out->n--;
	return TG_OK;
}

bool
tg_decimal_decode(tg_bytes text, uint64_t *ret)
{
	uint64_t v = 0;

	if (text.n == 0 || (text.n > 1 && text.p[0] == '0'))
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9' || !tg_mul_u64(v, 10, &v) ||
		    !tg_add_u64(v, (uint64_t)(text.p[i] - '0'), &v))
			return false;
	*ret = v;
	return true;
}

tg_status
tg_decimal_put(struct tg_buf *out, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	return tg_buf_put(out, digits + at, sizeof(digits) - at);
}

bool
tg_line_take(tg_bytes *rest, tg_bytes *ret)
{
	const uint8_t *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);

	if (end == NULL)
		return false;
	*ret = (tg_bytes){ rest->p, (size_t)(end - rest->p) };
	*rest = (tg_bytes){ end + 1, rest->n - ret->n - 1 };
	return true;
}

bool
tg_prefix_take(tg_bytes *text, const char *prefix)
{
	const size_t n = strlen(prefix);

	if (text->n < n || !tg_bytes_equal((tg_bytes){ text->p, n }, tg_bytes_str(prefix)))
		return false;
	*text = (tg_bytes){ text->p + n, text->n - n };
	return true;
}

/* Length of the well-formed sequence at p, 0 if there is none. */
static size_t
utf8_sequence(const uint8_t *p, size_t left)
{
	uint8_t c = p[0], lo = 0x80, hi = 0xbf;
	size_t n;

	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		n = 2;
	else if (c >= 0xe0 && c <= 0xef)
		n = 3;
	else if (c >= 0xf0 && c <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > left)
		return 0;
	if (c == 0xe0)
		lo = 0xa0; /* overlong below */
	else if (c == 0xed)
		hi = 0x9f; /* surrogates above */
	else if (c == 0xf0)
		lo = 0x90;
	else if (c == 0xf4)
		hi = 0x8f;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

bool
tg_utf8_valid(tg_bytes s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		n = utf8_sequence(s.p + i, s.n - i);
		if (n == 0)
			return false;
	}
	return true;
}
