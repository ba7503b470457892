#include <tensorguard/session.h>

#include <stdlib.h>

#include "cli/reader.h"
#include "tensor/npy.h"
#include "util/newfile.h"
#include "util/try.h"

struct run_opts {
	struct reader r;
	struct tg_values inputs, outputs;
	const char *model, *runtime;
};

/* ---- NAME=FILE arguments ---- */

struct binding {
	char name[TG_MAX_NAME_LEN + 1];
	const char *file;
};

static tg_status
bind(const char *arg, const char *what, struct binding *ret, struct tg_error *err)
{
	const char *eq = strrchr(arg, '=');

	TG_REQUIRE(eq != NULL && eq > arg && eq[1] != '\0' && (size_t)(eq - arg) <= TG_MAX_NAME_LEN, err,
	    TG_E_USAGE, "%s: \"%s\", NAME=FILE.npy expected", what, arg);
	memcpy(ret->name, arg, (size_t)(eq - arg));
	ret->name[eq - arg] = '\0';
	ret->file = eq + 1;
	return TG_OK;
}

/* ---- inputs ---- */

struct inputs {
	struct binding bind[TG_MAX_RUN_TENSORS];
	struct tg_npy npy[TG_MAX_RUN_TENSORS];
	struct tg_secret *data[TG_MAX_RUN_TENSORS];
	struct tg_tensor_view view[TG_MAX_RUN_TENSORS];
	size_t n;
};

static void
inputs_done(struct inputs *in)
{
	for (size_t i = 0; i < in->n; i++)
		tg_secret_free(in->data[i]);
}

static tg_status
read_input(struct inputs *in, size_t i, struct tg_error *err)
{
	TG_AUTO(tg_file_closep) struct tg_file *file = NULL;
	struct tg_npy *npy = &in->npy[i];
	struct tg_error why = TG_ERROR_INIT;
	struct tg_tensor_view v = { .name = in->bind[i].name, .dtype = npy->dtype };

	TG_TRY(tg_file_open(in->bind[i].file, &file, err));
	const struct tg_source src = tg_file_source(file);
	tg_status s = tg_npy_scan(&src, npy, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", in->bind[i].file, why.text);
	TG_TRY(tg_secret_new(npy->size == 0 ? 1 : (size_t)npy->size, &in->data[i], err));
	TG_TRY(src.read_at(src.ctx, tg_secret_bytes(in->data[i]), (size_t)npy->size, npy->offset, err));
	v.rank = npy->rank;
	for (unsigned d = 0; d < npy->rank; d++)
		v.shape[d] = (int64_t)npy->shape[d];
	v.data = tg_secret_bytes(in->data[i]);
	v.size = (size_t)npy->size;
	in->view[i] = v;
	return TG_OK;
}

static tg_status
read_inputs(const struct tg_values *args, struct inputs *in, struct tg_error *err)
{
	TG_REQUIRE(args->n <= TG_MAX_RUN_TENSORS, err, TG_E_LIMIT, "--input: at most %u",
	    TG_MAX_RUN_TENSORS);
	for (in->n = 0; in->n < args->n; in->n++) {
		TG_TRY(bind(args->at[in->n], "--input", &in->bind[in->n], err));
		tg_status s = read_input(in, in->n, err);

		if (s != TG_OK) {
			in->n++; /* what it has read is wiped with the others */
			return s;
		}
	}
	return TG_OK;
}

/* ---- outputs ---- */

static void
print_value(const struct tg_tensor_view *v, size_t i)
{
	if (strcmp(v->dtype, "F32") == 0)
		printf(" %.9g", (double)((const float *)v->data)[i]);
	else if (strcmp(v->dtype, "F64") == 0)
		printf(" %.17g", ((const double *)v->data)[i]);
	else if (strcmp(v->dtype, "I64") == 0)
		printf(" %lld", (long long)((const int64_t *)v->data)[i]);
	else if (strcmp(v->dtype, "I32") == 0)
		printf(" %d", ((const int32_t *)v->data)[i]);
}

/* Name, type, shape, and the first values of the common types. */
static void
print_output(const struct tg_tensor_view *v)
{
	size_t count = 1;

	tg_print_text(stdout, v->name);
	printf(" %s [", v->dtype);
	for (unsigned d = 0; d < v->rank; d++) {
		printf("%s%lld", d > 0 ? ", " : "", (long long)v->shape[d]);
		count *= (size_t)v->shape[d];
	}
	printf("]");
	for (size_t i = 0; i < count && i < 8; i++)
		print_value(v, i);
	printf("%s\n", count > 8 ? " ..." : "");
}

static tg_status
save_output(const struct tg_tensor_view *v, const char *path, struct tg_error *err)
{
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = NULL;
	struct tg_buf head = { .max = TG_MAX_NPY_HEADER };
	uint64_t shape[TG_SESSION_MAX_RANK];

	for (unsigned d = 0; d < v->rank; d++)
		shape[d] = (uint64_t)v->shape[d];
	TG_TRY(tg_newfile_create_path(path, 0644, &f, err));
	const struct tg_sink to = tg_newfile_sink(f);
	tg_status s = tg_npy_header(v->dtype, v->rank, shape, &head, err);
	if (s == TG_OK)
		s = to.write(to.ctx, head.p, head.n, err);
	tg_buf_done(&head);
	TG_TRY(s);
	TG_TRY(to.write(to.ctx, v->data, v->size, err));
	return tg_newfile_commit(f, true, err);
}

static const struct tg_tensor_view *
find_output(const struct tg_tensor_view *out, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(out[i].name, name) == 0)
			return &out[i];
	return NULL;
}

