#include "tensor/format.h"

#include <string.h>

#include "tensor/npy.h"
#include "tensor/onnx.h"
#include "tensor/opcode.h"
#include "tensor/protobuf.h"
#include "tensor/safetensors.h"
#include "tensor/zip.h"
#include "util/text.h"
#include "util/try.h"

static bool
fold_equal(uint8_t a, uint8_t b)
{
	a = a >= 'A' && a <= 'Z' ? (uint8_t)(a + 32) : a;
	b = b >= 'A' && b <= 'Z' ? (uint8_t)(b + 32) : b;
	return a == b;
}

bool
tg_path_ends(tg_bytes path, const char *end)
{
	size_t n = strlen(end);

	if (path.n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!fold_equal(path.p[path.n - n + i], (uint8_t)end[i]))
			return false;
	return true;
}

tg_bytes
tg_path_base(tg_bytes path)
{
	size_t at = path.n;

	while (at > 0 && path.p[at - 1] != '/')
		at--;
	return (tg_bytes){ path.n == 0 ? path.p : path.p + at, path.n - at };
}

static bool
has_at(const struct tg_source *src, uint64_t offset, const char *want)
{
	struct tg_window w;
	bool same = false;

	tg_window_init(&w, src);
	return tg_window_match(&w, offset, tg_bytes_str(want), &same, NULL) == TG_OK && same;
}

tg_status
tg_hdf5_probe(const struct tg_source *src, bool *ret, struct tg_error *err)
{
	tg_bytes sign = tg_bytes_str("\x89HDF\r\n\x1a\n");
	struct tg_window w;
	bool there = false;

	tg_window_init(&w, src);
	TG_TRY(tg_window_match(&w, 0, sign, &there, err));
	for (uint64_t at = 512; at < src->size && !there; at *= 2)
		TG_TRY(tg_window_match(&w, at, sign, &there, err));
	*ret = there;
	return TG_OK;
}

/* What the members of a zip say about it. */
struct contents {
	size_t members, npy;
	bool config, weights, data_pkl;
};

static void
member_note(const struct tg_zip_member *m, struct contents *c)
{
	tg_bytes name = { (const uint8_t *)m->name, m->name_len };

	c->members++;
	c->npy += tg_path_ends(name, ".npy");
	c->config = c->config || tg_bytes_equal(name, tg_bytes_str("config.json"));
	c->weights = c->weights || tg_bytes_equal(name, tg_bytes_str("model.weights.h5"));
	c->data_pkl = c->data_pkl || tg_bytes_equal(tg_path_base(name), tg_bytes_str("data.pkl"));
}

static const char *
zip_kind(const struct tg_source *src)
{
	struct contents c = { .members = 0 };
	struct tg_zip_member m;
	struct tg_zip z;
	bool found = false;

	if (tg_zip_probe(src, &found, NULL) != TG_OK || !found ||
	    tg_zip_open(src, src->size, &z, &found, NULL) != TG_OK || !found)
		return NULL;
	while (tg_zip_more(&z)) {
		if (tg_zip_next(&z, &m, NULL) != TG_OK)
			return NULL;
		member_note(&m, &c);
	}
	if (c.data_pkl)
		return "pytorch-zip";
	if (c.config && c.weights)
		return "keras";
	return c.members > 0 && c.npy == c.members ? "npz" : "zip";
}

static bool
is_pickle(const struct tg_source *src)
{
	struct tg_opcodes w;

	return tg_opcodes_walk(src, &w, NULL) == TG_OK && tg_opcodes_are_pickle(&w);
}

/* saved_model.pb: a schema version, then graphs. */
static bool
is_saved_model(const struct tg_source *src, tg_bytes path)
{
	struct tg_pb_field f = { 0 };
	struct tg_window in;
	struct tg_pb m;

	tg_window_init(&in, src);
	if (!tg_bytes_equal(tg_path_base(path), tg_bytes_str("saved_model.pb")) ||
	    tg_pb_open(&in, &m, NULL) != TG_OK || !tg_pb_more(&m))
		return false;
	while (tg_pb_more(&m))
		if (tg_pb_next(&m, &f, NULL) != TG_OK ||
		    !((f.number == 1 && f.wire == TG_PB_VARINT) ||
			(f.number == 2 && f.wire == TG_PB_BYTES)))
			return false;
	return f.number == 2;
}

/* The first bytes, up to `max` of them; 0 on a failure to read. */
static size_t
head_read(const struct tg_source *src, uint8_t *to, size_t max)
{
	size_t n = src->size < max ? (size_t)src->size : max;

	return n > 0 && src->read_at(src->ctx, to, n, 0, NULL) == TG_OK ? n : 0;
}

static bool
is_json(const struct tg_source *src, tg_bytes path)
{
	uint8_t head[256];
	size_t n = tg_path_ends(path, ".json") ? head_read(src, head, sizeof(head)) : 0, i = 0;

	while (i < n && (head[i] == ' ' || head[i] == '\t' || head[i] == '\n' || head[i] == '\r'))
		i++;
	return i < n && (head[i] == '{' || head[i] == '[');
}

/* Without the last character, which may be cut in two, if it is one of several bytes. */
static size_t
whole_characters(const uint8_t *p, size_t n)
{
	for (unsigned cut = 0; n > 0 && cut < 4 && (p[n - 1] & 0x80) != 0; cut++)
		if ((p[--n] & 0x40) != 0)
			break;
	return n;
}

/* Printable UTF-8 at the start. */
static bool
is_txt(const struct tg_source *src, tg_bytes path)
{
	uint8_t head[1024];
	size_t n = tg_path_ends(path, ".txt") ? head_read(src, head, sizeof(head)) : 0;

	for (size_t i = 0; i < n; i++)
		if ((head[i] < 0x20 && memchr("\t\n\r\f", head[i], 4) == NULL) || head[i] == 0x7f)
			return false;
	if (n < src->size)
		n = whole_characters(head, n);
	return n > 0 && tg_utf8_valid((tg_bytes){ head, n });
}

const char *
tg_format_sniff(const struct tg_source *src, tg_bytes path)
{
	const char *zip = NULL;
	bool hdf5 = false;

	if (tg_npy_probe(src))
		return "npy";
	if (has_at(src, 0, "GGUF"))
		return "gguf";
	if (has_at(src, 4, "TFL3"))
		return "tflite";
	if (tg_safetensors_probe(src))
		return "safetensors";
	zip = zip_kind(src);
	if (zip != NULL)
		return zip;
	if (is_pickle(src))
		return "pickle";
	if (tg_hdf5_probe(src, &hdf5, NULL) == TG_OK && hdf5)
		return "hdf5";
	if (tg_onnx_probe(src))
		return "onnx";
	if (is_saved_model(src, path))
		return "tf-savedmodel";
	if (is_json(src, path))
		return "json";
	return is_txt(src, path) ? "txt" : NULL;
}
