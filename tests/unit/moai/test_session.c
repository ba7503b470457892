#include <tensorguard/session.h>

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tap.h"
#include "direct.h"
#include "onnx_make.h"
#include "util/buf.h"
#include "util/file.h"
#include "util/try.h"

static char library[PATH_MAX]; /* absolute path of ONNX Runtime; empty: none here */
static struct tg_buf silero;   /* the plain model file; empty: none here */

static tg_status
open_bytes(tg_bytes model, struct tg_session **ret, struct tg_error *err)
{
	const struct tg_session_options o = { .threads = 1, .runtime_path = library };

	return tg_session_new("onnx", model, &o, ret, err);
}

static tg_status
open_made(const struct pb *model, struct tg_session **ret, struct tg_error *err)
{
	return open_bytes(pb_view(model), ret, err);
}

/* ---- what needs no runtime ---- */

static void
options_are_checked(void)
{
	struct tg_session_options o = { .threads = 65 };
	struct tg_session *s = NULL;
	struct pb m = { .n = 0 };

	make_add(&m, NULL);
	OK_STATUS(tg_session_new("gguf", pb_view(&m), NULL, &s, NULL), TG_E_UNSUPPORTED);
	OK_STATUS(tg_session_new("", pb_view(&m), NULL, &s, NULL), TG_E_UNSUPPORTED);
	OK_STATUS(tg_session_new("onnx", pb_view(&m), &o, &s, NULL), TG_E_USAGE);
	OK(s == NULL);
	tg_session_free(NULL);
}

#ifndef TG_WITH_ONNXRUNTIME

static void
without_a_runtime_the_error_says_what_to_do(void)
{
	struct tg_error err = TG_ERROR_INIT;
	struct tg_session *s = NULL;
	struct pb m = { .n = 0 };

	make_add(&m, NULL);
	OK_STATUS(tg_session_new("onnx", pb_view(&m), NULL, &s, &err), TG_E_UNSUPPORTED);
	OK(strstr(err.text, "scripts/setup") != NULL);
	OK(s == NULL);
}

#else

#include <dlfcn.h>
#include <onnxruntime_c_api.h>

static void
libraries_that_are_not_there(void)
{
	static const struct {
		const char *path;
		tg_status want;
	} rows[] = {
		{ "/nonexistent/libonnxruntime.so", TG_E_UNSUPPORTED },
		{ "libonnxruntime-of-nowhere.so", TG_E_UNSUPPORTED },
		{ "libm.so.6", TG_E_UNSUPPORTED }, /* a library, but not this one */
		{ "/etc/passwd", TG_E_UNSUPPORTED }, { "./libonnxruntime.so", TG_E_USAGE },
		{ ".deps/ort/lib/libonnxruntime.so", TG_E_USAGE },
		{ "", TG_E_USAGE }, /* dlopen("") would be this very program */
	};
	struct tg_session *s = NULL;
	struct pb m = { .n = 0 };

	make_add(&m, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tg_session_options o = { .runtime_path = rows[i].path };
		struct tg_error err = TG_ERROR_INIT;

		OK_STATUS(tg_session_new("onnx", pb_view(&m), &o, &s, &err), rows[i].want);
		OK(s == NULL && err.text[0] != '\0' && strchr(err.text, '\n') == NULL);
	}
}

/* ---- models that must not load ---- */

static bool
printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

/* Is it refused with this status, in one printable line? */
static void
refused(const struct pb *m, tg_status want)
{
	struct tg_error err = TG_ERROR_INIT;
	struct tg_session *s = NULL;

	OK_STATUS(open_made(m, &s, &err), want);
	OK(s == NULL && printable(err.text) && err.text[0] != '\0');
	printf("# %s\n", err.text);
}

