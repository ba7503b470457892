/* evidence create, evidence append */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/evidence.h"
#include "evidence/genesis.h"
#include "util/file.h"
#include "util/try.h"

/* ---- create ---- */

struct create_opts {
	const char *origin, *key, *phrase_file, *require;
	bool json;
};

/* Told before anything is made. */
static tg_status
no_log_yet(const char *dir, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog e = { .dir = NULL };
	struct tg_genesis there;

	if (elog_find(&e, dir, false, NULL) != TG_OK)
		return TG_OK;
	TG_REQUIRE(tg_genesis_read(e.files, &there, NULL) != TG_OK, err, TG_E_CONFLICT,
	    "%s: there is a log already, \"%s\"", dir, there.origin);
	return TG_OK;
}

/* `path`: where a new key is to be kept. *ret_new: it still has to be. */
static tg_status
log_key(const struct create_opts *o, const char *path, struct tg_key **ret, bool *ret_new,
    struct tg_error *err)
{
	*ret_new =
	    o->key == NULL && !tg_file_exists(path); /* else an earlier creation was interrupted */
	if (*ret_new)
		return tg_key_generate(TG_KEY_CHECKPOINT, time(NULL), ret, err);
	return tg_cli_key(
	    o->key == NULL ? path : o->key, TG_KEY_CHECKPOINT, true, o->phrase_file, ret, err);
}

static tg_status
create_report(const struct create_opts *o, const char *dir, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;

	if (!o->json) {
		tg_print_text(stdout, dir);
		printf(": log \"%s\"\n  its public keys  ", o->origin);
		tg_print_text(stdout, dir);
		printf("/log.policy (give them to whoever is to check it)\n");
		if (o->key != NULL)
			return TG_OK;
		printf("  its private key  ");
		tg_print_text(stdout, dir);
		printf("/log.priv%s\n",
		    o->phrase_file == NULL ? " (unprotected: --passphrase-file protects it)" : "");
		return TG_OK;
	}
	j = tg_json_new_object();
	TG_REQUIRE(j != NULL &&
		tg_json_set(j, "origin", tg_json_new_str(tg_bytes_str(o->origin))) == TG_OK &&
		tg_json_set(j, "records", tg_json_new_int(1)) == TG_OK,
	    err, TG_E_NOMEM, "evidence: out of memory");
	return tg_print_json(j, err);
}

