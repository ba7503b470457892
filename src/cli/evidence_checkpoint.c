/* evidence checkpoint: sign what is there, ask the witnesses, hand it out. */
#include <stdlib.h>
#include <time.h>

#include "cli/evidence.h"
#include "evidence/recover.h"
#include "evidence/witness.h"
#include "net/client.h"
#include "util/try.h"

struct checkpoint_opts {
	const char *key, *phrase_file, *policy, *out, *require;
	bool print, json, newest;
	uint64_t timeout;
};

/* ---- one witness ---- */

struct asking {
	const struct checkpoint_opts *o;
	const struct elog *e;
	const struct tg_log_policy *policy;
	struct tg_checkpoint c;
	tg_bytes note; /* as the log has signed it */
};

static tg_status
request(const struct asking *a, uint64_t old, struct tg_buf *out, struct tg_error *err)
{
	struct tg_treefile tree;
	struct tg_path path = { .n = 0 };

	TG_REQUIRE(old <= a->c.size, err, TG_E_AUTH,
	    "it has seen %llu records of this log, which has %llu: the log was cut, or there are two",
	    (unsigned long long)old, (unsigned long long)a->c.size);
	TG_TRY(tg_treefile_open(&tree, a->e->files, false, a->c.size, err));
	const struct tg_hashes h = tg_treefile_hashes(&tree);
	const tg_status s = tg_proof_consistency(&h, old, a->c.size, &path, err);
	tg_treefile_close(&tree);
	TG_TRY(s);
	return tg_witness_request(old, &path, a->note, out, err);
}

static tg_status
post(const struct asking *a, const char *url, uint64_t old, struct tg_http_response *ret,
    struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf body = { .max = 2 * TG_MAX_NOTE };
	const struct tg_http_limits limits = { .max_reply = TG_MAX_NOTE, .seconds = (unsigned)a->o->timeout };
	char full[2048];

	const size_t n = strlen(url);
	TG_REQUIRE(snprintf(full, sizeof(full), "%s%sadd-checkpoint", url, n > 0 && url[n - 1] == '/' ? "" : "/") <
		(int)sizeof(full),
	    err, TG_E_LIMIT, "URL too long");
	TG_TRY(request(a, old, &body, err));
	return tg_http_request(full, "POST", "text/plain; charset=utf-8", tg_buf_view(&body), &limits, ret, err);
}

/* What it has seen, from the body of a 409. */
static tg_status
seen_size(const struct tg_http_response *r, uint64_t *ret, struct tg_error *err)
{
	char text[24] = "";

	TG_REQUIRE(r->body.n > 1 && r->body.n < sizeof(text) && r->body.p[r->body.n - 1] == '\n', err,
	    TG_E_FORMAT, "its 409 names no size");
	memcpy(text, r->body.p, r->body.n - 1);
	return tg_parse_uint(text, "its 409", TG_MAX_JSON_INT, ret, err);
}

/* First with nothing, which says what it has; then from there. Appends its lines. */
static tg_status
ask(const struct asking *a, const char *url, struct tg_buf *lines, struct tg_error *err)
{
	TG_AUTO(tg_http_response_done) struct tg_http_response r = { .status = 0 };
	uint64_t old = 0;

	for (int attempt = 0; attempt < 3; attempt++) {
		tg_http_response_done(&r);
		TG_TRY(post(a, url, old, &r, err));
		if (r.status != 409)
			break;
		TG_TRY(seen_size(&r, &old, err));
	}
	TG_REQUIRE(r.status == 200, err,
	    r.status == 403 || r.status == 404 || r.status == 422 ? TG_E_AUTH : TG_E_IO, "HTTP status %u%s",
	    r.status,
	    r.status == 404	  ? ": it does not know this log"
		: r.status == 403 ? ": it does not accept the log's signature"
		: r.status == 422 ? ": the log does not extend what it has seen"
				  : "");
	return tg_witness_accept(a->policy, &a->c, a->note, tg_buf_view(&r.body), lines, err);
}

/* ---- all of them ---- */

static bool
asked_before(const struct tg_log_policy *p, size_t i, const char *url)
{
	for (size_t j = 0; j < i; j++) {
		const char *other = tg_log_policy_witness(p, j).url;

		if (other != NULL && strcmp(other, url) == 0)
			return true;
	}
	return false;
}

static tg_status
store(const struct asking *a, const struct tg_buf *note, struct tg_error *err)
{
	char name[TG_SEGMENT_NAME_MAX];

	tg_checkpoint_name(name, a->c.size);
	TG_TRY(a->e->files->replace(a->e->files->ctx, name, note->p, note->n, err));
	return a->e->files->replace(a->e->files->ctx, "checkpoint", note->p, note->n, err);
}

