#include <tensorguard/build.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/inputfiles.h"
#include "cli/recorder.h"
#include "util/newfile.h"
#include "util/text.h"
#include "util/try.h"

struct build_opts {
	const char *input_dir, *out, *signing_key, *phrase_file, *require, *repro_file;
	const char *name, *version, *kind, *min_agent, *base, *prev;
	const char *provenance, *model_card, *policy, *preprocessing, *custom; /* files */
	struct tg_values recipients, fleets, delegates;
	int64_t created, not_before, not_after;
	bool has_created, has_before, has_after, allow_pickle, no_tensors, json;
	uint64_t rollback, threads;
	struct recorder rec;
};

/* ---- recipients ---- */

struct keys {
	struct tg_key *signer;
	const struct tg_key *to[TG_MAX_RECIPIENTS];
	size_t n;
	struct tg_key *fresh;               /* an identity made for this package, not yet saved */
	char fresh_priv[4096], fresh_pub[4096];
};

static void
keys_done(struct keys *k)
{
	tg_key_free(k->signer);
	for (size_t i = 0; i < k->n; i++)
		tg_key_free((struct tg_key *)(uintptr_t)k->to[i]);
}

/* "FOLDER/NAME" beside the signing key. */
static tg_status
beside(const char *path, const char *name, char ret[static 4096], struct tg_error *err)
{
	const char *slash = strrchr(path, '/');
	const int n = slash == NULL ? 0 : (int)(slash - path) + 1;

	TG_REQUIRE(snprintf(ret, 4096, "%.*s%s", n, path, name) < 4096, err, TG_E_LIMIT,
	    "%s: path too long", path);
	return TG_OK;
}

/* No --recipient: the encryption identity beside the signing key, or a fresh one there. */
static tg_status
default_recipient(const char *signing_key, struct keys *k, struct tg_error *err)
{
	struct tg_key *key = NULL;

	TG_TRY(beside(signing_key, "encryption.pub", k->fresh_pub, err));
	TG_TRY(beside(signing_key, "encryption.priv", k->fresh_priv, err));
	if (tg_file_exists(k->fresh_pub)) {
		TG_TRY(tg_cli_key(k->fresh_pub, TG_KEY_ENCRYPTION, false, NULL, &key, err));
		tg_note("no --recipient: encrypting to %s", k->fresh_pub);
	} else {
		TG_REQUIRE(!tg_file_exists(k->fresh_priv), err, TG_E_CONFLICT,
		    "no --recipient, and %s stands without its .pub: name a recipient", k->fresh_priv);
		TG_TRY(tg_key_generate(TG_KEY_ENCRYPTION, time(NULL), &key, err));
		k->fresh = key;
	}
	k->to[k->n++] = key;
	return TG_OK;
}

static tg_status
load_keys(const struct build_opts *o, struct keys *k, struct tg_error *err)
{
	TG_TRY(tg_cli_key(o->signing_key, TG_KEY_SIGNING, true, o->phrase_file, &k->signer, err));
	if (o->recipients.n == 0)
		return default_recipient(o->signing_key, k, err);
	TG_REQUIRE(o->recipients.n <= TG_MAX_RECIPIENTS, err, TG_E_LIMIT,
	    "%zu recipients, at most %u allowed", o->recipients.n, TG_MAX_RECIPIENTS);
	for (size_t i = 0; i < o->recipients.n; i++) {
		struct tg_key *key = NULL;

		TG_TRY(tg_cli_key(o->recipients.at[i], TG_KEY_ENCRYPTION, false, NULL, &key, err));
		k->to[k->n++] = key;
	}
	return TG_OK;
}

/* Before the package gets its name: never one that nobody can open. */
static tg_status
save_fresh(const struct build_opts *o, const struct keys *k, struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *phrase = NULL;

	if (k->fresh == NULL)
		return TG_OK;
	if (o->phrase_file != NULL)
		TG_TRY(tg_phrase_read_file(o->phrase_file, &phrase, err));
	else if (tg_on_terminal())
		TG_TRY(tg_phrase_ask_new("new passphrase for the new encryption key", &phrase, err));
	TG_TRY(tg_key_save_private(k->fresh, k->fresh_priv, phrase, err));
	tg_status s = tg_key_save_public(k->fresh, k->fresh_pub, err);
	if (s != TG_OK) {
		(void)remove(k->fresh_priv);
		return s;
	}
	tg_note("no --recipient: made an encryption identity, %s and %s%s", k->fresh_priv, k->fresh_pub,
	    phrase == NULL ? " (unprotected: no terminal to ask for a passphrase)" : "");
	return TG_OK;
}

