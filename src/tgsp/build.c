/* Sealing a package: docs/PROTOCOL.tgsp.md section 5, "build". */
#include <tensorguard/build.h>

#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/rng.h"
#include "tgsp/draw.h"
#include "tgsp/envelope.h"
#include "tgsp/keys.h"
#include "tgsp/payload.h"
#include "util/text.h"
#include "util/try.h"

/* All that a build makes on its way. */
struct build {
	const struct tg_build_spec *spec;
	struct tgsp_scan scan;
	struct tg_package_file *files;
	uint64_t plain_len;
	struct tgsp_tensor_table tensors;
	const struct tg_key **to; /* recipients, sorted by id */
	uint8_t *ids;             /* their ids */
	struct tg_buf header, manifest, recipients, signature;
	struct tgsp_header h;
	struct tgsp_layout layout;
	uint8_t *index;
	struct tg_key32 dek, payload_key;
	struct tgsp_draw draw;
	struct tg_build_result result;
};

static void
build_done(struct build *b)
{
	tgsp_scan_done(&b->scan);
	tgsp_tensor_table_done(&b->tensors);
	free(b->files);
	free(b->to);
	free(b->ids);
	free(b->index);
	tg_buf_done(&b->header);
	tg_buf_done(&b->manifest);
	tg_buf_done(&b->recipients);
	tg_buf_done(&b->signature);
	tg_key32_done(&b->dek);
	tg_key32_done(&b->payload_key);
}

/* ---- the manifest ---- */

/* offset_k = roundup4096(end of file k-1) */
static tg_status
place_files(struct build *b, struct tg_error *err)
{
	uint64_t end = 0;

	b->files = calloc(b->scan.n + 1, sizeof(*b->files));
	TG_REQUIRE(b->files != NULL, err, TG_E_NOMEM, "build: out of memory");
	for (size_t i = 0; i < b->scan.n; i++) {
		const struct tgsp_scanned *f = &b->scan.at[i];

		b->files[i] = (struct tg_package_file){ f->input->path, f->format, tgsp_align_up(end),
			f->size, f->sha256 };
		end = b->files[i].offset + f->size;
		TG_REQUIRE(end <= TG_MAX_PLAIN_LEN, err, TG_E_LIMIT,
		    "more than 2^40 bytes of files do not fit into a package");
	}
	b->plain_len = end;
	return TG_OK;
}

/* The free parts of the manifest, parsed. */
struct extras {
	struct tg_json *provenance, *model_card, *policy, *preprocessing, *custom;
};

static void
extras_done(struct extras *x)
{
	tg_json_free(x->provenance);
	tg_json_free(x->model_card);
	tg_json_free(x->policy);
	tg_json_free(x->preprocessing);
	tg_json_free(x->custom);
}

static tg_status
extra_parse(const char *text, const char *what, struct tg_json **ret, struct tg_error *err)
{
	if (text == NULL)
		return TG_OK;
	/* any spacing and order is fine here; what the profile forbids, the read-back finds */
	TG_TRY(tg_json_parse(tg_bytes_str(text), TG_JSON_ORDINARY, what, ret, err));
	TG_REQUIRE(tg_json_typeof(*ret) == TG_JSON_OBJECT, err, TG_E_USAGE, "%s: an object expected",
	    what);
	return TG_OK;
}

static tg_status
extras_parse(const struct tg_build_spec *s, struct extras *x, struct tg_error *err)
{
	TG_TRY(extra_parse(s->provenance, "provenance", &x->provenance, err));
	TG_TRY(extra_parse(s->model_card, "model_card", &x->model_card, err));
	TG_TRY(extra_parse(s->policy, "policy", &x->policy, err));
	TG_TRY(extra_parse(s->preprocessing, "preprocessing", &x->preprocessing, err));
	return extra_parse(s->custom, "custom", &x->custom, err);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, TG_KEY_ID_LEN);
}

/* The sets of the manifest are sorted here; duplicates are caught when it is read back. */
struct sets {
	const char **fleets;
	uint8_t (*delegates)[TG_KEY_ID_LEN];
};

