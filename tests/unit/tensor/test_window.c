#include "../../tap.h"
#include "make.h"
#include "tensor/window.h"

static uint8_t data[10000];

static void
reads_agree_with_memory(void)
{
	SOURCE(src, data, sizeof(data));
	struct tg_window w;
	unsigned wrong = 0, n = 0;
	uint8_t got[6000];

	tg_window_init(&w, &src);
	for (size_t at = 0; at < sizeof(data); at += 37)
		for (size_t len = 0; len < sizeof(got) && len <= sizeof(data) - at;
		     len = len * 3 + 1) {
			wrong += tg_window_read(&w, at, got, len, NULL) != TG_OK ||
			    memcmp(got, data + at, len) != 0;
			n++;
		}
	OK_NONE(wrong, n, "reads at all places");
	OK_STATUS(tg_window_read(&w, sizeof(data), got, 0, NULL), TG_OK);
	OK(tg_window_read(&w, 11, got, 5000, NULL) == TG_OK && memcmp(got, data + 11, 5000) == 0);
}

static void
end_is_an_error(void)
{
	SOURCE(src, data, sizeof(data));
	struct tg_window w;
	uint64_t v = 7;
	uint8_t b[4];

	tg_window_init(&w, &src);
	OK_STATUS(tg_window_read(&w, sizeof(data) - 3, b, 4, NULL), TG_E_FORMAT);
	OK_STATUS(tg_window_read(&w, UINT64_MAX, b, 4, NULL), TG_E_FORMAT);
	OK_STATUS(tg_window_read(&w, UINT64_MAX, b, 0, NULL), TG_E_FORMAT);
	OK_STATUS(tg_window_le(&w, sizeof(data) - 7, 8, &v, NULL), TG_E_FORMAT);
	OK_STATUS(tg_window_le(&w, 0, 9, &v, NULL), TG_E_INTERNAL);
	OK(v == 7);
}

static void
numbers_and_matches(void)
{
	SOURCE(src, "\1\2\3\4\5\6\7\10", 8);
	struct tg_window w;
	bool same = false;
	uint64_t v = 0;

	tg_window_init(&w, &src);
	OK(tg_window_le(&w, 1, 3, &v, NULL) == TG_OK && v == 0x040302);
	OK(tg_window_le(&w, 0, 8, &v, NULL) == TG_OK && v == UINT64_C(0x0807060504030201));
	OK(tg_window_match(&w, 2, tg_bytes_str("\3\4"), &same, NULL) == TG_OK && same);
	OK(tg_window_match(&w, 2, tg_bytes_str("\3\5"), &same, NULL) == TG_OK && !same);
	OK(tg_window_match(&w, 7, tg_bytes_str("\10\11"), &same, NULL) == TG_OK && !same);
}

static void
views(void)
{
	SOURCE(src, data, sizeof(data));
	tg_bytes v = { NULL, 0 };
	struct tg_window w;
	size_t at = 0;

	tg_window_init(&w, &src);
	while (at < sizeof(data) && tg_window_view(&w, at, &v, NULL) == TG_OK && v.n > 0 &&
	    memcmp(v.p, data + at, v.n) == 0)
		at += v.n;
	OK(at == sizeof(data));
	OK_STATUS(tg_window_view(&w, at, &v, NULL), TG_E_FORMAT);
	OK(tg_window_view(&w, at - 1, &v, NULL) == TG_OK && v.n == 1);
}

static void
failed_read_leaves_no_stale_bytes(void)
{
	SOURCE(src, data, sizeof(data));
	struct tg_window w;
	uint8_t b = 0;

	tg_window_init(&w, &src);
	OK_STATUS(tg_window_read(&w, 0, &b, 1, NULL), TG_OK);
	src_f.fail_at = src_f.reads + 1;
	OK_STATUS(tg_window_read(&w, 5000, &b, 1, NULL), TG_E_IO);
	OK(tg_window_read(&w, 1, &b, 1, NULL) == TG_OK && b == data[1]);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	reads_agree_with_memory();
	end_is_an_error();
	numbers_and_matches();
	views();
	failed_read_leaves_no_stale_bytes();
	return tap_done();
}
