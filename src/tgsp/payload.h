/* tgsp/payload.h - the chunks of a payload: verified, opened, in parallel, in order. */
#ifndef TG_TGSP_PAYLOAD_H
#define TG_TGSP_PAYLOAD_H

#include <tensorguard/io.h>
#include <tensorguard/secret.h>

#include "tgsp/layout.h"
#include "util/wipe.h"

/* A payload whose index has been checked against the signed root. */
struct tgsp_payload {
	struct tg_source src;
	struct tgsp_layout layout;
	uint8_t (*index)[TGSP_INDEX_RECORD]; /* one record per chunk; owned */
};

/*
 * Step 6: read the index, check its Merkle root, and that the padding is zero.
 * `src` is copied. On failure *ret is untouched. Release with tgsp_payload_done().
 */
TG_MUST_CHECK tg_status tgsp_payload_open(const struct tg_source *src,
    const struct tgsp_layout *layout, const uint8_t root[static 32], struct tgsp_payload *ret,
    struct tg_error *err);
void tgsp_payload_done(struct tgsp_payload *p);

/* Every leaf: the ciphertext is what was signed. threads 0: all cores. */
TG_MUST_CHECK tg_status tgsp_payload_verify(const struct tgsp_payload *p, unsigned threads,
    const struct tg_progress *progress, struct tg_error *err);

/*
 * Decrypt plaintext bytes from ... to and hand them to the sink in order. Each chunk is read once
 * into protected memory, compared with its leaf, opened, and only then handed on.
 */
TG_MUST_CHECK tg_status tgsp_payload_read(const struct tgsp_payload *p, const struct tg_key32 *key,
    uint64_t from, uint64_t to, unsigned threads, const struct tg_sink *sink,
    const struct tg_progress *progress, struct tg_error *err);

/*
 * The same into memory of to - from bytes, decrypting whole chunks where they will stay.
 * `seen`, which may be NULL, gets the bytes in order while they are in the cache (to hash them).
 * On failure the memory is wiped.
 */
TG_MUST_CHECK tg_status tgsp_payload_load(const struct tgsp_payload *p, const struct tg_key32 *key,
    uint64_t from, uint64_t to, unsigned threads, uint8_t *mem, const struct tg_sink *seen,
    struct tg_error *err);

/* ---- writing ---- */

/*
 * Encrypt plain_len bytes, which `fill` delivers strictly in order, into the ciphertext area of
 * `to`, and fill in index (chunks x TGSP_INDEX_RECORD bytes) and root.
 */
struct tgsp_plaintext {
	tg_status (*fill)(void *ctx, uint8_t *buf, size_t n, struct tg_error *err);
	void *ctx;
};
TG_MUST_CHECK tg_status tgsp_payload_write(const struct tgsp_layout *layout,
    const struct tg_key32 *key, const struct tgsp_plaintext *from, unsigned threads,
    const struct tg_target *to, uint8_t *index, uint8_t ret_root[static 32],
    const struct tg_progress *progress, struct tg_error *err);

#endif
