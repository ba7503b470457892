#include "evidence/proof.h"

#include "crypto/hash.h"
#include "util/text.h"
#include "util/try.h"

/* hash(01 || left || right); `out` may be one of them */
static tg_status
parent(const uint8_t left[static 32], const uint8_t right[static 32], uint8_t out[static 32],
    struct tg_error *err)
{
	const tg_bytes parts[] = {
		{ (const uint8_t *)"\x01", 1 },
		{ left, 32 },
		{ right, 32 },
	};
	uint8_t hash[32];

	TG_TRY(tg_sha256(parts, TG_LEN(parts), hash, err));
	memcpy(out, hash, sizeof(hash));
	return TG_OK;
}

static bool
same(const uint8_t a[static 32], const uint8_t b[static 32])
{
	return tg_bytes_equal((tg_bytes){ a, 32 }, (tg_bytes){ b, 32 });
}

/* ---- making ---- */

/* Root of the leaves lo ... hi-1, lo < hi, where a complete subtree of that many leaves or more may
 * begin at lo. One stored hash for each bit of their number, folded from the right. */
static tg_status
range_root(const struct tg_hashes *h, uint64_t lo, uint64_t hi, uint8_t out[static 32],
    struct tg_error *err)
{
	uint64_t left = hi - lo;
	bool first = true;

	while (left != 0) {
		const unsigned level = (unsigned)__builtin_ctzll(left);
		uint8_t node[32];

		left &= left - 1;
		TG_TRY(h->node(h->ctx, level, (lo + left) >> level, node, err));
		if (first)
			memcpy(out, node, sizeof(node));
		else
			TG_TRY(parent(node, out, out, err));
		first = false;
	}
	return TG_OK;
}

tg_status
tg_proof_root(const struct tg_hashes *h, uint64_t n, uint8_t out[static 32], struct tg_error *err)
{
	uint8_t root[32];

	if (n == 0)
		return tg_sha256(NULL, 0, out, err);
	TG_TRY(range_root(h, 0, n, root, err));
	memcpy(out, root, sizeof(root));
	return TG_OK;
}

/* Append the siblings of the node `index` of `level`, and of what is above it, in the tree of n. */
static tg_status
siblings(const struct tg_hashes *h, unsigned level, uint64_t index, uint64_t n,
    struct tg_path *path, struct tg_error *err)
{
	for (; level < 64 && (n - 1) >> level != 0; level++, index >>= 1) {
		const uint64_t sibling = index ^ 1;

		if (sibling > (n - 1) >> level)
			continue; /* the last of an odd number: it goes up by itself */
		TG_REQUIRE(path->n < TG_MAX_PATH_HASHES, err, TG_E_LIMIT,
		    "proof: a tree of %llu leaves", (unsigned long long)n);
		if (sibling < n >> level)
			TG_TRY(h->node(h->ctx, level, sibling, path->hash[path->n], err));
		else
			TG_TRY(range_root(h, sibling << level, n, path->hash[path->n], err));
		path->n++;
	}
	return TG_OK;
}

tg_status
tg_proof_inclusion(const struct tg_hashes *h, uint64_t index, uint64_t n, struct tg_path *ret,
    struct tg_error *err)
{
	struct tg_path path = { .n = 0 };

	TG_REQUIRE(index < n, err, TG_E_USAGE, "proof: leaf %llu of a tree of %llu",
	    (unsigned long long)index, (unsigned long long)n);
	TG_TRY(siblings(h, 0, index, n, &path, err));
	*ret = path;
	return TG_OK;
}

tg_status
tg_proof_consistency(
    const struct tg_hashes *h, uint64_t m, uint64_t n, struct tg_path *ret, struct tg_error *err)
{
	struct tg_path path = { .n = 0 };

	TG_REQUIRE(m <= n, err, TG_E_USAGE, "proof: from a tree of %llu to one of %llu",
	    (unsigned long long)m, (unsigned long long)n);
	if (m != 0 && m != n) {
		/* the last complete subtree of the old tree is one of the new tree too */
		const unsigned level = (unsigned)__builtin_ctzll(m);
		const uint64_t index = (m >> level) - 1;

		if (index != 0) { /* else it is all of the old tree, whose root the checker has */
			TG_TRY(h->node(h->ctx, level, index, path.hash[0], err));
			path.n = 1;
		}
		TG_TRY(siblings(h, level, index, n, &path, err));
	}
	*ret = path;
	return TG_OK;
}

/* ---- checking ---- */

