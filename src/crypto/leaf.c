#include "crypto/leaf.h"

#include <pthread.h>

#include "crypto/hash.h"
#include "crypto/sha256_k.h"
#include "util/try.h"

static bool
always(void)
{
	return true;
}

const struct tg_leaf_kernel tg_leaf_portable = { "openssl", 1, always, NULL };

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

/*
 * The prefix byte shifts the chunk by one: the first block is 00 and 63 bytes of chunk, then the
 * chunk is read in place from byte 63 on, and the rest, the tag and the padding make the last
 * one or two blocks.
 */
static void
leaves_in_lanes(const struct tg_leaf_kernel *k, struct tg_leaf *leaf, size_t len)
{
	struct tg_sha256_lane lane[TG_LEAF_MAX_LANES];
	uint8_t first[TG_LEAF_MAX_LANES][64], last[TG_LEAF_MAX_LANES][128] = { { 0 } };
	const size_t whole = (len - 63) / 64, rest = len - 63 - 64 * whole;
	const size_t end = rest + 16 + 9 <= 64 ? 1 : 2;

	for (unsigned w = 0; w < k->lanes; w++) {
		memcpy(lane[w].h, tg_sha256_start, sizeof(lane[w].h));
		first[w][0] = 0;
		memcpy(first[w] + 1, leaf[w].ct, 63);
		memcpy(last[w], leaf[w].ct + 63 + 64 * whole, rest);
		memcpy(last[w] + rest, leaf[w].tag, 16);
		last[w][rest + 16] = 0x80;
		tg_put_u64be(last[w] + 64 * end - 8, (1 + (uint64_t)len + 16) * 8);
		lane[w].p = first[w];
	}
	k->blocks(lane, 1);
	for (unsigned w = 0; w < k->lanes; w++)
		lane[w].p = leaf[w].ct + 63;
	k->blocks(lane, whole);
	for (unsigned w = 0; w < k->lanes; w++)
		lane[w].p = last[w];
	k->blocks(lane, end);
	for (unsigned w = 0; w < k->lanes; w++)
		for (int i = 0; i < 8; i++)
			tg_put_u32be(leaf[w].hash + 4 * i, lane[w].h[i]);
}

/* 01 and 63 bytes of the pair, then its last byte, the padding and the length: 65 bytes. */
static void
nodes_in_lanes(const struct tg_leaf_kernel *k, const uint8_t *pairs, uint8_t *out)
{
	struct tg_sha256_lane lane[TG_LEAF_MAX_LANES];
	uint8_t block[TG_LEAF_MAX_LANES][128];

	for (unsigned w = 0; w < k->lanes; w++) {
		memcpy(lane[w].h, tg_sha256_start, sizeof(lane[w].h));
		block[w][0] = 1;
		memcpy(block[w] + 1, pairs + 64 * (size_t)w, 64);
		block[w][65] = 0x80;
		memset(block[w] + 66, 0, 60);
		block[w][126] = 65 * 8 >> 8;
		block[w][127] = 65 * 8 & 0xff;
		lane[w].p = block[w];
	}
	k->blocks(lane, 2);
	for (unsigned w = 0; w < k->lanes; w++)
		for (int i = 0; i < 8; i++)
			tg_put_u32be(out + 32 * (size_t)w + 4 * i, lane[w].h[i]);
}

tg_status
tg_leaf_kernel_hash(const struct tg_leaf_kernel *k, struct tg_leaf *leaves, size_t len,
    struct tg_error *err)
{
	static const uint8_t prefix = 0;
	const tg_bytes parts[] = { { &prefix, 1 }, { leaves->ct, len }, { leaves->tag, 16 } };

	if (k->blocks == NULL)
		return tg_sha256(parts, TG_LEN(parts), leaves->hash, err);
	TG_REQUIRE(len >= 64, err, TG_E_INTERNAL, "leaf of %zu bytes for kernel %s", len, k->name);
	leaves_in_lanes(k, leaves, len);
	return TG_OK;
}

tg_status
tg_leaf_kernel_nodes(const struct tg_leaf_kernel *k, const uint8_t *pairs, uint8_t *out,
    struct tg_error *err)
{
	static const uint8_t prefix = 1;
	const tg_bytes parts[] = { { &prefix, 1 }, { pairs, 64 } };

	if (k->blocks == NULL)
		return tg_sha256(parts, TG_LEN(parts), out, err);
	nodes_in_lanes(k, pairs, out);
	return TG_OK;
}

tg_status
tg_leaf_hash(struct tg_leaf *leaves, size_t n, size_t len, struct tg_error *err)
{
	while (n > 0) {
		const struct tg_leaf_kernel *k = len < 64 ? &tg_leaf_portable : tg_leaf_kernel(n);

		TG_TRY(tg_leaf_kernel_hash(k, leaves, len, err));
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

		TG_TRY(tg_leaf_kernel_nodes(k, pairs, out, err));
		pairs += 64 * (size_t)k->lanes;
		out += 32 * (size_t)k->lanes;
		n -= k->lanes;
	}
	return TG_OK;
}
