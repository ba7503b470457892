/*
 * hear [--expect-words N] PACKAGE KEY TRUST WAV
 *
 * Opens a speech detection model (Silero VAD) out of a signed and encrypted package, straight into
 * protected memory, lets it listen to a recording, and draws what it heard. Uses nothing but the
 * public headers of libtensorguard; the numbered steps below are all that a program has to do.
 *
 *   PACKAGE  a .tgsp file with an .onnx model in it
 *   KEY      our private key: one the package was encrypted for
 *   TRUST    the public key of the author, or a folder of such keys
 *   WAV      16-bit mono, at 16 kHz or a multiple of it
 *
 * TG_ONNXRUNTIME in the environment names ONNX Runtime's library when the system has none.
 * Exit code: 0, or 1 when --expect-words found another number, or tg_status_exit_code().
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tensorguard/package.h>
#include <tensorguard/session.h>
#include <time.h>
#include <unistd.h>

#include "wav.h"

#define AUTO(fn) __attribute__((cleanup(fn)))
#define TRY(call)                      \
	do {                           \
		tg_status s_ = (call); \
		if (s_ != TG_OK)       \
			return s_;     \
	} while (0)

#define VERSION      "0.1.0" /* what a package's min_agent_version is compared with */
#define STEP         512     /* new samples per prediction: 32 ms */
#define CONTEXT      64      /* samples of the step before that the model sees again */
#define MAX_WAV_SIZE (64u << 20)

/* What the model made of a sound, a value per step. */
struct hearing {
	float *speech; /* probability */
	float *level;  /* peak of the samples, the loudest step being 1 */
	size_t n;
};

static void
freep(void *p)
{
	void *memory;

	memcpy(&memory, p, sizeof(memory)); /* p points to a pointer of any type */
	free(memory);
}

static void
closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static double
now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* ---- the package ---- */

/* The library reads through this, from any of its threads, so that no file is ever held whole. */
static tg_status
file_read_at(void *ctx, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	const int fd = *(const int *)ctx;

	for (size_t have = 0; have < n;) {
		ssize_t k = pread(fd, (char *)buf + have, n - have, (off_t)(offset + have));

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return fail(err, TG_E_IO, "read the package: %s",
			    k < 0 ? strerror(errno) : "the file became shorter");
		have += (size_t)k;
	}
	return TG_OK;
}

