/* evidence verify: a log, an exported one, or one proof. */
#include "cli/evidence.h"
#include "util/file.h"
#include "util/text.h"
#include "util/try.h"

struct verify_opts {
	const char *policy, *checkpoint, *proof, *record;
	uint64_t threads;
	bool json;
};

/* ---- one proof ---- */

/* A record as it is in a file: with the newline that list and show put behind it, or without. */
static tg_bytes
without_newline(const struct tg_buf *b)
{
	return (tg_bytes){ b->p, b->n - (b->n > 0 && b->p[b->n - 1] == '\n') };
}

static tg_status
verify_proof(const struct verify_opts *o, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf proof = { .max = TG_MAX_TLOG_PROOF };
	TG_AUTO(tg_buf_done) struct tg_buf given = { .max = TG_MAX_LOG_RECORD + 1 };
	TG_AUTO(tg_buf_done) struct tg_buf record = { .max = TG_MAX_LOG_RECORD };
	TG_AUTO(tg_log_policy_freep) struct tg_log_policy *policy = NULL;
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;
	const struct tg_sink to = buf_sink(&record);
	struct tg_log_proved proved;
	struct tg_error why = TG_ERROR_INIT;
	struct tg_record r;
	struct tg_event e;

	TG_REQUIRE(o->policy != NULL, err, TG_E_USAGE,
	    "--policy FILE is needed: it says whose signatures count");
	TG_TRY(policy_load(o->policy, &policy, err));
	TG_TRY(tg_file_read(o->proof, &proof, err));
	if (o->record != NULL)
		TG_TRY(tg_file_read(o->record, &given, err));
	const tg_status s = tg_log_check_proof(tg_buf_view(&proof),
	    o->record == NULL ? (tg_bytes){ NULL, 0 } : without_newline(&given), policy, &to,
	    &proved, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", o->proof, why.text);
	TG_TRY(tg_record_split(record.p, record.n, "record", &r, err));
	TG_TRY(tg_record_event(&r, "record", &e, err));
	if (!o->json) {
		tg_print_text(stdout, o->proof);
		printf(": record %llu is in the log \"%s\", under its checkpoint of %llu records\n",
		    (unsigned long long)proved.sequence, proved.origin,
		    (unsigned long long)proved.size);
		record_print_line(&e);
		return TG_OK;
	}
	j = tg_json_new_object();
	TG_REQUIRE(j != NULL && tg_json_set(j, "verified", tg_json_new_bool(true)) == TG_OK &&
		tg_json_set(j, "origin", tg_json_new_str(tg_bytes_str(proved.origin))) == TG_OK &&
		tg_json_set(j, "sequence", tg_json_new_int((int64_t)proved.sequence)) == TG_OK &&
		tg_json_set(j, "size", tg_json_new_int((int64_t)proved.size)) == TG_OK &&
		tg_json_set(j, "record", tg_json_new_str(tg_buf_view(&record))) == TG_OK,
	    err, TG_E_NOMEM, "evidence: out of memory");
	return tg_print_json(j, err);
}

/* ---- a whole log ---- */

static void
print_report(const struct verify_opts *o, const char *dir, const struct tg_log_report *r)
{
	char root[2 * TG_HASH_LEN + 1];

	tg_hex_encode(root, (tg_bytes){ r->root, TG_HASH_LEN });
	tg_print_text(stdout, dir);
	printf(": verified\n  log          %s\n  records      %llu, each in its place\n", r->origin,
	    (unsigned long long)r->records);
	if (r->checkpoints == 0)
		printf("  checkpoints  none: nothing but the chain holds these records together\n");
	else
		printf("  checkpoints  %llu, the newest over %llu records%s\n",
		    (unsigned long long)r->checkpoints, (unsigned long long)r->covered,
		    o->policy == NULL ? "; SIGNATURES NOT CHECKED (--policy FILE says whose count)"
				      : "");
	if (o->checkpoint != NULL) {
		printf("  kept         ");
		tg_print_text(stdout, o->checkpoint);
		printf(" fits\n");
	}
	if (r->covered < r->records)
		printf("  unprotected  %llu record%s behind the newest checkpoint\n",
		    (unsigned long long)(r->records - r->covered), TG_S(r->records - r->covered));
	if (r->tail_bytes > 0)
		printf("  unfinished   %llu bytes at the end: a write that was interrupted, or is "
		       "going on\n",
		    (unsigned long long)r->tail_bytes);
	if (r->unknown_types > 0)
		printf("  unknown      %llu event%s of types that this version does not know\n",
		    (unsigned long long)r->unknown_types, TG_S(r->unknown_types));
	printf("  root         %s\n", root);
}

/* Or could it not be looked at? */
static bool
judged(tg_status s)
{
	return s == TG_OK || s == TG_E_AUTH || s == TG_E_FORMAT;
}

static tg_status
print_json(const struct verify_opts *o, const struct tg_log_report *r, const struct tg_error *why,
    tg_status s, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *j = tg_json_new_object();
	tg_status st = j == NULL ? TG_E_NOMEM : TG_OK;
	const struct {
		const char *key;
		uint64_t value;
		bool when;
	} numbers[] = {
		{ "records", r->records, true },
		{ "checkpoints", r->checkpoints, true },
		{ "covered", r->covered, true },
		{ "unknown_types", r->unknown_types, true },
		{ "unfinished_bytes", r->tail_bytes, true },
		{ "bad_record", r->bad_sequence, s != TG_OK },
		{ "checkpoint_before", r->before, s != TG_OK },
		{ "checkpoint_after", r->after, s != TG_OK && r->after > 0 },
	};

	for (size_t i = 0; st == TG_OK && i < TG_LEN(numbers); i++)
		if (numbers[i].when)
			st = tg_json_set(
			    j, numbers[i].key, tg_json_new_int((int64_t)numbers[i].value));
	if (st == TG_OK)
		st = tg_json_set(j, "verified", tg_json_new_bool(s == TG_OK));
	if (st == TG_OK)
		st = tg_json_set(j, "signatures_checked", tg_json_new_bool(o->policy != NULL));
	if (st == TG_OK && s == TG_OK && o->checkpoint != NULL)
		st = tg_json_set(j, "kept_checkpoint_fits", tg_json_new_bool(true));
	if (st == TG_OK)
		st = tg_json_set(j, "origin", tg_json_new_shown(r->origin));
	if (st == TG_OK && s == TG_OK)
		st = tg_json_set(j, "root", tg_json_new_hex((tg_bytes){ r->root, TG_HASH_LEN }));
	if (st == TG_OK && s == TG_OK)
		st = tg_json_set(
		    j, "chain_hash", tg_json_new_hex((tg_bytes){ r->chain, TG_HASH_LEN }));
	if (st == TG_OK && s != TG_OK)
		st = tg_json_set(j, "reason", tg_json_new_shown(why->text));
	TG_REQUIRE(st == TG_OK, err, st, "evidence: out of memory");
	return tg_print_json(j, err);
}

static tg_status
say_bad(const char *dir, const struct tg_log_report *r, const struct tg_error *why, tg_status s,
    struct tg_error *err)
{
	char where[160] = "";

	if (judged(s) && r->after > 0)
		(void)snprintf(where, sizeof(where),
		    " (between the checkpoints of %llu and %llu records)",
		    (unsigned long long)r->before, (unsigned long long)r->after);
	else if (judged(s) && r->before > 0)
		(void)snprintf(where, sizeof(where),
		    " (behind the checkpoint of %llu records, the newest)",
		    (unsigned long long)r->before);
	return tg_fail(err, s, "%s: %s%s", dir, why->text, where);
}

static tg_status
verify_log(const struct verify_opts *o, const char *dir, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog e = { .dir = NULL };
	TG_AUTO(tg_log_policy_freep) struct tg_log_policy *policy = NULL;
	TG_AUTO(tg_buf_done) struct tg_buf kept = { .max = TG_MAX_NOTE };
	struct tg_progress_line line;
	struct tg_log_report r;
	struct tg_error why = TG_ERROR_INIT;

	if (o->policy != NULL)
		TG_TRY(policy_load(o->policy, &policy, err));
	if (o->checkpoint != NULL)
		TG_TRY(kept_load(o->checkpoint, policy, &kept, err));
	TG_TRY(elog_find(&e, dir, false, err));
	const tg_status s = kept_verify(e.files, &kept, policy, (unsigned)o->threads,
	    tg_progress_start(&line, "verifying"), &r, &why);
	tg_progress_end(&line);
	if (s != TG_OK)
		record_name(&why, s, r.bad_sequence);
	if (o->json && judged(s))
		TG_TRY(print_json(o, &r, &why, s, err));
	if (s != TG_OK)
		return say_bad(dir, &r, &why, s, err);
	if (!o->json)
		print_report(o, dir, &r);
	return TG_OK;
}

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	struct verify_opts o = { .policy = NULL };
	const struct tg_opt opts[] = {
		{ "policy", TG_OPT_STRING, &o.policy, NULL, "FILE",
		    "whose signatures count: the log's keys, witnesses and their quorum" },
		{ "checkpoint", TG_OPT_STRING, &o.checkpoint, NULL, "FILE",
		    "a checkpoint kept elsewhere, which the log must still fit" },
		{ "proof", TG_OPT_STRING, &o.proof, NULL, "FILE",
		    "check this proof instead of a log" },
		{ "record", TG_OPT_STRING, &o.record, NULL, "FILE",
		    "the record that it is about, when it does not carry it" },
		{ "threads", TG_OPT_UINT, &o.threads, NULL, "N", "default: all cores" },
		{ "json", TG_OPT_FLAG, &o.json, NULL, NULL, "report as JSON" },
	};
	const char *words[1];
	size_t n = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(
	    &tg_cmd_evidence_verify, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == (o.proof == NULL ? 1 : 0), err, TG_E_USAGE,
	    "the folder of a log, or --proof FILE, is needed (try 'tensorguard evidence verify "
	    "-h')");
	TG_REQUIRE(
	    o.record == NULL || o.proof != NULL, err, TG_E_USAGE, "--record goes with --proof");
	TG_REQUIRE(o.checkpoint == NULL || o.proof == NULL, err, TG_E_USAGE,
	    "--checkpoint goes with the folder of a log");
	TG_REQUIRE(
	    o.threads <= TG_MAX_THREADS, err, TG_E_USAGE, "--threads: at most %u", TG_MAX_THREADS);
	return o.proof != NULL ? verify_proof(&o, err) : verify_log(&o, words[0], err);
}

const struct tg_cmd tg_cmd_evidence_verify = {
	.name = "evidence verify",
	.run = run,
	.synopsis = "(DIR | --proof FILE) [OPTION...]",
	.summary =
	    "check a log, an exported one, or one proof\n"
	    "Every record, the chain, the tree, every checkpoint's signatures. Needs public keys "
	    "alone. That\nrecords were cut off the end is seen with --checkpoint, or where the "
	    "log's "
	    "own are still there.",
	.example = "tensorguard evidence verify ./log --policy ./log/log.policy",
};
