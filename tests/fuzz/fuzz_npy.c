/* What is accepted is no pickle, and reads the same behind a header that we write. */
#include "../unit/tensor/make.h"
#include "tensor/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check(const uint8_t *p, size_t n, const struct tg_npy *a)
{
	struct tg_npy b = { .rank = 99 };
	struct tg_buf again;

	if (a->offset > n || a->size != n - a->offset)
		__builtin_trap();
	tg_buf_init(&again, n + 1024);
	if (tg_npy_header(a->dtype, a->rank, a->shape, &again, NULL) != TG_OK || again.n % 64 != 0)
		__builtin_trap();
	if (tg_buf_put(&again, p + a->offset, (size_t)a->size) != TG_OK)
		__builtin_trap();
	SOURCE(src, again.p, again.n);
	if (tg_npy_scan(&src, &b, NULL) != TG_OK || b.rank != a->rank || b.size != a->size ||
	    strcmp(a->dtype, b.dtype) != 0 ||
	    memcmp(a->shape, b.shape, a->rank * sizeof(a->shape[0])) != 0)
		__builtin_trap();
	tg_buf_done(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tg_npy npy = { .rank = 0 };
	bool objects = false;
	SOURCE(src, p, n);

	if (tg_npy_has_objects(&src, &objects, NULL) != TG_OK)
		__builtin_trap(); /* memory does not fail to be read */
	if (tg_npy_scan(&src, &npy, NULL) == TG_OK) {
		if (objects)
			__builtin_trap();
		check(p, n, &npy);
	}
	return 0;
}
