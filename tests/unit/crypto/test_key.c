/* Hybrid keys as objects: ids, halves, freshness. */
#include "../../tap.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "util/text.h"

#include <stdlib.h>

static struct tg_key *
fresh(enum tg_key_use use)
{
	struct tg_key *k = NULL;

	if (tg_key_generate(use, 1700000000, &k, NULL) != TG_OK)
		abort();
	return k;
}

static void
fresh_keys_differ(void)
{
	for (int use = 0; use < TG_KEY_USES; use++) {
		struct tg_key *a = fresh((enum tg_key_use)use), *b = fresh((enum tg_key_use)use);

		OK(tg_key_use_of(a) == (enum tg_key_use)use && tg_key_has_private(a));
		OK(tg_key_created(a) == 1700000000);
		OK(memcmp(tg_key_id(a), tg_key_id(b), TG_KEY_ID_LEN) != 0);
		OK(memcmp(a->pk[0], b->pk[0], 32) != 0 && memcmp(a->pk[1], b->pk[1], 1000) != 0);
		OK(memcmp(tg_secret_bytes(a->seeds), tg_secret_bytes(b->seeds), 32) != 0);
		tg_key_free(a);
		tg_key_free(b);
	}
	tg_key_free(NULL);
}

/* id = SHA256(label with its NUL || classic || pqc), of both halves. */
static void
ids_name_both_halves(void)
{
	static const char *const labels[] = { "TGSP-v1 sigkey", "TGSP-v1 recipient",
		"TGSP-v1 checkpoint" };
	static const char *const names[] = { "Ed25519-MLDSA65", "X25519-MLKEM768",
		"Ed25519-MLDSA44" };

	for (int use = 0; use < TG_KEY_USES; use++) {
		struct tg_key *a = fresh((enum tg_key_use)use), *b = fresh((enum tg_key_use)use);
		struct tg_key *public = NULL, *mixed = NULL;
		const tg_bytes parts[] = { { (const uint8_t *)labels[use],
					       strlen(labels[use]) + 1 },
			tg_key_pk(a, TG_CLASSIC), tg_key_pk(a, TG_PQC) };
		uint8_t hash[32];

		OK_STATUS(tg_sha256(parts, 3, hash, NULL), TG_OK);
		OK(memcmp(hash, tg_key_id(a), TG_KEY_ID_LEN) == 0);
		OK(strcmp(tg_key_alg(a), names[use]) == 0);
		OK_STATUS(
		    tg_key_from_public((enum tg_key_use)use, 5, a->pk[0], a->pk[1], &public, NULL),
		    TG_OK);
		OK(memcmp(tg_key_id(public), tg_key_id(a), TG_KEY_ID_LEN) == 0);
		OK(!tg_key_has_private(public) && tg_key_created(public) == 5);
		OK_STATUS(
		    tg_key_from_public((enum tg_key_use)use, 5, a->pk[0], b->pk[1], &mixed, NULL),
		    TG_OK);
		OK(memcmp(tg_key_id(mixed), tg_key_id(a), TG_KEY_ID_LEN) != 0);
		OK(memcmp(tg_key_id(mixed), tg_key_id(b), TG_KEY_ID_LEN) != 0);
		tg_key_free(mixed);
		tg_key_free(public);
		tg_key_free(a);
		tg_key_free(b);
	}
}

static void
seeds_make_the_same_key_again(void)
{
	for (int use = 0; use < TG_KEY_USES; use++) {
		struct tg_key *a = fresh((enum tg_key_use)use), *again = NULL;
		struct tg_secret *copy = NULL, *shorter = NULL;
		const size_t n = tg_secret_len(a->seeds);

		OK(n == (use == TG_KEY_ENCRYPTION ? 96 : 64));
		OK_STATUS(tg_secret_new(n, &copy, NULL), TG_OK);
		memcpy(tg_secret_bytes(copy), tg_secret_bytes(a->seeds), n);
		OK_STATUS(tg_key_from_seeds((enum tg_key_use)use, 1, copy, &again, NULL), TG_OK);
		OK(memcmp(tg_key_id(a), tg_key_id(again), TG_KEY_ID_LEN) == 0);
		tg_key_free(again);
		again = NULL;
		OK_STATUS(
		    tg_secret_new(n - 1, &shorter, NULL), TG_OK); /* taken over all the same */
		OK_STATUS(tg_key_from_seeds((enum tg_key_use)use, 1, shorter, &again, NULL),
		    TG_E_INTERNAL);
		OK(again == NULL);
		tg_key_free(a);
	}
}

static void
bad_public_halves_make_no_key(void)
{
	struct tg_key *sign = fresh(TG_KEY_SIGNING), *enc = fresh(TG_KEY_ENCRYPTION), *k = NULL;
	static const uint8_t identity[32] = { 1 };
	uint8_t pqc[TG_MLKEM768_PK_LEN];

	OK_STATUS(tg_key_from_public(TG_KEY_SIGNING, 0, identity, sign->pk[TG_PQC], &k, NULL),
	    TG_E_FORMAT);
	memset(pqc, 0xff, sizeof(pqc));
	OK_STATUS(tg_key_from_public(TG_KEY_ENCRYPTION, 0, enc->pk[TG_CLASSIC], pqc, &k, NULL),
	    TG_E_FORMAT);
	OK_STATUS(tg_key_from_public(TG_KEY_CHECKPOINT, 0, identity, sign->pk[TG_PQC], &k, NULL),
	    TG_E_FORMAT);
	OK(k == NULL);
	tg_key_free(sign);
	tg_key_free(enc);
}

int
main(void)
{
	fresh_keys_differ();
	ids_name_both_halves();
	seeds_make_the_same_key_again();
	bad_public_halves_make_no_key();
	return tap_done();
}