/* ---- the rest of the manifest ---- */

/* Texts that the spec borrows. */
struct texts {
	struct tg_buf json[5];
	uint8_t base[TG_HASH_LEN], prev[TG_HASH_LEN];
	uint8_t (*delegates)[TG_KEY_ID_LEN];
	uint64_t not_before, not_after;
	struct tg_secret *repro;
};

static void
texts_done(struct texts *t)
{
	for (size_t i = 0; i < TG_LEN(t->json); i++)
		tg_buf_done(&t->json[i]);
	free(t->delegates);
	tg_secret_free(t->repro);
}

static tg_status
read_json(const char *path, struct tg_buf *to, const char **ret, struct tg_error *err)
{
	if (path == NULL)
		return TG_OK;
	tg_buf_init(to, TG_MAX_TGSP_MANIFEST);
	TG_TRY(tg_file_read(path, to, err));
	TG_REQUIRE(to->n == 0 || memchr(to->p, 0, to->n) == NULL, err, TG_E_FORMAT,
	    "%s: a NUL byte in it, JSON expected", path);
	TG_REQUIRE(tg_buf_put_u8(to, 0) == TG_OK, err, TG_E_LIMIT, "%s: too long", path);
	*ret = (const char *)to->p;
	return TG_OK;
}

static tg_status
read_hash(const char *text, const char *what, uint8_t to[static TG_HASH_LEN], const uint8_t **ret,
    struct tg_error *err)
{
	if (text == NULL)
		return TG_OK;
	TG_REQUIRE(tg_hex_decode(to, TG_HASH_LEN, tg_bytes_str(text)), err, TG_E_USAGE,
	    "%s: 64 lower-case hex digits expected", what);
	*ret = to;
	return TG_OK;
}

static tg_status
read_delegates(const struct build_opts *o, struct texts *t, struct tg_build_spec *spec,
    struct tg_error *err)
{
	t->delegates = calloc(o->delegates.n + 1, sizeof(*t->delegates));
	TG_REQUIRE(t->delegates != NULL, err, TG_E_NOMEM, "build: out of memory");
	for (size_t i = 0; i < o->delegates.n; i++) {
		TG_AUTO(tg_key_freep) struct tg_key *k = NULL;

		TG_TRY(tg_cli_key(o->delegates.at[i], TG_KEY_SIGNING, false, NULL, &k, err));
		memcpy(t->delegates[i], tg_key_id(k), TG_KEY_ID_LEN);
	}
	spec->delegates = (const uint8_t (*)[TG_KEY_ID_LEN])t->delegates;
	spec->n_delegates = o->delegates.n;
	return TG_OK;
}

/* --created-at, else SOURCE_DATE_EPOCH, else a fixed time when reproducible, else now */
static tg_status
created_at(const struct build_opts *o, int64_t *ret, struct tg_error *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");

	*ret = o->has_created ? o->created : o->repro_file != NULL ? 1577836800 : time(NULL);
	if (o->has_created || epoch == NULL)
		return TG_OK;
	return tg_parse_time(epoch, "SOURCE_DATE_EPOCH", ret, err);
}

