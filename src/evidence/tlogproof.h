/* evidence/tlogproof.h - C2SP tlog-proof: one record's inclusion, checkpoint and all, in a file. */
#ifndef TG_EVIDENCE_TLOGPROOF_H
#define TG_EVIDENCE_TLOGPROOF_H

#include "evidence/proof.h"
#include "util/buf.h"

struct tg_tlogproof {
	struct tg_buf extra; /* decoded; extra.n == 0: no such line */
	uint64_t index;
	struct tg_path path;
	tg_bytes checkpoint; /* the note; borrowed from the text */
};

/* extra.n == 0: without that line. */
TG_MUST_CHECK tg_status tg_tlogproof_put(tg_bytes extra, uint64_t index, const struct tg_path *path,
    tg_bytes checkpoint, struct tg_buf *out);
/* `in` must outlive *ret; release with tg_tlogproof_done(). */
TG_MUST_CHECK tg_status tg_tlogproof_parse(tg_bytes in, const char *what, struct tg_tlogproof *ret,
    struct tg_error *err);
void tg_tlogproof_done(struct tg_tlogproof *p);

#endif
