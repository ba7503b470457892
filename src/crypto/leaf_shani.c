/*
 * Leaf hashing with the x86 SHA extensions, 1, 2 or 4 chunks side by side: sha256rnds2 has a
 * latency of four cycles and every round needs the one before, so one stream leaves the unit idle
 * most of the time, while independent chunks fill it. VEX encoding (avx2) matters as much: with
 * the two-operand SSE forms the register copies eat the gain. FIPS 180-4.
 */
#include "crypto/leaf.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "crypto/sha256_k.h"

#define TARGET __attribute__((target("sha,avx2")))
#define INLINE static inline __attribute__((always_inline, target("sha,avx2")))

INLINE __m128i
byte_order(void)
{
	return _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
}

INLINE __m128i
load(const void *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

/* n blocks of 64 bytes on each of `lanes` streams; the count is a constant at every call. */
INLINE void
blocks(struct tg_sha256_lane *s, const unsigned lanes, size_t n)
{
	const __m128i order = byte_order();
	__m128i a[TG_LEAF_MAX_LANES], c[TG_LEAF_MAX_LANES];
	const uint8_t *p[TG_LEAF_MAX_LANES];

#pragma GCC unroll 4
	for (unsigned w = 0; w < lanes; w++) {
		/* from A B C D, E F G H to the order the instructions want: A B E F and C D G H */
		const __m128i cdab = _mm_shuffle_epi32(load(s[w].h), 0xb1);
		const __m128i efgh = _mm_shuffle_epi32(load(s[w].h + 4), 0x1b);

		a[w] = _mm_alignr_epi8(cdab, efgh, 8);
		c[w] = _mm_blend_epi16(efgh, cdab, 0xf0);
		p[w] = s[w].p;
	}
	for (; n > 0; n--) {
		__m128i a0[TG_LEAF_MAX_LANES], c0[TG_LEAF_MAX_LANES], m[TG_LEAF_MAX_LANES][4];

#pragma GCC unroll 4
		for (unsigned w = 0; w < lanes; w++) {
			a0[w] = a[w];
			c0[w] = c[w];
		}
#pragma GCC unroll 16
		for (unsigned r = 0; r < 16; r++) {
			const __m128i k = _mm_load_si128((const __m128i *)(tg_sha256_k + 4 * r));

#pragma GCC unroll 4
			for (unsigned w = 0; w < lanes; w++) {
				__m128i *x = m[w];

				if (r < 4) {
					x[r] = _mm_shuffle_epi8(load(p[w] + 16 * r), order);
				} else {
					__m128i t = _mm_sha256msg1_epu32(x[r & 3], x[(r + 1) & 3]);

					t = _mm_add_epi32(t,
					    _mm_alignr_epi8(x[(r + 3) & 3], x[(r + 2) & 3], 4));
					x[r & 3] = _mm_sha256msg2_epu32(t, x[(r + 3) & 3]);
				}
				__m128i wk = _mm_add_epi32(x[r & 3], k);
				c[w] = _mm_sha256rnds2_epu32(c[w], a[w], wk);
				wk = _mm_shuffle_epi32(wk, 0x0e);
				a[w] = _mm_sha256rnds2_epu32(a[w], c[w], wk);
			}
		}
#pragma GCC unroll 4
		for (unsigned w = 0; w < lanes; w++) {
			a[w] = _mm_add_epi32(a[w], a0[w]);
			c[w] = _mm_add_epi32(c[w], c0[w]);
			p[w] += 64;
		}
	}
#pragma GCC unroll 4
	for (unsigned w = 0; w < lanes; w++) {
		const __m128i feba = _mm_shuffle_epi32(a[w], 0x1b);
		const __m128i dchg = _mm_shuffle_epi32(c[w], 0xb1);

		_mm_storeu_si128((__m128i *)s[w].h, _mm_blend_epi16(feba, dchg, 0xf0));
		_mm_storeu_si128((__m128i *)(s[w].h + 4), _mm_alignr_epi8(dchg, feba, 8));
		s[w].p = p[w];
	}
}

TARGET static void
blocks4(struct tg_sha256_lane *lane, size_t n)
{
	blocks(lane, 4, n);
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

/* CPUID leaf 7, EBX bit 29: older compilers' __builtin_cpu_supports does not know "sha". */
static bool
usable(void)
{
	uint32_t a = 7, b = 0, c = 0, d = 0;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return (b >> 29 & 1) != 0 && __builtin_cpu_supports("avx2");
}

const struct tg_leaf_kernel tg_leaf_shani4 = { "sha-ni x4", 4, usable, blocks4 };
const struct tg_leaf_kernel tg_leaf_shani2 = { "sha-ni x2", 2, usable, blocks2 };
const struct tg_leaf_kernel tg_leaf_shani1 = { "sha-ni x1", 1, usable, blocks1 };

#endif
