/* tgsp/keys.h - the key schedule (docs/PROTOCOL.tgsp.md section 3). */
#ifndef TG_TGSP_KEYS_H
#define TG_TGSP_KEYS_H

#include "util/bytes.h"
#include "util/wipe.h"

/* SHA256("TGSP-v1 context\0" || be32(mlen) || manifest || be64(N) || u8(chunk_log2) || tuple) */
TG_MUST_CHECK tg_status tgsp_context(tg_bytes manifest, uint64_t plain_len, unsigned chunk_log2,
    uint8_t ret[static 32], struct tg_error *err);

/* K_payload and commit of a DEK. */
TG_MUST_CHECK tg_status tgsp_payload_keys(const struct tg_key32 *dek, const uint8_t salt[static 32],
    const uint8_t ctx[static 32], struct tg_key32 *ret_payload, uint8_t ret_commit[static 32],
    struct tg_error *err);

#endif
