/* evidence/event.h - one event: its members taken apart and held to its type's form. */
#ifndef TG_EVIDENCE_EVENT_H
#define TG_EVIDENCE_EVENT_H

#include "evidence/types.h"

/* Everything is borrowed from the text that was read. */
struct tg_event {
	const struct tg_event_type *type; /* NULL: a type that this version does not know */
	uint32_t has;                     /* TG_M_BIT()s */
	tg_bytes value[TG_MEMBERS];       /* strings between their quotes; others whole */
};

/*
 * Read canonical JSON. TG_E_FORMAT for what is not of the form of docs/PROTOCOL.evidence.md section 2.
 * `missing`: members that may be absent because the log will set them, and must not be there when they
 * are in TG_M_BY_LOG; 0 for a complete event. Of an unknown type only the common members are judged
 * and handed out; `known` refuses it.
 */
TG_MUST_CHECK tg_status tg_event_read(tg_bytes text, uint32_t missing, bool known, const char *what,
    struct tg_event *ret, struct tg_error *err);

/* An integer value that has been read, within ±(2^53-1). */
int64_t tg_event_int(tg_bytes value);

#endif
