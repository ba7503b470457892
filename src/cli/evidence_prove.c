/* evidence prove, evidence export */
#include "cli/evidence.h"
#include "evidence/tiles.h"
#include "util/file.h"
#include "util/try.h"

/* ---- prove ---- */

static tg_status
prove(const char *dir, const char *which, bool with_record, const char *out, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog e = { .dir = NULL };
	TG_AUTO(tg_log_prover_closep) struct tg_log_prover *prover = NULL;
	TG_AUTO(tg_buf_done) struct tg_buf newest = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_buf_done) struct tg_buf proof = { .max = TG_MAX_TLOG_PROOF };
	const struct tg_sink to = buf_sink(&proof);
	struct tg_error why = TG_ERROR_INIT;
	uint64_t sequence = 0;

	TG_TRY(tg_parse_uint(which, "a record's number", TG_MAX_JSON_INT, &sequence, err));
	TG_TRY(elog_find_log(&e, dir, err));
	TG_TRY(elog_checkpoint(&e, &newest, err));
	tg_status s = tg_log_prover_open(e.files, &prover, &why);
	if (s == TG_OK)
		s = tg_log_prove(prover, sequence, with_record, &to, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", dir, why.text);
	return put_text(out, tg_buf_view(&proof), err);
}

static tg_status
prove_run(int argc, char **argv, struct tg_error *err)
{
	const char *out = NULL;
	bool with_record = false, help = false;
	const struct tg_opt opts[] = {
		{ "out", TG_OPT_STRING, &out, NULL, "FILE.tlog-proof", "default: standard output" },
		{ "with-record", TG_OPT_FLAG, &with_record, NULL, NULL,
		    "carry the record in the proof" },
	};
	const char *words[2];
	size_t n = 0;

	TG_TRY(tg_opts_parse(
	    &tg_cmd_evidence_prove, argc, argv, opts, TG_LEN(opts), words, 2, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == 2, err, TG_E_USAGE,
	    "a log's folder and a record's number are needed (try 'tensorguard evidence prove "
	    "-h')");
	return prove(words[0], words[1], with_record, out, err);
}

const struct tg_cmd tg_cmd_evidence_prove = {
	.name = "evidence prove",
	.run = prove_run,
	.synopsis = "DIR NUMBER [OPTION...]",
	.summary =
	    "prove that a record is in the log\n"
	    "A file that 'evidence verify --proof' checks without the log (C2SP tlog-proof), under "
	    "the newest\ncheckpoint.",
	.example = "tensorguard evidence prove ./log 0 --with-record --out first.tlog-proof",
};

/* ---- export ---- */

static tg_status
empty_folder(void *to, const char *name, struct tg_error *err)
{
	return tg_fail(
	    err, TG_E_CONFLICT, "%s: not empty (\"%s\" is in it)", (const char *)to, name);
}

static tg_status export(const char *dir, const char *out, bool json, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog from = { .dir = NULL };
	TG_AUTO(elog_done) struct elog to = { .dir = NULL };
	TG_AUTO(tg_buf_done) struct tg_buf newest = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;
	struct tg_progress_line line;
	struct tg_error why = TG_ERROR_INIT;
	uint64_t records = 0;

	TG_TRY(elog_find_log(&from, dir, err));
	TG_TRY(elog_checkpoint(&from, &newest, err));
	TG_TRY(elog_find(&to, out, true, err));
	TG_TRY(to.files->list(to.files->ctx, ".", empty_folder, (void *)(uintptr_t)out, err));
	const tg_status s = tg_tiles_export(
	    from.files, to.files, tg_progress_start(&line, "exporting"), &records, &why);
	tg_progress_end(&line);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", dir, why.text);
	if (!json) {
		tg_print_text(stdout, out);
		printf(": %llu record%s, checked by 'tensorguard evidence verify ",
		    (unsigned long long)records, TG_S(records));
		tg_print_text(stdout, out);
		printf(" --policy FILE'\n");
		return TG_OK;
	}
	j = tg_json_new_object();
	TG_REQUIRE(
	    j != NULL && tg_json_set(j, "records", tg_json_new_int((int64_t)records)) == TG_OK, err,
	    TG_E_NOMEM, "evidence: out of memory");
	return tg_print_json(j, err);
}

static tg_status
export_run(int argc, char **argv, struct tg_error *err)
{
	const char *out = NULL;
	bool json = false, help = false;
	const struct tg_opt opts[] = {
		{ "out", TG_OPT_STRING, &out, NULL, "FOLDER", "made if it is absent; empty" },
		{ "json", TG_OPT_FLAG, &json, NULL, NULL, "report as JSON" },
	};
	const char *words[1];
	size_t n = 0;

	TG_TRY(tg_opts_parse(
	    &tg_cmd_evidence_export, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == 1 && out != NULL, err, TG_E_USAGE,
	    "a log's folder and --out FOLDER are needed (try 'tensorguard evidence export -h')");
	return export(words[0], out, json, err);
}

const struct tg_cmd tg_cmd_evidence_export = {
	.name = "evidence export",
	.run = export_run,
	.synopsis = "DIR --out FOLDER [--json]",
	.summary =
	    "copy what the newest checkpoint covers for others to check\n"
	    "Static files as C2SP tlog-tiles has them, to be handed over or served as they are.",
	.example = "tensorguard evidence export ./log --out ./audit",
};
