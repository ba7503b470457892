/* evidence/writer.h - the end of a log on disk: batches go into its segment, then into the tree's
 * files and the tail. One thread at a time. */
#ifndef TG_EVIDENCE_WRITER_H
#define TG_EVIDENCE_WRITER_H

#include "evidence/batch.h"
#include "evidence/recover.h"

struct tg_writer {
	const struct tg_log_files *files;
	uint64_t segment_bytes;
	struct tg_recovered end; /* where the next record goes; its tree */
	void *segment, *tail_file;
	struct tg_tail tail;
	/* leaves on their way into the tree's files, which need not be up to date: they are made again from
	 * the segments. Room in front as tg_treefile_append() wants it. */
	uint8_t *leaves;
	size_t waiting;
};

/* Go on behind w->end, which the caller has filled, its tree being open; what an unfinished write has
 * left there is cut off. */
TG_MUST_CHECK tg_status tg_writer_start(struct tg_writer *w, struct tg_error *err);
/* A sealed batch: durable when this returns TG_OK, otherwise cut off again, and nothing more can be
 * written. `after`: the place behind it. */
TG_MUST_CHECK tg_status tg_writer_put(struct tg_writer *w, const struct tg_batch *b,
    const struct tg_place *after, struct tg_error *err);
/* Bring the tree up to the last record. */
TG_MUST_CHECK tg_status tg_writer_tree(struct tg_writer *w, struct tg_error *err);
/* What is written so far need not be read again when the log is opened. */
TG_MUST_CHECK tg_status tg_writer_mark(struct tg_writer *w, struct tg_error *err);
/* Without the tree, which stays the caller's. */
void tg_writer_close(struct tg_writer *w);

#endif
