#include "../../tap.h"
#include "make.h"
#include "tensor/npy.h"

static struct made file;

/* A file of version, header text as given, and n bytes of data. */
static void
build(unsigned version, const char *header, size_t n)
{
	file.n = 0;
	put(&file, "\x93NUMPY", 6);
	put_le(&file, version, 2);
	put_le(&file, strlen(header), version == 1 ? 2 : 4);
	put_str(&file, header);
	for (size_t i = 0; i < n; i++)
		put_le(&file, i, 1);
}

static tg_status
scan(struct tg_npy *ret)
{
	SOURCE(src, file.b, file.n);

	return tg_npy_scan(&src, ret, NULL);
}

#define DICT(descr, order, shape)                                                                  \
	"{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }  \n"

static void
good_files(void)
{
	static const struct {
		unsigned version;
		const char *header;
		size_t data;
		const char *dtype;
		unsigned rank;
	} rows[] = {
		{ 1, DICT("'<f4'", "False", "(2, 3)"), 24, "F32", 2 },
		{ 2, DICT("'<f4'", "False", "(2, 3)"), 24, "F32", 2 },
		{ 3, DICT("'<f4'", "False", "(2, 3)"), 24, "F32", 2 },
		{ 1, DICT("'|b1'", "False", "()"), 1, "BOOL", 0 },
		{ 1, DICT("'|u1'", "False", "(3,)"), 3, "U8", 1 },
		{ 1, DICT("'|i1'", "False", "(3 , )"), 3, "I8", 1 },
		{ 1, DICT("'<f2'", "False", "(1, 1, 1, 1, 1, 1, 1, 3,)"), 6, "F16", 8 },
		{ 1, DICT("'<i8'", "False", "(0, 7)"), 0, "I64", 2 },
		{ 1, "{\"shape\":(1,),\"descr\":\"<u2\",\"fortran_order\":False}\n", 2, "U16", 1 },
	};
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tg_npy n = { .rank = 99 };

		build(rows[i].version, rows[i].header, rows[i].data);
		if (scan(&n) != TG_OK || strcmp(n.dtype, rows[i].dtype) != 0 ||
		    n.rank != rows[i].rank || n.size != rows[i].data ||
		    n.offset + n.size != file.n) {
			printf("# row %zu\n", i);
			wrong++;
		}
	}
	OK_NONE(wrong, sizeof(rows) / sizeof(rows[0]), "headers");
}

