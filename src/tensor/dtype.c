#include "tensor/dtype.h"

#include "util/try.h"

size_t
tg_dtype_width(tg_bytes name)
{
	static const struct {
		const char *name;
		size_t width;
	} types[] = {
		{ "BOOL", 1 },
		{ "U8", 1 },
		{ "I8", 1 },
		{ "F8_E4M3", 1 },
		{ "F8_E5M2", 1 },
		{ "U16", 2 },
		{ "I16", 2 },
		{ "F16", 2 },
		{ "BF16", 2 },
		{ "U32", 4 },
		{ "I32", 4 },
		{ "F32", 4 },
		{ "U64", 8 },
		{ "I64", 8 },
		{ "F64", 8 },
	};

	for (size_t i = 0; i < TG_LEN(types); i++)
		if (tg_bytes_equal(name, tg_bytes_str(types[i].name)))
			return types[i].width;
	return 0;
}

bool
tg_dtype_name_ok(tg_bytes name)
{
	if (name.n < 1 || name.n > TG_MAX_DTYPE_LEN)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return true;
}

bool
tg_dtype_size(tg_bytes name, unsigned rank, const uint64_t *shape, uint64_t *ret)
{
	uint64_t n = tg_dtype_width(name);

	if (n == 0)
		return false;
	for (unsigned i = 0; i < rank; i++)
		if (!tg_mul_u64(n, shape[i], &n))
			return false;
	*ret = n;
	return true;
}
