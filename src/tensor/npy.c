#include "tensor/npy.h"

#include <inttypes.h>
#include <stdio.h>

#include "tensor/dtype.h"
#include "tensor/window.h"
#include "util/try.h"

#define MAGIC     "\x93NUMPY"
#define MAGIC_LEN 6u
#define ALIGN     64u

/* What NumPy calls our types. One-byte types have no byte order: '|'. */
static const struct {
	const char *descr;
	const char *dtype;
} types[] = {
	{ "|b1", "BOOL" },
	{ "|u1", "U8" },
	{ "|i1", "I8" },
	{ "<u2", "U16" },
	{ "<i2", "I16" },
	{ "<f2", "F16" },
	{ "<u4", "U32" },
	{ "<i4", "I32" },
	{ "<f4", "F32" },
	{ "<u8", "U64" },
	{ "<i8", "I64" },
	{ "<f8", "F64" },
};

/* The header's text, and where it starts in the file. */
struct header {
	struct tg_buf text;
	uint64_t offset;
};

static void
header_done(struct header *h)
{
	tg_buf_done(&h->text);
}

static tg_status
header_read(const struct tg_source *src, struct header *ret, struct tg_error *err)
{
	struct tg_window w;
	uint64_t version = 0, len = 0;
	bool magic = false;
	uint8_t *p = NULL;

	tg_window_init(&w, src);
	TG_TRY(tg_window_match(&w, 0, tg_bytes_str(MAGIC), &magic, err));
	TG_REQUIRE(magic, err, TG_E_FORMAT, "offset 0: the magic of a .npy file is expected");
	TG_TRY(tg_window_le(&w, MAGIC_LEN, 2, &version, err));
	TG_REQUIRE(version >= 1 && version <= 3, err, TG_E_FORMAT,
	    "offset 6: version %u.%u, 1.0 to 3.0 expected", (unsigned)(version & 0xff),
	    (unsigned)(version >> 8));
	size_t width = version == 1 ? 2 : 4;
	TG_TRY(tg_window_le(&w, MAGIC_LEN + 2, width, &len, err));
	TG_REQUIRE(len <= TG_MAX_NPY_HEADER, err, TG_E_LIMIT,
	    "offset 8: a header of %" PRIu64 " bytes, at most %u expected", len,
	    TG_MAX_NPY_HEADER);
	ret->offset = MAGIC_LEN + 2 + width;
	tg_buf_init(&ret->text, TG_MAX_NPY_HEADER);
	TG_REQUIRE(tg_buf_grow(&ret->text, (size_t)len, &p) == TG_OK, err, TG_E_NOMEM,
	    "no memory for a header");
	return tg_window_read(&w, ret->offset, p, (size_t)len, err);
}

/* The rest of a Python literal. Its position in the file is base + (whole - left). */
struct literal {
	struct tg_reader in;
	uint64_t base;
};

static uint64_t
where(const struct literal *l)
{
	return l->base + l->in.at;
}

/* The next byte that is no space, not consumed; 0 at the end. */
static uint8_t
peek(struct literal *l)
{
	while (tg_reader_left(&l->in) > 0 && l->in.in.p[l->in.at] == ' ')
		l->in.at++;
	return tg_reader_left(&l->in) > 0 ? l->in.in.p[l->in.at] : 0;
}

/* Consume c if it is next. */
static bool
accept(struct literal *l, char c)
{
	if (peek(l) != (uint8_t)c)
		return false;
	l->in.at++;
	return true;
}

static tg_status
need(struct literal *l, char c, struct tg_error *err)
{
	TG_REQUIRE(accept(l, c), err, TG_E_FORMAT,
	    "offset %" PRIu64 ": '%c' expected in the header", where(l), c);
	return TG_OK;
}

