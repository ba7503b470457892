#include "store/eventindex.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "store/db.h"
#include "util/buf.h"
#include "util/try.h"

#define APPLICATION "0x54474578" /* "TGEx" */
#define VERSION     1

static const char advice[] = "if it was an index, it may be deleted: it is made again from the log";

struct tg_eventindex {
	struct tg_db db;
	struct tg_log_index feed;
	sqlite3_stmt *insert;
	uint64_t next; /* the sequence that put expects */
};

/* ---- what is in the file ---- */

/* SQLite keeps these texts; a file that has others has been made by somebody else. */
#define PARTIAL(column)                                                                            \
	"CREATE INDEX events_" column " ON events(" column ") WHERE " column " IS NOT NULL"
static const char *const schema[] = {
	"CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK(one=1), origin TEXT, n INTEGER NOT NULL,"
	" chain TEXT NOT NULL)",
	"CREATE TABLE events(sequence INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL,"
	" event_type TEXT, event_id TEXT, tenant_id TEXT, actor_id TEXT, fleet_id TEXT,"
	" agent_id TEXT, result TEXT, subject TEXT)",
	"CREATE INDEX events_timestamp ON events(timestamp)",
	PARTIAL("event_type"),
	PARTIAL("event_id"),
	PARTIAL("tenant_id"),
	PARTIAL("actor_id"),
	PARTIAL("fleet_id"),
	PARTIAL("agent_id"),
	PARTIAL("result"),
	PARTIAL("subject"),
};

/* How many of a million events share a value, roughly: it tells SQLite which index narrows most. */
static const char statistics[] =
    "ANALYZE sqlite_schema;"
    "INSERT INTO sqlite_stat1(tbl,idx,stat) VALUES"
    "('events','events_timestamp','1000000 2'),('events','events_event_type','1000000 30000'),"
    "('events','events_event_id','1000000 1'),('events','events_tenant_id','1000000 300000'),"
    "('events','events_actor_id','1000000 3000'),('events','events_fleet_id','1000000 100000'),"
    "('events','events_agent_id','1000000 1000'),('events','events_result','1000000 300000'),"
    "('events','events_subject','1000000 100');"
    "ANALYZE sqlite_schema"; /* which also reads them */

static tg_status
make_schema(const struct tg_db *db, const char *origin, struct tg_error *err)
{
	TG_AUTO(tg_db_finalizep) sqlite3_stmt *s = NULL;
	bool row = false;

	for (size_t i = 0; i < TG_LEN(schema); i++)
		TG_TRY(tg_db_exec(db, schema[i], err));
	TG_TRY(tg_db_exec(db, statistics, err));
	TG_TRY(tg_db_prepare(db, "INSERT INTO meta VALUES(1,?1,0,'')", &s, err));
	TG_TRY(tg_db_bind(db, s, 1, tg_bytes_str(origin == NULL ? "" : origin), err));
	TG_TRY(tg_db_step(db, s, &row, err));
	return tg_db_exec(
	    db, "PRAGMA application_id = " APPLICATION "; PRAGMA user_version = 1", err);
}

static tg_status
check_schema(const struct tg_db *db, struct tg_error *err)
{
	int64_t n = 0, application = 0, version = 0;

	TG_TRY(tg_db_int(db, "PRAGMA application_id", &application, err));
	TG_REQUIRE(application == strtoll(APPLICATION, NULL, 16), err, TG_E_FORMAT,
	    "%s: not an index of an evidence log; %s", db->path, advice);
	TG_TRY(tg_db_int(db, "PRAGMA user_version", &version, err));
	TG_REQUIRE(version == VERSION, err, TG_E_UNSUPPORTED,
	    "%s: an index of version %" PRId64 ", %d expected; %s", db->path, version, VERSION, advice);
	TG_TRY(tg_db_int(
	    db, "SELECT count(*) FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat*'", &n, err));
	for (size_t i = 0; n == (int64_t)TG_LEN(schema) && i < TG_LEN(schema); i++) {
		TG_AUTO(tg_db_finalizep) sqlite3_stmt *s = NULL;
		bool row = false;

		TG_TRY(tg_db_prepare(db, "SELECT 1 FROM sqlite_schema WHERE sql = ?1", &s, err));
		TG_TRY(tg_db_bind(db, s, 1, tg_bytes_str(schema[i]), err));
		TG_TRY(tg_db_step(db, s, &row, err));
		if (!row)
			n = 0;
	}
	TG_REQUIRE(n == (int64_t)TG_LEN(schema), err, TG_E_FORMAT,
	    "%s: has other tables than an index of an evidence log; %s", db->path, advice);
	return TG_OK;
}

