/* evidence/checkpoint.h - C2SP tlog-checkpoint and tlog-cosignature: a signed size and root. */
#ifndef TG_EVIDENCE_CHECKPOINT_H
#define TG_EVIDENCE_CHECKPOINT_H

#include "crypto/key.h"
#include "evidence/note.h"

struct tg_checkpoint {
	char origin[TG_NOTE_NAME_MAX + 1];
	uint64_t size; /* records */
	uint8_t root[32];
};

/* The note's text: origin, size, root, no extension lines (a text with some is TG_E_UNSUPPORTED:
 * the post-quantum signature does not cover them). */
TG_MUST_CHECK tg_status tg_checkpoint_put(const struct tg_checkpoint *c, struct tg_buf *out);
TG_MUST_CHECK tg_status tg_checkpoint_parse(tg_bytes text, const char *what,
    struct tg_checkpoint *ret, struct tg_error *err);

/* The whole note, signed by the log: types 01 and 06 under c->origin. `key`: use checkpoint, with
 * its private half. `time`: Unix seconds, > 0. */
TG_MUST_CHECK tg_status tg_checkpoint_sign(const struct tg_checkpoint *c, const struct tg_key *key,
    int64_t time, struct tg_buf *out, struct tg_error *err);
/* A witness's two lines, types 04 and 06, under its own name. */
TG_MUST_CHECK tg_status tg_checkpoint_cosign(const struct tg_checkpoint *c, const char *name,
    const struct tg_key *key, int64_t time, struct tg_buf *out, struct tg_error *err);
/* Does this line, whose name and id are the key's, verify? *ret_time: of a cosignature; else 0. */
TG_MUST_CHECK tg_status tg_checkpoint_check_line(const struct tg_checkpoint *c, tg_bytes text,
    const struct tg_note_line *line, const struct tg_note_key *key, int64_t *ret_time,
    struct tg_error *err);

/* The two public keys under which a log signs (01, 06), or a witness cosigns (04, 06). */
TG_MUST_CHECK tg_status tg_checkpoint_vkeys(const struct tg_key *key, const char *name,
    bool witness, struct tg_note_key *ret[static 2], struct tg_error *err);

#endif
