/* tensorguard/rekey.h - other recipients for a package, its contents untouched
 * (docs/PROTOCOL.tgsp.md section 5). */
#ifndef TENSORGUARD_REKEY_H
#define TENSORGUARD_REKEY_H

#include <tensorguard/package.h>

TG_BEGIN_DECLS

/* Everything is borrowed during tg_rekey(). */
struct tg_rekey_spec {
	const struct tg_key *key;        /* private encryption key of a present recipient */
	const struct tg_policy *policy;  /* enforced, as for opening */
	const struct tg_key *signer;     /* private signing key: the author's, or a delegate's that
	                                    the manifest lists */
	const struct tg_key *const *add; /* public encryption keys; one that is there stays as it is */
	size_t n_add;
	const uint8_t (*remove)[TG_KEY_ID_LEN]; /* recipient ids; TG_E_NOTFOUND for an unknown one */
	size_t n_remove;
};

/*
 * What a re-keyed package is made of: `head`, then ct_len bytes of the old package from offset
 * ct_from, then `tail`. ct_from and ct_to (== head.n) are multiples of 4096, so that a file system
 * can share the blocks.
 */
struct tg_rekeyed {
	tg_bytes head, tail; /* owned; release with tg_rekeyed_free() */
	uint64_t ct_from, ct_to, ct_len;
	size_t recipients, added, removed;
};

/*
 * Verify the package and unwrap its key first (steps 1 to 8), sign then. Re-keying adds access; it
 * does not revoke: who was a recipient has the key, and every earlier recipients block stays valid
 * for the same package_hash.
 */
TG_API TG_MUST_CHECK tg_status tg_rekey(const struct tg_source *src, const struct tg_trust *trust,
    const struct tg_rekey_spec *spec, struct tg_rekeyed *ret, struct tg_error *err);
TG_API void tg_rekeyed_free(struct tg_rekeyed *r);

TG_END_DECLS
#endif
