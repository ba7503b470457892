/* Records that somebody with the log's own code has made: every hash is right, and what they say of
 * their place is not. */
#include <stdlib.h>

#include <tensorguard/log.h>

#include "../../tap.h"
#include "evidence/block.h"
#include "evidence/checkpoint.h"
#include "evidence/draft.h"
#include "evidence/tlogproof.h"

static struct tg_error err;

static const char origin[] = "\"log_origin\":\"example.com/log\"";
static const char other_origin[] = "\"log_origin\":\"example.com/lot\"";

/* Append a record to the block's bytes: hashes of its own are right, and it follows `place`. */
static struct tg_record
forge(struct tg_block *b, struct tg_place *place, uint64_t sequence, const char *log_origin)
{
	static const char event[] = "{\"event_type\":\"NOTE_ADDED\",\"note\":\"forged\"}";
	const struct tg_draft_defaults defaults = { log_origin, "\"tenant_id\":\"default\"",
		"\"actor\":{\"id\":\"x\",\"type\":\"user\"}" };
	struct tg_draft d;
	uint8_t text[TG_RECORD_LINK_LEN];

	if (tg_draft_prepare(tg_bytes_str(event), &defaults, &d, &err) != TG_OK)
		exit(1);
	const struct tg_record r =
	    tg_draft_write(&d, sequence, 1, "00000000-0000-4000-8000-000000000000", b->bytes + b->n);
	struct tg_sha256_job job = tg_record_event_job(&r);
	if (tg_sha256_many(&job, 1, &err) != TG_OK)
		exit(1);
	tg_hex_hash(r.p + TG_RECORD_EVENT_AT, job.hash);
	memcpy(r.p + TG_RECORD_PREV_AT, place->chain, TG_HEX_HASH);
	tg_record_link(&r, text);
	job = (struct tg_sha256_job){ .body = { text, sizeof(text) } };
	if (tg_sha256_many(&job, 1, &err) != TG_OK)
		exit(1);
	tg_hex_hash(place->chain, job.hash);
	memcpy(r.p + TG_RECORD_CHAIN_AT, place->chain, TG_HEX_HASH);
	b->n += r.n + 1;
	return r;
}

static void
begin(struct tg_block *b, struct tg_place *place)
{
	b->n = 0;
	*place = tg_place_start();
}

static void
places(struct tg_block *b)
{
	struct tg_place place, start = tg_place_start();

	begin(b, &place);
	for (uint64_t i = 0; i < 4; i++)
		(void)forge(b, &place, i, origin);
	OK_STATUS(tg_block_check(b, &err), TG_OK);
	OK(b->status == TG_OK && b->good == 4); /* what they make is a log */
	OK_STATUS(tg_block_follows(b, &start, &err), TG_OK);
	OK_STATUS(tg_block_follows(b, &start, &err), TG_E_AUTH);

	begin(b, &place);
	(void)forge(b, &place, 0, origin);
	(void)forge(b, &place, 2, origin);
	OK_STATUS(tg_block_check(b, &err), TG_OK);
	OK(b->status == TG_E_AUTH && b->good == 1);

	begin(b, &place);
	(void)forge(b, &place, 0, origin);
	(void)forge(b, &place, 0, origin);
	OK_STATUS(tg_block_check(b, &err), TG_OK);
	OK(b->status == TG_E_AUTH && b->good == 1);

	begin(b, &place);
	(void)forge(b, &place, 1, origin);
	start = tg_place_start();
	OK_STATUS(tg_block_check(b, &err), TG_OK);
	OK(b->status == TG_OK && b->good == 1);
	OK_STATUS(tg_block_follows(b, &start, &err), TG_E_AUTH);
}

static void
origins(struct tg_block *b)
{
	struct tg_place place;

	begin(b, &place);
	(void)forge(b, &place, 0, origin);
	(void)forge(b, &place, 1, other_origin);
	OK_STATUS(tg_block_check(b, &err), TG_OK);
	OK(b->status == TG_E_AUTH && b->good == 1);
}

/* The number in "_chain" is under no hash but the tree's; the event's own is. */
static void
two_numbers(struct tg_block *b)
{
	struct tg_place place;

	begin(b, &place);
	const struct tg_record r = forge(b, &place, 3, origin);
	b->bytes[TG_RECORD_SEQUENCE_AT] = '4';
	OK_STATUS(tg_block_check(b, &err), TG_OK);
	OK(b->status == TG_E_FORMAT && b->good == 0);
	b->bytes[TG_RECORD_SEQUENCE_AT] = '3';
	OK_STATUS(tg_block_check(b, &err), TG_OK);
	OK(b->status == TG_OK && r.sequence == 3);
}

/* A log that has signed a record in another's place. */
static void
proved_elsewhere(struct tg_block *b, uint64_t sequence, tg_status want)
{
	struct tg_checkpoint c = { .origin = "example.com/log", .size = 1 };
	struct tg_buf note = { .max = 1 << 16 }, text = { .max = 1 << 16 }, proof = { .max = 1 << 16 };
	struct tg_note_key *k[2] = { NULL, NULL };
	struct tg_log_policy *policy = NULL;
	struct tg_log_proved proved;
	struct tg_path path = { .n = 0 };
	struct tg_key *key = NULL;
	struct tg_place place;

	begin(b, &place);
	const struct tg_record r = forge(b, &place, sequence, origin);
	struct tg_sha256_job leaf = tg_record_leaf_job(&r);
	OK_STATUS(tg_sha256_many(&leaf, 1, &err), TG_OK);
	memcpy(c.root, leaf.hash, sizeof(c.root));
	OK_STATUS(tg_key_generate(TG_KEY_CHECKPOINT, 1, &key, &err), TG_OK);
	OK_STATUS(tg_checkpoint_sign(&c, key, 1700000000, &note, &err), TG_OK);
	OK_STATUS(tg_checkpoint_vkeys(key, c.origin, false, k, &err), TG_OK);
	OK(tg_buf_put_str(&text, "log ") == TG_OK && tg_note_key_print(k[0], &text) == TG_OK &&
	    tg_buf_put_str(&text, "\nlog ") == TG_OK && tg_note_key_print(k[1], &text) == TG_OK &&
	    tg_buf_put_str(&text, "\nquorum none\n") == TG_OK);
	OK_STATUS(tg_log_policy_parse(tg_buf_view(&text), "policy", &policy, &err), TG_OK);
	OK_STATUS(tg_tlogproof_put((tg_bytes){ NULL, 0 }, 0, &path, tg_buf_view(&note), &proof), TG_OK);
	OK_STATUS(tg_log_check_proof(tg_buf_view(&proof), (tg_bytes){ r.p, r.n }, policy, NULL, &proved, &err),
	    want);
	tg_log_policy_free(policy);
	tg_note_key_free(k[0]);
	tg_note_key_free(k[1]);
	tg_key_free(key);
	tg_buf_done(&note);
	tg_buf_done(&text);
	tg_buf_done(&proof);
}

int
main(void)
{
	struct tg_block b;

	OK_STATUS(tg_block_init(&b, 1 << 16, &err), TG_OK);
	places(&b);
	origins(&b);
	two_numbers(&b);
	proved_elsewhere(&b, 0, TG_OK);
	proved_elsewhere(&b, 5, TG_E_AUTH);
	tg_block_done(&b);
	return tap_done();
}
