#include "../../tap.h"
#include "make.h"
#include "tensor/safetensors.h"

static struct made file;

/* A file of a header and n bytes of data. */
static struct tg_source
build(const char *header, size_t n)
{
	static struct flaky f;

	file.n = 0;
	put_le(&file, strlen(header), 8);
	put_str(&file, header);
	for (size_t i = 0; i < n; i++)
		put_le(&file, i, 1);
	f = (struct flaky){ .view = { file.b, file.n } };
	return flaky_source(&f);
}

static const char good[] = "{\"__metadata__\":{\"format\":\"pt\"},"
			   "\"b\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[4,28]},"
			   "\"a\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[0,4]},"
			   "\"none\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[4,4]},"
			   "\"s\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[28,36]}}   ";

static void
good_file(void)
{
	struct tg_source src = build(good, 36);
	struct tg_tensor_list l;

	OK(tg_safetensors_probe(&src));
	OK_STATUS(tg_safetensors_scan(&src, &l, NULL), TG_OK);
	OK(l.n == 4 && l.skipped == 0);
	OK(strcmp(l.at[0].name, "a") == 0 && strcmp(l.at[0].dtype, "I16") == 0);
	OK(l.at[0].offset == 8 + strlen(good) && l.at[0].size == 4);
	OK(strcmp(l.at[1].name, "none") == 0 && l.at[1].size == 0);
	OK(strcmp(l.at[2].name, "b") == 0 && l.at[2].rank == 2 && l.at[2].shape[0] == 2 &&
	    l.at[2].shape[1] == 3 && l.at[2].offset == l.at[0].offset + 4 && l.at[2].size == 24);
	OK(strcmp(l.at[3].name, "s") == 0 && l.at[3].rank == 0);
	OK(file.b[l.at[2].offset] == 4); /* the data byte that the file has there */
	tg_tensor_list_done(&l);
}

#define T(name, dtype, shape, offsets)                                                           \
	"\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" offsets \
	"]}"

static void
bad_files(void)
{
	static const struct {
		const char *header;
		size_t data;
		tg_status want;
	} rows[] = {
		{ "", 0, TG_E_FORMAT },
		{ "{", 0, TG_E_FORMAT },
		{ "[]", 0, TG_E_FORMAT },
		{ " {}", 0, TG_E_FORMAT },
		{ "{}", 1, TG_E_FORMAT },
		{ "{}x", 0, TG_E_FORMAT },
		{ "{" T("a", "U8", "4", "0,4") "}", 3, TG_E_FORMAT },
		{ "{" T("a", "U8", "4", "0,4") "}", 5, TG_E_FORMAT },
		{ "{" T("a", "U8", "4", "1,5") "}", 5, TG_E_FORMAT },
		{ "{" T("a", "U8", "4", "4,0") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "3", "0,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "F32", "3", "0,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "u8", "4", "0,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "", "4", "0,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "ABCDEFGHIJKLMNOPQ", "4", "0,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "-4", "0,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "4.0", "0,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "\"4\"", "0,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "4", "0,4,8") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "4", "0") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "4", "-1,3") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "4", "0,4") "," T("b", "U8", "2", "2,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "2", "0,2") "," T("b", "U8", "1", "3,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "2", "0,2") "," T("a", "U8", "2", "2,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "4294967296,4294967296", "0,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "X", "4294967296,4294967296", "0,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "F64", "2305843009213693952,1", "0,4") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "9007199254740992,0", "0,0") "}", 0, TG_E_FORMAT },
		{ "{" T("a", "U8", "4", "0,9223372036854775807") "}", 4, TG_E_FORMAT },
		{ "{" T("a", "U8", "1,1,1,1,1,1,1,1,5", "0,4") "}", 4, TG_E_FORMAT },
		{ "{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", 4, TG_E_FORMAT },
		{ "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"x\":1}}", 4,
		    TG_E_FORMAT },
		{ "{\"a\":[]}", 0, TG_E_FORMAT },
		{ "{\"__metadata__\":[]}", 0, TG_E_FORMAT },
		{ "{\"__metadata__\":{\"a\":1}}", 0, TG_E_FORMAT },
		{ "{\"a\":[[[[[[[[[]]]]]]]]]}", 0, TG_E_LIMIT },
	};
	struct tg_tensor_list l = { .skipped = 77 };
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tg_source src = build(rows[i].header, rows[i].data);
		tg_status s = tg_safetensors_scan(&src, &l, NULL);

		if (s != rows[i].want)
			printf("# row %zu %s: %s\n", i, rows[i].header, tg_status_name(s));
		wrong += s != rows[i].want;
	}
	OK_NONE(wrong, sizeof(rows) / sizeof(rows[0]), "bad headers");
	OK(l.skipped == 77); /* output untouched */
}

static void
header_lengths(void)
{
	struct tg_source src = build("{}", 0);
	struct tg_tensor_list l;

	OK_STATUS(tg_safetensors_scan(&src, &l, NULL), TG_OK);
	OK(l.n == 0);
	file.b[0] = 3;
	OK_STATUS(tg_safetensors_scan(&src, &l, NULL), TG_E_FORMAT);
	OK(!tg_safetensors_probe(&src));
	file.b[7] = 0x80;
	OK_STATUS(tg_safetensors_scan(&src, &l, NULL), TG_E_LIMIT);
}

static void
undescribable_tensors_are_counted(void)
{
	struct tg_source src = build("{" T("a", "F4", "8", "0,4") ","
	    T("", "U8", "1", "4,5") "," T("b\\n", "U8", "1", "5,6") ","
	    T("c", "U8", "1,1,1,1,1,1,1,1,2", "6,8") "}", 8);
	struct tg_tensor_list l;

	OK_STATUS(tg_safetensors_scan(&src, &l, NULL), TG_OK);
	OK(l.n == 1 && l.skipped == 3 && strcmp(l.at[0].dtype, "F4") == 0 && l.at[0].size == 4);
	tg_tensor_list_done(&l);
}

static void
every_truncation_is_rejected(void)
{
	struct tg_source src = build(good, 36);
	size_t whole = file.n;
	struct tg_tensor_list l;
	unsigned wrong = 0;

	for (size_t n = 0; n < whole; n++) {
		SOURCE(cut, file.b, n);
		wrong += tg_safetensors_scan(&cut, &l, NULL) != TG_E_FORMAT;
	}
	OK_NONE(wrong, whole, "truncations");
	(void)src;
}

static void
every_failing_read_is_reported(void)
{
	unsigned wrong = 0, n = 1;
	struct tg_tensor_list l;

	for (;; n++) {
		struct tg_source src = build(good, 36);
		struct flaky *f = src.ctx;

		f->fail_at = n;
		tg_status s = tg_safetensors_scan(&src, &l, NULL);
		if (s == TG_OK)
			break;
		wrong += s != TG_E_IO;
	}
	tg_tensor_list_done(&l);
	OK_NONE(wrong, n - 1, "failing reads");
}

int
main(void)
{
	good_file();
	bad_files();
	header_lengths();
	undescribable_tensors_are_counted();
	every_truncation_is_rejected();
	every_failing_read_is_reported();
	return tap_done();
}
