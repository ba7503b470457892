#include "../../tap.h"
#include "util/text.h"
#include "util/try.h"

#include <stdlib.h>

/* ---- hex ---- */

static void
hex_of_every_byte(void)
{
	unsigned long wrong = 0, n = 0;

	for (unsigned v = 0; v < 256; v++, n++) {
		const uint8_t in[2] = { (uint8_t)v, (uint8_t)~v };
		char text[5], want[5];
		uint8_t out[2];

		tg_hex_encode(text, (tg_bytes){ in, 2 });
		(void)snprintf(want, sizeof(want), "%02x%02x", v, ~v & 0xff);
		wrong += strcmp(text, want) != 0;
		wrong += !tg_hex_decode(out, 2, tg_bytes_str(text)) || memcmp(in, out, 2) != 0;
	}
	OK_NONE(wrong, n, "bytes");
	OK(tg_hex_decode((uint8_t[1]){ 0 }, 0, tg_bytes_str("")));
}

/* Every pair of characters: exactly the 256 lower-case ones decode. */
static void
hex_of_every_pair_of_characters(void)
{
	static const char digits[] = "0123456789abcdef";
	unsigned long wrong = 0, n = 0, good = 0;

	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++, n++) {
			const uint8_t text[2] = { (uint8_t)a, (uint8_t)b };
			uint8_t out = 0x5a;
			const char *hi = a == 0 ? NULL : strchr(digits, a);
			const char *lo = b == 0 ? NULL : strchr(digits, b);
			const bool valid = hi != NULL && lo != NULL;

			wrong += tg_hex_decode(&out, 1, (tg_bytes){ text, 2 }) != valid;
			wrong += out != (valid ? (hi - digits) * 16 + (lo - digits) : 0);
			good += valid;
		}
	OK_NONE(wrong, n, "pairs");
	OK(good == 256);
}

static void
hex_of_another_length_is_refused(void)
{
	uint8_t out[4] = { 1, 2, 3, 4 };
	static const uint8_t zero[4];

	OK(!tg_hex_decode(out, 4, tg_bytes_str("0102030")));
	OK(memcmp(out, zero, 4) == 0);
	OK(!tg_hex_decode(out, 4, tg_bytes_str("010203040")));
	OK(!tg_hex_decode(out, 4, tg_bytes_str("")));
	OK(!tg_hex_decode(out, 4, tg_bytes_str("0102030g")));
	OK(!tg_hex_decode(out, 4, tg_bytes_str("010203 4")));
	OK(!tg_hex_decode(out, 4, tg_bytes_str("0x020304")));
	OK(!tg_hex_decode(out, 4, tg_bytes_str("0102030A")));
}

/* ---- base64 ---- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* RFC 4648, by the book: bits into groups of six. */
static size_t
naive_base64(char *out, const uint8_t *p, size_t n)
{
	size_t bits = 0, len = 0;

	for (; bits < 8 * n; bits += 6) {
		unsigned v = 0;

		for (size_t i = 0; i < 6; i++) {
			const size_t at = bits + i;

			v = v << 1 | (at < 8 * n ? p[at / 8] >> (7 - at % 8) & 1 : 0);
		}
		out[len++] = alphabet[v];
	}
	out[len] = '\0';
	return len;
}

static void
base64_agrees_with_the_naive_one(void)
{
	unsigned long wrong = 0, n = 0;
	uint32_t v = 1;

	for (size_t len = 0; len <= 70; len++)
		for (int round = 0; round < 40; round++, n++) {
			uint8_t in[70], out[70];
			char want[100], got[100];

			for (size_t i = 0; i < len; i++) {
				v = v * 1664525u + 1013904223u;
				in[i] = (uint8_t)(v >> 24);
			}
			const size_t chars = naive_base64(want, in, len);
			tg_base64_encode(got, (tg_bytes){ in, len });
			wrong += chars != tg_base64_len(len) || strcmp(want, got) != 0;
			wrong += !tg_base64_decode(out, len, tg_bytes_str(got)) ||
			    memcmp(in, out, len) != 0;
			wrong += tg_base64_decode(out, len + 1, tg_bytes_str(got));
			wrong += len > 0 && tg_base64_decode(out, len - 1, tg_bytes_str(got));
		}
	OK_NONE(wrong, n, "texts");
}

/* Every pair of characters as one byte: 64 x 16 alphabet pairs, of which those without trailing
 * bits decode. */
