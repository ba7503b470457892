/* Proofs against the recursive definitions of RFC 6962 section 2.1, written down here again: every
 * tree of up to 130 leaves, every leaf, every older tree. */
#include "../../tap.h"
#include "crypto/hash.h"
#include "evidence/proof.h"
#include "util/text.h"
#include "util/try.h"

#include <stdlib.h>

#define LEAVES 130

static uint8_t leaf[LEAVES][32];

/* ---- RFC 6962 by the book ---- */

static void
hash_of(const tg_bytes *parts, size_t n, uint8_t out[32])
{
	if (tg_sha256(parts, n, out, NULL) != TG_OK)
		abort();
}

static size_t
split(size_t n)
{
	size_t k = 1;

	while (2 * k < n)
		k *= 2;
	return k;
}

static void
mth(size_t lo, size_t n, uint8_t out[32])
{
	uint8_t left[32], right[32];
	const tg_bytes parts[] = { { (const uint8_t *)"\1", 1 }, { left, 32 }, { right, 32 } };

	if (n == 0) {
		hash_of(NULL, 0, out);
	} else if (n == 1) {
		memcpy(out, leaf[lo], 32);
	} else {
		mth(lo, split(n), left);
		mth(lo + split(n), n - split(n), right);
		hash_of(parts, 3, out);
	}
}

static void
add_mth(size_t lo, size_t n, struct tg_path *path)
{
	mth(lo, n, path->hash[path->n++]);
}

static void
naive_path(size_t m, size_t lo, size_t n, struct tg_path *path)
{
	const size_t k = split(n);

	if (n == 1)
		return;
	if (m < k) {
		naive_path(m, lo, k, path);
		add_mth(lo + k, n - k, path);
	} else {
		naive_path(m - k, lo + k, n - k, path);
		add_mth(lo, k, path);
	}
}

static void
naive_subproof(size_t m, size_t lo, size_t n, bool whole, struct tg_path *path)
{
	const size_t k = split(n);

	if (m == n) {
		if (!whole)
			add_mth(lo, n, path);
	} else if (m <= k) {
		naive_subproof(m, lo, k, whole, path);
		add_mth(lo + k, n - k, path);
	} else {
		naive_subproof(m - k, lo + k, n - k, false, path);
		add_mth(lo, k, path);
	}
}

/* ---- stored hashes ---- */

/* Refuses what does not lie within the tree, and counts. */
struct store {
	uint64_t n;
	unsigned asked, outside;
};

static tg_status
node(void *ctx, unsigned level, uint64_t index, uint8_t out[static 32], struct tg_error *err)
{
	struct store *s = ctx;

	s->asked++;
	if (level > 63 || (index + 1) << level > s->n) {
		s->outside++;
		return tg_fail(err, TG_E_INTERNAL, "outside");
	}
	mth((size_t)(index << level), (size_t)1 << level, out);
	return TG_OK;
}

static bool
equal(const struct tg_path *a, const struct tg_path *b)
{
	return a->n == b->n && memcmp(a->hash, b->hash, 32 * (size_t)a->n) == 0;
}

/* ---- every one of them ---- */

static void
roots(void)
{
	unsigned long wrong = 0, n = 0;

	for (; n <= LEAVES; n++) {
		struct store s = { .n = n };
		const struct tg_hashes h = { node, &s };
		uint8_t got[32], want[32];

		mth(0, n, want);
		wrong += tg_proof_root(&h, n, got, NULL) != TG_OK || memcmp(got, want, 32) != 0;
		/* one stored hash for each bit */
		wrong += s.asked != (unsigned)__builtin_popcountl(n) || s.outside != 0;
	}
	OK_NONE(wrong, n, "roots");
}