static tg_status
check_origin(const struct tg_db *db, const char *origin, struct tg_error *err)
{
	TG_AUTO(tg_db_finalizep) sqlite3_stmt *s = NULL;
	bool row = false;

	if (origin == NULL)
		return TG_OK;
	TG_TRY(tg_db_prepare(db, "SELECT origin FROM meta", &s, err));
	TG_TRY(tg_db_step(db, s, &row, err));
	const char *has = row ? (const char *)sqlite3_column_text(s, 0) : NULL;
	TG_REQUIRE(has == NULL || has[0] == '\0' || strcmp(has, origin) == 0, err, TG_E_CONFLICT,
	    "%s: an index of the log '%.255s', not of '%.255s'; %s", db->path, has, origin, advice);
	return TG_OK;
}

/* In one transaction, because somebody else may be about to do the same. */
static tg_status
make_or_check(const struct tg_db *db, const char *origin, bool create, struct tg_error *err)
{
	int64_t n = 0, application = 0;

	TG_TRY(tg_db_exec(db, create ? "BEGIN IMMEDIATE" : "BEGIN", err));
	TG_TRY(tg_db_int(db, "PRAGMA application_id", &application, err));
	TG_TRY(tg_db_int(db, "SELECT count(*) FROM sqlite_schema", &n, err));
	if (create && application == 0 && n == 0)
		TG_TRY(make_schema(db, origin, err));
	TG_TRY(check_schema(db, err));
	TG_TRY(check_origin(db, origin, err));
	return tg_db_exec(db, "COMMIT", err);
}

/* ---- feeding it ---- */

static bool
chain_fits(uint64_t n, const char *chain)
{
	return n == 0 ? chain[0] == '\0' :
			strlen(chain) == TG_LOG_CHAIN_TEXT &&
		strspn(chain, "0123456789abcdef") == TG_LOG_CHAIN_TEXT;
}

static tg_status
read_last(const struct tg_db *db, uint64_t *ret_n, char ret_chain[TG_LOG_CHAIN_TEXT + 1],
    struct tg_error *err)
{
	TG_AUTO(tg_db_finalizep) sqlite3_stmt *s = NULL;
	bool row = false;

	TG_TRY(tg_db_prepare(db, "SELECT n, chain FROM meta", &s, err));
	TG_TRY(tg_db_step(db, s, &row, err));
	const int64_t n = row ? sqlite3_column_int64(s, 0) : -1;
	const char *chain = row ? (const char *)sqlite3_column_text(s, 1) : NULL;
	TG_REQUIRE(n >= 0 && chain != NULL && chain_fits((uint64_t)n, chain), err, TG_E_FORMAT,
	    "%s: does not say what has been indexed; %s", db->path, advice);
	*ret_n = (uint64_t)n;
	memcpy(ret_chain, chain, strlen(chain) + 1);
	return TG_OK;
}

static tg_status
index_last(void *ctx, uint64_t *ret_n, char ret_chain[TG_LOG_CHAIN_TEXT + 1], struct tg_error *err)
{
	const struct tg_eventindex *x = ctx;

	return read_last(&x->db, ret_n, ret_chain, err);
}

static tg_status
index_clear(void *ctx, struct tg_error *err)
{
	const struct tg_eventindex *x = ctx;

	tg_db_rollback(&x->db);
	tg_status s = tg_db_exec(&x->db,
	    "BEGIN IMMEDIATE; DELETE FROM events; UPDATE meta SET n = 0, chain = ''; COMMIT", err);
	if (s != TG_OK)
		tg_db_rollback(&x->db);
	return s;
}

static tg_status
index_begin(void *ctx, struct tg_error *err)
{
	struct tg_eventindex *x = ctx;
	char chain[TG_LOG_CHAIN_TEXT + 1];

	tg_db_rollback(&x->db);
	if (x->insert == NULL)
		TG_TRY(tg_db_prepare(&x->db,
		    "INSERT INTO events VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)", &x->insert, err));
	TG_TRY(tg_db_exec(&x->db, "BEGIN IMMEDIATE", err));
	tg_status s = read_last(&x->db, &x->next, chain, err);
	if (s != TG_OK)
		tg_db_rollback(&x->db);
	return s;
}

