/* SHA-2, HMAC and HKDF against their standards' vectors. */
#include "../../tap.h"
#include "crypto/hash.h"
#include "util/text.h"
#include "util/try.h"

#include <stdlib.h>

static bool
is_hex(const uint8_t *p, size_t n, const char *want)
{
	char got[129];

	tg_hex_encode(got, (tg_bytes){ p, n });
	if (strncmp(got, want, 2 * n) != 0)
		printf("# got  %s\n# want %s\n", got, want);
	return strncmp(got, want, 2 * n) == 0;
}

static void
sha2_of_known_texts(void)
{
	const tg_bytes abc = tg_bytes_str("abc"),
		       split[] = { tg_bytes_str("a"), { NULL, 0 }, tg_bytes_str("bc") };
	uint8_t h[64];

	OK_STATUS(tg_sha256(&abc, 1, h, NULL), TG_OK);
	OK(is_hex(h, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	OK_STATUS(tg_sha256(split, 3, h, NULL), TG_OK);
	OK(is_hex(h, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	OK_STATUS(tg_sha256(NULL, 0, h, NULL), TG_OK);
	OK(is_hex(h, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	OK_STATUS(tg_sha512(&abc, 1, h, NULL), TG_OK);
	OK(is_hex(h, 64,
	    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"));
}

static void
streams_in_any_pieces(void)
{
	struct tg_sha256_stream *h = NULL;
	uint8_t out[32], piece[1000];

	memset(piece, 'a', sizeof(piece));
	OK_STATUS(tg_sha256_new(&h, NULL), TG_OK);
	for (int round = 0; round < 2; round++) { /* a finished stream starts anew */
		size_t left = 1000000, n = 1;

		while (left > 0) {
			n = n * 7 % sizeof(piece) + 1;
			n = n < left ? n : left;
			if (tg_sha256_put(h, piece, n, NULL) != TG_OK)
				break;
			left -= n;
		}
		OK_STATUS(tg_sha256_finish(h, out, NULL), TG_OK);
		OK(is_hex(
		    out, 32, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
	}
	OK_STATUS(tg_sha256_put(h, NULL, 0, NULL), TG_OK);
	OK_STATUS(tg_sha256_finish(h, out, NULL), TG_OK);
	OK(is_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	tg_sha256_free(h);
	tg_sha256_free(NULL);
}

/* RFC 4231 */
static void
hmac_vectors(void)
{
	uint8_t key[131], data[152], out[32];
	static const struct {
		int key_byte;
		size_t key_len;
		const char *text; /* or 50 of data_byte */
		int data_byte;
		const char *want;
	} vectors[] = {
		{ 0x0b, 20, "Hi There", 0,
		    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ 0xaa, 20, NULL, 0xdd,
		    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
		{ -1, 25, NULL, 0xcd,
		    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
		{ 0x0c, 20, "Test With Truncation", 0, "a3b6167473100ee06e0c796c2955552b" },
		{ 0xaa, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 0,
		    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
		{ 0xaa, 131,
		    "This is a test using a larger than block-size key and a larger than "
		    "block-size "
		    "data. The key needs to be hashed before being used by the HMAC algorithm.",
		    0, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
	};

	for (size_t i = 0; i < TG_LEN(vectors); i++) {
		const size_t n = vectors[i].text == NULL ? 50 : strlen(vectors[i].text);

		for (size_t k = 0; k < sizeof(key); k++)
			key[k] =
			    (uint8_t)(vectors[i].key_byte < 0 ? (int)k + 1 : vectors[i].key_byte);
		if (vectors[i].text == NULL)
			memset(data, vectors[i].data_byte, n);
		else
			memcpy(data, vectors[i].text, n);
		/* in three parts, one of them empty */
		const tg_bytes parts[] = { { data, n / 3 }, { NULL, 0 },
			{ data + n / 3, n - n / 3 } };
		OK_STATUS(
		    tg_hmac_sha256((tg_bytes){ key, vectors[i].key_len }, parts, 3, out, NULL),
		    TG_OK);
		OK(is_hex(out, strlen(vectors[i].want) / 2, vectors[i].want));
	}
	const tg_bytes jefe = tg_bytes_str("what do ya want for nothing?");
	OK_STATUS(tg_hmac_sha256(tg_bytes_str("Jefe"), &jefe, 1, out, NULL), TG_OK);
	OK(is_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
}

/* RFC 5869, appendix A; of the output only the first block, which is all that we use. */
static void
hkdf_vectors(void)
{
	static const struct {
		int ikm_from, ikm_step;
		size_t ikm_len;
		uint8_t salt_from;
		size_t salt_len;
		uint8_t info_from;
		size_t info_len;
		const char *prk, *okm;
	} vectors[] = {
		{ 0x0b, 0, 22, 0, 13, 0xf0, 10,
		    "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
		    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf" },
		{ 0, 1, 80, 0x60, 80, 0xb0, 80,
		    "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
		    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c" },
		{ 0x0b, 0, 22, 0, 0, 0, 0,
		    "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
		    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d" },
	};

	for (size_t i = 0; i < TG_LEN(vectors); i++) {
		uint8_t ikm[80], salt[80], info[80], prk[32], out[32];

		for (size_t k = 0; k < 80; k++) {
			ikm[k] = (uint8_t)(vectors[i].ikm_from + vectors[i].ikm_step * (int)k);
			salt[k] = (uint8_t)(vectors[i].salt_from + k);
			info[k] = (uint8_t)(vectors[i].info_from + k);
		}
		OK_STATUS(tg_hkdf_extract((tg_bytes){ salt, vectors[i].salt_len },
			      (tg_bytes){ ikm, vectors[i].ikm_len }, prk, NULL),
		    TG_OK);
		OK(is_hex(prk, 32, vectors[i].prk));
		const size_t n = vectors[i].info_len;
		const tg_bytes parts[] = { { info, n / 2 }, { info + n / 2, n - n / 2 } };
		OK_STATUS(tg_hkdf_expand(prk, parts, 2, out, NULL), TG_OK);
		OK(is_hex(out, 32, vectors[i].okm));
	}
	uint8_t prk[32] = { 0 }, a[32], b[32];
	OK_STATUS(tg_hkdf_expand(prk, NULL, 0, a, NULL), TG_OK);
	const tg_bytes empty = { NULL, 0 };
	OK_STATUS(tg_hkdf_expand(prk, &empty, 1, b, NULL), TG_OK);
	OK(memcmp(a, b, 32) == 0);
}

/* More parts than these take is our own mistake, and writes nothing but zeros. */
static void
too_many_parts(void)
{
	tg_bytes parts[20] = { { NULL, 0 } };
	uint8_t out[32];

	OK_STATUS(tg_hmac_sha256(tg_bytes_str("k"), parts, 16, out, NULL), TG_E_INTERNAL);
	OK_STATUS(tg_hmac_sha256(tg_bytes_str("k"), parts, 15, out, NULL), TG_OK);
	OK_STATUS(tg_hkdf_expand(out, parts, 12, out, NULL), TG_E_INTERNAL);
}

int
main(void)
{
	sha2_of_known_texts();
	streams_in_any_pieces();
	hmac_vectors();
	hkdf_vectors();
	too_many_parts();
	return tap_done();
}