static void
bad_files(void)
{
	static const struct {
		unsigned version;
		const char *header;
		size_t data;
		tg_status want;
	} rows[] = {
		{ 0, DICT("'<f4'", "False", "(2,)"), 8, TG_E_FORMAT },
		{ 4, DICT("'<f4'", "False", "(2,)"), 8, TG_E_FORMAT },
		{ 0x101, DICT("'<f4'", "False", "(2,)"), 8, TG_E_FORMAT }, /* version 1.1 */
		{ 1, DICT("'<f4'", "False", "(2,)"), 7, TG_E_FORMAT },
		{ 1, DICT("'<f4'", "False", "(2,)"), 9, TG_E_FORMAT },
		{ 1, DICT("'<f4'", "False", "(2)"), 8, TG_E_FORMAT },
		{ 1, DICT("'<f4'", "False", "(-2,)"), 8, TG_E_FORMAT },
		{ 1, DICT("'<f4'", "False", "(2L,)"), 8, TG_E_FORMAT },
		{ 1, DICT("'<f4'", "False", "(2 2,)"), 8, TG_E_FORMAT },
		{ 1, DICT("'<f4'", "False", "(,)"), 4, TG_E_FORMAT },
		{ 1, DICT("'<f4'", "False", "[2]"), 8, TG_E_FORMAT },
		{ 1, DICT("'<f4'", "False", "(9007199254740992,0)"), 0, TG_E_FORMAT },
		{ 1, DICT("'<f4'", "False", "(99999999999999999999999,0)"), 0, TG_E_FORMAT },
		{ 1, DICT("'|u1'", "False", "(4294967296,4294967296)"), 0, TG_E_FORMAT },
		{ 1, DICT("'|u1'", "False", "(1,1,1,1,1,1,1,1,1)"), 1, TG_E_LIMIT },
		{ 1, DICT("'<f4'", "True", "(2,)"), 8, TG_E_UNSUPPORTED },
		{ 1, DICT("'<f4'", "false", "(2,)"), 8, TG_E_FORMAT },
		{ 1, DICT("'<f4'", "0", "(2,)"), 8, TG_E_FORMAT },
		{ 1, DICT("'>f4'", "False", "(2,)"), 8, TG_E_UNSUPPORTED },
		{ 1, DICT("'=f4'", "False", "(2,)"), 8, TG_E_UNSUPPORTED },
		{ 1, DICT("'<c8'", "False", "(1,)"), 8, TG_E_UNSUPPORTED },
		{ 1, DICT("'<U2'", "False", "(1,)"), 8, TG_E_UNSUPPORTED },
		{ 1, DICT("'|V8'", "False", "(1,)"), 8, TG_E_UNSUPPORTED },
		{ 1, DICT("'<M8[ns]'", "False", "(1,)"), 8, TG_E_UNSUPPORTED },
		{ 1, DICT("[('a', '<f4')]", "False", "(2,)"), 8, TG_E_UNSUPPORTED },
		{ 1, DICT("[('a', '|O')]", "False", "(2,)"), 8, TG_E_POLICY },
		{ 1, DICT("'|O'", "False", "(2,)"), 8, TG_E_POLICY },
		{ 1, DICT("'O'", "False", "(2,)"), 8, TG_E_POLICY },
		{ 1, DICT("'|O8'", "False", "(2,)"), 8, TG_E_POLICY },
		{ 1, DICT("'<f4", "False", "(2,)"), 8, TG_E_FORMAT },
		{ 1, DICT("'<f\\x34'", "False", "(2,)"), 8, TG_E_FORMAT },
		{ 1, DICT("''", "False", "(2,)"), 8, TG_E_UNSUPPORTED },
		{ 1, DICT("4", "False", "(2,)"), 8, TG_E_FORMAT },
		{ 1, "", 0, TG_E_FORMAT },
		{ 1, "{}\n", 0, TG_E_FORMAT },
		{ 1, "{'descr': '<f4', 'fortran_order': False}\n", 8, TG_E_FORMAT },
		{ 1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}\n", 8,
		    TG_E_FORMAT },
		{ 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}\n", 8,
		    TG_E_FORMAT },
		{ 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 8, TG_E_FORMAT },
		{ 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x\n", 8,
		    TG_E_FORMAT },
		{ 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}\n\n", 8,
		    TG_E_FORMAT },
		{ 1, "{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}\n", 8, TG_E_FORMAT },
		{ 1, "{,'descr': '<f4', 'fortran_order': False, 'shape': (2,)}\n", 8, TG_E_FORMAT },
		{ 1, "{'descr': '<f4',, 'fortran_order': False, 'shape': (2,)}\n", 8, TG_E_FORMAT },
	};
	struct tg_npy n = { .rank = 99 };
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(rows[i].version, rows[i].header, rows[i].data);
		if (scan(&n) != rows[i].want) {
			printf("# row %zu %s\n", i, rows[i].header);
			wrong++;
		}
	}
	OK_NONE(wrong, sizeof(rows) / sizeof(rows[0]), "bad headers");
	OK(n.rank == 99); /* output untouched */
	build(2, "", 0);
	file.b[11] = 1; /* a header of 16 MiB */
	OK_STATUS(scan(&n), TG_E_LIMIT);
}

static void
every_truncation_is_rejected(void)
{
	struct tg_npy n;
	unsigned wrong = 0;
	size_t whole;

	build(1, DICT("'<f4'", "False", "(2,)"), 8);
	whole = file.n;
	for (file.n = 0; file.n < whole; file.n++)
		wrong += scan(&n) != TG_E_FORMAT;
	OK_NONE(wrong, whole, "truncations");
}

/* What NumPy 1.24 wrote for np.save(f, np.zeros((2, 3), '<f4')), up to the data. */
static void
header_is_numpys(void)
{
	static const char want[] = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, "
				   "'shape': (2, 3), }                                             "
				   "             \n";
	struct tg_buf b;

	tg_buf_init(&b, 4096);
	OK_STATUS(tg_npy_header("F32", 2, (const uint64_t[]){ 2, 3 }, &b, NULL), TG_OK);
	OK(b.n == 128 && b.p[127] == '\n');
	OK(memcmp(b.p, want, 10) == 0 && memcmp(b.p, want, 66) == 0);
	tg_buf_done(&b);
}

