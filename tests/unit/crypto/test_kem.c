/* X25519 and ML-KEM-768: published values, refused points, implicit rejection. */
#include "../../tap.h"
#include "crypto/kem.h"
#include "util/text.h"
#include "util/try.h"

#include <stdlib.h>

static struct tg_pkey *
private_of(const struct tg_kem_alg *alg, const uint8_t *seed)
{
	struct tg_pkey *k = NULL;

	if (alg->key.load_private(seed, &k, NULL) != TG_OK)
		abort();
	return k;
}

static struct tg_pkey *
public_of(const struct tg_kem_alg *alg, const struct tg_pkey *private)
{
	uint8_t pk[TG_MLKEM768_PK_LEN];
	struct tg_pkey *k = NULL;

	if (alg->key.public_of(private, pk, NULL) != TG_OK ||
	    alg->key.load_public(pk, &k, NULL) != TG_OK)
		abort();
	return k;
}

/* RFC 7748 section 5.2: scalar times point, which is what decapsulation does. */
static void
x25519_vectors(void)
{
	static const struct {
		const char *scalar, *u, *want;
	} vectors[] = {
		{ "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
		    "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
		    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
		{ "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
		    "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
		    "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
	};

	for (size_t i = 0; i < TG_LEN(vectors); i++) {
		uint8_t scalar[32], u[32], ss[32];
		char got[65];

		OK(tg_hex_decode(scalar, 32, tg_bytes_str(vectors[i].scalar)) &&
		    tg_hex_decode(u, 32, tg_bytes_str(vectors[i].u)));
		struct tg_pkey *k = private_of(&tg_kem_x25519, scalar);
		OK_STATUS(tg_kem_x25519.decaps(k, u, ss, NULL), TG_OK);
		tg_hex_encode(got, (tg_bytes){ ss, 32 });
		OK(strcmp(got, vectors[i].want) == 0);
		tg_pkey_free(k);
	}
}

/* u of the points of order 1, 2, 4 and 8, and their second encodings. */
static const char *const low_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"0100000000000000000000000000000000000000000000000000000000000080",
};

static void
low_order_points_give_nothing(void)
{
	const uint8_t seed[32] = { 77 };
	static const uint8_t zero[32];
	struct tg_pkey *k = private_of(&tg_kem_x25519, seed);

	for (size_t i = 0; i < TG_LEN(low_order); i++) {
		uint8_t u[32], ct[32], ss[32];
		struct tg_pkey *peer = NULL;

		OK(tg_hex_decode(u, 32, tg_bytes_str(low_order[i])));
		memset(ss, 0xff, sizeof(ss));
		OK_STATUS(tg_kem_x25519.decaps(k, u, ss, NULL), TG_E_AUTH);
		OK(memcmp(ss, zero, 32) == 0);
		/* nor can anything be sealed to such a point */
		OK_STATUS(tg_kem_x25519.key.load_public(u, &peer, NULL), TG_OK);
		memset(ss, 0xff, sizeof(ss));
		OK_STATUS(tg_kem_x25519.encaps(peer, seed, ct, ss, NULL), TG_E_AUTH);
		OK(memcmp(ss, zero, 32) == 0);
		tg_pkey_free(peer);
	}
	tg_pkey_free(k);
}

static void
both_sides_agree(const struct tg_kem_alg *alg)
{
	uint8_t seed[64], coins[32], ct[2][TG_MLKEM768_CT_LEN], ss[3][32];

	memset(seed, 3, sizeof(seed));
	struct tg_pkey *private = private_of(alg, seed), *public = public_of(alg, private);
	seed[0] ^= 8; /* bit 3: X25519 clears the lower ones */
	struct tg_pkey *other = private_of(alg, seed);
	memset(coins, 4, sizeof(coins));
	OK_STATUS(alg->encaps(public, coins, ct[0], ss[0], NULL), TG_OK);
	OK_STATUS(alg->decaps(private, ct[0], ss[1], NULL), TG_OK);
	OK(memcmp(ss[0], ss[1], 32) == 0);
	OK_STATUS(alg->encaps(public, coins, ct[1], ss[2], NULL), TG_OK);
	OK(memcmp(ct[0], ct[1], alg->ct_len) == 0 && memcmp(ss[0], ss[2], 32) == 0);
	coins[0] ^= 8;
	OK_STATUS(alg->encaps(public, coins, ct[1], ss[2], NULL), TG_OK);
	OK(memcmp(ct[0], ct[1], alg->ct_len) != 0 && memcmp(ss[0], ss[2], 32) != 0);
	OK_STATUS(alg->decaps(other, ct[0], ss[2], NULL), TG_OK);
	OK(memcmp(ss[0], ss[2], 32) != 0);
	tg_pkey_free(private);
	tg_pkey_free(public);
	tg_pkey_free(other);
}

/* FIPS 203 answers a changed ciphertext with another secret, not with an error. */
static void
mlkem_rejects_implicitly(void)
{
	uint8_t seed[64], coins[32] = { 1 }, ct[TG_MLKEM768_CT_LEN], good[32], bad[32], again[32];
	unsigned long wrong = 0, n = 0;

	memset(seed, 5, sizeof(seed));
	struct tg_pkey *private = private_of(&tg_kem_mlkem768, seed);
	struct tg_pkey *public = public_of(&tg_kem_mlkem768, private);
	OK_STATUS(tg_kem_mlkem768.encaps(public, coins, ct, good, NULL), TG_OK);
	for (size_t i = 0; i < sizeof(ct); i += 17, n++) {
		ct[i] ^= 1;
		wrong += tg_kem_mlkem768.decaps(private, ct, bad, NULL) != TG_OK ||
		    memcmp(bad, good, 32) == 0;
		wrong += tg_kem_mlkem768.decaps(private, ct, again, NULL) != TG_OK ||
		    memcmp(bad, again, 32) != 0;
		ct[i] ^= 1;
	}
	OK_NONE(wrong, n, "altered ciphertexts");
	tg_pkey_free(private);
	tg_pkey_free(public);
}

/* FIPS 203 section 7.2: every coefficient of an encapsulation key is below q = 3329. */
static void
mlkem_checks_public_keys(void)
{
	uint8_t seed[64], pk[TG_MLKEM768_PK_LEN];
	struct tg_pkey *k = NULL;

	memset(seed, 6, sizeof(seed));
	struct tg_pkey *private = private_of(&tg_kem_mlkem768, seed);
	OK_STATUS(tg_kem_mlkem768.key.public_of(private, pk, NULL), TG_OK);
	static const struct {
		size_t at;
		uint8_t b[3];
	} spoils[] = { { 0, { 0xff, 0xff, 0xff } }, { 0, { 0x01, 0x0d, 0x00 } }, /* 3329, 0 */
		{ 1149, { 0x00, 0x10, 0xd0 } } /* 0, 3329: the last pair */ };
	for (size_t i = 0; i < TG_LEN(spoils); i++) {
		uint8_t bad[TG_MLKEM768_PK_LEN];

		memcpy(bad, pk, sizeof(bad));
		memcpy(bad + spoils[i].at, spoils[i].b, 3);
		OK_STATUS(tg_kem_mlkem768.key.load_public(bad, &k, NULL), TG_E_FORMAT);
	}
	OK(k == NULL);
	pk[0] = 0x00; /* 3328 is the largest */
	pk[1] = (uint8_t)((pk[1] & 0xf0) | 0x0d);
	OK_STATUS(tg_kem_mlkem768.key.load_public(pk, &k, NULL), TG_OK);
	tg_pkey_free(k);
	tg_pkey_free(private);
}

static void
the_two_secrets_are_combined_in_order(void)
{
	uint8_t a[32], b[32], ab[32], ba[32];

	memset(a, 0x11, 32);
	memset(b, 0x22, 32);
	OK_STATUS(tg_kem_combine(a, b, ab, NULL), TG_OK);
	OK_STATUS(tg_kem_combine(b, a, ba, NULL), TG_OK);
	OK(memcmp(ab, ba, 32) != 0);
}

int
main(void)
{
	x25519_vectors();
	low_order_points_give_nothing();
	both_sides_agree(&tg_kem_x25519);
	both_sides_agree(&tg_kem_mlkem768);
	mlkem_rejects_implicitly();
	mlkem_checks_public_keys();
	the_two_secrets_are_combined_in_order();
	return tap_done();
}
