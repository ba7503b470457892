#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/try.h"

/* One table for what a status means to the outside: docs/ERRORS.md repeats it. */
static const struct {
	const char *name;
	int exit_code;
	int http;
} outside[TG_STATUS_COUNT] = {
	[TG_OK] = { "ok", 0, 200 },
	[TG_E_USAGE] = { "usage", 64, 400 },
	[TG_E_NOMEM] = { "nomem", 71, 500 },
	[TG_E_IO] = { "io", 74, 500 },
	[TG_E_FORMAT] = { "format", 65, 400 },
	[TG_E_LIMIT] = { "limit", 65, 413 },
	[TG_E_AUTH] = { "auth", 3, 401 },
	[TG_E_POLICY] = { "policy", 4, 403 },
	[TG_E_NOTFOUND] = { "notfound", 66, 404 },
	[TG_E_CONFLICT] = { "conflict", 5, 409 },
	[TG_E_BUSY] = { "busy", 75, 503 },
	[TG_E_UNSUPPORTED] = { "unsupported", 69, 501 },
	[TG_E_INTERNAL] = { "internal", 70, 500 },
};

static tg_status
known(tg_status s)
{
	return (unsigned)s < TG_STATUS_COUNT ? s : TG_E_INTERNAL;
}

const char *
tg_status_name(tg_status s)
{
	return outside[known(s)].name;
}

int
tg_status_exit_code(tg_status s)
{
	return outside[known(s)].exit_code;
}

int
tg_status_http(tg_status s)
{
	return outside[known(s)].http;
}

void
tg_fail_at(struct tg_error *err, tg_status s, const char *file, int line, const char *fmt, ...)
{
	int saved = errno;

	if (err != NULL) {
		va_list ap;

		err->status = s;
		err->sys_errno = s == TG_E_IO ? saved : 0;
		err->file = file;
		err->line = line;
		va_start(ap, fmt);
		(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
		/* it may quote the input, and stays one line all the same */
		for (char *p = err->text; *p != '\0'; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				*p = '?';
	}
	errno = saved;
}
