/* The reference: OpenSSL's SHA-256, one leaf at a time, on any machine and for any length. */
#include "crypto/hash.h"
#include "crypto/leaf.h"
#include "util/try.h"

static bool
usable(void)
{
	return true;
}

static tg_status
hash(struct tg_leaf *leaf, size_t len, struct tg_error *err)
{
	static const uint8_t prefix = 0;
	const tg_bytes parts[] = { { &prefix, 1 }, { leaf->ct, len }, { leaf->tag, 16 } };

	return tg_sha256(parts, TG_LEN(parts), leaf->hash, err);
}

static tg_status
nodes(const uint8_t *pairs, uint8_t *out, struct tg_error *err)
{
	static const uint8_t prefix = 1;
	const tg_bytes parts[] = { { &prefix, 1 }, { pairs, 64 } };

	return tg_sha256(parts, TG_LEN(parts), out, err);
}

const struct tg_leaf_kernel tg_leaf_portable = { "openssl", 1, usable, hash, nodes };