static tg_status
in_transaction(const struct tg_eventindex *x, struct tg_error *err)
{
	TG_REQUIRE(!sqlite3_get_autocommit(x->db.p), err, TG_E_USAGE, "%s: not begun", x->db.path);
	return TG_OK;
}

static tg_status
insert(const struct tg_eventindex *x, const struct tg_log_fact *f, struct tg_error *err)
{
	const tg_bytes text[] = { f->event_type, f->event_id, f->tenant_id, f->actor_id,
		f->fleet_id, f->agent_id, f->result, f->subject };
	int code = sqlite3_bind_int64(x->insert, 1, (sqlite3_int64)f->sequence);
	bool row = false;

	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(x->insert, 2, f->timestamp);
	if (code != SQLITE_OK)
		return tg_db_fail(&x->db, code, err);
	for (size_t i = 0; i < TG_LEN(text); i++)
		TG_TRY(tg_db_bind(&x->db, x->insert, (int)i + 3, text[i], err));
	return tg_db_step(&x->db, x->insert, &row, err);
}

static tg_status
index_put(void *ctx, const struct tg_log_fact *fact, struct tg_error *err)
{
	struct tg_eventindex *x = ctx;

	TG_TRY(in_transaction(x, err));
	TG_REQUIRE(fact->sequence == x->next && fact->sequence < INT64_MAX, err, TG_E_CONFLICT,
	    "%s: record %" PRIu64 " to be indexed, %" PRIu64 " is the next", x->db.path,
	    fact->sequence, x->next);
	tg_status s = insert(x, fact, err);
	(void)sqlite3_reset(x->insert);
	(void)sqlite3_clear_bindings(x->insert); /* they were borrowed */
	if (s == TG_OK)
		x->next++;
	return s;
}

static tg_status
index_commit(void *ctx, uint64_t n, const char *chain, struct tg_error *err)
{
	struct tg_eventindex *x = ctx;
	TG_AUTO(tg_db_finalizep) sqlite3_stmt *s = NULL;
	bool row = false;

	TG_TRY(in_transaction(x, err));
	TG_REQUIRE(n == x->next, err, TG_E_CONFLICT,
	    "%s: %" PRIu64 " records indexed, not %" PRIu64, x->db.path, x->next, n);
	TG_REQUIRE(chain_fits(n, chain), err, TG_E_USAGE, "%s: a chain hash has %d hex digits",
	    x->db.path, TG_LOG_CHAIN_TEXT);
	TG_TRY(tg_db_prepare(&x->db, "UPDATE meta SET n = ?1, chain = ?2", &s, err));
	int code = sqlite3_bind_int64(s, 1, (sqlite3_int64)n);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(s, 2, chain, -1, SQLITE_STATIC);
	if (code != SQLITE_OK)
		return tg_db_fail(&x->db, code, err);
	TG_TRY(tg_db_step(&x->db, s, &row, err));
	tg_status st = tg_db_exec(&x->db, "COMMIT", err);
	if (st != TG_OK)
		tg_db_rollback(&x->db);
	return st;
}

/* ---- open and close ---- */

static tg_status
prepare_file(struct tg_eventindex *x, const char *path, const char *origin, bool create,
    struct tg_error *err)
{
	TG_TRY(tg_db_open(&x->db, path, create, advice, err));
	TG_TRY(make_or_check(&x->db, origin, create, err));
	/* what a power failure takes is indexed again; where WAL cannot be had, it works without */
	(void)sqlite3_exec(x->db.p, "PRAGMA journal_mode = wal", NULL, NULL, NULL);
	return tg_db_exec(&x->db,
	    "PRAGMA synchronous = normal; PRAGMA cache_size = -32768;"
	    "PRAGMA journal_size_limit = 67108864", err);
}

tg_status
tg_eventindex_open(const char *path, const char *origin, bool create, struct tg_eventindex **ret,
    struct tg_error *err)
{
	struct tg_eventindex *x = calloc(1, sizeof(*x));

	TG_REQUIRE(x != NULL, err, TG_E_NOMEM, "%s: out of memory", path);
	tg_status s = prepare_file(x, path, origin, create, err);
	if (s != TG_OK) {
		tg_eventindex_close(x);
		return s;
	}
	x->feed = (struct tg_log_index){ index_last, index_clear, index_begin, index_put,
		index_commit, x };
	*ret = x;
	return TG_OK;
}