static void
base64_of_every_pair_of_characters(void)
{
	unsigned long wrong = 0, n = 0, good = 0;

	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++, n++) {
			const uint8_t text[2] = { (uint8_t)a, (uint8_t)b };
			const char *hi = a == 0 ? NULL : strchr(alphabet, a);
			const char *lo = b == 0 ? NULL : strchr(alphabet, b);
			const bool valid = hi != NULL && lo != NULL && (lo - alphabet) % 16 == 0;
			uint8_t out = 0x5a;

			wrong += tg_base64_decode(&out, 1, (tg_bytes){ text, 2 }) != valid;
			wrong += out != (valid ? (hi - alphabet) * 4 + (lo - alphabet) / 16 : 0);
			good += valid;
		}
	OK_NONE(wrong, n, "pairs");
	OK(good == 256);
}

/* Each place of a four-character group gets every byte. */
static void
base64_of_every_character_in_every_place(void)
{
	unsigned long wrong = 0, n = 0;

	for (size_t at = 0; at < 4; at++)
		for (int c = 0; c < 256; c++, n++) {
			uint8_t text[4] = { 'T', 'w', 'F', 'u' }, out[3] = { 1, 1, 1 };

			text[at] = (uint8_t)c;
			const bool valid = c != 0 && strchr(alphabet, c) != NULL;
			wrong += tg_base64_decode(out, 3, (tg_bytes){ text, 4 }) != valid;
			wrong += !valid && (out[0] | out[1] | out[2]) != 0;
		}
	OK_NONE(wrong, n, "characters");
}

static void
base64_refuses_other_forms(void)
{
	uint8_t out[4];

	OK(tg_base64_decode(out, 1, tg_bytes_str("AQ")));
	OK(!tg_base64_decode(out, 1, tg_bytes_str("AQ==")));
	OK(!tg_base64_decode(out, 1, tg_bytes_str("A")));
	OK(!tg_base64_decode(out, 1, tg_bytes_str("AR")));
	OK(tg_base64_decode(out, 2, tg_bytes_str("AQI")));
	OK(!tg_base64_decode(out, 2, tg_bytes_str("AQI=")));
	OK(!tg_base64_decode(out, 2, tg_bytes_str("AQJ")));
	OK(!tg_base64_decode(out, 2, tg_bytes_str("AQK")));
	OK(!tg_base64_decode(out, 3, tg_bytes_str("AQ\nI")));
	OK(!tg_base64_decode(out, 3, tg_bytes_str("____")));
	OK(tg_base64_decode(out, 0, tg_bytes_str("")));
	OK(!tg_base64_decode(out, 0, tg_bytes_str("A")));
}

/* What the unpadded kind says, and then the padding. */
static void
padded_base64(void)
{
	static const struct {
		const char *raw, *text;
	} good[] = { /* RFC 4648 section 10 */
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};
	static const char *const bad[] = { "Zg", "Zg=", "Zg===", "Zm8", "Zm9v=", "Zm9v====", "=", "==",
		"====", "Zh==", "Zm9=", "Z===", "Zg==Zg==", "Zm8=\n", " Zm8", "Zm-_", "Z=8=" };
	unsigned long wrong = 0;

	for (size_t i = 0; i < TG_LEN(good); i++) {
		const tg_bytes raw = tg_bytes_str(good[i].raw), text = tg_bytes_str(good[i].text);
		struct tg_buf b = { .max = 64 };
		uint8_t out[8] = { 0 };
		size_t n = 99;

		OK(tg_base64_padded_put(&b, raw) == TG_OK && tg_bytes_equal(tg_buf_view(&b), text));
		OK(tg_base64_padded_size(text, &n) && n == raw.n);
		OK(tg_base64_padded_decode(out, n, text) && memcmp(out, raw.p, n) == 0);
		OK(!tg_base64_padded_decode(out, n + 1, text));
		tg_buf_done(&b);
	}
	for (size_t i = 0; i < TG_LEN(bad); i++) {
		uint8_t out[8];
		size_t n = 0;

		wrong += tg_base64_padded_size(tg_bytes_str(bad[i]), &n) &&
		    tg_base64_padded_decode(out, n, tg_bytes_str(bad[i]));
	}
	OK_NONE(wrong, TG_LEN(bad), "texts");
	struct tg_buf full = { .max = 4 };
	OK_STATUS(tg_base64_padded_put(&full, tg_bytes_str("foob")), TG_E_LIMIT);
	OK(full.n == 0);
	tg_buf_done(&full);
}

/* ---- numbers and lines ---- */

