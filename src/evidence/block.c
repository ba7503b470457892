#include "evidence/block.h"

#include <stdlib.h>
#include <tensorguard/limits.h>

#include "util/try.h"

/* Shorter than any record can be: what the arrays are made for. */
#define RECORD_MIN 400

struct tg_place
tg_place_start(void)
{
	struct tg_place p = { .records = 0 };

	memcpy(p.chain, tg_record_genesis, TG_HEX_HASH);
	return p;
}

tg_status
tg_block_init(struct tg_block *b, size_t cap, struct tg_error *err)
{
	memset(b, 0, sizeof(*b));
	b->cap = cap;
	b->max_records = cap / RECORD_MIN + 1;
	b->bytes = malloc(cap);
	b->record = calloc(b->max_records, sizeof(*b->record));
	b->job = calloc(b->max_records, sizeof(*b->job));
	b->link = malloc(b->max_records * TG_RECORD_LINK_LEN);
	b->leaves = malloc((b->max_records + 1) * 32);
	if (b->bytes != NULL && b->record != NULL && b->job != NULL && b->link != NULL && b->leaves != NULL)
		return TG_OK;
	tg_block_done(b);
	return tg_fail(err, TG_E_NOMEM, "log: out of memory");
}

void
tg_block_done(struct tg_block *b)
{
	free(b->bytes);
	free(b->record);
	free(b->job);
	free(b->link);
	free(b->leaves);
	memset(b, 0, sizeof(*b));
}

/* Record i is bad, and those behind it do not count. */
static void
bad(struct tg_block *b, size_t i, size_t at, tg_status s, const struct tg_error *why)
{
	b->status = s;
	b->why = *why;
	b->good = i;
	b->good_bytes = at;
}

/* Take the lines apart; ends at the first that is no record by its look. */
static void
split(struct tg_block *b)
{
	size_t at = 0;

	b->good = 0;
	for (; at < b->n; b->good++) {
		const uint8_t *end = memchr(b->bytes + at, '\n', b->n - at);
		const size_t len = end == NULL ? b->n - at : (size_t)(end - (b->bytes + at));
		struct tg_error why = TG_ERROR_INIT;
		tg_status s = TG_OK;

		if (end == NULL)
			s = tg_fail(&why, TG_E_FORMAT, "record: %zu bytes without a newline at the end", len);
		else if (len < RECORD_MIN)
			s = tg_fail(&why, TG_E_FORMAT, "record: a line of %zu bytes, which is no record", len);
		if (s == TG_OK)
			s = tg_record_split(b->bytes + at, len, "record", &b->record[b->good], &why);
		if (s != TG_OK) {
			bad(b, b->good, at, s, &why);
			return;
		}
		at += len + 1;
	}
	b->good_bytes = b->n;
}

static size_t
offset_of(const struct tg_block *b, size_t i)
{
	return (size_t)(b->record[i].p - b->bytes);
}

static bool
hash_stands(const struct tg_block *b, size_t i, size_t at)
{
	uint8_t hex[TG_HEX_HASH];

	tg_hex_hash(hex, b->job[i].hash);
	return memcmp(hex, b->record[i].p + at, TG_HEX_HASH) == 0;
}

static tg_status
compare_hashes(struct tg_block *b, size_t at, const char *what, struct tg_error *err)
{
	TG_TRY(tg_sha256_many(b->job, b->good, err));
	for (size_t i = 0; i < b->good; i++) {
		struct tg_error why = TG_ERROR_INIT;

		if (hash_stands(b, i, at))
			continue;
		tg_status s = tg_fail(&why, TG_E_AUTH, "record %llu: %s",
		    (unsigned long long)b->record[i].sequence, what);
		bad(b, i, offset_of(b, i), s, &why);
	}
	return TG_OK;
}