static void
sets_done(struct sets *s)
{
	free(s->fleets);
	free(s->delegates);
}

static tg_status
sets_sort(const struct tg_build_spec *spec, struct sets *s, struct tg_error *err)
{
	s->fleets = calloc(spec->n_fleets + 1, sizeof(*s->fleets));
	s->delegates = calloc(spec->n_delegates + 1, sizeof(*s->delegates));
	TG_REQUIRE(s->fleets != NULL && s->delegates != NULL, err, TG_E_NOMEM, "build: out of memory");
	for (size_t i = 0; i < spec->n_fleets; i++)
		s->fleets[i] = spec->fleets[i];
	for (size_t i = 0; i < spec->n_delegates; i++)
		memcpy(s->delegates[i], spec->delegates[i], TG_KEY_ID_LEN);
	qsort(s->fleets, spec->n_fleets, sizeof(*s->fleets), by_text);
	qsort(s->delegates, spec->n_delegates, sizeof(*s->delegates), by_id);
	return TG_OK;
}

static tg_status
package_id(const struct build *b, char ret[static 33], struct tg_error *err)
{
	uint8_t id[16];

	if (b->spec->reproducible == NULL)
		TG_TRY(tg_random(id, sizeof(id), err));
	else
		memcpy(id, b->result.content_hash, sizeof(id));
	tg_hex_encode(ret, (tg_bytes){ id, sizeof(id) });
	return TG_OK;
}

static tg_status
write_manifest(struct build *b, struct tg_error *err)
{
	const struct tg_build_spec *spec = b->spec;
	TG_AUTO(extras_done) struct extras x = { .custom = NULL };
	TG_AUTO(sets_done) struct sets sets = { .fleets = NULL };
	char id[33];

	TG_TRY(extras_parse(spec, &x, err));
	TG_TRY(sets_sort(spec, &sets, err));
	TG_TRY(tgsp_content_hash(b->files, b->scan.n, b->result.content_hash, err));
	TG_TRY(package_id(b, id, err));
	TG_REQUIRE(spec->created_at >= 0, err, TG_E_USAGE, "created_at before 1970");
	const struct tgsp_manifest_draft draft = {
		.package_id = id,
		.model_name = spec->model_name == NULL ? "unknown" : spec->model_name,
		.model_version = spec->model_version == NULL ? "1.0.0" : spec->model_version,
		.kind = spec->kind,
		.author = tg_key_id(spec->signer),
		.created_at = (uint64_t)spec->created_at,
		.rollback_index = spec->rollback_index,
		.files = b->files,
		.n_files = b->scan.n,
		.tensors = b->tensors.at,
		.n_tensors = b->tensors.n,
		.not_before = spec->not_before,
		.not_after = spec->not_after,
		.fleets = sets.fleets,
		.n_fleets = spec->n_fleets,
		.min_agent_version = spec->min_agent_version,
		.delegates = (const uint8_t (*)[TG_KEY_ID_LEN])sets.delegates,
		.n_delegates = spec->n_delegates,
		.base_model_sha256 = spec->base_model_sha256,
		.prev_package = spec->prev_package,
		.provenance = x.provenance,
		.model_card = x.model_card,
		.policy = x.policy,
		.preprocessing = x.preprocessing,
		.custom = x.custom,
	};
	return tgsp_manifest_write(&draft, &b->manifest, err);
}

/* Never sign what a reader would reject: read it back as a reader does. */
static tg_status
check_manifest(const struct build *b, struct tg_error *err)
{
	TG_AUTO(tgsp_manifest_freep) struct tgsp_manifest *m = NULL;

	TG_TRY(tgsp_manifest_read(tg_buf_view(&b->manifest), &m, err));
	return tgsp_manifest_check(m, b->plain_len, err);
}

/* ---- keys and recipients ---- */

static int
by_key_id(const void *a, const void *b)
{
	return memcmp(tg_key_id(*(const struct tg_key *const *)a),
	    tg_key_id(*(const struct tg_key *const *)b), TG_KEY_ID_LEN);
}

