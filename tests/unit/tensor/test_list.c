#include "../../tap.h"
#include "tensor/list.h"

static void
names_are_checked(void)
{
	static const char *const good[] = { "a", "model.layers.0/weight:0", "\xc3\xa9", " " };
	static const char *const bad[] = { "", "a\tb", "a\x7f", "\xff", "\xc3" };
	char longest[TG_MAX_NAME_LEN + 2];
	unsigned wrong = 0;

	for (size_t i = 0; i < 4; i++)
		wrong += !tg_tensor_name_ok(tg_bytes_str(good[i]));
	for (size_t i = 0; i < 5; i++)
		wrong += tg_tensor_name_ok(tg_bytes_str(bad[i]));
	OK_NONE(wrong, 9, "names");
	OK(!tg_tensor_name_ok((tg_bytes){ (const uint8_t *)"a\0b", 3 }));
	memset(longest, 'x', sizeof(longest));
	OK(tg_tensor_name_ok((tg_bytes){ (const uint8_t *)longest, TG_MAX_NAME_LEN }));
	OK(!tg_tensor_name_ok((tg_bytes){ (const uint8_t *)longest, TG_MAX_NAME_LEN + 1 }));
}

static void
grows_to_its_limit(void)
{
	struct tg_tensor t = { .dtype = "F32", .rank = 1, .shape = { 4 }, .size = 16 };
	struct tg_tensor_list l;
	unsigned wrong = 0;

	tg_tensor_list_init(&l);
	for (unsigned i = 0; i < TG_MAX_TENSORS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "t%u", i);
		t.offset = i;
		wrong += tg_tensor_list_add(&l, &t, tg_bytes_str(name), NULL) != TG_OK;
	}
	OK_NONE(wrong, TG_MAX_TENSORS, "add");
	OK_STATUS(tg_tensor_list_add(&l, &t, tg_bytes_str("x"), NULL), TG_E_LIMIT);
	OK(l.n == TG_MAX_TENSORS && strcmp(l.at[65535].name, "t65535") == 0 && l.at[7].offset == 7);
	tg_tensor_list_done(&l);
	OK(l.n == 0 && l.at == NULL);
	tg_tensor_list_done(&l);
}

static void
offer_counts_what_it_cannot_take(void)
{
	struct tg_tensor t = { .rank = TG_MAX_TENSOR_RANK };
	struct tg_tensor_list l;

	tg_tensor_list_init(&l);
	OK_STATUS(tg_tensor_list_offer(&l, &t, tg_bytes_str("ok"), NULL), TG_OK);
	OK_STATUS(tg_tensor_list_offer(&l, &t, tg_bytes_str(""), NULL), TG_OK);
	t.rank++;
	OK_STATUS(tg_tensor_list_offer(&l, &t, tg_bytes_str("ok"), NULL), TG_OK);
	OK(l.n == 1 && l.skipped == 2);
	tg_tensor_list_done(&l);
	OK(l.skipped == 0);
}

int
main(void)
{
	names_are_checked();
	grows_to_its_limit();
	offer_counts_what_it_cannot_take();
	return tap_done();
}
