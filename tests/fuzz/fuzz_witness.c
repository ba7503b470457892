/* A witness under requests. An input that begins with "old " is a request as it is; in any other,
 * four bytes each are an honest or dishonest log's next step (old size, size, the leaf at which its
 * tree forks, a damaged hash), signed here, whose reply a model foretells. */
#include "../unit/evidence/parties.h"
#include "crypto/hash.h"
#include "evidence/witness.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define MAX_SIZE  40
#define MAX_STEPS 8

static struct tg_key *log_key, *witness_key;
static struct tg_log_policy *logs, *everybody;

/* ---- trees ---- */

static tg_status
node(void *ctx, unsigned level, uint64_t index, uint8_t out[static 32], struct tg_error *err)
{
	uint8_t half[2][32];
	const uint8_t *fork = ctx, data[3] = { 0, (uint8_t)index, index >= *fork ? *fork : 255 };
	const tg_bytes leaf = { data, 3 };
	const tg_bytes parts[] = { { (const uint8_t *)"\1", 1 }, { half[0], 32 }, { half[1], 32 } };

	if (level == 0)
		return tg_sha256(&leaf, 1, out, err);
	TG_TRY(node(ctx, level - 1, 2 * index, half[0], err));
	TG_TRY(node(ctx, level - 1, 2 * index + 1, half[1], err));
	return tg_sha256(parts, 3, out, err);
}

/* ---- memory ---- */

static struct tg_buf stored = { .max = TG_MAX_NOTE };
static bool full; /* nothing can be saved */

static tg_status
load(void *ctx, const char *origin_hash, struct tg_buf *out, struct tg_error *err)
{
	(void)ctx, (void)origin_hash;
	if (stored.n == 0)
		return tg_fail(err, TG_E_NOTFOUND, "nothing");
	return tg_buf_put(out, stored.p, stored.n);
}

static tg_status
save(void *ctx, const char *origin_hash, tg_bytes note, struct tg_error *err)
{
	(void)ctx, (void)origin_hash;
	if (full)
		return tg_fail(err, TG_E_IO, "full");
	stored.n = 0;
	return tg_buf_put(&stored, note.p, note.n);
}

/* ---- a request ---- */

/* What holds for every reply; its status. */
static int
ask(tg_bytes body)
{
	const struct tg_witness w = { "wa", witness_key, logs, { load, save, NULL } };
	struct tg_witness_reply r;
	struct tg_checkpoint c;
	struct tg_buf before = { .max = TG_MAX_NOTE };

	must(tg_buf_put(&before, stored.p, stored.n));
	tg_witness_add_checkpoint(&w, body, NOW, &r, NULL);
	const int status = r.status;
	if (status == 200) {
		if (tg_log_policy_check(
			everybody, tg_buf_view(&stored), "stored", true, &c, NULL) != TG_OK ||
		    stored.n < r.body.n ||
		    memcmp(stored.p + stored.n - r.body.n, r.body.p, r.body.n) != 0)
			__builtin_trap();
	} else if (!tg_bytes_equal(tg_buf_view(&before), tg_buf_view(&stored)) || r.body.n == 0 ||
	    memmem(r.body.p, r.body.n, "wa ", 3) != NULL ||
	    (status != 400 && status != 403 && status != 404 && status != 409 && status != 422 &&
		status != 500)) {
		__builtin_trap();
	}
	tg_buf_done(&r.body);
	tg_buf_done(&before);
	return status;
}

/* ---- a step, and what must come of it ---- */

static struct tg_checkpoint last;

static int
foretold(uint64_t old, const struct tg_checkpoint *c, const struct tg_path *path, bool damaged,
    const uint8_t old_root[32])
{
	if (old > c->size)
		return 400;
	if (old != last.size)
		return 409;
	if ((damaged && path->n > 0) || memcmp(old_root, last.root, 32) != 0)
		return 422;
	return full ? 500 : 200;
}

static void
step(const uint8_t s[4])
{
	const uint64_t old = s[0] % MAX_SIZE;
	uint8_t fork = s[2] < MAX_SIZE ? s[2] : MAX_SIZE, old_root[32];
	const struct tg_hashes h = { node, &fork };
	struct tg_checkpoint c = { .origin = ORIGIN, .size = s[1] % MAX_SIZE };
	struct tg_path path = { .n = 0 };
	struct tg_buf note = { .max = TG_MAX_NOTE }, body = { .max = 2 * TG_MAX_NOTE };
	const bool damaged = (s[3] & 1) != 0;

	full = (s[3] & 2) != 0;
	must(tg_proof_root(&h, c.size, c.root, NULL));
	must(tg_proof_root(&h, old, old_root, NULL));
	if (old <= c.size)
		must(tg_proof_consistency(&h, old, c.size, &path, NULL));
	if (damaged && path.n > 0)
		path.hash[s[3] % path.n][s[3] % 32] ^= 0x10;
	must(tg_checkpoint_sign(&c, log_key, NOW, &note, NULL));
	must(tg_witness_request(old, &path, tg_buf_view(&note), &body, NULL));
	const int want = foretold(old, &c, &path, damaged, old_root);
	if (ask(tg_buf_view(&body)) != want)
		__builtin_trap();
	if (want == 200)
		last = c;
	tg_buf_done(&note);
	tg_buf_done(&body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const bool raw = n >= 4 && memcmp(p, "old ", 4) == 0;

	if (log_key == NULL) {
		log_key = party(1), witness_key = party(2);
		logs = policy("log $L0\nlog $L1\nquorum none\n");
		everybody = policy("log $L0\nlog $L1\nwitness a0 $A0\nwitness a1 $A1\n"
				   "group a all a0 a1\nquorum a\n");
	}
	stored.n = 0;
	full = false;
	last = (struct tg_checkpoint){ .size = 0 };
	must(tg_sha256(NULL, 0, last.root, NULL));
	if (raw)
		(void)ask((tg_bytes){ p, n });
	for (size_t i = 0; !raw && i + 4 <= n && i < 4 * MAX_STEPS; i += 4)
		step(p + i);
	return 0;
}
