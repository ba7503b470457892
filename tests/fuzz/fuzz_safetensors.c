/* What is accepted accounts for every byte behind the header, in order. */
#include "../unit/tensor/make.h"
#include "tensor/dtype.h"
#include "tensor/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check(const struct tg_tensor_list *l, uint64_t size)
{
	uint64_t at = 8, want = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct tg_tensor *t = &l->at[i];
		tg_bytes dtype = tg_bytes_str(t->dtype);

		if (t->offset < at || t->offset > size || t->size > size - t->offset)
			__builtin_trap();
		if (l->skipped == 0 && i > 0 && t->offset != at)
			__builtin_trap();
		if (tg_dtype_width(dtype) != 0 &&
		    (!tg_dtype_size(dtype, t->rank, t->shape, &want) || want != t->size))
			__builtin_trap();
		at = t->offset + t->size;
	}
	if (l->skipped == 0 && l->n > 0 && at != size)
		__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tg_tensor_list l;
	SOURCE(src, p, n);

	if (tg_safetensors_scan(&src, &l, NULL) == TG_OK) {
		check(&l, n);
		if (!tg_safetensors_probe(&src))
			__builtin_trap();
		tg_tensor_list_done(&l);
	}
	return 0;
}
