#ifdef TG_WITH_ONNXRUNTIME
/* ONNX Runtime through its C API, loaded when the first model needs it; never linked. */

#include <dlfcn.h>
#include <onnxruntime_c_api.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moai/backend.h"
#include "moai/external.h"
#include "tensor/dtype.h"
#include "util/parallel.h"
#include "util/text.h"
#include "util/try.h"

struct ort_model {
	void *library;
	const OrtApi *g;
	OrtEnv *env;
	OrtSession *session;
	OrtMemoryInfo *cpu;
	OrtValue *out[TG_MAX_RUN_TENSORS]; /* of the last run: what its views point into */
	char *in_name[TG_MAX_RUN_TENSORS];
	char *out_name[TG_MAX_RUN_TENSORS];
	struct tg_ports ports;
	char runtime[48];
};

/*
 * All environments of a process are one object inside the runtime, counted there. Releasing the
 * last reference takes it down outside the runtime's own lock, and making one meanwhile fails. So
 * sessions that come and go on several threads take turns here.
 */
static pthread_mutex_t env_lock = PTHREAD_MUTEX_INITIALIZER;

/* text as one line of printable ASCII: the runtime's messages quote the model's bytes. */
static void
one_line(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; text[n] != '\0' && n + 1 < size; n++) {
		unsigned char c = (unsigned char)text[n];

		out[n] = c < 0x20 || c == 0x7f ? ' ' : c > 0x7f ? '?' : (char)c;
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

/* Takes over what a call of the runtime returned; a failure is reported as status `as`. */
static tg_status
check(const struct ort_model *m, OrtStatus *status, tg_status as, const char *doing,
    struct tg_error *err)
{
	char why[TG_ERROR_TEXT_MAX / 2];

	if (status == NULL)
		return TG_OK;
	one_line(why, sizeof(why), m->g->GetErrorMessage(status));
	if (m->g->GetErrorCode(status) == ORT_NOT_IMPLEMENTED)
		as = TG_E_UNSUPPORTED;
	m->g->ReleaseStatus(status);
	return tg_fail(err, as, "%s: %s", doing, why);
}

static tg_status
library_open(const char *path, void **ret, struct tg_error *err)
{
	static const char *const usual[] = { "libonnxruntime.so.1", "libonnxruntime.so.1.21",
		"libonnxruntime.so" };
	const char *const *names = path != NULL ? &path : usual;
	const size_t n = path != NULL ? 1 : TG_LEN(usual);
	char why[TG_ERROR_TEXT_MAX / 2];
	void *library = NULL;

	/* What is loaded runs as part of this process, so a name must not depend on where the
	 * process happens to stand: absolute, or the loader's business. */
	TG_REQUIRE(path == NULL || path[0] == '/' || (path[0] != '\0' && strchr(path, '/') == NULL),
	    err, TG_E_USAGE, "the path of ONNX Runtime's library must be absolute");
	/* NODELETE: C++ libraries of this size leave threads' destructors behind when unloaded. */
	for (size_t i = 0; library == NULL && i < n; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (library == NULL) {
		const char *text = dlerror();

		one_line(why, sizeof(why), text != NULL ? text : "unknown reason");
		return tg_fail(err, TG_E_UNSUPPORTED,
		    "ONNX Runtime cannot be loaded (%s): install libonnxruntime1.21, or run "
		    "scripts/setup demo and set TG_ONNXRUNTIME to its library",
		    why);
	}
	*ret = library;
	return TG_OK;
}

/* 21 of "1.21.0": the newest version of the C API that this runtime speaks. */
static unsigned long
api_of(const char *version)
{
	const char *dot = strchr(version, '.');

	return dot != NULL ? strtoul(dot + 1, NULL, 10) : 0;
}

static tg_status
api_get(struct ort_model *m, struct tg_error *err)
{
	typedef const OrtApiBase *get_base_fn(void);
	get_base_fn *get_base = (get_base_fn *)dlsym(m->library, "OrtGetApiBase");
	const OrtApiBase *base = get_base != NULL ? get_base() : NULL;
	char version[32] = "";

	TG_REQUIRE(base != NULL, err, TG_E_UNSUPPORTED,
	    "the library given as ONNX Runtime is not ONNX Runtime");
	one_line(version, sizeof(version), base->GetVersionString());
	/* Ask the version first: an old GetApi() says no on stderr. */
	if (api_of(version) >= ORT_API_VERSION)
		m->g = base->GetApi(ORT_API_VERSION);
	TG_REQUIRE(m->g != NULL, err, TG_E_UNSUPPORTED,
	    "ONNX Runtime %s is too old: this build needs 1.%d or newer", version, ORT_API_VERSION);
	(void)snprintf(m->runtime, sizeof(m->runtime), "ONNX Runtime %s", version);
	return TG_OK;
}

/* The runtime would log to stderr; what matters of it comes back as a status as well. */
static void ORT_API_CALL
log_nothing(void *param, OrtLoggingLevel severity, const char *category, const char *id,
    const char *location, const char *message)
{
	(void)param;
	(void)severity;
	(void)category;
	(void)id;
	(void)location;
	(void)message;
}

static tg_status
env_new(struct ort_model *m, struct tg_error *err)
{
	pthread_mutex_lock(&env_lock);
	OrtStatus *st = m->g->CreateEnvWithCustomLogger(
	    log_nothing, NULL, ORT_LOGGING_LEVEL_ERROR, "tensorguard", &m->env);
	pthread_mutex_unlock(&env_lock);
	TG_TRY(check(m, st, TG_E_INTERNAL, "start ONNX Runtime", err));
	return check(
	    m, m->g->DisableTelemetryEvents(m->env), TG_E_INTERNAL, "disable telemetry", err);
}

static tg_status
options_set(const struct ort_model *m, OrtSessionOptions *o, unsigned threads, struct tg_error *err)
{
	const int n = (int)(threads != 0 ? threads : tg_parallel_cores());
	static const char doing[] = "set up ONNX Runtime";

	TG_TRY(check(m, m->g->SetIntraOpNumThreads(o, n), TG_E_INTERNAL, doing, err));
	TG_TRY(check(m, m->g->SetInterOpNumThreads(o, 1), TG_E_INTERNAL, doing, err));
	TG_TRY(check(m, m->g->SetSessionLogSeverityLevel(o, ORT_LOGGING_LEVEL_ERROR), TG_E_INTERNAL,
	    doing, err));
	/* Else the runtime would also take its own flatbuffer format, which nobody checked. */
	return check(m, m->g->AddSessionConfigEntry(o, "session.load_model_format", "ONNX"),
	    TG_E_INTERNAL, doing, err);
}

static tg_status
session_new(struct ort_model *m, tg_bytes model, unsigned threads, struct tg_error *err)
{
	OrtSessionOptions *o = NULL;

	TG_TRY(check(m, m->g->CreateSessionOptions(&o), TG_E_INTERNAL, "set up ONNX Runtime", err));
	tg_status s = options_set(m, o, threads, err);
	if (s == TG_OK)
		s = check(m, m->g->CreateSessionFromArray(m->env, model.p, model.n, o, &m->session),
		    TG_E_FORMAT, "load the model", err);
	m->g->ReleaseSessionOptions(o);
	TG_TRY(s);
	return check(m, m->g->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &m->cpu),
	    TG_E_INTERNAL, "set up ONNX Runtime", err);
}

static const struct {
	ONNXTensorElementDataType onnx;
	const char *dtype;
} dtypes[] = {
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, "F32" },
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, "F64" },
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, "F16" },
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, "BF16" },
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, "I8" },
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, "I16" },
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, "I32" },
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, "I64" },
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, "U8" },
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16, "U16" },
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, "U32" },
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64, "U64" },
	{ ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, "BOOL" },
};