/* Every --output names an output: found out before anything runs. */
static tg_status
bind_outputs(const struct tg_session *s, const struct tg_values *args, struct binding *ret,
    struct tg_error *err)
{
	struct tg_tensor_view out[TG_MAX_RUN_TENSORS];
	const size_t n = tg_session_output_count(s);

	TG_REQUIRE(args->n <= TG_MAX_RUN_TENSORS, err, TG_E_LIMIT, "--output: at most %u",
	    TG_MAX_RUN_TENSORS);
	for (size_t i = 0; i < n; i++)
		out[i] = tg_session_output(s, i);
	for (size_t i = 0; i < args->n; i++) {
		TG_TRY(bind(args->at[i], "--output", &ret[i], err));
		TG_REQUIRE(find_output(out, n, ret[i].name) != NULL, err, TG_E_USAGE,
		    "--output: the model has no output \"%s\"; its first is \"%s\"", ret[i].name,
		    n > 0 ? out[0].name : "");
	}
	return TG_OK;
}

/* ---- the model ---- */

static bool
is_onnx(const struct tg_package_file *f)
{
	return f->format != NULL && strcmp(f->format, "onnx") == 0;
}

/* --model, else the package's only ONNX file. */
static tg_status
find_model(const struct run_opts *o, size_t *ret, struct tg_error *err)
{
	const struct tg_package *p = o->r.package;
	size_t found = tg_package_file_count(p);

	if (o->model != NULL)
		return tg_package_find(p, o->model, ret, err);
	for (size_t i = 0; i < tg_package_file_count(p); i++) {
		const struct tg_package_file f = tg_package_file(p, i);

		if (!is_onnx(&f))
			continue;
		TG_REQUIRE(found == tg_package_file_count(p), err, TG_E_USAGE,
		    "several models in the package: choose one, for example --model %s", f.path);
		found = i;
	}
	TG_REQUIRE(found < tg_package_file_count(p), err, TG_E_UNSUPPORTED,
	    "no ONNX model in the package: other formats cannot be run yet");
	*ret = found;
	return TG_OK;
}

/* Decrypt, hand to the runtime, wipe. */
static tg_status
load_session(struct run_opts *o, struct tg_session **ret, struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *model = NULL;
	const struct tg_session_options options = { .threads = (unsigned)o->r.threads,
		.runtime_path = o->runtime };
	size_t file = 0;

	TG_TRY(find_model(o, &file, err));
	const struct tg_package_file f = tg_package_file(o->r.package, file);
	recorder_text(&o->r.rec, "detail", "model", f.path);
	TG_TRY(tg_package_load(o->r.package, file, (unsigned)o->r.threads, &model, err));
	return tg_session_new(f.format == NULL ? "unknown" : f.format,
	    (tg_bytes){ tg_secret_bytes(model), tg_secret_len(model) }, &options, ret, err);
}

