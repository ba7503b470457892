#include <tensorguard/rekey.h>

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/reader.h"
#include "util/newfile.h"
#include "util/text.h"
#include "util/try.h"

struct rekey_opts {
	struct reader r;
	struct tg_values add, remove;
	const char *signing_key, *out;
};

/* ---- who ---- */

struct who {
	struct tg_key *key, *signer;
	const struct tg_key *add[TG_MAX_RECIPIENTS];
	size_t n_add;
	uint8_t remove[TG_MAX_RECIPIENTS][TG_KEY_ID_LEN];
	size_t n_remove;
};

static void
who_done(struct who *w)
{
	tg_key_free(w->key);
	tg_key_free(w->signer);
	for (size_t i = 0; i < w->n_add; i++)
		tg_key_free((struct tg_key *)(uintptr_t)w->add[i]);
}

/* A recipient id in hex, or the .pub file it belongs to. */
static tg_status
removed_id(const char *arg, uint8_t ret[static TG_KEY_ID_LEN], struct tg_error *err)
{
	TG_AUTO(tg_key_freep) struct tg_key *k = NULL;

	if (tg_hex_decode(ret, TG_KEY_ID_LEN, tg_bytes_str(arg)))
		return TG_OK;
	TG_REQUIRE(tg_file_exists(arg), err, TG_E_USAGE,
	    "--remove: \"%s\" is neither a recipient id (32 hex digits) nor a file", arg);
	TG_TRY(tg_cli_key(arg, TG_KEY_ENCRYPTION, false, NULL, &k, err));
	memcpy(ret, tg_key_id(k), TG_KEY_ID_LEN);
	return TG_OK;
}

static tg_status
load_who(const struct rekey_opts *o, struct who *w, struct tg_error *err)
{
	TG_REQUIRE(o->add.n <= TG_MAX_RECIPIENTS && o->remove.n <= TG_MAX_RECIPIENTS, err, TG_E_LIMIT,
	    "more than %u recipients", TG_MAX_RECIPIENTS);
	for (size_t i = 0; i < o->add.n; i++) {
		struct tg_key *k = NULL;

		TG_TRY(tg_cli_key(o->add.at[i], TG_KEY_ENCRYPTION, false, NULL, &k, err));
		w->add[w->n_add++] = k;
	}
	for (; w->n_remove < o->remove.n; w->n_remove++)
		TG_TRY(removed_id(o->remove.at[w->n_remove], w->remove[w->n_remove], err));
	TG_TRY(tg_cli_key(o->r.key, TG_KEY_ENCRYPTION, true, o->r.phrase_file, &w->key, err));
	return tg_cli_key(o->signing_key, TG_KEY_SIGNING, true, o->r.phrase_file, &w->signer, err);
}

/* ---- copying the ciphertext ---- */

/* Share the blocks where the file system can; *ret_shared says how many bytes that was. */
static void
share(int from, int to, const struct tg_rekeyed *r, uint64_t *ret_shared)
{
	const uint64_t whole = r->ct_len & ~(uint64_t)4095;
	const struct file_clone_range range = { from, r->ct_from, whole, r->ct_to };

	*ret_shared = whole > 0 && ioctl(to, FICLONERANGE, &range) == 0 ? whole : 0;
}

/* In the kernel where it can, through a buffer where it cannot. */
static tg_status
copy_bytes(int from, int to, uint64_t from_at, uint64_t to_at, uint64_t n, const char *name,
    struct tg_error *err)
{
	while (n > 0) {
		loff_t in = (loff_t)from_at, out = (loff_t)to_at;
		const size_t most = n < 1u << 30 ? (size_t)n : 1u << 30;
		ssize_t done = copy_file_range(from, &in, to, &out, most, 0);

		if (done <= 0) {
			uint8_t buf[64 << 10];

			done = pread(from, buf, most < sizeof(buf) ? most : sizeof(buf), (off_t)from_at);
			TG_REQUIRE(done > 0, err, TG_E_IO, "%s: read: %m", name);
			TG_TRY(tg_fd_write_at(to, buf, (size_t)done, to_at, name, err));
		}
		from_at += (uint64_t)done;
		to_at += (uint64_t)done;
		n -= (uint64_t)done;
	}
	return TG_OK;
}

/* The package is complete, and about to get its name. */
static tg_status
record(struct rekey_opts *o, const struct tg_rekeyed *r, const struct tg_newfile *f,
    struct tg_error *err)
{
	struct recorder *rec = &o->r.rec;

	TG_TRY(recorder_new_package(rec, f, err));
	recorder_number(rec, "metrics", "recipients", (int64_t)r->recipients);
	recorder_number(rec, "metrics", "added", (int64_t)r->added);
	recorder_number(rec, "metrics", "removed", (int64_t)r->removed);
	return recorder_success(rec, "TGSP_REKEYED", err);
}

static tg_status
write_package(struct rekey_opts *o, const struct tg_rekeyed *r, uint64_t *ret_shared,
    struct tg_error *err)
{
	const char *path = o->out == NULL ? o->r.path : o->out;
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = NULL;
	const int from = tg_file_fd(o->r.file);
	struct stat st;

	/* what is replaced stays as private as it was */
	TG_TRY(tg_newfile_create_path(path, stat(path, &st) == 0 ? st.st_mode & 0777 : 0644, &f, err));
	const int to = tg_newfile_fd(f);
	TG_TRY(tg_fd_write_at(to, r->head.p, r->head.n, 0, path, err));
	share(from, to, r, ret_shared);
	TG_TRY(copy_bytes(from, to, r->ct_from + *ret_shared, r->ct_to + *ret_shared,
	    r->ct_len - *ret_shared, path, err));
	TG_TRY(tg_fd_write_at(to, r->tail.p, r->tail.n, r->ct_to + r->ct_len, path, err));
	TG_TRY(record(o, r, f, err));
	return tg_newfile_commit(f, true, err);
}

