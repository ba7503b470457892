/* tensorguard/trust.h - whose signatures count. A key inside a package is never trusted. */
#ifndef TENSORGUARD_TRUST_H
#define TENSORGUARD_TRUST_H

#include <tensorguard/key.h>

TG_BEGIN_DECLS

enum tg_trust_role {
	TG_TRUST_AUTHOR,   /* may sign contents and recipients */
	TG_TRUST_DELEGATE, /* may sign recipients, where a manifest lists it */
};

struct tg_trust;

/* *ret is new and empty: release with tg_trust_free(). */
TG_API TG_MUST_CHECK tg_status tg_trust_new(struct tg_trust **ret, struct tg_error *err);
/* Takes `k` over (public part of a signing key), on failure too. */
TG_API TG_MUST_CHECK tg_status tg_trust_add(struct tg_trust *t, enum tg_trust_role role,
    struct tg_key *k, struct tg_error *err);
/* A `.pub` file; or every `*.pub` signing key of a folder, and a folder without one is
 * TG_E_NOTFOUND; or a store, whose entries keep the roles they have there. */
TG_API TG_MUST_CHECK tg_status tg_trust_add_path(struct tg_trust *t, enum tg_trust_role role,
    const char *path, struct tg_error *err);

/* ---- a store: entries with label and validity, kept in a file (docs/KEYS.md) ---- */

struct tg_trust_entry {
	enum tg_trust_role role;
	const struct tg_key *key; /* borrowed from the store */
	const char *label;        /* borrowed; NULL without one; 1 ... 255 bytes, no control characters */
	int64_t not_before;       /* Unix seconds, inclusive; INT64_MIN: no bound */
	int64_t not_after;        /* INT64_MAX: no bound */
};

/* Judge the validity of entries at this time, Unix seconds. Before the first call entries that
 * have a bound count as not valid. */
TG_API void tg_trust_set_time(struct tg_trust *t, int64_t now);
TG_API size_t tg_trust_count(const struct tg_trust *t);
TG_API struct tg_trust_entry tg_trust_at(const struct tg_trust *t, size_t i);
/* As tg_trust_add(), with the rest of an entry; e->key is not looked at. The same key in the same
 * role a second time is TG_E_CONFLICT. */
TG_API TG_MUST_CHECK tg_status tg_trust_add_entry(struct tg_trust *t,
    const struct tg_trust_entry *e, struct tg_key *k, struct tg_error *err);
/* Every entry of the key, whatever its role; TG_E_NOTFOUND when there is none. */
TG_API TG_MUST_CHECK tg_status tg_trust_remove(struct tg_trust *t, const uint8_t *key_id,
    struct tg_error *err);
/* Add the entries of a store's file; the whole store, replaced atomically (0644). */
TG_API TG_MUST_CHECK tg_status tg_trust_load(struct tg_trust *t, const char *path,
    struct tg_error *err);
TG_API TG_MUST_CHECK tg_status tg_trust_save(const struct tg_trust *t, const char *path,
    struct tg_error *err);

TG_API void tg_trust_free(struct tg_trust *t); /* accepts NULL */
static inline void
tg_trust_freep(struct tg_trust **t)
{
	tg_trust_free(*t);
}

TG_END_DECLS
#endif
