#include "crypto/tree.h"

#include "crypto/hash.h"
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
	static const uint8_t prefix = 1;
	const tg_bytes parts[] = { { &prefix, 1 }, { left, 32 }, { right, 32 } };

	return tg_sha256(parts, TG_LEN(parts), out, err);
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
