/* Every tensor that is described lies inside the file and is as long as its shape says. */
#include "../unit/tensor/make.h"
#include "tensor/dtype.h"
#include "tensor/onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check(const struct tg_onnx_info *info, uint64_t size)
{
	uint64_t want = 0;

	for (size_t i = 0; i < info->tensors.n; i++) {
		const struct tg_tensor *t = &info->tensors.at[i];
		tg_bytes dtype = tg_bytes_str(t->dtype);

		if (t->offset > size || t->size > size - t->offset || t->rank > TG_MAX_TENSOR_RANK)
			__builtin_trap();
		if (!tg_tensor_name_ok(tg_bytes_str(t->name)) || !tg_dtype_name_ok(dtype))
			__builtin_trap();
		if (tg_dtype_width(dtype) != 0 &&
		    (!tg_dtype_size(dtype, t->rank, t->shape, &want) || want != t->size))
			__builtin_trap();
	}
	for (size_t i = 0; i < info->inputs.n; i++)
		if (info->inputs.at[i].rank > TG_MAX_TENSOR_RANK || info->inputs.at[i].name == NULL)
			__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tg_onnx_info info;
	SOURCE(src, p, n);

	(void)tg_onnx_probe(&src);
	if (tg_onnx_scan(&src, &info, NULL) == TG_OK) {
		check(&info, n);
		tg_onnx_info_done(&info);
	}
	return 0;
}
