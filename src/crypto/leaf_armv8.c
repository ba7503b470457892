/*
 * Leaf hashing with the SHA-2 instructions of ARMv8, 1 or 2 chunks side by side: sha256h and
 * sha256h2 have a latency of four to six cycles and every round needs the one before, so one stream
 * leaves the unit idle up to half of the time, and two fill it. Four do not fit into the registers:
 * in llvm-mca's models they are no faster on Cortex-A57, ThunderX2 and TSV110, and take 40 % more
 * cycles on Cortex-A53 and A55. FIPS 180-4; chunks of >= 64 bytes.
 */
#include "crypto/leaf.h"

#if defined(__aarch64__)

/* clang before 16 declares the intrinsics only when the whole file is compiled for the extension */
#if defined(__clang__)
#define FEATURE "sha2"
#if !defined(__ARM_FEATURE_SHA2)
#define __ARM_FEATURE_SHA2 1
#endif
#else
#define FEATURE "+crypto" /* what gcc 12 declares them with */
#endif

#include <arm_neon.h>

#include "crypto/sha256_k.h"
#include <sys/auxv.h>

#define TARGET __attribute__((target(FEATURE)))
#define INLINE static inline __attribute__((always_inline, target(FEATURE)))

#define MAX_LANES 2

static const uint32_t initial[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
	0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

struct lane {
	uint32x4_t abcd, efgh;
	const uint8_t *p;
};

/* n blocks of 64 bytes on each of `lanes` streams; the count is a constant at every call. */
INLINE void
blocks(struct lane *s, const unsigned lanes, size_t n)
{
	uint32x4_t a[MAX_LANES], e[MAX_LANES];
	const uint8_t *p[MAX_LANES];

#pragma GCC unroll 2
	for (unsigned w = 0; w < lanes; w++) {
		a[w] = s[w].abcd;
		e[w] = s[w].efgh;
		p[w] = s[w].p;
	}
	for (; n > 0; n--) {
		uint32x4_t a0[MAX_LANES], e0[MAX_LANES], m[MAX_LANES][4];

#pragma GCC unroll 2
		for (unsigned w = 0; w < lanes; w++) {
			a0[w] = a[w];
			e0[w] = e[w];
		}
#pragma GCC unroll 16
		for (unsigned r = 0; r < 16; r++) {
			const uint32x4_t k = vld1q_u32(tg_sha256_k + 4 * r);

#pragma GCC unroll 2
			for (unsigned w = 0; w < lanes; w++) {
				uint32x4_t *x = m[w];

				if (r < 4)
					x[r] = vreinterpretq_u32_u8(
					    vrev32q_u8(vld1q_u8(p[w] + 16 * r)));
				else
					x[r & 3] = vsha256su1q_u32(
					    vsha256su0q_u32(x[r & 3], x[(r + 1) & 3]),
					    x[(r + 2) & 3], x[(r + 3) & 3]);
				const uint32x4_t wk = vaddq_u32(x[r & 3], k), before = a[w];
				a[w] = vsha256hq_u32(before, e[w], wk);
				e[w] = vsha256h2q_u32(e[w], before, wk);
			}
		}
#pragma GCC unroll 2
		for (unsigned w = 0; w < lanes; w++) {
			a[w] = vaddq_u32(a[w], a0[w]);
			e[w] = vaddq_u32(e[w], e0[w]);
			p[w] += 64;
		}
	}
#pragma GCC unroll 2
	for (unsigned w = 0; w < lanes; w++) {
		s[w].abcd = a[w];
		s[w].efgh = e[w];
		s[w].p = p[w];
	}
}

INLINE void
start(struct lane *s)
{
	s->abcd = vld1q_u32(initial);
	s->efgh = vld1q_u32(initial + 4);
}

INLINE void
finish(const struct lane *s, uint8_t out[static 32])
{
	vst1q_u8(out, vrev32q_u8(vreinterpretq_u8_u32(s->abcd)));
	vst1q_u8(out + 16, vrev32q_u8(vreinterpretq_u8_u32(s->efgh)));
}

/*
 * The prefix byte shifts the chunk by one: the first block is 00 and 63 bytes of chunk, then the
 * chunk is read in place from byte 63 on, and the rest, the tag and the padding make the last
 * one or two blocks.
 */
INLINE void
leaves(struct tg_leaf *leaf, const unsigned lanes, size_t len)
{
	struct lane s[MAX_LANES];
	uint8_t first[MAX_LANES][64], last[MAX_LANES][128] = { { 0 } };
	const size_t whole = (len - 63) / 64, rest = len - 63 - 64 * whole;
	const size_t end = rest + 16 + 9 <= 64 ? 1 : 2;

	for (unsigned w = 0; w < lanes; w++) {
		start(&s[w]);
		first[w][0] = 0;
		memcpy(first[w] + 1, leaf[w].ct, 63);
		memcpy(last[w], leaf[w].ct + 63 + 64 * whole, rest);
		memcpy(last[w] + rest, leaf[w].tag, 16);
		last[w][rest + 16] = 0x80;
		tg_put_u64be(last[w] + 64 * end - 8, (1 + (uint64_t)len + 16) * 8);
		s[w].p = first[w];
	}
	blocks(s, lanes, 1);
	for (unsigned w = 0; w < lanes; w++)
		s[w].p = leaf[w].ct + 63;
	blocks(s, lanes, whole);
	for (unsigned w = 0; w < lanes; w++)
		s[w].p = last[w];
	blocks(s, lanes, end);
	for (unsigned w = 0; w < lanes; w++)
		finish(&s[w], leaf[w].hash);
}

/* 01 and 63 bytes of the pair, then its last byte, the padding and the length: 65 bytes. */
INLINE void
tree_nodes(const uint8_t *pairs, uint8_t *out, const unsigned lanes)
{
	struct lane s[MAX_LANES];
	uint8_t block[MAX_LANES][128] = { { 0 } };

	for (unsigned w = 0; w < lanes; w++) {
		start(&s[w]);
		block[w][0] = 1;
		memcpy(block[w] + 1, pairs + 64 * (size_t)w, 64);
		block[w][65] = 0x80;
		block[w][126] = 65 * 8 >> 8;
		block[w][127] = 65 * 8 & 0xff;
		s[w].p = block[w];
	}
	blocks(s, lanes, 2);
	for (unsigned w = 0; w < lanes; w++)
		finish(&s[w], out + 32 * (size_t)w);
}

TARGET static tg_status
nodes2(const uint8_t *pairs, uint8_t *out, struct tg_error *err)
{
	(void)err;
	tree_nodes(pairs, out, 2);
	return TG_OK;
}

TARGET static tg_status
nodes1(const uint8_t *pairs, uint8_t *out, struct tg_error *err)
{
	(void)err;
	tree_nodes(pairs, out, 1);
	return TG_OK;
}

TARGET static tg_status
hash2(struct tg_leaf *leaf, size_t len, struct tg_error *err)
{
	(void)err;
	leaves(leaf, 2, len);
	return TG_OK;
}

TARGET static tg_status
hash1(struct tg_leaf *leaf, size_t len, struct tg_error *err)
{
	(void)err;
	leaves(leaf, 1, len);
	return TG_OK;
}

static bool
usable(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0;
}

const struct tg_leaf_kernel tg_leaf_armv8x2 = { "armv8 x2", 2, usable, hash2, nodes2 };
const struct tg_leaf_kernel tg_leaf_armv8x1 = { "armv8 x1", 1, usable, hash1, nodes1 };

#endif
