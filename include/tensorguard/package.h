/* tensorguard/package.h - reading .tgsp packages (docs/PROTOCOL.tgsp.md).
 * Build them with <tensorguard/build.h>. */
#ifndef TENSORGUARD_PACKAGE_H
#define TENSORGUARD_PACKAGE_H

#include <stdint.h>
#include <tensorguard/io.h>
#include <tensorguard/key.h>
#include <tensorguard/trust.h>

TG_BEGIN_DECLS

#define TG_HASH_LEN 32 /* bytes of SHA-256 */

/* What a signed manifest may ask of a reader, answered by the caller: the library has no clock,
 * no fleet and no memory of its own. */
struct tg_policy {
	int64_t now;           /* Unix seconds */
	const char *fleet;     /* NULL: this reader belongs to no fleet */
	uint64_t floor;        /* lowest rollback_index accepted for this author and model */
	const char *agent_version; /* "MAJOR.MINOR.PATCH" */
};

enum tg_policy_check {
	TG_POLICY_WINDOW = 1 << 0,        /* not_before ... not_after */
	TG_POLICY_FLEET = 1 << 1,         /* target_fleets */
	TG_POLICY_FLOOR = 1 << 2,         /* rollback_index */
	TG_POLICY_AGENT_VERSION = 1 << 3, /* min_agent_version */
};

/* A package whose envelope has passed verification. Use from one thread at a time. */
struct tg_package;

/*
 * Steps 1 to 7 of the reader's order: frame, strict JSON, author's signature by a key of `trust`,
 * manifest, content index, payload index, recipients' signature. No private key needed.
 * The policy is evaluated, not enforced: see tg_package_policy(). `src` is copied, what it
 * points to is borrowed until tg_package_close(); `trust` only during the call. *ret is new.
 */
TG_API TG_MUST_CHECK tg_status tg_package_open(const struct tg_source *src,
    const struct tg_trust *trust, struct tg_package **ret, struct tg_error *err);
TG_API void tg_package_close(struct tg_package *p); /* wipes; accepts NULL */
static inline void
tg_package_closep(struct tg_package **p)
{
	tg_package_close(*p);
}

/* The enum tg_policy_check bits that fail; the first one is explained in err (may be NULL). */
TG_API unsigned tg_package_policy(const struct tg_package *p, const struct tg_policy *policy,
    struct tg_error *err);

/* Every chunk against its signed leaf: what a mirror or an auditor can check.
 * threads 0: all cores. */
TG_API TG_MUST_CHECK tg_status tg_package_verify(const struct tg_package *p, unsigned threads,
    const struct tg_progress *progress, struct tg_error *err);

/*
 * Step 8: unwrap the payload key with the recipient's private key and check the commitment.
 * TG_E_POLICY when the package is not for this key, or when `policy` is not met;
 * TG_E_AUTH for anything else, without saying what. The reads below need it.
 */
TG_API TG_MUST_CHECK tg_status tg_package_unlock(struct tg_package *p, const struct tg_key *key,
    const struct tg_policy *policy, struct tg_error *err);

/* Facts, all signed. Strings and hashes are borrowed: valid until tg_package_close(). */
TG_API const char *tg_package_model_name(const struct tg_package *p);
TG_API const char *tg_package_model_version(const struct tg_package *p);
TG_API const uint8_t *tg_package_hash(const struct tg_package *p);         /* TG_HASH_LEN */
TG_API const uint8_t *tg_package_content_hash(const struct tg_package *p); /* TG_HASH_LEN */
TG_API const uint8_t *tg_package_author(const struct tg_package *p);       /* TG_KEY_ID_LEN */
TG_API uint64_t tg_package_rollback_index(const struct tg_package *p);
TG_API uint64_t tg_package_plain_len(const struct tg_package *p); /* bytes */

struct tg_package_file {
	const char *path;
	const char *format; /* NULL when not recorded */
	uint64_t offset;    /* bytes, in the plaintext */
	uint64_t size;      /* bytes */
	const uint8_t *sha256;
};
TG_API size_t tg_package_file_count(const struct tg_package *p);
TG_API struct tg_package_file tg_package_file(const struct tg_package *p, size_t i);
/* Index of the file at `path`; TG_E_NOTFOUND names the package's files. */
TG_API TG_MUST_CHECK tg_status tg_package_find(const struct tg_package *p, const char *path,
    size_t *ret, struct tg_error *err);

/* A tensor as the manifest has it: C order, little-endian. Strings are borrowed as above. */
struct tg_package_tensor {
	const char *name, *dtype, *path;
	unsigned rank;
	const uint64_t *shape;
	uint64_t offset; /* bytes, in the plaintext */
	uint64_t size;   /* bytes */
};
TG_API size_t tg_package_tensor_count(const struct tg_package *p);
TG_API struct tg_package_tensor tg_package_tensor(const struct tg_package *p, size_t i);
/* Index of the tensor called `name`; TG_E_NOTFOUND says what there is. */
TG_API TG_MUST_CHECK tg_status tg_package_find_tensor(const struct tg_package *p, const char *name,
    size_t *ret, struct tg_error *err);

/*
 * Decrypt one file into protected memory: every chunk read once, its leaf compared, opened, and
 * at the end the file's SHA-256 compared. *ret is new; an empty file gives TG_E_USAGE.
 */
TG_API TG_MUST_CHECK tg_status tg_package_load(const struct tg_package *p, size_t file,
    unsigned threads, struct tg_secret **ret, struct tg_error *err);
/* The same into a sink: bytes are handed over chunk by chunk, each after its own checks; the
 * SHA-256 is compared at the end. */
TG_API TG_MUST_CHECK tg_status tg_package_copy(const struct tg_package *p, size_t file,
    unsigned threads, const struct tg_sink *to, const struct tg_progress *progress,
    struct tg_error *err);
/* Bytes offset ... offset + n of the plaintext: only the chunks they lie in are read. */
TG_API TG_MUST_CHECK tg_status tg_package_read(const struct tg_package *p, uint64_t offset, void *to,
    size_t n, struct tg_error *err);
/* The same into a sink, in order, on several threads. */
TG_API TG_MUST_CHECK tg_status tg_package_copy_range(const struct tg_package *p, uint64_t offset,
    uint64_t n, unsigned threads, const struct tg_sink *to, const struct tg_progress *progress,
    struct tg_error *err);
/* Decrypt everything and compare every file's SHA-256 with the manifest; gives nothing out. */
TG_API TG_MUST_CHECK tg_status tg_package_verify_files(const struct tg_package *p, unsigned threads,
    const struct tg_progress *progress, struct tg_error *err);
/* All files as a deterministic ustar stream. It is released chunk by chunk, each after its leaf
 * and tag, so files' SHA-256 are not compared (tg_package_verify_files() does). On failure it ends
 * without its closing blocks. */
TG_API TG_MUST_CHECK tg_status tg_package_tar(const struct tg_package *p, unsigned threads,
    const struct tg_sink *to, const struct tg_progress *progress, struct tg_error *err);
/* All files into the folder `dir`, which is made if absent (docs/PROTOCOL.tgsp.md section 5).
 * TG_E_CONFLICT when a file is there already and !force. On failure nothing stays. */
TG_API TG_MUST_CHECK tg_status tg_package_extract(const struct tg_package *p, const char *dir,
    int force, unsigned threads, const struct tg_progress *progress, struct tg_error *err);

TG_END_DECLS
#endif