/* Sorted by id; a key given twice counts once. */
static tg_status
sort_recipients(struct build *b, size_t *ret_n, struct tg_error *err)
{
	const struct tg_build_spec *spec = b->spec;
	size_t n = 0;

	TG_REQUIRE(spec->n_recipients >= 1, err, TG_E_USAGE,
	    "no recipient: nobody could open the package");
	b->to = calloc(spec->n_recipients, sizeof(struct tg_key *));
	b->ids = calloc(spec->n_recipients, TG_KEY_ID_LEN);
	TG_REQUIRE(b->to != NULL && b->ids != NULL, err, TG_E_NOMEM, "build: out of memory");
	for (size_t i = 0; i < spec->n_recipients; i++)
		b->to[i] = spec->recipients[i];
	qsort(b->to, spec->n_recipients, sizeof(struct tg_key *), by_key_id);
	for (size_t i = 0; i < spec->n_recipients; i++)
		if (n == 0 || by_key_id(&b->to[n - 1], &b->to[i]) != 0)
			b->to[n++] = b->to[i];
	TG_REQUIRE(n <= TG_MAX_RECIPIENTS, err, TG_E_LIMIT, "%zu recipients, at most %u allowed", n,
	    TG_MAX_RECIPIENTS);
	for (size_t i = 0; i < n; i++)
		memcpy(b->ids + i * TG_KEY_ID_LEN, tg_key_id(b->to[i]), TG_KEY_ID_LEN);
	*ret_n = n;
	return TG_OK;
}

static tg_status
make_keys(struct build *b, size_t n_recipients, struct tg_error *err)
{
	const tg_bytes manifest = tg_buf_view(&b->manifest);
	uint8_t ctx[32];

	TG_TRY(tgsp_chunk_log2_for(b->plain_len, &b->h.chunk_log2, err));
	TG_TRY(tgsp_draw_init(&b->draw, b->spec->reproducible, manifest, b->plain_len,
	    b->h.chunk_log2, &b->scan, b->ids, n_recipients, err));
	TG_TRY(tgsp_draw_dek(&b->draw, &b->dek, err));
	TG_TRY(tgsp_draw_salt(&b->draw, b->h.salt, err));
	TG_TRY(tgsp_context(manifest, b->plain_len, b->h.chunk_log2, ctx, err));
	TG_TRY(tgsp_payload_keys(&b->dek, b->h.salt, ctx, &b->payload_key, b->h.commit, err));
	return tg_sha256(&manifest, 1, b->h.manifest_hash, err);
}

static tg_status
wrap_all(struct build *b, size_t n, struct tg_error *err)
{
	TG_AUTO(tgsp_recipients_done) struct tgsp_recipients r = { calloc(n, sizeof(*r.at)), 0 };

	TG_REQUIRE(r.at != NULL, err, TG_E_NOMEM, "build: out of memory");
	for (; r.n < n; r.n++) {
		struct tgsp_coins coins;
		tg_status s = tgsp_draw_coins(&b->draw, tg_key_id(b->to[r.n]), &coins, err);

		if (s == TG_OK)
			s = tgsp_recipient_wrap(b->to[r.n], &coins, &b->dek, b->h.manifest_hash,
			    b->h.commit, &r.at[r.n], err);
		tg_wipe(&coins, sizeof(coins));
		TG_TRY(s);
	}
	return tgsp_recipients_write(&r, &b->recipients, err);
}

/* The header's length does not depend on its hashes, so that the payload's place is known
 * before its root. */
static tg_status
lay_out(struct build *b, struct tg_error *err)
{
	b->h.plain_len = b->plain_len;
	TG_TRY(tgsp_layout(b->plain_len, b->h.chunk_log2, 0, &b->layout, err));
	b->h.chunks = b->layout.chunks;
	TG_TRY(tgsp_header_write(&b->h, &b->header, err));
	TG_TRY(tgsp_layout(b->plain_len, b->h.chunk_log2,
	    tgsp_frame_payload_at(b->header.n, b->manifest.n, b->recipients.n), &b->layout, err));
	b->index = calloc((size_t)b->layout.index_len, 1);
	TG_REQUIRE(b->index != NULL, err, TG_E_NOMEM, "build: out of memory");
	return TG_OK;
}

