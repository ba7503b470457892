#include "../../tap.h"
#include "util/try.h"

#include <errno.h>

/* The whole table, as docs/ERRORS.md has it: these numbers are an interface. */
static const struct {
	tg_status s;
	const char *name;
	int exit_code, http;
} table[] = {
	{ TG_OK, "ok", 0, 200 },
	{ TG_E_USAGE, "usage", 64, 400 },
	{ TG_E_NOMEM, "nomem", 71, 500 },
	{ TG_E_IO, "io", 74, 500 },
	{ TG_E_FORMAT, "format", 65, 400 },
	{ TG_E_LIMIT, "limit", 65, 413 },
	{ TG_E_AUTH, "auth", 3, 401 },
	{ TG_E_POLICY, "policy", 4, 403 },
	{ TG_E_NOTFOUND, "notfound", 66, 404 },
	{ TG_E_CONFLICT, "conflict", 5, 409 },
	{ TG_E_BUSY, "busy", 75, 503 },
	{ TG_E_UNSUPPORTED, "unsupported", 69, 501 },
	{ TG_E_INTERNAL, "internal", 70, 500 },
};

static void
every_status_has_its_outside(void)
{
	OK(TG_LEN(table) == TG_STATUS_COUNT);
	for (size_t i = 0; i < TG_LEN(table); i++) {
		OK((size_t)table[i].s == i);
		OK(strcmp(tg_status_name(table[i].s), table[i].name) == 0);
		OK(tg_status_exit_code(table[i].s) == table[i].exit_code);
		OK(tg_status_http(table[i].s) == table[i].http);
	}
	OK(strcmp(tg_status_name((tg_status)99), "internal") == 0);
	OK(strcmp(tg_status_name((tg_status)-1), "internal") == 0);
	OK(tg_status_exit_code((tg_status)99) == 70 && tg_status_http((tg_status)-1) == 500);
}

static tg_status
failing(struct tg_error *err)
{
	return tg_fail(err, TG_E_FORMAT, "%d of %s", 3, "four");
}

static void
a_failure_says_where_and_why(void)
{
	struct tg_error err = TG_ERROR_INIT;

	OK_STATUS(failing(&err), TG_E_FORMAT);
	OK(err.status == TG_E_FORMAT && strcmp(err.text, "3 of four") == 0);
	OK(err.file != NULL && strstr(err.file, "test_error.c") != NULL && err.line > 0);
	OK(err.sys_errno == 0);
	OK_STATUS(failing(NULL), TG_E_FORMAT);
}

static void
io_keeps_errno(void)
{
	struct tg_error err = TG_ERROR_INIT;

	errno = ENOSPC;
	OK_STATUS(tg_fail(&err, TG_E_IO, "disk: %m"), TG_E_IO);
	OK(err.sys_errno == ENOSPC && errno == ENOSPC);
	OK(strcmp(err.text, "disk: No space left on device") == 0);
	OK_STATUS(tg_fail(&err, TG_E_AUTH, "x"), TG_E_AUTH);
	OK(err.sys_errno == 0 && errno == ENOSPC);
}

static void
long_texts_are_cut_and_ended(void)
{
	struct tg_error err = TG_ERROR_INIT;
	char text[2000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	OK_STATUS(tg_fail(&err, TG_E_LIMIT, "%s", text), TG_E_LIMIT);
	OK(strlen(err.text) == TG_ERROR_TEXT_MAX - 1);
}

int
main(void)
{
	every_status_has_its_outside();
	a_failure_says_where_and_why();
	io_keeps_errno();
	long_texts_are_cut_and_ended();
	return tap_done();
}
