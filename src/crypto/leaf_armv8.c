/*
 * Leaf hashing with the SHA-2 instructions of ARMv8, 1 or 2 chunks side by side: sha256h and
 * sha256h2 have a latency of four to six cycles and every round needs the one before, so one stream
 * leaves the unit idle up to half of the time, and two fill it. Four do not fit into the registers:
 * in llvm-mca's models they are no faster on Cortex-A57, ThunderX2 and TSV110, and take 40 % more
 * cycles on Cortex-A53 and A55. FIPS 180-4.
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
#include <sys/auxv.h>

#include "crypto/sha256_k.h"

#define TARGET __attribute__((target(FEATURE)))
#define INLINE static inline __attribute__((always_inline, target(FEATURE)))

#define MAX_LANES 2

/* n blocks of 64 bytes on each of `lanes` streams; the count is a constant at every call. */
INLINE void
blocks(struct tg_sha256_lane *s, const unsigned lanes, size_t n)
{
	uint32x4_t a[MAX_LANES], e[MAX_LANES];
	const uint8_t *p[MAX_LANES];

#pragma GCC unroll 2
	for (unsigned w = 0; w < lanes; w++) {
		a[w] = vld1q_u32(s[w].h);
		e[w] = vld1q_u32(s[w].h + 4);
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
		vst1q_u32(s[w].h, a[w]);
		vst1q_u32(s[w].h + 4, e[w]);
		s[w].p = p[w];
	}
}

TARGET static void
blocks2(struct tg_sha256_lane *lane, size_t n)
{
	blocks(lane, 2, n);
}

TARGET static void
blocks1(struct tg_sha256_lane *lane, size_t n)
{
	blocks(lane, 1, n);
}

static bool
usable(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0;
}

const struct tg_leaf_kernel tg_leaf_armv8x2 = { "armv8 x2", 2, usable, blocks2 };
const struct tg_leaf_kernel tg_leaf_armv8x1 = { "armv8 x1", 1, usable, blocks1 };

#endif
