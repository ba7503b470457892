/* tests/unit/tgsp/forge.h - packages made step by step, so that a test can alter any part of one
 * and have everything behind it made anew: what refuses is then the very check that is meant.
 *
 *   manifest, plain -> forge_seal() -> header, recipients, index, ct -> forge_sign() -> signature
 *   -> forge_join() -> out
 *
 * Each step does the ones before it unless they have been done. */
#ifndef TG_TESTS_TGSP_FORGE_H
#define TG_TESTS_TGSP_FORGE_H

#include "pack.h"

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/leaf.h"
#include "crypto/tree.h"
#include "tgsp/frame.h"
#include "tgsp/header.h"
#include "tgsp/keys.h"
#include "tgsp/manifest.h"
#include "tgsp/payload.h"
#include "tgsp/recipients.h"
#include "tgsp/signature.h"

/* The cast of every story; made once by cast_make(). */
static struct tg_key *author, *other_author, *delegate, *reader, *second_reader, *stranger;

static inline void
cast_make(void)
{
	author = fixed_key(TG_KEY_SIGNING, 1, 2);
	other_author = fixed_key(TG_KEY_SIGNING, 11, 12);
	delegate = fixed_key(TG_KEY_SIGNING, 21, 22);
	reader = fixed_key(TG_KEY_ENCRYPTION, 3, 4);
	second_reader = fixed_key(TG_KEY_ENCRYPTION, 13, 14);
	stranger = fixed_key(TG_KEY_ENCRYPTION, 23, 24);
}

static inline void
cast_done(void)
{
	tg_key_free(author);
	tg_key_free(other_author);
	tg_key_free(delegate);
	tg_key_free(reader);
	tg_key_free(second_reader);
	tg_key_free(stranger);
}

enum section { HEADER, MANIFEST, RECIPIENTS, SIGNATURE, PAYLOAD, SECTIONS };

#define FORGE_MAX_RECIPIENTS 1001

struct forge {
	/* the plan; may be changed before forge_seal() */
	const struct tg_key *to[2];
	size_t n_to;
	unsigned chunk_log2;
	struct tg_key32 dek;
	uint8_t salt[32];
	struct tg_buf plain, text[SECTIONS]; /* text[MANIFEST] is there from the start */
	/* made by forge_seal() */
	struct tgsp_header h;
	struct tg_key32 payload_key;
	struct tgsp_recipient block[FORGE_MAX_RECIPIENTS];
	size_t n_blocks;
	struct tg_buf index, ct;
	bool sealed;
	/* made by forge_sign() */
	const struct tg_key *signs, *signs_recipients;
	struct tgsp_signature sig;
	bool is_signed;
	/* made by forge_join() */
	bool length_forced[SECTIONS];
	uint64_t length[SECTIONS];
	struct tg_buf pad, out;
	bool pad_forced, joined;
	/* the reader's side */
	const struct tg_key *trusts, *trusts_delegate, *reads;
	struct tg_policy policy;
};

/* ---- the plan ---- */

struct forge_file {
	const char *path;
	size_t size;
};

/* Three chunks of 4 KiB: a file over two of them, an empty one, a small one. */
static const struct forge_file forge_files[] = {
	{ "model/a.bin", 5000 },
	{ "model/b.txt", 0 },
	{ "z.bin", 100 },
};

static inline struct tg_json *
forge_object(const char *text)
{
	struct tg_json *j = NULL;

	MUST(tg_json_parse(tg_bytes_str(text), TG_JSON_CANONICAL, "test", &j, err));
	return j;
}

