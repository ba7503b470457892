/* Reading a package, in the order of docs/PROTOCOL.tgsp.md section 4. */
#include "tgsp/package.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "tgsp/files.h"
#include "tgsp/keys.h"
#include "tgsp/policy.h"
#include "tgsp/trust.h"
#include "util/text.h"
#include "util/try.h"

/* Step 3: the author, out of the trust store, both halves over M_content. */
static tg_status
author_check(const struct tgsp_envelope *e, const struct tg_trust *trust,
    const struct tg_key **ret_author, struct tg_error *err)
{
	char id[2 * TG_KEY_ID_LEN + 1];
	const struct tg_key *author = tgsp_trust_find(trust, TG_TRUST_AUTHOR, e->signature.key_id);

	tg_hex_encode(id, (tg_bytes){ e->signature.key_id, TG_KEY_ID_LEN });
	TG_REQUIRE(author != NULL, err, TG_E_AUTH, "signed by %s, which is not a trusted author (or not at this time)", id);
	TG_REQUIRE(tgsp_content_verify(author, tg_buf_view(&e->frame.header),
		       tg_buf_view(&e->frame.manifest), &e->signature.content, NULL) == TG_OK,
	    err, TG_E_AUTH, "the author's signature does not verify");
	*ret_author = author;
	return TG_OK;
}

/* Step 4, the part that no option turns off. */
static tg_status
signer_check(const struct tgsp_envelope *e, struct tg_error *err)
{
	TG_REQUIRE(memcmp(e->manifest->author, e->signature.key_id, TG_KEY_ID_LEN) == 0, err,
	    TG_E_AUTH, "signed by another key than the author its manifest names");
	return TG_OK;
}

/* Step 5. */
static tg_status
content_check(const struct tgsp_envelope *e, struct tg_error *err)
{
	const tg_bytes manifest = tg_buf_view(&e->frame.manifest);
	uint8_t hash[32];

	TG_TRY(tg_sha256(&manifest, 1, hash, err));
	TG_REQUIRE(memcmp(hash, e->header.manifest_hash, sizeof(hash)) == 0, err, TG_E_AUTH,
	    "the manifest is not the one in the header");
	return tgsp_manifest_check(e->manifest, e->header.plain_len, err);
}

static bool
is_delegate(const struct tgsp_manifest *m, const uint8_t *id)
{
	for (size_t i = 0; i < m->n_delegates; i++)
		if (memcmp(m->delegates[i], id, TG_KEY_ID_LEN) == 0)
			return true;
	return false;
}

/* Step 7: signed by the author, or by a trusted key that the manifest lists as delegate. */
static tg_status
recipients_check(const struct tgsp_envelope *e, const struct tg_trust *trust,
    const struct tg_key *author, struct tg_error *err)
{
	const uint8_t *id = e->signature.recipients_key_id;
	const struct tg_key *signer = NULL;

	if (memcmp(id, tg_key_id(author), TG_KEY_ID_LEN) == 0)
		signer = author;
	else if (is_delegate(e->manifest, id))
		signer = tgsp_trust_find(trust, TG_TRUST_DELEGATE, id);
	if (signer == NULL && is_delegate(e->manifest, id)) /* an author is trusted with more */
		signer = tgsp_trust_find(trust, TG_TRUST_AUTHOR, id);
	TG_REQUIRE(signer != NULL, err, TG_E_AUTH,
	    "the recipients are signed by neither the author nor a trusted delegate");
	TG_REQUIRE(tgsp_recipients_verify(signer, e->package_hash, tg_buf_view(&e->frame.recipients),
		       &e->signature.recipients, NULL) == TG_OK,
	    err, TG_E_AUTH, "the recipients' signature does not verify");
	return TG_OK;
}

tg_status
tg_package_open(const struct tg_source *src, const struct tg_trust *trust, struct tg_package **ret,
    struct tg_error *err)
{
	TG_AUTO(tg_package_closep) struct tg_package *p = calloc(1, sizeof(*p));
	const struct tg_key *author = NULL;

