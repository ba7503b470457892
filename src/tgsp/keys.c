#include "tgsp/keys.h"

#include "crypto/hash.h"
#include "util/try.h"

/* A label with the NUL that the protocol writes as \0. */
#define LABEL(s) { (const uint8_t *)(s), sizeof(s) }

tg_status
tgsp_context(tg_bytes manifest, uint64_t plain_len, unsigned chunk_log2, uint8_t ret[static 32],
    struct tg_error *err)
{
	uint8_t mlen[4], n[8];
	const uint8_t log2 = (uint8_t)chunk_log2;
	const tg_bytes parts[] = {
		LABEL("TGSP-v1 context"),
		{ mlen, sizeof(mlen) },
		manifest,
		{ n, sizeof(n) },
		{ &log2, 1 },
		LABEL("CHACHA20_POLY1305\0X25519-MLKEM768\0Ed25519-MLDSA65"),
	};

	tg_put_u32be(mlen, (uint32_t)manifest.n);
	tg_put_u64be(n, plain_len);
	return tg_sha256(parts, TG_LEN(parts), ret, err);
}

tg_status
tgsp_payload_keys(const struct tg_key32 *dek, const uint8_t salt[static 32],
    const uint8_t ctx[static 32], struct tg_key32 *ret_payload, uint8_t ret_commit[static 32],
    struct tg_error *err)
{
	TG_AUTO(tg_key32_done) struct tg_key32 prk = { { 0 } };
	const tg_bytes payload[] = { LABEL("TGSP-v1 payload"), { ctx, 32 } };
	const tg_bytes commit[] = { LABEL("TGSP-v1 commit"), { ctx, 32 } };

	TG_TRY(tg_hkdf_extract((tg_bytes){ salt, 32 }, (tg_bytes){ dek->b, 32 }, prk.b, err));
	TG_TRY(tg_hkdf_expand(prk.b, payload, TG_LEN(payload), ret_payload->b, err));
	return tg_hkdf_expand(prk.b, commit, TG_LEN(commit), ret_commit, err);
}