tg_status
tg_proof_check_inclusion(const uint8_t leaf[static 32], uint64_t index, uint64_t n,
    const struct tg_path *path, const uint8_t root[static 32], struct tg_error *err)
{
	uint64_t fn = index, sn = n - 1;
	uint8_t r[32];

	TG_REQUIRE(index < n, err, TG_E_AUTH, "inclusion proof: record %llu under a tree of %llu",
	    (unsigned long long)index, (unsigned long long)n);
	memcpy(r, leaf, sizeof(r));
	for (unsigned i = 0; i < path->n; i++) {
		TG_REQUIRE(
		    sn != 0, err, TG_E_AUTH, "inclusion proof: %u hashes, %u expected", path->n, i);
		if ((fn & 1) != 0 || fn == sn) {
			TG_TRY(parent(path->hash[i], r, r, err));
			for (; (fn & 1) == 0 && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			TG_TRY(parent(r, path->hash[i], r, err));
		}
		fn >>= 1;
		sn >>= 1;
	}
	TG_REQUIRE(sn == 0, err, TG_E_AUTH, "inclusion proof: %u hashes, more expected", path->n);
	TG_REQUIRE(same(r, root), err, TG_E_AUTH,
	    "inclusion proof: does not lead from the record to the checkpoint's root");
	return TG_OK;
}

/* 0 < m < n */
static tg_status
check_extension(uint64_t m, const uint8_t root_m[static 32], uint64_t n,
    const uint8_t root_n[static 32], const struct tg_path *path, struct tg_error *err)
{
	uint64_t fn = m - 1, sn = n - 1;
	const bool whole = (m & (m - 1)) == 0; /* the old tree is a subtree of the new one */
	uint8_t fr[32], sr[32];

	TG_REQUIRE(path->n > 0, err, TG_E_AUTH, "consistency proof: no hashes");
	memcpy(fr, whole ? root_m : path->hash[0], sizeof(fr));
	memcpy(sr, fr, sizeof(sr));
	for (; (fn & 1) != 0; fn >>= 1)
		sn >>= 1;
	for (unsigned i = whole ? 0 : 1; i < path->n; i++) {
		const uint8_t *c = path->hash[i];

		TG_REQUIRE(sn != 0, err, TG_E_AUTH, "consistency proof: %u hashes, %u expected",
		    path->n, i);
		if ((fn & 1) != 0 || fn == sn) {
			TG_TRY(parent(c, fr, fr, err));
			TG_TRY(parent(c, sr, sr, err));
			for (; (fn & 1) == 0 && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			TG_TRY(parent(sr, c, sr, err));
		}
		fn >>= 1;
		sn >>= 1;
	}
	TG_REQUIRE(sn == 0, err, TG_E_AUTH, "consistency proof: %u hashes, more expected", path->n);
	TG_REQUIRE(same(fr, root_m) && same(sr, root_n), err, TG_E_AUTH,
	    "consistency proof: does not lead from the tree of %llu to that of %llu",
	    (unsigned long long)m, (unsigned long long)n);
	return TG_OK;
}

tg_status
tg_proof_check_consistency(uint64_t m, const uint8_t root_m[static 32], uint64_t n,
    const uint8_t root_n[static 32], const struct tg_path *path, struct tg_error *err)
{
	uint8_t empty[32];

	TG_REQUIRE(m <= n, err, TG_E_AUTH, "consistency proof: from a tree of %llu to one of %llu",
	    (unsigned long long)m, (unsigned long long)n);
	if (m != 0 && m != n)
		return check_extension(m, root_m, n, root_n, path, err);
	TG_REQUIRE(
	    path->n == 0, err, TG_E_AUTH, "consistency proof: %u hashes, none expected", path->n);
	if (m == 0) {
		TG_TRY(tg_sha256(NULL, 0, empty, err));
		TG_REQUIRE(same(root_m, empty), err, TG_E_AUTH,
		    "consistency proof: not the root of the empty tree");
	}
	TG_REQUIRE(m != n || same(root_m, root_n), err, TG_E_AUTH,
	    "consistency proof: two roots of the tree of %llu", (unsigned long long)n);
	return TG_OK;
}

/* ---- as text ---- */

tg_status
tg_path_put(const struct tg_path *path, struct tg_buf *out)
{
	for (unsigned i = 0; i < path->n; i++) {
		TG_TRY(tg_base64_padded_put(out, (tg_bytes){ path->hash[i], 32 }));
		TG_TRY(tg_buf_put_str(out, "\n"));
	}
	return TG_OK;
}

tg_status
tg_path_take(tg_bytes *rest, const char *what, struct tg_path *ret, struct tg_error *err)
{
	tg_bytes left = *rest, line = { NULL, 0 };
	struct tg_path path = { .n = 0 };

	for (;;) {
		TG_REQUIRE(tg_line_take(&left, &line), err, TG_E_FORMAT,
		    "%s: a proof's hashes end with an empty line", what);
		if (line.n == 0)
			break;
		TG_REQUIRE(path.n < TG_MAX_PATH_HASHES, err, TG_E_LIMIT,
		    "%s: a proof of more than %d hashes", what, TG_MAX_PATH_HASHES);
		TG_REQUIRE(tg_base64_padded_decode(path.hash[path.n], 32, line), err, TG_E_FORMAT,
		    "%s: hash %u of the proof is not base64 of 32 bytes", what, path.n);
		path.n++;
	}
	*rest = left;
	*ret = path;
	return TG_OK;
}