static tg_status
fill_spec(const struct build_opts *o, struct texts *t, struct tg_build_spec *s,
    struct tg_error *err)
{
	s->model_name = o->name;
	s->model_version = o->version;
	s->kind = o->kind;
	s->rollback_index = o->rollback;
	s->fleets = o->fleets.at;
	s->n_fleets = o->fleets.n;
	s->min_agent_version = o->min_agent;
	s->allow_code = o->allow_pickle;
	s->no_tensors = o->no_tensors;
	s->threads = (unsigned)o->threads;
	t->not_before = (uint64_t)o->not_before;
	t->not_after = (uint64_t)o->not_after;
	s->not_before = o->has_before ? &t->not_before : NULL;
	s->not_after = o->has_after ? &t->not_after : NULL;
	TG_REQUIRE(!o->has_before || !o->has_after || o->not_before <= o->not_after, err, TG_E_USAGE,
	    "--not-before is later than --not-after");
	TG_TRY(created_at(o, &s->created_at, err));
	TG_TRY(read_hash(o->base, "--base-model-sha256", t->base, &s->base_model_sha256, err));
	TG_TRY(read_hash(o->prev, "--prev-package", t->prev, &s->prev_package, err));
	TG_TRY(read_json(o->provenance, &t->json[0], &s->provenance, err));
	TG_TRY(read_json(o->model_card, &t->json[1], &s->model_card, err));
	TG_TRY(read_json(o->policy, &t->json[2], &s->policy, err));
	TG_TRY(read_json(o->preprocessing, &t->json[3], &s->preprocessing, err));
	TG_TRY(read_json(o->custom, &t->json[4], &s->custom, err));
	return read_delegates(o, t, s, err);
}

/* Exactly 32 raw bytes that nobody else can read. */
static tg_status
read_repro(const char *path, struct texts *t, struct tg_build_spec *spec, struct tg_error *err)
{
	TG_AUTO(tg_file_closep) struct tg_file *f = NULL;
	struct stat st;

	if (path == NULL)
		return TG_OK;
	TG_TRY(tg_file_open(path, &f, err));
	const struct tg_source src = tg_file_source(f);
	TG_REQUIRE(src.size == TG_HASH_LEN, err, TG_E_FORMAT, "%s: %llu bytes, exactly 32 expected", path,
	    (unsigned long long)src.size);
	TG_REQUIRE(fstat(tg_file_fd(f), &st) == 0 && (st.st_mode & 077) == 0, err, TG_E_POLICY,
	    "%s: others can read it; it decrypts every package built with it (chmod 600)", path);
	TG_TRY(tg_secret_new(TG_HASH_LEN, &t->repro, err));
	TG_TRY(src.read_at(src.ctx, tg_secret_bytes(t->repro), TG_HASH_LEN, 0, err));
	spec->reproducible = t->repro;
	return TG_OK;
}

/* ---- the verb ---- */

static tg_status
report(const struct build_opts *o, const struct tg_build_spec *spec,
    const struct tg_build_result *r, struct tg_error *err)
{
	char package[2 * TG_HASH_LEN + 1], content[2 * TG_HASH_LEN + 1], size[24], plain[24];
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;

	tg_hex_encode(package, (tg_bytes){ r->package_hash, TG_HASH_LEN });
	tg_hex_encode(content, (tg_bytes){ r->content_hash, TG_HASH_LEN });
	if (!o->json) {
		tg_print_text(stdout, o->out);
		printf(": %s, %zu file%s of %s, %zu recipient%s, %zu tensor%s\n"
		       "  package_hash  %s\n  content_hash  %s\n",
		    tg_human_size(r->package_size, size), spec->n_inputs, TG_S(spec->n_inputs),
		    tg_human_size(r->plain_len, plain), r->recipients, TG_S(r->recipients), r->tensors,
		    TG_S(r->tensors), package, content);
		return TG_OK;
	}
	j = tg_json_new_object();
	TG_REQUIRE(j != NULL &&
		tg_json_set(j, "content_hash", tg_json_new_str(tg_bytes_str(content))) == TG_OK &&
		tg_json_set(j, "package_hash", tg_json_new_str(tg_bytes_str(package))) == TG_OK &&
		tg_json_set(j, "files", tg_json_new_int((int64_t)spec->n_inputs)) == TG_OK &&
		tg_json_set(j, "plain_len", tg_json_new_int((int64_t)r->plain_len)) == TG_OK &&
		tg_json_set(j, "package_size", tg_json_new_int((int64_t)r->package_size)) == TG_OK &&
		tg_json_set(j, "recipients", tg_json_new_int((int64_t)r->recipients)) == TG_OK &&
		tg_json_set(j, "tensors", tg_json_new_int((int64_t)r->tensors)) == TG_OK &&
		tg_json_set(j, "tensors_skipped", tg_json_new_int((int64_t)r->tensors_skipped)) == TG_OK,
	    err, TG_E_NOMEM, "build: out of memory");
	return tg_print_json(j, err);
}

