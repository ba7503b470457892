#include <openssl/core_names.h>

#include "crypto/ossl_pkey.h"
#include "crypto/sig.h"
#include "util/try.h"

/* y of the eight points whose order divides 8; each stands for both signs of x. */
static const uint8_t small_order_y[][32] = {
	{ 0 },   /* order 4 */
	{ 1 },   /* the identity */
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0x7f }, /* y = -1: order 2 */
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
	    0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
	    0xfc, 0x05 }, /* order 8 */
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
	    0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
	    0x03, 0x7a }, /* order 8 */
};

/* y >= 2^255 - 19, little-endian */
static bool
non_canonical(const uint8_t y[static 32])
{
	if ((y[31] & 0x7f) != 0x7f || y[0] < 0xed)
		return false;
	for (int i = 1; i < 31; i++)
		if (y[i] != 0xff)
			return false;
	return true;
}

bool
tg_ed25519_refused(const uint8_t pk[static TG_ED25519_PK_LEN])
{
	uint8_t y[32];

	memcpy(y, pk, sizeof(y));
	y[31] &= 0x7f; /* the sign of x */
	for (size_t i = 0; i < TG_LEN(small_order_y); i++)
		if (memcmp(y, small_order_y[i], sizeof(y)) == 0)
			return true;
	return non_canonical(y);
}

static tg_status
load_public(const uint8_t *pk, struct tg_pkey **ret, struct tg_error *err)
{
	TG_REQUIRE(!tg_ed25519_refused(pk), err, TG_E_FORMAT,
	    "Ed25519 public key is non-canonical or of small order");
	return tg_pkey_public("ED25519", pk, TG_ED25519_PK_LEN, ret, err);
}

static tg_status
load_private(const uint8_t *seed, struct tg_pkey **ret, struct tg_error *err)
{
	return tg_pkey_private("ED25519", OSSL_PKEY_PARAM_PRIV_KEY, seed, 32, ret, err);
}

static tg_status
public_of(const struct tg_pkey *k, uint8_t *pk, struct tg_error *err)
{
	return tg_pkey_raw(k, pk, TG_ED25519_PK_LEN, err);
}

static tg_status
sign(const struct tg_pkey *k, tg_bytes msg, tg_bytes context, bool deterministic, uint8_t *sig,
    struct tg_error *err)
{
	(void)context, (void)deterministic; /* always deterministic, and no context (RFC 8032 pure) */
	return tg_pkey_sign(k, NULL, msg, sig, TG_ED25519_SIG_LEN, err);
}

static tg_status
verify(const struct tg_pkey *k, tg_bytes msg, tg_bytes context, const uint8_t *sig,
    struct tg_error *err)
{
	(void)context;
	return tg_pkey_verify(k, NULL, msg, sig, TG_ED25519_SIG_LEN, err);
}

const struct tg_sig_alg tg_sig_ed25519 = {
	.key = { "Ed25519", TG_ED25519_PK_LEN, 32, load_public, load_private, public_of },
	.sig_len = TG_ED25519_SIG_LEN,
	.sign = sign,
	.verify = verify,
};
