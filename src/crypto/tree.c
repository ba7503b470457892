#include "crypto/tree.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/leaf.h"
#include "util/try.h"

void
tg_tree_init(struct tg_tree *t)
{
	t->n = 0;
	t->peaks = 0;
}

tg_status
tg_tree_node(const uint8_t left[static 32], const uint8_t right[static 32], uint8_t out[static 32],
    struct tg_error *err)
{
	uint8_t pair[64];

	memcpy(pair, left, 32);
	memcpy(pair + 32, right, 32);
	return tg_node_hash(pair, 1, out, err);
}

tg_status
tg_tree_add(struct tg_tree *t, const uint8_t leaf[static 32], struct tg_error *err)
{
	memcpy(t->peak[t->peaks++], leaf, 32);
	/* as many merges as the old count has trailing one bits */
	for (uint64_t n = t->n; n & 1; n >>= 1) {
		t->peaks--;
		TG_TRY(tg_tree_node(t->peak[t->peaks - 1], t->peak[t->peaks], t->peak[t->peaks - 1],
		    err));
	}
	t->n++;
	return TG_OK;
}

tg_status
tg_tree_root(const struct tg_tree *t, uint8_t out[static 32], struct tg_error *err)
{
	uint8_t root[32];

	if (t->peaks == 0)
		return tg_sha256(NULL, 0, out, err);
	memcpy(root, t->peak[t->peaks - 1], 32);
	for (unsigned i = t->peaks - 1; i > 0; i--)
		TG_TRY(tg_tree_node(t->peak[i - 1], root, root, err));
	memcpy(out, root, 32);
	return TG_OK;
}

/* RFC 6962 splits at the largest power of two, which comes to pairing level by level and carrying
 * an odd last node up as it is. */
static tg_status
reduce(uint8_t *level, uint64_t n, struct tg_error *err)
{
	while (n > 1) {
		TG_TRY(tg_node_hash(level, n / 2, level, err));
		if (n % 2 == 1)
			memmove(level + 32 * (n / 2), level + 32 * (n - 1), 32);
		n = n / 2 + n % 2;
	}
	return TG_OK;
}

tg_status
tg_tree_root_of(const uint8_t *leaves, size_t stride, uint64_t n, uint8_t out[static 32],
    struct tg_error *err)
{
	if (n == 0)
		return tg_sha256(NULL, 0, out, err);
	uint8_t *level = n <= SIZE_MAX / 32 ? malloc((size_t)n * 32) : NULL;
	TG_REQUIRE(level != NULL, err, TG_E_NOMEM, "tree of %llu leaves: out of memory",
	    (unsigned long long)n);
	for (uint64_t i = 0; i < n; i++)
		memcpy(level + 32 * i, leaves + stride * i, 32);
	tg_status s = reduce(level, n, err);
	if (s == TG_OK)
		memcpy(out, level, 32);
	free(level);
	return s;
}
