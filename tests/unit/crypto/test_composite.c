/* Both halves of a composite signature are needed, over the same M', under the same label. */
#include "../../tap.h"
#include "crypto/sig.h"
#include "util/text.h"
#include "util/try.h"

#include <stdlib.h>

struct pair {
	struct tg_pkey *private[2], *public[2];
};

static void
pair_make(struct pair *p, uint8_t seed)
{
	uint8_t s[32], pk[TG_MLDSA65_PK_LEN];
	const struct tg_pkey_alg *const algs[] = { &tg_sig_ed25519.key, &tg_sig_mldsa65.key };

	for (int i = 0; i < 2; i++) {
		memset(s, seed + i, sizeof(s));
		if (algs[i]->load_private(s, &p->private[i], NULL) != TG_OK ||
		    algs[i]->public_of(p->private[i], pk, NULL) != TG_OK ||
		    algs[i]->load_public(pk, &p->public[i], NULL) != TG_OK)
			abort();
	}
}

static void
pair_done(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		tg_pkey_free(p->private[i]);
		tg_pkey_free(p->public[i]);
	}
}

static struct tg_composite_sig
sign(const struct pair *p, const char *text)
{
	const tg_bytes part = tg_bytes_str(text);
	struct tg_composite_sig sig;

	if (tg_composite_sign(p->private[0], p -> private[1], &part, 1, true, &sig, NULL) != TG_OK)
		abort();
	return sig;
}

static tg_status
verify(const struct pair *p, const char *text, const struct tg_composite_sig *sig)
{
	const tg_bytes part = tg_bytes_str(text);

	return tg_composite_verify(p->public[0], p -> public[1], &part, 1, sig, NULL);
}

static void
both_halves_are_needed(const struct pair *a, const struct pair *b)
{
	const struct tg_composite_sig good = sign(a, "text"), theirs = sign(b, "text");
	const struct tg_composite_sig other = sign(a, "other");
	struct tg_composite_sig sig = good;

	OK_STATUS(verify(a, "text", &good), TG_OK);
	OK_STATUS(verify(a, "texT", &good), TG_E_AUTH);
	OK_STATUS(verify(b, "text", &good), TG_E_AUTH);
	memcpy(sig.classic, other.classic, sizeof(sig.classic));
	OK_STATUS(verify(a, "text", &sig), TG_E_AUTH);
	sig = good;
	memcpy(sig.pqc, other.pqc, sizeof(sig.pqc));
	OK_STATUS(verify(a, "text", &sig), TG_E_AUTH);
	sig = good;
	memcpy(sig.classic, theirs.classic, sizeof(sig.classic));
	OK_STATUS(verify(a, "text", &sig), TG_E_AUTH);
	OK_STATUS(verify(b, "text", &sig), TG_E_AUTH);
	sig = good;
	memset(sig.pqc, 0, sizeof(sig.pqc));
	OK_STATUS(verify(a, "text", &sig), TG_E_AUTH);
	memset(&sig, 0, sizeof(sig));
	OK_STATUS(verify(a, "text", &sig), TG_E_AUTH);
	/* a pair of one key's classic and another's PQ half is a third key */
	const struct pair mixed = { { a->private[0], b -> private[1] },
		{ a->public[0], b -> public[1] } };
	OK_STATUS(verify(&mixed, "text", &good), TG_E_AUTH);
	sig = sign(&mixed, "text");
	OK_STATUS(verify(&mixed, "text", &sig), TG_OK);
	OK_STATUS(verify(a, "text", &sig), TG_E_AUTH);
}