static const char *
dtype_of(ONNXTensorElementDataType type)
{
	for (size_t i = 0; i < TG_LEN(dtypes); i++)
		if (dtypes[i].onnx == type)
			return dtypes[i].dtype;
	return NULL;
}

static ONNXTensorElementDataType
type_of(const char *dtype)
{
	for (size_t i = 0; i < TG_LEN(dtypes); i++)
		if (strcmp(dtypes[i].dtype, dtype) == 0)
			return dtypes[i].onnx;
	return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

/* dtype and shape into t, which has its name already. */
static tg_status
info_read(const struct ort_model *m, const OrtTensorTypeAndShapeInfo *info,
    struct tg_tensor_view *t, struct tg_error *err)
{
	ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
	static const char doing[] = "read a tensor's type";
	size_t rank = 0;

	TG_TRY(check(m, m->g->GetTensorElementType(info, &type), TG_E_INTERNAL, doing, err));
	t->dtype = dtype_of(type);
	TG_REQUIRE(type != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, err, TG_E_UNSUPPORTED,
	    "tensor '%s' holds strings: only numbers and booleans are supported", t->name);
	TG_REQUIRE(t->dtype != NULL, err, TG_E_UNSUPPORTED,
	    "tensor '%s' has ONNX element type %d, which is not supported", t->name, (int)type);
	TG_TRY(check(m, m->g->GetDimensionsCount(info, &rank), TG_E_INTERNAL, doing, err));
	TG_REQUIRE(rank <= TG_SESSION_MAX_RANK, err, TG_E_LIMIT,
	    "tensor '%s' has rank %zu, at most %u can be", t->name, rank, TG_SESSION_MAX_RANK);
	t->rank = (unsigned)rank;
	return check(m, m->g->GetDimensions(info, t->shape, rank), TG_E_INTERNAL, doing, err);
}

static tg_status
type_read(const struct ort_model *m, const OrtTypeInfo *type, struct tg_tensor_view *t,
    struct tg_error *err)
{
	const OrtTensorTypeAndShapeInfo *info = NULL; /* part of type */
	enum ONNXType kind = ONNX_TYPE_UNKNOWN;
	static const char doing[] = "read a tensor's type";

	TG_TRY(check(m, m->g->GetOnnxTypeFromTypeInfo(type, &kind), TG_E_INTERNAL, doing, err));
	TG_REQUIRE(kind == ONNX_TYPE_TENSOR, err, TG_E_UNSUPPORTED,
	    "'%s' is a sequence, map or the like: only tensors are supported", t->name);
	TG_TRY(check(m, m->g->CastTypeInfoToTensorInfo(type, &info), TG_E_INTERNAL, doing, err));
	TG_TRY(info_read(m, info, t, err));
	for (unsigned i = 0; i < t->rank; i++)
		if (t->shape[i] < 0)
			t->shape[i] = -1;
	return TG_OK;
}

static bool
name_ok(const char *name)
{
	for (const char *c = name; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return name[0] != '\0' && tg_utf8_valid(tg_bytes_str(name));
}

typedef OrtStatus *(ORT_API_CALL *get_count_fn)(const OrtSession *, size_t *);
typedef OrtStatus *(ORT_API_CALL *get_name_fn)(const OrtSession *, size_t, OrtAllocator *, char **);
typedef OrtStatus *(ORT_API_CALL *get_type_fn)(const OrtSession *, size_t, OrtTypeInfo **);

static tg_status
name_read(const struct ort_model *m, get_name_fn get, size_t i, char **ret, struct tg_error *err)
{
	static const char doing[] = "read a tensor's name";
	OrtAllocator *allocator = NULL; /* the runtime's own; nobody releases it */
	char *theirs = NULL, *name = NULL;

	TG_TRY(
	    check(m, m->g->GetAllocatorWithDefaultOptions(&allocator), TG_E_INTERNAL, doing, err));
	TG_TRY(check(m, get(m->session, i, allocator, &theirs), TG_E_INTERNAL, doing, err));
	const bool good = name_ok(theirs);
	if (good)
		name = strdup(theirs);
	tg_status s = check(m, m->g->AllocatorFree(allocator, theirs), TG_E_INTERNAL, doing, err);
	if (s == TG_OK && !good)
		s = tg_fail(err, TG_E_FORMAT, "tensor %zu of the model has no printable name", i);
	else if (s == TG_OK && name == NULL)
		s = tg_fail(err, TG_E_NOMEM, "load the model: out of memory");
	if (s != TG_OK) {
		free(name);
		return s;
	}
	*ret = name;
	return TG_OK;
}

/* One side of the model: all its inputs, or all its outputs. */
struct side {
	get_count_fn count;
	get_name_fn name;
	get_type_fn type;
	char **names;
	struct tg_tensor_view *views;
	size_t *n;
};

static tg_status
side_read(const struct ort_model *m, const struct side *side, struct tg_error *err)
{
	OrtTypeInfo *type = NULL;
	size_t n = 0;

	TG_TRY(check(m, side->count(m->session, &n), TG_E_INTERNAL, "count the tensors", err));
	TG_REQUIRE(n <= TG_MAX_RUN_TENSORS, err, TG_E_LIMIT,
	    "the model has %zu inputs or outputs, at most %u can be", n, TG_MAX_RUN_TENSORS);
	for (size_t i = 0; i < n; i++) {
		TG_TRY(name_read(m, side->name, i, &side->names[i], err));
		side->views[i].name = side->names[i];
		TG_TRY(check(m, side->type(m->session, i, &type), TG_E_INTERNAL,
		    "read a tensor's type", err));
		tg_status s = type_read(m, type, &side->views[i], err);
		m->g->ReleaseTypeInfo(type);
		TG_TRY(s);
	}
	*side->n = n;
	return TG_OK;
}

static tg_status
ports_read(struct ort_model *m, struct tg_error *err)
{
	const struct side in = { m->g->SessionGetInputCount, m->g->SessionGetInputName,
		m->g->SessionGetInputTypeInfo, m->in_name, m->ports.in, &m->ports.n_in };
	const struct side out = { m->g->SessionGetOutputCount, m->g->SessionGetOutputName,
		m->g->SessionGetOutputTypeInfo, m->out_name, m->ports.out, &m->ports.n_out };

	TG_TRY(side_read(m, &in, err));
	return side_read(m, &out, err);
}

static void
values_free(const struct ort_model *m, OrtValue **values)
{
	for (size_t i = 0; i < TG_MAX_RUN_TENSORS; i++) {
		m->g->ReleaseValue(values[i]); /* accepts NULL */
		values[i] = NULL;
	}
}

static void
ort_close(void *model)
{
	struct ort_model *m = model;

	if (m == NULL)
		return;
	if (m->g != NULL) {
		values_free(m, m->out);
		m->g->ReleaseMemoryInfo(m->cpu); /* all of these accept NULL */
		m->g->ReleaseSession(m->session);
		pthread_mutex_lock(&env_lock);
		m->g->ReleaseEnv(m->env);
		pthread_mutex_unlock(&env_lock);
	}
	for (size_t i = 0; i < TG_MAX_RUN_TENSORS; i++) {
		free(m->in_name[i]);
		free(m->out_name[i]);
	}
	if (m->library != NULL)
		dlclose(m->library);
	free(m);
}

static void
ort_closep(struct ort_model **m)
{
	ort_close(*m);
}

static tg_status
ort_open(tg_bytes model, const struct tg_session_options *options, void **ret, struct tg_error *err)
{
	TG_TRY(tg_onnx_self_contained(model, err)); /* before anything else looks at it */
	TG_AUTO(ort_closep) struct ort_model *m = calloc(1, sizeof(*m));
	TG_REQUIRE(m != NULL, err, TG_E_NOMEM, "load the model: out of memory");
	TG_TRY(library_open(options->runtime_path, &m->library, err));
	TG_TRY(api_get(m, err));
	TG_TRY(env_new(m, err));
	TG_TRY(session_new(m, model, options->threads, err));
	TG_TRY(ports_read(m, err));
	*ret = m;
	m = NULL;
	return TG_OK;
}

static const char *
ort_runtime(const void *model)
{
	return ((const struct ort_model *)model)->runtime;
}

static const struct tg_ports *
ort_ports(const void *model)
{
	return &((const struct ort_model *)model)->ports;
}

/* Wrap the caller's bytes; nothing is copied. values is released by the caller, on failure too. */
static tg_status
inputs_wrap(const struct ort_model *m, const struct tg_tensor_view *inputs, OrtValue **values,
    struct tg_error *err)
{
	static uint64_t nothing; /* an address for empty tensors: the runtime refuses NULL */

	for (size_t i = 0; i < m->ports.n_in; i++) {
		const struct tg_tensor_view *t = &inputs[i];
		/* The API has one function for inputs and outputs, so it takes no const; a run only
		 * reads its inputs. */
		void *data = t->size != 0 ? (void *)(uintptr_t)t->data : &nothing;

		TG_TRY(check(m,
		    m->g->CreateTensorWithDataAsOrtValue(
			m->cpu, data, t->size, t->shape, t->rank, type_of(t->dtype), &values[i]),
		    TG_E_USAGE, "take an input", err));
	}
	return TG_OK;
}

static tg_status
output_read(const struct ort_model *m, OrtValue *value, const char *name,
    struct tg_tensor_view *ret, struct tg_error *err)
{
	struct tg_tensor_view t = { .name = name };
	OrtTensorTypeAndShapeInfo *info = NULL;
	static const char doing[] = "read an output";
	void *data = NULL;
	uint64_t size;

	TG_TRY(check(m, m->g->GetTensorTypeAndShape(value, &info), TG_E_INTERNAL, doing, err));
	tg_status s = info_read(m, info, &t, err);
	m->g->ReleaseTensorTypeAndShapeInfo(info);
	TG_TRY(s);
	TG_TRY(check(m, m->g->GetTensorMutableData(value, &data), TG_E_INTERNAL, doing, err));
	size = tg_dtype_width(tg_bytes_str(t.dtype));
	for (unsigned i = 0; i < t.rank; i++)
		TG_REQUIRE(t.shape[i] >= 0 && tg_mul_u64(size, (uint64_t)t.shape[i], &size), err,
		    TG_E_INTERNAL, "output '%s' has an impossible shape", name);
	t.data = data;
	t.size = (size_t)size;
	*ret = t;
	return TG_OK;
}

static tg_status
outputs_read(
    const struct ort_model *m, OrtValue **values, struct tg_tensor_view *ret, struct tg_error *err)
{
	for (size_t i = 0; i < m->ports.n_out; i++)
		TG_TRY(output_read(m, values[i], m->ports.out[i].name, &ret[i], err));
	return TG_OK;
}

static tg_status
values_run(const struct ort_model *m, OrtValue *const *in, OrtValue **out, struct tg_error *err)
{
	OrtStatus *st = m->g->Run(m->session, NULL, (const char *const *)m->in_name,
	    (const OrtValue *const *)in, m->ports.n_in, (const char *const *)m->out_name,
	    m->ports.n_out, out);

	return check(m, st, TG_E_USAGE, "run the model on these inputs", err);
}

static tg_status
ort_run(void *model, const struct tg_tensor_view *inputs, struct tg_tensor_view *outputs,
    struct tg_error *err)
{
	struct ort_model *m = model;
	struct tg_tensor_view views[TG_MAX_RUN_TENSORS] = { 0 };
	OrtValue *in[TG_MAX_RUN_TENSORS] = { NULL }, *out[TG_MAX_RUN_TENSORS] = { NULL };

	tg_status s = inputs_wrap(m, inputs, in, err);
	if (s == TG_OK)
		s = values_run(m, in, out, err);
	values_free(m, in);
	if (s == TG_OK)
		s = outputs_read(m, out, views, err);
	if (s != TG_OK) {
		values_free(m, out);
		return s;
	}
	values_free(m, m->out);
	memcpy(m->out, out, sizeof(out));
	memcpy(outputs, views, m->ports.n_out * sizeof(views[0]));
	return TG_OK;
}

const struct tg_backend tg_backend_onnx = {
	.format = "onnx",
	.open = ort_open,
	.close = ort_close,
	.runtime = ort_runtime,
	.ports = ort_ports,
	.run = ort_run,
};

#endif
