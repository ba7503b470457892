/* A witness: every status of add-checkpoint, and that it never cosigns what it does not remember.
 */
#include "../../tap.h"
#include "crypto/hash.h"
#include "evidence/witness.h"
#include "parties.h"

#include <tensorguard/limits.h>

#define SIZE_TYPE "text/x.tlog.size"

/* ---- a tree ---- */

static tg_status
node(void *ctx, unsigned level, uint64_t index, uint8_t out[static 32], struct tg_error *err)
{
	uint8_t left[32], right[32], data[9] = { 0 };
	const uint8_t *fork = ctx; /* another tree from leaf *fork on */
	const tg_bytes leaf = { data, 9 };
	const tg_bytes parts[] = { { (const uint8_t *)"\1", 1 }, { left, 32 }, { right, 32 } };

	if (level == 0) {
		data[1] = (uint8_t)index;
		data[8] = index >= *fork;
		return tg_sha256(&leaf, 1, out, err);
	}
	TG_TRY(node(ctx, level - 1, 2 * index, left, err));
	TG_TRY(node(ctx, level - 1, 2 * index + 1, right, err));
	return tg_sha256(parts, 3, out, err);
}

static struct tg_checkpoint
tree(uint64_t size, uint8_t fork)
{
	struct tg_checkpoint c = { .origin = ORIGIN, .size = size };
	const struct tg_hashes h = { node, &fork };

	must(tg_proof_root(&h, size, c.root, NULL));
	return c;
}

static struct tg_path
proof(uint64_t old, uint64_t size, uint8_t fork)
{
	struct tg_path p = { .n = 0 };
	const struct tg_hashes h = { node, &fork };

	must(tg_proof_consistency(&h, old, size, &p, NULL));
	return p;
}

/* ---- a memory ---- */

static struct {
	char hash[65];
	struct tg_buf note;
	bool used;
	tg_status load, save; /* to fail with */
	unsigned saves;
} memory;

static tg_status
load(void *ctx, const char *origin_hash, struct tg_buf *out, struct tg_error *err)
{
	(void)ctx;
	if (memory.load != TG_OK)
		return tg_fail(err, memory.load, "secret/path: unreadable");
	if (!memory.used || strcmp(origin_hash, memory.hash) != 0)
		return tg_fail(err, TG_E_NOTFOUND, "nothing of it");
	return tg_buf_put(out, memory.note.p, memory.note.n);
}

static tg_status
save(void *ctx, const char *origin_hash, tg_bytes note, struct tg_error *err)
{
	(void)ctx;
	if (memory.save != TG_OK)
		return tg_fail(err, memory.save, "secret/path: disk full");
	memory.note.n = 0;
	memory.used = true;
	memory.saves++;
	(void)snprintf(memory.hash, sizeof(memory.hash), "%s", origin_hash);
	return tg_buf_put(&memory.note, note.p, note.n);
}

static void
forget(void)
{
	tg_buf_done(&memory.note);
	memset(&memory, 0, sizeof(memory));
	memory.note.max = TG_MAX_NOTE;
}

/* ---- requests ---- */

static struct tg_witness witness;
static struct tg_key *log_key, *other_key;
static struct tg_log_policy *logs, *everybody;

static struct tg_buf
signed_note(const struct tg_checkpoint *c, const struct tg_key *key)
{
	struct tg_buf b = { .max = TG_MAX_NOTE };

	must(tg_checkpoint_sign(c, key, NOW, &b, NULL));
	return b;
}

static struct tg_buf
request(uint64_t old, const struct tg_path *path, tg_bytes note)
{
	struct tg_buf b = { .max = 2 * TG_MAX_NOTE };

	must(tg_witness_request(old, path, note, &b, NULL));
	return b;
}