/* Changes that no verifier may take. */
static unsigned long
inclusion_taken(size_t index, size_t n, const struct tg_path *path, const uint8_t root[32])
{
	struct tg_path bad;
	unsigned long taken = 0;
	uint8_t other[32];

	for (unsigned i = 0; i < path->n; i++) {
		bad = *path;
		bad.hash[i][(index + i) % 32] ^= (uint8_t)(1u << (index + n) % 8);
		taken += tg_proof_check_inclusion(leaf[index], index, n, &bad, root, NULL) == TG_OK;
	}
	if (path->n > 0) {
		bad = *path;
		bad.n--;
		taken += tg_proof_check_inclusion(leaf[index], index, n, &bad, root, NULL) == TG_OK;
		memmove(bad.hash[0], path->hash[1], 32 * (size_t)(path->n - 1));
		taken += tg_proof_check_inclusion(leaf[index], index, n, &bad, root, NULL) == TG_OK;
	}
	bad = *path;
	memcpy(bad.hash[bad.n++], root, 32);
	taken += tg_proof_check_inclusion(leaf[index], index, n, &bad, root, NULL) == TG_OK;
	memcpy(other, leaf[index], 32);
	other[n % 32] ^= 1;
	taken += tg_proof_check_inclusion(other, index, n, path, root, NULL) == TG_OK;
	memcpy(other, root, 32);
	other[n % 32] ^= 1;
	taken += tg_proof_check_inclusion(leaf[index], index, n, path, other, NULL) == TG_OK;
	taken += tg_proof_check_inclusion(leaf[index], n, n, path, root, NULL) == TG_OK;
	taken += tg_proof_check_inclusion(leaf[index], index, 0, path, root, NULL) == TG_OK;
	for (size_t wrong = 0; wrong < n; wrong++)
		if (wrong != index)
			taken += tg_proof_check_inclusion(
				     leaf[index], wrong, n, path, root, NULL) == TG_OK;
	return taken;
}

static void
inclusion(void)
{
	unsigned long wrong = 0, taken = 0, count = 0;

	for (size_t n = 1; n <= LEAVES; n++) {
		struct store s = { .n = n };
		const struct tg_hashes h = { node, &s };
		uint8_t root[32];

		mth(0, n, root);
		for (size_t i = 0; i < n; i++, count++) {
			struct tg_path got = { .n = 9 }, want = { .n = 0 };

			naive_path(i, 0, n, &want);
			wrong += tg_proof_inclusion(&h, i, n, &got, NULL) != TG_OK ||
			    !equal(&got, &want);
			wrong += tg_proof_check_inclusion(leaf[i], i, n, &got, root, NULL) != TG_OK;
			taken += inclusion_taken(i, n, &got, root);
		}
		wrong += s.outside != 0;
	}
	OK_NONE(wrong, count, "paths");
	OK_NONE(taken, count, "altered paths taken");
}

static unsigned long
consistency_taken(
    size_t m, size_t n, const struct tg_path *path, const uint8_t old[32], const uint8_t root[32])
{
	struct tg_path bad;
	unsigned long taken = 0;
	uint8_t other[32];

	for (unsigned i = 0; i < path->n; i++) {
		bad = *path;
		bad.hash[i][(m + i) % 32] ^= (uint8_t)(1u << (m + n) % 8);
		taken += tg_proof_check_consistency(m, old, n, root, &bad, NULL) == TG_OK;
	}
	if (path->n > 0) {
		bad = *path;
		bad.n--;
		taken += tg_proof_check_consistency(m, old, n, root, &bad, NULL) == TG_OK;
	}
	bad = *path;
	memcpy(bad.hash[bad.n++], root, 32);
	taken += tg_proof_check_consistency(m, old, n, root, &bad, NULL) == TG_OK;
	memcpy(other, old, 32);
	other[n % 32] ^= 1;
	taken += tg_proof_check_consistency(m, other, n, root, path, NULL) == TG_OK;
	memcpy(other, root, 32);
	other[n % 32] ^= 1;
	if (m > 0) /* anything extends the empty tree */
		taken += tg_proof_check_consistency(m, old, n, other, path, NULL) == TG_OK;
	if (m != n)
		taken += tg_proof_check_consistency(n, root, m, old, path, NULL) == TG_OK;
	return taken;
}

static void
consistency(void)
{
	unsigned long wrong = 0, taken = 0, count = 0;

	for (size_t n = 0; n <= LEAVES; n++) {
		struct store s = { .n = n };
		const struct tg_hashes h = { node, &s };
		uint8_t root[32], old[32];

		mth(0, n, root);
		for (size_t m = 0; m <= n; m++, count++) {
			struct tg_path got = { .n = 9 }, want = { .n = 0 };

			mth(0, m, old);
			if (m > 0)
				naive_subproof(m, 0, n, true, &want);
			wrong += tg_proof_consistency(&h, m, n, &got, NULL) != TG_OK ||
			    !equal(&got, &want);
			wrong += tg_proof_check_consistency(m, old, n, root, &got, NULL) != TG_OK;
			taken += consistency_taken(m, n, &got, old, root);
		}
		wrong += s.outside != 0;
	}
	OK_NONE(wrong, count, "proofs");
	OK_NONE(taken, count, "altered proofs taken");
}

/* ---- published values ---- */

static void
make_leaf(size_t i, const uint8_t *p, size_t n)
{
	const tg_bytes parts[] = { { (const uint8_t *)"", 1 }, { p, n } };

	hash_of(parts, 2, leaf[i]);
}