static tg_status
create(const struct create_opts *o, const char *dir, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog e = { .dir = NULL };
	TG_AUTO(tg_key_freep) struct tg_key *key = NULL;
	TG_AUTO(tg_secret_freep) struct tg_secret *phrase = NULL;
	const struct tg_log_options options = { .now = cli_clock_us, .wait_ms = ELOG_WAIT_MS };
	struct tg_error why = TG_ERROR_INIT;
	struct tg_genesis genesis;
	char path[ELOG_PATH_MAX];
	bool new = false;

	TG_TRY(tg_require(o->require, err));
	TG_TRY(no_log_yet(dir, err));
	TG_TRY(elog_key_path(dir, path, err));
	TG_TRY(log_key(o, path, &key, &new, err));
	tg_status s = tg_genesis_of(o->origin, key, &genesis, &why);
	TG_REQUIRE(s == TG_OK, err, s == TG_E_FORMAT ? TG_E_USAGE : s, "--origin: %s", why.text);
	if (new && o->phrase_file != NULL)
		TG_TRY(tg_phrase_read_file(o->phrase_file, &phrase, err));
	TG_TRY(elog_find(&e, dir, true, err));
	if (new)
		TG_TRY(tg_key_save_private(key, path, phrase, err));
	s = tg_log_create(e.files, o->origin, key, &options, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", dir, why.text);
	return create_report(o, dir, err);
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

	TG_TRY(tg_opts_parse(
	    &tg_cmd_evidence_create, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help, err));
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

	TG_REQUIRE(j != NULL &&
		tg_json_set(j, "event_type", tg_json_new_str(tg_bytes_str("NOTE_ADDED"))) ==
		    TG_OK &&
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

/* ---- events from a file ---- */

#define READ_BYTES (1u << 20)

/* One event a line. What has been read is durable before more is waited for, so that a pipe which
 * stays open is a way to record. */
struct lines {
	const char *name;
	int fd;
	struct tg_buf line; /* the beginning of one */
	unsigned long n;    /* lines so far */
};

static tg_status
take_line(struct lines *l, struct elog *e, struct appended *a, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf event = { .max = TG_MAX_LOG_RECORD };
	char what[300];

	(void)snprintf(what, sizeof(what), "%.200s: line %lu", l->name, ++l->n);
	TG_TRY(canonical(tg_buf_view(&l->line), what, &event, err));
	l->line.n = 0;
	return submit(e, tg_buf_view(&event), what, a, err);
}

static tg_status
take_bytes(struct lines *l, tg_bytes in, struct elog *e, struct appended *a, struct tg_error *err)
{
	while (in.n > 0) {
		const uint8_t *end = memchr(in.p, '\n', in.n);
		const size_t n = end == NULL ? in.n : (size_t)(end - in.p);

		TG_REQUIRE(l->line.n + n <= l->line.max, err, TG_E_LIMIT,
		    "%s: line %lu: longer than %u bytes", l->name, l->n + 1, TG_MAX_LOG_RECORD);
		TG_REQUIRE(tg_buf_put(&l->line, in.p, n) == TG_OK, err, TG_E_NOMEM,
		    "%s: out of memory", l->name);
		if (end == NULL)
			return TG_OK;
		in.p += n + 1;
		in.n -= n + 1;
		TG_TRY(take_line(l, e, a, err));
	}
	return TG_OK;
}

static tg_status
submit_lines(
    struct lines *l, uint8_t *buf, struct elog *e, struct appended *a, struct tg_error *err)
{
	for (;;) {
		if (a->n > 0)
			TG_TRY(tg_log_wait(e->log, a->last.sequence, err));
		const ssize_t n = read(l->fd, buf, READ_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		TG_REQUIRE(n >= 0, err, TG_E_IO, "%s: %m", l->name);
		if (n == 0)
			return l->line.n > 0 ? take_line(l, e, a, err) : TG_OK;
		TG_TRY(take_bytes(l, (tg_bytes){ buf, (size_t)n }, e, a, err));
	}
}

static tg_status
submit_file(struct elog *e, const char *path, struct appended *a, struct tg_error *err)
{
	TG_AUTO(tg_fd_closep) int fd = -1;
	struct lines l = { .name = path, .fd = STDIN_FILENO, .line = { .max = TG_MAX_LOG_RECORD } };

	if (strcmp(path, "-") == 0) {
		l.name = "standard input";
	} else {
		l.fd = fd = open(path, O_RDONLY | O_CLOEXEC);
		TG_REQUIRE(fd >= 0, err, errno == ENOENT ? TG_E_NOTFOUND : TG_E_IO, "%s: %m", path);
	}
	uint8_t *buf = malloc(READ_BYTES);
	TG_REQUIRE(buf != NULL, err, TG_E_NOMEM, "%s: out of memory", path);
	const tg_status s = submit_lines(&l, buf, e, a, err);
	free(buf);
	tg_buf_done(&l.line);
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
	TG_REQUIRE(j != NULL &&
		tg_json_set(j, "appended", tg_json_new_int((int64_t)a->n)) == TG_OK &&
		tg_json_set(j, "last_event_id", tg_json_new_str(tg_bytes_str(a->last.event_id))) ==
		    TG_OK &&
		tg_json_set(j, "last_sequence", tg_json_new_int((int64_t)a->last.sequence)) ==
		    TG_OK,
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

	TG_TRY(elog_find_log(&e, dir, err));
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
	TG_REQUIRE(s == TG_OK || a.n == 0, err, s, "%s (appended before it: %llu record%s)",
	    why.text, (unsigned long long)a.n, TG_S(a.n));
	TG_REQUIRE(s == TG_OK, err, s, "%s", why.text);
	TG_REQUIRE(a.n > 0, err, TG_E_FORMAT, "%s: no event in it", o->file);
	return report(o, &e, &a, err);
}

static tg_status
append_run(int argc, char **argv, struct tg_error *err)
{
	struct append_opts o = { .note = NULL };
	const struct tg_opt opts[] = {
		{ "note", TG_OPT_STRING, &o.note, NULL, "TEXT",
		    "append NOTE_ADDED with this text" },
		{ "tenant", TG_OPT_STRING, &o.tenant, NULL, "NAME",
		    "tenant_id of events that name none (default: default)" },
		{ "json", TG_OPT_FLAG, &o.json, NULL, NULL, "report as JSON" },
	};
	const char *words[2];
	size_t n = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(
	    &tg_cmd_evidence_append, argc, argv, opts, TG_LEN(opts), words, 2, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == (o.note == NULL ? 2 : 1), err, TG_E_USAGE,
	    "a log's folder, and a file of events or --note TEXT, are needed (try 'tensorguard "
	    "evidence append "
	    "-h')");
	o.file = n == 2 ? words[1] : NULL;
	return append(&o, words[0], err);
}

const struct tg_cmd tg_cmd_evidence_append = {
	.name = "evidence append",
	.run = append_run,
	.synopsis = "DIR (FILE|- | --note TEXT) [OPTION...]",
	.summary =
	    "append events, durably\n"
	    "FILE has one JSON object a line, with the members of its event type; the log sets "
	    "sequence,\nlog_origin and timestamp, and event_id, actor and tenant_id where they are "
	    "not "
	    "given. A bad line\nends it: what stands before it is kept.",
	.example = "tensorguard evidence append ./log --note \"fleet 7 accepted\"",
};
