/* evidence/feed.h - bringing an index up to what the segments hold. */
#ifndef TG_EVIDENCE_FEED_H
#define TG_EVIDENCE_FEED_H

#include <tensorguard/log.h>

#include "evidence/index.h"

/*
 * Put every record that the index has not yet; one that does not fit the log (another chain hash at
 * its end, more records) is made anew. Records are checked on the way; a bad one ends it, named.
 * An unfinished write at the end of the log is left out. *ret_n: records indexed.
 */
TG_MUST_CHECK tg_status tg_log_index_update(const struct tg_log_files *files,
    const struct tg_log_index *index, const struct tg_progress *progress, uint64_t *ret_n,
    struct tg_error *err);

#endif