static void
eight_known_leaves(void)
{
	static const char *const data[] = { "", "00", "10", "2021", "3031", "40414243",
		"5051525354555657", "606162636465666768696a6b6c6d6e6f" };
	static const char *const want[] = {
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};

	for (size_t i = 0; i < TG_LEN(data); i++) {
		uint8_t raw[16];
		const size_t n = strlen(data[i]) / 2;

		OK(tg_hex_decode(raw, n, tg_bytes_str(data[i])));
		make_leaf(i, raw, n);
	}
	for (size_t n = 0; n < TG_LEN(want); n++) {
		struct store s = { .n = n };
		const struct tg_hashes h = { node, &s };
		uint8_t root[32];
		char text[65];

		OK_STATUS(tg_proof_root(&h, n, root, NULL), TG_OK);
		tg_hex_encode(text, (tg_bytes){ root, 32 });
		OK(strcmp(text, want[n]) == 0);
	}
}

/* The three records of docs/PROTOCOL.evidence.md section 7. */
static void
three_known_records(void)
{
	static const struct {
		const char *event, *chain;
	} records[] = {
		{ "{\"event_type\":\"TGSP_BUILT\",\"seq\":0}",
		    "4e65003de67ea632bfdee5371a0fb5fec5abb75f51b7dcd828ed6937f238f998" },
		{ "{\"event_type\":\"TGSP_VERIFY_SUCCEEDED\",\"seq\":1}",
		    "c351cd4ee31717bef827442de74e99a3e7328f7a17ed2c7ba64a1f8a63d2272b" },
		{ "{\"event_type\":\"TGSP_OPEN_ALLOWED\",\"seq\":2}",
		    "a730d5654d20492e8b4ce7f5c39380a3104edd5e8337d332178a084e68ebf16e" },
	};
	char prev[65], text[65], record[1024], line[130];
	uint8_t hash[32];

	memset(prev, '0', 64);
	prev[64] = '\0';
	for (size_t i = 0; i < TG_LEN(records); i++) {
		tg_bytes part = tg_bytes_str(records[i].event);

		hash_of(&part, 1, hash);
		tg_hex_encode(text, (tg_bytes){ hash, 32 });
		(void)snprintf(line, sizeof(line), "%s:%s", prev, text);
		part = tg_bytes_str(line);
		OK(part.n == 129);
		hash_of(&part, 1, hash);
		char chain[65];
		tg_hex_encode(chain, (tg_bytes){ hash, 32 });
		OK(strcmp(chain, records[i].chain) == 0);
		(void)snprintf(record, sizeof(record),
		    "{\"_chain\":{\"chain_hash\":\"%s\",\"event_hash\":\"%s\",\"prev_hash\":\"%s\","
		    "\"sequence\":%zu},%s",
		    chain, text, prev, i, records[i].event + 1);
		make_leaf(i, (const uint8_t *)record, strlen(record));
		memcpy(prev, chain, sizeof(prev));
	}
	struct store s = { .n = 3 };
	const struct tg_hashes h = { node, &s };
	struct tg_buf b = { .max = 64 };
	OK_STATUS(tg_proof_root(&h, 3, hash, NULL), TG_OK);
	OK_STATUS(tg_base64_padded_put(&b, (tg_bytes){ hash, 32 }), TG_OK);
	OK(tg_bytes_equal(
	    tg_buf_view(&b), tg_bytes_str("x6T5m3p2azrp/8fiVJknarHBjIgacu6h6ukwMSAR4vU=")));
	tg_buf_done(&b);
}

/* ---- what is asked wrongly, and what fails ---- */

static tg_status
broken(void *ctx, unsigned level, uint64_t index, uint8_t out[static 32], struct tg_error *err)
{
	unsigned *left = ctx;

	(void)level, (void)index;
	if ((*left)-- == 0)
		return tg_fail(err, TG_E_IO, "unreadable");
	memset(out, 0, 32);
	return TG_OK;
}

static void
failures_leave_nothing(void)
{
	struct store s = { .n = 100 };
	const struct tg_hashes h = { node, &s };
	struct tg_path path = { .n = 77 };
	unsigned long wrong = 0, n = 0;
	uint8_t root[32];

	memset(root, 0x5a, sizeof(root));
	OK_STATUS(tg_proof_inclusion(&h, 100, 100, &path, NULL), TG_E_USAGE);
	OK_STATUS(tg_proof_inclusion(&h, 0, 0, &path, NULL), TG_E_USAGE);
	OK_STATUS(tg_proof_consistency(&h, 101, 100, &path, NULL), TG_E_USAGE);
	OK(path.n == 77 && s.asked == 0);
	for (unsigned k = 0; k < 3; k++, n += 3) {
		unsigned left = k;
		const struct tg_hashes bad = { broken, &left };

		wrong += tg_proof_root(&bad, 111, root, NULL) != TG_E_IO || root[0] != 0x5a;
		left = k;
		wrong += tg_proof_inclusion(&bad, 5, 111, &path, NULL) != TG_E_IO || path.n != 77;
		left = k;
		wrong += tg_proof_consistency(&bad, 5, 111, &path, NULL) != TG_E_IO || path.n != 77;
	}
	OK_NONE(wrong, n, "failed reads");
}

