#include "../../tap.h"
#include "make.h"
#include "tensor/slice.h"

int
main(void)
{
	SOURCE(src, "0123456789", 10);
	struct tg_source s = { .size = 77 };
	struct tg_slice slice = { 0 };
	char got[4] = "";

	OK_STATUS(tg_slice_source(&slice, &src, 8, 3, &s, NULL), TG_E_FORMAT);
	OK_STATUS(tg_slice_source(&slice, &src, 11, 0, &s, NULL), TG_E_FORMAT);
	OK_STATUS(tg_slice_source(&slice, &src, UINT64_MAX, 2, &s, NULL), TG_E_FORMAT);
	OK(s.size == 77);
	OK_STATUS(tg_slice_source(&slice, &src, 10, 0, &s, NULL), TG_OK);
	OK_STATUS(tg_slice_source(&slice, &src, 4, 5, &s, NULL), TG_OK);
	OK(s.size == 5 && s.read_at(s.ctx, got, 3, 2, NULL) == TG_OK && memcmp(got, "678", 3) == 0);
	return tap_done();
}
