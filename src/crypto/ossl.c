#include "crypto/ossl.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <pthread.h>

#include "util/try.h"

static struct tg_ossl the;
static bool ready;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
set_up(void)
{
	if (OpenSSL_version_num() < 0x30500000L)
		return; /* another libcrypto was put in our way at run time */
	the.lib = OSSL_LIB_CTX_new();
	if (the.lib == NULL || OSSL_PROVIDER_load(the.lib, "default") == NULL)
		return;
	the.sha256 = EVP_MD_fetch(the.lib, "SHA256", NULL);
	the.sha512 = EVP_MD_fetch(the.lib, "SHA512", NULL);
	the.chacha20_poly1305 = EVP_CIPHER_fetch(the.lib, "ChaCha20-Poly1305", NULL);
	ready = the.sha256 != NULL && the.sha512 != NULL && the.chacha20_poly1305 != NULL;
}

tg_status
tg_ossl(const struct tg_ossl **ret, struct tg_error *err)
{
	(void)pthread_once(&once, set_up);
	TG_REQUIRE(ready, err, TG_E_UNSUPPORTED, "OpenSSL 3.5 or later expected, %s found",
	    OpenSSL_version(OPENSSL_VERSION));
	*ret = &the;
	return TG_OK;
}
