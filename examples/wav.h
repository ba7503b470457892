/* wav.h - a recording as samples at the rate of the model. Nothing of TensorGuard is in here. */
#ifndef HEAR_WAV_H
#define HEAR_WAV_H

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tensorguard/error.h>

#define RATE 16000 /* samples a second, what the model was trained on */
#define MAX_RATE 192000

struct sound {
	float *x; /* RATE samples a second, -1 ... 1 */
	size_t n;
};

/* What the library does for its own errors. */
static tg_status __attribute__((format(printf, 3, 4)))
fail(struct tg_error *err, tg_status s, const char *fmt, ...)
{
	va_list ap;

	err->status = s;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return s;
}

/* The little-endian number of n bytes at p. */
static uint32_t
le(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	while (n > 0)
		v = v << 8 | p[--n];
	return v;
}

/* The contents of a "fmt " chunk, of which we take one kind. */
static tg_status
wav_format(const uint8_t *p, size_t n, unsigned *ret_rate, struct tg_error *err)
{
	if (n < 16 || le(p, 2) != 1 || le(p + 2, 2) != 1 || le(p + 12, 2) != 2 ||
	    le(p + 14, 2) != 16)
		return fail(err, TG_E_UNSUPPORTED, "only 16-bit mono PCM, please");
	const uint32_t rate = le(p + 4, 4);
	if (rate == 0 || rate > MAX_RATE || rate % RATE != 0)
		return fail(err, TG_E_UNSUPPORTED,
		    "%u samples a second; 16000 or a multiple up to %d, please", rate, MAX_RATE);
	*ret_rate = rate;
	return TG_OK;
}

/* The samples of a RIFF file: one fmt chunk, then one data chunk, others passed over. */
static tg_status
wav_parse(const uint8_t *p, size_t n, const uint8_t **ret_pcm, size_t *ret_n, unsigned *ret_rate,
    struct tg_error *err)
{
	unsigned rate = 0;

	if (n < 12 || memcmp(p, "RIFF", 4) != 0 || memcmp(p + 8, "WAVE", 4) != 0)
		return fail(err, TG_E_FORMAT, "this is not a WAV file");
	if (le(p + 4, 4) > n - 8)
		return fail(err, TG_E_FORMAT, "the WAV file is cut short");
	for (size_t at = 12, size; n - at >= 8; at += 8 + size + size % 2) {
		const uint8_t *chunk = p + at;

		size = le(chunk + 4, 4);
		if (size > n - at - 8)
			return fail(err, TG_E_FORMAT, "the WAV file is cut short");
		if (memcmp(chunk, "fmt ", 4) == 0) {
			tg_status st = wav_format(chunk + 8, size, &rate, err);
			if (st != TG_OK)
				return st;
		} else if (memcmp(chunk, "data", 4) == 0) {
			if (rate == 0 || size == 0 || size % 2 != 0)
				return fail(err, TG_E_FORMAT, "the WAV file has no whole samples");
			*ret_pcm = chunk + 8;
			*ret_n = size / 2;
			*ret_rate = rate;
			return TG_OK;
		}
		if (size % 2 != 0 && at + 8 + size == n)
			break; /* the pad byte of a last chunk is often left out */
	}
	return fail(err, TG_E_FORMAT, "the WAV file has no samples");
}

/*
 * To RATE, one of every m samples. What lies above half of RATE would come back as sounds that
 * were never there, so it is filtered out first: a low-pass at 7.2 kHz, as a sinc under a Blackman
 * window, 24 output samples to either side.
 */
static void
decimate(const uint8_t *pcm, size_t n, size_t m, struct sound *out)
{
	static float taps[24 * (MAX_RATE / RATE) + 1]; /* one half; the other mirrors it */
	const size_t half = m > 1 ? 24 * m : 0;
	double sum = 0;

	for (size_t k = 0; k <= half; k++) {
		double t = (double)k, cut = 2 * M_PI * 7200 / (double)(RATE * m);
		double a = half != 0 ? M_PI * t / (double)(half + 1) : 0;
		double window = 0.42 + 0.5 * cos(a) + 0.08 * cos(2 * a);

		taps[k] = (float)(window * (k == 0 ? cut : sin(cut * t) / t));
		sum += (k == 0 ? 1 : 2) * (double)taps[k];
	}
	for (size_t i = 0; i < out->n; i++) {
		double v = 0;

		for (size_t k = 0; k <= 2 * half; k++) {
			size_t at = i * m + k; /* the sample's place plus half; zeros outside */

			if (at >= half && at - half < n)
				v += (double)taps[k < half ? half - k : k - half] *
				    (int16_t)le(pcm + 2 * (at - half), 2);
		}
		out->x[i] = (float)(v / sum / 32768);
	}
}

#endif
