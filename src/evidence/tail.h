/* evidence/tail.h - DIR/tail: where the log ended, so that opening it need not read all of it. A hint:
 * what it says is checked against the segments, and a log without it is only slower to open. */
#ifndef TG_EVIDENCE_TAIL_H
#define TG_EVIDENCE_TAIL_H

#include "evidence/segments.h"

struct tg_tail {
	/* Everything before the mark is durable, the tree's files included. */
	struct tg_place mark;
	uint8_t root[32]; /* of the tree there */
	struct tg_spot mark_spot;
	/* Records up to here were durable; the tree's files may not have been. */
	struct tg_spot end;
};

/* TG_E_NOTFOUND when there is none that can be believed. */
TG_MUST_CHECK tg_status tg_tail_read(const struct tg_log_files *files, struct tg_tail *ret,
    struct tg_error *err);
/* Overwrites; not synced, since every state of the file is either true or not believed. */
TG_MUST_CHECK tg_status tg_tail_write(const struct tg_log_files *files, void *file,
    const struct tg_tail *t, struct tg_error *err);

#endif
