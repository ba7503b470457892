/* evidence create, evidence append */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "cli/evidence.h"
#include "evidence/genesis.h"
#include "util/file.h"
#include "util/try.h"

/* ---- create ---- */

struct create_opts {
	const char *origin, *key, *phrase_file, *require;
	bool json;
};

static tg_status
log_key(const struct create_opts *o, const char *dir, struct tg_key **ret, struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *phrase = NULL;
	TG_AUTO(tg_key_freep) struct tg_key *k = NULL;
	char path[4096];

	if (o->key != NULL)
		return tg_cli_key(o->key, TG_KEY_CHECKPOINT, true, o->phrase_file, ret, err);
	TG_REQUIRE(snprintf(path, sizeof(path), "%s/log.priv", dir) < (int)sizeof(path), err, TG_E_LIMIT,
	    "%s: path too long", dir);
	if (tg_file_exists(path)) /* an earlier creation was interrupted */
		return tg_cli_key(path, TG_KEY_CHECKPOINT, true, o->phrase_file, ret, err);
	if (o->phrase_file != NULL)
		TG_TRY(tg_phrase_read_file(o->phrase_file, &phrase, err));
	TG_TRY(tg_key_generate(TG_KEY_CHECKPOINT, time(NULL), &k, err));
	TG_TRY(tg_key_save_private(k, path, phrase, err));
	*ret = k;
	k = NULL;
	return TG_OK;
}