static void
decimals(void)
{
	static const uint64_t numbers[] = { 0, 1, 9, 10, 99, 20852163, UINT64_MAX / 10,
		UINT64_MAX - 1, UINT64_MAX };
	static const char *const bad[] = { "", "00", "01", "-1", "+1", " 1", "1 ", "1e3", "0x1",
		"18446744073709551616", "18446744073709551620", "99999999999999999999" };
	unsigned long wrong = 0;

	for (size_t i = 0; i < TG_LEN(numbers); i++) {
		struct tg_buf b = { .max = 20 };
		char want[24];
		uint64_t v = 7;

		(void)snprintf(want, sizeof(want), "%llu", (unsigned long long)numbers[i]);
		wrong += tg_decimal_put(&b, numbers[i]) != TG_OK ||
		    !tg_bytes_equal(tg_buf_view(&b), tg_bytes_str(want)) ||
		    !tg_decimal_decode(tg_buf_view(&b), &v) || v != numbers[i];
		tg_buf_done(&b);
	}
	for (size_t i = 0; i < TG_LEN(bad); i++) {
		uint64_t v = 7;

		wrong += tg_decimal_decode(tg_bytes_str(bad[i]), &v) || v != 7;
	}
	OK_NONE(wrong, TG_LEN(numbers) + TG_LEN(bad), "numbers");
}

static void
lines(void)
{
	tg_bytes rest = tg_bytes_str("one\n\nlast"), line = { NULL, 0 };

	OK(tg_line_take(&rest, &line) && tg_bytes_equal(line, tg_bytes_str("one")));
	OK(tg_line_take(&rest, &line) && line.n == 0);
	OK(!tg_line_take(&rest, &line) && tg_bytes_equal(rest, tg_bytes_str("last")));
	OK(!tg_prefix_take(&rest, "lasts") && !tg_prefix_take(&rest, "past") && rest.n == 4);
	OK(tg_prefix_take(&rest, "la") && tg_bytes_equal(rest, tg_bytes_str("st")));
	OK(tg_prefix_take(&rest, "st") && rest.n == 0 && tg_prefix_take(&rest, ""));
	OK(!tg_line_take(&rest, &line));
	rest = (tg_bytes){ NULL, 0 };
	OK(!tg_line_take(&rest, &line) && !tg_prefix_take(&rest, "x"));
}

/* ---- UTF-8 ---- */

/* Decodes first and judges the number then: another way than the table of the real one. */
static bool
naive_utf8(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
		const uint8_t c = p[i++];
		size_t len = c < 0x80 ? 1
		    : c < 0xc0	      ? 0
		    : c < 0xe0	      ? 2
		    : c < 0xf0	      ? 3
		    : c < 0xf8	      ? 4
				      : 0;
		uint32_t v = len == 1 ? c : len == 0 ? 0 : c & (0x7fu >> len);

		if (len == 0 || n - i < len - 1)
			return false;
		for (size_t k = 1; k < len; k++, i++) {
			if ((p[i] & 0xc0) != 0x80)
				return false;
			v = v << 6 | (p[i] & 0x3f);
		}
		if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
			return false;
	}
	return true;
}

static void
utf8_of_every_three_bytes(void)
{
	unsigned long wrong = 0, n = 0;

	for (unsigned v = 0; v < 1u << 24; v++, n++) {
		const uint8_t s[3] = { (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

		/* three ASCII bytes are no news */
		if ((v & 0x808080) != 0)
			wrong += tg_utf8_valid((tg_bytes){ s, 3 }) != naive_utf8(s, 3);
	}
	for (unsigned v = 0; v < 1u << 16; v++, n++) {
		const uint8_t s[2] = { (uint8_t)(v >> 8), (uint8_t)v };

		wrong += tg_utf8_valid((tg_bytes){ s, 2 }) != naive_utf8(s, 2);
		wrong += tg_utf8_valid((tg_bytes){ s, 1 }) != naive_utf8(s, 1);
	}
	OK_NONE(wrong, n, "sequences");
}

/* Four bytes: every lead and second byte, the others around their borders. */
static void
utf8_of_four_bytes(void)
{
	static const uint8_t edge[] = { 0, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff };
	unsigned long wrong = 0, n = 0;

	for (unsigned lead = 0xe0; lead < 256; lead++)
		for (unsigned second = 0; second < 256; second++)
			for (size_t i = 0; i < TG_LEN(edge); i++)
				for (size_t k = 0; k < TG_LEN(edge); k++, n++) {
					const uint8_t s[4] = { (uint8_t)lead, (uint8_t)second,
						edge[i], edge[k] };

					wrong +=
					    tg_utf8_valid((tg_bytes){ s, 4 }) != naive_utf8(s, 4);
				}
	OK_NONE(wrong, n, "sequences");
	OK(tg_utf8_valid((tg_bytes){ NULL, 0 }));
}

int
main(void)
{
	hex_of_every_byte();
	hex_of_every_pair_of_characters();
	hex_of_another_length_is_refused();
	base64_agrees_with_the_naive_one();
	base64_of_every_pair_of_characters();
	base64_of_every_character_in_every_place();
	base64_refuses_other_forms();
	padded_base64();
	decimals();
	lines();
	utf8_of_every_three_bytes();
	utf8_of_four_bytes();
	return tap_done();
}
