/* The index over the evidence log: fed, asked, cleared, half-fed; files that are something else,
 * damaged, of another log or version; two processes' worth of handles on one file. */
#include <inttypes.h>
#include <sqlite3.h>

#include "../util/scratch.h"
#include "store/eventindex.h"

#define ORIGIN "example.com/log"

/* ---- helpers ---- */

static struct tg_error err;

static const char *
chain_of(uint64_t n)
{
	static char chain[TG_LOG_CHAIN_TEXT + 1];

	if (n == 0)
		return "";
	(void)snprintf(chain, sizeof(chain), "%064" PRIx64, n * 0x9e3779b97f4a7c15u);
	return chain;
}

static tg_bytes
str(const char *s)
{
	return s == NULL ? (tg_bytes){ NULL, 0 } : tg_bytes_str(s);
}

/* Event i: types a b c in turn, every tenth denied, actors by hundreds, half of them in a fleet; the
 * clock steps back once. */
static tg_status
put(const struct tg_log_index *x, uint64_t i)
{
	static const char *const types[] = { "TYPE_A", "TYPE_B", "TYPE_C" };
	char id[40], actor[40], subject[64];

	(void)snprintf(id, sizeof(id), "id-%" PRIu64, i);
	(void)snprintf(actor, sizeof(actor), "actor-%" PRIu64, i / 100);
	(void)snprintf(subject, sizeof(subject), "{\"key_id\":\"k%" PRIu64 "\"}", i % 7);
	const struct tg_log_fact f = {
		.sequence = i,
		.timestamp = (int64_t)(i < 500 ? i * 10 : (i - 100) * 10),
		.event_type = str(types[i % 3]),
		.event_id = str(id),
		.tenant_id = str("default"),
		.actor_id = str(actor),
		.fleet_id = str(i % 2 == 0 ? "fleet" : NULL),
		.agent_id = str(i == 5 ? "agent'; DROP TABLE events; --" : NULL),
		.result = str(i % 10 == 0 ? "denied" : "success"),
		.subject = str(subject),
	};

	return x->put(x->ctx, &f, &err);
}

static tg_status
feed(const struct tg_log_index *x, uint64_t from, uint64_t to)
{
	TG_TRY(x->begin(x->ctx, &err));
	for (uint64_t i = from; i < to; i++)
		TG_TRY(put(x, i));
	return x->commit(x->ctx, to, chain_of(to), &err);
}

static uint64_t
count(const struct tg_log_index *x)
{
	char chain[TG_LOG_CHAIN_TEXT + 1] = "?";
	uint64_t n = UINT64_MAX;

	if (x->last(x->ctx, &n, chain, &err) != TG_OK)
		return UINT64_MAX;
	return strcmp(chain, chain_of(n)) == 0 ? n : UINT64_MAX - 1;
}

struct answer {
	uint64_t n, first, last;
	bool rising, falling;
};

static tg_status
found(void *ctx, uint64_t sequence, struct tg_error *e)
{
	struct answer *a = ctx;

	(void)e;
	if (a->n == 0) {
		a->first = sequence;
		a->rising = a->falling = true;
	} else {
		a->rising = a->rising && sequence > a->last;
		a->falling = a->falling && sequence < a->last;
	}
	a->last = sequence;
	a->n++;
	return TG_OK;
}

static struct answer
ask(struct tg_eventindex *x, struct tg_event_filter filter)
{
	struct answer a = { 0 };

	if (tg_eventindex_find(x, &filter, found, &a, &err) != TG_OK)
		a.n = UINT64_MAX;
	return a;
}

static tg_status
stop(void *ctx, uint64_t sequence, struct tg_error *e)
{
	(void)ctx;
	return tg_fail(e, TG_E_BUSY, "enough at %" PRIu64, sequence);
}

static struct tg_eventindex *
opened(const char *name)
{
	struct tg_eventindex *x = NULL;

	if (tg_eventindex_open(in(name), ORIGIN, true, &x, &err) != TG_OK) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	return x;
}

/* The status of opening what is there, and whether the line says what to do. */
static tg_status
reopen(const char *name, const char *origin, bool create)
{
	TG_AUTO(tg_eventindex_closep) struct tg_eventindex *x = NULL;

	err.text[0] = '\0';
	return tg_eventindex_open(in(name), origin, create, &x, &err);
}

static bool
advised(void)
{
	return strstr(err.text, "it may be deleted") != NULL && strchr(err.text, '\n') == NULL;
}

