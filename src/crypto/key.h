/* crypto/key.h - the inside of <tensorguard/key.h>, for the modules that use keys. */
#ifndef TG_CRYPTO_KEY_H
#define TG_CRYPTO_KEY_H

#include <tensorguard/key.h>

#include "crypto/kem.h"
#include "crypto/sig.h"

enum { TG_CLASSIC, TG_PQC, TG_HALVES }; /* index of a half */
#define TG_KEY_USES (TG_KEY_CHECKPOINT + 1)

/* What a hybrid key of one use is made of. */
struct tg_key_suite {
	enum tg_key_use use;
	const char *use_name; /* "signing" */
	const char *alg;      /* "Ed25519-MLDSA65" */
	const char *id_label; /* its terminating NUL is hashed too */
	const struct tg_pkey_alg *half[TG_HALVES];
};
const struct tg_key_suite *tg_key_suite(enum tg_key_use use);

#define TG_KEY_PK_MAX   TG_MLDSA65_PK_LEN
#define TG_KEY_SEED_MAX TG_MLKEM768_SEED_LEN

struct tg_key {
	const struct tg_key_suite *suite;
	int64_t created;
	uint8_t id[TG_KEY_ID_LEN];
	uint8_t pk[TG_HALVES][TG_KEY_PK_MAX];
	struct tg_secret *seeds; /* classic || pqc; NULL in a public key */
	struct tg_pkey *public[TG_HALVES], *private[TG_HALVES];
};

/* A public key from its raw halves, checked. *ret is new. */
TG_MUST_CHECK tg_status tg_key_from_public(enum tg_key_use use, int64_t created,
    const uint8_t *classic, const uint8_t *pqc, struct tg_key **ret, struct tg_error *err);
/* A private key from its seeds (classic || pqc), which are taken over, on failure too. */
TG_MUST_CHECK tg_status tg_key_from_seeds(enum tg_key_use use, int64_t created,
    struct tg_secret *seeds, struct tg_key **ret, struct tg_error *err);
/* The object that a .pub file holds. *ret is new. */
struct tg_json;
TG_MUST_CHECK tg_status tg_key_public_json(const struct tg_key *k, struct tg_json **ret,
    struct tg_error *err);
/* A key file's text; `path` names it in messages. *ret is new. */
TG_MUST_CHECK tg_status tg_key_parse(tg_bytes text, const char *path,
    const struct tg_passphrase *passphrase, struct tg_key **ret, struct tg_error *err);
/* Bytes of both seeds together. */
size_t tg_key_seeds_len(const struct tg_key_suite *suite);

static inline tg_bytes
tg_key_pk(const struct tg_key *k, int half)
{
	return (tg_bytes){ k->pk[half], k->suite->half[half]->pk_len };
}

#endif