static void
garbage_does_not_load(void)
{
	struct pb m = { .n = 0 };
	uint32_t x = 1;

	refused(&m, TG_E_FORMAT); /* nothing at all is a valid protobuf message */
	for (m.n = 0; m.n < sizeof(m.b); m.n++) {
		x = x * 1664525 + 1013904223;
		m.b[m.n] = (uint8_t)(x >> 24);
	}
	refused(&m, TG_E_FORMAT);
	m.n = 0;
	pb_text(&m, 7, ""); /* a graph without anything in it */
	refused(&m, TG_E_FORMAT);
	/* ONNX Runtime's own flatbuffer format is told by these bytes; it is not "onnx". */
	m.n = 0;
	pb_raw(&m,
	    "\x12\x06ORTM\x1b\x5b"
	    "2J\n",
	    11);
	refused(&m, TG_E_FORMAT);
}

static void
models_out_of_bounds_do_not_load(void)
{
	static const int64_t dims[9] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	struct pb m = { .n = 0 }, graph = { .n = 0 }, node = { .n = 0 }, out = { .n = 0 };
	char name[16];

	make_identity(&m, 8, 1, dims);
	refused(&m, TG_E_UNSUPPORTED); /* strings */
	m.n = 0;
	make_identity(&m, 1, 9, dims);
	refused(&m, TG_E_LIMIT); /* rank 9 */

	for (int i = 0; i < 65; i++) { /* 65 inputs */
		struct pb in = { .n = 0 };

		(void)snprintf(name, sizeof(name), "x%d", i);
		make_value(&in, name, 1, 1, dims);
		pb_message(&graph, 11, &in);
	}
	make_node(&node, "Identity", "x0", NULL, "y");
	make_value(&out, "y", 1, 1, dims);
	pb_message(&graph, 1, &node);
	pb_message(&graph, 12, &out);
	pb_text(&graph, 2, "g");
	m.n = 0;
	make_model(&m, &graph);
	refused(&m, TG_E_LIMIT);
}

static void
odd_models_do_not_load(void)
{
	static const int64_t dims[1] = { 1 };
	struct pb m = { .n = 0 }, graph = { .n = 0 }, node = { .n = 0 }, in = { .n = 0 };
	struct pb out = { .n = 0 };

	/* Names of tensors stand in messages, so they may not steer a terminal. */
	make_node(&node, "Identity", "\x1b[2J", NULL, "y");
	make_value(&in, "\x1b[2J", 1, 1, dims);
	make_value(&out, "y", 1, 1, dims);
	pb_message(&graph, 1, &node);
	pb_text(&graph, 2, "g");
	pb_message(&graph, 11, &in);
	pb_message(&graph, 12, &out);
	make_model(&m, &graph);
	refused(&m, TG_E_FORMAT);
	/* An operator that does not exist, with a terminal's control sequence for a name. */
	m.n = graph.n = node.n = in.n = 0;
	make_node(&node, "\x1b[31mNone\xff\n", "x", NULL, "y");
	make_value(&in, "x", 1, 1, dims);
	pb_message(&graph, 1, &node);
	pb_text(&graph, 2, "g");
	pb_message(&graph, 11, &in);
	pb_message(&graph, 12, &out);
	make_model(&m, &graph);
	refused(&m, TG_E_FORMAT);
	/* SequenceConstruct gives a sequence, which is no tensor. */
	struct pb seq_tensor = { .n = 0 }, elem = { .n = 0 }, seq = { .n = 0 }, holder = { .n = 0 };
	m.n = graph.n = node.n = out.n = 0;
	make_node(&node, "SequenceConstruct", "x", NULL, "y");
	pb_varint(&seq_tensor, 1, 1);
	pb_message(&elem, 1, &seq_tensor);
	pb_message(&seq, 1, &elem);
	pb_message(&holder, 4, &seq);
	pb_text(&out, 1, "y");
	pb_message(&out, 2, &holder);
	pb_message(&graph, 1, &node);
	pb_text(&graph, 2, "g");
	pb_message(&graph, 11, &in);
	pb_message(&graph, 12, &out);
	make_model(&m, &graph);
	refused(&m, TG_E_UNSUPPORTED);
}

