/* The batched root against the incremental one, which is the naive reference. */
#include "../../tap.h"
#include "crypto/leaf.h"
#include "crypto/tree.h"

#define MAX_LEAVES 1100

static uint8_t bytes[MAX_LEAVES * 48];

static void
both_roots_agree_for_every_count(void)
{
	struct tg_tree t;
	unsigned long wrong = 0, n = 0;

	tg_tree_init(&t);
	for (; n < MAX_LEAVES; n++) {
		uint8_t one[32], all[32];

		wrong += tg_tree_root(&t, one, NULL) != TG_OK ||
		    tg_tree_root_of(bytes, 48, n, all, NULL) != TG_OK ||
		    memcmp(one, all, 32) != 0;
		wrong += tg_tree_add(&t, bytes + 48 * n, NULL) != TG_OK;
	}
	OK_NONE(wrong, n, "roots");
}

static void
every_kernel_makes_the_same_nodes(void)
{
	unsigned long wrong = 0, n = 0;

	for (size_t k = 0; k < tg_leaf_kernel_count; k++) {
		const struct tg_leaf_kernel *kernel = tg_leaf_kernels[k];
		uint8_t got[4 * 32], want[32];

		if (!kernel->usable())
			continue;
		for (size_t at = 0; at + 4 * 64 < sizeof(bytes); at += 97) {
			const uint8_t *pairs = bytes + at;

			wrong += tg_leaf_kernel_nodes(kernel, pairs, got, NULL) != TG_OK;
			for (unsigned i = 0; i < kernel->lanes; i++, n++) {
				wrong += tg_leaf_kernel_nodes(&tg_leaf_portable, pairs + 64 * i, want, NULL) != TG_OK;
				wrong += memcmp(want, got + 32 * i, 32) != 0;
			}
		}
	}
	OK_NONE(wrong, n, "nodes");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 17);
	both_roots_agree_for_every_count();
	every_kernel_makes_the_same_nodes();
	return tap_done();
}
