/* tensorguard/secret.h - memory for keys and decrypted weights. */
#ifndef TENSORGUARD_SECRET_H
#define TENSORGUARD_SECRET_H

#include <stddef.h>
#include <stdint.h>
#include <tensorguard/error.h>

TG_BEGIN_DECLS

/*
 * A block between two guard pages, locked into RAM, left out of core dumps, zero in forked
 * children, wiped when released. Where RLIMIT_MEMLOCK does not allow the lock, the block is the
 * same without it (so it may reach swap), and tg_secret_unlocked() counts it; after
 * tg_secret_require_locked() such a block is refused with TG_E_LIMIT instead.
 * One owner at a time; the contents may be shared between threads as any memory.
 */
struct tg_secret;

/* n >= 1 zero bytes. *ret is new: release with tg_secret_free(). */
TG_API TG_MUST_CHECK tg_status tg_secret_new(size_t n, struct tg_secret **ret,
    struct tg_error *err);
/* Wipes, unlocks, unmaps. Accepts NULL. */
TG_API void tg_secret_free(struct tg_secret *s);
static inline void
tg_secret_freep(struct tg_secret **s)
{
	tg_secret_free(*s);
}

/* Borrowed: valid until tg_secret_free(). The last byte touches the upper guard page. */
TG_API uint8_t *tg_secret_bytes(const struct tg_secret *s);
TG_API size_t tg_secret_len(const struct tg_secret *s);
TG_API int tg_secret_is_locked(const struct tg_secret *s);

/* Process-wide, once, before the first secret: refuse memory that cannot be locked. */
TG_API void tg_secret_require_locked(void);
/* Bytes of secrets that this process has held without a lock so far. */
TG_API size_t tg_secret_unlocked(void);

TG_END_DECLS
#endif