/* The weights' file is there, in the working directory, and must not be looked at. */
static void
external_weights_are_not_followed(void)
{
	static const float w[4] = { 1, 2, 3, 4 };
	char dir[] = "/tmp/tg-test-session-XXXXXX", path[64], back[PATH_MAX];
	struct pb m = { .n = 0 };

	OK(mkdtemp(dir) != NULL && getcwd(back, sizeof(back)) != NULL && chdir(dir) == 0);
	int fd = open("w.bin", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	OK(fd >= 0 && write(fd, w, sizeof(w)) == (ssize_t)sizeof(w) && close(fd) == 0);
	make_add(&m, "w.bin");
	refused(&m, TG_E_UNSUPPORTED);
	(void)snprintf(path, sizeof(path), "%s/w.bin", dir);
	m.n = 0;
	make_add(&m, path);
	refused(&m, TG_E_UNSUPPORTED);
	m.n = 0;
	make_add(&m, "*/_ORT_MEM_ADDR_/*"); /* an address, to newer runtimes */
	refused(&m, TG_E_UNSUPPORTED);
	OK(unlink("w.bin") == 0 && chdir(back) == 0 && rmdir(dir) == 0);
}

static void
truncated_models_do_not_load(void)
{
	unsigned long wrong = 0, n = 0;
	struct tg_session *s = NULL;

	if (silero.n == 0) {
		SKIP("no " MODEL);
		return;
	}
	for (size_t len = 0; len < silero.n; len += len < 64 ? 1 : silero.n / 50, n++)
		wrong +=
		    open_bytes((tg_bytes){ silero.p, len }, &s, NULL) != TG_E_FORMAT || s != NULL;
	wrong += open_bytes((tg_bytes){ silero.p, silero.n - 1 }, &s, NULL) != TG_E_FORMAT;
	OK_NONE(wrong, n + 1, "truncated models");
}

/* Any answer is right as long as there is one: a session, or a reason. */
static void
damaged_models_do_no_harm(void)
{
	unsigned long wrong = 0, n = 0;

	if (silero.n == 0) {
		SKIP("no " MODEL);
		return;
	}
	for (size_t at = 3; at < silero.n; at += silero.n / 16, n++) {
		struct tg_error err = TG_ERROR_INIT;
		struct tg_session *s = NULL;

		silero.p[at] ^= 0x55;
		tg_status st = open_bytes(tg_buf_view(&silero), &s, &err);
		silero.p[at] ^= 0x55;
		wrong += (st == TG_OK) != (s != NULL) || (st != TG_OK && !printable(err.text));
		tg_session_free(s);
	}
	OK_NONE(wrong, n, "damaged models without an answer");
}

/* Neither the runtime nor we: stderr stays empty while all of the above fails once more. */
static void
nothing_is_printed(void)
{
	char path[] = "/tmp/tg-test-session-XXXXXX";
	int saved = dup(STDERR_FILENO), fd = mkstemp(path);
	struct tg_session *s = NULL;
	struct pb m = { .n = 0 };
	struct stat st = { 0 };

	OK(saved >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	tg_status first = open_made(&m, &s, NULL);
	make_node(&m, "None", "x", NULL, "y");
	tg_status second = open_made(&m, &s, NULL);
	OK(dup2(saved, STDERR_FILENO) >= 0 && close(saved) == 0);
	OK(first == TG_E_FORMAT && second == TG_E_FORMAT);
	OK(fstat(fd, &st) == 0 && st.st_size == 0);
	OK(close(fd) == 0 && unlink(path) == 0);
}

/* ---- small models that do ---- */

static void
every_dtype_goes_in_and_out(void)
{
	static const struct {
		const char *dtype;
		unsigned onnx;
		size_t width;
	} rows[] = { { "F32", 1, 4 }, { "U8", 2, 1 }, { "I8", 3, 1 }, { "U16", 4, 2 },
		{ "I16", 5, 2 }, { "I32", 6, 4 }, { "I64", 7, 8 }, { "BOOL", 9, 1 },
		{ "F16", 10, 2 }, { "F64", 11, 8 }, { "U32", 12, 4 }, { "U64", 13, 8 },
		{ "BF16", 16, 2 } };
	static const int64_t dims[2] = { -1, 2 };
	uint64_t data[6];

	memset(data, 1, sizeof(data));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pb m = { .n = 0 };
		TG_AUTO(tg_session_freep) struct tg_session *s = NULL;
		struct tg_tensor_view out = { 0 };
		struct tg_tensor_view in = { "x", rows[i].dtype, 2, { 3, 2 }, data,
			6 * rows[i].width };

		make_identity(&m, rows[i].onnx, 2, dims);
		OK_STATUS(open_made(&m, &s, NULL), TG_OK);
		if (s == NULL)
			continue;
		OK(strcmp(tg_session_input(s, 0).dtype, rows[i].dtype) == 0);
		OK(tg_session_input(s, 0).shape[0] == -1 && tg_session_input(s, 0).shape[1] == 2);
		OK_STATUS(tg_session_run(s, &in, 1, &out, 1, NULL), TG_OK);
		OK(strcmp(out.name, "y") == 0 && strcmp(out.dtype, rows[i].dtype) == 0);
		OK(out.size == in.size && memcmp(out.data, data, in.size) == 0);
		in.shape[0] = 0; /* nothing is also a number of rows */
		in.size = 0;
		in.data = NULL;
		OK_STATUS(tg_session_run(s, &in, 1, &out, 1, NULL), TG_OK);
		OK(out.rank == 2 && out.shape[0] == 0 && out.size == 0);
	}
}

static void
an_open_shape_takes_any_rank(void)
{
	struct pb m = { .n = 0 };
	TG_AUTO(tg_session_freep) struct tg_session *s = NULL;
	const float data[4] = { 1, 2, 3, 4 };
	struct tg_tensor_view out = { 0 };
	struct tg_tensor_view in = { "x", "F32", 0, { 0 }, data, 4 };

	make_identity(&m, 1, -1, NULL);
	OK_STATUS(open_made(&m, &s, NULL), TG_OK);
	if (s == NULL)
		return;
	OK(tg_session_input(s, 0).rank == 0);
	OK_STATUS(tg_session_run(s, &in, 1, &out, 1, NULL), TG_OK);
	OK(out.rank == 0 && out.size == 4);
	in = (struct tg_tensor_view){ "x", "F32", 2, { 2, 2 }, data, 16 };
	OK_STATUS(tg_session_run(s, &in, 1, &out, 1, NULL), TG_OK);
	OK(out.rank == 2 && out.size == 16 && memcmp(out.data, data, 16) == 0);
	in.shape[1] = -2;
	OK_STATUS(tg_session_run(s, &in, 1, &out, 1, NULL), TG_E_USAGE);
}

/* The model's bytes are gone after loading; the runtime fails inside the model, not before. */
static void
a_run_that_fails_leaves_the_session_usable(void)
{
	static const int64_t any[1] = { -1 };
	struct pb m = { .n = 0 }, graph = { .n = 0 }, node = { .n = 0 }, a = { .n = 0 },
		  b = { .n = 0 }, y = { .n = 0 };
	TG_AUTO(tg_session_freep) struct tg_session *s = NULL;
	const float data[4] = { 1, 2, 3, 4 };
	struct tg_error err = TG_ERROR_INIT;
	struct tg_tensor_view out = { .name = "untouched" };
	struct tg_tensor_view in[2] = { { "b", "F32", 1, { 3 }, data, 12 },
		{ "a", "F32", 1, { 2 }, data, 8 } };

	make_node(&node, "Add", "a", "b", "y");
	make_value(&a, "a", 1, 1, any);
	make_value(&b, "b", 1, 1, any);
	make_value(&y, "y", 1, 1, any);
	pb_message(&graph, 1, &node);
	pb_text(&graph, 2, "g");
	pb_message(&graph, 11, &a);
	pb_message(&graph, 11, &b);
	pb_message(&graph, 12, &y);
	make_model(&m, &graph);
	OK_STATUS(open_made(&m, &s, NULL), TG_OK);
	if (s == NULL)
		return;
	memset(&m, 0xff, sizeof(m));
	OK_STATUS(tg_session_run(s, in, 2, &out, 1, &err), TG_E_USAGE); /* 2 + 3 do not broadcast */
	OK(printable(err.text) && strcmp(out.name, "untouched") == 0 && out.data == NULL);
	printf("# %s\n", err.text);
	in[1] = (struct tg_tensor_view){ "a", "F32", 1, { 3 }, data, 12 };
	OK_STATUS(tg_session_run(s, in, 2, &out, 1, &err), TG_OK);
	OK(out.size == 12 && ((const float *)out.data)[2] == 6);
}

static void *
churn(void *arg)
{
	unsigned long *failed = arg;
	struct pb m = { .n = 0 };

	make_add(&m, NULL);
	for (int i = 0; i < 40; i++) {
		struct tg_session *s = NULL;

		*failed += open_made(&m, &s, NULL) != TG_OK;
		tg_session_free(s);
	}
	return NULL;
}

/* The runtime keeps one environment for all; it must not matter who is first and last. */
static void
sessions_come_and_go_on_several_threads(void)
{
	unsigned long failed[4] = { 0 };
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, churn, &failed[i]) != 0)
			abort();
	for (int i = 0; i < 4; i++)
		(void)pthread_join(t[i], NULL);
	OK_NONE(failed[0] + failed[1] + failed[2] + failed[3], 160, "sessions made on 4 threads");
}