/* A manifest with every field there is. */
static inline void
forge_manifest(struct forge *f, const struct tg_package_file *files, size_t n, bool tensors)
{
	static const struct tgsp_tensor two[] = {
		{ "bias", "z.bin", "F32", 2, { 5, 5 }, 0, 100 },
		{ "weight", "model/a.bin", "F16", 2, { 50, 50 }, 0, 5000 },
	};
	static const char *const fleets[] = { "edge", "lab" };
	const uint64_t before = 1600000000, after = 1800000000;
	uint8_t delegates[1][TG_KEY_ID_LEN], base[32], prev[32];
	struct tg_json *free_part = forge_object("{\"a\":[1,{\"b\":\"text\"}]}");

	memcpy(delegates[0], tg_key_id(delegate), TG_KEY_ID_LEN);
	memset(base, 0xab, sizeof(base));
	memset(prev, 0xcd, sizeof(prev));
	const struct tgsp_manifest_draft draft = {
		.package_id = "0123456789abcdef0123456789abcdef",
		.model_name = "forged",
		.model_version = "1.0.0",
		.kind = "model",
		.author = tg_key_id(author),
		.created_at = 1650000000,
		.rollback_index = 5,
		.files = files,
		.n_files = n,
		.tensors = tensors ? two : NULL,
		.n_tensors = tensors ? 2 : 0,
		.not_before = &before,
		.not_after = &after,
		.fleets = fleets,
		.n_fleets = 2,
		.min_agent_version = "1.2.3",
		.delegates = (const uint8_t(*)[TG_KEY_ID_LEN])delegates,
		.n_delegates = 1,
		.base_model_sha256 = base,
		.prev_package = prev,
		.provenance = free_part,
		.model_card = free_part,
		.policy = free_part,
		.preprocessing = free_part,
		.custom = free_part,
	};
	f->text[MANIFEST].n = 0;
	MUST(tgsp_manifest_write(&draft, &f->text[MANIFEST], err));
	tg_json_free(free_part);
}

/* Plaintext and manifest of these files. */
static inline void
forge_contents(struct forge *f, const struct forge_file *list, size_t n, bool tensors)
{
	struct tg_package_file files[16];
	uint8_t hash[16][32];
	uint64_t end = 0;

	f->plain.n = 0;
	for (size_t i = 0; i < n; i++) {
		static const uint8_t zeros[4096];
		const uint64_t at = tgsp_align_up(end);
		uint8_t *p = NULL;

		put(&f->plain, zeros, (size_t)(at - end));
		MUST(((void)err, tg_buf_grow(&f->plain, list[i].size, &p)));
		fill(p, list[i].size, (uint32_t)i + 1);
		const tg_bytes data = { p, list[i].size };
		MUST(tg_sha256(&data, 1, hash[i], err));
		files[i] = (struct tg_package_file){ list[i].path, i == 0 ? "raw" : NULL, at,
			list[i].size, hash[i] };
		end = at + list[i].size;
	}
	forge_manifest(f, files, n, tensors);
}

static inline struct forge *
forge_new(void)
{
	struct forge *f = calloc(1, sizeof(*f));

	if (f == NULL)
		abort();
	for (int i = 0; i < SECTIONS; i++)
		tg_buf_init(&f->text[i], SIZE_MAX);
	tg_buf_init(&f->plain, SIZE_MAX);
	tg_buf_init(&f->index, SIZE_MAX);
	tg_buf_init(&f->ct, SIZE_MAX);
	tg_buf_init(&f->pad, SIZE_MAX);
	tg_buf_init(&f->out, SIZE_MAX);
	f->to[0] = reader;
	f->to[1] = second_reader;
	f->n_to = 2;
	f->chunk_log2 = 12;
	memset(f->dek.b, 0x77, 32);
	memset(f->salt, 0x55, 32);
	f->signs = f->signs_recipients = f->trusts = author;
	f->reads = reader;
	f->policy = (struct tg_policy){
		.now = 1700000000, .fleet = "edge", .floor = 5, .agent_version = "1.2.3"
	};
	forge_contents(f, forge_files, TG_LEN(forge_files), true);
	return f;
}

static inline void
forge_free(struct forge *f)
{
	for (int i = 0; i < SECTIONS; i++)
		tg_buf_done(&f->text[i]);
	tg_buf_done(&f->plain);
	tg_buf_done(&f->index);
	tg_buf_done(&f->ct);
	tg_buf_done(&f->pad);
	tg_buf_done(&f->out);
	free(f);
}

/* ---- sealing ---- */

static inline uint64_t
forge_chunks(const struct forge *f)
{
	return f->plain.n == 0 ? 1 : ((f->plain.n - 1) >> f->chunk_log2) + 1;
}

static inline size_t
forge_chunk_len(const struct forge *f, uint64_t i)
{
	const size_t at = (size_t)(i << f->chunk_log2), whole = (size_t)1 << f->chunk_log2;

	return f->plain.n - at < whole ? f->plain.n - at : whole;
}