/* The package is complete, and about to get its name. */
static tg_status
record(struct build_opts *o, const struct tg_build_spec *spec, const struct tg_build_result *r,
    const struct tg_newfile *out, struct tg_error *err)
{
	TG_TRY(recorder_new_package(&o->rec, out, err));
	recorder_number(&o->rec, "metrics", "plain_len", (int64_t)r->plain_len);
	recorder_number(&o->rec, "metrics", "files", (int64_t)spec->n_inputs);
	recorder_number(&o->rec, "metrics", "tensors", (int64_t)r->tensors);
	recorder_number(&o->rec, "metrics", "recipients", (int64_t)r->recipients);
	return recorder_success(&o->rec, "TGSP_BUILT", err);
}

static void
tell(struct build_opts *o)
{
	recorder_text(&o->rec, "subject", "tgsp_ref", o->out);
	recorder_text(&o->rec, "subject", "model_ref", o->name == NULL ? "unknown" : o->name);
	recorder_text(&o->rec, "subject", "model_version", o->version == NULL ? "1.0.0" : o->version);
}

static tg_status
build(struct build_opts *o, struct tg_build_spec *spec, struct tg_build_result *ret,
    struct tg_error *err)
{
	TG_AUTO(inputfiles_done) struct inputfiles in = { .at = NULL };
	TG_AUTO(keys_done) struct keys keys = { .n = 0 };
	TG_AUTO(texts_done) struct texts texts = { .delegates = NULL };
	TG_AUTO(tg_newfile_closep) struct tg_newfile *out = NULL;
	struct tg_progress_line line;

	TG_TRY(tg_require(o->require, err));
	TG_TRY(fill_spec(o, &texts, spec, err));
	TG_TRY(inputfiles_list(o->input_dir, o->out, &in, err));
	TG_TRY(load_keys(o, &keys, err));
	recorder_id(&o->rec, "subject", "key_id", tg_key_id(keys.signer));
	TG_TRY(read_repro(o->repro_file, &texts, spec, err));
	spec->inputs = in.rows;
	spec->n_inputs = in.n;
	spec->signer = keys.signer;
	spec->recipients = keys.to;
	spec->n_recipients = keys.n;
	TG_TRY(tg_newfile_create_path(o->out, 0644, &out, err));
	const struct tg_target target = tg_newfile_target(out);
	spec->progress = tg_progress_start(&line, "building");
	tg_status s = tg_build(spec, &target, ret, err);
	tg_progress_end(&line);
	TG_TRY(s);
	TG_TRY(record(o, spec, ret, out, err));
	TG_TRY(save_fresh(o, &keys, err));
	return tg_newfile_commit(out, true, err);
}

