#include "json/plain.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

size_t
tg_json_plain_run_slow(tg_bytes s, bool *ascii)
{
	size_t n = 0;

	for (; n < s.n && s.p[n] != '"' && s.p[n] != '\\' && s.p[n] >= 0x20; n++)
		if (s.p[n] >= 0x7f)
			*ascii = false;
	return n;
}

#if defined(__x86_64__)

size_t
tg_json_plain_run(tg_bytes s, bool *ascii)
{
	const __m128i quote = _mm_set1_epi8('"'), escape = _mm_set1_epi8('\\');
	const __m128i last_control = _mm_set1_epi8(0x1f), del = _mm_set1_epi8(0x7f);
	size_t n = 0;

	for (; s.n - n >= 16; n += 16) {
		const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.p + n));
		/* unsigned v <= 0x1f, which SSE2 has no comparison for: min(v, 0x1f) == v */
		const __m128i stop = _mm_or_si128(
		    _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, escape)),
		    _mm_cmpeq_epi8(_mm_min_epu8(v, last_control), v));
		const unsigned stops = (unsigned)_mm_movemask_epi8(stop);
		unsigned high = (unsigned)_mm_movemask_epi8(_mm_or_si128(v, _mm_cmpeq_epi8(v, del)));

		if (stops != 0) {
			const unsigned at = (unsigned)__builtin_ctz(stops);

			high &= (1u << at) - 1;
			*ascii = *ascii && high == 0;
			return n + at;
		}
		*ascii = *ascii && high == 0;
	}
	return n + tg_json_plain_run_slow((tg_bytes){ s.p + n, s.n - n }, ascii);
}

#elif defined(__aarch64__)

size_t
tg_json_plain_run(tg_bytes s, bool *ascii)
{
	size_t n = 0;

	for (; s.n - n >= 16; n += 16) {
		const uint8x16_t v = vld1q_u8(s.p + n);
		const uint8x16_t stop = vorrq_u8(
		    vorrq_u8(vceqq_u8(v, vdupq_n_u8('"')), vceqq_u8(v, vdupq_n_u8('\\'))),
		    vcltq_u8(v, vdupq_n_u8(0x20)));

		if (vmaxvq_u8(stop) != 0)
			break; /* where, the loop below finds */
		*ascii = *ascii && vmaxvq_u8(v) < 0x7f;
	}
	return n + tg_json_plain_run_slow((tg_bytes){ s.p + n, s.n - n }, ascii);
}

#else

size_t
tg_json_plain_run(tg_bytes s, bool *ascii)
{
	return tg_json_plain_run_slow(s, ascii);
}

#endif
