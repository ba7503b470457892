/* ML-DSA-44: the ML-DSA row that signs checkpoints. Vectors of Project Wycheproof
 * (mldsa_44_sign_seed_test: 1, 3, 6, 12), as SHA-256 of what is to come out. */
#include "../../tap.h"
#include "crypto/hash.h"
#include "crypto/sig.h"
#include "util/text.h"
#include "util/try.h"

#define PK_HASH "d87f8ca136ac1aa55e2d6c4521680efb3a378cbb9bc0bfb446e9c60893931ea3"

static const tg_bytes none = { NULL, 0 };

static bool
hash_is(const uint8_t *p, size_t n, const char *want)
{
	const tg_bytes part = { p, n };
	uint8_t hash[32];
	char text[65];

	if (tg_sha256(&part, 1, hash, NULL) != TG_OK)
		return false;
	tg_hex_encode(text, (tg_bytes){ hash, 32 });
	return strcmp(text, want) == 0;
}

static struct tg_pkey *
private_of(uint8_t fill)
{
	struct tg_pkey *k = NULL;
	uint8_t seed[32];

	memset(seed, fill, sizeof(seed));
	OK_STATUS(tg_sig_mldsa44.key.load_private(seed, &k, NULL), TG_OK);
	return k;
}

static struct tg_pkey *
public_of(const struct tg_pkey *private)
{
	uint8_t pk[TG_MLDSA44_PK_LEN];
	struct tg_pkey *k = NULL;

	OK_STATUS(tg_sig_mldsa44.key.public_of(private, pk, NULL), TG_OK);
	OK_STATUS(tg_sig_mldsa44.key.load_public(pk, &k, NULL), TG_OK);
	return k;
}

static void
sizes(void)
{
	OK(tg_sig_mldsa44.key.pk_len == 1312 && tg_sig_mldsa44.key.seed_len == 32);
	OK(tg_sig_mldsa44.sig_len == 2420);
	OK(tg_sig_mldsa65.key.pk_len == 1952 && tg_sig_mldsa65.sig_len == 3309);
	OK(strcmp(tg_sig_mldsa44.key.name, "ML-DSA-44") == 0);
}

static void
published_vectors(void)
{
	static const struct {
		const char *msg, *context, *sig;
	} vectors[] = {
		{ "48656c6c6f20776f726c64", "",
		    "8cd6fc03daa72e87210a4e721523e84c14f27733789075e65736744d4787fdd5" },
		{ "48656c6c6f20776f726c64", "436f6e74657874",
		    "17749906eeb78bc6c57e549c237b4d2a27a011edac02bd1ad7e6534795e8ceff" },
		{ "0500000000000000000000000000000000000000000000000000000000000000", "",
		    "abbc313b9c81e6a372a5a3502fc329ef278a2b34df1308194e005048581957d7" },
		{ "0b00000000000000000000000000000000000000000000000000000000000000", "",
		    "b30bf185abd9e60efb994f9c3e615e18e56bb6cdcccc8bc710cead7f23021a3c" },
	};
	struct tg_pkey *private = private_of(0x2a), *public = public_of(private);
	uint8_t pk[TG_MLDSA44_PK_LEN], sig[TG_MLDSA44_SIG_LEN], msg[32], context[7];

	OK_STATUS(tg_sig_mldsa44.key.public_of(private, pk, NULL), TG_OK);
	OK(hash_is(pk, sizeof(pk), PK_HASH));
	for (size_t i = 0; i < TG_LEN(vectors); i++) {
		const size_t n = strlen(vectors[i].msg) / 2,
			     n_context = strlen(vectors[i].context) / 2;
		const tg_bytes m = { msg, n }, c = { context, n_context };

		OK(tg_hex_decode(msg, n, tg_bytes_str(vectors[i].msg)) &&
		    tg_hex_decode(context, n_context, tg_bytes_str(vectors[i].context)));
		OK_STATUS(tg_sig_mldsa44.sign(private, m, c, true, sig, NULL), TG_OK);
		OK(hash_is(sig, sizeof(sig), vectors[i].sig));
		OK_STATUS(tg_sig_mldsa44.verify(public, m, c, sig, NULL), TG_OK);
	}
	tg_pkey_free(private);
	tg_pkey_free(public);
}

static void
what_is_signed_verifies_and_nothing_else(void)
{
	static const uint8_t text[] = "a checkpoint";
	const tg_bytes m = { text, sizeof(text) }, shorter = { text, sizeof(text) - 1 };
	struct tg_pkey *private = private_of(1), *public = public_of(private);
	struct tg_pkey *other_private = private_of(2), *other = public_of(other_private);
	uint8_t sig[TG_MLDSA44_SIG_LEN], again[TG_MLDSA44_SIG_LEN];
	unsigned long wrong = 0, n = 0;

	OK_STATUS(tg_sig_mldsa44.sign(private, m, none, false, sig, NULL), TG_OK);
	OK_STATUS(tg_sig_mldsa44.sign(private, m, none, false, again, NULL), TG_OK);
	OK(memcmp(sig, again, sizeof(sig)) != 0); /* hedged: no two are the same */
	OK_STATUS(tg_sig_mldsa44.verify(public, m, none, sig, NULL), TG_OK);
	OK_STATUS(tg_sig_mldsa44.verify(public, m, none, again, NULL), TG_OK);
	OK_STATUS(tg_sig_mldsa44.verify(other, m, none, sig, NULL), TG_E_AUTH);
	OK_STATUS(tg_sig_mldsa44.verify(public, shorter, none, sig, NULL), TG_E_AUTH);
	OK_STATUS(tg_sig_mldsa44.verify(public, m, shorter, sig, NULL), TG_E_AUTH);
	for (size_t i = 0; i < sizeof(sig); i += 7, n++) {
		sig[i] ^= (uint8_t)(1u << i % 8);
		wrong += tg_sig_mldsa44.verify(public, m, none, sig, NULL) != TG_E_AUTH;
		sig[i] ^= (uint8_t)(1u << i % 8);
	}
	OK_NONE(wrong, n, "flipped bits of a signature");
	OK_STATUS(tg_sig_mldsa44.verify(public, m, none, sig, NULL), TG_OK);
	tg_pkey_free(private), tg_pkey_free(public);
	tg_pkey_free(other_private), tg_pkey_free(other);
}

int
main(void)
{
	sizes();
	published_vectors();
	what_is_signed_verifies_and_nothing_else();
	return tap_done();
}
