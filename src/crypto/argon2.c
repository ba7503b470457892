#include "crypto/argon2.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/thread.h>
#include <tensorguard/limits.h>

#include "crypto/ossl.h"
#include "util/try.h"
#include "util/wipe.h"

const struct tg_argon2_cost tg_argon2_default = { .kib = 65536, .passes = 3, .lanes = 4 };

static void
kdfp(EVP_KDF **k)
{
	EVP_KDF_free(*k);
}

static void
kdf_ctxp(EVP_KDF_CTX **c)
{
	EVP_KDF_CTX_free(*c);
}

tg_status
tg_argon2id(const struct tg_argon2_cost *cost, tg_bytes passphrase, tg_bytes salt,
    uint8_t out[static 32], struct tg_error *err)
{
	const struct tg_ossl *o = NULL;
	TG_AUTO(kdfp) EVP_KDF *kdf = NULL;
	TG_AUTO(kdf_ctxp) EVP_KDF_CTX *c = NULL;
	uint32_t kib = cost->kib, passes = cost->passes, lanes = cost->lanes;

	TG_REQUIRE(lanes >= 1 && lanes <= TG_MAX_ARGON2_LANES && passes >= 1 &&
		passes <= TG_MAX_ARGON2_PASSES && kib >= 8 * lanes && kib <= TG_MAX_ARGON2_KIB,
	    err, TG_E_LIMIT, "Argon2id cost out of range: %u KiB, %u passes, %u lanes", kib, passes,
	    lanes);
	TG_TRY(tg_ossl(&o, err));
	/* lanes are computed one after the other unless the context may use threads; a refusal
	 * (a libcrypto without thread pool) only costs time, so one thread is asked for then */
	uint32_t threads = OSSL_set_max_threads(o->lib, lanes) == 1 ? lanes : 1;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD,
		    (void *)(uintptr_t)passphrase.p, passphrase.n),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt.p,
		    salt.n),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &passes),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_MEMCOST, &kib),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_LANES, &lanes),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_THREADS, &threads),
		OSSL_PARAM_construct_end(),
	};
	kdf = EVP_KDF_fetch(o->lib, "ARGON2ID", NULL);
	TG_REQUIRE(kdf != NULL, err, TG_E_UNSUPPORTED, "this OpenSSL has no Argon2id");
	c = EVP_KDF_CTX_new(kdf);
	if (c != NULL && EVP_KDF_derive(c, out, 32, params) == 1)
		return TG_OK;
	tg_wipe(out, 32);
	return tg_fail(err, TG_E_NOMEM, "Argon2id: %u KiB of memory not to be had", kib);
}
