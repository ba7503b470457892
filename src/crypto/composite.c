#include "crypto/hash.h"
#include "crypto/sig.h"
#include "util/try.h"
#include "util/wipe.h"

static const char prefix[] = "CompositeAlgorithmSignatures2025";
static const char label[] = "COMPSIG-MLDSA65-Ed25519-SHA512";
static const char context[] = "TGSP-v1";

/* ML-DSA takes the label as its context, so that a half is no signature outside the pair. */
static tg_bytes
mldsa_context(void)
{
	return tg_bytes_str(label);
}

tg_status
tg_composite_message(const tg_bytes *parts, size_t n, uint8_t ret[static TG_COMPOSITE_MSG_LEN],
    struct tg_error *err)
{
	uint8_t *p = ret;

	_Static_assert(TG_COMPOSITE_MSG_LEN ==
		sizeof(prefix) - 1 + sizeof(label) - 1 + 1 + sizeof(context) - 1 + 64,
	    "the layout below");
	memcpy(p, prefix, sizeof(prefix) - 1);
	p += sizeof(prefix) - 1;
	memcpy(p, label, sizeof(label) - 1);
	p += sizeof(label) - 1;
	*p++ = sizeof(context) - 1;
	memcpy(p, context, sizeof(context) - 1);
	p += sizeof(context) - 1;
	return tg_sha512(parts, n, p, err);
}

tg_status
tg_composite_sign(const struct tg_pkey *classic, const struct tg_pkey *pqc, const tg_bytes *parts,
    size_t n, bool deterministic, struct tg_composite_sig *ret, struct tg_error *err)
{
	uint8_t m[TG_COMPOSITE_MSG_LEN];
	const tg_bytes msg = { m, sizeof(m) };
	struct tg_composite_sig sig;

	TG_TRY(tg_composite_message(parts, n, m, err));
	TG_TRY(tg_sig_ed25519.sign(classic, msg, mldsa_context(), true, sig.classic, err));
	TG_TRY(tg_sig_mldsa65.sign(pqc, msg, mldsa_context(), deterministic, sig.pqc, err));
	*ret = sig;
	return TG_OK;
}

tg_status
tg_composite_verify(const struct tg_pkey *classic, const struct tg_pkey *pqc, const tg_bytes *parts,
    size_t n, const struct tg_composite_sig *sig, struct tg_error *err)
{
	uint8_t m[TG_COMPOSITE_MSG_LEN];
	const tg_bytes msg = { m, sizeof(m) };

	TG_TRY(tg_composite_message(parts, n, m, err));
	TG_TRY(tg_sig_ed25519.verify(classic, msg, mldsa_context(), sig->classic, err));
	return tg_sig_mldsa65.verify(pqc, msg, mldsa_context(), sig->pqc, err);
}