static void
opts_done(struct build_opts *o)
{
	recorder_done(&o->rec);
}

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	TG_AUTO(opts_done) struct build_opts o = { .input_dir = NULL };
	struct tg_build_spec spec = { .n_inputs = 0 };
	struct tg_build_result result;
	const struct tg_opt opts[] = {
		{ "input-dir", TG_OPT_STRING, &o.input_dir, NULL, "DIR", "the files to package" },
		{ "out", TG_OPT_STRING, &o.out, NULL, "FILE.tgsp", "the package; replaced when complete" },
		{ "signing-key", TG_OPT_STRING, &o.signing_key, NULL, "FILE.priv", "the author's key" },
		{ "recipient", TG_OPT_LIST, &o.recipients, NULL, "FILE.pub",
		    "who can open it; may be repeated" },
		{ "model-name", TG_OPT_STRING, &o.name, NULL, "NAME", "default: unknown" },
		{ "model-version", TG_OPT_STRING, &o.version, NULL, "VERSION", "default: 1.0.0" },
		{ "kind", TG_OPT_STRING, &o.kind, NULL, "KIND", "model (default), adapter or update" },
		{ "rollback-index", TG_OPT_UINT, &o.rollback, NULL, "N",
		    "readers refuse less than they had (default 0)" },
		{ "not-before", TG_OPT_TIME, &o.not_before, &o.has_before, "TIME",
		    "first second it may be opened" },
		{ "not-after", TG_OPT_TIME, &o.not_after, &o.has_after, "TIME", "the last one" },
		{ "target-fleet", TG_OPT_LIST, &o.fleets, NULL, "NAME",
		    "only for this fleet; may be repeated" },
		{ "min-agent-version", TG_OPT_STRING, &o.min_agent, NULL, "X.Y.Z",
		    "readers older than this refuse it" },
		{ "delegate", TG_OPT_LIST, &o.delegates, NULL, "FILE.pub",
		    "may re-sign the recipients; may be repeated" },
		{ "base-model-sha256", TG_OPT_STRING, &o.base, NULL, "HEX", "what an adapter is for" },
		{ "prev-package", TG_OPT_STRING, &o.prev, NULL, "HEX", "package_hash of the predecessor" },
		{ "provenance", TG_OPT_STRING, &o.provenance, NULL, "FILE.json", "signed along" },
		{ "model-card", TG_OPT_STRING, &o.model_card, NULL, "FILE.json", "signed along" },
		{ "policy", TG_OPT_STRING, &o.policy, NULL, "FILE.json", "signed along" },
		{ "preprocessing", TG_OPT_STRING, &o.preprocessing, NULL, "FILE.json", "signed along" },
		{ "custom", TG_OPT_STRING, &o.custom, NULL, "FILE.json", "signed along" },
		{ "created-at", TG_OPT_TIME, &o.created, &o.has_created, "TIME",
		    "default: SOURCE_DATE_EPOCH, else now" },
		{ "reproducible", TG_OPT_STRING, &o.repro_file, NULL, "FILE",
		    "32 secret bytes: same input, same package" },
		{ "allow-pickle", TG_OPT_FLAG, &o.allow_pickle, NULL, NULL,
		    "package files that run code when loaded" },
		{ "no-tensors", TG_OPT_FLAG, &o.no_tensors, NULL, NULL, "leave the tensor table out" },
		{ "passphrase-file", TG_OPT_STRING, &o.phrase_file, NULL, "FILE",
		    "for the signing key, the first line of FILE" },
		{ "threads", TG_OPT_UINT, &o.threads, NULL, "N", "default: all cores" },
		TG_OPT_REQUIRE(&o.require),
		RECORDER_OPTS(&o.rec),
		{ "json", TG_OPT_FLAG, &o.json, NULL, NULL, "report as JSON" },
	};
	size_t words = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(&tg_cmd_build, argc, argv, opts, TG_LEN(opts), NULL, 0, &words, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(o.input_dir != NULL, err, TG_E_USAGE, "--input-dir DIR is needed");
	TG_REQUIRE(o.out != NULL, err, TG_E_USAGE, "--out FILE.tgsp is needed");
	TG_REQUIRE(o.signing_key != NULL, err, TG_E_USAGE,
	    "--signing-key FILE.priv is needed ('tensorguard keygen' makes one)");
	TG_REQUIRE(o.threads <= TG_MAX_THREADS, err, TG_E_USAGE, "--threads: at most %u",
	    TG_MAX_THREADS);
	TG_TRY(recorder_start(&o.rec, err));
	tell(&o);
	tg_status s = build(&o, &spec, &result, err);
	if (s != TG_OK)
		return recorder_failure(&o.rec, "TGSP_BUILD_FAILED", s, err);
	return report(&o, &spec, &result, err);
}

const struct tg_cmd tg_cmd_build = {
	.name = "build",
	.run = run,
	.synopsis = "--input-dir DIR --out FILE.tgsp --signing-key FILE.priv [OPTION...]",
	.summary = "seal a folder into a signed, encrypted package\n"
		   "Without --recipient it is encrypted to encryption.pub beside the signing key; "
		   "if there is\nnone, that identity is made there first. Files that run code when "
		   "loaded are refused.",
	.example = "tensorguard build --input-dir ./my_model_v1 --out ./my_model_v1.tgsp "
		   "--signing-key ./keys/signing.priv --model-name \"perception-net\"",
};
