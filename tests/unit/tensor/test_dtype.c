#include "../../tap.h"
#include "tensor/dtype.h"

static size_t
width(const char *name)
{
	return tg_dtype_width(tg_bytes_str(name));
}

static void
widths(void)
{
	static const struct {
		const char *name;
		size_t width;
	} rows[] = { { "BOOL", 1 }, { "U8", 1 }, { "I8", 1 }, { "F8_E4M3", 1 }, { "F8_E5M2", 1 },
		{ "U16", 2 }, { "I16", 2 }, { "F16", 2 }, { "BF16", 2 }, { "U32", 4 }, { "I32", 4 },
		{ "F32", 4 }, { "U64", 8 }, { "I64", 8 }, { "F64", 8 }, { "", 0 }, { "f32", 0 },
		{ "F3", 0 }, { "F32 ", 0 }, { "STRING", 0 } };
	unsigned bad = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		bad += width(rows[i].name) != rows[i].width;
	OK_NONE(bad, sizeof(rows) / sizeof(rows[0]), "widths");
	OK(tg_dtype_width((tg_bytes){ (const uint8_t *)"F32\0", 4 }) == 0);
	OK(tg_dtype_width((tg_bytes){ NULL, 0 }) == 0);
}

static void
names(void)
{
	OK(tg_dtype_name_ok(tg_bytes_str("F8_E4M3")));
	OK(tg_dtype_name_ok(tg_bytes_str("ABCDEFGHIJKLMNOP")));
	OK(!tg_dtype_name_ok(tg_bytes_str("ABCDEFGHIJKLMNOPQ")));
	OK(!tg_dtype_name_ok(tg_bytes_str("")));
	OK(!tg_dtype_name_ok(tg_bytes_str("f32")));
	OK(!tg_dtype_name_ok(tg_bytes_str("F-32")));
}

static void
sizes(void)
{
	const uint64_t shape[] = { 3, 5 }, huge[] = { UINT64_C(1) << 62, 2 }, none[] = { 7, 0 };
	uint64_t n = 99;

	OK(!tg_dtype_size(tg_bytes_str("X"), 2, shape, &n) && n == 99);
	OK(!tg_dtype_size(tg_bytes_str("U8"), 3, (const uint64_t[]){ UINT64_MAX, 2, 1 }, &n));
	OK(!tg_dtype_size(tg_bytes_str("F32"), 2, huge, &n) && n == 99);
	OK(tg_dtype_size(tg_bytes_str("F32"), 2, shape, &n) && n == 60);
	OK(tg_dtype_size(tg_bytes_str("F64"), 0, shape, &n) && n == 8);
	OK(tg_dtype_size(tg_bytes_str("F64"), 2, none, &n) && n == 0);
}

int
main(void)
{
	widths();
	names();
	sizes();
	return tap_done();
}
