/* evidence checkpoint: sign what is there, ask the witnesses, hand it out. */
#include <time.h>

#include "cli/evidence.h"
#include "evidence/recover.h"
#include "util/file.h"
#include "util/try.h"

struct checkpoint_opts {
	const char *key, *phrase_file, *policy, *out, *require;
	bool print, json, newest;
	uint64_t timeout;
};

/* ---- the verb ---- */

/* Origin, size, root and the Ed25519 line: what fits into a QR code, or onto paper. */
static tg_status
print_short(tg_bytes note, struct tg_error *err)
{
	struct tg_note n;
	struct tg_buf text = { .max = 4096 };
	tg_status s = tg_note_parse(note, "checkpoint", &n, err);

	if (s != TG_OK)
		return s;
	s = tg_buf_put(&text, n.text.p, n.text.n);
	if (s == TG_OK)
		s = tg_buf_put_u8(&text, '\n');
	for (size_t i = 0; s == TG_OK && i < n.n; i++) {
		char name[TG_NOTE_NAME_MAX + 1];

		if (n.line[i].sig.n != TG_ED25519_SIG_LEN)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)n.line[i].name.n,
		    (const char *)n.line[i].name.p);
		s = tg_note_put_line(&text, name, n.line[i].id, n.line[i].sig);
		break;
	}
	tg_note_done(&n);
	if (s == TG_OK)
		s = put_text(NULL, tg_buf_view(&text), err);
	tg_buf_done(&text);
	return s;
}

static tg_status
report(const struct checkpoint_opts *o, const struct elog *e, tg_bytes note, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;
	TG_AUTO(tg_note_done) struct tg_note n = { .n = 0 };
	struct tg_checkpoint c;

	TG_TRY(tg_note_parse(note, "checkpoint", &n, err));
	TG_TRY(tg_checkpoint_parse(n.text, "checkpoint", &c, err));
	if (o->out != NULL)
		TG_TRY(put_text(o->out, note, err));
	if (o->print)
		return print_short(note, err);
	if (!o->json) {
		if (o->out == NULL || strcmp(o->out, "-") != 0) {
			tg_print_text(stdout, e->dir);
			printf(": checkpoint of %llu record%s; keep a copy elsewhere ('--print' "
			       "gives a short one)\n",
			    (unsigned long long)c.size, TG_S(c.size));
		}
		return TG_OK;
	}
	j = tg_json_new_object();
	TG_REQUIRE(j != NULL &&
		tg_json_set(j, "origin", tg_json_new_str(tg_bytes_str(c.origin))) == TG_OK &&
		tg_json_set(j, "size", tg_json_new_int((int64_t)c.size)) == TG_OK &&
		tg_json_set(j, "root", tg_json_new_hex((tg_bytes){ c.root, 32 })) == TG_OK &&
		tg_json_set(j, "note", tg_json_new_str(note)) == TG_OK,
	    err, TG_E_NOMEM, "evidence: out of memory");
	return tg_print_json(j, err);
}

/* The log is closed again before witnesses are asked: others wait for it. */
static tg_status
sign(const struct checkpoint_opts *o, const char *dir, struct tg_buf *note, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog e = { .dir = NULL };
	TG_AUTO(tg_key_freep) struct tg_key *key = NULL;
	const struct tg_sink to = buf_sink(note);
	struct tg_error why = TG_ERROR_INIT;
	char path[ELOG_PATH_MAX];

	TG_TRY(elog_key_path(dir, path, err));
	TG_REQUIRE(o->key != NULL || tg_file_exists(path), err, TG_E_NOTFOUND,
	    "%s: not there: --log-key FILE.priv names the log's key", path);
	TG_TRY(tg_cli_key(
	    o->key == NULL ? path : o->key, TG_KEY_CHECKPOINT, true, o->phrase_file, &key, err));
	TG_TRY(elog_find(&e, dir, false, err));
	TG_TRY(elog_append(&e, NULL, err));
	const tg_status s = tg_log_checkpoint(e.log, key, time(NULL), &to, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", dir, why.text);
	return TG_OK;
}

static tg_status
checkpoint(const struct checkpoint_opts *o, const char *dir, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog e = { .dir = NULL };
	TG_AUTO(tg_buf_done) struct tg_buf note = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_log_policy_freep) struct tg_log_policy *policy = NULL;

	TG_TRY(tg_require(o->require, err));
	if (o->policy != NULL)
		TG_TRY(policy_load(o->policy, &policy, err));
	TG_TRY(elog_find_log(&e, dir, err));
	TG_TRY(o->newest ? elog_checkpoint(&e, &note, err) : sign(o, dir, &note, err));
	if (policy != NULL) {
		const struct cosigning c = { &e, policy, (unsigned)o->timeout };

		TG_TRY(cosign(&c, &note, err));
	}
	return report(o, &e, tg_buf_view(&note), err);
}

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	struct checkpoint_opts o = { .timeout = 10 };
	const struct tg_opt opts[] = {
		{ "log-key", TG_OPT_STRING, &o.key, NULL, "FILE.priv",
		    "the log's key (default: DIR/log.priv)" },
		{ "passphrase-file", TG_OPT_STRING, &o.phrase_file, NULL, "FILE",
		    "its passphrase, the first line of FILE" },
		{ "policy", TG_OPT_STRING, &o.policy, NULL, "FILE",
		    "ask the witnesses that this policy has URLs of, and insist on its quorum" },
		{ "timeout", TG_OPT_UINT, &o.timeout, NULL, "SECONDS",
		    "for each witness (default 10)" },
		{ "newest", TG_OPT_FLAG, &o.newest, NULL, NULL,
		    "take the newest one instead of signing another" },
		{ "out", TG_OPT_STRING, &o.out, NULL, "FILE",
		    "write the note there; - is standard output" },
		{ "print", TG_OPT_FLAG, &o.print, NULL, NULL,
		    "print it short enough for a QR code: with the Ed25519 line alone" },
		TG_OPT_REQUIRE(&o.require),
		{ "json", TG_OPT_FLAG, &o.json, NULL, NULL, "report as JSON" },
	};
	const char *words[1];
	size_t n = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(
	    &tg_cmd_evidence_checkpoint, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == 1, err, TG_E_USAGE,
	    "a log's folder is needed (try 'tensorguard evidence checkpoint -h')");
	TG_REQUIRE(
	    o.timeout > 0 && o.timeout <= 3600, err, TG_E_USAGE, "--timeout: 1 ... 3600 expected");
	TG_REQUIRE(!o.print || !o.json, err, TG_E_USAGE, "--print and --json exclude each other");
	return checkpoint(&o, words[0], err);
}

const struct tg_cmd tg_cmd_evidence_checkpoint = {
	.name = "evidence checkpoint",
	.run = run,
	.synopsis = "DIR [OPTION...]",
	.summary = "sign the log as it is now, and have witnesses cosign it\n"
		   "Records cut off the end of a log are only missed by somebody who has a "
		   "checkpoint that "
		   "covers\nthem: keep it elsewhere.",
	.example = "tensorguard evidence checkpoint ./log --print",
};
