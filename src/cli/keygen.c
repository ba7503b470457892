#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/cli.h"
#include "crypto/key.h"
#include "crypto/rng.h"
#include "util/newfile.h"
#include "util/text.h"
#include "util/try.h"
#include "util/wipe.h"

struct keygen {
	const char *type, *out, *phrase_file;
	bool no_phrase, json;
	const char *require;
};

/* Make the folder and its parents. */
static tg_status
make_folder(const char *path, struct tg_error *err)
{
	char *copy = strdup(path);
	int bad = 0;

	TG_REQUIRE(copy != NULL, err, TG_E_NOMEM, "keygen: out of memory");
	for (char *p = copy + 1; bad == 0 && *p != '\0'; p++)
		if (*p == '/') {
			*p = '\0';
			bad = mkdir(copy, 0755) != 0 && errno != EEXIST;
			*p = '/';
		}
	if (bad == 0)
		bad = mkdir(copy, 0755) != 0 && errno != EEXIST;
	free(copy);
	TG_REQUIRE(bad == 0, err, TG_E_IO, "%s: cannot make the folder: %m", path);
	return TG_OK;
}

struct paths {
	char private[4096], public[4096];
};

/* What --type makes, one pair of files a row; "both" is the first two. */
static const struct kind {
	const char *name; /* of the type, and of the files */
	enum tg_key_use use;
	bool of_both;
} kinds[] = {
	{ "signing", TG_KEY_SIGNING, true },
	{ "encryption", TG_KEY_ENCRYPTION, true },
	{ "log", TG_KEY_CHECKPOINT, false },
	{ "witness", TG_KEY_CHECKPOINT, false },
};

static bool
is_wanted(const struct keygen *o, const struct kind *k)
{
	return strcmp(o->type, k->name) == 0 || (k->of_both && strcmp(o->type, "both") == 0);
}

static tg_status
key_paths(const char *folder, const char *name, struct paths *ret, struct tg_error *err)
{
	TG_REQUIRE((size_t)snprintf(ret->private, sizeof(ret->private), "%s/%s.priv", folder,
		       name) < sizeof(ret->private) &&
		(size_t)snprintf(ret->public, sizeof(ret->public), "%s/%s.pub", folder, name) <
		    sizeof(ret->public),
	    err, TG_E_LIMIT, "%s: path too long", folder);
	return TG_OK;
}

static tg_status
must_be_new(const struct paths *p, struct tg_error *err)
{
	TG_REQUIRE(!tg_file_exists(p->private), err, TG_E_CONFLICT,
	    "%s: exists already; keys are never overwritten", p->private);
	TG_REQUIRE(!tg_file_exists(p->public), err, TG_E_CONFLICT,
	    "%s: exists already; keys are never overwritten", p->public);
	return TG_OK;
}

static tg_status
report(const struct tg_key *k, const struct paths *p, bool json, struct tg_error *err)
{
	char id[2 * TG_KEY_ID_LEN + 1];
	TG_AUTO(tg_json_freep) struct tg_json *o = NULL;

	tg_hex_encode(id, (tg_bytes){ tg_key_id(k), TG_KEY_ID_LEN });
	if (!json) {
		printf("%s key %s\n  private  %s\n  public   %s\n", tg_key_alg(k), id, p->private,
		    p->public);
		return TG_OK;
	}
	o = tg_json_new_object();
	TG_REQUIRE(o != NULL &&
		tg_json_set(o, "alg", tg_json_new_str(tg_bytes_str(tg_key_alg(k)))) == TG_OK &&
		tg_json_set(o, "key_id", tg_json_new_str(tg_bytes_str(id))) == TG_OK &&
		tg_json_set(o, "private", tg_json_new_shown(p->private)) == TG_OK &&
		tg_json_set(o, "public", tg_json_new_shown(p->public)) == TG_OK,
	    err, TG_E_NOMEM, "keygen: out of memory");
	return tg_print_json(o, err);
}

static tg_status
make_key(const struct keygen *o, const struct kind *kind, const struct tg_secret *phrase,
    struct tg_error *err)
{
	TG_AUTO(tg_key_freep) struct tg_key *k = NULL;
	struct paths p;

	TG_TRY(key_paths(o->out, kind->name, &p, err));
	TG_TRY(tg_key_generate(kind->use, time(NULL), &k, err));
	TG_TRY(tg_key_save_private(k, p.private, phrase, err));
	tg_status s = tg_key_save_public(k, p.public, err);
	if (s != TG_OK) {
		(void)remove(p.private); /* just written, and useless alone */
		return s;
	}
	return report(k, &p, o->json, err);
}

