/* evidence list, evidence show, evidence follow */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/evidence.h"
#include "evidence/feed.h"
#include "evidence/segments.h"
#include "store/eventindex.h"
#include "util/try.h"

/* A record's text, for people or as it is. */
static tg_status
print_record(uint8_t *p, size_t n, bool json, bool all, struct tg_error *err)
{
	struct tg_record r;
	struct tg_event e;

	if (json) {
		(void)fwrite(p, 1, n, stdout);
		putchar('\n');
		return TG_OK;
	}
	TG_TRY(tg_record_split(p, n, "record", &r, err));
	TG_TRY(tg_record_event(&r, "record", &e, err));
	if (all)
		record_print_all(&r, &e);
	else
		record_print_line(&e);
	return TG_OK;
}

/* ---- the index ---- */

/* path NULL: DIR/index.db */
static tg_status
index_open(const struct elog *e, const char *path, struct tg_eventindex **ret, struct tg_error *err)
{
	TG_AUTO(tg_eventindex_closep) struct tg_eventindex *x = NULL;
	struct tg_progress_line line;
	struct tg_error why = TG_ERROR_INIT;
	char own[ELOG_PATH_MAX];
	uint64_t n = 0;

	TG_REQUIRE(snprintf(own, sizeof(own), "%s/index.db", e->dir) < (int)sizeof(own), err,
	    TG_E_LIMIT, "%s: path too long", e->dir);
	TG_TRY(tg_eventindex_open(path == NULL ? own : path, NULL, true, &x, err));
	const tg_status s = tg_log_index_update(
	    e->files, tg_eventindex_feed(x), tg_progress_start(&line, "indexing"), &n, &why);
	tg_progress_end(&line);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", e->dir, why.text);
	*ret = x;
	x = NULL;
	return TG_OK;
}

struct printing {
	const struct elog *e;
	bool json, all;
	uint64_t n;
};

static tg_status
print_number(void *ctx, uint64_t sequence, struct tg_error *err)
{
	struct printing *p = ctx;
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_LOG_RECORD };
	struct tg_error why = TG_ERROR_INIT;
	const tg_status s = tg_segments_record(p->e->files, sequence, &text, &why);

	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", p->e->dir, why.text);
	TG_TRY(print_record(text.p, text.n, p->json, p->all, err));
	p->n++;
	return ferror(stdout) ? tg_flush_stdout(err) : TG_OK;
}

/* ---- list ---- */

struct list_opts {
	struct tg_event_filter filter;
	const char *index;
	int64_t since, until;
	bool json;
};

static tg_status
list(const struct list_opts *o, const char *dir, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog e = { .dir = NULL };
	TG_AUTO(tg_eventindex_closep) struct tg_eventindex *x = NULL;
	struct printing p = { &e, o->json, false, 0 };

	TG_TRY(elog_find_log(&e, dir, err));
	TG_TRY(index_open(&e, o->index, &x, err));
	return tg_eventindex_find(x, &o->filter, print_number, &p, err);
}

static tg_status
microseconds(const char *what, int64_t seconds, int64_t *ret, struct tg_error *err)
{
	TG_REQUIRE(seconds >= 0 && seconds <= TG_MAX_JSON_INT / 1000000, err, TG_E_USAGE,
	    "%s: a time from 1970 to %lld expected", what, (long long)TG_MAX_JSON_INT / 1000000);
	*ret = seconds * 1000000;
	return TG_OK;
}

static tg_status
list_run(int argc, char **argv, struct tg_error *err)
{
	struct list_opts o = { .json = false };
	struct tg_event_filter *f = &o.filter;
	const struct tg_opt opts[] = {
		{ "type", TG_OPT_STRING, &f->event_type, NULL, "EVENT_TYPE",
		    "events of this type" },
		{ "result", TG_OPT_STRING, &f->result, NULL, "STATUS",
		    "success, failure or denied" },
		{ "tenant", TG_OPT_STRING, &f->tenant_id, NULL, "NAME", "of this tenant" },
		{ "actor", TG_OPT_STRING, &f->actor_id, NULL, "ID", "by this actor" },
		{ "fleet", TG_OPT_STRING, &f->fleet_id, NULL, "NAME", "of this fleet" },
		{ "agent", TG_OPT_STRING, &f->agent_id, NULL, "ID", "of this agent" },
		{ "since", TG_OPT_TIME, &o.since, NULL, "TIME", "from this time on" },
		{ "until", TG_OPT_TIME, &o.until, NULL, "TIME", "before this time" },
		{ "limit", TG_OPT_UINT, &f->limit, NULL, "N", "the first so many" },
		{ "newest-first", TG_OPT_FLAG, &f->newest_first, NULL, NULL, "from the end" },
		{ "index", TG_OPT_STRING, &o.index, NULL, "FILE", "default: DIR/index.db" },
		{ "json", TG_OPT_FLAG, &o.json, NULL, NULL, "the records as they are, one a line" },
	};
	const char *words[1];
	size_t n = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(
	    &tg_cmd_evidence_list, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == 1, err, TG_E_USAGE,
	    "a log's folder is needed (try 'tensorguard evidence list -h')");
	TG_TRY(microseconds("--since", o.since, &f->since, err));
	TG_TRY(microseconds("--until", o.until, &f->until, err));
	return list(&o, words[0], err);
}

const struct tg_cmd tg_cmd_evidence_list = {
	.name = "evidence list",
	.run = list_run,
	.synopsis = "DIR [OPTION...]",
	.summary = "list records\n"
		   "Found through an index, which is made, and brought up to date first. It can be "
		   "deleted.",
	.example =
	    "tensorguard evidence list ./log --type TGSP_OPEN_DENIED --since 2026-01-01T00:00:00Z",
};

/* ---- show ---- */