void
tg_eventindex_close(struct tg_eventindex *x)
{
	if (x == NULL)
		return;
	tg_db_finalizep(&x->insert);
	tg_db_rollback(&x->db);
	tg_db_close(&x->db);
	free(x);
}

const struct tg_log_index *
tg_eventindex_feed(struct tg_eventindex *x)
{
	return &x->feed;
}

/* ---- finding ---- */

struct condition {
	const char *sql; /* with ?N, N the place in the list, from 1 */
	const char *text;
	int64_t number;
};

enum { TEXTS = 8, CONDITIONS = 11 };

static void
conditions(const struct tg_event_filter *f, struct condition out[static CONDITIONS])
{
	const struct condition list[CONDITIONS] = {
		{ "event_type = ?1", f->event_type, 0 },
		{ "event_id = ?2", f->event_id, 0 },
		{ "tenant_id = ?3", f->tenant_id, 0 },
		{ "actor_id = ?4", f->actor_id, 0 },
		{ "fleet_id = ?5", f->fleet_id, 0 },
		{ "agent_id = ?6", f->agent_id, 0 },
		{ "result = ?7", f->result, 0 },
		{ "subject = ?8", f->subject, 0 },
		{ "timestamp >= ?9", NULL, f->since },
		{ "timestamp < ?10", NULL, f->until },
		{ " LIMIT ?11", NULL, f->limit > INT64_MAX ? INT64_MAX : (int64_t)f->limit },
	};

	memcpy(out, list, sizeof(list));
}

static bool
asked(const struct condition *c)
{
	return c->text != NULL || c->number != 0;
}

static tg_status
find_sql(const struct condition *c, bool newest_first, struct tg_buf *sql)
{
	const char *joint = " WHERE ";

	TG_TRY(tg_buf_put_str(sql, "SELECT sequence FROM events"));
	for (size_t i = 0; i < CONDITIONS - 1; i++) {
		if (!asked(&c[i]))
			continue;
		TG_TRY(tg_buf_put_str(sql, joint));
		TG_TRY(tg_buf_put_str(sql, c[i].sql));
		joint = " AND ";
	}
	TG_TRY(
	    tg_buf_put_str(sql, newest_first ? " ORDER BY sequence DESC" : " ORDER BY sequence"));
	if (asked(&c[CONDITIONS - 1]))
		TG_TRY(tg_buf_put_str(sql, c[CONDITIONS - 1].sql));
	return tg_buf_put_u8(sql, 0);
}

static tg_status
bind_asked(const struct tg_db *db, sqlite3_stmt *s, const struct condition *c, struct tg_error *err)
{
	for (int i = 0; i < CONDITIONS; i++) {
		if (!asked(&c[i]))
			continue;
		const int code = i < TEXTS
		    ? sqlite3_bind_text(s, i + 1, c[i].text, -1, SQLITE_STATIC)
		    : sqlite3_bind_int64(s, i + 1, c[i].number);
		if (code != SQLITE_OK)
			return tg_db_fail(db, code, err);
	}
	return TG_OK;
}

tg_status
tg_eventindex_find(struct tg_eventindex *x, const struct tg_event_filter *filter,
    tg_status (*found)(void *ctx, uint64_t sequence, struct tg_error *err), void *ctx,
    struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf sql = { .max = 1024 };
	TG_AUTO(tg_db_finalizep) sqlite3_stmt *s = NULL;
	struct condition c[CONDITIONS];
	bool row = true;

	conditions(filter, c);
	TG_REQUIRE(find_sql(c, filter->newest_first, &sql) == TG_OK, err, TG_E_NOMEM,
	    "%s: out of memory", x->db.path);
	TG_TRY(tg_db_prepare(&x->db, (const char *)sql.p, &s, err));
	TG_TRY(bind_asked(&x->db, s, c, err));
	for (;;) {
		TG_TRY(tg_db_step(&x->db, s, &row, err));
		if (!row)
			return TG_OK;
		const int64_t sequence = sqlite3_column_int64(s, 0);
		TG_REQUIRE(sequence >= 0, err, TG_E_FORMAT, "%s: damaged; %s", x->db.path, advice);
		TG_TRY(found(ctx, (uint64_t)sequence, err));
	}
}
