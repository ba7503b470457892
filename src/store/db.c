#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"
#include "util/try.h"

#define BUSY_MS 5000

/* ---- opening ---- */

/* SQLite would make the file for everybody to read; its companions take over the file's mode. */
static tg_status
file_is_there(const char *path, bool create, struct tg_error *err)
{
	TG_AUTO(tg_fd_closep) int fd = -1;
	struct stat st;

	if (create) {
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		TG_REQUIRE(fd >= 0 || errno == EEXIST, err, TG_E_IO, "%s: cannot create: %m", path);
	}
	if (stat(path, &st) != 0)
		return errno == ENOENT ? tg_fail(err, TG_E_NOTFOUND, "%s: no such file", path)
				       : tg_fail(err, TG_E_IO, "%s: %m", path);
	TG_REQUIRE(S_ISREG(st.st_mode), err, TG_E_FORMAT, "%s: not a regular file", path);
	return TG_OK;
}

/* A file that somebody else has written gets no views, triggers or functions of its own choice. */
static int
distrust(sqlite3 *p)
{
	static const struct {
		int option, value;
	} set[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	};
	int code = SQLITE_OK;

	for (size_t i = 0; i < TG_LEN(set) && code == SQLITE_OK; i++)
		code = sqlite3_db_config(p, set[i].option, set[i].value, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(
		    p, "PRAGMA cell_size_check = on; PRAGMA mmap_size = 0", NULL, NULL, NULL);
	return code;
}

tg_status
tg_db_open(struct tg_db *db, const char *path, bool create, const char *advice,
    struct tg_error *err)
{
	char *name = NULL;

	*db = (struct tg_db){ .advice = advice };
	TG_TRY(file_is_there(path, create, err));
	db->path = strdup(path);
	/* some relative names, such as ":memory:", mean something else to SQLite */
	if (db->path == NULL || asprintf(&name, "%s%s", path[0] == '/' ? "" : "./", path) < 0)
		return tg_fail(err, TG_E_NOMEM, "%s: out of memory", path);
	int code = sqlite3_open_v2(name, &db->p,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	free(name);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(db->p, BUSY_MS);
	if (code == SQLITE_OK)
		code = distrust(db->p);
	return code == SQLITE_OK ? TG_OK : tg_db_fail(db, code, err);
}

void
tg_db_close(struct tg_db *db)
{
	(void)sqlite3_close_v2(db->p); /* accepts NULL */
	free(db->path);
	*db = (struct tg_db){ 0 };
}

/* ---- failures ---- */

tg_status
tg_db_fail(const struct tg_db *db, int code, struct tg_error *err)
{
	/* the primary code is the low byte */
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return tg_fail(err, TG_E_NOMEM, "%s: out of memory", db->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return tg_fail(err, TG_E_BUSY, "%s: another process is writing to it", db->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return tg_fail(err, TG_E_FORMAT, "%s: damaged, or not a database of ours; %s",
		    db->path, db->advice);
	case SQLITE_TOOBIG:
		return tg_fail(err, TG_E_LIMIT, "%s: a value is too long for it", db->path);
	case SQLITE_ERROR: /* a table or column that is not there: our statements are right */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_SCHEMA:
		return tg_fail(err, TG_E_FORMAT, "%s: not as it was made (%s); %s", db->path,
		    sqlite3_errmsg(db->p), db->advice);
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
		return tg_fail(err, TG_E_INTERNAL, "%s: %s", db->path, sqlite3_errstr(code));
	default: /* no space, read-only, no permission, the disk */
		errno = db->p == NULL ? 0 : sqlite3_system_errno(db->p);
		return tg_fail(err, TG_E_IO, "%s: %s", db->path, sqlite3_errstr(code));
	}
}

/* ---- statements ---- */

tg_status
tg_db_exec(const struct tg_db *db, const char *sql, struct tg_error *err)
{
	int code = sqlite3_exec(db->p, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? TG_OK : tg_db_fail(db, code, err);
}

void
tg_db_rollback(const struct tg_db *db)
{
	if (db->p != NULL && !sqlite3_get_autocommit(db->p))
		(void)sqlite3_exec(db->p, "ROLLBACK", NULL, NULL, NULL);
}

tg_status
tg_db_prepare(const struct tg_db *db, const char *sql, sqlite3_stmt **ret, struct tg_error *err)
{
	int code = sqlite3_prepare_v2(db->p, sql, -1, ret, NULL);

	return code == SQLITE_OK ? TG_OK : tg_db_fail(db, code, err);
}

void
tg_db_finalizep(sqlite3_stmt **s)
{
	(void)sqlite3_finalize(*s);
	*s = NULL;
}

tg_status
tg_db_bind(const struct tg_db *db, sqlite3_stmt *s, int at, tg_bytes text, struct tg_error *err)
{
	int code = text.n == 0 ? sqlite3_bind_null(s, at) :
				 sqlite3_bind_text64(s, at, (const char *)text.p, text.n,
				     SQLITE_STATIC, SQLITE_UTF8);

	return code == SQLITE_OK ? TG_OK : tg_db_fail(db, code, err);
}

tg_status
tg_db_step(const struct tg_db *db, sqlite3_stmt *s, bool *ret_row, struct tg_error *err)
{
	int code = sqlite3_step(s);

	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return tg_db_fail(db, code, err);
	*ret_row = code == SQLITE_ROW;
	return TG_OK;
}

tg_status
tg_db_int(const struct tg_db *db, const char *sql, int64_t *ret, struct tg_error *err)
{
	TG_AUTO(tg_db_finalizep) sqlite3_stmt *s = NULL;
	bool row = false;

	TG_TRY(tg_db_prepare(db, sql, &s, err));
	TG_TRY(tg_db_step(db, s, &row, err));
	TG_REQUIRE(row && sqlite3_column_type(s, 0) == SQLITE_INTEGER, err, TG_E_FORMAT,
	    "%s: not as it was made; %s", db->path, db->advice);
	*ret = sqlite3_column_int64(s, 0);
	return TG_OK;
}