/* ---- pass 2 ---- */

/* Delivers the plaintext in order, hashing each file again on the way. */
struct feed {
	struct build *b;
	struct tg_sha256_stream *hash;
	size_t file;
	bool inside;
	struct tg_source src;
	uint64_t at;
};

static tg_status
changed(const struct tgsp_scanned *f, struct tg_error *err)
{
	return tg_fail(err, TG_E_CONFLICT, "%s: changed while being packaged", f->input->path);
}

static tg_status
feed_open(struct feed *f, struct tg_error *err)
{
	const struct tgsp_scanned *s = &f->b->scan.at[f->file];

	TG_TRY(s->input->open(s->input->ctx, &f->src, err));
	f->inside = true;
	return f->src.size == s->size ? TG_OK : changed(s, err);
}

static void
feed_close(struct feed *f)
{
	if (f->inside)
		f->b->scan.at[f->file].input->close(f->b->scan.at[f->file].input->ctx, &f->src);
	f->inside = false;
}

static tg_status
feed_end(struct feed *f, struct tg_error *err)
{
	const struct tgsp_scanned *s = &f->b->scan.at[f->file];
	uint8_t got[32];

	feed_close(f);
	TG_TRY(tg_sha256_finish(f->hash, got, err));
	if (memcmp(got, s->sha256, sizeof(got)) != 0)
		return changed(s, err);
	f->file++;
	return TG_OK;
}

/* Open what begins here and end what ends here; empty files do both. */
static tg_status
feed_borders(struct feed *f, struct tg_error *err)
{
	while (f->file < f->b->scan.n) {
		const struct tg_package_file *file = &f->b->files[f->file];

		if (!f->inside && f->at == file->offset)
			TG_TRY(feed_open(f, err));
		else if (f->inside && f->at == file->offset + file->size)
			TG_TRY(feed_end(f, err));
		else
			break;
	}
	return TG_OK;
}

static tg_status
feed_fill(void *ctx, uint8_t *buf, size_t n, struct tg_error *err)
{
	struct feed *f = ctx;

	while (n > 0) {
		TG_TRY(feed_borders(f, err));
		const struct tg_package_file *file = &f->b->files[f->file];
		const uint64_t border = f->inside ? file->offset + file->size : file->offset;
		const size_t run = border - f->at < n ? (size_t)(border - f->at) : n;

		if (f->inside) {
			TG_TRY(f->src.read_at(f->src.ctx, buf, run, f->at - file->offset, err));
			TG_TRY(tg_sha256_put(f->hash, buf, run, err));
		} else {
			memset(buf, 0, run); /* the gap between two files */
		}
		f->at += run;
		buf += run;
		n -= run;
	}
	return feed_borders(f, err);
}

/* Pass 2 counts on from where pass 1 ended. */
static void
second_half(void *ctx, uint64_t done, uint64_t total)
{
	const struct tg_progress *p = ctx;

	p->step(p->ctx, total + done, 2 * total);
}

static tg_status
encrypt(struct build *b, const struct tg_target *out, struct tg_error *err)
{
	TG_AUTO(tg_sha256_freep) struct tg_sha256_stream *hash = NULL;
	TG_AUTO(feed_close) struct feed feed = { .b = b };
	const struct tgsp_plaintext from = { feed_fill, &feed };
	const struct tg_progress progress = { second_half, (void *)(uintptr_t)b->spec->progress };

	TG_TRY(tg_sha256_new(&hash, err));
	feed.hash = hash;
	TG_TRY(tgsp_payload_write(&b->layout, &b->payload_key, &from, b->spec->threads, out, b->index,
	    b->h.root, b->spec->progress == NULL ? NULL : &progress, err));
	TG_REQUIRE(feed.file == b->scan.n, err, TG_E_INTERNAL, "build: %zu of %zu files packaged",
	    feed.file, b->scan.n);
	return TG_OK;
}

/* ---- signing and writing what is not ciphertext ---- */