/* ---- the verb ---- */

static tg_status
report(const struct rekey_opts *o, const struct tg_rekeyed *r, uint64_t shared,
    struct tg_error *err)
{
	const char *path = o->out == NULL ? o->r.path : o->out;
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;
	char size[24];

	if (r->removed > 0)
		tg_note("removal is not revocation: who was removed knows the key of this package, and its "
			"earlier copies stay valid. To withdraw it, build a new package with a higher "
			"--rollback-index");
	if (!o->r.json) {
		tg_print_text(stdout, path);
		printf(": %zu recipient%s, %zu added, %zu removed; %s of ciphertext shared, the rest copied\n",
		    r->recipients, TG_S(r->recipients), r->added, r->removed, tg_human_size(shared, size));
		return TG_OK;
	}
	j = tg_json_new_object();
	TG_REQUIRE(j != NULL &&
		tg_json_set(j, "recipients", tg_json_new_int((int64_t)r->recipients)) == TG_OK &&
		tg_json_set(j, "added", tg_json_new_int((int64_t)r->added)) == TG_OK &&
		tg_json_set(j, "removed", tg_json_new_int((int64_t)r->removed)) == TG_OK &&
		tg_json_set(j, "shared_bytes", tg_json_new_int((int64_t)shared)) == TG_OK &&
		tg_json_set(j, "copied_bytes", tg_json_new_int((int64_t)(r->ct_len - shared))) == TG_OK,
	    err, TG_E_NOMEM, "rekey: out of memory");
	return tg_print_json(j, err);
}

static void
opts_done(struct rekey_opts *o)
{
	reader_done(&o->r);
}

static tg_status
rekey(struct rekey_opts *o, struct tg_rekeyed *r, uint64_t *ret_shared, struct tg_error *err)
{
	TG_AUTO(who_done) struct who w = { .key = NULL };
	TG_AUTO(tg_fd_closep) int lock = -1;
	const char *path = o->out == NULL ? o->r.path : o->out;
	struct tg_error why = TG_ERROR_INIT;

	recorder_text(&o->r.rec, "subject", "path", path);
	/* two at once on one package: the second starts from what the first made */
	TG_TRY(tg_lock_beside(path, &lock, err));
	TG_TRY(reader_open(&o->r, err));
	TG_TRY(load_who(o, &w, err));
	recorder_id(&o->r.rec, "subject", "key_id", tg_key_id(w.signer));
	const struct tg_rekey_spec spec = {
		.key = w.key,
		.policy = &o->r.policy,
		.signer = w.signer,
		.add = w.add,
		.n_add = w.n_add,
		.remove = (const uint8_t (*)[TG_KEY_ID_LEN])w.remove,
		.n_remove = w.n_remove,
	};
	tg_status s = tg_rekey(&o->r.src, o->r.store, &spec, r, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", o->r.path, why.text);
	return write_package(o, r, ret_shared, err);
}

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	TG_AUTO(opts_done) struct rekey_opts o = { .out = NULL };
	TG_AUTO(tg_rekeyed_free) struct tg_rekeyed r = { .added = 0 };
	const struct tg_opt opts[] = {
		{ "add", TG_OPT_LIST, &o.add, NULL, "FILE.pub", "a new recipient; may be repeated" },
		{ "remove", TG_OPT_LIST, &o.remove, NULL, "ID|FILE.pub",
		    "a recipient to leave out; may be repeated" },
		{ "signing-key", TG_OPT_STRING, &o.signing_key, NULL, "FILE.priv",
		    "the author's key, or a delegate's" },
		{ "out", TG_OPT_STRING, &o.out, NULL, "FILE.tgsp", "default: replace PACKAGE" },
		READER_KEY_OPTS(&o.r),
		READER_OPTS(&o.r),
		{ "json", TG_OPT_FLAG, &o.r.json, NULL, NULL, "report as JSON" },
	};
	const char *words[1];
	size_t n = 0;
	bool help = false;
	uint64_t shared = 0;

	TG_TRY(tg_opts_parse(&tg_cmd_rekey, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == 1 && strcmp(words[0], "-") != 0, err, TG_E_USAGE,
	    "a package file is needed (try 'tensorguard rekey -h')");
	TG_REQUIRE(o.add.n + o.remove.n > 0, err, TG_E_USAGE, "--add or --remove is needed");
	TG_REQUIRE(o.signing_key != NULL, err, TG_E_USAGE, "--signing-key FILE.priv is needed");
	TG_REQUIRE(o.r.key != NULL, err, TG_E_USAGE, "--key FILE.priv of a present recipient is needed");
	TG_TRY(reader_start(&o.r, words[0], err));
	tg_status s = rekey(&o, &r, &shared, err);
	if (s != TG_OK)
		return recorder_failure(&o.r.rec, "TGSP_REKEY_DENIED", s, err);
	return report(&o, &r, shared, err);
}

const struct tg_cmd tg_cmd_rekey = {
	.name = "rekey",
	.run = run,
	.synopsis = "PACKAGE --key FILE.priv --signing-key FILE.priv --trust FILE.pub|DIR\n"
		    "         (--add FILE.pub | --remove ID)... [OPTION...]",
	.summary = "change who can open a package, without encrypting it again\n"
		   "The contents and their signature stay as they are. Adding gives access; removing "
		   "does not\nrevoke it.",
	.example = "tensorguard rekey model.tgsp --key ./keys/encryption.priv "
		   "--signing-key ./keys/signing.priv --trust ./keys/signing.pub --add ./robot2.pub",
};