/* A quoted string of at most 15 plain characters. */
static tg_status
string_get(struct literal *l, char ret[static 16], struct tg_error *err)
{
	uint8_t quote = peek(l), c = 0;
	size_t n = 0;

	TG_REQUIRE(quote == '\'' || quote == '"', err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a quoted string expected in the header", where(l));
	l->in.at++;
	for (;;) {
		TG_TRY(tg_reader_u8(&l->in, &c));
		if (c == quote)
			break;
		TG_REQUIRE(c > 0x20 && c < 0x7f && c != '\\' && n < 15, err, TG_E_FORMAT,
		    "offset %" PRIu64 ": a short plain string expected in the header", where(l));
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return TG_OK;
}

static tg_status
order_get(struct literal *l, bool *ret_fortran, struct tg_error *err)
{
	static const struct {
		const char *word;
		bool fortran;
	} words[] = { { "False", false }, { "True", true } };

	(void)peek(l);
	for (size_t i = 0; i < TG_LEN(words); i++) {
		tg_bytes want = tg_bytes_str(words[i].word);
		tg_bytes there = { l->in.in.p + l->in.at, want.n };

		if (tg_reader_left(&l->in) >= want.n && tg_bytes_equal(there, want)) {
			l->in.at += want.n;
			*ret_fortran = words[i].fortran;
			return TG_OK;
		}
	}
	return tg_fail(err, TG_E_FORMAT, "offset %" PRIu64 ": True or False expected in the header",
	    where(l));
}

static tg_status
number_get(struct literal *l, uint64_t *ret, struct tg_error *err)
{
	uint64_t start, v = 0;
	bool fits = true;

	TG_REQUIRE(peek(l) >= '0' && peek(l) <= '9', err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a number expected in the header", where(l));
	start = where(l);
	for (uint8_t c = peek(l); tg_reader_left(&l->in) > 0 && c >= '0' && c <= '9';) {
		fits = fits && tg_mul_u64(v, 10, &v) && tg_add_u64(v, (uint64_t)(c - '0'), &v);
		l->in.at++;
		c = tg_reader_left(&l->in) > 0 ? l->in.in.p[l->in.at] : 0;
	}
	TG_REQUIRE(fits && v <= (uint64_t)TG_MAX_JSON_INT, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a dimension above 2^53-1", start);
	*ret = v;
	return TG_OK;
}

/* (), (3,), (3, 4) and (3, 4,); but (3) is a number in brackets, not a tuple. */
static tg_status
shape_get(struct literal *l, struct tg_npy *npy, struct tg_error *err)
{
	bool comma = true;

	TG_TRY(need(l, '(', err));
	npy->rank = 0;
	while (!accept(l, ')')) {
		TG_REQUIRE(comma, err, TG_E_FORMAT,
		    "offset %" PRIu64 ": ',' expected in the header", where(l));
		TG_REQUIRE(npy->rank < TG_MAX_TENSOR_RANK, err, TG_E_LIMIT,
		    "offset %" PRIu64 ": more than %u dimensions", where(l), TG_MAX_TENSOR_RANK);
		TG_TRY(number_get(l, &npy->shape[npy->rank], err));
		npy->rank++;
		comma = accept(l, ',');
	}
	TG_REQUIRE(npy->rank != 1 || comma, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a tuple expected in the header, not a number", where(l));
	return TG_OK;
}

/* NumPy evaluates the header as a Python literal: a backslash can spell any letter, and types can
 * be named deep inside a list, or as 'object'. The regular keys and values have no 'O'. */
static bool
may_name_objects(tg_bytes text)
{
	return text.n > 0 && (memchr(text.p, 'O', text.n) != NULL ||
				 memchr(text.p, '\\', text.n) != NULL ||
				 memmem(text.p, text.n, "object", 6) != NULL);
}

/* Python objects first: their refusal must not read as a missing feature. */
static tg_status
descr_get(struct literal *l, struct tg_npy *npy, struct tg_error *err)
{
	char descr[16] = "";
	const char *base = descr;

	TG_REQUIRE(peek(l) != '[' || !may_name_objects(l->in.in), err, TG_E_POLICY,
	    "offset %" PRIu64 ": an array of structures with Python objects is a pickle", where(l));
	TG_REQUIRE(peek(l) != '[', err, TG_E_UNSUPPORTED,
	    "offset %" PRIu64 ": an array of structures", where(l));
	TG_TRY(string_get(l, descr, err));
	if (strchr("<>|=", descr[0]) != NULL && descr[0] != '\0')
		base++;
	TG_REQUIRE(base[0] != 'O', err, TG_E_POLICY,
	    "offset %" PRIu64 ": an array of Python objects is a pickle", where(l));
	for (size_t i = 0; i < TG_LEN(types); i++)
		if (strcmp(descr, types[i].descr) == 0) {
			memcpy(npy->dtype, types[i].dtype, strlen(types[i].dtype) + 1);
			return TG_OK;
		}
	return tg_fail(err, TG_E_UNSUPPORTED,
	    "offset %" PRIu64 ": type '%s'; little-endian numbers and bool can be read", where(l),
	    descr);
}

/* The dict: three keys in any order, each once. */
static tg_status
dict_get(struct literal *l, struct tg_npy *npy, bool *fortran, struct tg_error *err)
{
	static const char *const keys[] = { "descr", "fortran_order", "shape" };
	bool seen[TG_LEN(keys)] = { false }, comma = true;
	char key[16] = "";

	TG_TRY(need(l, '{', err));
	while (!accept(l, '}')) {
		size_t k = 0;

		TG_REQUIRE(comma, err, TG_E_FORMAT,
		    "offset %" PRIu64 ": ',' expected in the header", where(l));
		TG_TRY(string_get(l, key, err));
		TG_TRY(need(l, ':', err));
		while (k < TG_LEN(keys) && strcmp(key, keys[k]) != 0)
			k++;
		TG_REQUIRE(k < TG_LEN(keys) && !seen[k], err, TG_E_FORMAT,
		    "offset %" PRIu64 ": key '%s'; descr, fortran_order, shape expected, each once",
		    where(l), key);
		seen[k] = true;
		TG_TRY(k == 0 ? descr_get(l, npy, err)
			: k == 1 ? order_get(l, fortran, err)
				 : shape_get(l, npy, err));
		comma = accept(l, ',');
	}
	TG_REQUIRE(seen[0] && seen[1] && seen[2], err, TG_E_FORMAT,
	    "offset %" PRIu64 ": descr, fortran_order and shape expected in the header", where(l));
	return TG_OK;
}

/* Spaces, then one line feed, end the header. */
static tg_status
header_parse(const struct header *h, struct tg_npy *npy, struct tg_error *err)
{
	struct literal l = { .base = h->offset };
	bool fortran = false;

	tg_reader_init(&l.in, tg_buf_view(&h->text), err);
	TG_TRY(dict_get(&l, npy, &fortran, err));
	TG_TRY(need(&l, '\n', err));
	TG_TRY(tg_reader_end(&l.in));
	TG_REQUIRE(!fortran, err, TG_E_UNSUPPORTED,
	    "offset %" PRIu64 ": Fortran order; C order can be read", h->offset);
	return TG_OK;
}

tg_status
tg_npy_scan(const struct tg_source *src, struct tg_npy *ret, struct tg_error *err)
{
	TG_AUTO(header_done) struct header h = { .offset = 0 };
	struct tg_npy npy = { .rank = 0 };

	TG_TRY(header_read(src, &h, err));
	TG_TRY(header_parse(&h, &npy, err));
	npy.offset = h.offset + h.text.n;
	TG_REQUIRE(tg_dtype_size(tg_bytes_str(npy.dtype), npy.rank, npy.shape, &npy.size), err,
	    TG_E_FORMAT, "offset %" PRIu64 ": a shape of more than 2^64 bytes", h.offset);
	TG_REQUIRE(npy.size == src->size - npy.offset, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": %" PRIu64 " bytes of data, %" PRIu64 " expected", npy.offset,
	    src->size - npy.offset, npy.size);
	*ret = npy;
	return TG_OK;
}

/* The dict of a header, without padding. */
static tg_status
dict_put(const char *descr, unsigned rank, const uint64_t *shape, struct tg_buf *b)
{
	char dim[24];

	TG_TRY(tg_buf_put_str(b, "{'descr': '"));
	TG_TRY(tg_buf_put_str(b, descr));
	TG_TRY(tg_buf_put_str(b, "', 'fortran_order': False, 'shape': ("));
	for (unsigned i = 0; i < rank; i++) {
		(void)snprintf(dim, sizeof(dim), i == 0 ? "%" PRIu64 : " %" PRIu64, shape[i]);
		TG_TRY(tg_buf_put_str(b, dim));
		if (i + 1 < rank || rank == 1)
			TG_TRY(tg_buf_put_str(b, ","));
	}
	return tg_buf_put_str(b, "), }");
}

static tg_status
header_put(const char *descr, unsigned rank, const uint64_t *shape, struct tg_buf *b)
{
	static const uint8_t version[] = { 1, 0 };

	TG_TRY(tg_buf_put_str(b, MAGIC));
	TG_TRY(tg_buf_put(b, version, sizeof(version)));
	TG_TRY(tg_buf_put(b, "\0", 2)); /* the length, known below */
	TG_TRY(dict_put(descr, rank, shape, b));
	while (b->n % ALIGN != ALIGN - 1)
		TG_TRY(tg_buf_put_u8(b, ' '));
	TG_TRY(tg_buf_put_u8(b, '\n'));
	b->p[8] = (uint8_t)(b->n - 10);
	b->p[9] = (uint8_t)((b->n - 10) >> 8);
	return TG_OK;
}

tg_status
tg_npy_header(const char *dtype, unsigned rank, const uint64_t *shape, struct tg_buf *out,
    struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf b = { .max = 512 };
	const char *descr = NULL;

	for (size_t i = 0; i < TG_LEN(types); i++)
		if (strcmp(dtype, types[i].dtype) == 0)
			descr = types[i].descr;
	TG_REQUIRE(descr != NULL, err, TG_E_UNSUPPORTED, "NumPy has no type for %s", dtype);
	TG_REQUIRE(rank <= TG_MAX_TENSOR_RANK, err, TG_E_LIMIT,
	    "%u dimensions, at most %u expected", rank, TG_MAX_TENSOR_RANK);
	if (header_put(descr, rank, shape, &b) != TG_OK)
		return tg_fail(err, TG_E_NOMEM, "no memory for a .npy header");
	tg_status s = tg_buf_put(out, b.p, b.n);
	TG_REQUIRE(s == TG_OK, err, s, "no room for a .npy header of %zu bytes", b.n);
	return TG_OK;
}

bool
tg_npy_probe(const struct tg_source *src)
{
	struct tg_window w;
	bool magic = false;

	tg_window_init(&w, src);
	return tg_window_match(&w, 0, tg_bytes_str(MAGIC), &magic, NULL) == TG_OK && magic;
}

tg_status
tg_npy_has_objects(const struct tg_source *src, bool *ret, struct tg_error *err)
{
	TG_AUTO(header_done) struct header h = { .offset = 0 };
	tg_status s = header_read(src, &h, err);

	if (s == TG_E_FORMAT || s == TG_E_LIMIT) {
		*ret = s == TG_E_LIMIT; /* NumPy reads a longer header when it may unpickle */
		return TG_OK;
	}
	TG_TRY(s);
	*ret = may_name_objects(tg_buf_view(&h.text));
	return TG_OK;
}