static tg_status
sign(struct build *b, struct tg_error *err)
{
	const bool det = b->spec->reproducible != NULL;
	const size_t before = b->header.n;
	struct tgsp_signature s;

	b->header.n = 0; /* again, with the root */
	TG_TRY(tgsp_header_write(&b->h, &b->header, err));
	TG_REQUIRE(b->header.n == before, err, TG_E_INTERNAL, "build: header changed its length");
	memcpy(s.key_id, tg_key_id(b->spec->signer), TG_KEY_ID_LEN);
	memcpy(s.recipients_key_id, s.key_id, TG_KEY_ID_LEN);
	TG_TRY(tgsp_package_hash(tg_buf_view(&b->header), tg_buf_view(&b->manifest),
	    b->result.package_hash, err));
	TG_TRY(tgsp_content_sign(b->spec->signer, tg_buf_view(&b->header), tg_buf_view(&b->manifest),
	    det, &s.content, err));
	TG_TRY(tgsp_recipients_sign(b->spec->signer, b->result.package_hash,
	    tg_buf_view(&b->recipients), det, &s.recipients, err));
	return tgsp_signature_write(&s, &b->signature, err);
}

static tg_status
write_around(struct build *b, const struct tg_target *out, struct tg_error *err)
{
	static const uint8_t zeros[TG_PAYLOAD_ALIGN];
	const struct tgsp_layout *l = &b->layout;
	struct tg_buf head = { .max = SIZE_MAX }, tail = { .max = SIZE_MAX };
	tg_status s = tgsp_frame_write_head(tg_buf_view(&b->header), tg_buf_view(&b->manifest),
	    tg_buf_view(&b->recipients), l->payload_len, &head, err);

	if (s == TG_OK)
		s = tgsp_frame_write_tail(tg_buf_view(&b->signature), &tail, err);
	if (s == TG_OK)
		s = out->write_at(out->ctx, head.p, head.n, 0, err);
	if (s == TG_OK)
		s = out->write_at(out->ctx, b->index, (size_t)l->index_len, l->index_at, err);
	if (s == TG_OK)
		s = out->write_at(out->ctx, zeros, (size_t)l->pad_len, l->index_at + l->index_len, err);
	if (s == TG_OK)
		s = out->write_at(out->ctx, tail.p, tail.n, l->ct_at + l->plain_len, err);
	b->result.package_size = l->ct_at + l->plain_len + tail.n;
	tg_buf_done(&head);
	tg_buf_done(&tail);
	return s;
}

tg_status
tg_build(const struct tg_build_spec *spec, const struct tg_target *out, struct tg_build_result *ret,
    struct tg_error *err)
{
	TG_AUTO(build_done) struct build b = {
		.spec = spec,
		.header = { .max = TG_MAX_TGSP_HEADER },
		.manifest = { .max = TG_MAX_TGSP_MANIFEST },
		.recipients = { .max = TG_MAX_TGSP_RECIPIENTS },
		.signature = { .max = TG_MAX_TGSP_SIGNATURE },
	};
	size_t n_recipients = 0;

	TG_REQUIRE(tg_key_use_of(spec->signer) == TG_KEY_SIGNING && tg_key_has_private(spec->signer),
	    err, TG_E_USAGE, "building needs a private signing key");
	TG_TRY(sort_recipients(&b, &n_recipients, err));
	TG_TRY(tgsp_scan(spec, &b.scan, spec->progress, err)); /* pass 1 */
	TG_TRY(place_files(&b, err));
	TG_TRY(tgsp_tensor_table(&b.scan, &b.tensors, &b.result.tensors_skipped, err));
	TG_TRY(write_manifest(&b, err));
	TG_TRY(check_manifest(&b, err));
	TG_TRY(make_keys(&b, n_recipients, err));
	TG_TRY(wrap_all(&b, n_recipients, err));
	TG_TRY(lay_out(&b, err));
	TG_TRY(encrypt(&b, out, err)); /* pass 2 */
	TG_TRY(sign(&b, err));
	TG_TRY(write_around(&b, out, err));
	b.result.plain_len = b.plain_len;
	b.result.recipients = n_recipients;
	b.result.tensors = b.tensors.n;
	*ret = b.result;
	return TG_OK;
}
