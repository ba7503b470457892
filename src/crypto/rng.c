#include "crypto/rng.h"

#include <openssl/rand.h>

#include "crypto/ossl.h"
#include "util/try.h"
#include "util/wipe.h"

tg_status
tg_random(void *out, size_t n, struct tg_error *err)
{
	const struct tg_ossl *o = NULL;

	TG_TRY(tg_ossl(&o, err));
	if (RAND_priv_bytes_ex(o->lib, out, n, 0) == 1)
		return TG_OK;
	tg_wipe(out, n);
	return tg_fail(err, TG_E_INTERNAL, "the random number generator failed");
}
