/* tgsp/signature.h - the signature section and the two statements it signs. */
#ifndef TG_TGSP_SIGNATURE_H
#define TG_TGSP_SIGNATURE_H

#include "crypto/key.h"
#include "util/buf.h"

struct tgsp_signature {
	uint8_t key_id[TG_KEY_ID_LEN]; /* the author: signs the content */
	struct tg_composite_sig content;
	uint8_t recipients_key_id[TG_KEY_ID_LEN]; /* the author or a delegate */
	struct tg_composite_sig recipients;
};

TG_MUST_CHECK tg_status tgsp_signature_write(const struct tgsp_signature *s, struct tg_buf *out,
    struct tg_error *err);
TG_MUST_CHECK tg_status tgsp_signature_read(tg_bytes json, struct tgsp_signature *ret,
    struct tg_error *err);

/* SHA256(M_content): the package_hash. */
TG_MUST_CHECK tg_status tgsp_package_hash(tg_bytes header, tg_bytes manifest,
    uint8_t ret[static 32], struct tg_error *err);

TG_MUST_CHECK tg_status tgsp_content_sign(const struct tg_key *key, tg_bytes header,
    tg_bytes manifest, bool deterministic, struct tg_composite_sig *ret, struct tg_error *err);
TG_MUST_CHECK tg_status tgsp_content_verify(const struct tg_key *key, tg_bytes header,
    tg_bytes manifest, const struct tg_composite_sig *sig, struct tg_error *err);

TG_MUST_CHECK tg_status tgsp_recipients_sign(const struct tg_key *key,
    const uint8_t package_hash[static 32], tg_bytes recipients, bool deterministic,
    struct tg_composite_sig *ret, struct tg_error *err);
TG_MUST_CHECK tg_status tgsp_recipients_verify(const struct tg_key *key,
    const uint8_t package_hash[static 32], tg_bytes recipients, const struct tg_composite_sig *sig,
    struct tg_error *err);

#endif