static tg_status
check_hashes(struct tg_block *b, struct tg_error *err)
{
	for (size_t i = 0; i < b->good; i++)
		b->job[i] = tg_record_event_job(&b->record[i]);
	TG_TRY(compare_hashes(b, TG_RECORD_EVENT_AT,
	    "changed: the event is not the one that event_hash was taken over", err));
	for (size_t i = 0; i < b->good; i++) {
		uint8_t *text = b->link + i * TG_RECORD_LINK_LEN;

		tg_record_link(&b->record[i], text);
		b->job[i] = (struct tg_sha256_job){ .body = { text, TG_RECORD_LINK_LEN } };
	}
	return compare_hashes(b, TG_RECORD_CHAIN_AT,
	    "chain_hash is not that of its prev_hash and event_hash", err);
}

static tg_status
hash_leaves(struct tg_block *b, struct tg_error *err)
{
	for (size_t i = 0; i < b->good; i++)
		b->job[i] = tg_record_leaf_job(&b->record[i]);
	TG_TRY(tg_sha256_many(b->job, b->good, err));
	for (size_t i = 0; i < b->good; i++)
		memcpy(b->leaves + 32 * (i + 1), b->job[i].hash, 32);
	return TG_OK;
}

static tg_status
follows(const struct tg_record *r, uint64_t sequence, const uint8_t *chain, struct tg_error *err)
{
	TG_REQUIRE(r->sequence == sequence, err, TG_E_AUTH,
	    "record %llu stands where record %llu is expected: %s", (unsigned long long)r->sequence,
	    (unsigned long long)sequence,
	    r->sequence > sequence ? "one or more are missing, or the order was changed"
				   : "it is there twice, or the order was changed");
	TG_REQUIRE(memcmp(r->p + TG_RECORD_PREV_AT, chain, TG_HEX_HASH) == 0, err, TG_E_AUTH,
	    "record %llu: prev_hash is not the chain_hash of the record before", (unsigned long long)sequence);
	return TG_OK;
}

static tg_status
same_origin(struct tg_block *b, size_t i, tg_bytes origin, struct tg_error *err)
{
	if (i == 0) {
		memcpy(b->origin, origin.p, origin.n); /* at most 255 bytes: it has been judged */
		b->origin[origin.n] = '\0';
	}
	TG_REQUIRE(tg_bytes_equal(origin, tg_bytes_str(b->origin)), err, TG_E_AUTH,
	    "record %llu: \"log_origin\" is that of another log",
	    (unsigned long long)b->record[i].sequence);
	return TG_OK;
}

/* Form and order, record by record. */
static void
check_events(struct tg_block *b)
{
	for (size_t i = 0; i < b->good; i++) {
		const struct tg_record *r = &b->record[i];
		struct tg_error why = TG_ERROR_INIT;
		struct tg_event event;
		tg_status s = i == 0
		    ? TG_OK
		    : follows(r, r[-1].sequence + 1, r[-1].p + TG_RECORD_CHAIN_AT, &why);

		if (s == TG_OK) {
			struct tg_error form = TG_ERROR_INIT;

			s = tg_record_event(r, "event", &event, &form);
			if (s != TG_OK)
				s = tg_fail(&why, s, "record %llu: %s", (unsigned long long)r->sequence, form.text);
		}
		if (s == TG_OK)
			s = same_origin(b, i, event.value[TG_M_LOG_ORIGIN], &why);
		if (s != TG_OK) {
			bad(b, i, offset_of(b, i), s, &why);
			return;
		}
		b->unknown += event.type == NULL;
	}
}

tg_status
tg_block_check(struct tg_block *b, struct tg_error *err)
{
	b->status = TG_OK;
	b->unknown = 0;
	split(b);
	TG_TRY(check_hashes(b, err));
	check_events(b);
	TG_TRY(hash_leaves(b, err));
	if (b->good > 0) {
		b->first = b->record[0].sequence;
		memcpy(b->prev, b->record[0].p + TG_RECORD_PREV_AT, TG_HEX_HASH);
		memcpy(b->chain, b->record[b->good - 1].p + TG_RECORD_CHAIN_AT, TG_HEX_HASH);
	}
	return TG_OK;
}

tg_status
tg_block_follows(const struct tg_block *b, struct tg_place *place, struct tg_error *err)
{
	if (b->good == 0)
		return TG_OK;
	TG_TRY(follows(&b->record[0], place->records, place->chain, err));
	place->records += b->good;
	memcpy(place->chain, b->chain, TG_HEX_HASH);
	return TG_OK;
}
