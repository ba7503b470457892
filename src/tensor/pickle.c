#include "tensor/pickle.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <tensorguard/limits.h>

#include "tensor/format.h"
#include "tensor/inflate.h"
#include "tensor/keras.h"
#include "tensor/npy.h"
#include "tensor/opcode.h"
#include "tensor/slice.h"
#include "tensor/tar.h"
#include "tensor/zip.h"
#include "util/try.h"

/* A zip in a zip is opened, a zip in that is not. */
#define DEPTH_MAX 2u

/* One answer in the making. */
struct hunt {
	char reason[TG_CODE_REASON_LEN];
	bool found;
	uint64_t budget; /* bytes that may still be inflated */
	struct tg_error *err;
};

/* A file, or what stands in one. */
struct thing {
	const struct tg_source *src;
	tg_bytes path;
	const struct thing *in; /* NULL for the file itself */
	unsigned depth;
	const struct tg_inflate *packed; /* NULL unless src inflates: going back costs much then */
};

typedef tg_status look_fn(struct hunt *h, const struct thing *t);

/* "member 'a.zip' member 'x.pkl': ", outermost first; odd bytes of names are not shown. */
static void
where_put(struct hunt *h, const struct thing *t)
{
	size_t at;

	if (t->in == NULL)
		return;
	where_put(h, t->in);
	at = strlen(h->reason);
	(void)snprintf(h->reason + at, sizeof(h->reason) - at, "member '%.*s' ",
	    (int)(t->path.n < 40 ? t->path.n : 40), (const char *)t->path.p);
	for (; h->reason[at] != '\0'; at++)
		if (h->reason[at] < 0x20 || h->reason[at] > 0x7e)
			h->reason[at] = '?';
}

