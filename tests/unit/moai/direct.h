/* tests/unit/moai/direct.h - the silero model through ONNX Runtime's C API, with nothing of ours in
 * between: what our results are compared with, bit for bit. */
#ifndef TG_TESTS_MOAI_DIRECT_H
#define TG_TESTS_MOAI_DIRECT_H

#include <dlfcn.h>
#include <math.h>
#include <onnxruntime_c_api.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL  ".deps/models/silero/silero_vad.onnx"
#define WINDOW 576 /* samples the model sees at once: 64 of context and 512 new ones */

struct frame {
	float x[WINDOW];
	float state[2 * 128];
	int64_t rate;
};

/* Something that moves: a sweep under a swelling envelope, with the context carried along. */
static inline void
frame_fill(struct frame *f, int k)
{
	memmove(f->x, f->x + 512, 64 * sizeof(f->x[0]));
	for (int i = 0; i < 512; i++) {
		float t = (float)(k * 512 + i) / 16000.0f;

		f->x[64 + i] =
		    0.4f * sinf(3 * t) * sinf(2000 * t + 900 * t * t) * (1 + sinf(150 * t));
	}
}

/* The model straight through the C API. */
struct direct {
	void *library;
	const OrtApi *g;
	OrtEnv *env;
	OrtSession *session;
	OrtMemoryInfo *cpu;
};

static inline void
must(const struct direct *d, OrtStatus *st)
{
	if (st == NULL)
		return;
	printf("Bail out! %s\n", d->g->GetErrorMessage(st));
	exit(1);
}

static inline void
direct_open(struct direct *d, const char *library, const char *model)
{
	typedef const OrtApiBase *get_base_fn(void);
	OrtSessionOptions *o = NULL;

	d->library = dlopen(library, RTLD_NOW | RTLD_NODELETE);
	get_base_fn *base = (get_base_fn *)dlsym(d->library, "OrtGetApiBase");
	d->g = base()->GetApi(ORT_API_VERSION);
	must(d, d->g->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "direct", &d->env));
	must(d, d->g->CreateSessionOptions(&o));
	must(d, d->g->SetIntraOpNumThreads(o, 1));
	must(d, d->g->CreateSession(d->env, model, o, &d->session));
	must(d, d->g->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &d->cpu));
	d->g->ReleaseSessionOptions(o);
}

static inline void
direct_close(struct direct *d)
{
	d->g->ReleaseMemoryInfo(d->cpu);
	d->g->ReleaseSession(d->session);
	d->g->ReleaseEnv(d->env);
	(void)dlclose(d->library);
}

static inline float
direct_run(struct direct *d, struct frame *f)
{
	static const char *const in[] = { "input", "state", "sr" },
				 *const out[] = { "output", "stateN" };
	static const int64_t x_shape[] = { 1, WINDOW }, state_shape[] = { 2, 1, 128 };
	OrtValue *v[3] = { NULL }, *r[2] = { NULL };
	void *p = NULL;
	float answer;

	must(d,
	    d->g->CreateTensorWithDataAsOrtValue(d->cpu, f->x, sizeof(f->x), x_shape, 2,
		ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v[0]));
	must(d,
	    d->g->CreateTensorWithDataAsOrtValue(d->cpu, f->state, sizeof(f->state), state_shape, 3,
		ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v[1]));
	must(d,
	    d->g->CreateTensorWithDataAsOrtValue(
		d->cpu, &f->rate, 8, NULL, 0, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, &v[2]));
	must(d, d->g->Run(d->session, NULL, in, (const OrtValue *const *)v, 3, out, 2, r));
	must(d, d->g->GetTensorMutableData(r[0], &p));
	memcpy(&answer, p, sizeof(answer));
	must(d, d->g->GetTensorMutableData(r[1], &p));
	memcpy(f->state, p, sizeof(f->state));
	for (int i = 0; i < 3; i++)
		d->g->ReleaseValue(v[i]);
	for (int i = 0; i < 2; i++)
		d->g->ReleaseValue(r[i]);
	return answer;
}

#endif
