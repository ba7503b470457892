#include "crypto/kem.h"

#include "crypto/hash.h"
#include "util/try.h"

tg_status
tg_kem_combine(const uint8_t ss_x[static TG_KEM_SS_LEN], const uint8_t ss_m[static TG_KEM_SS_LEN],
    uint8_t ret[static 32], struct tg_error *err)
{
	const tg_bytes parts[] = { { ss_x, TG_KEM_SS_LEN }, { ss_m, TG_KEM_SS_LEN } };

	return tg_sha256(parts, TG_LEN(parts), ret, err);
}
