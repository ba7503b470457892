#include "util/diag.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

void
tg_diag_text(FILE *out, const char *s)
{
	const bool utf8 = tg_utf8_valid(tg_bytes_str(s));

	for (; *s != '\0'; s++) {
		const unsigned char c = (unsigned char)*s;
		/* C0, DEL, and C1 in UTF-8: a terminal would obey them */
		const bool c1 = c == 0xc2 && (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xa0;

		fputc(c < 0x20 || c == 0x7f || c1 || (!utf8 && c >= 0x80) ? '?' : c, out);
		s += c1;
	}
}

static void
json_string(FILE *out, const char *s)
{
	char *shown = NULL;
	size_t n = 0;
	FILE *mem = open_memstream(&shown, &n);

	fputc('"', out);
	if (mem != NULL) {
		tg_diag_text(mem, s);
		fclose(mem);
		for (size_t i = 0; i < n; i++) {
			if (shown[i] == '"' || shown[i] == '\\')
				fputc('\\', out);
			fputc(shown[i], out);
		}
	}
	free(shown);
	fputc('"', out);
}

static void
line_json(FILE *out, enum tg_diag_level level, const char *event, const struct tg_diag_field *f,
    size_t n)
{
	static const char *const levels[] = { "error", "warn", "info" };

	fputs("{\"event\":", out);
	json_string(out, event);
	fprintf(out, ",\"level\":\"%s\"", levels[level]);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, ",\"%s\":", f[i].key);
		json_string(out, f[i].value);
	}
	fputs("}\n", out);
}

static void
line_text(FILE *out, const char *event, const struct tg_diag_field *f, size_t n)
{
	tg_diag_text(out, event);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(f[i].key, "message") == 0) {
			fputs(": ", out);
			tg_diag_text(out, f[i].value);
		} else {
			fprintf(out, " %s=", f[i].key);
			tg_diag_text(out, f[i].value);
		}
	}
	fputc('\n', out);
}

void
tg_diag_line(FILE *out, enum tg_diag_format format, enum tg_diag_level level, const char *event,
    const struct tg_diag_field *fields, size_t n)
{
	char *line = NULL;
	size_t len = 0;
	FILE *mem = open_memstream(&line, &len);

	if (mem == NULL)
		return; /* no memory even for the line that says so */
	if (format == TG_DIAG_JSON)
		line_json(mem, level, event, fields, n);
	else
		line_text(mem, event, fields, n);
	fclose(mem);
	(void)fwrite(line, 1, len, out);
	(void)fflush(out);
	free(line);
}
