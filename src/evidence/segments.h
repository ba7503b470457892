/* evidence/segments.h - the files that records lie in: their names, their order, reading them in
 * blocks of whole lines. */
#ifndef TG_EVIDENCE_SEGMENTS_H
#define TG_EVIDENCE_SEGMENTS_H

#include <tensorguard/log.h>

#include "evidence/block.h"

#define TG_SEGMENT_NAME_MAX 48
#define TG_BLOCK_BYTES      (1u << 20)

/* "segments/SEQUENCE.jsonl", "checkpoints/SIZE" */
void tg_segment_name(char out[static TG_SEGMENT_NAME_MAX], uint64_t first);
void tg_checkpoint_name(char out[static TG_SEGMENT_NAME_MAX], uint64_t size);

/* Numbers of the files in a folder, ascending: of segments their first records, of checkpoints their
 * sizes. Other names are left out. */
struct tg_numbers {
	uint64_t *at;
	size_t n, cap;
};
TG_MUST_CHECK tg_status tg_segments_list(const struct tg_log_files *files, struct tg_numbers *ret,
    struct tg_error *err);
TG_MUST_CHECK tg_status tg_checkpoints_list(const struct tg_log_files *files,
    struct tg_numbers *ret, struct tg_error *err);
void tg_numbers_done(struct tg_numbers *l);

/* Where in the segments: byte `at` of the segment that begins with record `segment`. */
struct tg_spot {
	uint64_t segment, at;
};

/* Reads on from a spot, block by block, across segments. */
struct tg_segments {
	const struct tg_log_files *files;
	struct tg_numbers list; /* as it was when opened */
	size_t i;               /* of the present one */
	void *file;
	struct tg_spot spot; /* of the next byte to be read */
	uint64_t size;       /* of the present segment when it was opened */
};

/* TG_E_NOTFOUND when there is no segment. Release with tg_segments_close(). */
TG_MUST_CHECK tg_status tg_segments_open(struct tg_segments *s, const struct tg_log_files *files,
    struct tg_spot from, struct tg_error *err);
void tg_segments_close(struct tg_segments *s);
/*
 * Fill b->bytes with whole lines. b->n == 0: the end. Bytes behind the last newline of a segment come
 * as a block of their own, without one: of the last segment they are an unfinished write.
 * *ret_at: the spot of the block's first byte.
 */
TG_MUST_CHECK tg_status tg_segments_next(struct tg_segments *s, struct tg_block *b,
    struct tg_spot *ret_at, struct tg_error *err);
/* Bytes of all segments from here on. */
TG_MUST_CHECK tg_status tg_segments_left(struct tg_segments *s, uint64_t *ret, struct tg_error *err);

/* Where record `sequence` begins, by halving its segment. TG_E_NOTFOUND when it is not there. */
TG_MUST_CHECK tg_status tg_segments_find(const struct tg_log_files *files, uint64_t sequence,
    struct tg_spot *ret, struct tg_error *err);
/* The record itself, without newline; appended to out, checked by itself. */
TG_MUST_CHECK tg_status tg_segments_record(const struct tg_log_files *files, uint64_t sequence,
    struct tg_buf *out, struct tg_error *err);

#endif
