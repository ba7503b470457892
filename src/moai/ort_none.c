#ifndef TG_WITH_ONNXRUNTIME
/* A build that found no header of ONNX Runtime; ort.c is the other half of this choice. */

#include "moai/backend.h"
#include "util/try.h"

static tg_status
none_open(
    tg_bytes model, const struct tg_session_options *options, void **ret, struct tg_error *err)
{
	(void)model;
	(void)options;
	(void)ret;
	return tg_fail(err, TG_E_UNSUPPORTED,
	    "this build has no ONNX Runtime: run scripts/setup (or install libonnxruntime-dev) and "
	    "build again");
}

/* No model ever comes out of none_open(), so close sees NULL and the rest is never called. */
static void
none_close(void *model)
{
	(void)model;
}

static const char *
none_runtime(const void *model)
{
	(void)model;
	return "none";
}

static const struct tg_ports *
none_ports(const void *model)
{
	static const struct tg_ports empty = { 0 };

	(void)model;
	return &empty;
}

static tg_status
none_run(void *model, const struct tg_tensor_view *inputs, struct tg_tensor_view *outputs,
    struct tg_error *err)
{
	(void)model;
	(void)inputs;
	(void)outputs;
	return tg_fail(err, TG_E_INTERNAL, "a run without a runtime");
}

const struct tg_backend tg_backend_onnx = {
	.format = "onnx",
	.open = none_open,
	.close = none_close,
	.runtime = none_runtime,
	.ports = none_ports,
	.run = none_run,
};

#endif
