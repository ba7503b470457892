#include "crypto/many.h"

#include "crypto/hash.h"
#include "crypto/leaf.h"
#include "crypto/sha256_k.h"
#include "util/try.h"

/* A message as up to three runs of whole blocks: head and what fills its block, the body in place,
 * the rest with the padding. */
struct message {
	struct tg_sha256_job *job;
	uint8_t first[64], last[128];
	struct {
		const uint8_t *p;
		size_t blocks;
	} run[3];
	unsigned at, runs;
};

static void
add_run(struct message *m, const uint8_t *p, size_t blocks)
{
	if (blocks == 0)
		return;
	m->run[m->runs].p = p;
	m->run[m->runs].blocks = blocks;
	m->runs++;
}

static void
message_begin(struct message *m, struct tg_sha256_job *j, struct tg_sha256_lane *lane)
{
	const size_t head = j->head.n, total = head + j->body.n;
	size_t used = 0, in_last = 0; /* bytes of the body before, and bytes in, the last run */

	m->job = j;
	m->at = m->runs = 0;
	if (head > 0 && total >= 64) {
		used = 64 - head;
		memcpy(m->first, j->head.p, head);
		memcpy(m->first + head, j->body.p, used);
		add_run(m, m->first, 1);
	} else if (head > 0) {
		memcpy(m->last, j->head.p, head);
		in_last = head;
	}
	add_run(m, j->body.p + used, (j->body.n - used) / 64);
	if (in_last == 0)
		used += (j->body.n - used) / 64 * 64;
	if (j->body.n > used)
		memcpy(m->last + in_last, j->body.p + used, j->body.n - used);
	in_last += j->body.n - used;

	const size_t end = in_last + 9 <= 64 ? 1 : 2;
	memset(m->last + in_last, 0, 64 * end - in_last);
	m->last[in_last] = 0x80;
	tg_put_u64be(m->last + 64 * end - 8, (uint64_t)total * 8);
	add_run(m, m->last, end);
	memcpy(lane->h, tg_sha256_start, sizeof(lane->h));
	lane->p = m->run[0].p;
}

/* n blocks of the present run are done; true when they were the message's last. */
static bool
message_advance(struct message *m, struct tg_sha256_lane *lane, size_t n)
{
	m->run[m->at].blocks -= n;
	if (m->run[m->at].blocks > 0)
		return false;
	if (++m->at < m->runs) {
		lane->p = m->run[m->at].p;
		return false;
	}
	for (int i = 0; i < 8; i++)
		tg_put_u32be(m->job->hash + 4 * i, lane->h[i]);
	return true;
}

static tg_status
one_by_one(struct tg_sha256_job *jobs, size_t n, struct tg_error *err)
{
	for (size_t i = 0; i < n; i++) {
		const tg_bytes parts[] = { jobs[i].head, jobs[i].body };

		TG_TRY(tg_sha256(parts, TG_LEN(parts), jobs[i].hash, err));
	}
	return TG_OK;
}

tg_status
tg_sha256_many(struct tg_sha256_job *jobs, size_t n, struct tg_error *err)
{
	struct message m[TG_LEAF_MAX_LANES];
	struct tg_sha256_lane lane[TG_LEAF_MAX_LANES];
	unsigned slot[TG_LEAF_MAX_LANES]; /* which message a lane works on */
	size_t next = 0, busy = 0;

	for (size_t i = 0; i < n; i++)
		TG_REQUIRE(jobs[i].head.n <= TG_SHA256_HEAD_MAX, err, TG_E_INTERNAL,
		    "hash: head of %zu bytes", jobs[i].head.n);
	if (tg_leaf_kernel(1)->blocks == NULL)
		return one_by_one(jobs, n, err);
	for (; busy < TG_LEAF_MAX_LANES && next < n; busy++) {
		slot[busy] = (unsigned)busy;
		message_begin(&m[busy], &jobs[next++], &lane[busy]);
	}
	while (busy > 0) {
		const struct tg_leaf_kernel *k = tg_leaf_kernel(busy);
		size_t run = SIZE_MAX;

		for (unsigned w = 0; w < k->lanes; w++) {
			const size_t left = m[slot[w]].run[m[slot[w]].at].blocks;

			run = left < run ? left : run;
		}
		k->blocks(lane, run);
		for (unsigned w = k->lanes; w-- > 0;) {
			if (!message_advance(&m[slot[w]], &lane[w], run))
				continue;
			if (next < n) {
				message_begin(&m[slot[w]], &jobs[next++], &lane[w]);
				continue;
			}
			busy--; /* the last busy lane takes the free place */
			const unsigned free_slot = slot[w];
			lane[w] = lane[busy];
			slot[w] = slot[busy];
			slot[busy] = free_slot;
		}
	}
	return TG_OK;
}
