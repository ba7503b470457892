/* evidence/tiles.h - a log as the static files of C2SP tlog-tiles: written once, read by anybody. */
#ifndef TG_EVIDENCE_TILES_H
#define TG_EVIDENCE_TILES_H

#include <tensorguard/log.h>

#include "evidence/block.h"

#define TG_TILE_WIDTH    256u
#define TG_TILE_NAME_MAX 96

/* "tile/L/N" or "tile/entries/N" (level < 0), N in groups of three digits; width < 256: ".p/W". */
void tg_tile_name(char out[static TG_TILE_NAME_MAX], int level, uint64_t n, unsigned width);

/*
 * Write everything that the newest checkpoint of `from` covers into the folder of `to`, which is
 * empty; `checkpoint` comes last. Records are checked on the way, tiles made from them alone, and the
 * root compared with the checkpoint's. TG_E_NOTFOUND without a checkpoint.
 */
TG_MUST_CHECK tg_status tg_tiles_export(const struct tg_log_files *from,
    const struct tg_log_files *to, const struct tg_progress *progress, uint64_t *ret_records,
    struct tg_error *err);

/* Records of such a folder, in order. */
struct tg_tiles_reader {
	const struct tg_log_files *files;
	uint64_t size, next; /* records: all, and where `bundle` ends */
	uint8_t *bundle;     /* the present one */
	size_t n, at;
	unsigned left;       /* records of it still to come */
};
/* *ret_records: what the checkpoint says there are. Release with tg_tiles_close(). */
TG_MUST_CHECK tg_status tg_tiles_open(struct tg_tiles_reader *t, const struct tg_log_files *files,
    uint64_t *ret_records, struct tg_error *err);
void tg_tiles_close(struct tg_tiles_reader *t);
/* Fill b->bytes with lines of whole records; b->n == 0: the end. */
TG_MUST_CHECK tg_status tg_tiles_next(struct tg_tiles_reader *t, struct tg_block *b,
    struct tg_error *err);

#endif
