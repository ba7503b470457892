#include "../../tap.h"
#include <tensorguard/limits.h>

#include "make.h"
#include "tensor/protobuf.h"

static void
good_message(void)
{
	static const uint8_t bytes[] = { 0x08, 0x96, 0x01, 0x12, 0x03, 'a', 'b', 'c', 0x1d, 1, 2, 3,
		4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8 };
	SOURCE(src, bytes, sizeof(bytes));
	struct tg_pb_field f = { 0 };
	struct tg_pb_text text;
	struct tg_window w;
	struct tg_pb m;

	tg_window_init(&w, &src);
	OK_STATUS(tg_pb_open(&w, &m, NULL), TG_OK);
	OK(tg_pb_next(&m, &f, NULL) == TG_OK && f.number == 1 && f.wire == TG_PB_VARINT);
	OK(f.value == 150 && f.offset == 1 && f.size == 2);
	OK(tg_pb_next(&m, &f, NULL) == TG_OK && f.number == 2 && f.wire == TG_PB_BYTES);
	OK(f.offset == 5 && f.size == 3);
	OK(tg_pb_text(&m, &f, &text, NULL) == TG_OK && text.n == 3 &&
	    memcmp(text.b, "abc", 3) == 0);
	OK(tg_pb_next(&m, &f, NULL) == TG_OK && f.number == 3 && f.wire == TG_PB_FIXED32);
	OK(f.offset == 9 && f.size == 4);
	OK(tg_pb_next(&m, &f, NULL) == TG_OK && f.number == 4 && f.wire == TG_PB_FIXED64);
	OK(f.offset == 14 && f.size == 8 && !tg_pb_more(&m));
}

static void
bad_messages(void)
{
#define ROW(s, want)               \
	{                          \
		s, sizeof(s) - 1, want \
	}
	static const struct {
		const char *bytes;
		size_t n;
		tg_status want;
	} rows[] = {
		ROW("\x08", TG_E_FORMAT),                     /* no value */
		ROW("\x08\x80", TG_E_FORMAT),                 /* a cut value */
		ROW("\x0a\x02x", TG_E_FORMAT),                /* contents that leave the file */
		ROW("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", TG_E_FORMAT),
		ROW("\x0b\x0c", TG_E_FORMAT),                 /* a group */
		ROW("\x0c", TG_E_FORMAT),                     /* the end of one */
		ROW("\x0e\x01", TG_E_FORMAT),                 /* wire type 6 */
		ROW("\x0f\x01", TG_E_FORMAT),                 /* wire type 7 */
		ROW("\x00\x01", TG_E_FORMAT),                 /* field 0 */
		ROW("\x80\x80\x80\x80\x10\x01", TG_E_FORMAT), /* field 2^29 */
		ROW("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", TG_E_FORMAT), /* 65 bits */
		ROW("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", TG_E_FORMAT), /* 11 bytes */
		ROW("\x0d\1\2\3", TG_E_FORMAT),
		ROW("\x09\1\2\3\4\5\6\7", TG_E_FORMAT),
		ROW("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", TG_OK), /* 2^64-1 */
		ROW("\xf8\xff\xff\xff\x0f\x01", TG_OK),       /* field 2^29-1 */
	};
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SOURCE(src, rows[i].bytes, rows[i].n);
		struct tg_pb_field f;
		struct tg_window w;
		struct tg_pb m;

		tg_window_init(&w, &src);
		if (tg_pb_open(&w, &m, NULL) != TG_OK || tg_pb_next(&m, &f, NULL) != rows[i].want ||
		    (rows[i].want != TG_OK) != (m.at == 0)) {
			printf("# row %zu\n", i);
			wrong++;
		}
	}
	OK_NONE(wrong, sizeof(rows) / sizeof(rows[0]), "messages");
}

static void
inner_messages_stay_inside(void)
{
	/* field 1: a message of 3 bytes, whose own field claims 4 */
	SOURCE(src, "\x0a\x03\x12\x04zabcdef", 11);
	struct tg_pb_field f;
	struct tg_pb m, inner;
	struct tg_window w;

	tg_window_init(&w, &src);
	OK_STATUS(tg_pb_open(&w, &m, NULL), TG_OK);
	OK_STATUS(tg_pb_next(&m, &f, NULL), TG_OK);
	OK_STATUS(tg_pb_enter(&m, &f, &inner, NULL), TG_OK);
	OK(inner.at == 2 && inner.end == 5 && inner.depth == 1);
	OK_STATUS(tg_pb_next(&inner, &f, NULL), TG_E_FORMAT);
	OK(inner.at == 2);
}

static void
limits(void)
{
	struct tg_pb_field f = { .number = 1, .wire = TG_PB_BYTES, .offset = 2, .size = 1 };
	SOURCE(src, "\x0a\x01\x00", 3);
	struct tg_window w;
	unsigned depth = 0;
	struct tg_pb m;

	tg_window_init(&w, &src);
	OK_STATUS(tg_pb_open(&w, &m, NULL), TG_OK);
	while (tg_pb_enter(&m, &f, &m, NULL) == TG_OK)
		depth++;
	OK(depth == TG_MAX_PROTOBUF_DEPTH);
	OK_STATUS(tg_pb_enter(&m, &f, &m, NULL), TG_E_LIMIT);
	f.wire = TG_PB_VARINT;
	OK_STATUS(tg_pb_enter(&m, &f, &m, NULL), TG_E_FORMAT);
	src.size = (uint64_t)TG_MAX_PROTOBUF_FILE + 1;
	OK_STATUS(tg_pb_open(&w, &m, NULL), TG_E_LIMIT);
}

static void
fields_that_stand_once(void)
{
	struct tg_pb_field f = { .number = 3, .wire = TG_PB_BYTES };
	uint32_t seen = 0;

	OK_STATUS(tg_pb_once(&f, TG_PB_VARINT, &seen, NULL), TG_E_FORMAT);
	OK_STATUS(tg_pb_once(&f, TG_PB_BYTES, &seen, NULL), TG_OK);
	OK(seen == 8);
	OK_STATUS(tg_pb_once(&f, TG_PB_BYTES, &seen, NULL), TG_E_FORMAT);
	f.number = 32;
	OK_STATUS(tg_pb_once(&f, TG_PB_BYTES, &seen, NULL), TG_E_INTERNAL);
}

static void
long_text_is_cut_and_shows_it(void)
{
	struct tg_pb_field f = { .number = 1, .wire = TG_PB_BYTES, .size = 1000 };
	static const char text[1000];
	SOURCE(src, text, sizeof(text));
	struct tg_pb_text t;
	struct tg_window w;
	struct tg_pb m;

	tg_window_init(&w, &src);
	OK_STATUS(tg_pb_open(&w, &m, NULL), TG_OK);
	OK(tg_pb_text(&m, &f, &t, NULL) == TG_OK && t.n == TG_MAX_NAME_LEN + 1);
}

int
main(void)
{
	good_message();
	bad_messages();
	inner_messages_stay_inside();
	limits();
	fields_that_stand_once();
	long_text_is_cut_and_shows_it();
	return tap_done();
}