static tg_status
predict(struct run_opts *o, struct inputs *in, struct tg_error *err)
{
	TG_AUTO(tg_session_freep) struct tg_session *s = NULL;
	struct binding save[TG_MAX_RUN_TENSORS];
	struct tg_tensor_view out[TG_MAX_RUN_TENSORS];

	TG_TRY(load_session(o, &s, err));
	TG_TRY(bind_outputs(s, &o->outputs, save, err));
	const size_t n = tg_session_output_count(s);
	TG_TRY(tg_session_run(s, in->view, in->n, out, n, err));
	recorder_number(&o->r.rec, "metrics", "inputs", (int64_t)in->n);
	recorder_number(&o->r.rec, "metrics", "outputs", (int64_t)n);
	TG_TRY(recorder_success(&o->r.rec, "MODEL_RUN_COMPLETED", err));
	for (size_t i = 0; i < o->outputs.n; i++)
		TG_TRY(save_output(find_output(out, n, save[i].name), save[i].file, err));
	for (size_t i = 0; o->outputs.n == 0 && i < n; i++)
		print_output(&out[i]);
	return TG_OK;
}

static tg_status
run_package(struct run_opts *o, struct tg_error *err)
{
	TG_AUTO(inputs_done) struct inputs in = { .n = 0 };
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(reader_open(&o->r, err));
	TG_TRY(reader_unlock(&o->r, err));
	TG_TRY(read_inputs(&o->inputs, &in, err));
	/* running reads one file; the floor rises only when all of the package is sound */
	tg_status s = o->r.state == NULL
	    ? TG_OK
	    : tg_package_verify(o->r.package, (unsigned)o->r.threads, NULL, &why);
	if (s == TG_OK)
		s = predict(o, &in, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", o->r.path, why.text);
	return reader_activated(&o->r, err);
}

static void
opts_done(struct run_opts *o)
{
	reader_done(&o->r);
}

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	TG_AUTO(opts_done) struct run_opts o = { .runtime = getenv("TG_ONNXRUNTIME") };
	const struct tg_opt opts[] = {
		READER_KEY_OPTS(&o.r),
		READER_OPTS(&o.r),
		READER_WORK_OPTS(&o.r),
		{ "input", TG_OPT_LIST, &o.inputs, NULL, "NAME=F.npy", "an input; one for each" },
		{ "output", TG_OPT_LIST, &o.outputs, NULL, "NAME=F.npy",
		    "save an output (default: print them)" },
		{ "model", TG_OPT_STRING, &o.model, NULL, "PATH", "the model, when there are several" },
	};
	const char *words[1];
	size_t n = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(&tg_cmd_run, argc, argv, opts, TG_LEN(opts), words, 1, &n, &help, err));
	if (help)
		return TG_OK;
	TG_REQUIRE(n == 1, err, TG_E_USAGE, "a package is needed (try 'tensorguard run -h')");
	TG_TRY(reader_start(&o.r, words[0], err));
	tg_status s = run_package(&o, err);
	return s == TG_OK ? TG_OK : recorder_failure(&o.r.rec, "MODEL_RUN_FAILED", s, err);
}

const struct tg_cmd tg_cmd_run = {
	.name = "run",
	.run = run,
	.synopsis = "PACKAGE --key FILE.priv --trust FILE.pub|DIR --input NAME=F.npy [OPTION...]",
	.summary = "one prediction of a packaged model, decrypted in memory only\n"
		   "ONNX models run through ONNX Runtime's shared library, found by the system or "
		   "named by\nTG_ONNXRUNTIME (an absolute path).",
	.example = "tensorguard run model.tgsp --key ./keys/encryption.priv "
		   "--trust ./keys/signing.pub --input x=x.npy --output y=y.npy",
};
