/* store/db.h - a SQLite file: opened with care, its failures as ours. */
#ifndef TG_STORE_DB_H
#define TG_STORE_DB_H

#include "util/bytes.h"

struct sqlite3;
struct sqlite3_stmt;

struct tg_db {
	struct sqlite3 *p;
	char *path;
	const char *advice; /* what can be done about a damaged file; static */
};

/*
 * An existing file, or with `create` also a new one of mode 0600. What the file's schema may do to
 * us is limited; nothing has been read from it yet. TG_E_NOTFOUND when absent, TG_E_FORMAT for
 * something else than a regular file. Release with tg_db_close(), on failure too.
 */
TG_MUST_CHECK tg_status tg_db_open(struct tg_db *db, const char *path, bool create,
    const char *advice, struct tg_error *err);
void tg_db_close(struct tg_db *db);

/* The status for a SQLite result code, and the line for people. */
TG_MUST_CHECK tg_status tg_db_fail(const struct tg_db *db, int code, struct tg_error *err);
/* Statements without parameters. */
TG_MUST_CHECK tg_status tg_db_exec(const struct tg_db *db, const char *sql, struct tg_error *err);
/* Undo what has not been committed, if anything. */
void tg_db_rollback(const struct tg_db *db);
/* *ret is new: sqlite3_finalize(). */
TG_MUST_CHECK tg_status tg_db_prepare(const struct tg_db *db, const char *sql,
    struct sqlite3_stmt **ret, struct tg_error *err);
void tg_db_finalizep(struct sqlite3_stmt **s); /* for TG_AUTO */
/* Bind text that the caller keeps until the statement is reset; an empty view is NULL in SQL. */
TG_MUST_CHECK tg_status tg_db_bind(const struct tg_db *db, struct sqlite3_stmt *s, int at,
    tg_bytes text, struct tg_error *err);
/* *ret_row: there is a row; false: done. */
TG_MUST_CHECK tg_status tg_db_step(const struct tg_db *db, struct sqlite3_stmt *s, bool *ret_row,
    struct tg_error *err);
/* The integer that a statement without parameters gives. */
TG_MUST_CHECK tg_status tg_db_int(const struct tg_db *db, const char *sql, int64_t *ret,
    struct tg_error *err);

#endif
