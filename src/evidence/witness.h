/* evidence/witness.h - C2SP tlog-witness: both sides of add-checkpoint, without the HTTP. */
#ifndef TG_EVIDENCE_WITNESS_H
#define TG_EVIDENCE_WITNESS_H

#include "evidence/policy.h"
#include "evidence/proof.h"

/* Where a witness remembers the last checkpoint of each log. */
struct tg_witness_memory {
	/* Append the note; TG_E_NOTFOUND when there is none for the origin yet. */
	tg_status (*load)(void *ctx, const char *origin_hash, struct tg_buf *out, struct tg_error *err);
	/* Durable, and in one piece, when it returns. origin_hash: 64 hex digits. */
	tg_status (*save)(void *ctx, const char *origin_hash, tg_bytes note, struct tg_error *err);
	void *ctx;
};

struct tg_witness {
	const char *name;                 /* of its key */
	const struct tg_key *key;         /* use checkpoint, private */
	const struct tg_log_policy *logs; /* whom it knows */
	struct tg_witness_memory memory;
};

struct tg_witness_reply {
	int status;               /* HTTP */
	const char *content_type; /* static */
	struct tg_buf body;       /* release with tg_buf_done() */
};

/*
 * POST /add-checkpoint. Never fails: what goes wrong becomes a reply (400, 403, 404, 409, 422, 500),
 * and `err` says why for the witness's own diagnostics. The caller lets one call run at a time.
 */
void tg_witness_add_checkpoint(const struct tg_witness *w, tg_bytes body, int64_t now,
    struct tg_witness_reply *ret, struct tg_error *err);
/* GET /HASH/checkpoint */
void tg_witness_checkpoint(const struct tg_witness *w, tg_bytes origin_hash,
    struct tg_witness_reply *ret, struct tg_error *err);

/* A log's side: the request, and what a 200 brought. Lines of witnesses that the policy does not
 * know are dropped; TG_E_AUTH when a known one does not verify or none is known. Appends lines. */
TG_MUST_CHECK tg_status tg_witness_request(uint64_t old, const struct tg_path *proof, tg_bytes note,
    struct tg_buf *out, struct tg_error *err);
TG_MUST_CHECK tg_status tg_witness_accept(const struct tg_log_policy *p,
    const struct tg_checkpoint *c, tg_bytes text, tg_bytes reply, struct tg_buf *out,
    struct tg_error *err);

#endif
