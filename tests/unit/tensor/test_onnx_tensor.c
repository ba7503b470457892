#include "../../tap.h"
#include "make.h"
#include "tensor/onnx_tensor.h"

enum { DIMS = 1, TYPE = 2, FLOATS = 4, INT32S = 5, NAME = 8, RAW = 9, DOUBLES = 10, EXTERNAL = 13,
	LOCATION = 14 };

static struct made msg;

static void
begin(unsigned type, const char *name)
{
	msg.n = 0;
	put_number(&msg, TYPE, type);
	put_text(&msg, NAME, name);
}

static tg_status
read_made(struct tg_tensor_list *l)
{
	SOURCE(src, msg.b, msg.n);
	struct tg_window w;
	struct tg_pb m;

	tg_window_init(&w, &src);
	if (tg_pb_open(&w, &m, NULL) != TG_OK)
		abort();
	return tg_onnx_tensor_read(m, NULL, l, NULL);
}

/* What becomes of the message: 1 described, 0 skipped, -1 rejected. */
static int
outcome(void)
{
	struct tg_tensor_list l;
	int got;

	tg_tensor_list_init(&l);
	got = read_made(&l) != TG_OK ? -1 : l.n == 1 && l.skipped == 0 ? 1 : l.n == 0 ? 0 : -2;
	tg_tensor_list_done(&l);
	return got;
}

static void
raw_data_is_described(void)
{
	struct tg_tensor_list l;

	begin(1, "w");
	put_number(&msg, DIMS, 2);
	put_number(&msg, DIMS, 1);
	put_field(&msg, RAW, "12345678", 8);
	tg_tensor_list_init(&l);
	OK_STATUS(read_made(&l), TG_OK);
	OK(l.n == 1 && strcmp(l.at[0].name, "w") == 0 && strcmp(l.at[0].dtype, "F32") == 0);
	OK(l.at[0].rank == 2 && l.at[0].shape[0] == 2 && l.at[0].shape[1] == 1);
	OK(l.at[0].size == 8 && memcmp(msg.b + l.at[0].offset, "12345678", 8) == 0);
	tg_tensor_list_done(&l);
}

static void
packed_dims_and_numbers(void)
{
	begin(1, "w");
	put_field(&msg, DIMS, "\2\1", 2);
	put_field(&msg, FLOATS, "12345678", 8);
	OK(outcome() == 1);
	begin(11, "w");
	put_field(&msg, DIMS, "\1", 1);
	put_field(&msg, DOUBLES, "12345678", 8);
	OK(outcome() == 1);
	begin(11, "w"); /* a scalar */
	put_field(&msg, DOUBLES, "12345678", 8);
	OK(outcome() == 1);
}

static void
what_has_no_plain_bytes_is_skipped(void)
{
	begin(7, "w");
	put_number(&msg, DIMS, 1);
	put_field(&msg, INT32S, "\1", 1);
	OK(outcome() == 0);
	begin(1, "w"); /* one float a field */
	put_str(&msg, "\x25"
		      "1234");
	OK(outcome() == 0);
	begin(1, "w"); /* two packed pieces */
	put_number(&msg, DIMS, 2);
	put_field(&msg, FLOATS, "1234", 4);
	put_field(&msg, FLOATS, "1234", 4);
	OK(outcome() == 0);
	begin(14, "w"); /* a complex number as two floats */
	put_field(&msg, FLOATS, "12345678", 8);
	OK(outcome() == 0);
	begin(8, "w"); /* strings */
	put_text(&msg, 6, "abc");
	OK(outcome() == 0);
	begin(1, "w"); /* in another file */
	put_text(&msg, EXTERNAL, "");
	put_number(&msg, LOCATION, 1);
	OK(outcome() == 0);
	begin(1, "w"); /* nowhere */
	OK(outcome() == 0);
	begin(1, "");
	put_field(&msg, RAW, "1234", 4);
	OK(outcome() == 0);
	begin(2, "w");
	for (unsigned i = 0; i < TG_MAX_TENSOR_RANK + 1; i++)
		put_number(&msg, DIMS, 1);
	put_field(&msg, RAW, "1", 1);
	OK(outcome() == 0);
}

static void
contradictions_are_rejected(void)
{
	begin(1, "w"); /* 3 bytes for a float */
	put_field(&msg, RAW, "123", 3);
	OK(outcome() == -1);
	begin(1, "w");
	put_field(&msg, RAW, "1234", 4);
	put_field(&msg, RAW, "1234", 4);
	OK(outcome() == -1);
	begin(1, "w");
	put_field(&msg, RAW, "1234", 4);
	put_field(&msg, FLOATS, "1234", 4);
	OK(outcome() == -1);
	begin(1, "w");
	put_number(&msg, TYPE, 1);
	OK(outcome() == -1);
	begin(0, "w");
	OK(outcome() == -1);
	begin(1000, "w");
	OK(outcome() == -1);
	begin(2, "w");
	put_number(&msg, DIMS, UINT64_MAX); /* -1 */
	put_field(&msg, RAW, "1", 1);
	OK(outcome() == -1);
	begin(2, "w");
	put_number(&msg, DIMS, UINT64_C(1) << 40);
	put_number(&msg, DIMS, UINT64_C(1) << 40);
	put_field(&msg, RAW, "1", 1);
	OK(outcome() == -1);
	begin(1, "w");
	put_number(&msg, RAW, 1);
	OK(outcome() == -1);
	begin(1, "w");
	put_number(&msg, LOCATION, 2);
	OK(outcome() == -1);
	msg.n = 0; /* no type */
	put_field(&msg, RAW, "1", 1);
	OK(outcome() == -1);
}

static void
types_have_names(void)
{
	static const char *const want[] = { "F32", "U8", "I8", "U16", "I16", "I32", "I64", "STRING",
		"BOOL", "F16", "F64", "U32", "U64", "C64", "C128", "BF16", "F8_E4M3", "F8_E4M3FNUZ",
		"F8_E5M2", "F8_E5M2FNUZ", "U4", "I4", "F4", "ONNX_24" };
	char name[TG_MAX_DTYPE_LEN + 1];
	unsigned wrong = 0;

	for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		wrong += tg_onnx_dtype(i + 1, 0, name, NULL) != TG_OK || strcmp(name, want[i]) != 0;
	OK_NONE(wrong, sizeof(want) / sizeof(want[0]), "type names");
	OK_STATUS(tg_onnx_dtype(999, 0, name, NULL), TG_OK);
	OK_STATUS(tg_onnx_dtype(0, 0, name, NULL), TG_E_FORMAT);
	OK_STATUS(tg_onnx_dtype(UINT64_MAX, 0, name, NULL), TG_E_FORMAT);
}

int
main(void)
{
	raw_data_is_described();
	packed_dims_and_numbers();
	what_has_no_plain_bytes_is_skipped();
	contradictions_are_rejected();
	types_have_names();
	return tap_done();
}