/* ---- trees that nobody has ---- */

/* A tree whose leaves are all the same: each level has one hash. */
static tg_status
same_node(void *ctx, unsigned level, uint64_t index, uint8_t out[static 32], struct tg_error *err)
{
	const uint8_t(*levels)[32] = ctx;

	(void)index, (void)err;
	memcpy(out, levels[level], 32);
	return TG_OK;
}

static void
the_largest_trees(void)
{
	static const uint64_t sizes[] = { 1ull << 63, (1ull << 63) + 1, UINT64_MAX - 1, UINT64_MAX,
		1000000000 };
	uint8_t levels[64][32] = { { 1 } }, root[32], old[32];
	const struct tg_hashes h = { same_node, levels };
	unsigned long wrong = 0, n = 0;

	for (int i = 1; i < 64; i++) {
		const tg_bytes parts[] = { { (const uint8_t *)"\1", 1 }, { levels[i - 1], 32 },
			{ levels[i - 1], 32 } };

		hash_of(parts, 3, levels[i]);
	}
	for (size_t i = 0; i < TG_LEN(sizes); i++) {
		const uint64_t size = sizes[i],
			       at[] = { 0, 1, size / 2, size / 3, size - 2, size - 1 };
		struct tg_path path = { .n = 0 };

		wrong += tg_proof_root(&h, size, root, NULL) != TG_OK;
		for (size_t j = 0; j < TG_LEN(at); j++, n++) {
			wrong += tg_proof_inclusion(&h, at[j], size, &path, NULL) != TG_OK ||
			    tg_proof_check_inclusion(levels[0], at[j], size, &path, root, NULL) !=
				TG_OK;
			wrong += size == 1000000000 && path.n > 30;
			const tg_status s = tg_proof_consistency(&h, at[j], size, &path, NULL);
			if (s == TG_E_LIMIT && size > 1ull << 63)
				continue;
			wrong += s != TG_OK || tg_proof_root(&h, at[j], old, NULL) != TG_OK ||
			    tg_proof_check_consistency(at[j], old, size, root, &path, NULL) !=
				TG_OK;
		}
	}
	OK_NONE(wrong, n, "proofs in large trees");
}

/* ---- as lines ---- */

static void
paths_as_lines(void)
{
	struct tg_path path = { .n = TG_MAX_PATH_HASHES }, got = { .n = 5 };
	struct tg_buf b = { .max = 1 << 16 };

	for (unsigned i = 0; i < path.n; i++)
		memset(path.hash[i], (int)i, 32);
	OK_STATUS(tg_path_put(&path, &b), TG_OK);
	OK_STATUS(tg_buf_put_str(&b, "\nrest"), TG_OK);
	tg_bytes rest = tg_buf_view(&b);
	OK_STATUS(tg_path_take(&rest, "path", &got, NULL), TG_OK);
	OK(equal(&path, &got) && tg_bytes_equal(rest, tg_bytes_str("rest")));
	for (size_t n = 0; n < 3; n++) {
		static const char *const bad[] = { "", "x\n\n", "abcd\n\n" };

		rest = tg_bytes_str(bad[n]);
		OK_STATUS(tg_path_take(&rest, "path", &got, NULL), TG_E_FORMAT);
		OK(rest.n == strlen(bad[n]));
	}
	b.n -= 5; /* a 65th line, no empty one */
	OK_STATUS(tg_buf_put(&b, b.p, 45), TG_OK);
	rest = tg_buf_view(&b);
	OK_STATUS(tg_path_take(&rest, "path", &got, NULL), TG_E_LIMIT);
	tg_buf_done(&b);
}

int
main(void)
{
	for (size_t i = 0; i < LEAVES; i++) {
		const uint8_t data[2] = { (uint8_t)i, 7 };

		make_leaf(i, data, 2);
	}
	roots();
	inclusion();
	consistency();
	failures_leave_nothing();
	the_largest_trees();
	paths_as_lines();
	eight_known_leaves();
	three_known_records();
	return tap_done();
}
