/* tensorguard/session.h - predictions from a model that lies in memory. */
#ifndef TENSORGUARD_SESSION_H
#define TENSORGUARD_SESSION_H

#include <stddef.h>
#include <stdint.h>
#include <tensorguard/error.h>
#include <tensorguard/io.h>

TG_BEGIN_DECLS

#define TG_SESSION_MAX_RANK 8

/* A tensor's values: little-endian elements in C order. */
struct tg_tensor_view {
	const char *name;
	const char *dtype; /* "F32", "I64", ...: the names of safetensors */
	unsigned rank;     /* 0: a scalar; of a declared port also a shape the model leaves open */
	int64_t shape[TG_SESSION_MAX_RANK];
	const void *data; /* borrowed */
	size_t size;      /* bytes == product of the shape x width of the dtype */
};

struct tg_session_options {
	unsigned threads; /* 0: all cores */
	/*
	 * The runtime's shared library: an absolute path, or a name without '/' for the loader's
	 * own search. NULL tries libonnxruntime.so.1, .so.1.21 and .so. The library's code runs in
	 * this process, so never take this from a package or from a network.
	 */
	const char *runtime_path;
};

/* A loaded model with its inference runtime. Use from one thread at a time. */
struct tg_session;

/*
 * Load the model of `format` ("onnx") from memory; `model` is borrowed only during the call, so
 * that the caller can wipe it. The runtime keeps a copy of its own, which is not protected.
 * TG_E_FORMAT for a bad model; TG_E_UNSUPPORTED for external data, strings, and when the build or
 * the machine has no runtime for the format; TG_E_LIMIT for more than 64 inputs or outputs. The
 * runtime's library stays mapped after the last session.
 * *ret is new: release with tg_session_free().
 */
TG_API TG_MUST_CHECK tg_status tg_session_new(const char *format, tg_bytes model,
    const struct tg_session_options *options, struct tg_session **ret, struct tg_error *err);
TG_API void tg_session_free(struct tg_session *s); /* accepts NULL */
static inline void
tg_session_freep(struct tg_session **s)
{
	tg_session_free(*s);
}

/* "ONNX Runtime 1.21.0" */
TG_API const char *tg_session_runtime(const struct tg_session *s);
/* Inputs and outputs as the model declares them; -1 in a shape is a free dimension, data is NULL.
 * Strings are borrowed: valid until tg_session_free(). */
TG_API size_t tg_session_input_count(const struct tg_session *s);
TG_API size_t tg_session_output_count(const struct tg_session *s);
TG_API struct tg_tensor_view tg_session_input(const struct tg_session *s, size_t i);
TG_API struct tg_tensor_view tg_session_output(const struct tg_session *s, size_t i);

/*
 * One prediction. inputs: any order, each input of the model exactly once; a wrong name, dtype
 * or shape, or data not aligned to its element width, is TG_E_USAGE and says what was expected;
 * so is a failure of the model on these inputs. outputs[i]: filled for every output of the
 * model in its order; the data is borrowed, valid until the next run or free.
 */
TG_API TG_MUST_CHECK tg_status tg_session_run(struct tg_session *s,
    const struct tg_tensor_view *inputs, size_t n_inputs, struct tg_tensor_view *outputs,
    size_t n_outputs, struct tg_error *err);

TG_END_DECLS
#endif