static tg_status
show(const char *dir, const char *which, const char *index, bool json, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog e = { .dir = NULL };
	TG_AUTO(tg_eventindex_closep) struct tg_eventindex *x = NULL;
	struct printing p = { &e, json, true, 0 };
	const struct tg_event_filter filter = { .event_id = which };
	uint64_t sequence = 0;

	TG_TRY(elog_find_log(&e, dir, err));
	if (strchr(which, '-') == NULL) {
		TG_TRY(tg_parse_uint(which, "a record's number", TG_MAX_JSON_INT, &sequence, err));
		return print_number(&p, sequence, err);
	}
	TG_TRY(index_open(&e, index, &x, err));
	TG_TRY(tg_eventindex_find(x, &filter, print_number, &p, err));
	TG_REQUIRE(p.n > 0, err, TG_E_NOTFOUND, "%s: no record has the event_id %s", dir, which);
	return TG_OK;
}

static tg_status
show_run(int argc, char **argv, struct tg_error *err)
{
	const char *index = NULL;
	bool json = false, help = false;
	const struct tg_opt opts[] = {
		{ "index", TG_OPT_STRING, &index, NULL, "FILE",
		    "to find an event_id; default: DIR/index.db, made if it is absent" },
		{ "json", TG_OPT_FLAG, &json, NULL, NULL, "the record as it is" },
	};
	const char *words[2];
	size_t n = 0;

	TG_TRY(tg_opts_parse(
	    &tg_cmd_evidence_show, argc, argv, opts, TG_LEN(opts), words, 2, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == 2, err, TG_E_USAGE,
	    "a log's folder and a record's number or event_id are needed (try 'tensorguard "
	    "evidence show -h')");
	return show(words[0], words[1], index, json, err);
}

const struct tg_cmd tg_cmd_evidence_show = {
	.name = "evidence show",
	.run = show_run,
	.synopsis = "DIR NUMBER|EVENT_ID [OPTION...]",
	.summary = "show one record",
	.example = "tensorguard evidence show ./log 0",
};

/* ---- follow ---- */

static volatile sig_atomic_t stopped;

static void
stop(int sig)
{
	(void)sig;
	stopped = 1;
}

struct following {
	const struct elog *e;
	struct tg_spot spot;
	struct tg_place place;
	bool json, quiet; /* quiet: only getting there */
};

static tg_status
print_block(struct following *f, struct tg_block *b, struct tg_error *err)
{
	TG_TRY(tg_block_check(b, err));
	TG_TRY(tg_block_follows(b, &f->place, err));
	for (size_t i = 0; !f->quiet && i < b->good; i++)
		TG_TRY(print_record(b->record[i].p, b->record[i].n, f->json, false, err));
	TG_TRY(tg_flush_stdout(err));
	if (b->status != TG_OK &&
	    memchr(b->bytes + b->good_bytes, '\n', b->n - b->good_bytes) != NULL) {
		*err = b->why;
		record_name(err, b->status, f->place.records);
		return b->status;
	}
	return TG_OK;
}

/* Everything that has come since; a record that is being written is left for the next time. */
static tg_status
read_on(struct following *f, struct tg_block *b, struct tg_error *err)
{
	struct tg_segments s;
	struct tg_spot at;

	TG_TRY(tg_segments_open(&s, f->e->files, f->spot, err));
	tg_status st = TG_OK;
	while (st == TG_OK && !stopped) {
		st = tg_segments_next(&s, b, &at, err);
		if (st != TG_OK || b->n == 0)
			break;
		st = print_block(f, b, err);
		f->spot = (struct tg_spot){ at.segment, at.at + b->good_bytes };
		if (b->good_bytes < b->n)
			break;
	}
	tg_segments_close(&s);
	return st;
}

static tg_status
follow(const char *dir, bool from_start, bool json, bool once, struct tg_error *err)
{
	TG_AUTO(elog_done) struct elog e = { .dir = NULL };
	TG_AUTO(tg_block_done) struct tg_block b = { .n = 0 };
	struct following f = { &e, { 0, 0 }, tg_place_start(), json, !from_start };
	const struct sigaction act = { .sa_handler = stop };
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(elog_find_log(&e, dir, err));
	TG_TRY(tg_block_init(&b, TG_BLOCK_BYTES, err));
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
	while (!stopped) {
		const tg_status s = read_on(&f, &b, &why);

		TG_REQUIRE(s == TG_OK, err, s, "%s: %s", dir, why.text);
		f.quiet = false;
		if (once)
			break;
		(void)usleep(100000);
	}
	return TG_OK;
}

static tg_status
follow_run(int argc, char **argv, struct tg_error *err)
{
	bool json = false, all = false, once = false, help = false;
	const struct tg_opt opts[] = {
		{ "all", TG_OPT_FLAG, &all, NULL, NULL, "what is there already first" },
		{ "once", TG_OPT_FLAG, &once, NULL, NULL,
		    "end instead of waiting for more; with --all" },
		{ "json", TG_OPT_FLAG, &json, NULL, NULL, "the records as they are, one a line" },
	};
	const char *words[1];
	size_t n = 0;

	TG_TRY(tg_opts_parse(
	    &tg_cmd_evidence_follow, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == 1, err, TG_E_USAGE,
	    "a log's folder is needed (try 'tensorguard evidence follow -h')");
	TG_REQUIRE(all || !once, err, TG_E_USAGE, "--once goes with --all");
	return follow(words[0], all, json, once, err);
}

const struct tg_cmd tg_cmd_evidence_follow = {
	.name = "evidence follow",
	.run = follow_run,
	.synopsis = "DIR [--all] [--once] [--json]",
	.summary = "print records as they come, each checked against the one before",
	.example = "tensorguard evidence follow ./log --json",
};
