#include <tensorguard/session.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moai/backend.h"
#include "tensor/dtype.h"
#include "util/bytes.h"
#include "util/try.h"

static const struct tg_backend *const backends[] = {
	&tg_backend_onnx,
};

struct tg_session {
	const struct tg_backend *backend;
	void *model;
	const struct tg_ports *ports; /* borrowed from the model */
};

static const struct tg_backend *
backend_for(const char *format)
{
	for (size_t i = 0; i < TG_LEN(backends); i++)
		if (strcmp(backends[i]->format, format) == 0)
			return backends[i];
	return NULL;
}

tg_status
tg_session_new(const char *format, tg_bytes model, const struct tg_session_options *options,
    struct tg_session **ret, struct tg_error *err)
{
	static const struct tg_session_options defaults = { 0 };
	const struct tg_session_options *o = options != NULL ? options : &defaults;
	const struct tg_backend *backend = backend_for(format);

	TG_REQUIRE(backend != NULL, err, TG_E_UNSUPPORTED,
	    "no inference runtime for this format of model; there is one for 'onnx'");
	TG_REQUIRE(o->threads <= TG_MAX_THREADS, err, TG_E_USAGE, "%u threads, at most %u can be",
	    o->threads, TG_MAX_THREADS);
	struct tg_session *s = calloc(1, sizeof(*s));
	TG_REQUIRE(s != NULL, err, TG_E_NOMEM, "session: out of memory");
	s->backend = backend;
	tg_status st = backend->open(model, o, &s->model, err);
	if (st != TG_OK) {
		free(s);
		return st;
	}
	s->ports = backend->ports(s->model);
	*ret = s;
	return TG_OK;
}

void
tg_session_free(struct tg_session *s)
{
	if (s == NULL)
		return;
	s->backend->close(s->model);
	free(s);
}

const char *
tg_session_runtime(const struct tg_session *s)
{
	return s->backend->runtime(s->model);
}

size_t
tg_session_input_count(const struct tg_session *s)
{
	return s->ports->n_in;
}

size_t
tg_session_output_count(const struct tg_session *s)
{
	return s->ports->n_out;
}

struct tg_tensor_view
tg_session_input(const struct tg_session *s, size_t i)
{
	return i < s->ports->n_in ? s->ports->in[i] : (struct tg_tensor_view){ 0 };
}

struct tg_tensor_view
tg_session_output(const struct tg_session *s, size_t i)
{
	return i < s->ports->n_out ? s->ports->out[i] : (struct tg_tensor_view){ 0 };
}

/* "[2, ?, 128]" into out, cut where it does not fit; the ? stands for a declared free dimension. */
static void
shape_text(char *out, size_t size, const struct tg_tensor_view *t, bool declared)
{
	size_t at = (size_t)snprintf(out, size, "[");

	for (unsigned i = 0; i < t->rank && at < size; i++) {
		const char *comma = i == 0 ? "" : ", ";
		int n = declared && t->shape[i] < 0
		    ? snprintf(out + at, size - at, "%s?", comma)
		    : snprintf(out + at, size - at, "%s%" PRId64, comma, t->shape[i]);

		at += n > 0 ? (size_t)n : 0;
	}
	if (at < size)
		(void)snprintf(out + at, size - at, "]");
}

/*
 * Runtimes do not tell a scalar from a tensor whose shape the model leaves open, so a declared
 * rank of 0 says nothing: any shape goes through, and the runtime has the last word.
 */
static bool
shape_fits(const struct tg_tensor_view *given, const struct tg_tensor_view *declared)
{
	if (declared->rank != 0 && declared->rank != given->rank)
		return false;
	for (unsigned i = 0; i < given->rank; i++) {
		if (given->shape[i] < 0)
			return false;
		if (declared->rank != 0 && declared->shape[i] >= 0 &&
		    declared->shape[i] != given->shape[i])
			return false;
	}
	return true;
}

/* False when the size of such a tensor is more than 64 bits can say. */
static bool
size_of(const struct tg_tensor_view *t, size_t width, uint64_t *ret)
{
	uint64_t n = width;

	for (unsigned i = 0; i < t->rank; i++)
		if (!tg_mul_u64(n, (uint64_t)t->shape[i], &n))
			return false;
	*ret = n;
	return true;
}