/* ---- the real model ---- */

static void
frame_init(struct frame *f, struct tg_tensor_view in[3])
{
	memset(f, 0, sizeof(*f));
	f->rate = 16000;
	in[0] = (struct tg_tensor_view){ "sr", "I64", 0, { 0 }, &f->rate, 8 };
	in[1] = (struct tg_tensor_view){ "input", "F32", 2, { 1, WINDOW }, f->x, sizeof(f->x) };
	in[2] =
	    (struct tg_tensor_view){ "state", "F32", 3, { 2, 1, 128 }, f->state, sizeof(f->state) };
}

static void
wrong_inputs_are_named(void)
{
	TG_AUTO(tg_session_freep) struct tg_session *s = NULL;
	struct tg_tensor_view in[4], out[2] = { { .name = "untouched" }, { 0 } };
	struct tg_error err = TG_ERROR_INIT;
	static struct frame f;

	if (silero.n == 0) {
		SKIP("no " MODEL);
		return;
	}
	OK_STATUS(open_bytes(tg_buf_view(&silero), &s, &err), TG_OK);
	if (s == NULL)
		return;
	OK(strncmp(tg_session_runtime(s), "ONNX Runtime 1.", 15) == 0);
	OK(tg_session_input_count(s) == 3 && tg_session_output_count(s) == 2);
	OK(tg_session_input(s, 3).name == NULL && tg_session_output(s, 2).name == NULL);

/* One input made wrong, which must be refused with these words; then right again. */
#define WRONG(change, words)                                                   \
	do {                                                                   \
		frame_init(&f, in);                                            \
		size_t n = 3;                                                  \
		change;                                                        \
		OK_STATUS(tg_session_run(s, in, n, out, 2, &err), TG_E_USAGE); \
		OK(strstr(err.text, words) != NULL);                           \
		printf("# %s\n", err.text);                                    \
	} while (0)
	WRONG(in[0].name = "srx", "takes 'input', 'state', 'sr'");
	WRONG(in[0].name = NULL, "input number 0");
	WRONG(in[0].dtype = "I32", "'sr': the model takes I64");
	WRONG(in[0].dtype = NULL, "'sr': the model takes I64");
	WRONG(in[2].rank = 2, "[2, ?, 128]");
	WRONG(in[2].shape[2] = 127, "[2, 1, 127]");
	WRONG(in[2].shape[1] = -1, "[2, -1, 128] was given");
	WRONG(in[1].rank = 9, "rank 9");
	WRONG(in[1].size -= 4, "'input': 2300 bytes");
	WRONG(in[1].size = 0, "'input': 0 bytes");
	WRONG(in[1].data = NULL, "'input': no data");
	WRONG(in[1].data = (const char *)f.x + 1, "aligned");
	WRONG(in[1].shape[0] = INT64_MAX / 2, "bytes");
	WRONG((in[1].shape[0] = INT64_MAX, in[1].shape[1] = INT64_MAX), "bytes");
	WRONG(n = 2, "'state' is missing");
	WRONG(n = 0, "missing");
	WRONG((in[3] = in[0], n = 4), "'sr' is given twice");
	WRONG(in[2] = in[1], "'input' is given twice");
#undef WRONG
	frame_init(&f, in);
	OK_STATUS(tg_session_run(s, in, 3, out, 1, &err), TG_E_USAGE);
	OK(strcmp(out[0].name, "untouched") == 0);
	OK_STATUS(tg_session_run(s, in, 3, out, 2, &err), TG_OK);
	OK(out[0].size == 4 && out[1].size == sizeof(f.state));
}

