#include "crypto/key.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/rng.h"
#include "util/try.h"

static const struct tg_key_suite suites[TG_KEY_USES] = {
	[TG_KEY_SIGNING] = {
		.use = TG_KEY_SIGNING,
		.use_name = "signing",
		.alg = "Ed25519-MLDSA65",
		.id_label = "TGSP-v1 sigkey",
		.half = { &tg_sig_ed25519.key, &tg_sig_mldsa65.key },
	},
	[TG_KEY_ENCRYPTION] = {
		.use = TG_KEY_ENCRYPTION,
		.use_name = "encryption",
		.alg = "X25519-MLKEM768",
		.id_label = "TGSP-v1 recipient",
		.half = { &tg_kem_x25519.key, &tg_kem_mlkem768.key },
	},
	[TG_KEY_CHECKPOINT] = {
		.use = TG_KEY_CHECKPOINT,
		.use_name = "checkpoint",
		.alg = "Ed25519-MLDSA44",
		.id_label = "TGSP-v1 checkpoint",
		.half = { &tg_sig_ed25519.key, &tg_sig_mldsa44.key },
	},
};

const struct tg_key_suite *
tg_key_suite(enum tg_key_use use)
{
	return &suites[use];
}

size_t
tg_key_seeds_len(const struct tg_key_suite *suite)
{
	return suite->half[TG_CLASSIC]->seed_len + suite->half[TG_PQC]->seed_len;
}

static tg_status
key_new(enum tg_key_use use, int64_t created, struct tg_key **ret, struct tg_error *err)
{
	struct tg_key *k = calloc(1, sizeof(*k));

	TG_REQUIRE(k != NULL, err, TG_E_NOMEM, "key: out of memory");
	k->suite = tg_key_suite(use);
	k->created = created;
	*ret = k;
	return TG_OK;
}

/* id = SHA256(label || 00 || classic || pqc)[0:16] */
static tg_status
key_identify(struct tg_key *k, struct tg_error *err)
{
	const tg_bytes parts[] = {
		{ (const uint8_t *)k->suite->id_label, strlen(k->suite->id_label) + 1 },
		tg_key_pk(k, TG_CLASSIC),
		tg_key_pk(k, TG_PQC),
	};
	uint8_t hash[32];

	TG_TRY(tg_sha256(parts, TG_LEN(parts), hash, err));
	memcpy(k->id, hash, sizeof(k->id));
	return TG_OK;
}

tg_status
tg_key_from_public(enum tg_key_use use, int64_t created, const uint8_t *classic, const uint8_t *pqc,
    struct tg_key **ret, struct tg_error *err)
{
	TG_AUTO(tg_key_freep) struct tg_key *k = NULL;
	const uint8_t *const pk[TG_HALVES] = { classic, pqc };

	TG_TRY(key_new(use, created, &k, err));
	for (int i = 0; i < TG_HALVES; i++) {
		memcpy(k->pk[i], pk[i], k->suite->half[i]->pk_len);
		TG_TRY(k->suite->half[i]->load_public(k->pk[i], &k->public[i], err));
	}
	TG_TRY(key_identify(k, err));
	*ret = k;
	k = NULL;
	return TG_OK;
}

tg_status
tg_key_from_seeds(enum tg_key_use use, int64_t created, struct tg_secret *seeds,
    struct tg_key **ret, struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *own = seeds;
	TG_AUTO(tg_key_freep) struct tg_key *k = NULL;
	const uint8_t *seed = tg_secret_bytes(seeds);

	TG_TRY(key_new(use, created, &k, err));
	TG_REQUIRE(tg_secret_len(seeds) == tg_key_seeds_len(k->suite), err, TG_E_INTERNAL,
	    "key: %zu bytes of seeds", tg_secret_len(seeds));
	for (int i = 0; i < TG_HALVES; i++) {
		const struct tg_pkey_alg *alg = k->suite->half[i];

		TG_TRY(alg->load_private(seed, &k->private[i], err));
		TG_TRY(alg->public_of(k->private[i], k->pk[i], err));
		TG_TRY(alg->load_public(k->pk[i], &k->public[i], err));
		seed += alg->seed_len;
	}
	TG_TRY(key_identify(k, err));
	k->seeds = own;
	own = NULL;
	*ret = k;
	k = NULL;
	return TG_OK;
}

tg_status
tg_key_generate(enum tg_key_use use, int64_t created, struct tg_key **ret, struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *seeds = NULL;
	struct tg_secret *given;
	const size_t n = tg_key_seeds_len(tg_key_suite(use));

	TG_TRY(tg_secret_new(n, &seeds, err));
	TG_TRY(tg_random(tg_secret_bytes(seeds), n, err));
	given = seeds;
	seeds = NULL;
	return tg_key_from_seeds(use, created, given, ret, err);
}

void
tg_key_free(struct tg_key *k)
{
	if (k == NULL)
		return;
	for (int i = 0; i < TG_HALVES; i++) {
		tg_pkey_free(k->public[i]);
		tg_pkey_free(k->private[i]);
	}
	tg_secret_free(k->seeds);
	free(k);
}

enum tg_key_use
tg_key_use_of(const struct tg_key *k)
{
	return k->suite->use;
}

const uint8_t *
tg_key_id(const struct tg_key *k)
{
	return k->id;
}

int
tg_key_has_private(const struct tg_key *k)
{
	return k->seeds != NULL;
}

int64_t
tg_key_created(const struct tg_key *k)
{
	return k->created;
}

const char *
tg_key_alg(const struct tg_key *k)
{
	return k->suite->alg;
}
