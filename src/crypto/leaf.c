#include "crypto/leaf.h"

#include <pthread.h>

#include "util/try.h"

const struct tg_leaf_kernel *const tg_leaf_kernels[] = {
#if defined(__x86_64__)
	&tg_leaf_shani4,
	&tg_leaf_shani2,
	&tg_leaf_shani1,
#elif defined(__aarch64__)
	&tg_leaf_armv8x2,
	&tg_leaf_armv8x1,
#endif
	&tg_leaf_portable,
};
const size_t tg_leaf_kernel_count = TG_LEN(tg_leaf_kernels);

/* best[n]: the kernel for n leaves at hand; chosen once, immutable afterwards */
static const struct tg_leaf_kernel *best[TG_LEAF_MAX_LANES + 1];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
choose(void)
{
	for (unsigned n = 1; n <= TG_LEAF_MAX_LANES; n++)
		for (size_t i = tg_leaf_kernel_count; i-- > 0;)
			if (tg_leaf_kernels[i]->lanes <= n && tg_leaf_kernels[i]->usable())
				best[n] = tg_leaf_kernels[i];
}

const struct tg_leaf_kernel *
tg_leaf_kernel(size_t n)
{
	(void)pthread_once(&once, choose);
	return best[n < TG_LEAF_MAX_LANES ? n : TG_LEAF_MAX_LANES];
}

tg_status
tg_leaf_hash(struct tg_leaf *leaves, size_t n, size_t len, struct tg_error *err)
{
	while (n > 0) {
		const struct tg_leaf_kernel *k = len < 64 ? &tg_leaf_portable : tg_leaf_kernel(n);

		TG_TRY(k->hash(leaves, len, err));
		leaves += k->lanes;
		n -= k->lanes;
	}
	return TG_OK;
}

tg_status
tg_node_hash(const uint8_t *pairs, uint64_t n, uint8_t *out, struct tg_error *err)
{
	while (n > 0) {
		const struct tg_leaf_kernel *k = tg_leaf_kernel(n);

		if (k->nodes == NULL)
			k = &tg_leaf_portable;
		TG_TRY(k->nodes(pairs, out, err));
		pairs += 64 * (size_t)k->lanes;
		out += 32 * (size_t)k->lanes;
		n -= k->lanes;
	}
	return TG_OK;
}
