/* Text and JSON on standard output, notes and the one line about a failure on standard error. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "util/diag.h"
#include "util/text.h"
#include "util/try.h"


const char *
tg_human_size(uint64_t n, char buf[static 24])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)n;
	size_t u = 0;

	for (; v >= 1024 && u + 1 < TG_LEN(units); u++)
		v /= 1024;
	(void)snprintf(buf, 24, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
	return buf;
}

void
tg_print_text(FILE *out, const char *s)
{
	tg_diag_text(out, s);
}

/* TG_LOG=json makes notes and errors lines of JSON */
static enum tg_diag_format
log_format(void)
{
	const char *v = getenv("TG_LOG");

	return v != NULL && strcmp(v, "json") == 0 ? TG_DIAG_JSON : TG_DIAG_TEXT;
}

struct tg_json *
tg_json_new_shown(const char *s)
{
	struct tg_json *j = tg_json_new_str(tg_bytes_str(s));
	char *copy = j == NULL ? strdup(s) : NULL;

	if (copy != NULL) {
		for (char *p = copy; *p != '\0'; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		j = tg_json_new_str(tg_bytes_str(copy));
		free(copy);
	}
	return j;
}

void
tg_note(const char *fmt, ...)
{
	char text[TG_ERROR_TEXT_MAX];
	const struct tg_diag_field message = { "message", text };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tg_diag_line(stderr, log_format(), TG_DIAG_INFO, "note", &message, 1);
}

void
tg_report_failure(const char *verb, tg_status s, const struct tg_error *err)
{
	char event[64], code[8];
	const struct tg_diag_field fields[] = { { "message", err->text },
		{ "status", tg_status_name(s) }, { "exit", code } };

	(void)snprintf(event, sizeof(event), "tensorguard %s", verb);
	(void)snprintf(code, sizeof(code), "%d", tg_status_exit_code(s));
	if (log_format() == TG_DIAG_JSON) {
		tg_diag_line(stderr, TG_DIAG_JSON, TG_DIAG_ERROR, event, fields, TG_LEN(fields));
		return;
	}
	/* people want the kind of failure behind the sentence */
	char text[TG_ERROR_TEXT_MAX + 32];
	const struct tg_diag_field message = { "message", text };

	(void)snprintf(text, sizeof(text), "%s (%s)", err->text, tg_status_name(s));
	tg_diag_line(stderr, TG_DIAG_TEXT, TG_DIAG_ERROR, event, &message, 1);
}

tg_status
tg_flush_stdout(struct tg_error *err)
{
	TG_REQUIRE(fflush(stdout) == 0 && !ferror(stdout), err, TG_E_IO, "standard output: %m");
	return TG_OK;
}

tg_status
tg_print_json(const struct tg_json *j, struct tg_error *err)
{
	struct tg_buf text = { .max = SIZE_MAX };
	tg_status s = tg_json_write(j, &text, err);

	if (s == TG_OK) {
		(void)fwrite(text.p, 1, text.n, stdout);
		fputc('\n', stdout);
		s = tg_flush_stdout(err);
	}
	tg_buf_done(&text);
	return s;
}
