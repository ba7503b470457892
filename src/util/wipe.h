/* util/wipe.h - memory that must not be left behind, and comparison that must not tell. */
#ifndef TG_UTIL_WIPE_H
#define TG_UTIL_WIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero n bytes in a way the compiler may not remove. */
void tg_wipe(void *p, size_t n);
/* Time depends on n alone, never on the contents. */
bool tg_equal_ct(const uint8_t *a, const uint8_t *b, size_t n);

/* A 32-byte secret on the stack: `TG_AUTO(tg_key32_done) struct tg_key32 kek = { 0 };` */
struct tg_key32 {
	uint8_t b[32];
};
static inline void
tg_key32_done(struct tg_key32 *k)
{
	tg_wipe(k, sizeof(*k));
}

#endif
