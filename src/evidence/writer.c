#include "evidence/writer.h"

#include <stdlib.h>

#include "util/try.h"

/* Leaves are worth writing together: a commit may be one record, and each level is a file. */
#define TOGETHER 1024
#define LEAVES   (TOGETHER + TG_BATCH_RECORDS)

static tg_status
open_segment(struct tg_writer *w, uint64_t first, struct tg_error *err)
{
	char name[TG_SEGMENT_NAME_MAX];

	tg_segment_name(name, first);
	return w->files->open(w->files->ctx, name, TG_LOG_CREATE, &w->segment, err);
}

tg_status
tg_writer_tree(struct tg_writer *w, struct tg_error *err)
{
	const size_t n = w->waiting;

	w->waiting = 0;
	return tg_treefile_append(&w->end.tree, w->leaves, n, err);
}

tg_status
tg_writer_mark(struct tg_writer *w, struct tg_error *err)
{
	TG_TRY(tg_writer_tree(w, err));
	TG_TRY(tg_treefile_sync(&w->end.tree, err));
	w->tail = (struct tg_tail){
		.mark = w->end.place, .mark_spot = w->end.spot, .end = w->end.spot
	};
	TG_TRY(tg_treefile_root(&w->end.tree, w->tail.root, err));
	return tg_tail_write(w->files, w->tail_file, &w->tail, err);
}

tg_status
tg_writer_start(struct tg_writer *w, struct tg_error *err)
{
	const struct tg_log_files *f = w->files;

	w->leaves = malloc(32 * (LEAVES + 1));
	TG_REQUIRE(w->leaves != NULL, err, TG_E_NOMEM, "log: out of memory");
	TG_TRY(open_segment(w, w->end.spot.segment, err));
	TG_TRY(f->open(f->ctx, "tail", TG_LOG_CREATE, &w->tail_file, err));
	TG_TRY(f->sync(f->ctx, w->segment, err)); /* who wrote the last records may not have come to it */
	return tg_writer_mark(w, err);
}

static tg_status
next_segment(struct tg_writer *w, struct tg_error *err)
{
	w->files->close(w->files->ctx, w->segment);
	w->segment = NULL;
	TG_TRY(open_segment(w, w->end.place.records, err));
	w->end.spot = (struct tg_spot){ w->end.place.records, 0 };
	return tg_writer_mark(w, err);
}

/* Durable, or not there: what a failed write has left is cut off again. An unfinished write from before
 * is cut off together with writing the record that says so, never without it. */
static tg_status
write_records(struct tg_writer *w, const struct tg_batch *b, struct tg_error *err)
{
	const struct tg_log_files *f = w->files;
	const bool cut = w->end.cut_bytes > 0;
	tg_status s = f->write_at(f->ctx, w->segment, b->bytes, b->n, w->end.spot.at, err);

	if (s == TG_OK && cut)
		s = f->truncate(f->ctx, w->segment, w->end.spot.at + b->n, err);
	if (s == TG_OK)
		s = f->sync(f->ctx, w->segment, err);
	if (s == TG_OK)
		w->end.cut_bytes = 0;
	else if (!cut)
		(void)f->truncate(f->ctx, w->segment, w->end.spot.at, NULL);
	return s;
}

tg_status
tg_writer_put(struct tg_writer *w, const struct tg_batch *b, const struct tg_place *after,
    struct tg_error *err)
{
	if (w->end.spot.at >= w->segment_bytes && w->end.cut_bytes == 0)
		TG_TRY(next_segment(w, err));
	TG_TRY(write_records(w, b, err));
	w->end.place = *after;
	w->end.spot.at += b->n;
	memcpy(w->leaves + 32 * (1 + w->waiting), b->leaves + 32, 32 * b->count);
	w->waiting += b->count;
	if (w->waiting >= TOGETHER)
		TG_TRY(tg_writer_tree(w, err));
	w->tail.end = w->end.spot;
	return tg_tail_write(w->files, w->tail_file, &w->tail, err);
}

void
tg_writer_close(struct tg_writer *w)
{
	if (w->segment != NULL)
		w->files->close(w->files->ctx, w->segment);
	if (w->tail_file != NULL)
		w->files->close(w->files->ctx, w->tail_file);
	w->segment = w->tail_file = NULL;
	free(w->leaves);
	w->leaves = NULL;
}