/* Encrypt chunk i with the nonce of (counter, last), and note its leaf and tag. */
static inline void
forge_chunk(struct forge *f, uint64_t i, uint64_t counter, bool last)
{
	struct tg_aead *aead = NULL;
	uint8_t nonce[12], *record = f->index.p + i * TGSP_INDEX_RECORD;
	const size_t at = (size_t)(i << f->chunk_log2), n = forge_chunk_len(f, i);

	MUST(tg_aead_new(f->payload_key.b, &aead, err));
	tg_stream_nonce(counter, last, nonce);
	MUST(tg_aead_seal(aead, nonce, (tg_bytes){ NULL, 0 }, f->plain.p + at, n, f->ct.p + at,
	    record + 32, err));
	struct tg_leaf leaf = { .ct = f->ct.p + at, .tag = record + 32 };
	MUST(tg_leaf_kernel_hash(&tg_leaf_portable, &leaf, n, err));
	memcpy(record, leaf.hash, 32);
	tg_aead_free(aead);
}

/* The root of the index as it stands. */
static inline void
forge_root(struct forge *f)
{
	struct tg_tree t;

	tg_tree_init(&t);
	for (size_t at = 0; at < f->index.n; at += TGSP_INDEX_RECORD)
		MUST(tg_tree_add(&t, f->index.p + at, err));
	MUST(tg_tree_root(&t, f->h.root, err));
}

static inline void
forge_write_header(struct forge *f)
{
	f->text[HEADER].n = 0;
	MUST(tgsp_header_write(&f->h, &f->text[HEADER], err));
}

static inline void
forge_write_recipients(struct forge *f)
{
	const struct tgsp_recipients r = { f->block, f->n_blocks };

	f->text[RECIPIENTS].n = 0;
	MUST(tgsp_recipients_write(&r, &f->text[RECIPIENTS], err));
}

/* A block for `to` that holds `dek`; blocks stay sorted. */
static inline void
forge_wrap(struct forge *f, const struct tg_key *to, const struct tg_key32 *dek)
{
	struct tgsp_coins coins;
	struct tgsp_recipient b;
	size_t at = f->n_blocks;

	memset(coins.x25519, 0x40 + (int)f->n_blocks, 32);
	memset(coins.mlkem, 0x80 + (int)f->n_blocks, 32);
	MUST(tgsp_recipient_wrap(to, &coins, dek, f->h.manifest_hash, f->h.commit, &b, err));
	for (; at > 0 && memcmp(f->block[at - 1].id, b.id, sizeof(b.id)) > 0; at--)
		f->block[at] = f->block[at - 1];
	f->block[at] = b;
	f->n_blocks++;
}

static inline struct tgsp_recipient *
forge_block(struct forge *f, const struct tg_key *of)
{
	for (size_t i = 0; i < f->n_blocks; i++)
		if (memcmp(f->block[i].id, tg_key_id(of), TG_KEY_ID_LEN) == 0)
			return &f->block[i];
	abort();
}

static inline void
forge_seal(struct forge *f)
{
	const tg_bytes manifest = tg_buf_view(&f->text[MANIFEST]);
	uint8_t ctx[32], *p = NULL;

	if (f->sealed)
		return;
	f->sealed = true;
	f->h = (struct tgsp_header){
		.chunk_log2 = f->chunk_log2, .chunks = forge_chunks(f), .plain_len = f->plain.n
	};
	memcpy(f->h.salt, f->salt, 32);
	MUST(tg_sha256(&manifest, 1, f->h.manifest_hash, err));
	MUST(tgsp_context(manifest, f->plain.n, f->chunk_log2, ctx, err));
	MUST(tgsp_payload_keys(&f->dek, f->salt, ctx, &f->payload_key, f->h.commit, err));
	for (size_t i = 0; i < f->n_to; i++)
		forge_wrap(f, f->to[i], &f->dek);
	MUST(((void)err, tg_buf_grow(&f->index, (size_t)f->h.chunks * TGSP_INDEX_RECORD, &p)));
	MUST(((void)err, tg_buf_grow(&f->ct, f->plain.n, &p)));
	for (uint64_t i = 0; i < f->h.chunks; i++)
		forge_chunk(f, i, i, i + 1 == f->h.chunks);
	forge_root(f);
	forge_write_header(f);
	forge_write_recipients(f);
}

/* ---- signing ---- */

static inline void
forge_write_signature(struct forge *f)
{
	f->text[SIGNATURE].n = 0;
	MUST(tgsp_signature_write(&f->sig, &f->text[SIGNATURE], err));
}