static void
fifty_frames_equal_the_runtime_itself(void)
{
	static struct frame ours, theirs;
	struct tg_tensor_view in[3], unused[3], out[2] = { { 0 } };
	TG_AUTO(tg_session_freep) struct tg_session *s = NULL;
	unsigned long wrong = 0;
	float lowest = 1, highest = 0;
	struct direct d = { 0 };

	if (silero.n == 0) {
		SKIP("no " MODEL);
		return;
	}
	OK_STATUS(open_bytes(tg_buf_view(&silero), &s, NULL), TG_OK);
	if (s == NULL)
		return;
	direct_open(&d, library, MODEL);
	frame_init(&ours, in);
	frame_init(&theirs, unused);
	for (int k = 0; k < 50; k++) {
		frame_fill(&ours, k);
		frame_fill(&theirs, k);
		float want = direct_run(&d, &theirs);
		if (tg_session_run(s, in, 3, out, 2, NULL) != TG_OK) {
			wrong++;
			continue;
		}
		wrong += memcmp(out[0].data, &want, sizeof(want)) != 0;
		memcpy(ours.state, out[1].data, sizeof(ours.state));
		wrong += memcmp(ours.state, theirs.state, sizeof(ours.state)) != 0;
		lowest = fminf(lowest, want);
		highest = fmaxf(highest, want);
	}
	OK_NONE(wrong, 50, "frames that differ from the runtime called directly");
	OK(highest > lowest); /* a constant would prove little */
	printf("# probabilities %.4f ... %.4f\n", (double)lowest, (double)highest);
	direct_close(&d);
}