/* 32 raw bytes for reproducible builds: DIR/repro.key, 0600. */
static tg_status
make_repro(const struct keygen *o, struct tg_error *err)
{
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = NULL;
	TG_AUTO(tg_key32_done) struct tg_key32 key = { { 0 } };
	char path[4096];

	TG_REQUIRE(o->phrase_file == NULL, err, TG_E_USAGE,
	    "a key for reproducible builds is 32 raw bytes: no passphrase can protect it");
	TG_REQUIRE((size_t)snprintf(path, sizeof(path), "%s/repro.key", o->out) < sizeof(path), err,
	    TG_E_LIMIT, "%s: path too long", o->out);
	TG_TRY(make_folder(o->out, err));
	TG_TRY(tg_random(key.b, sizeof(key.b), err));
	TG_TRY(tg_newfile_create_path(path, 0600, &f, err));
	const struct tg_sink to = tg_newfile_sink(f);
	TG_TRY(to.write(to.ctx, key.b, sizeof(key.b), err));
	TG_TRY(tg_newfile_commit(f, false, err));
	tg_note("%s decrypts every package built with it: keep it as a private key", path);
	if (!o->json) {
		printf("key for reproducible builds\n  private  %s\n", path);
		return TG_OK;
	}
	TG_AUTO(tg_json_freep) struct tg_json *j = tg_json_new_object();
	TG_REQUIRE(j != NULL && tg_json_set(j, "private", tg_json_new_shown(path)) == TG_OK, err,
	    TG_E_NOMEM, "keygen: out of memory");
	return tg_print_json(j, err);
}

static tg_status
choose_phrase(const struct keygen *o, struct tg_secret **ret, struct tg_error *err)
{
	TG_REQUIRE(!o->no_phrase || o->phrase_file == NULL, err, TG_E_USAGE,
	    "--passphrase-file and --no-passphrase exclude each other");
	if (o->phrase_file != NULL)
		return tg_phrase_read_file(o->phrase_file, ret, err);
	if (o->no_phrase)
		return TG_OK;
	if (tg_on_terminal())
		return tg_phrase_ask_new("new passphrase for the private key", ret, err);
	tg_note(
	    "no terminal to ask for a passphrase: private keys are stored unprotected (mode 0600); "
	    "--passphrase-file protects them, --no-passphrase silences this");
	return TG_OK;
}

static tg_status
keygen(const struct keygen *o, struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *phrase = NULL;
	struct paths p;
	size_t wanted = 0;

	if (strcmp(o->type, "repro") == 0)
		return make_repro(o, err);
	for (size_t i = 0; i < TG_LEN(kinds); i++)
		if (is_wanted(o, &kinds[i])) {
			TG_TRY(key_paths(o->out, kinds[i].name, &p, err));
			TG_TRY(must_be_new(&p, err));
			wanted++;
		}
	TG_REQUIRE(wanted > 0, err, TG_E_USAGE,
	    "--type: \"%s\", signing, encryption, both, log, witness or repro expected", o->type);
	TG_TRY(choose_phrase(o, &phrase, err));
	TG_TRY(make_folder(o->out, err));
	for (size_t i = 0; i < TG_LEN(kinds); i++)
		if (is_wanted(o, &kinds[i]))
			TG_TRY(make_key(o, &kinds[i], phrase, err));
	return TG_OK;
}

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	struct keygen o = { .type = NULL };
	const struct tg_opt opts[] = {
		{ "type", TG_OPT_STRING, &o.type, NULL, "TYPE",
		    "signing, encryption, both, log, witness or repro" },
		{ "out", TG_OPT_STRING, &o.out, NULL, "DIR",
		    "folder for the key files; made if absent" },
		{ "passphrase-file", TG_OPT_STRING, &o.phrase_file, NULL, "FILE",
		    "protect the private key with the first line of FILE" },
		{ "no-passphrase", TG_OPT_FLAG, &o.no_phrase, NULL, NULL,
		    "leave the private key unprotected (mode 0600)" },
		TG_OPT_REQUIRE(&o.require),
		{ "json", TG_OPT_FLAG, &o.json, NULL, NULL, "report as JSON, one line a key" },
	};
	size_t words = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(
	    &tg_cmd_keygen, argc, argv, opts, TG_LEN(opts), NULL, 0, &words, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(o.type != NULL, err, TG_E_USAGE,
	    "--type signing|encryption|both|log|witness|repro is needed");
	TG_REQUIRE(o.out != NULL, err, TG_E_USAGE, "--out DIR is needed");
	TG_TRY(tg_require(o.require, err));
	return keygen(&o, err);
}

const struct tg_cmd tg_cmd_keygen = {
	.name = "keygen",
	.run = run,
	.synopsis = "--type signing|encryption|both|log|witness|repro --out DIR [OPTION...]",
	.summary =
	    "make a hybrid key to sign, to decrypt, or for an evidence log\n"
	    "Signing keys are Ed25519 with ML-DSA-65, encryption keys X25519 with ML-KEM-768, the "
	    "keys\n"
	    "of evidence logs and their witnesses Ed25519 with ML-DSA-44; repro is the secret of\n"
	    "reproducible builds (build --reproducible). Existing files are never overwritten.",
	.example = "tensorguard keygen --type signing --out ./keys",
};