static inline void
forge_package_hash(const struct forge *f, uint8_t ret[static 32])
{
	MUST(tgsp_package_hash(
	    tg_buf_view(&f->text[HEADER]), tg_buf_view(&f->text[MANIFEST]), ret, err));
}

static inline void
forge_sign(struct forge *f)
{
	uint8_t hash[32];

	if (f->is_signed)
		return;
	forge_seal(f);
	f->is_signed = true;
	forge_package_hash(f, hash);
	memcpy(f->sig.key_id, tg_key_id(f->signs), TG_KEY_ID_LEN);
	memcpy(f->sig.recipients_key_id, tg_key_id(f->signs_recipients), TG_KEY_ID_LEN);
	MUST(tgsp_content_sign(f->signs, tg_buf_view(&f->text[HEADER]),
	    tg_buf_view(&f->text[MANIFEST]), true, &f->sig.content, err));
	MUST(tgsp_recipients_sign(f->signs_recipients, hash, tg_buf_view(&f->text[RECIPIENTS]),
	    true, &f->sig.recipients, err));
	forge_write_signature(f);
}

/* ---- joining ---- */

static inline void
forge_length(struct forge *f, enum section s, uint64_t v)
{
	f->length_forced[s] = true;
	f->length[s] = v;
}

static inline void
forge_put_section(struct forge *f, enum section s)
{
	uint8_t len[4];

	tg_put_u32be(len, (uint32_t)(f->length_forced[s] ? f->length[s] : f->text[s].n));
	put(&f->out, len, 4);
	put_view(&f->out, tg_buf_view(&f->text[s]));
}

static inline void
forge_join(struct forge *f)
{
	static const uint8_t zeros[4096];
	uint8_t len[8];

	if (f->joined)
		return;
	forge_sign(f);
	f->joined = true;
	put(&f->out, tgsp_magic, TGSP_MAGIC_LEN);
	forge_put_section(f, HEADER);
	forge_put_section(f, MANIFEST);
	forge_put_section(f, RECIPIENTS);
	const size_t at = f->out.n + 8 + f->index.n;
	if (!f->pad_forced)
		put(&f->pad, zeros, (4096 - at % 4096) % 4096);
	tg_put_u64be(
	    len, f->length_forced[PAYLOAD] ? f->length[PAYLOAD] : f->index.n + f->pad.n + f->ct.n);
	put(&f->out, len, 8);
	put_view(&f->out, tg_buf_view(&f->index));
	put_view(&f->out, tg_buf_view(&f->pad));
	put_view(&f->out, tg_buf_view(&f->ct));
	forge_put_section(f, SIGNATURE);
}

/* ---- the verdict ---- */

static inline struct attempt
forge_attempt(struct forge *f)
{
	struct tg_trust *t = trust_of(f->trusts, f->trusts_delegate);

	forge_join(f);
	const struct attempt a = attempt(tg_buf_view(&f->out), t, f->reads, &f->policy);
	tg_trust_free(t);
	return a;
}

/* The package is refused at this step, with this status, for this reason, and nothing of it has
 * been delivered. Frees f. */
static inline void
refused(struct forge *f, enum step at, tg_status want, const char *why, const char *name)
{
	const struct attempt a = forge_attempt(f);
	const bool early = at <= STEP_FILES;
	const bool good = a.at == at && a.status == want && strstr(a.err.text, why) != NULL &&
	    (!early || a.delivered == 0) && a.err.status == want &&
	    strchr(a.err.text, '\n') == NULL;

	named(good, "refused: %s", name);
	if (!good)
		printf("# step %d (want %d), status %s (want %s), \"%s\" (want \"%s\"), %zu bytes "
		       "delivered\n",
		    (int)a.at, (int)at, tg_status_name(a.status), tg_status_name(want), a.err.text,
		    why, a.delivered);
	forge_free(f);
}

/* The package is good. Frees f. */
static inline void
accepted(struct forge *f, const char *name)
{
	const struct attempt a = forge_attempt(f);

	named(a.status == TG_OK && a.at == STEP_DONE, "accepted: %s", name);
	if (a.status != TG_OK)
		printf("# step %d, status %s, \"%s\"\n", (int)a.at, tg_status_name(a.status),
		    a.err.text);
	forge_free(f);
}

/* ---- editing JSON ---- */

