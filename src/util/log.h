/* util/log.h - one line per event, for people or for programs. Programs call it, at their edge;
 * libraries return errors instead. There is no field for raw bytes, so no secret can get in. */
#ifndef TG_UTIL_LOG_H
#define TG_UTIL_LOG_H

#include <stddef.h>
#include <stdio.h>

enum tg_log_format {
	TG_LOG_TEXT, /* event key=value ... ; the first field "message" stands alone */
	TG_LOG_JSON, /* {"event":...,"level":...,fields in the order given} */
};

enum tg_log_level { TG_LOG_ERROR, TG_LOG_WARN, TG_LOG_INFO };

struct tg_log_field {
	const char *key; /* [a-z_]+ */
	const char *value;
};

/* Writes one line, whatever is in the values: control characters and what is not UTF-8 come out
 * as '?'. One call is one write, so that lines of several threads do not mix. */
void tg_log_line(FILE *out, enum tg_log_format format, enum tg_log_level level, const char *event,
    const struct tg_log_field *fields, size_t n);

/* Text from outside, made fit for a terminal: C0, DEL, C1 and broken UTF-8 become '?'. */
void tg_log_text(FILE *out, const char *s);

#endif
