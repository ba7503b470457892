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
/* A `.pub` file, or every `*.pub` signing key of a folder; a folder without one is
 * TG_E_NOTFOUND. */
TG_API TG_MUST_CHECK tg_status tg_trust_add_path(struct tg_trust *t, enum tg_trust_role role,
    const char *path, struct tg_error *err);
TG_API void tg_trust_free(struct tg_trust *t); /* accepts NULL */
static inline void
tg_trust_freep(struct tg_trust **t)
{
	tg_trust_free(*t);
}

TG_END_DECLS
#endif
