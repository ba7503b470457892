/* evidence/genesis.h - record 0, LOG_CREATED: which log this is, and the keys it signs with. */
#ifndef TG_EVIDENCE_GENESIS_H
#define TG_EVIDENCE_GENESIS_H

#include <tensorguard/log.h>

#include "evidence/checkpoint.h"

struct tg_genesis {
	char origin[TG_NOTE_NAME_MAX + 1];
	char ed25519[TG_NOTE_NAME_MAX + 128]; /* verifier keys, in text */
	char mldsa44[TG_NOTE_NAME_MAX + 2048];
};

/* TG_OK when there are segments; TG_E_NOTFOUND, saying how to make a log, when there are none. */
TG_MUST_CHECK tg_status tg_genesis_exists(const struct tg_log_files *files, struct tg_error *err);
/* Of a log that is to be. `key`: use checkpoint. */
TG_MUST_CHECK tg_status tg_genesis_of(const char *origin, const struct tg_key *key,
    struct tg_genesis *ret, struct tg_error *err);
TG_MUST_CHECK tg_status tg_genesis_event(const struct tg_genesis *g, struct tg_buf *out,
    struct tg_error *err);
/* log.policy: the two keys as a policy without witnesses. */
TG_MUST_CHECK tg_status tg_genesis_policy(const struct tg_log_files *files,
    const struct tg_genesis *g, struct tg_error *err);
TG_MUST_CHECK tg_status tg_genesis_read(const struct tg_log_files *files, struct tg_genesis *ret,
    struct tg_error *err);
/* TG_E_POLICY unless `key` is the log's. */
TG_MUST_CHECK tg_status tg_genesis_is_key(const struct tg_genesis *g, const struct tg_key *key,
    struct tg_error *err);

#endif