	TG_REQUIRE(p != NULL, err, TG_E_NOMEM, "package: out of memory");
	TG_TRY(tgsp_envelope_read(src, &p->envelope, err));               /* 1, 2 */
	TG_TRY(author_check(p->envelope, trust, &author, err));           /* 3 */
	TG_TRY(signer_check(p->envelope, err));                           /* 4 */
	TG_TRY(content_check(p->envelope, err));                          /* 5 */
	TG_TRY(tgsp_payload_open(src, &p->envelope->layout, p->envelope->header.root, &p->payload,
	    err));                                                        /* 6 */
	TG_TRY(recipients_check(p->envelope, trust, author, err));        /* 7 */
	*ret = p;
	p = NULL;
	return TG_OK;
}

void
tg_package_close(struct tg_package *p)
{
	if (p == NULL)
		return;
	tgsp_envelope_free(p->envelope);
	tgsp_payload_done(&p->payload);
	tg_secret_free(p->key);
	free(p);
}

unsigned
tg_package_policy(const struct tg_package *p, const struct tg_policy *policy, struct tg_error *err)
{
	return tgsp_policy_check(p->envelope->manifest, policy, err);
}

tg_status
tg_package_verify(const struct tg_package *p, unsigned threads, const struct tg_progress *progress,
    struct tg_error *err)
{
	return tgsp_payload_verify(&p->payload, threads, progress, err);
}

/* The key's own block. */
static tg_status
find_block(const struct tg_package *p, const struct tg_key *key, const struct tgsp_recipient **ret,
    struct tg_error *err)
{
	char id[2 * TG_KEY_ID_LEN + 1];

	*ret = tgsp_recipients_find(&p->envelope->recipients, tg_key_id(key));
	tg_hex_encode(id, (tg_bytes){ tg_key_id(key), TG_KEY_ID_LEN });
	TG_REQUIRE(*ret != NULL, err, TG_E_POLICY, "not for this key: %s is none of its %zu recipients",
	    id, p->envelope->recipients.n);
	return TG_OK;
}

/* Step 8 behind the look-up: DEK, payload key, commitment. */
static tg_status
unlock(const struct tg_package *p, const struct tgsp_recipient *block, const struct tg_key *key,
    struct tg_key32 *ret_dek, struct tg_key32 *ret, struct tg_error *err)
{
	const struct tgsp_envelope *e = p->envelope;
	uint8_t ctx[32], commit[32];

	TG_TRY(tgsp_recipient_unwrap(block, key, e->header.manifest_hash, e->header.commit, ret_dek,
	    err));
	TG_TRY(tgsp_context(tg_buf_view(&e->frame.manifest), e->header.plain_len, e->header.chunk_log2,
	    ctx, err));
	TG_TRY(tgsp_payload_keys(ret_dek, e->header.salt, ctx, ret, commit, err));
	TG_REQUIRE(tg_equal_ct(commit, e->header.commit, sizeof(commit)), err, TG_E_AUTH,
	    "the recipient block does not open with this key");
	return TG_OK;
}

tg_status
tgsp_package_dek(const struct tg_package *p, const struct tg_key *key,
    const struct tg_policy *policy, struct tg_key32 *ret_dek, struct tg_key32 *ret_payload,
    struct tg_error *err)
{
	const struct tgsp_recipient *block = NULL;

	if (tgsp_policy_check(p->envelope->manifest, policy, err) != 0)
		return TG_E_POLICY;
	TG_TRY(find_block(p, key, &block, err));
	return unlock(p, block, key, ret_dek, ret_payload, err);
}

tg_status
tg_package_unlock(struct tg_package *p, const struct tg_key *key, const struct tg_policy *policy,
    struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *secret = NULL;
	TG_AUTO(tg_key32_done) struct tg_key32 dek = { { 0 } };

	TG_TRY(tg_secret_new(sizeof(struct tg_key32), &secret, err));
	TG_TRY(tgsp_package_dek(p, key, policy, &dek,
	    (struct tg_key32 *)(void *)tg_secret_bytes(secret), err));
	tg_secret_free(p->key);
	p->key = secret;
	secret = NULL;
	return TG_OK;
}

const char *
tg_package_model_name(const struct tg_package *p)
{
	return p->envelope->manifest->model_name;
}

const char *
tg_package_model_version(const struct tg_package *p)
{
	return p->envelope->manifest->model_version;
}

const uint8_t *
tg_package_hash(const struct tg_package *p)
{
	return p->envelope->package_hash;
}

