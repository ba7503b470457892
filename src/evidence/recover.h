/* evidence/recover.h - where a log goes on: docs/PROTOCOL.evidence.md section 5, "Recovery". */
#ifndef TG_EVIDENCE_RECOVER_H
#define TG_EVIDENCE_RECOVER_H

#include "evidence/checkpoint.h"
#include "evidence/tail.h"
#include "evidence/treefile.h"

struct tg_recovered {
	struct tg_place place;    /* behind the last whole record */
	struct tg_spot spot;
	struct tg_treefile tree;  /* over all of them; owned by the caller */
	uint64_t cut_bytes;       /* of an unfinished write, still in the segment behind the spot */
	uint8_t cut_sha256[32];
};

/* TG_E_FORMAT or TG_E_AUTH for a damaged log, of which nothing is changed; otherwise the tree's files
 * are brought up to the segments, and `checkpoint` to checkpoints/. The caller holds the lock. */
TG_MUST_CHECK tg_status tg_recover(const struct tg_log_files *files, struct tg_recovered *ret,
    struct tg_error *err);

/* The newest checkpoint's note, appended to `note`, and what it says; its signatures are not looked
 * at. TG_E_NOTFOUND when there is none. */
TG_MUST_CHECK tg_status tg_checkpoint_newest(const struct tg_log_files *files, struct tg_buf *note,
    struct tg_checkpoint *ret, struct tg_error *err);
/* A whole small file of the log. */
TG_MUST_CHECK tg_status tg_log_file_read(const struct tg_log_files *files, const char *name,
    struct tg_buf *out, struct tg_error *err);

#endif
