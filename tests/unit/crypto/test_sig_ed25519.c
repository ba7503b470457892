/* Ed25519: RFC 8032's vectors, and the public keys that are refused at load. */
#include "../../tap.h"
#include "crypto/sig.h"
#include "util/text.h"
#include "util/try.h"

#include <stdlib.h>

static const tg_bytes none = { (const uint8_t *)"", 0 };

/* RFC 8032 section 7.1 */
static void
published_vectors(void)
{
	static const struct {
		const char *seed, *pk, *msg, *sig;
	} vectors[] = {
		{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33b"
		    "ac"
		    "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
		{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
		    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e1599"
		    "6e"
		    "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
		{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
		    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f2"
		    "90"
		    "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
	};

	for (size_t i = 0; i < TG_LEN(vectors); i++) {
		struct tg_pkey *private = NULL, *public = NULL;
		uint8_t seed[32], pk[32], msg[2], sig[64];
		char got[129];
		const size_t n = strlen(vectors[i].msg) / 2;

		OK(tg_hex_decode(seed, 32, tg_bytes_str(vectors[i].seed)) &&
		    tg_hex_decode(msg, n, tg_bytes_str(vectors[i].msg)));
		OK_STATUS(tg_sig_ed25519.key.load_private(seed, &private, NULL), TG_OK);
		OK_STATUS(tg_sig_ed25519.key.public_of(private, pk, NULL), TG_OK);
		tg_hex_encode(got, (tg_bytes){ pk, 32 });
		OK(strcmp(got, vectors[i].pk) == 0);
		OK_STATUS(tg_sig_ed25519.sign(private, (tg_bytes){ msg, n }, none, true, sig, NULL),
		    TG_OK);
		tg_hex_encode(got, (tg_bytes){ sig, 64 });
		OK(strcmp(got, vectors[i].sig) == 0);
		OK_STATUS(tg_sig_ed25519.key.load_public(pk, &public, NULL), TG_OK);
		OK_STATUS(
		    tg_sig_ed25519.verify(public, (tg_bytes){ msg, n }, none, sig, NULL), TG_OK);
		sig[0] ^= 1;
		OK_STATUS(tg_sig_ed25519.verify(public, (tg_bytes){ msg, n }, none, sig, NULL),
		    TG_E_AUTH);
		tg_pkey_free(private);
		tg_pkey_free(public);
	}
	tg_pkey_free(NULL);
}

/* S >= L is another spelling of the same number. */
static void
signatures_have_one_encoding(void)
{
	static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6,
		0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
	struct tg_pkey *private = NULL, *public = NULL;
	uint8_t seed[32] = { 5 }, pk[32], sig[64];
	unsigned carry = 0;

	OK_STATUS(tg_sig_ed25519.key.load_private(seed, &private, NULL), TG_OK);
	OK_STATUS(tg_sig_ed25519.key.public_of(private, pk, NULL), TG_OK);
	OK_STATUS(tg_sig_ed25519.key.load_public(pk, &public, NULL), TG_OK);
	OK_STATUS(tg_sig_ed25519.sign(private, tg_bytes_str("m"), none, true, sig, NULL), TG_OK);
	OK_STATUS(tg_sig_ed25519.verify(public, tg_bytes_str("m"), none, sig, NULL), TG_OK);
	for (int i = 0; i < 32; i++) {
		carry += (unsigned)sig[32 + i] + order[i];
		sig[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	OK_STATUS(tg_sig_ed25519.verify(public, tg_bytes_str("m"), none, sig, NULL), TG_E_AUTH);
	tg_pkey_free(private);
	tg_pkey_free(public);
}

/* ---- refused public keys ---- */

static void
refused(const uint8_t pk[static 32])
{
	struct tg_pkey *k = NULL;
	struct tg_error err = TG_ERROR_INIT;
	char hex[65];
	const bool good = tg_ed25519_refused(pk) &&
	    tg_sig_ed25519.key.load_public(pk, &k, &err) == TG_E_FORMAT && k == NULL;

	tg_hex_encode(hex, (tg_bytes){ pk, 32 });
	tap_n++;
	tap_bad += !good;
	printf("%s %d - refused: %s\n", good ? "ok" : "not ok", tap_n, hex);
}

/* The eight points whose order divides 8, in every encoding that decodes to one of them. */
static const char *const small_order[] = {
	/* order 1 and 2: (0, 1) and (0, -1), with both signs of x = 0 */
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	/* order 4: y = 0 */
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	/* order 8 */
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	/* the same with y + p: 0, 1 */
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static void
small_orders_and_second_encodings_are_refused(void)
{
	uint8_t pk[32];

	for (size_t i = 0; i < TG_LEN(small_order); i++) {
		OK(tg_hex_decode(pk, 32, tg_bytes_str(small_order[i])));
		refused(pk);
	}
	/* all of y = p ... 2^255 - 1, with either sign */
	memset(pk, 0xff, 32);
	for (unsigned low = 0xed; low <= 0xff; low++)
		for (unsigned high = 0x7f; high <= 0xff; high += 0x80) {
			pk[0] = (uint8_t)low;
			pk[31] = (uint8_t)high;
			refused(pk);
		}
}

/* Their neighbours are keys like others, as far as this check goes. */
static void
neighbours_are_not_refused(void)
{
	uint8_t pk[32];
	unsigned long wrong = 0, n = 0;

	for (size_t i = 0; i < 10; i++) /* those below p */
		for (unsigned bit = 0; bit < 255; bit++) {
			wrong += !tg_hex_decode(pk, 32, tg_bytes_str(small_order[i]));
			pk[bit / 8] ^= (uint8_t)(1 << bit % 8);
			/* 0 and 1, and -1 and -2^k - 1, are each other's neighbours */
			const bool listed = pk[0] <= 1 && bit == 0;
			bool beyond = (pk[31] & 0x7f) == 0x7f && pk[0] >= 0xed;
			for (int k = 1; k < 31; k++)
				beyond = beyond && pk[k] == 0xff;
			wrong += tg_ed25519_refused(pk) != (listed || beyond);
			n++;
		}
	OK_NONE(wrong, n, "neighbours");
	memset(pk, 0xff, 32);
	pk[0] = 0xeb; /* y = -2 */
	pk[31] = 0x7f;
	OK(!tg_ed25519_refused(pk));
	memset(pk, 0xff, 32);
	pk[17] = 0xfe; /* below p by far, though it starts above 0xed */
	OK(!tg_ed25519_refused(pk));
}

int
main(void)
{
	published_vectors();
	signatures_have_one_encoding();
	small_orders_and_second_encodings_are_refused();
	neighbours_are_not_refused();
	return tap_done();
}
