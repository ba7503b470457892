/* Proofs that stand alone: one record under one checkpoint (C2SP tlog-proof). */
#include <stdlib.h>
#include <tensorguard/limits.h>

#include "evidence/policy.h"
#include "evidence/recover.h"
#include "evidence/tlogproof.h"
#include "util/try.h"

struct tg_log_prover {
	const struct tg_log_files *files;
	struct tg_buf note;
	struct tg_checkpoint c;
	struct tg_treefile tree;
};

tg_status
tg_log_prover_open(
    const struct tg_log_files *files, struct tg_log_prover **ret, struct tg_error *err)
{
	TG_AUTO(tg_log_prover_closep) struct tg_log_prover *p = calloc(1, sizeof(*p));

	TG_REQUIRE(p != NULL, err, TG_E_NOMEM, "proof: out of memory");
	p->files = files;
	tg_buf_init(&p->note, TG_MAX_NOTE);
	TG_TRY(tg_checkpoint_newest(files, &p->note, &p->c, err));
	TG_TRY(tg_treefile_open(&p->tree, files, false, p->c.size, err));
	*ret = p;
	p = NULL;
	return TG_OK;
}

void
tg_log_prover_close(struct tg_log_prover *p)
{
	if (p == NULL)
		return;
	tg_treefile_close(&p->tree);
	tg_buf_done(&p->note);
	free(p);
}

uint64_t
tg_log_prover_size(const struct tg_log_prover *p)
{
	return p->c.size;
}

/* Of the record, or when that is not asked for the one in the tree. */
static tg_status
leaf_hash(struct tg_log_prover *p, tg_bytes record, uint64_t sequence, uint8_t ret[static 32],
    struct tg_error *err)
{
	const struct tg_hashes h = tg_treefile_hashes(&p->tree);
	static const uint8_t prefix[] = { 0 };
	struct tg_sha256_job job = { { prefix, 1 }, record, { 0 } };

	if (record.n == 0)
		return h.node(h.ctx, 0, sequence, ret, err);
	TG_TRY(tg_sha256_many(&job, 1, err));
	memcpy(ret, job.hash, 32);
	return TG_OK;
}

tg_status
tg_log_prove(struct tg_log_prover *p, uint64_t sequence, int with_record, const struct tg_sink *to,
    struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf record = { .max = TG_MAX_LOG_RECORD };
	TG_AUTO(tg_buf_done) struct tg_buf out = { .max = TG_MAX_TLOG_PROOF };
	const struct tg_hashes h = tg_treefile_hashes(&p->tree);
	struct tg_path path;
	uint8_t leaf[32];

	TG_REQUIRE(sequence < p->c.size, err, TG_E_NOTFOUND,
	    "record %llu: the newest checkpoint covers %llu records ('tensorguard evidence "
	    "checkpoint' makes "
	    "another)",
	    (unsigned long long)sequence, (unsigned long long)p->c.size);
	if (with_record)
		TG_TRY(tg_segments_record(p->files, sequence, &record, err));
	TG_TRY(tg_proof_inclusion(&h, sequence, p->c.size, &path, err));
	TG_TRY(leaf_hash(p, tg_buf_view(&record), sequence, leaf, err));
	/* no proof that does not hold: the tree's files may be damaged */
	TG_TRY(tg_proof_check_inclusion(leaf, sequence, p->c.size, &path, p->c.root, err));
	TG_REQUIRE(tg_tlogproof_put(
		       tg_buf_view(&record), sequence, &path, tg_buf_view(&p->note), &out) == TG_OK,
	    err, TG_E_NOMEM, "proof: out of memory");
	return to->write(to->ctx, out.p, out.n, err);
}

tg_status
tg_log_consistency(struct tg_log_prover *p, uint64_t from, uint64_t to_size,
    const struct tg_sink *to, struct tg_error *err)
{
	const struct tg_hashes h = tg_treefile_hashes(&p->tree);
	struct tg_path path;

	TG_REQUIRE(from <= to_size && to_size <= p->c.size, err, TG_E_USAGE,
	    "consistency of %llu and %llu records: the checkpoint covers %llu",
	    (unsigned long long)from, (unsigned long long)to_size, (unsigned long long)p->c.size);
	TG_TRY(tg_proof_consistency(&h, from, to_size, &path, err));
	return to->write(to->ctx, path.hash, 32 * (size_t)path.n, err);
}

/* The record in question: the caller's, or the one that came along. A copy, since it is looked
 * into. */
static tg_status
proved_record(
    const struct tg_tlogproof *p, tg_bytes given, struct tg_buf *ret, struct tg_error *err)
{
	const tg_bytes from = given.p != NULL ? given : tg_buf_view(&p->extra);

	TG_REQUIRE(
	    from.n > 0, err, TG_E_USAGE, "the proof carries no record: give the record as well");
	TG_REQUIRE(from.n <= TG_MAX_LOG_RECORD, err, TG_E_LIMIT,
	    "record: %zu bytes, at most %u allowed", from.n, TG_MAX_LOG_RECORD);
	TG_REQUIRE(
	    tg_buf_put(ret, from.p, from.n) == TG_OK, err, TG_E_NOMEM, "proof: out of memory");
	return TG_OK;
}

static tg_status
check_parts(const struct tg_tlogproof *p, struct tg_buf *text, const struct tg_log_policy *policy,
    struct tg_log_proved *ret, struct tg_error *err)
{
	struct tg_checkpoint c;
	struct tg_record r;
	struct tg_event e;

	const tg_status s = tg_log_policy_check(policy, p->checkpoint, "proof", true, &c, err);
	if (s != TG_OK)
		return s == TG_E_NOTFOUND ? TG_E_AUTH
					  : s; /* nothing is missing: it is not believed */
	TG_TRY(tg_record_split(text->p, text->n, "record", &r, err));
	struct tg_sha256_job leaf = tg_record_leaf_job(&r);
	TG_TRY(tg_sha256_many(&leaf, 1, err));
	TG_TRY(tg_proof_check_inclusion(leaf.hash, p->index, c.size, &p->path, c.root, err));
	TG_TRY(tg_record_check(&r, "record", &e, err));
	TG_REQUIRE(r.sequence == p->index, err, TG_E_AUTH,
	    "record %llu stands at place %llu of the log", (unsigned long long)r.sequence,
	    (unsigned long long)p->index);
	TG_REQUIRE(tg_bytes_equal(e.value[TG_M_LOG_ORIGIN], tg_bytes_str(c.origin)), err, TG_E_AUTH,
	    "the record is of another log than the checkpoint");
	ret->sequence = p->index;
	ret->size = c.size;
	memcpy(ret->origin, c.origin, sizeof(ret->origin));
	return TG_OK;
}

tg_status
tg_log_check_proof(tg_bytes proof, tg_bytes record, const struct tg_log_policy *policy,
    const struct tg_sink *record_to, struct tg_log_proved *ret, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_LOG_RECORD };
	struct tg_tlogproof p;
	struct tg_log_proved proved;

	TG_TRY(tg_tlogproof_parse(proof, "proof", &p, err));
	tg_status s = proved_record(&p, record, &text, err);
	if (s == TG_OK)
		s = check_parts(&p, &text, policy, &proved, err);
	tg_tlogproof_done(&p);
	if (s == TG_OK && record_to != NULL)
		s = record_to->write(record_to->ctx, text.p, text.n, err);
	if (s == TG_OK)
		*ret = proved;
	return s;
}