static tg_status
file_open(const char *path, int *ret_fd, struct tg_source *ret, struct tg_error *err)
{
	struct stat st = { 0 };

	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return fail(err, errno == ENOENT ? TG_E_NOTFOUND : TG_E_IO, "open '%s': %s", path,
		    strerror(errno));
	if (fstat(*ret_fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fail(err, TG_E_USAGE, "'%s' is not a file", path);
	*ret = (struct tg_source){ file_read_at, ret_fd, (uint64_t)st.st_size };
	return TG_OK;
}

/* Steps 1 to 3. *ret is closed by the caller, on failure too. */
static tg_status
package_open(const struct tg_source *src, const char *key_path, const char *trust_path,
    struct tg_package **ret, struct tg_error *err)
{
	AUTO(tg_trust_freep) struct tg_trust *trust = NULL;
	AUTO(tg_key_freep) struct tg_key *key = NULL;
	const struct tg_policy policy = { .now = (int64_t)time(NULL), .agent_version = VERSION };

	/* 1. Whose signature counts is our decision, never the package's. */
	TRY(tg_trust_new(&trust, err));
	TRY(tg_trust_add_path(trust, TG_TRUST_AUTHOR, trust_path, err));
	/* 2. Everything outside the encrypted part is verified here, before we believe any of it.
	 */
	TRY(tg_package_open(src, trust, ret, err));
	/* 3. Our private key opens it, if the package is for us and its policy allows us. */
	TRY(tg_key_load(key_path, NULL, &key, err));
	return tg_package_unlock(*ret, key, &policy, err);
}

static tg_status
model_find(const struct tg_package *p, size_t *ret, struct tg_error *err)
{
	for (size_t i = 0; i < tg_package_file_count(p); i++) {
		struct tg_package_file f = tg_package_file(p, i);
		size_t n = strlen(f.path);

		if ((f.format != NULL && strcmp(f.format, "onnx") == 0) ||
		    (n > 5 && strcmp(f.path + n - 5, ".onnx") == 0)) {
			*ret = i;
			return TG_OK;
		}
	}
	return fail(err, TG_E_NOTFOUND, "there is no .onnx model in the package");
}

/* Steps 4 to 6. */
static tg_status
model_load(const struct tg_package *p, struct tg_session **ret, struct tg_error *err)
{
	AUTO(tg_secret_freep) struct tg_secret *model = NULL;
	const struct tg_session_options options = { .threads = 1, /* it is a small model */
		.runtime_path = getenv("TG_ONNXRUNTIME") };
	size_t file = 0;
	double t0 = now_ms();

	/* 4. Decrypt into locked memory: nothing of it touches a disk. */
	TRY(model_find(p, &file, err));
	TRY(tg_package_load(p, file, 0, &model, err));
	double t1 = now_ms();
	/* 5. The runtime takes the model from there. */
	const tg_bytes bytes = { tg_secret_bytes(model), tg_secret_len(model) };
	TRY(tg_session_new("onnx", bytes, &options, ret, err));
	double t2 = now_ms();
	printf("%s %s: %s, %zu bytes, decrypted into %s memory in %.0f ms\n",
	    tg_package_model_name(p), tg_package_model_version(p), tg_package_file(p, file).path,
	    bytes.n, tg_secret_is_locked(model) ? "locked" : "protected (not locked)", t1 - t0);
	/* 6. Our copy has served: wipe it now. (On the failures above, AUTO has done so.) */
	tg_secret_free(model);
	model = NULL;
	printf("%s loaded it from there in %.0f ms; our copy is wiped\n", tg_session_runtime(*ret),
	    t2 - t1);
	return TG_OK;
}

/* ---- the recording ---- */

static tg_status
file_slurp(const char *path, uint8_t **ret, size_t *ret_n, struct tg_error *err)
{
	AUTO(closep) int fd = -1;
	struct tg_source src = { 0 };

	TRY(file_open(path, &fd, &src, err));
	if (src.size > MAX_WAV_SIZE)
		return fail(err, TG_E_LIMIT, "'%s' is larger than %u bytes", path, MAX_WAV_SIZE);
	*ret = malloc((size_t)src.size + 1);
	if (*ret == NULL)
		return fail(err, TG_E_NOMEM, "out of memory");
	*ret_n = (size_t)src.size;
	return src.read_at(src.ctx, *ret, *ret_n, 0, err);
}

static tg_status
sound_read(const char *path, struct sound *ret, struct tg_error *err)
{
	AUTO(freep) uint8_t *file = NULL;
	const uint8_t *pcm = NULL;
	size_t size = 0, n = 0;
	unsigned rate = RATE;

	TRY(file_slurp(path, &file, &size, err));
	TRY(wav_parse(file, size, &pcm, &n, &rate, err));
	const size_t m = rate / RATE;
	ret->n = (n + m - 1) / m;
	ret->x = calloc(ret->n, sizeof(ret->x[0]));
	if (ret->x == NULL)
		return fail(err, TG_E_NOMEM, "out of memory");
	decimate(pcm, n, m, ret);
	return TG_OK;
}

/* ---- listening ---- */

/* Step 7: frame after frame through the model, whose memory of what it heard is `state`. */
static tg_status
listen_to(struct tg_session *s, const struct sound *sound, struct hearing *h, struct tg_error *err)
{
	float frame[CONTEXT + STEP] = { 0 }, state[2 * 128] = { 0 };
	const int64_t rate = RATE;
	const struct tg_tensor_view in[] = {
		{ "input", "F32", 2, { 1, CONTEXT + STEP }, frame, sizeof(frame) },
		{ "state", "F32", 3, { 2, 1, 128 }, state, sizeof(state) },
		{ "sr", "I64", 0, { 0 }, &rate, sizeof(rate) },
	};
	struct tg_tensor_view out[2];
	float loudest = 1e-9f;

	for (size_t k = 0; k < h->n; k++) {
		memcpy(frame, frame + STEP, CONTEXT * sizeof(float));
		for (size_t i = 0; i < STEP; i++) {
			size_t at = k * STEP + i;

			frame[CONTEXT + i] = at < sound->n ? sound->x[at] : 0;
			h->level[k] = fmaxf(h->level[k], fabsf(frame[CONTEXT + i]));
		}
		TRY(tg_session_run(s, in, 3, out, 2, err));
		if (out[0].size != sizeof(float) || out[1].size != sizeof(state))
			return fail(err, TG_E_UNSUPPORTED, "this is not the Silero VAD model");
		memcpy(&h->speech[k], out[0].data, sizeof(float));
		memcpy(state, out[1].data, sizeof(state));
		loudest = fmaxf(loudest, h->level[k]);
	}
	for (size_t k = 0; k < h->n; k++)
		h->level[k] /= loudest;
	return TG_OK;
}

/*
 * The word that begins at *from or after it: from a probability of 0.5 until it stays below 0.35
 * for 3 steps (0.1 s); less than 3 steps of speech are a noise. False when there is no more.
 */
static bool
word_next(const struct hearing *h, size_t *from, size_t *ret_begin, size_t *ret_end)
{
	for (size_t k = *from; k < h->n; k++) {
		size_t begin = k, quiet = 0;

		if (h->speech[k] < 0.5f)
			continue;
		for (; k < h->n && quiet < 3; k++)
			quiet = h->speech[k] < 0.35f ? quiet + 1 : 0;
		if (k - quiet - begin < 3)
			continue;
		*ret_begin = begin;
		*ret_end = k - quiet;
		*from = k;
		return true;
	}
	return false;
}

/* ---- drawing ---- */

#define COLUMNS 72

/* Bars of up to `rows` characters; a column shows the highest of its `per` values. */
static void
draw_bars(const char *title, const float *v, size_t n, size_t per, int rows, bool utf8)
{
	static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const ascii[] = { " ", ".", ".", ".", ":", ":", ":", "#", "#" };

	for (int row = rows - 1; row >= 0; row--) {
		printf("%11s %s", row == rows - 1 ? title : "", utf8 ? "│" : "|");
		for (size_t at = 0; at < n; at += per) {
			float high = 0;

			for (size_t i = at; i < n && i < at + per; i++)
				high = fmaxf(high, v[i]);
			float eighths = roundf(high * 8 * (float)rows) - 8 * (float)row;
			int cell = (int)fmaxf(0, fminf(8, eighths));
			fputs(utf8 ? blocks[cell] : ascii[cell], stdout);
		}
		putchar('\n');
	}
}

/* Under the bars: the numbers of the words, and the time. Returns how many words there are. */
static unsigned
draw_words(const struct hearing *h, size_t per)
{
	const double step = (double)STEP / RATE;
	char line[COLUMNS + 1];
	size_t from = 0, begin = 0, end = 0;
	unsigned n = 0;

	memset(line, ' ', sizeof(line));
	while (word_next(h, &from, &begin, &end))
		for (n++, from = end; begin < end; begin++)
			line[begin / per] = (char)('0' + n % 10);
	printf("%11s  %.*s\n%13s", "word", (int)((h->n + per - 1) / per), line, "seconds  ");
	for (size_t at = 0; at < h->n; at += 10 * per)
		printf("%-10.2f", (double)at * step);
	putchar('\n');
	from = n = 0;
	while (word_next(h, &from, &begin, &end))
		printf("word %u: %.2f s - %.2f s\n", ++n, (double)begin * step, (double)end * step);
	return n;
}

static tg_status
hear(struct tg_session *s, const char *path, unsigned *ret_words, struct tg_error *err)
{
	AUTO(freep) float *x = NULL, *speech = NULL, *level = NULL;
	struct sound sound = { 0 };
	tg_status st = sound_read(path, &sound, err);

	x = sound.x; /* from here on it is released on every way out */
	TRY(st);
	const size_t n = (sound.n + STEP - 1) / STEP, per = (n + COLUMNS - 1) / COLUMNS;
	speech = calloc(n, sizeof(float));
	level = calloc(n, sizeof(float));
	if (speech == NULL || level == NULL)
		return fail(err, TG_E_NOMEM, "out of memory");
	struct hearing h = { speech, level, n };
	double t0 = now_ms();
	TRY(listen_to(s, &sound, &h, err));
	printf("%s: %.2f s heard in %zu frames of 32 ms, %.2f ms each\n\n", path,
	    (double)sound.n / RATE, n, (now_ms() - t0) / (double)n);
	const bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	draw_bars("speech", h.speech, n, per, 8, utf8);
	draw_bars("loudness", h.level, n, per, 2, utf8);
	*ret_words = draw_words(&h, per);
	return TG_OK;
}

static tg_status
run(char **args, unsigned *ret_words, struct tg_error *err)
{
	AUTO(closep) int fd = -1;
	AUTO(tg_package_closep) struct tg_package *package = NULL;
	AUTO(tg_session_freep) struct tg_session *session = NULL;
	struct tg_source src = { 0 };

	TRY(file_open(args[0], &fd, &src, err));
	TRY(package_open(&src, args[1], args[2], &package, err));
	TRY(model_load(package, &session, err));
	return hear(session, args[3], ret_words, err);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "expect-words", required_argument, NULL, 'e' },
		{ 0 } };
	struct tg_error err = TG_ERROR_INIT;
	unsigned words = 0;
	bool good = true;
	long expect = -1;
	char *end = NULL;

	(void)setlocale(LC_CTYPE, "");
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		expect = c == 'e' ? strtol(optarg, &end, 10) : -1;
		good = good && expect >= 0 && *optarg != '\0' && *end == '\0';
	}
	if (!good || argc - optind != 4) {
		fputs("usage: hear [--expect-words N] PACKAGE KEY TRUST WAV\n", stderr);
		return tg_status_exit_code(TG_E_USAGE);
	}
	tg_status s = run(argv + optind, &words, &err);
	if (s != TG_OK) {
		fprintf(stderr, "hear: %s (%s)\n", err.text, tg_status_name(s));
		return tg_status_exit_code(s);
	}
	if (expect >= 0 && words != (unsigned long)expect) {
		fprintf(stderr, "hear: %u words found, %ld expected\n", words, expect);
		return 1;
	}
	return 0;
}