const uint8_t *
tg_package_content_hash(const struct tg_package *p)
{
	return p->envelope->manifest->content_hash;
}

const uint8_t *
tg_package_author(const struct tg_package *p)
{
	return p->envelope->manifest->author;
}

uint64_t
tg_package_rollback_index(const struct tg_package *p)
{
	return p->envelope->manifest->rollback_index;
}

uint64_t
tg_package_plain_len(const struct tg_package *p)
{
	return p->envelope->header.plain_len;
}

size_t
tg_package_file_count(const struct tg_package *p)
{
	return p->envelope->manifest->n_files;
}

struct tg_package_file
tg_package_file(const struct tg_package *p, size_t i)
{
	return p->envelope->manifest->files[i].f;
}

tg_status
tg_package_find(const struct tg_package *p, const char *path, size_t *ret, struct tg_error *err)
{
	const struct tgsp_manifest *m = p->envelope->manifest;
	const size_t i = tgsp_manifest_find(m, path);

	TG_REQUIRE(i < m->n_files, err, TG_E_NOTFOUND, "no file \"%s\" in the package; it has \"%s\"%s",
	    path, m->n_files > 0 ? m->files[0].f.path : "", m->n_files > 1 ? " and others" : "");
	*ret = i;
	return TG_OK;
}

size_t
tg_package_tensor_count(const struct tg_package *p)
{
	return p->envelope->manifest->n_tensors;
}

struct tg_package_tensor
tg_package_tensor(const struct tg_package *p, size_t i)
{
	const struct tgsp_manifest *m = p->envelope->manifest;
	const struct tgsp_tensor *t = &m->tensors[i];
	const struct tg_package_file *f = &m->files[tgsp_manifest_find(m, t->path)].f;

	return (struct tg_package_tensor){ t->name, t->dtype, t->path, t->rank, t->shape,
		f->offset + t->offset, t->size };
}

static int
tensor_name(const void *name, const void *tensor)
{
	return strcmp(name, ((const struct tgsp_tensor *)tensor)->name);
}

tg_status
tg_package_find_tensor(const struct tg_package *p, const char *name, size_t *ret,
    struct tg_error *err)
{
	const struct tgsp_manifest *m = p->envelope->manifest;
	const struct tgsp_tensor *t = m->n_tensors == 0
	    ? NULL
	    : bsearch(name, m->tensors, m->n_tensors, sizeof(*t), tensor_name);

	TG_REQUIRE(t != NULL, err, TG_E_NOTFOUND,
	    "no tensor \"%s\" in the package; it has %zu ('tensorguard inspect --tensors' lists them)",
	    name, m->n_tensors);
	*ret = (size_t)(t - m->tensors);
	return TG_OK;
}

/* K_payload, or a clear word that unlocking comes first. */
static tg_status
payload_key(const struct tg_package *p, const struct tg_key32 **ret, struct tg_error *err)
{
	TG_REQUIRE(p->key != NULL, err, TG_E_USAGE, "the package has not been unlocked");
	*ret = (const struct tg_key32 *)(const void *)tg_secret_bytes(p->key);
	return TG_OK;
}

static tg_status
hash_put(void *ctx, const void *p, size_t n, struct tg_error *err)
{
	return tg_sha256_put(ctx, p, n, err);
}

static tg_status
file_hash_check(struct tg_sha256_stream *hash, const struct tg_package_file *f,
    struct tg_error *err)
{
	uint8_t got[32];

	TG_TRY(tg_sha256_finish(hash, got, err));
	TG_REQUIRE(memcmp(got, f->sha256, sizeof(got)) == 0, err, TG_E_AUTH,
	    "\"%s\": SHA-256 is not the one in the manifest", f->path);
	return TG_OK;
}

tg_status
tg_package_load(const struct tg_package *p, size_t file, unsigned threads, struct tg_secret **ret,
    struct tg_error *err)
{
	const struct tg_package_file *f = &p->envelope->manifest->files[file].f;
	TG_AUTO(tg_secret_freep) struct tg_secret *mem = NULL;
	TG_AUTO(tg_sha256_freep) struct tg_sha256_stream *hash = NULL;
	const struct tg_key32 *key = NULL;