static void
header_round_trip(void)
{
	static const char *const dtypes[] = { "BOOL", "U8", "I8", "U16", "I16", "F16", "U32", "I32",
		"F32", "U64", "I64", "F64" };
	const uint64_t shape[] = { 1, 2, 1, 0, 123456789, 1, 9007199254740991, 3 };
	unsigned wrong = 0, n = 0;

	for (unsigned rank = 0; rank <= TG_MAX_TENSOR_RANK; rank++)
		for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++, n++) {
			struct tg_npy npy = { .rank = 99 };
			static const uint8_t data[16];
			struct tg_buf b;

			tg_buf_init(&b, 4096);
			wrong += tg_npy_header(dtypes[i], rank, shape, &b, NULL) != TG_OK;
			wrong += b.n % 64 != 0;
			file.n = 0;
			put(&file, b.p, b.n);
			if (rank < 4) /* the rest is empty: a dimension is 0 */
				put(&file, data, (rank < 2 ? 1u : 2u) *
					(i < 3 ? 1u : i < 6 ? 2u : i < 9 ? 4u : 8u));
			wrong += scan(&npy) != TG_OK || strcmp(npy.dtype, dtypes[i]) != 0 ||
			    npy.rank != rank || npy.offset != b.n ||
			    memcmp(npy.shape, shape, rank * sizeof(shape[0])) != 0;
			tg_buf_done(&b);
		}
	OK_NONE(wrong, n, "round trips");
}

static void
header_failures(void)
{
	const uint64_t shape[9] = { 0 };
	struct tg_buf b;

	tg_buf_init(&b, 100);
	OK_STATUS(tg_npy_header("BF16", 1, shape, &b, NULL), TG_E_UNSUPPORTED);
	OK_STATUS(tg_npy_header("F8_E4M3", 1, shape, &b, NULL), TG_E_UNSUPPORTED);
	OK_STATUS(tg_npy_header("F32", 9, shape, &b, NULL), TG_E_LIMIT);
	OK_STATUS(tg_npy_header("F32", 1, shape, &b, NULL), TG_E_LIMIT); /* no room in b */
	OK(b.n == 0);
	tg_buf_done(&b);
}

static void
objects_are_seen(void)
{
	static const struct {
		const char *descr;
		bool objects;
	} rows[] = { { DICT("'<f4'", "False", "(2,)"), false },
		{ DICT("'|O'", "False", "(2,)"), true },
		{ DICT("'object'", "False", "(2,)"), true },
		{ DICT("'\\x4f'", "False", "(2,)"), true },
		{ DICT("[('a', '<f4'), ('b', '|O')]", "False", "(2,)"), true },
		{ DICT("[('a', '<f4')]", "False", "(2,)"), false },
		{ DICT("'<f4,O'", "False", "(2,)"), true } };
	unsigned wrong = 0;
	bool got = false;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(1, rows[i].descr, 8);
		SOURCE(src, file.b, file.n);
		wrong += tg_npy_has_objects(&src, &got, NULL) != TG_OK || got != rows[i].objects;
	}
	OK_NONE(wrong, sizeof(rows) / sizeof(rows[0]), "objects");
	build(1, "O", 0);
	file.b[0] = 'x';
	SOURCE(other, file.b, file.n);
	OK(tg_npy_has_objects(&other, &got, NULL) == TG_OK && !got && !tg_npy_probe(&other));
	build(2, "", 0);
	file.b[11] = 1;
	SOURCE(large, file.b, file.n);
	OK(tg_npy_has_objects(&large, &got, NULL) == TG_OK && got);
	large_f.fail_at = large_f.reads + 1;
	OK_STATUS(tg_npy_has_objects(&large, &got, NULL), TG_E_IO);
}

int
main(void)
{
	good_files();
	bad_files();
	every_truncation_is_rejected();
	header_is_numpys();
	header_round_trip();
	header_failures();
	objects_are_seen();
	return tap_done();
}
