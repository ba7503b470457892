/* util/diag.h - one line per event, for people or for programs. Programs call it, at their edge;
 * libraries return errors instead. There is no field for raw bytes, so no secret can get in. */
#ifndef TG_UTIL_DIAG_H
#define TG_UTIL_DIAG_H

#include <stddef.h>
#include <stdio.h>

enum tg_diag_format {
	TG_DIAG_TEXT, /* event key=value ... ; the first field "message" stands alone */
	TG_DIAG_JSON, /* {"event":...,"level":...,fields in the order given} */
};

enum tg_diag_level { TG_DIAG_ERROR, TG_DIAG_WARN, TG_DIAG_INFO };

struct tg_diag_field {
	const char *key; /* [a-z_]+ */
	const char *value;
};

/* Writes one line, whatever is in the values: control characters and what is not UTF-8 come out
 * as '?'. One call is one write, so that lines of several threads do not mix. */
void tg_diag_line(FILE *out, enum tg_diag_format format, enum tg_diag_level level, const char *event,
    const struct tg_diag_field *fields, size_t n);

/* Text from outside, made fit for a terminal: C0, DEL, C1 and broken UTF-8 become '?'. */
void tg_diag_text(FILE *out, const char *s);

#endif