/* One call, whose reply has to be this; `body` NULL: any. */
static void
answers(const char *name, tg_bytes body, int status, const char *want)
{
	struct tg_witness_reply r;
	struct tg_error err = TG_ERROR_INIT;
	const unsigned saves = memory.saves;

	tg_witness_add_checkpoint(&witness, body, NOW + 5, &r, &err);
	const bool good = r.status == status && (status == 200) == (memory.saves == saves + 1) &&
	    (status == 200 ? err.status == TG_OK : err.text[0] != '\0' && r.body.n > 0) &&
	    (want == NULL || tg_bytes_equal(tg_buf_view(&r.body), tg_bytes_str(want))) &&
	    strcmp(r.content_type, status == 409 ? SIZE_TYPE : "text/plain; charset=utf-8") == 0 &&
	    (r.body.n == 0 ||
		(memmem(r.body.p, r.body.n, "\xe2\x80\x94", 3) != NULL) == (status == 200)) &&
	    (r.body.n == 0 || memmem(r.body.p, r.body.n, "secret/path", 11) == NULL);

	tap_n++;
	tap_bad += !good;
	printf("%s %d - %s: %d\n", good ? "ok" : "not ok", tap_n, name, status);
	if (!good)
		printf("# %d %s, \"%.*s\", %s\n", r.status, r.content_type, (int)r.body.n, r.body.p,
		    err.text);
	tg_buf_done(&r.body);
}

static void
asks(const char *name, uint64_t old, const struct tg_path *path, const struct tg_checkpoint *c,
    int status, const char *want)
{
	struct tg_buf note = signed_note(c, log_key), body = request(old, path, tg_buf_view(&note));

	answers(name, tg_buf_view(&body), status, want);
	tg_buf_done(&note);
	tg_buf_done(&body);
}

/* From `old` to `size` of the one true tree, as it should be. */
static void
grows(const char *name, uint64_t old, uint64_t size, int status, const char *want)
{
	const struct tg_checkpoint c = tree(size, 255);
	const struct tg_path path = proof(old, size, 255);

	asks(name, old, &path, &c, status, want);
}

static const struct tg_path no_path = { .n = 0 };

/* ---- what is cosigned ---- */

static void
a_growing_log(void)
{
	static const uint64_t sizes[] = { 0, 1, 2, 2, 3, 7, 8, 13, 13, 64, 100 };
	uint64_t last = 0;

	forget();
	for (size_t i = 0; i < TG_LEN(sizes); i++) {
		grows("the log grows", last, sizes[i], 200, NULL);
		last = sizes[i];
	}
	OK(memory.saves == TG_LEN(sizes));
}

static void
what_is_answered_and_remembered(void)
{
	const struct tg_checkpoint c = tree(5, 255);
	struct tg_buf note = signed_note(&c, log_key), body = { .max = 1 << 20 },
		      all = { .max = 1 << 20 };
	struct tg_witness_reply r, got;
	struct tg_note n;
	struct tg_checkpoint checked;
	struct tg_error err = TG_ERROR_INIT;
	char hash[65];
	uint8_t raw[32];
	const tg_bytes origin = tg_bytes_str(ORIGIN);

	forget();
	/* lines that nobody knows, and the log's a second time, are not kept */
	tg_bytes lines = tg_buf_view(&note), text;
	for (int i = 0; i < 4; i++)
		(void)tg_line_take(&lines, &text);
	must(tg_buf_put(&all, note.p, note.n));
	must(tg_buf_put(&all, lines.p, lines.n));
	must(tg_buf_put_str(&all, "\xe2\x80\x94 nobody Uw2QOkk=\n"));
	must(tg_buf_put(&all, lines.p, lines.n));
	must(tg_witness_request(0, &no_path, tg_buf_view(&all), &body, NULL));
	tg_witness_add_checkpoint(&witness, tg_buf_view(&body), NOW + 5, &r, &err);
	OK(r.status == 200 && err.status == TG_OK);
	must(tg_sha256(&origin, 1, raw, NULL));
	tg_hex_encode(hash, (tg_bytes){ raw, 32 });
	OK(strcmp(hash, memory.hash) == 0);
	OK_STATUS(tg_note_parse(tg_buf_view(&memory.note), "memory", &n, NULL), TG_OK);
	OK(n.n == 4 && tg_get_u64be(n.line[2].sig.p) == NOW + 5 &&
	    tg_get_u64be(n.line[3].sig.p) == NOW + 5);
	/* what was answered is what stands at its end */
	OK(memory.note.n > r.body.n &&
	    memcmp(memory.note.p + memory.note.n - r.body.n, r.body.p, r.body.n) == 0);
	OK_STATUS(
	    tg_log_policy_check(everybody, tg_buf_view(&memory.note), "m", true, &checked, &err),
	    TG_OK);
	OK(checked.size == 5 && memcmp(checked.root, c.root, 32) == 0);
	tg_witness_checkpoint(&witness, tg_bytes_str(hash), &got, &err);
	OK(got.status == 200 && tg_bytes_equal(tg_buf_view(&got.body), tg_buf_view(&memory.note)));
	tg_note_done(&n);
	tg_buf_done(&got.body), tg_buf_done(&r.body), tg_buf_done(&note), tg_buf_done(&body);
	tg_buf_done(&all);
}

