/* tgsp/header.h - the header section (docs/PROTOCOL.tgsp.md section 2). */
#ifndef TG_TGSP_HEADER_H
#define TG_TGSP_HEADER_H

#include "util/buf.h"

struct tgsp_header {
	uint8_t commit[32];
	uint8_t salt[32];
	uint8_t manifest_hash[32]; /* SHA-256 of the manifest bytes */
	uint8_t root[32];          /* Merkle root over the leaves */
	unsigned chunk_log2;
	uint64_t chunks;
	uint64_t plain_len;
};

TG_MUST_CHECK tg_status tgsp_header_write(const struct tgsp_header *h, struct tg_buf *out,
    struct tg_error *err);
/* TG_E_UNSUPPORTED for another algorithm or version, by the name of what was found. */
TG_MUST_CHECK tg_status tgsp_header_read(tg_bytes json, struct tgsp_header *ret,
    struct tg_error *err);

#endif