static tg_status
input_check(
    const struct tg_tensor_view *given, const struct tg_tensor_view *declared, struct tg_error *err)
{
	char want[128], got[128];
	uint64_t size = 0;

	TG_REQUIRE(given->dtype != NULL && strcmp(given->dtype, declared->dtype) == 0, err,
	    TG_E_USAGE, "input '%s': the model takes %s, another dtype was given", declared->name,
	    declared->dtype);
	TG_REQUIRE(given->rank <= TG_SESSION_MAX_RANK, err, TG_E_USAGE,
	    "input '%s': rank %u, at most %u can be", declared->name, given->rank,
	    TG_SESSION_MAX_RANK);
	if (!shape_fits(given, declared)) {
		shape_text(want, sizeof(want), declared, true);
		shape_text(got, sizeof(got), given, false);
		return tg_fail(err, TG_E_USAGE, "input '%s': the model takes %s, %s was given",
		    declared->name, want, got);
	}
	const size_t width = tg_dtype_width(tg_bytes_str(declared->dtype));
	TG_REQUIRE(width != 0, err, TG_E_INTERNAL, "no width for dtype %s", declared->dtype);
	TG_REQUIRE(size_of(given, width, &size) && size == given->size, err, TG_E_USAGE,
	    "input '%s': %zu bytes given, which its shape and dtype do not come to", declared->name,
	    given->size);
	TG_REQUIRE(given->size == 0 || given->data != NULL, err, TG_E_USAGE, "input '%s': no data",
	    declared->name);
	TG_REQUIRE((uintptr_t)given->data % width == 0, err, TG_E_USAGE,
	    "input '%s': data is not aligned to the %zu bytes of an element", declared->name,
	    width);
	return TG_OK;
}

/* All names for a message: "'input', 'state', 'sr'", cut where it does not fit. */
static void
names_text(char *out, size_t size, const struct tg_ports *ports)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < ports->n_in && at < size; i++) {
		int n =
		    snprintf(out + at, size - at, "%s'%s'", i == 0 ? "" : ", ", ports->in[i].name);

		at += n > 0 ? (size_t)n : 0;
	}
}

static size_t
input_index(const struct tg_ports *ports, const char *name)
{
	size_t i = 0;

	while (i < ports->n_in && strcmp(ports->in[i].name, name) != 0)
		i++;
	return i;
}

/* The given inputs, checked, in the model's order. sorted: room for n_in. */
static tg_status
inputs_sort(const struct tg_ports *ports, const struct tg_tensor_view *inputs, size_t n,
    struct tg_tensor_view *sorted, struct tg_error *err)
{
	bool have[TG_MAX_RUN_TENSORS] = { false };
	char names[256];

	for (size_t k = 0; k < n; k++) {
		size_t i =
		    inputs[k].name != NULL ? input_index(ports, inputs[k].name) : ports->n_in;

		if (i == ports->n_in) {
			names_text(names, sizeof(names), ports);
			return tg_fail(err, TG_E_USAGE,
			    "input number %zu has a name that the model does not know; it takes %s",
			    k, names);
		}
		TG_REQUIRE(
		    !have[i], err, TG_E_USAGE, "input '%s' is given twice", ports->in[i].name);
		TG_TRY(input_check(&inputs[k], &ports->in[i], err));
		have[i] = true;
		sorted[i] = inputs[k];
	}
	for (size_t i = 0; i < ports->n_in; i++)
		TG_REQUIRE(have[i], err, TG_E_USAGE, "input '%s' is missing", ports->in[i].name);
	return TG_OK;
}

tg_status
tg_session_run(struct tg_session *s, const struct tg_tensor_view *inputs, size_t n_inputs,
    struct tg_tensor_view *outputs, size_t n_outputs, struct tg_error *err)
{
	struct tg_tensor_view sorted[TG_MAX_RUN_TENSORS] = { 0 };

	TG_REQUIRE(n_outputs == s->ports->n_out, err, TG_E_USAGE,
	    "room for %zu outputs, the model has %zu", n_outputs, s->ports->n_out);
	TG_TRY(inputs_sort(s->ports, inputs, n_inputs, sorted, err));
	return s->backend->run(s->model, sorted, outputs, err);
}
