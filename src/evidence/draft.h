/* evidence/draft.h - an event on its way into a log: what its author wrote, and the places where the
 * log puts what it sets itself. */
#ifndef TG_EVIDENCE_DRAFT_H
#define TG_EVIDENCE_DRAFT_H

#include "evidence/record.h"

#define TG_UUID_TEXT 36

/* Members that every event of a log gets, as "key":value texts; NULL for what the author must give. */
struct tg_draft_defaults {
	const char *origin; /* never NULL */
	const char *tenant; /* never NULL */
	const char *actor;
};

enum tg_piece_kind { TG_PIECE_TEXT, TG_PIECE_EVENT_ID, TG_PIECE_SEQUENCE, TG_PIECE_TIMESTAMP };

struct tg_draft_piece {
	enum tg_piece_kind kind;
	tg_bytes text; /* of TG_PIECE_TEXT; borrowed from the event or the defaults */
};

struct tg_draft {
	struct tg_draft_piece piece[32];
	size_t n;
	size_t room; /* an upper bound of the record's bytes, newline included */
	tg_bytes event_id; /* p == NULL: the log gives one */
	bool of_log;       /* of a type that only the log itself writes */
};

/* Judge an event that lacks what the log sets, and cut it into pieces. Borrows both. */
TG_MUST_CHECK tg_status tg_draft_prepare(tg_bytes event, const struct tg_draft_defaults *defaults,
    struct tg_draft *ret, struct tg_error *err);
/* Write the record with its newline, hashes still open, to p, which has d->room bytes. */
struct tg_record tg_draft_write(const struct tg_draft *d, uint64_t sequence, int64_t timestamp,
    const char event_id[static TG_UUID_TEXT], uint8_t *p);

/* A version 4 UUID (RFC 9562) of 16 random bytes, in text with a NUL. */
void tg_uuid4_text(const uint8_t random[static 16], char out[static TG_UUID_TEXT + 1]);

#endif
