/* moai/backend.h - what an inference runtime offers to session.c: one const table per runtime. */
#ifndef TG_MOAI_BACKEND_H
#define TG_MOAI_BACKEND_H

#include <tensorguard/limits.h>
#include <tensorguard/session.h>

/* What a model takes and gives, in its own order. data is NULL, -1 in a shape is free. Names are
 * UTF-8 without control characters, so that they can stand in messages. */
struct tg_ports {
	struct tg_tensor_view in[TG_MAX_RUN_TENSORS];
	size_t n_in;
	struct tg_tensor_view out[TG_MAX_RUN_TENSORS];
	size_t n_out;
};

struct tg_backend {
	const char *format; /* what tg_session_new() selects it by */
	/*
	 * Load a model. Keeps nothing of `model` and `options`. Never writes a file, reads none
	 * besides the runtime's own library, prints nothing. *ret is new: release with close().
	 */
	TG_MUST_CHECK tg_status (*open)(tg_bytes model, const struct tg_session_options *options,
	    void **ret, struct tg_error *err);
	/* Accepts NULL. */
	void (*close)(void *model);
	/* Name and version. Borrowed: valid until close(). */
	const char *(*runtime)(const void *model);
	/* Borrowed: valid until close(). */
	const struct tg_ports *(*ports)(const void *model);
	/*
	 * One prediction. inputs: n_in of them in the model's order, already checked against the
	 * ports. outputs: room for n_out; filled only on success, their data is borrowed until the
	 * next run or close(). TG_E_USAGE when the model does not work with these inputs.
	 */
	TG_MUST_CHECK tg_status (*run)(void *model, const struct tg_tensor_view *inputs,
	    struct tg_tensor_view *outputs, struct tg_error *err);
};

/* "onnx": of ort.c, or of ort_none.c in a build without ONNX Runtime's header. */
extern const struct tg_backend tg_backend_onnx;

#endif
