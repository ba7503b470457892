/* tgsp/manifest.h - the manifest section (docs/PROTOCOL.tgsp.md section 2). */
#ifndef TG_TGSP_MANIFEST_H
#define TG_TGSP_MANIFEST_H

#include <tensorguard/key.h>
#include <tensorguard/limits.h>
#include <tensorguard/package.h>

#include "json/json.h"

/* A tensor row; strings are borrowed from the manifest. */
struct tgsp_tensor {
	const char *name, *path, *dtype;
	unsigned rank;
	uint64_t shape[TG_MAX_TENSOR_RANK];
	uint64_t offset; /* bytes, within the file */
	uint64_t size;   /* bytes */
};

struct tgsp_file {
	struct tg_package_file f;
	uint8_t sha256[TG_HASH_LEN]; /* what f.sha256 points to */
};

struct tgsp_manifest {
	struct tg_json *tree; /* owns every string below */
	const char *package_id, *model_name, *model_version, *kind;
	uint8_t author[TG_KEY_ID_LEN];
	uint64_t created_at, rollback_index;
	struct tgsp_file *files;
	size_t n_files;
	struct tgsp_tensor *tensors;
	size_t n_tensors;
	bool has_not_before, has_not_after;
	uint64_t not_before, not_after;
	const char **fleets; /* NULL: any */
	size_t n_fleets;
	const char *min_agent_version; /* NULL: any */
	uint16_t min_agent[3];
	uint8_t (*delegates)[TG_KEY_ID_LEN];
	size_t n_delegates;
	uint8_t content_hash[TG_HASH_LEN]; /* SHA-256 of the content_index array's JSON */
};

/* Step 2: strict JSON and complete schema. *ret is new: release with tgsp_manifest_free(). */
TG_MUST_CHECK tg_status tgsp_manifest_read(tg_bytes json, struct tgsp_manifest **ret,
    struct tg_error *err);
void tgsp_manifest_free(struct tgsp_manifest *m); /* accepts NULL */
static inline void
tgsp_manifest_freep(struct tgsp_manifest **m)
{
	tgsp_manifest_free(*m);
}

/* Step 5: what the parts say of each other: paths, offsets, plain_len, tensors. */
TG_MUST_CHECK tg_status tgsp_manifest_check(const struct tgsp_manifest *m, uint64_t plain_len,
    struct tg_error *err);

/* Index of the file at `path`, or n_files. */
size_t tgsp_manifest_find(const struct tgsp_manifest *m, const char *path);

/* "MAJOR.MINOR.PATCH" */
TG_MUST_CHECK tg_status tgsp_version_parse(const char *text, const char *what, uint16_t ret[static 3],
    struct tg_error *err);

/* What a writer says; optional parts are NULL or 0. Everything is borrowed. */
struct tgsp_manifest_draft {
	const char *package_id, *model_name, *model_version, *kind;
	const uint8_t *author; /* TG_KEY_ID_LEN */
	uint64_t created_at, rollback_index;
	const struct tg_package_file *files; /* in path order */
	size_t n_files;
	const struct tgsp_tensor *tensors; /* sorted by name, unique */
	size_t n_tensors;
	const uint64_t *not_before, *not_after;
	const char *const *fleets; /* sorted, unique */
	size_t n_fleets;
	const char *min_agent_version;
	const uint8_t (*delegates)[TG_KEY_ID_LEN]; /* sorted, unique */
	size_t n_delegates;
	const uint8_t *base_model_sha256, *prev_package; /* 32 bytes */
	const struct tg_json *provenance, *model_card, *policy, *preprocessing, *custom;
};
TG_MUST_CHECK tg_status tgsp_manifest_write(const struct tgsp_manifest_draft *d, struct tg_buf *out,
    struct tg_error *err);

/* SHA-256 over the canonical JSON of a content_index of these files. */
TG_MUST_CHECK tg_status tgsp_content_hash(const struct tg_package_file *files, size_t n,
    uint8_t ret[static TG_HASH_LEN], struct tg_error *err);

#endif