static void
every_byte_of_both_halves_counts(const struct pair *a)
{
	struct tg_composite_sig sig = sign(a, "text");
	unsigned long wrong = 0, n = 0;

	for (size_t i = 0; i < sizeof(sig.classic); i++, n++) {
		sig.classic[i] ^= 1;
		wrong += verify(a, "text", &sig) != TG_E_AUTH;
		sig.classic[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof(sig.pqc); i++, n++) {
		sig.pqc[i] ^= 0x80;
		wrong += verify(a, "text", &sig) != TG_E_AUTH;
		sig.pqc[i] ^= 0x80;
	}
	OK_NONE(wrong, n, "altered signatures");
	OK_STATUS(verify(a, "text", &sig), TG_OK);
}

/* The message of the draft, byte by byte, but for its hash. */
static void
message_is_labelled(void)
{
	static const char want[] =
	    "CompositeAlgorithmSignatures2025COMPSIG-MLDSA65-Ed25519-SHA512\7TGSP-v1";
	const tg_bytes abc = tg_bytes_str("abc"),
		       split[] = { tg_bytes_str("ab"), tg_bytes_str("c") };
	uint8_t m[TG_COMPOSITE_MSG_LEN], again[TG_COMPOSITE_MSG_LEN];
	char hash[129];

	OK_STATUS(tg_composite_message(&abc, 1, m, NULL), TG_OK);
	OK(sizeof(m) == sizeof(want) - 1 + 64 && memcmp(m, want, sizeof(want) - 1) == 0);
	tg_hex_encode(hash, (tg_bytes){ m + sizeof(want) - 1, 64 });
	OK(strncmp(hash, "ddaf35a193617abacc417349ae204131", 32) == 0);
	OK_STATUS(tg_composite_message(split, 2, again, NULL), TG_OK);
	OK(memcmp(m, again, sizeof(m)) == 0); /* parts are one message */
}

/* A half is no signature by itself: ML-DSA under another context, Ed25519 over the plain text. */
static void
halves_do_not_stand_alone(const struct pair *a)
{
	const struct tg_composite_sig sig = sign(a, "text");
	const tg_bytes text = tg_bytes_str("text"), none = { (const uint8_t *)"", 0 };
	uint8_t m[TG_COMPOSITE_MSG_LEN];

	OK_STATUS(tg_composite_message(&text, 1, m, NULL), TG_OK);
	const tg_bytes whole = { m, sizeof(m) };
	OK_STATUS(tg_sig_ed25519.verify(a->public[0], text, none, sig.classic, NULL), TG_E_AUTH);
	OK_STATUS(tg_sig_ed25519.verify(a->public[0], whole, none, sig.classic, NULL), TG_OK);
	OK_STATUS(tg_sig_mldsa65.verify(a->public[1], text, none, sig.pqc, NULL), TG_E_AUTH);
	OK_STATUS(tg_sig_mldsa65.verify(a->public[1], whole, none, sig.pqc, NULL), TG_E_AUTH);
	OK_STATUS(tg_sig_mldsa65.verify(a->public[1], whole,
		      tg_bytes_str("COMPSIG-MLDSA65-Ed25519-SHA512"), sig.pqc, NULL),
	    TG_OK);
}

static void
deterministic_or_hedged(const struct pair *a)
{
	const tg_bytes part = tg_bytes_str("text");
	struct tg_composite_sig one = sign(a, "text"), two = sign(a, "text"), hedged[2];

	OK(memcmp(&one, &two, sizeof(one)) == 0);
	for (int i = 0; i < 2; i++)
		OK_STATUS(tg_composite_sign(
			      a->private[0], a -> private[1], &part, 1, false, &hedged[i], NULL),
		    TG_OK);
	OK(memcmp(hedged[0].pqc, hedged[1].pqc, sizeof(one.pqc)) != 0);
	OK_STATUS(verify(a, "text", &hedged[0]), TG_OK);
	OK_STATUS(verify(a, "text", &hedged[1]), TG_OK);
	/* halves of two signatures of the same text by the same key make a third: both verify */
	memcpy(one.pqc, hedged[0].pqc, sizeof(one.pqc));
	OK_STATUS(verify(a, "text", &one), TG_OK);
}

/* A public key cannot sign. */
static void
signing_needs_the_private_half(const struct pair *a)
{
	const tg_bytes part = tg_bytes_str("text");
	struct tg_composite_sig sig;

	memset(&sig, 0x5a, sizeof(sig));
	OK_STATUS(tg_composite_sign(a->public[0], a -> private[1], &part, 1, true, &sig, NULL),
	    TG_E_INTERNAL);
	OK_STATUS(tg_composite_sign(a->private[0], a -> public[1], &part, 1, true, &sig, NULL),
	    TG_E_INTERNAL);
	OK(sig.classic[0] == 0x5a && sig.pqc[0] == 0x5a); /* no half is handed out */
}

int
main(void)
{
	struct pair a, b;

	pair_make(&a, 1);
	pair_make(&b, 11);
	both_halves_are_needed(&a, &b);
	every_byte_of_both_halves_counts(&a);
	message_is_labelled();
	halves_do_not_stand_alone(&a);
	deterministic_or_hedged(&a);
	signing_needs_the_private_half(&a);
	pair_done(&a);
	pair_done(&b);
	return tap_done();
}