/* ---- what is not ---- */

static void
malformed(void)
{
	static const char *const bad[] = { "", "\n", "old\n\n", "old \n\n", "old 01\n\n",
		"old -1\n\n", "old 1 \n\n", "Old 1\n\n", "old 18446744073709551616\n\n",
		"old 0\r\n\r\n", "old 0", "old 0\n", "old 0\n\n", "old 0\nAAAA\n\n",
		"old 0\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw\n\n",
		"old 0\n PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\n" };
	const struct tg_checkpoint c = tree(5, 255);
	struct tg_buf note = signed_note(&c, log_key), b = { .max = 2 * TG_MAX_NOTE };

	forget();
	for (size_t i = 0; i < TG_LEN(bad); i++) {
		b.n = 0;
		must(tg_buf_put_str(&b, bad[i]));
		answers("a request cut short", tg_buf_view(&b), 400, NULL);
		if (bad[i][0] == '\0' || strcmp(bad[i], "old 0\n\n") == 0)
			continue;
		must(tg_buf_put(&b, note.p, note.n));
		answers("a line out of shape", tg_buf_view(&b), 400, NULL);
	}
	b.n = 0;
	must(tg_buf_put_str(&b, "old 0\n"));
	for (int i = 0; i < 64; i++)
		must(tg_buf_put_str(&b, "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"));
	must(tg_buf_put_str(&b, "\n"));
	must(tg_buf_put(&b, note.p, note.n));
	answers("64 hashes", tg_buf_view(&b), 400, NULL);
	answers("a note without a checkpoint",
	    tg_bytes_str("old 0\n\nx\n\n\xe2\x80\x94 x Uw2QOkk=\n"), 400, NULL);
	answers("a checkpoint without signatures",
	    tg_bytes_str("old 0\n\n" ORIGIN "\n0\n"
			 "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"),
	    400, NULL);
	answers("extension lines",
	    tg_bytes_str(
		"old 0\n\n" ORIGIN "\n0\n"
		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n\n\xe2\x80\x94 x Uw2QOkk=\n"),
	    400, NULL);
	OK(!memory.used);
	tg_buf_done(&b), tg_buf_done(&note);
}

static void
strangers(void)
{
	struct tg_checkpoint c = tree(5, 255);
	struct tg_buf wrong_key = signed_note(&c, other_key), note = signed_note(&c, log_key), b;
	size_t end[2] = { 0, 0 };

	forget();
	b = request(0, &no_path, tg_buf_view(&wrong_key));
	answers("signed by another key", tg_buf_view(&b), 403, NULL);
	tg_buf_done(&b);
	/* the last line is the post-quantum half */
	for (size_t i = 0, lines = 0; i < note.n; i++)
		if (note.p[i] == '\n' && ++lines >= 4 && lines < 6)
			end[lines - 4] = i + 1;
	b = request(0, &no_path, (tg_bytes){ note.p, end[1] });
	answers("without its post-quantum half", tg_buf_view(&b), 403, NULL);
	tg_buf_done(&b);
	note.p[end[1] - 10] = note.p[end[1] - 10] == 'A' ? 'B' : 'A';
	b = request(0, &no_path, tg_buf_view(&note));
	answers("one half damaged", tg_buf_view(&b), 403, NULL);
	tg_buf_done(&b);
	tg_buf_done(&note);
	(void)snprintf(c.origin, sizeof(c.origin), "example.com/unknown");
	note = signed_note(&c, log_key);
	b = request(0, &no_path, tg_buf_view(&note));
	answers("an unknown log", tg_buf_view(&b), 404, NULL);
	tg_buf_done(&b);
	/* who is unknown hears that first, whatever else is wrong */
	b = request(9, &no_path, tg_buf_view(&note));
	answers("an unknown log from the wrong size", tg_buf_view(&b), 404, NULL);
	OK(!memory.used);
	tg_buf_done(&b), tg_buf_done(&note), tg_buf_done(&wrong_key);
}

static void
sizes_and_roots(void)
{
	const struct tg_checkpoint empty = tree(0, 255), five = tree(5, 255), forked = tree(5, 4),
				   nine = tree(9, 255), nine_forked = tree(9, 4);
	struct tg_checkpoint not_empty = five;
	struct tg_path path, one = { .n = 1 };

	forget();
	not_empty.size = 0;
	asks("size zero with another root", 0, &no_path, &not_empty, 422, NULL);
	asks("a proof from nothing", 0, &one, &five, 422, NULL);
	asks("shrinking", 6, &no_path, &five, 400, NULL);
	asks("never cosigned", 5, &no_path, &five, 409, "0\n");
	asks("the empty tree", 0, &no_path, &empty, 200, NULL);
	asks("not empty any more", 0, &no_path, &not_empty, 422, NULL);
	asks("the first", 0, &no_path, &five, 200, NULL);
	asks("a replay", 0, &no_path, &five, 409, "5\n");
	asks("again", 5, &no_path, &five, 200, NULL);
	asks("again with a proof", 5, &one, &five, 422, NULL);
	asks("another tree of that size", 5, &no_path, &forked, 422, NULL);
	path = proof(5, 9, 255);
	asks("without a proof", 5, &no_path, &nine, 422, NULL);
	asks("a fork", 5, &path, &nine_forked, 422, NULL);
	path = proof(5, 9, 4);
	asks("a fork with its own proof", 5, &path, &nine_forked, 422, NULL);
	path = proof(4, 9, 255);
	asks("a proof from elsewhere", 5, &path, &nine, 422, NULL);
	asks("from elsewhere", 4, &path, &nine, 409, "5\n");
	path = proof(5, 9, 255);
	path.hash[1][3] ^= 1;
	asks("a damaged proof", 5, &path, &nine, 422, NULL);
	path.hash[1][3] ^= 1;
	path.n--;
	asks("a short proof", 5, &path, &nine, 422, NULL);
	path.n += 2;
	asks("a long proof", 5, &path, &nine, 422, NULL);
	path.n--;
	asks("at last", 5, &path, &nine, 200, NULL);
	asks("back to five", 5, &no_path, &five, 409, "9\n");
	asks("shrinking from nine", 9, &no_path, &five, 400, NULL);
	asks("emptied", 0, &no_path, &empty, 409, "9\n");
	grows("and on", 9, 20, 200, NULL);
}

/* A is checked, B is cosigned, and A arrives: it may not roll B back. */
static void
the_slower_of_two(void)
{
	forget();
	grows("both know this one", 0, 10, 200, NULL);
	grows("B", 10, 17, 200, NULL);
	grows("A", 10, 12, 409, "17\n");
	grows("A with the right size", 17, 18, 200, NULL);
}

/* ---- what breaks ---- */

static void
a_memory_that_fails(void)
{
	const struct tg_checkpoint five = tree(5, 255);
	struct tg_witness_reply r;
	struct tg_error err = TG_ERROR_INIT;

	forget();
	grows("a first one", 0, 5, 200, NULL);
	struct tg_buf before = { .max = TG_MAX_NOTE };
	must(tg_buf_put(&before, memory.note.p, memory.note.n));
	memory.save = TG_E_IO;
	grows("it cannot be saved", 5, 9, 500, "internal error\n");
	OK(tg_bytes_equal(tg_buf_view(&before), tg_buf_view(&memory.note)));
	memory.save = TG_E_NOTFOUND;
	grows("whatever the failure is called", 5, 9, 500, "internal error\n");
	memory.save = TG_OK;
	memory.load = TG_E_IO;
	grows("it cannot be read", 5, 9, 500, "internal error\n");
	tg_witness_checkpoint(&witness, tg_bytes_str(memory.hash), &r, &err);
	OK(r.status == 500 &&
	    tg_bytes_equal(tg_buf_view(&r.body), tg_bytes_str("internal error\n")));
	OK(err.status == TG_E_IO);
	tg_buf_done(&r.body);
	memory.load = TG_E_FORMAT;
	grows("nor understood", 5, 9, 500, "internal error\n");
	memory.load = TG_OK;
	memory.note.n /= 2;
	grows("half of it is gone", 5, 9, 500, "internal error\n");
	memory.note.n = 0;
	must(tg_buf_put(&memory.note, before.p, before.n));
	memory.note.p[1] ^= 1;
	grows("it is of another log", 5, 9, 500, "internal error\n");
	memory.note.p[1] ^= 1;
	struct tg_buf note = signed_note(&five, log_key),
		      body = request(5, &no_path, tg_buf_view(&note));
	tg_witness_add_checkpoint(&witness, tg_buf_view(&body), 0, &r, NULL);
	OK(r.status == 500 && memory.saves == 1); /* no clock */
	tg_buf_done(&r.body), tg_buf_done(&note), tg_buf_done(&body);
	grows("whole again", 5, 9, 200, NULL);
	tg_buf_done(&before);
}

static void
checkpoints_that_are_not_there(void)
{
	static const char *const names[] = { "", "x",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
		"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
		"../../../../../../../../../../../../../../../../../../../../etc/x" };
	struct tg_witness_reply r;
	unsigned long wrong = 0;

	for (size_t i = 0; i < TG_LEN(names); i++) {
		tg_witness_checkpoint(&witness, tg_bytes_str(names[i]), &r, NULL);
		wrong += r.status != 404 || r.body.n == 0;
		tg_buf_done(&r.body);
	}
	OK_NONE(wrong, TG_LEN(names), "names");
}

/* ---- the log's side ---- */

static void
requests(void)
{
	struct tg_path path = { .n = 1 };
	struct tg_buf b = { .max = 1 << 16 };

	OK_STATUS(tg_witness_request(7, &path, tg_bytes_str("note"), &b, NULL), TG_OK);
	OK(tg_bytes_equal(tg_buf_view(&b),
	    tg_bytes_str("old 7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nnote")));
	path.n = 64;
	OK_STATUS(tg_witness_request(7, &path, tg_bytes_str("note"), &b, NULL), TG_E_USAGE);
	tg_buf_done(&b);
}

/* A cosignature of type 06 that says nothing about when. */
static void
put_timeless(const struct tg_checkpoint *c, const struct tg_key *key, struct tg_buf *out)
{
	struct tg_buf msg = { .max = 1024 };
	uint8_t sig[8 + TG_MLDSA44_SIG_LEN] = { 0 }, id[4];

	must(tg_buf_put(&msg, "subtree/v1\n\0\x02wa\0\0\0\0\0\0\0\0\x0f" ORIGIN "\0\0\0\0\0\0\0\0",
	    15 + 8 + 1 + strlen(ORIGIN) + 8));
	must(tg_buf_put_u64be(&msg, c->size));
	must(tg_buf_put(&msg, c->root, 32));
	must(tg_sig_mldsa44.sign(
	    key->private [TG_PQC], tg_buf_view(&msg), (tg_bytes) { NULL, 0 }, false, sig + 8,
	    NULL));
	must(tg_note_key_id("wa", TG_NOTE_COSIG_MLDSA44, tg_key_pk(key, TG_PQC), id, NULL));
	must(tg_note_put_line(out, "wa", id, (tg_bytes){ sig, sizeof(sig) }));
	tg_buf_done(&msg);
}

static void
replies(void)
{
	const struct tg_checkpoint c = tree(5, 255), d = tree(6, 255);
	struct tg_buf text = { .max = 4096 }, good = { .max = 1 << 16 }, other = { .max = 1 << 16 },
		      stranger = { .max = 1 << 16 }, timeless = { .max = 1 << 16 },
		      reply = { .max = 1 << 18 }, out = { .max = 1 << 18 };
	struct tg_key *nobody = party(9);
	struct tg_checkpoint checked;

	must(tg_checkpoint_put(&c, &text));
	must(tg_checkpoint_cosign(&c, "wa", witness.key, NOW, &good, NULL));
	must(tg_checkpoint_cosign(&d, "wa", witness.key, NOW, &other, NULL));
	must(tg_checkpoint_cosign(&c, "wa", nobody, NOW, &stranger, NULL));
	put_timeless(&c, witness.key, &timeless);
	const tg_bytes t = tg_buf_view(&text);
	/* of the witness twice and of a stranger: what is known, once */
	must(tg_buf_put(&reply, stranger.p, stranger.n));
	must(tg_buf_put(&reply, good.p, good.n));
	must(tg_buf_put(&reply, good.p, good.n));
	must(tg_checkpoint_sign(&c, log_key, NOW, &out, NULL));
	const size_t before = out.n;
	OK_STATUS(tg_witness_accept(everybody, &c, t, tg_buf_view(&reply), &out, NULL), TG_OK);
	OK(out.n == before + good.n && memcmp(out.p + before, good.p, good.n) == 0);
	OK_STATUS(
	    tg_log_policy_check(everybody, tg_buf_view(&out), "n", true, &checked, NULL), TG_OK);
	OK_STATUS(
	    tg_witness_accept(everybody, &c, t, tg_buf_view(&stranger), &out, NULL), TG_E_AUTH);
	OK_STATUS(tg_witness_accept(logs, &c, t, tg_buf_view(&good), &out, NULL), TG_E_AUTH);
	OK_STATUS(tg_witness_accept(everybody, &c, t, tg_buf_view(&other), &out, NULL), TG_E_AUTH);
	must(tg_buf_put(&good, other.p, other.n));
	OK_STATUS(tg_witness_accept(everybody, &c, t, tg_buf_view(&good), &out, NULL), TG_E_AUTH);
	OK_STATUS(
	    tg_witness_accept(everybody, &c, t, tg_buf_view(&timeless), &out, NULL), TG_E_AUTH);
	OK_STATUS(tg_witness_accept(everybody, &c, t, tg_bytes_str(""), &out, NULL), TG_E_FORMAT);
	OK_STATUS(
	    tg_witness_accept(everybody, &c, t, tg_bytes_str("no\n"), &out, NULL), TG_E_FORMAT);
	reply.n = 0; /* lines in front of an empty one would be text */
	must(tg_buf_put(&reply, stranger.p, stranger.n));
	must(tg_buf_put_str(&reply, "\n"));
	must(tg_buf_put(&reply, stranger.p, stranger.n));
	OK_STATUS(
	    tg_witness_accept(everybody, &c, t, tg_buf_view(&reply), &out, NULL), TG_E_FORMAT);
	reply.max = TG_MAX_NOTE;
	reply.n = 0;
	uint8_t *fill = NULL;
	must(tg_buf_grow(&reply, TG_MAX_NOTE, &fill));
	memset(fill, 'x', TG_MAX_NOTE);
	OK_STATUS(tg_witness_accept(everybody, &c, t, tg_buf_view(&reply), &out, NULL), TG_E_LIMIT);
	OK(out.n == before + good.n - other.n);
	tg_buf_done(&text), tg_buf_done(&good), tg_buf_done(&other), tg_buf_done(&stranger);
	tg_buf_done(&timeless), tg_buf_done(&reply), tg_buf_done(&out);
	tg_key_free(nobody);
}

int
main(void)
{
	struct tg_key *key = party(2);

	log_key = party(1);
	other_key = party(5);
	logs = policy("log $L0\nlog $L1\nquorum none\n");
	everybody = policy(
	    "log $L0\nlog $L1\nwitness a0 $A0\nwitness a1 $A1\ngroup a all a0 a1\nquorum a\n");
	witness = (struct tg_witness){ "wa", key, logs, { load, save, NULL } };
	a_growing_log();
	what_is_answered_and_remembered();
	malformed();
	strangers();
	sizes_and_roots();
	the_slower_of_two();
	a_memory_that_fails();
	checkpoints_that_are_not_there();
	requests();
	replies();
	forget();
	tg_log_policy_free(logs), tg_log_policy_free(everybody);
	tg_key_free(key), tg_key_free(log_key), tg_key_free(other_key);
	return tap_done();
}
