#include "cli/reader.h"
#include "util/text.h"
#include "util/try.h"

struct verify {
	struct reader r;
	bool policy, deep;
};

/* name, bit, in the order they are reported */
static const struct {
	const char *name;
	unsigned bit;
} checks[] = {
	{ "window", TG_POLICY_WINDOW },
	{ "fleet", TG_POLICY_FLEET },
	{ "rollback_floor", TG_POLICY_FLOOR },
	{ "agent_version", TG_POLICY_AGENT_VERSION },
};

static void
print_hex(const char *label, const uint8_t *p, size_t n)
{
	char text[2 * TG_HASH_LEN + 1];

	tg_hex_encode(text, (tg_bytes){ p, n });
	printf("  %-13s %s\n", label, text);
}

static void
print_report(const struct verify *v, unsigned failed, const struct tg_error *why)
{
	const struct tg_package *p = v->r.package;
	char size[24];

	tg_print_text(stdout, v->r.path);
	printf(": verified%s\n  model         ", v->deep ? ", file hashes too" : "");
	tg_print_text(stdout, tg_package_model_name(p));
	putchar(' ');
	tg_print_text(stdout, tg_package_model_version(p));
	putchar('\n');
	print_hex("author", tg_package_author(p), TG_KEY_ID_LEN);
	print_hex("package_hash", tg_package_hash(p), TG_HASH_LEN);
	print_hex("content_hash", tg_package_content_hash(p), TG_HASH_LEN);
	printf("  %-13s %zu file%s, %s\n", "contents", tg_package_file_count(p),
	    TG_S(tg_package_file_count(p)),
	    tg_human_size(tg_package_plain_len(p), size));
	printf("  %-13s ", "policy");
	if (failed == 0)
		printf("met");
	else
		tg_print_text(stdout, why->text);
	putchar('\n');
}

static tg_status
policy_json(unsigned failed, struct tg_json **ret)
{
	struct tg_json *o = tg_json_new_object();
	tg_status s = o == NULL ? TG_E_NOMEM : TG_OK;

	for (size_t i = 0; s == TG_OK && i < TG_LEN(checks); i++)
		s = tg_json_set(o, checks[i].name, tg_json_new_bool((failed & checks[i].bit) == 0));
	*ret = o;
	return s;
}

static tg_status
print_json(const struct verify *v, unsigned failed, struct tg_error *err)
{
	const struct tg_package *p = v->r.package;
	TG_AUTO(tg_json_freep) struct tg_json *o = tg_json_new_object();
	struct tg_json *policy = NULL;

	TG_REQUIRE(o != NULL && policy_json(failed, &policy) == TG_OK &&
		tg_json_set(o, "policy", policy) == TG_OK &&
		tg_json_set(o, "verified", tg_json_new_bool(true)) == TG_OK &&
		tg_json_set(o, "deep", tg_json_new_bool(v->deep)) == TG_OK &&
		tg_json_set(o, "model_name", tg_json_new_str(tg_bytes_str(tg_package_model_name(p)))) ==
		    TG_OK &&
		tg_json_set(o, "model_version",
		    tg_json_new_str(tg_bytes_str(tg_package_model_version(p)))) == TG_OK &&
		tg_json_set(o, "author_key_id",
		    tg_json_new_hex((tg_bytes){ tg_package_author(p), TG_KEY_ID_LEN })) == TG_OK &&
		tg_json_set(o, "package_hash",
		    tg_json_new_hex((tg_bytes){ tg_package_hash(p), TG_HASH_LEN })) == TG_OK &&
		tg_json_set(o, "content_hash",
		    tg_json_new_hex((tg_bytes){ tg_package_content_hash(p), TG_HASH_LEN })) == TG_OK &&
		tg_json_set(o, "files", tg_json_new_int((int64_t)tg_package_file_count(p))) == TG_OK &&
		tg_json_set(o, "plain_len", tg_json_new_int((int64_t)tg_package_plain_len(p))) == TG_OK,
	    err, TG_E_NOMEM, "verify: out of memory");
	return tg_print_json(o, err);
}

static tg_status
verify_contents(struct verify *v, struct tg_error *err)
{
	struct tg_progress_line line;
	const struct tg_progress *progress = tg_progress_start(&line, "verifying");
	struct tg_error why = TG_ERROR_INIT;
	tg_status s = v->deep
	    ? tg_package_verify_files(v->r.package, (unsigned)v->r.threads, progress, &why)
	    : tg_package_verify(v->r.package, (unsigned)v->r.threads, progress, &why);

	tg_progress_end(&line);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", v->r.path, why.text);
	return TG_OK;
}

/* Everything that is asked for; *ret_failed: the policy's bits that are not met, and *why. */
static tg_status
verify(struct verify *v, unsigned *ret_failed, struct tg_error *why, struct tg_error *err)
{
	struct recorder *rec = &v->r.rec;

	recorder_flag(rec, "detail", "deep", v->deep);
	TG_TRY(reader_open(&v->r, err));
	*ret_failed = tg_package_policy(v->r.package, &v->r.policy, why);
	recorder_flag(rec, "detail", "policy_met", *ret_failed == 0);
	if (v->policy && *ret_failed != 0)
		return tg_fail(err, TG_E_POLICY, "%s: %s", v->r.path, why->text);
	if (v->deep)
		TG_TRY(reader_unlock(&v->r, err));
	TG_TRY(verify_contents(v, err));
	recorder_number(rec, "metrics", "files", (int64_t)tg_package_file_count(v->r.package));
	recorder_number(rec, "metrics", "plain_len", (int64_t)tg_package_plain_len(v->r.package));
	return recorder_success(rec, "TGSP_VERIFY_SUCCEEDED", err);
}

static void
verify_done(struct verify *v)
{
	reader_done(&v->r);
}

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	TG_AUTO(verify_done) struct verify v = { .policy = false };
	const struct tg_opt opts[] = {
		READER_OPTS(&v.r),
		READER_WORK_OPTS(&v.r),
		{ "policy", TG_OPT_FLAG, &v.policy, NULL, NULL,
		    "fail unless time window, fleet, floor and version allow it" },
		{ "deep", TG_OPT_FLAG, &v.deep, NULL, NULL,
		    "decrypt, and compare every file's SHA-256 too (needs --key)" },
		READER_KEY_OPTS(&v.r),
		{ "json", TG_OPT_FLAG, &v.r.json, NULL, NULL, "report as JSON" },
	};
	const char *words[1];
	size_t n = 0;
	bool help = false;
	unsigned failed = 0;
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(tg_opts_parse(&tg_cmd_verify, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == 1, err, TG_E_USAGE, "a package is needed (try 'tensorguard verify -h')");
	TG_TRY(reader_start(&v.r, words[0], err));
	tg_status s = verify(&v, &failed, &why, err);
	if (s != TG_OK)
		return recorder_failure(&v.r.rec, "TGSP_VERIFY_FAILED", s, err);
	if (v.r.json)
		return print_json(&v, failed, err);
	print_report(&v, failed, &why);
	return TG_OK;
}

const struct tg_cmd tg_cmd_verify = {
	.name = "verify",
	.run = run,
	.synopsis = "PACKAGE --trust FILE.pub|DIR [OPTION...]",
	.summary = "check a package without a private key\n"
		   "Both signatures, the manifest, every chunk. Validity window, fleet, rollback floor "
		   "and\nversion are reported, and enforced with --policy.",
	.example = "tensorguard verify model.tgsp --trust ./keys/signing.pub",
};