static void
sql(const char *name, const char *text)
{
	sqlite3 *db = NULL;

	if (sqlite3_open(in(name), &db) != SQLITE_OK ||
	    sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		printf("# %s\n", sqlite3_errmsg(db));
	(void)sqlite3_close(db);
}

/* ---- tests ---- */

static void
feeding(void)
{
	TG_AUTO(tg_eventindex_closep) struct tg_eventindex *x = NULL;

	OK_STATUS(tg_eventindex_open(in("a.index"), ORIGIN, false, &x, &err), TG_E_NOTFOUND);
	OK_STATUS(tg_eventindex_open(in("a.index"), ORIGIN, true, &x, &err), TG_OK);
	OK(mode_of("a.index") == 0600);
	const struct tg_log_index *f = tg_eventindex_feed(x);
	OK(count(f) == 0);
	OK_STATUS(put(f, 0), TG_E_USAGE);
	OK_STATUS(f->commit(f->ctx, 0, "", &err), TG_E_USAGE);
	OK_STATUS(feed(f, 0, 0), TG_OK);
	OK(count(f) == 0);
	OK_STATUS(feed(f, 0, 1000), TG_OK);
	OK(count(f) == 1000);
	OK_STATUS(feed(f, 999, 1001), TG_E_CONFLICT);
	OK_STATUS(feed(f, 1001, 1002), TG_E_CONFLICT);
	OK(count(f) == 1000);

	/* begun and not committed: gone */
	OK_STATUS(f->begin(f->ctx, &err), TG_OK);
	OK_STATUS(put(f, 1000), TG_OK);
	OK_STATUS(f->commit(f->ctx, 1000, chain_of(1000), &err), TG_E_CONFLICT);
	OK_STATUS(f->commit(f->ctx, 1001, "abc", &err), TG_E_USAGE);
	OK_STATUS(f->commit(f->ctx, 1001, "", &err), TG_E_USAGE);
	OK(count(f) == 1000);
	OK_STATUS(feed(f, 1000, 1100), TG_OK);
	OK_STATUS(f->begin(f->ctx, &err), TG_OK);
	OK_STATUS(put(f, 1100), TG_OK);
	tg_eventindex_close(x);
	x = NULL;
	OK_STATUS(tg_eventindex_open(in("a.index"), NULL, false, &x, &err), TG_OK);
	f = tg_eventindex_feed(x);
	OK(count(f) == 1100);
	OK(ask(x, (struct tg_event_filter){ 0 }).n == 1100);

	OK_STATUS(f->begin(f->ctx, &err), TG_OK);
	OK_STATUS(put(f, 1100), TG_OK);
	OK_STATUS(f->clear(f->ctx, &err), TG_OK);
	OK(count(f) == 0);
	OK(ask(x, (struct tg_event_filter){ 0 }).n == 0);
	OK_STATUS(feed(f, 0, 10), TG_OK);
	OK(count(f) == 10);
}

static void
asking(void)
{
	TG_AUTO(tg_eventindex_closep) struct tg_eventindex *x = opened("b.index");
	struct answer a;

	OK_STATUS(feed(tg_eventindex_feed(x), 0, 1000), TG_OK);
	a = ask(x, (struct tg_event_filter){ 0 });
	OK(a.n == 1000 && a.first == 0 && a.last == 999 && a.rising);
	a = ask(x, (struct tg_event_filter){ .newest_first = true, .limit = 3 });
	OK(a.n == 3 && a.first == 999 && a.last == 997 && a.falling);
	a = ask(x, (struct tg_event_filter){ .event_type = "TYPE_B" });
	OK(a.n == 333 && a.first == 1 && a.last == 997 && a.rising);
	a = ask(x, (struct tg_event_filter){ .event_type = "TYPE_B", .newest_first = true });
	OK(a.n == 333 && a.first == 997 && a.falling);
	OK(ask(x, (struct tg_event_filter){ .event_type = "TYPE" }).n == 0);
	OK(ask(x, (struct tg_event_filter){ .event_type = "type_b" }).n == 0);
	OK(ask(x, (struct tg_event_filter){ .event_type = "TYPE_%" }).n == 0);
	a = ask(x, (struct tg_event_filter){ .event_id = "id-77" });
	OK(a.n == 1 && a.first == 77);
	OK(ask(x, (struct tg_event_filter){ .tenant_id = "default" }).n == 1000);
	OK(ask(x, (struct tg_event_filter){ .tenant_id = "other" }).n == 0);
	a = ask(x, (struct tg_event_filter){ .actor_id = "actor-3", .result = "denied" });
	OK(a.n == 10 && a.first == 300 && a.last == 390);
	OK(ask(x, (struct tg_event_filter){ .fleet_id = "fleet" }).n == 500);
	OK(ask(x, (struct tg_event_filter){ .fleet_id = "" }).n == 0);
	a = ask(x, (struct tg_event_filter){ .agent_id = "agent'; DROP TABLE events; --" });
	OK(a.n == 1 && a.first == 5);
	OK(ask(x, (struct tg_event_filter){ .subject = "{\"key_id\":\"k3\"}" }).n == 143);
	OK(ask(x, (struct tg_event_filter){ .subject = "' OR 1=1 --" }).n == 0);
	/* 400 ... 499 twice, because of the clock */
	a = ask(x, (struct tg_event_filter){ .since = 4000, .until = 5000 });
	OK(a.n == 200 && a.first == 400 && a.last == 599 && a.rising);
	OK(ask(x, (struct tg_event_filter){ .since = 8990 }).n == 1);
	OK(ask(x, (struct tg_event_filter){ .since = 8991 }).n == 0);
	OK(ask(x, (struct tg_event_filter){ .until = 1 }).n == 1);
	OK(ask(x, (struct tg_event_filter){ .limit = UINT64_MAX }).n == 1000);
	a = ask(x,
	    (struct tg_event_filter){ "TYPE_A", "id-30", "default", "actor-0", "fleet", NULL,
		"denied", "{\"key_id\":\"k2\"}", 300, 301, 5, true });
	OK(a.n == 1 && a.first == 30);

	const struct tg_event_filter all = { 0 };
	OK_STATUS(tg_eventindex_find(x, &all, stop, NULL, &err), TG_E_BUSY);
	OK(strcmp(err.text, "enough at 0") == 0);
}

static void
two_handles(void)
{
	TG_AUTO(tg_eventindex_closep) struct tg_eventindex *x = opened("c.index");
	TG_AUTO(tg_eventindex_closep) struct tg_eventindex *y = opened("c.index");
	const struct tg_log_index *fx = tg_eventindex_feed(x), *fy = tg_eventindex_feed(y);

	OK_STATUS(feed(fx, 0, 50), TG_OK);
	OK(count(fy) == 50);
	OK_STATUS(feed(fy, 0, 50), TG_E_CONFLICT); /* somebody was first */
	OK_STATUS(feed(fy, 50, 60), TG_OK);
	OK(count(fx) == 60);
	/* a reader is not held up by a writer, and sees what is committed */
	OK_STATUS(fx->begin(fx->ctx, &err), TG_OK);
	OK_STATUS(put(fx, 60), TG_OK);
	OK(ask(y, (struct tg_event_filter){ 0 }).n == 60);
	OK_STATUS(fx->commit(fx->ctx, 61, chain_of(61), &err), TG_OK);
	OK(ask(y, (struct tg_event_filter){ 0 }).n == 61);
	OK(mode_of("c.index-wal") == 0600);
}

static void
other_files(void)
{
	tg_eventindex_close(opened("d.index"));
	OK_STATUS(reopen("d.index", ORIGIN, false), TG_OK);
	OK_STATUS(reopen("d.index", "example.com/other", true), TG_E_CONFLICT);
	OK(advised() && strstr(err.text, "example.com/other") != NULL);
	sql("d.index", "PRAGMA user_version = 2");
	OK_STATUS(reopen("d.index", ORIGIN, true), TG_E_UNSUPPORTED);
	OK(advised());
	sql("d.index", "PRAGMA user_version = 1; CREATE TABLE more(x)");
	OK_STATUS(reopen("d.index", ORIGIN, true), TG_E_FORMAT);
	OK(advised());
	sql("d.index",
	    "DROP TABLE more; DROP INDEX events_subject; CREATE TABLE events_subject(x)");
	OK_STATUS(reopen("d.index", ORIGIN, true), TG_E_FORMAT);

	make("text",
	    "this is a text, and a database it is not, however long it may become; padding\n");
	OK_STATUS(reopen("text", ORIGIN, true), TG_E_FORMAT);
	OK(advised() && holds("text", "") == false);
	sql("foreign", "CREATE TABLE events(x); INSERT INTO events VALUES(7)");
	OK_STATUS(reopen("foreign", ORIGIN, true), TG_E_FORMAT);
	OK(advised());
	OK(entries(scratch) == 6); /* nothing beside it */
	make("empty", "");
	OK_STATUS(reopen("empty", ORIGIN, false), TG_E_FORMAT);
	OK_STATUS(reopen("empty", ORIGIN, true), TG_OK);
	OK(mkdir(in("folder"), 0700) == 0 && mkfifo(in("fifo"), 0600) == 0);
	OK_STATUS(reopen("folder", ORIGIN, true), TG_E_FORMAT);
	OK_STATUS(reopen("fifo", ORIGIN, true), TG_E_FORMAT);
	OK_STATUS(reopen("nowhere/x", ORIGIN, true), TG_E_IO);
	OK(err.sys_errno == ENOENT);

	/* meta without its row, and with a chain that is none */
	tg_eventindex_close(opened("e.index"));
	sql("e.index", "UPDATE meta SET chain = 'x', n = 1");
	TG_AUTO(tg_eventindex_closep) struct tg_eventindex *x = opened("e.index");
	OK(count(tg_eventindex_feed(x)) == UINT64_MAX && advised());
	sql("e.index", "DELETE FROM meta");
	OK(count(tg_eventindex_feed(x)) == UINT64_MAX && advised());
}

/* Relative names that mean something else to SQLite. */
static void
names(void)
{
	TG_AUTO(tg_eventindex_closep) struct tg_eventindex *x = NULL;
	TG_AUTO(tg_eventindex_closep) struct tg_eventindex *y = NULL;

	OK(chdir(scratch) == 0);
	OK_STATUS(tg_eventindex_open(":memory:", ORIGIN, true, &x, &err), TG_OK);
	OK_STATUS(feed(tg_eventindex_feed(x), 0, 5), TG_OK);
	OK_STATUS(tg_eventindex_open("file::memory:?mode=memory", ORIGIN, true, &y, &err), TG_OK);
	OK(mode_of(":memory:") == 0600 && mode_of("file::memory:?mode=memory") == 0600);
	OK(chdir("/") == 0);
}

/* Bytes changed anywhere: an answer or a failure, never a hang or a crash. */
static void
damage(void)
{
	static uint8_t whole[1 << 20], bad[1 << 20];
	unsigned long tried = 0, wrong = 0, refused = 0;
	FILE *f;

	struct tg_eventindex *x = opened("f.index");
	OK_STATUS(feed(tg_eventindex_feed(x), 0, 300), TG_OK);
	tg_eventindex_close(x);
	f = fopen(in("f.index"), "rb");
	const size_t n = f == NULL ? 0 : fread(whole, 1, sizeof(whole), f);
	OK(n > 4096 && n < sizeof(whole) && fclose(f) == 0);
	for (size_t at = 0; at < n; at += at < 200 ? 1 : 97) {
		memcpy(bad, whole, n);
		bad[at] ^= 0xff;
		f = fopen(in("g.index"), "wb");
		if (f == NULL || fwrite(bad, 1, n, f) != n || fclose(f) != 0)
			break;
		x = NULL;
		tried++;
		tg_status s = tg_eventindex_open(in("g.index"), ORIGIN, true, &x, &err);
		if (s == TG_OK) {
			(void)ask(x, (struct tg_event_filter){ .event_type = "TYPE_A" });
			(void)ask(x, (struct tg_event_filter){ .newest_first = true });
			s = feed(tg_eventindex_feed(x), 300, 310);
		}
		refused += s != TG_OK;
		wrong += s != TG_OK && s != TG_E_FORMAT && s != TG_E_UNSUPPORTED &&
		    s != TG_E_CONFLICT && s != TG_E_IO;
		if (s == TG_E_FORMAT && !advised()) {
			printf("# byte %zu: %s\n", at, err.text);
			wrong++;
		}
		tg_eventindex_close(x);
		(void)unlink(in("g.index-wal"));
		(void)unlink(in("g.index-shm"));
	}
	OK_NONE(wrong, tried, "damaged bytes");
	OK(refused > 50);
	OK(truncate(in("f.index"), (off_t)n / 2) == 0);
	x = NULL;
	tg_status s = tg_eventindex_open(in("f.index"), ORIGIN, true, &x, &err);
	if (s == TG_OK)
		s = feed(tg_eventindex_feed(x), 300, 310);
	OK(s == TG_E_FORMAT && advised());
	tg_eventindex_close(x);
}

/* What the tests have left, one level deep. */
static void
clean_up(void)
{
	DIR *d = opendir(scratch);
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (unlinkat(dirfd(d), e->d_name, 0) != 0)
			(void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	if (d != NULL)
		closedir(d);
	(void)rmdir(scratch);
}

int
main(void)
{
	make_scratch();
	feeding();
	asking();
	two_handles();
	other_files();
	names();
	damage();
	clean_up();
	return tap_done();
}
