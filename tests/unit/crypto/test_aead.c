/* ChaCha20-Poly1305: RFC 8439, and that nothing comes out of what does not open. */
#include "../../tap.h"
#include "crypto/aead.h"
#include "util/text.h"

#include <stdlib.h>

static const char sunscreen[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    "sunscreen would be it.";

static struct tg_aead *
cipher(uint8_t first)
{
	struct tg_aead *a = NULL;
	uint8_t key[32];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(first + i);
	if (tg_aead_new(key, &a, NULL) != TG_OK)
		abort();
	return a;
}

/* RFC 8439 section 2.8.2 */
static void
published_vector(void)
{
	static const uint8_t nonce[12] = { 7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46,
		0x47 };
	static const uint8_t aad[12] = { 0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5,
		0xc6, 0xc7 };
	const size_t n = sizeof(sunscreen) - 1;
	uint8_t ct[114], tag[16], back[114];
	char got[229];
	struct tg_aead *a = cipher(0x80);

	OK(n == 114);
	OK_STATUS(tg_aead_seal(a, nonce, (tg_bytes){ aad, 12 }, (const uint8_t *)sunscreen, n, ct,
		      tag, NULL),
	    TG_OK);
	tg_hex_encode(got, (tg_bytes){ ct, 16 });
	OK(strcmp(got, "d31a8d34648e60db7b86afbc53ef7ec2") == 0);
	tg_hex_encode(got, (tg_bytes){ tag, 16 });
	OK(strcmp(got, "1ae10b594f09e26a7e902ecbd0600691") == 0);
	OK_STATUS(tg_aead_open(a, nonce, (tg_bytes){ aad, 12 }, ct, n, tag, back, NULL), TG_OK);
	OK(memcmp(back, sunscreen, n) == 0);
	tg_aead_free(a);
	tg_aead_free(NULL);
}

/* One bit of anything, and the output is zeros. */
static void
nothing_opens_that_was_changed(void)
{
	uint8_t nonce[12] = { 1 }, aad[5] = { 2 }, text[40], ct[40], tag[16], out[40];
	static const uint8_t zero[40];
	unsigned long wrong = 0, n = 0;
	struct tg_aead *a = cipher(1), *other = cipher(2);
	uint8_t *const parts[] = { ct, tag, nonce, aad };
	static const size_t lengths[] = { 40, 16, 12, 5 };

	memset(text, 0x5a, sizeof(text));
	OK_STATUS(tg_aead_seal(a, nonce, (tg_bytes){ aad, 5 }, text, 40, ct, tag, NULL), TG_OK);
	for (size_t p = 0; p < 4; p++)
		for (size_t bit = 0; bit < 8 * lengths[p]; bit++, n++) {
			struct tg_error err = TG_ERROR_INIT;

			parts[p][bit / 8] ^= (uint8_t)(1 << bit % 8);
			memset(out, 0xff, sizeof(out));
			wrong += tg_aead_open(a, nonce, (tg_bytes){ aad, 5 }, ct, 40, tag, out,
				     &err) != TG_E_AUTH ||
			    err.status != TG_E_AUTH || memcmp(out, zero, 40) != 0;
			parts[p][bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	OK_NONE(wrong, n, "altered messages");
	OK_STATUS(tg_aead_open(a, nonce, (tg_bytes){ aad, 4 }, ct, 40, tag, out, NULL), TG_E_AUTH);
	OK_STATUS(tg_aead_open(a, nonce, (tg_bytes){ aad, 5 }, ct, 39, tag, out, NULL), TG_E_AUTH);
	OK_STATUS(
	    tg_aead_open(other, nonce, (tg_bytes){ aad, 5 }, ct, 40, tag, out, NULL), TG_E_AUTH);
	/* a failure leaves the context usable */
	OK_STATUS(tg_aead_open(a, nonce, (tg_bytes){ aad, 5 }, ct, 40, tag, out, NULL), TG_OK);
	OK(memcmp(out, text, 40) == 0);
	tg_aead_free(a);
	tg_aead_free(other);
}

static void
in_place_and_empty(void)
{
	static const uint8_t nonce[12];
	const tg_bytes none = { NULL, 0 };
	uint8_t buf[100], tag[16], tag2[16], apart[100];
	struct tg_aead *a = cipher(9);

	memset(buf, 7, sizeof(buf));
	OK_STATUS(tg_aead_seal(a, nonce, none, buf, 100, apart, tag2, NULL), TG_OK);
	OK_STATUS(tg_aead_seal(a, nonce, none, buf, 100, buf, tag, NULL), TG_OK);
	OK(memcmp(buf, apart, 100) == 0 && memcmp(tag, tag2, 16) == 0);
	OK_STATUS(tg_aead_open(a, nonce, none, buf, 100, tag, buf, NULL), TG_OK);
	OK(buf[0] == 7 && buf[99] == 7);
	OK_STATUS(tg_aead_seal(a, nonce, none, NULL, 0, NULL, tag, NULL), TG_OK);
	OK_STATUS(tg_aead_open(a, nonce, none, NULL, 0, tag, NULL, NULL), TG_OK);
	tag[15] ^= 1;
	OK_STATUS(tg_aead_open(a, nonce, none, NULL, 0, tag, NULL, NULL), TG_E_AUTH);
	tg_aead_free(a);
}

/* be88(i), then the flag */
static void
stream_nonces(void)
{
	uint8_t n[12];
	static const uint8_t first[12] = { 0 }, last[12] = { [11] = 1 };
	static const uint8_t far[12] = { 0, 0, 0, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
		1 };

	memset(n, 0xff, sizeof(n));
	tg_stream_nonce(0, false, n);
	OK(memcmp(n, first, 12) == 0);
	tg_stream_nonce(0, true, n);
	OK(memcmp(n, last, 12) == 0);
	tg_stream_nonce(0xfedcba9876543210ull, true, n);
	OK(memcmp(n, far, 12) == 0);
	tg_stream_nonce(255, false, n);
	OK(n[10] == 255 && n[11] == 0 && n[9] == 0);
	tg_stream_nonce(256, false, n);
	OK(n[9] == 1 && n[10] == 0);
}

int
main(void)
{
	published_vector();
	nothing_opens_that_was_changed();
	in_place_and_empty();
	stream_nonces();
	return tap_done();
}
