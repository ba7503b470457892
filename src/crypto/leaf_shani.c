/*
 * Leaf hashing with the x86 SHA extensions, 1, 2 or 4 chunks side by side: sha256rnds2 has a
 * latency of four cycles and every round needs the one before, so one stream leaves the unit idle
 * most of the time, while independent chunks fill it. VEX encoding (avx2) matters as much: with
 * the two-operand SSE forms the register copies eat the gain. FIPS 180-4; chunks of >= 64 bytes.
 */
#include "crypto/leaf.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "crypto/sha256_k.h"

#define TARGET __attribute__((target("sha,avx2")))
#define INLINE static inline __attribute__((always_inline, target("sha,avx2")))

/* The state in the order the instructions want it: A B E F and C D G H. */
struct lane {
	__m128i abef, cdgh;
	const uint8_t *p;
};

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
blocks(struct lane *s, const unsigned lanes, size_t n)
{
	const __m128i order = byte_order();
	__m128i a[TG_LEAF_MAX_LANES], c[TG_LEAF_MAX_LANES];
	const uint8_t *p[TG_LEAF_MAX_LANES];

#pragma GCC unroll 4
	for (unsigned w = 0; w < lanes; w++) {
		a[w] = s[w].abef;
		c[w] = s[w].cdgh;
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
		s[w].abef = a[w];
		s[w].cdgh = c[w];
		s[w].p = p[w];
	}
}

INLINE void
start(struct lane *s)
{
	s->abef = _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c);
	s->cdgh = _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19);
}

INLINE void
finish(const struct lane *s, uint8_t out[static 32])
{
	const __m128i order = byte_order();
	/* words, low to high: F E B A and H G D C */
	const __m128i ab = _mm_unpackhi_epi64(s->abef, s->cdgh); /* B A D C */
	const __m128i ef = _mm_unpacklo_epi64(s->abef, s->cdgh); /* F E H G */

	_mm_storeu_si128((__m128i *)out, _mm_shuffle_epi8(_mm_shuffle_epi32(ab, 0xb1), order));
	_mm_storeu_si128((__m128i *)(out + 16), _mm_shuffle_epi8(_mm_shuffle_epi32(ef, 0xb1), order));
}

/*
 * The prefix byte shifts the chunk by one: the first block is 00 and 63 bytes of chunk, then the
 * chunk is read in place from byte 63 on, and the rest, the tag and the padding make the last
 * one or two blocks.
 */
INLINE void
leaves(struct tg_leaf *leaf, const unsigned lanes, size_t len)
{
	struct lane s[TG_LEAF_MAX_LANES];
	uint8_t first[TG_LEAF_MAX_LANES][64], last[TG_LEAF_MAX_LANES][128] = { { 0 } };
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
	struct lane s[TG_LEAF_MAX_LANES];
	uint8_t block[TG_LEAF_MAX_LANES][128] = { { 0 } };

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
nodes4(const uint8_t *pairs, uint8_t *out, struct tg_error *err)
{
	(void)err;
	tree_nodes(pairs, out, 4);
	return TG_OK;
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
hash4(struct tg_leaf *leaf, size_t len, struct tg_error *err)
{
	(void)err;
	leaves(leaf, 4, len);
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

/* CPUID leaf 7, EBX bit 29: older compilers' __builtin_cpu_supports does not know "sha". */
static bool
usable(void)
{
	uint32_t a = 7, b = 0, c = 0, d = 0;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return (b >> 29 & 1) != 0 && __builtin_cpu_supports("avx2");
}

const struct tg_leaf_kernel tg_leaf_shani4 = { "sha-ni x4", 4, usable, hash4, nodes4 };
const struct tg_leaf_kernel tg_leaf_shani2 = { "sha-ni x2", 2, usable, hash2, nodes2 };
const struct tg_leaf_kernel tg_leaf_shani1 = { "sha-ni x1", 1, usable, hash1, nodes1 };

#endif