/* Replace bytes at ... at + n. */
static inline void
patch(struct tg_buf *b, size_t at, size_t n, tg_bytes by)
{
	struct tg_buf out;

	tg_buf_init(&out, SIZE_MAX);
	put(&out, b->p, at);
	put_view(&out, by);
	put(&out, b->p + at + n, b->n - at - n);
	tg_buf_done(b);
	*b = out;
}

/* Replace the text that must stand there exactly once. */
static inline void
edit(struct tg_buf *b, const char *from, const char *to)
{
	const uint8_t *p = memmem(b->p, b->n, from, strlen(from));

	if (p == NULL || memmem(p + 1, b->n - (size_t)(p + 1 - b->p), from, strlen(from)) != NULL) {
		printf("Bail out! '%s' is not there, or there twice\n", from);
		exit(1);
	}
	patch(b, (size_t)(p - b->p), strlen(from), tg_bytes_str(to));
}

struct json_span {
	size_t at, n;
};

/* The value that starts at `at`, in JSON that is known to be good. */
static inline struct json_span
json_value(tg_bytes j, size_t at)
{
	size_t i = at;
	int depth = 0;

	do {
		const uint8_t c = j.p[i];

		if (c == '"')
			for (i++; j.p[i] != '"'; i++)
				i += j.p[i] == '\\';
		depth += (c == '{' || c == '[') - (c == '}' || c == ']');
		i++;
	} while (i < j.n && (depth > 0 || memchr(",]}:", j.p[i], 4) == NULL));
	return (struct json_span){ at, i - at };
}

/* The value at a path like "crypto.commit" or "content_index.0.path", "" being all of it; *member
 * is the whole `"key":value`, or the element. */
static inline struct json_span
json_find(tg_bytes j, const char *path, struct json_span *member)
{
	struct json_span v = json_value(j, 0);

	*member = v;
	while (*path != '\0') {
		const size_t n = strcspn(path, ".");
		size_t at = v.at + 1, index = 0;

		for (;;) {
			struct json_span key = { at, 0 };

			if (at >= v.at + v.n - 1) {
				printf("Bail out! no '%s' in the JSON\n", path);
				exit(1);
			}
			if (j.p[v.at] == '{') {
				key = json_value(j, at);
				at = key.at + key.n + 1;
			}
			const struct json_span value = json_value(j, at);
			const bool found = j.p[v.at] == '{'
			    ? key.n == n + 2 && memcmp(j.p + key.at + 1, path, n) == 0
			    : index == (size_t)atoi(path);
			if (found) {
				*member = (struct json_span){ key.at, value.at + value.n - key.at };
				v = value;
				break;
			}
			at = value.at + value.n + 1;
			index++;
		}
		path += n + (path[n] == '.');
	}
	return v;
}

/* Give the value at `path` another text. */
static inline void
json_set(struct tg_buf *b, const char *path, const char *text)
{
	struct json_span member;
	const struct json_span v = json_find(tg_buf_view(b), path, &member);

	patch(b, v.at, v.n, tg_bytes_str(text));
}

/* Take the member or element at `path` out, with the comma that separates it. */
static inline void
json_drop(struct tg_buf *b, const char *path)
{
	struct json_span m;

	(void)json_find(tg_buf_view(b), path, &m);
	if (b->p[m.at + m.n] == ',')
		m.n++;
	else if (b->p[m.at - 1] == ',')
		m = (struct json_span){ m.at - 1, m.n + 1 };
	patch(b, m.at, m.n, (tg_bytes){ NULL, 0 });
}

/* Put a member behind all others of the object at `path`. */
static inline void
json_add(struct tg_buf *b, const char *path, const char *member)
{
	struct json_span m;
	const struct json_span v = json_find(tg_buf_view(b), path, &m);
	char text[512];

	(void)snprintf(text, sizeof(text), "%s%s", v.n > 2 ? "," : "", member);
	patch(b, v.at + v.n - 1, 0, tg_bytes_str(text));
}

/* A forge whose sections exist and may be edited, and are signed afterwards; except for the
 * signature section, which is made and may be edited. The manifest is edited before sealing. */
static inline struct forge *
forge_ready_for(enum section s)
{
	struct forge *f = forge_new();

	if (s == HEADER || s == RECIPIENTS)
		forge_seal(f);
	if (s == SIGNATURE)
		forge_sign(f);
	return f;
}

static const char *const section_name[] = { "header", "manifest", "recipients", "signature",
	"payload" };

#endif