static void
with_the_runtime(void)
{
	garbage_does_not_load();
	models_out_of_bounds_do_not_load();
	odd_models_do_not_load();
	external_weights_are_not_followed();
	truncated_models_do_not_load();
	damaged_models_do_no_harm();
	nothing_is_printed();
	every_dtype_goes_in_and_out();
	an_open_shape_takes_any_rank();
	a_run_that_fails_leaves_the_session_usable();
	sessions_come_and_go_on_several_threads();
	wrong_inputs_are_named();
	fifty_frames_equal_the_runtime_itself();
}

#endif

int
main(void)
{
	const char *given = getenv("TG_ONNXRUNTIME");

	options_are_checked();
#ifndef TG_WITH_ONNXRUNTIME
	without_a_runtime_the_error_says_what_to_do();
	(void)given;
	(void)library;
	(void)open_made;
	(void)silero;
	SKIP("this build has no ONNX Runtime");
#else
	libraries_that_are_not_there();
	tg_buf_init(&silero, 16u << 20);
	if (tg_file_read(MODEL, &silero, NULL) != TG_OK)
		printf("# no %s here\n", MODEL);
	if (realpath(given != NULL ? given : ".deps/ort/lib/libonnxruntime.so", library) != NULL)
		with_the_runtime();
	else
		SKIP("no ONNX Runtime in .deps/ort and none in TG_ONNXRUNTIME");
	tg_buf_done(&silero);
#endif
	return tap_done();
}
