/* tensorguard/key.h - hybrid keys: Ed25519 + ML-DSA-65 to sign packages, X25519 + ML-KEM-768 to
 * receive them, Ed25519 + ML-DSA-44 to sign the checkpoints of an evidence log.
 * File form: docs/KEYS.md. Both halves are one key: neither is ever used alone. */
#ifndef TENSORGUARD_KEY_H
#define TENSORGUARD_KEY_H

#include <stdint.h>
#include <tensorguard/error.h>
#include <tensorguard/io.h>
#include <tensorguard/secret.h>

TG_BEGIN_DECLS

#define TG_KEY_ID_LEN 16 /* bytes; in text 32 lower-case hex digits */

enum tg_key_use {
	TG_KEY_SIGNING,    /* Ed25519-MLDSA65 */
	TG_KEY_ENCRYPTION, /* X25519-MLKEM768 */
	TG_KEY_CHECKPOINT, /* Ed25519-MLDSA44: of an evidence log, or of a witness */
};

/* A public key, with the private half or without. Immutable, so it may be shared by threads. */
struct tg_key;

/* Fresh seeds from the system's randomness. `created`: Unix seconds. *ret is new: tg_key_free(). */
TG_API TG_MUST_CHECK tg_status tg_key_generate(enum tg_key_use use, int64_t created,
    struct tg_key **ret, struct tg_error *err);

/*
 * Asked for the passphrase of a protected key file; *ret is new and is released by the library.
 * It may fail with any status, which is handed on.
 */
struct tg_passphrase {
	tg_status (*ask)(void *ctx, struct tg_secret **ret, struct tg_error *err);
	void *ctx;
};

/*
 * Read a key file. A `.pub` has no private half; a protected `.priv` asks `passphrase`, and fails
 * with TG_E_AUTH when that is NULL or wrong. Public halves are checked: non-canonical and
 * small-order Ed25519 points and invalid ML-KEM keys are TG_E_FORMAT. *ret is new.
 */
TG_API TG_MUST_CHECK tg_status tg_key_load(const char *path, const struct tg_passphrase *passphrase,
    struct tg_key **ret, struct tg_error *err);
/* Write the public part (0644), or all of it (0600). An existing file is TG_E_CONFLICT.
 * passphrase NULL leaves the private half unprotected in the file. */
TG_API TG_MUST_CHECK tg_status tg_key_save_public(const struct tg_key *k, const char *path,
    struct tg_error *err);
TG_API TG_MUST_CHECK tg_status tg_key_save_private(const struct tg_key *k, const char *path,
    const struct tg_secret *passphrase, struct tg_error *err);

TG_API void tg_key_free(struct tg_key *k); /* wipes; accepts NULL */
static inline void
tg_key_freep(struct tg_key **k)
{
	tg_key_free(*k);
}

TG_API enum tg_key_use tg_key_use_of(const struct tg_key *k);
/* TG_KEY_ID_LEN bytes, borrowed: key_id of a signing or checkpoint key, recipient_id of an
 * encryption key. */
TG_API const uint8_t *tg_key_id(const struct tg_key *k);
TG_API int tg_key_has_private(const struct tg_key *k);
TG_API int64_t tg_key_created(const struct tg_key *k);
/* "Ed25519-MLDSA65", "X25519-MLKEM768" or "Ed25519-MLDSA44"; static storage. */
TG_API const char *tg_key_alg(const struct tg_key *k);

TG_END_DECLS
#endif