static void found(struct hunt *h, const struct thing *t, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
found(struct hunt *h, const struct thing *t, const char *fmt, ...)
{
	size_t at;
	va_list ap;

	where_put(h, t);
	at = strlen(h->reason);
	va_start(ap, fmt);
	(void)vsnprintf(h->reason + at, sizeof(h->reason) - at, fmt, ap);
	va_end(ap);
	h->found = true;
}

/* What kind of pickle it is, in words. */
static void
pickle_found(struct hunt *h, const struct thing *t, const struct tg_opcodes *w, const char *kind)
{
	if (w->unfinished)
		found(h, t, "%sis a pickle of more than %" PRIu64 " opcodes", kind, w->count);
	else if (!w->stopped)
		found(h, t, "%sis a pickle that imports and calls, then breaks at byte %" PRIu64,
		    kind, w->end);
	else if (w->protocol < 0)
		found(h, t, "%sis a pickle without a protocol, to STOP at byte %" PRIu64, kind,
		    w->end);
	else
		found(h, t,
		    "%sis a pickle of protocol %d (opcodes walk to STOP at byte %" PRIu64 ")", kind,
		    w->protocol, w->end);
}

/* `kind` says what else is to be known about it. */
static tg_status
look_for_opcodes(struct hunt *h, const struct thing *t, const char *kind)
{
	struct tg_opcodes w = { 0 };

	TG_TRY(tg_opcodes_walk(t->src, &w, h->err));
	if (t->packed != NULL && w.reached > tg_inflate_end(t->packed))
		w.unfinished = false; /* a line that goes on in the zeros behind the stream */
	if (tg_opcodes_are_pickle(&w))
		pickle_found(h, t, &w, kind);
	return TG_OK;
}

static tg_status
look_for_pickle(struct hunt *h, const struct thing *t)
{
	return look_for_opcodes(h, t, "");
}

/* joblib and pandas open these by what they start with. */
static tg_status
look_for_packed_pickle(struct hunt *h, const struct thing *t)
{
	TG_AUTO(tg_inflate_freep) struct tg_inflate *z = NULL;
	struct thing inner = *t;
	uint64_t head = 0, most = 0;
	struct tg_window in;

	if (t->depth > 0 || t->src->size < 2)
		return TG_OK;
	tg_window_init(&in, t->src);
	TG_TRY(tg_window_le(&in, 0, 2, &head, h->err));
	if (head != 0x8b1f && !((head & 0x0f) == 8 && ((head & 0xff) << 8 | head >> 8) % 31 == 0))
		return TG_OK;
	most = tg_inflate_most(t->src->size);
	TG_TRY(tg_inflate_new(t->src, 0, t->src->size,
	    most < TG_MAX_INFLATED / 2 ? most : TG_MAX_INFLATED / 2, TG_INFLATE_AUTO, &h->budget,
	    &z, h->err));
	struct tg_source src = tg_inflate_source(z);
	inner.src = &src;
	inner.packed = z;
	return look_for_opcodes(h, &inner, "what is compressed in it ");
}

static tg_status
look_for_objects(struct hunt *h, const struct thing *t)
{
	bool objects = false;

	TG_TRY(tg_npy_has_objects(t->src, &objects, h->err));
	if (objects)
		found(h, t, "is a .npy array of Python objects, which is a pickle");
	return TG_OK;
}

/* Weights alone: Keras reads no description out of this member of its archives. */
static bool
is_keras_weights(const struct thing *t)
{
	return t->in != NULL && tg_bytes_equal(t->path, tg_bytes_str("model.weights.h5"));
}

static tg_status
may_be_keras(const struct thing *t, bool *ret, struct tg_error *err)
{
	*ret = tg_path_ends(t->path, ".json") ||
	    tg_bytes_equal(tg_path_base(t->path), tg_bytes_str("keras_metadata.pb"));
	if (*ret || is_keras_weights(t))
		return TG_OK;
	if (t->packed == NULL)
		return tg_hdf5_probe(t->src, ret, err);
	/* HDF5 may start late, but to look there would mean to inflate everything */
	*ret = tg_path_ends(t->path, ".h5") || tg_path_ends(t->path, ".hdf5");
	return TG_OK;
}

static tg_status
look_for_lambda(struct hunt *h, const struct thing *t)
{
	const char *name = NULL;
	bool may = false;

	TG_TRY(may_be_keras(t, &may, h->err));
	if (!may)
		return TG_OK;
	TG_TRY(tg_keras_find_code(t->src, &name, h->err));
	if (name != NULL)
		found(h, t, "is a Keras model with a layer of class %s, which holds Python code",
		    name);
	return TG_OK;
}

static bool
named_like_code(tg_bytes path, const char *const *ends, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (tg_path_ends(path, ends[i]))
			return true;
	return false;
}

static tg_status look(struct hunt *h, const struct thing *t);

/* A member: by its name, then by its contents. */
static tg_status
look_at_member(struct hunt *h, const struct thing *t)
{
	static const char *const ends[] = { ".pkl", ".pickle", ".pt", ".pth", ".joblib" };

	if (!named_like_code(t->path, ends, TG_LEN(ends)))
		return look(h, t);
	found(h, t, "is by its name a pickle");
	return TG_OK;
}

static void
memory_free(uint8_t **p)
{
	free(*p);
}

/* The directory is at the end, so the whole of it has to come out. */
static tg_status
look_at_packed_zip(struct hunt *h, const struct thing *t)
{
	TG_AUTO(memory_free) uint8_t *p = NULL;

	if (t->src->size > TG_MAX_NESTED_ZIP) {
		found(h, t, "is a zip too large to look into: %" PRIu64 " bytes", t->src->size);
		return TG_OK;
	}
	p = malloc((size_t)t->src->size);
	TG_REQUIRE(p != NULL, h->err, TG_E_NOMEM, "no memory for a zip in a zip");
	TG_TRY(t->src->read_at(t->src->ctx, p, (size_t)t->src->size, 0, h->err));
	tg_bytes view = { p, (size_t)t->src->size };
	struct tg_source src = tg_source_bytes(&view);
	struct thing inner = *t;
	inner.src = &src;
	inner.packed = NULL;
	return look_at_member(h, &inner);
}

static tg_status
look_at_deflated(struct hunt *h, struct thing *t, const struct tg_source *zip, uint64_t data,
    const struct tg_zip_member *m)
{
	TG_AUTO(tg_inflate_freep) struct tg_inflate *z = NULL;
	struct tg_source src;
	bool nested = false;

	TG_TRY(
	    tg_inflate_new(zip, data, m->packed, m->size, TG_INFLATE_RAW, &h->budget, &z, h->err));
	src = tg_inflate_source(z);
	t->src = &src;
	t->packed = z;
	TG_TRY(tg_zip_probe(&src, &nested, h->err));
	return nested && t->depth < DEPTH_MAX ? look_at_packed_zip(h, t) : look_at_member(h, t);
}

static tg_status
look_at_zip_member(struct hunt *h, const struct thing *in, struct tg_zip *z,
    const struct tg_zip_member *m)
{
	struct thing t = { .path = { (const uint8_t *)m->name, m->name_len },
		.in = in,
		.depth = in->depth + 1 };
	struct tg_slice slice;
	struct tg_source src;
	uint64_t data = 0;

	TG_TRY(tg_zip_data(z, m, &data, h->err));
	if (m->encrypted || (m->method != TG_ZIP_STORED && m->method != TG_ZIP_DEFLATED)) {
		found(h, &t, "cannot be looked into: %s",
		    m->encrypted ? "it is encrypted" : "neither stored nor deflated");
		return TG_OK;
	}
	if (m->method == TG_ZIP_DEFLATED)
		return look_at_deflated(h, &t, in->src, data, m);
	TG_TRY(tg_slice_source(&slice, in->src, data, m->packed, &src, h->err));
	t.src = &src;
	return look_at_member(h, &t);
}

static tg_status
look_at_zip_members(struct hunt *h, const struct thing *t, struct tg_zip *z)
{
	struct tg_zip_member m;

	while (tg_zip_more(z) && !h->found) {
		TG_TRY(tg_zip_next(z, &m, h->err));
		TG_TRY(look_at_zip_member(h, t, z, &m));
	}
	return TG_OK;
}

/* Every directory that some reader could take for the archive's. */
static tg_status
look_into_zip(struct hunt *h, const struct thing *t)
{
	bool there = false, any = false, starts = false;
	uint64_t before = t->src->size;
	struct tg_zip z;

	TG_TRY(tg_zip_probe(t->src, &starts, h->err));
	if (t->packed != NULL || t->depth >= DEPTH_MAX) {
		if (starts)
			found(h, t, "is a zip, too deep inside others to look into");
		return TG_OK;
	}
	for (unsigned i = 0; !h->found; i++) {
		TG_TRY(tg_zip_open(t->src, before, &z, &there, h->err));
		if (!there)
			break;
		TG_REQUIRE(i < TG_MAX_ZIP_DIRECTORIES, h->err, TG_E_LIMIT,
		    "more than %u zip directories", TG_MAX_ZIP_DIRECTORIES);
		any = true;
		TG_TRY(look_at_zip_members(h, t, &z));
		before = z.end_record;
	}
	TG_REQUIRE(any || !starts, h->err, TG_E_FORMAT,
	    "offset 0: a zip without a readable directory");
	return TG_OK;
}

/* PyTorch's first format, and NeMo's. */
static tg_status
look_into_tar(struct hunt *h, const struct thing *in)
{
	struct tg_tar_member m;
	struct tg_tar tar;
	bool more = false;

	if (in->depth > 0)
		return TG_OK;
	tg_tar_init(&tar, in->src); /* what is no tar has no first member */
	while (!h->found) {
		struct thing t = { .in = in, .depth = in->depth + 1 };
		struct tg_slice slice;
		struct tg_source src;

		TG_TRY(tg_tar_next(&tar, &m, &more, h->err));
		if (!more)
			break;
		TG_TRY(tg_slice_source(&slice, in->src, m.offset, m.size, &src, h->err));
		t.src = &src;
		t.path = tg_bytes_str(m.name);
		TG_TRY(look_at_member(h, &t));
	}
	return TG_OK;
}

/* Last: a name that promises a pickle, on contents that are nothing else. */
static tg_status
look_at_name(struct hunt *h, const struct thing *t)
{
	static const char *const ends[] = { ".pkl", ".pickle", ".p", ".pt", ".pth", ".ckpt",
		".joblib", ".sav", ".dill" };
	static const char *const safe[] = { "safetensors", "onnx", "npy", "npz", "tflite", "hdf5",
		"keras", "zip", "gguf" };
	const char *kind = NULL;

	if (t->in != NULL || !named_like_code(t->path, ends, TG_LEN(ends)))
		return TG_OK;
	kind = tg_format_sniff(t->src, t->path);
	for (size_t i = 0; kind != NULL && i < TG_LEN(safe); i++)
		if (strcmp(kind, safe[i]) == 0)
			return TG_OK;
	found(h, t, "is by its name a pickle, and no format known to be safe");
	return TG_OK;
}

static tg_status
look(struct hunt *h, const struct thing *t)
{
	static look_fn *const looks[] = { look_for_pickle, look_for_objects, look_into_zip,
		look_into_tar, look_for_lambda, look_for_packed_pickle, look_at_name };

	for (size_t i = 0; i < TG_LEN(looks) && !h->found; i++)
		TG_TRY(looks[i](h, t));
	return TG_OK;
}

tg_status
tg_code_find(const struct tg_source *src, tg_bytes path, char reason[static TG_CODE_REASON_LEN],
    bool *ret_found, struct tg_error *err)
{
	struct hunt h = { .budget = TG_MAX_INFLATED, .err = err };
	struct thing file = { .src = src, .path = path };

	TG_TRY(look(&h, &file));
	if (h.found)
		memcpy(reason, h.reason, sizeof(h.reason));
	*ret_found = h.found;
	return TG_OK;
}
