/* An accepted key file is the key that its public halves make, under the id it names; and a private
 * one makes its public halves anew. Boxes are refused at the passphrase, which nobody gives here:
 * Argon2id would be all that is measured. */
#include "crypto/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tg_key *k = NULL, *public = NULL;
	struct tg_error err = TG_ERROR_INIT;
	const tg_status s = tg_key_parse((tg_bytes){ p, n }, "key", NULL, &k, &err);

	if (s != TG_OK) {
		if (err.status != s || err.text[0] == '\0' || k != NULL)
			__builtin_trap();
		return 0;
	}
	if (tg_key_from_public(tg_key_use_of(k), tg_key_created(k), k->pk[TG_CLASSIC],
		k->pk[TG_PQC], &public, NULL) != TG_OK ||
	    memcmp(tg_key_id(public), tg_key_id(k), TG_KEY_ID_LEN) != 0 ||
	    tg_key_has_private(public))
		__builtin_trap();
	for (int i = 0; i < TG_HALVES && tg_key_has_private(k); i++) {
		uint8_t pk[TG_KEY_PK_MAX];

		if (k->suite->half[i]->public_of(k->private[i], pk, NULL) != TG_OK ||
		    memcmp(pk, k->pk[i], k->suite->half[i]->pk_len) != 0)
			__builtin_trap();
	}
	tg_key_free(public);
	tg_key_free(k);
	return 0;
}