static tg_status
create(const struct create_opts *o, const char *dir, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog e = { .dir = NULL };
	TG_AUTO(tg_key_freep) struct tg_key *key = NULL;
	const struct tg_log_options options = { .now = cli_clock_us };
	struct tg_error why = TG_ERROR_INIT;
	struct tg_genesis there;

	TG_TRY(tg_require(o->require, err));
	TG_TRY(elog_find(&e, dir, true, err));
	TG_REQUIRE(tg_genesis_read(e.files, &there, NULL) != TG_OK, err, TG_E_CONFLICT,
	    "%s: there is a log already, \"%s\"", dir, there.origin);
	TG_TRY(log_key(o, dir, &key, err));
	const tg_status s = tg_log_create(e.files, o->origin, key, &options, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", dir, why.text);
	if (o->json) {
		TG_AUTO(tg_json_freep) struct tg_json *j = tg_json_new_object();

		TG_REQUIRE(j != NULL &&
			tg_json_set(j, "origin", tg_json_new_str(tg_bytes_str(o->origin))) == TG_OK &&
			tg_json_set(j, "records", tg_json_new_int(1)) == TG_OK,
		    err, TG_E_NOMEM, "evidence: out of memory");
		return tg_print_json(j, err);
	}
	tg_print_text(stdout, dir);
	printf(": log \"%s\"\n  its public keys  %s/log.policy (give them to whoever is to check it)\n", o->origin,
	    dir);
	if (o->key == NULL)
		printf("  its private key  %s/log.priv%s\n", dir,
		    o->phrase_file == NULL ? " (unprotected: --passphrase-file protects it)" : "");
	return TG_OK;
}

static tg_status
create_run(int argc, char **argv, struct tg_error *err)
{
	struct create_opts o = { .origin = NULL };
	const struct tg_opt opts[] = {
		{ "origin", TG_OPT_STRING, &o.origin, NULL, "NAME",
		    "the log's name for ever, a URL without scheme: example.com/fleet-7" },
		{ "log-key", TG_OPT_STRING, &o.key, NULL, "FILE.priv",
		    "its private key ('keygen --type log'); default: a new one, DIR/log.priv" },
		{ "passphrase-file", TG_OPT_STRING, &o.phrase_file, NULL, "FILE",
		    "the key's passphrase, the first line of FILE" },
		TG_OPT_REQUIRE(&o.require),
		{ "json", TG_OPT_FLAG, &o.json, NULL, NULL, "report as JSON" },
	};
	const char *words[1];
	size_t n = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(&tg_cmd_evidence_create, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help,
	    err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == 1 && o.origin != NULL, err, TG_E_USAGE,
	    "a folder and --origin NAME are needed (try 'tensorguard evidence create -h')");
	return create(&o, words[0], err);
}

const struct tg_cmd tg_cmd_evidence_create = {
	.name = "evidence create",
	.run = create_run,
	.synopsis = "DIR --origin NAME [OPTION...]",
	.summary = "begin a log",
	.example = "tensorguard evidence create ./log --origin example.com/fleet-7",
};

/* ---- append ---- */

struct append_opts {
	const char *note, *tenant, *file;
	bool json;
};

/* People's JSON in its canonical form. */
static tg_status
canonical(tg_bytes text, const char *what, struct tg_buf *out, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(tg_json_parse(text, TG_JSON_ORDINARY, what, &j, err));
	const tg_status s = tg_json_write(j, out, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", what, why.text);
	return TG_OK;
}

static tg_status
note_event(const char *note, struct tg_buf *out, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *j = tg_json_new_object();

	TG_REQUIRE(j != NULL && tg_json_set(j, "event_type", tg_json_new_str(tg_bytes_str("NOTE_ADDED"))) == TG_OK &&
		tg_json_set(j, "note", tg_json_new_str(tg_bytes_str(note))) == TG_OK,
	    err, TG_E_USAGE, "--note: text in UTF-8 expected");
	return tg_json_write(j, out, err);
}

struct appended {
	uint64_t n; /* taken */
	struct tg_log_entry last;
};

static tg_status
submit(struct elog *e, tg_bytes event, const char *what, struct appended *a, struct tg_error *err)
{
	struct tg_error why = TG_ERROR_INIT;
	const tg_status s = tg_log_submit(e->log, event, &a->last, &why);

	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", what, why.text);
	a->n++;
	return TG_OK;
}

/* One event a line. */
static tg_status
submit_lines(struct elog *e, FILE *in, const char *name, struct appended *a, struct tg_error *err)
{
	char *line = NULL;
	size_t cap = 0;
	tg_status s = TG_OK;

	for (unsigned long i = 1; s == TG_OK; i++) {
		struct tg_buf event = { .max = TG_MAX_LOG_RECORD };
		char what[300];
		const ssize_t n = getline(&line, &cap, in);

		if (n < 0)
			break;
		(void)snprintf(what, sizeof(what), "%.200s: line %lu", name, i);
		s = canonical((tg_bytes){ (const uint8_t *)line, (size_t)n }, what, &event, err);
		if (s == TG_OK)
			s = submit(e, tg_buf_view(&event), what, a, err);
		tg_buf_done(&event);
	}
	free(line);
	if (s == TG_OK && ferror(in))
		s = tg_fail(err, TG_E_IO, "%s: %m", name);
	return s;
}

static tg_status
submit_file(struct elog *e, const char *path, struct appended *a, struct tg_error *err)
{
	if (strcmp(path, "-") == 0)
		return submit_lines(e, stdin, "standard input", a, err);
	FILE *in = fopen(path, "re");
	TG_REQUIRE(in != NULL, err, errno == ENOENT ? TG_E_NOTFOUND : TG_E_IO, "%s: %m", path);
	const tg_status s = submit_lines(e, in, path, a, err);
	(void)fclose(in);
	return s;
}

static tg_status
report(const struct append_opts *o, const struct elog *e, const struct appended *a,
    struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;

	if (!o->json) {
		tg_print_text(stdout, e->dir);
		if (a->n == 1)
			printf(": record %llu\n", (unsigned long long)a->last.sequence);
		else
			printf(": %llu records, up to %llu\n", (unsigned long long)a->n,
			    (unsigned long long)a->last.sequence);
		return TG_OK;
	}
	j = tg_json_new_object();
	TG_REQUIRE(j != NULL && tg_json_set(j, "appended", tg_json_new_int((int64_t)a->n)) == TG_OK &&
		tg_json_set(j, "last_event_id", tg_json_new_str(tg_bytes_str(a->last.event_id))) == TG_OK &&
		tg_json_set(j, "last_sequence", tg_json_new_int((int64_t)a->last.sequence)) == TG_OK,
	    err, TG_E_NOMEM, "evidence: out of memory");
	return tg_print_json(j, err);
}

static tg_status
append(const struct append_opts *o, const char *dir, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog e = { .dir = NULL };
	TG_AUTO(tg_buf_done) struct tg_buf event = { .max = TG_MAX_LOG_RECORD };
	struct appended a = { .n = 0 };
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(elog_find(&e, dir, false, err));
	TG_TRY(elog_append(&e, o->tenant, err));
	tg_status s = TG_OK;
	if (o->note != NULL) {
		TG_TRY(note_event(o->note, &event, err));
		s = submit(&e, tg_buf_view(&event), "--note", &a, &why);
	} else {
		s = submit_file(&e, o->file, &a, &why);
	}
	/* what was taken before a bad line is kept, and said */
	if (a.n > 0)
		TG_TRY(tg_log_wait(e.log, a.last.sequence, err));
	TG_REQUIRE(s == TG_OK, err, s, a.n > 0 ? "%s (%llu records before it were appended)" : "%s", why.text,
	    (unsigned long long)a.n);
	TG_REQUIRE(a.n > 0, err, TG_E_USAGE, "%s: no event in it", o->file);
	return report(o, &e, &a, err);
}

static tg_status
append_run(int argc, char **argv, struct tg_error *err)
{
	struct append_opts o = { .note = NULL };
	const struct tg_opt opts[] = {
		{ "note", TG_OPT_STRING, &o.note, NULL, "TEXT", "append NOTE_ADDED with this text" },
		{ "tenant", TG_OPT_STRING, &o.tenant, NULL, "NAME",
		    "tenant_id of events that name none (default: default)" },
		{ "json", TG_OPT_FLAG, &o.json, NULL, NULL, "report as JSON" },
	};
	const char *words[2];
	size_t n = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(&tg_cmd_evidence_append, argc, argv, opts, TG_LEN(opts), words, 2, &n, &help,
	    err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == (o.note == NULL ? 2 : 1), err, TG_E_USAGE,
	    "a log's folder, and a file of events or --note TEXT, are needed (try 'tensorguard evidence append "
	    "-h')");
	o.file = n == 2 ? words[1] : NULL;
	return append(&o, words[0], err);
}

const struct tg_cmd tg_cmd_evidence_append = {
	.name = "evidence append",
	.run = append_run,
	.synopsis = "DIR (FILE|- | --note TEXT) [OPTION...]",
	.summary = "append events, durably\n"
		   "FILE has one JSON object a line, with the members of its event type; the log sets "
		   "sequence,\nlog_origin and timestamp, and event_id, actor and tenant_id where they are not "
		   "given.",
	.example = "tensorguard evidence append ./log --note \"fleet 7 accepted\"",
};