/* A witness that does not answer is no failure as long as the policy's quorum is met. */
static tg_status
gather(struct asking *a, struct tg_buf *note, struct tg_error *err)
{
	struct tg_checkpoint c;
	struct tg_error why = TG_ERROR_INIT;
	tg_status first = TG_OK;

	for (size_t i = 0; i < tg_log_policy_witnesses(a->policy); i++) {
		const struct tg_log_policy_witness w = tg_log_policy_witness(a->policy, i);
		struct tg_buf lines = { .max = TG_MAX_NOTE };

		if (w.url == NULL || asked_before(a->policy, i, w.url))
			continue;
		tg_status s = ask(a, w.url, &lines, &why);
		if (s == TG_OK)
			s = tg_buf_put(note, lines.p, lines.n);
		else
			tg_note("witness %s: %s", w.name, why.text);
		if (s != TG_OK && first == TG_OK)
			first = s;
		tg_buf_done(&lines);
	}
	TG_TRY(store(a, note, err));
	const tg_status s = tg_log_policy_check(a->policy, tg_buf_view(note), "checkpoint", true, &c, &why);
	TG_REQUIRE(s == TG_OK, err, first == TG_OK ? s : first, "the checkpoint is signed, but: %s", why.text);
	return TG_OK;
}

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
		(void)snprintf(name, sizeof(name), "%.*s", (int)n.line[i].name.n, (const char *)n.line[i].name.p);
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
report(const struct checkpoint_opts *o, const struct elog *e, tg_bytes note,
    const struct tg_checkpoint *c, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;

	if (o->out != NULL)
		TG_TRY(put_text(o->out, note, err));
	if (o->print)
		return print_short(note, err);
	if (!o->json) {
		if (o->out == NULL || strcmp(o->out, "-") != 0) {
			tg_print_text(stdout, e->dir);
			printf(": checkpoint of %llu records; keep a copy elsewhere ('--print' gives a short one)\n",
			    (unsigned long long)c->size);
		}
		return TG_OK;
	}
	j = tg_json_new_object();
	TG_REQUIRE(j != NULL && tg_json_set(j, "origin", tg_json_new_str(tg_bytes_str(c->origin))) == TG_OK &&
		tg_json_set(j, "size", tg_json_new_int((int64_t)c->size)) == TG_OK &&
		tg_json_set(j, "root", tg_json_new_hex((tg_bytes){ c->root, 32 })) == TG_OK &&
		tg_json_set(j, "note", tg_json_new_str(note)) == TG_OK,
	    err, TG_E_NOMEM, "evidence: out of memory");
	return tg_print_json(j, err);
}

static tg_status
sign(const struct checkpoint_opts *o, struct elog *e, struct tg_error *err)
{
	TG_AUTO(tg_key_freep) struct tg_key *key = NULL;
	struct tg_error why = TG_ERROR_INIT;
	char path[4096];

	TG_REQUIRE(snprintf(path, sizeof(path), "%s/log.priv", e->dir) < (int)sizeof(path), err, TG_E_LIMIT,
	    "%s: path too long", e->dir);
	TG_TRY(tg_cli_key(o->key == NULL ? path : o->key, TG_KEY_CHECKPOINT, true, o->phrase_file, &key, err));
	TG_TRY(elog_append(e, NULL, err));
	const tg_status s = tg_log_checkpoint(e->log, key, time(NULL), NULL, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", e->dir, why.text);
	return TG_OK;
}

static tg_status
checkpoint(const struct checkpoint_opts *o, const char *dir, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog e = { .dir = NULL };
	TG_AUTO(tg_buf_done) struct tg_buf note = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_buf_done) struct tg_buf all = { .max = TG_MAX_NOTE };
	TG_AUTO(tg_log_policy_freep) struct tg_log_policy *policy = NULL;
	struct asking a = { .o = o, .e = &e };

	TG_TRY(tg_require(o->require, err));
	if (o->policy != NULL)
		TG_TRY(policy_load(o->policy, &policy, err));
	TG_TRY(elog_find(&e, dir, false, err));
	if (!o->newest)
		TG_TRY(sign(o, &e, err));
	TG_TRY(tg_checkpoint_newest(e.files, &note, &a.c, err));
	TG_REQUIRE(tg_buf_put(&all, note.p, note.n) == TG_OK, err, TG_E_NOMEM, "evidence: out of memory");
	if (policy != NULL) {
		a.policy = policy;
		a.note = tg_buf_view(&note);
		TG_TRY(gather(&a, &all, err));
	}
	return report(o, &e, tg_buf_view(&all), &a.c, err);
}

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	struct checkpoint_opts o = { .timeout = 10 };
	const struct tg_opt opts[] = {
		{ "log-key", TG_OPT_STRING, &o.key, NULL, "FILE.priv", "the log's key (default: DIR/log.priv)" },
		{ "passphrase-file", TG_OPT_STRING, &o.phrase_file, NULL, "FILE",
		    "its passphrase, the first line of FILE" },
		{ "policy", TG_OPT_STRING, &o.policy, NULL, "FILE",
		    "ask the witnesses that this policy has URLs of, and insist on its quorum" },
		{ "timeout", TG_OPT_UINT, &o.timeout, NULL, "SECONDS", "for each witness (default 10)" },
		{ "newest", TG_OPT_FLAG, &o.newest, NULL, NULL, "take the newest one instead of signing another" },
		{ "out", TG_OPT_STRING, &o.out, NULL, "FILE", "write the note there; - is standard output" },
		{ "print", TG_OPT_FLAG, &o.print, NULL, NULL,
		    "print it short enough for a QR code: with the Ed25519 line alone" },
		TG_OPT_REQUIRE(&o.require),
		{ "json", TG_OPT_FLAG, &o.json, NULL, NULL, "report as JSON" },
	};
	const char *words[1];
	size_t n = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(&tg_cmd_evidence_checkpoint, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help,
	    err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == 1, err, TG_E_USAGE,
	    "a log's folder is needed (try 'tensorguard evidence checkpoint -h')");
	TG_REQUIRE(o.timeout > 0 && o.timeout <= 3600, err, TG_E_USAGE, "--timeout: 1 ... 3600 expected");
	TG_REQUIRE(!o.print || !o.json, err, TG_E_USAGE, "--print and --json exclude each other");
	return checkpoint(&o, words[0], err);
}

const struct tg_cmd tg_cmd_evidence_checkpoint = {
	.name = "evidence checkpoint",
	.run = run,
	.synopsis = "DIR [OPTION...]",
	.summary = "sign the log as it is now, and have witnesses cosign it\n"
		   "Records cut off the end of a log are only missed by somebody who has a checkpoint that "
		   "covers\nthem: keep it elsewhere.",
	.example = "tensorguard evidence checkpoint ./log --print",
};
