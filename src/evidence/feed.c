#include "evidence/feed.h"

#include <tensorguard/limits.h>

#include "evidence/segments.h"
#include "util/try.h"

struct feed {
	const struct tg_log_files *files;
	const struct tg_log_index *index;
	const struct tg_progress *progress;
	struct tg_place place;
	struct tg_spot from;
	uint64_t done, total;
};

static tg_bytes
member_of(tg_bytes object, const char *key)
{
	struct tg_json_member m[16];
	size_t n = 0;

	if (object.p == NULL || tg_json_members(object, "record", m, TG_LEN(m), &n, NULL) != TG_OK)
		return (tg_bytes){ NULL, 0 };
	for (size_t i = 0; i < n; i++)
		if (tg_bytes_equal(m[i].key, tg_bytes_str(key)))
			return m[i].value;
	return (tg_bytes){ NULL, 0 };
}

static tg_status
put_record(const struct feed *f, const struct tg_record *r, struct tg_error *err)
{
	struct tg_event e = { .has = 0 };

	TG_TRY(tg_record_event(r, "record", &e, err));
	const struct tg_log_fact fact = {
		.sequence = r->sequence,
		.timestamp = tg_event_int(e.value[TG_M_TIMESTAMP]),
		.event_type = e.value[TG_M_EVENT_TYPE],
		.event_id = e.value[TG_M_EVENT_ID],
		.tenant_id = e.value[TG_M_TENANT_ID],
		.actor_id = member_of(e.value[TG_M_ACTOR], "id"),
		.fleet_id = e.value[TG_M_FLEET_ID],
		.agent_id = e.value[TG_M_AGENT_ID],
		.result = member_of(e.value[TG_M_RESULT], "status"),
		.subject = e.value[TG_M_SUBJECT],
	};
	return f->index->put(f->index->ctx, &fact, err);
}

/* One block, one transaction. */
static tg_status
put_block(struct feed *f, struct tg_block *b, struct tg_error *err)
{
	char chain[TG_HEX_HASH + 1] = "";

	TG_TRY(tg_block_check(b, err));
	TG_TRY(tg_block_follows(b, &f->place, err));
	if (b->good > 0) {
		TG_TRY(f->index->begin(f->index->ctx, err));
		for (size_t i = 0; i < b->good; i++)
			TG_TRY(put_record(f, &b->record[i], err));
		memcpy(chain, f->place.chain, TG_HEX_HASH);
		TG_TRY(f->index->commit(f->index->ctx, f->place.records, chain, err));
	}
	f->done += b->n;
	if (f->progress != NULL)
		f->progress->step(f->progress->ctx, f->done, f->total);
	if (b->status != TG_OK && memchr(b->bytes + b->good_bytes, '\n', b->n - b->good_bytes) != NULL)
		return tg_fail(err, b->status, "%s", b->why.text);
	return TG_OK;
}

static tg_status
put_all(struct feed *f, struct tg_error *err)
{
	struct tg_segments s;
	struct tg_block b;
	struct tg_spot at;

	TG_TRY(tg_segments_open(&s, f->files, f->from, err));
	tg_status st = tg_block_init(&b, TG_BLOCK_BYTES, err);
	if (st == TG_OK)
		st = tg_segments_left(&s, &f->total, err);
	while (st == TG_OK) {
		st = tg_segments_next(&s, &b, &at, err);
		if (st != TG_OK || b.n == 0)
			break;
		st = put_block(f, &b, err);
	}
	tg_block_done(&b);
	tg_segments_close(&s);
	return st;
}

/* Does the log have the index's last record? Then go on behind it. */
static bool
find_end(struct feed *f, uint64_t n, const char *chain)
{
	struct tg_buf text = { .max = TG_MAX_LOG_RECORD };
	struct tg_record r;
	bool same = false;

	if (n > 0 && tg_segments_find(f->files, n - 1, &f->from, NULL) == TG_OK &&
	    tg_segments_record(f->files, n - 1, &text, NULL) == TG_OK &&
	    tg_record_split(text.p, text.n, "record", &r, NULL) == TG_OK)
		same = memcmp(r.p + TG_RECORD_CHAIN_AT, chain, TG_HEX_HASH) == 0;
	if (same) {
		f->from.at += text.n + 1;
		f->place.records = n;
		memcpy(f->place.chain, chain, TG_HEX_HASH);
	}
	tg_buf_done(&text);
	return same;
}

tg_status
tg_log_index_update(const struct tg_log_files *files, const struct tg_log_index *index,
    const struct tg_progress *progress, uint64_t *ret_n, struct tg_error *err)
{
	struct feed f = { .files = files, .index = index, .progress = progress };
	char chain[TG_LOG_CHAIN_TEXT + 1] = "";
	uint64_t n = 0;

	TG_TRY(index->last(index->ctx, &n, chain, err));
	if (!find_end(&f, n, chain)) {
		if (n > 0)
			TG_TRY(index->clear(index->ctx, err));
		f.place = tg_place_start();
		f.from = (struct tg_spot){ 0, 0 };
	}
	TG_TRY(put_all(&f, err));
	*ret_n = f.place.records;
	return TG_OK;
}
