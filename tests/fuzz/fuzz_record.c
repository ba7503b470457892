/* Lines of records: what is good stands alone as well and is left as it was, also when all its
 * hashes are made right. An event that is read is canonical: its tree is written as the same bytes.
 */
#include "../unit/evidence/image.h"
#include "evidence/block.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
require(bool good)
{
	if (!good)
		__builtin_trap();
}

static void
event(tg_bytes text)
{
	struct tg_buf out = { .max = 6 * text.n + 16 };
	struct tg_json *j = NULL;
	struct tg_event e, again;
	struct tg_error err = TG_ERROR_INIT;
	const tg_status known = tg_event_read(text, 0, true, "event", &again, NULL);
	const tg_status s = tg_event_read(text, 0, false, "event", &e, &err);

	if (s != TG_OK) {
		require(known != TG_OK && err.status == s && err.text[0] != '\0');
		return;
	}
	require((known == TG_OK) == (e.type != NULL) && (e.has & TG_M_ALWAYS) == TG_M_ALWAYS);
	require(tg_json_parse(text, TG_JSON_CANONICAL, "event", &j, NULL) == TG_OK);
	require(tg_json_write(j, &out, NULL) == TG_OK && tg_bytes_equal(tg_buf_view(&out), text));
	require(tg_json_count(j) >= (size_t)__builtin_popcount(e.has));
	for (unsigned m = 0; m < TG_MEMBERS; m++)
		require(((e.has & TG_M_BIT(m)) != 0) ==
			(tg_json_get(j, tg_member_rules[m].key) != NULL) ||
		    e.type == NULL);
	tg_json_free(j);
	tg_buf_done(&out);
}

/* As a file of a log holds them. */
static size_t
block(tg_bytes text)
{
	struct tg_block b;
	struct tg_place place = tg_place_start();
	struct tg_error err = TG_ERROR_INIT;

	require(tg_block_init(&b, text.n, NULL) == TG_OK);
	memcpy(b.bytes, text.p, text.n);
	b.n = text.n;
	require(tg_block_check(&b, &err) == TG_OK);
	require(memcmp(b.bytes, text.p, text.n) == 0);
	require(b.good_bytes <= b.n && b.good <= b.max_records &&
	    (b.status == TG_OK) == (b.good_bytes == b.n));
	require(b.status == TG_OK || b.why.text[0] != '\0');
	for (size_t i = 0; i < b.good; i++) {
		struct tg_event e;

		require(tg_record_check(&b.record[i], "record", &e, NULL) == TG_OK);
		require(b.record[i].sequence == b.first + i);
	}
	require(tg_block_follows(&b, &place, &err) != TG_OK || place.records == b.good);
	const size_t good = b.good;
	tg_block_done(&b);
	return good;
}

/* Each line's hashes made right, and linked to the line before. */
static bool
relink(uint8_t *p, size_t n)
{
	const uint8_t *prev = (const uint8_t *)tg_record_genesis;
	bool any = false;

	for (size_t at = 0; at < n;) {
		const uint8_t *end = memchr(p + at, '\n', n - at);
		struct tg_record rec;

		if (end == NULL)
			break;
		struct row r = { p + at, (size_t)(end - (p + at)) + 1, 0 };
		at += r.n;
		if (tg_record_split(r.p, r.n - 1, "record", &rec, NULL) != TG_OK)
			continue;
		memcpy(r.p + TG_RECORD_PREV_AT, prev, TG_HEX_HASH);
		fix_event_hash(&r);
		fix_chain_hash(&r);
		prev = r.p + TG_RECORD_CHAIN_AT;
		any = true;
	}
	return any;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n == 0 || n > 1 << 20)
		return 0;
	uint8_t *copy = malloc(n);
	mem_check(copy);
	memcpy(copy, p, n);
	event((tg_bytes){ p, n });
	(void)block((tg_bytes){ p, n });
	if (relink(copy, n)) {
		(void)block((tg_bytes){ copy, n });
		struct tg_record rec;
		const uint8_t *end = memchr(copy, '\n', n);
		if (end != NULL &&
		    tg_record_split(copy, (size_t)(end - copy), "record", &rec, NULL) == TG_OK) {
			copy[rec.rest] = '{';
			event((tg_bytes){ copy + rec.rest, rec.n - rec.rest });
		}
	}
	free(copy);
	return 0;
}
