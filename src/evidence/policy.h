/* evidence/policy.h - C2SP tlog-policy: which logs and witnesses are believed. */
#ifndef TG_EVIDENCE_POLICY_H
#define TG_EVIDENCE_POLICY_H

#include <tensorguard/log.h>

#include "evidence/checkpoint.h"

/* Unpack a note and check it against the policy: signed by the log with every type of key that the
 * policy has for its origin, no line of a known key that fails, the quorum met. TG_E_AUTH otherwise;
 * TG_E_NOTFOUND when the policy does not know the origin.
 * quorum false: the log's signatures alone (what a witness itself asks for). */
TG_MUST_CHECK tg_status tg_log_policy_check(const struct tg_log_policy *p, tg_bytes note,
    const char *what, bool quorum, struct tg_checkpoint *ret, struct tg_error *err);

struct tg_log_policy_witness {
	const char *name; /* in the policy */
	const struct tg_note_key *key;
	const char *url; /* NULL without one */
};
/* Borrowed from the policy. */
size_t tg_log_policy_witnesses(const struct tg_log_policy *p);
struct tg_log_policy_witness tg_log_policy_witness(const struct tg_log_policy *p, size_t i);
size_t tg_log_policy_logs(const struct tg_log_policy *p);
const struct tg_note_key *tg_log_policy_log(const struct tg_log_policy *p, size_t i);
/* The known key that a line of a note names: of the log of this origin, or of a witness; or NULL. */
const struct tg_note_key *tg_log_policy_log_key(const struct tg_log_policy *p, const char *origin,
    const struct tg_note_line *line);
const struct tg_note_key *tg_log_policy_witness_key(const struct tg_log_policy *p,
    const struct tg_note_line *line);

#endif
