/* tgsp/draw.h - the secret values of one build: drawn at random, or derived to be repeatable. */
#ifndef TG_TGSP_DRAW_H
#define TG_TGSP_DRAW_H

#include "tgsp/recipients.h"
#include "tgsp/scan.h"

struct tgsp_draw {
	const struct tg_secret *repro; /* NULL: random */
	uint8_t x[32];                 /* what the derivation is bound to */
};

/* Bind a reproducible draw to the contents (docs/PROTOCOL.tgsp.md section 5). `ids`: n_ids sorted
 * recipient ids of TG_KEY_ID_LEN bytes. */
TG_MUST_CHECK tg_status tgsp_draw_init(struct tgsp_draw *d, const struct tg_secret *repro,
    tg_bytes manifest, uint64_t plain_len, unsigned chunk_log2, const struct tgsp_scan *files,
    const uint8_t *ids, size_t n_ids, struct tg_error *err);

TG_MUST_CHECK tg_status tgsp_draw_dek(const struct tgsp_draw *d, struct tg_key32 *ret,
    struct tg_error *err);
TG_MUST_CHECK tg_status tgsp_draw_salt(const struct tgsp_draw *d, uint8_t ret[static 32],
    struct tg_error *err);
TG_MUST_CHECK tg_status tgsp_draw_coins(const struct tgsp_draw *d,
    const uint8_t id[static TG_KEY_ID_LEN], struct tgsp_coins *ret, struct tg_error *err);

#endif
