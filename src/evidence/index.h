/* evidence/index.h - what an index over the log has to do. It is an aid to searching, never the
 * truth: it can always be made again from the records. */
#ifndef TG_EVIDENCE_INDEX_H
#define TG_EVIDENCE_INDEX_H

#include "util/bytes.h"

#define TG_LOG_CHAIN_TEXT 64 /* hex digits of a chain hash */

/* One record's searchable facts; views borrowed during the call, empty for what the event has not. */
struct tg_log_fact {
	uint64_t sequence;
	int64_t timestamp; /* microseconds since 1970 */
	tg_bytes event_type, event_id, tenant_id, actor_id, fleet_id, agent_id;
	tg_bytes result;  /* its status */
	tg_bytes subject; /* the object in canonical form */
};

/*
 * An index, called by one thread at a time. Facts come between begin and commit, sequence by
 * sequence without a gap. What was put and not committed is gone after the next begin, clear or
 * closing, so that a failure half way needs no other call.
 */
struct tg_log_index {
	/* Records indexed so far, and the chain hash of the last of them (hex and NUL; "" for 0). */
	tg_status (*last)(void *ctx, uint64_t *ret_n, char ret_chain[TG_LOG_CHAIN_TEXT + 1],
	    struct tg_error *err);
	/* Forget everything. */
	tg_status (*clear)(void *ctx, struct tg_error *err);
	tg_status (*begin)(void *ctx, struct tg_error *err);
	/* TG_E_CONFLICT for another sequence than the next one. */
	tg_status (*put)(void *ctx, const struct tg_log_fact *fact, struct tg_error *err);
	/* From here on n records are indexed, `chain` being the last one's. TG_E_CONFLICT when that is
	 * not what was put. */
	tg_status (*commit)(void *ctx, uint64_t n, const char *chain, struct tg_error *err);
	void *ctx;
};

#endif
