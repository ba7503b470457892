#include "crypto/aead.h"

#include <limits.h>
#include <stdlib.h>

#include "crypto/ossl.h"
#include "util/try.h"
#include "util/wipe.h"

struct tg_aead {
	EVP_CIPHER_CTX *ctx;
};

tg_status
tg_aead_new(const uint8_t key[static 32], struct tg_aead **ret, struct tg_error *err)
{
	const struct tg_ossl *o = NULL;
	TG_AUTO(tg_aead_freep) struct tg_aead *a = NULL;

	TG_TRY(tg_ossl(&o, err));
	a = calloc(1, sizeof(*a));
	TG_REQUIRE(a != NULL, err, TG_E_NOMEM, "cipher: out of memory");
	a->ctx = EVP_CIPHER_CTX_new();
	TG_REQUIRE(a->ctx != NULL &&
		EVP_CipherInit_ex2(a->ctx, o->chacha20_poly1305, key, NULL, 1, NULL) == 1,
	    err, TG_E_NOMEM, "cipher: out of memory");
	*ret = a;
	a = NULL;
	return TG_OK;
}

void
tg_aead_free(struct tg_aead *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->ctx);
	free(a);
}

/* What sealing and opening share: nonce, additional data, the bytes. */
static bool
crypt(struct tg_aead *a, int seal, const uint8_t *nonce, tg_bytes aad, const uint8_t *in, size_t n,
    uint8_t *out)
{
	int len = 0;

	return EVP_CipherInit_ex2(a->ctx, NULL, NULL, nonce, seal, NULL) == 1 &&
	    (aad.n == 0 || EVP_CipherUpdate(a->ctx, NULL, &len, aad.p, (int)aad.n) == 1) &&
	    (n == 0 || EVP_CipherUpdate(a->ctx, out, &len, in, (int)n) == 1);
}

tg_status
tg_aead_seal(struct tg_aead *a, const uint8_t nonce[static 12], tg_bytes aad, const uint8_t *in,
    size_t n, uint8_t *out, uint8_t tag[static 16], struct tg_error *err)
{
	uint8_t end[TG_AEAD_TAG_LEN];
	int len = 0;

	TG_REQUIRE(n <= INT_MAX && aad.n <= INT_MAX, err, TG_E_INTERNAL, "cipher: %zu bytes", n);
	TG_REQUIRE(crypt(a, 1, nonce, aad, in, n, out) &&
		EVP_CipherFinal_ex(a->ctx, end, &len) == 1 &&
		EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, TG_AEAD_TAG_LEN, tag) == 1,
	    err, TG_E_INTERNAL, "cipher: sealing failed");
	return TG_OK;
}

tg_status
tg_aead_open(struct tg_aead *a, const uint8_t nonce[static 12], tg_bytes aad, const uint8_t *in,
    size_t n, const uint8_t tag[static 16], uint8_t *out, struct tg_error *err)
{
	uint8_t end[TG_AEAD_TAG_LEN], want[TG_AEAD_TAG_LEN];
	int len = 0;

	TG_REQUIRE(n <= INT_MAX && aad.n <= INT_MAX, err, TG_E_INTERNAL, "cipher: %zu bytes", n);
	memcpy(want, tag, sizeof(want)); /* the ctrl takes a pointer to non-const */
	if (crypt(a, 0, nonce, aad, in, n, out) &&
	    EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, TG_AEAD_TAG_LEN, want) == 1 &&
	    EVP_CipherFinal_ex(a->ctx, end, &len) == 1)
		return TG_OK;
	if (n > 0)
		tg_wipe(out, n);
	return tg_fail(err, TG_E_AUTH, "authentication tag does not match");
}

void
tg_stream_nonce(uint64_t i, bool last, uint8_t out[static 12])
{
	memset(out, 0, 3);
	tg_put_u64be(out + 3, i);
	out[11] = last;
}
