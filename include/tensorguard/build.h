/* tensorguard/build.h - sealing files into a .tgsp package (docs/PROTOCOL.tgsp.md section 5). */
#ifndef TENSORGUARD_BUILD_H
#define TENSORGUARD_BUILD_H

#include <tensorguard/package.h>

TG_BEGIN_DECLS

/* One file to be packaged. It is opened three times: for its size, to fix the manifest, and to
 * encrypt. Each time it must have the same size and contents. */
struct tg_build_input {
	const char *path; /* in the package */
	tg_status (*open)(void *ctx, struct tg_source *ret, struct tg_error *err);
	void (*close)(void *ctx, struct tg_source *src);
	void *ctx;
};

/* What a package says and who gets it. Everything is borrowed during tg_build(). Optional parts
 * are NULL or 0; JSON parts are texts of one object within the protocol's profile. */
struct tg_build_spec {
	const struct tg_build_input *inputs; /* any order */
	size_t n_inputs;
	const struct tg_key *signer;            /* private signing key */
	const struct tg_key *const *recipients; /* public encryption keys, 1 ... 1000 */
	size_t n_recipients;
	const char *model_name;    /* "unknown" */
	const char *model_version; /* "1.0.0" */
	const char *kind;          /* "model" (default), "adapter", "update" */
	int64_t created_at;        /* Unix seconds */
	uint64_t rollback_index;
	const uint64_t *not_before, *not_after; /* Unix seconds */
	const char *const *fleets;
	size_t n_fleets;
	const char *min_agent_version; /* "MAJOR.MINOR.PATCH" */
	const uint8_t (*delegates)[TG_KEY_ID_LEN];
	size_t n_delegates;
	const uint8_t *base_model_sha256, *prev_package; /* TG_HASH_LEN bytes */
	const char *provenance, *model_card, *policy, *preprocessing, *custom;
	int allow_code; /* package files that a loader would execute (pickles) all the same */
	int no_tensors; /* leave the tensor table out */
	/* 32 bytes: derive every key and coin from it and the contents, sign deterministically, and
	 * take package_id from the contents. Whoever has it can decrypt what was built with it. */
	const struct tg_secret *reproducible;
	unsigned threads; /* 0: all cores */
	const struct tg_progress *progress; /* bytes of pass 1 and pass 2 together */
};

struct tg_build_result {
	uint8_t package_hash[TG_HASH_LEN];
	uint8_t content_hash[TG_HASH_LEN];
	uint64_t plain_len;    /* bytes */
	uint64_t package_size; /* bytes */
	size_t recipients;     /* blocks; a key given twice is one */
	size_t tensors;
	size_t tensors_skipped; /* in the files, but not describable in a manifest */
};

/*
 * Write a package to `out`, which starts empty; parts are written in any order, each byte once.
 * TG_E_POLICY: a file bears code (says which and why). TG_E_CONFLICT: an input changed meanwhile.
 * After any failure what was written so far is worthless, and nothing has been signed over it.
 */
TG_API TG_MUST_CHECK tg_status tg_build(const struct tg_build_spec *spec,
    const struct tg_target *out, struct tg_build_result *ret, struct tg_error *err);

TG_END_DECLS
#endif