	TG_TRY(payload_key(p, &key, err));
	TG_REQUIRE(f->size > 0, err, TG_E_USAGE, "\"%s\" is empty", f->path);
	TG_TRY(tg_secret_new((size_t)f->size, &mem, err));
	TG_TRY(tg_sha256_new(&hash, err));
	const struct tg_sink seen = { hash_put, hash };
	TG_TRY(tgsp_payload_load(&p->payload, key, f->offset, f->offset + f->size, threads,
	    tg_secret_bytes(mem), &seen, err));
	TG_TRY(file_hash_check(hash, f, err));
	*ret = mem;
	mem = NULL;
	return TG_OK;
}

struct copy {
	const struct tg_sink *to;
	struct tg_sha256_stream *hash;
};

static tg_status
copy_put(void *ctx, const void *p, size_t n, struct tg_error *err)
{
	const struct copy *c = ctx;

	TG_TRY(tg_sha256_put(c->hash, p, n, err));
	return c->to->write(c->to->ctx, p, n, err);
}

tg_status
tg_package_copy(const struct tg_package *p, size_t file, unsigned threads, const struct tg_sink *to,
    const struct tg_progress *progress, struct tg_error *err)
{
	const struct tg_package_file *f = &p->envelope->manifest->files[file].f;
	TG_AUTO(tg_sha256_freep) struct tg_sha256_stream *hash = NULL;
	const struct tg_key32 *key = NULL;

	TG_TRY(payload_key(p, &key, err));
	TG_TRY(tg_sha256_new(&hash, err));
	struct copy c = { to, hash };
	const struct tg_sink sink = { copy_put, &c };
	TG_TRY(tgsp_payload_read(&p->payload, key, f->offset, f->offset + f->size, threads, &sink,
	    progress, err));
	return file_hash_check(hash, f, err);
}

tg_status
tg_package_read(const struct tg_package *p, uint64_t offset, void *to, size_t n,
    struct tg_error *err)
{
	const struct tg_key32 *key = NULL;

	TG_TRY(payload_key(p, &key, err));
	TG_REQUIRE(offset <= p->payload.layout.plain_len && n <= p->payload.layout.plain_len - offset,
	    err, TG_E_USAGE, "%zu bytes at %llu leave the package", n, (unsigned long long)offset);
	return tgsp_payload_load(&p->payload, key, offset, offset + n, 1, to, NULL, err);
}

tg_status
tg_package_copy_range(const struct tg_package *p, uint64_t offset, uint64_t n, unsigned threads,
    const struct tg_sink *to, const struct tg_progress *progress, struct tg_error *err)
{
	const struct tg_key32 *key = NULL;
	uint64_t end = 0;

	TG_TRY(payload_key(p, &key, err));
	TG_REQUIRE(tg_add_u64(offset, n, &end), err, TG_E_USAGE, "range overflows");
	return tgsp_payload_read(&p->payload, key, offset, end, threads, to, progress, err);
}

static tg_status
reader_of(const struct tg_package *p, unsigned threads, const struct tg_progress *progress,
    struct tgsp_reader *ret, struct tg_error *err)
{
	const struct tg_key32 *key = NULL;

	TG_TRY(payload_key(p, &key, err));
	*ret = (struct tgsp_reader){ &p->payload, p->envelope->manifest, key, threads, progress };
	return TG_OK;
}

tg_status
tg_package_verify_files(const struct tg_package *p, unsigned threads,
    const struct tg_progress *progress, struct tg_error *err)
{
	struct tgsp_reader r;

	TG_TRY(reader_of(p, threads, progress, &r, err));
	return tgsp_files_read(&r, true, NULL, err);
}

tg_status
tg_package_tar(const struct tg_package *p, unsigned threads, const struct tg_sink *to,
    const struct tg_progress *progress, struct tg_error *err)
{
	struct tgsp_reader r;

	TG_TRY(reader_of(p, threads, progress, &r, err));
	return tgsp_tar(&r, to, err);
}

tg_status
tg_package_extract(const struct tg_package *p, const char *dir, int force, unsigned threads,
    const struct tg_progress *progress, struct tg_error *err)
{
	struct tgsp_reader r;

	TG_TRY(reader_of(p, threads, progress, &r, err));
	return tgsp_extract(&r, dir, force != 0, err);
}
