/* Attacks on packages: frame, signatures, recipients, payload, policy. JSON and schema cases are in
 * test_negative_json.c and test_negative_schema.c. Everything that the attacker could make right is
 * right, so that each case shows one check at work. */
#include "forge.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/kem.h"

/* ---- the frame ---- */

static void
magic_is_fixed(void)
{
	static const uint8_t others[][6] = {
		{ 'T', 'G', 'S', 'P', 2, 0 }, /* a later version */
		{ 'T', 'G', 'S', 'P', 1, 1 },
		{ 'T', 'G', 'S', 'P', 0, 1 },
		{ 't', 'g', 's', 'p', 1, 0 },
		{ 'T', 'G', 'S', 'P', '1', '.' },
		{ 0, 0, 0, 0, 0, 0 },
		{ 'P', 'K', 3, 4, 20, 0 },
	};

	for (size_t i = 0; i < TG_LEN(others); i++) {
		struct forge *f = forge_new();
		char name[32];

		(void)snprintf(name, sizeof(name), "magic %zu", i);
		forge_join(f);
		memcpy(f->out.p, others[i], 6);
		refused(f, STEP_OPEN, TG_E_FORMAT, "not a TGSP 1.0 package", name);
	}
}

/* What a length may say that the section does not have. The limits come first, so that nothing
 * is allocated for a length that cannot be. */
static const struct {
	enum section in;
	uint64_t length;
	tg_status want;
	const char *why;
} lengths[] = {
	{ HEADER, 0, TG_E_LIMIT, "manifest: " },
	{ HEADER, 65536, TG_E_FORMAT, "header: 65536 bytes expected" },
	{ HEADER, 65537, TG_E_LIMIT, "header: 65537 bytes, at most 65536" },
	{ HEADER, 0x7fffffff, TG_E_LIMIT, "header: 2147483647" },
	{ HEADER, 0x80000000, TG_E_LIMIT, "header: 2147483648" },
	{ HEADER, 0xffffffff, TG_E_LIMIT, "header: 4294967295" },
	{ MANIFEST, 16777216, TG_E_FORMAT, "manifest: 16777216 bytes expected" },
	{ MANIFEST, 16777217, TG_E_LIMIT, "manifest: 16777217 bytes, at most 16777216" },
	{ MANIFEST, 0xffffffff, TG_E_LIMIT, "manifest: 4294967295" },
	{ RECIPIENTS, 16777216, TG_E_FORMAT, "recipients: 16777216 bytes expected" },
	{ RECIPIENTS, 16777217, TG_E_LIMIT, "recipients: 16777217 bytes, at most 16777216" },
	{ RECIPIENTS, 0xffffffff, TG_E_LIMIT, "recipients: 4294967295" },
	{ SIGNATURE, 1048576, TG_E_FORMAT, "signature: 1048576 bytes expected" },
	{ SIGNATURE, 1048577, TG_E_LIMIT, "signature: 1048577 bytes, at most 1048576" },
	{ SIGNATURE, 0xffffffff, TG_E_LIMIT, "signature: 4294967295" },
	{ PAYLOAD, 0, TG_E_LIMIT, "signature: " },
	{ PAYLOAD, 1ull << 41, TG_E_FORMAT, "payload: 2199023255552 bytes expected" },
	{ PAYLOAD, (1ull << 41) + 1, TG_E_LIMIT, "payload: 2199023255553" },
	{ PAYLOAD, 1ull << 62, TG_E_LIMIT, "payload: " },
	{ PAYLOAD, 1ull << 63, TG_E_LIMIT, "payload: 9223372036854775808" },
	{ PAYLOAD, UINT64_MAX, TG_E_LIMIT, "payload: 18446744073709551615" },
	{ PAYLOAD, UINT64_MAX - 4095, TG_E_LIMIT, "payload: " },
};

static void
lengths_are_checked(void)
{
	for (size_t i = 0; i < TG_LEN(lengths); i++) {
		struct forge *f = forge_new();
		char name[64];

		(void)snprintf(name, sizeof(name), "%s length %llu", section_name[lengths[i].in],
		    (unsigned long long)lengths[i].length);
		forge_length(f, lengths[i].in, lengths[i].length);
		refused(f, STEP_OPEN, lengths[i].want, lengths[i].why, name);
	}
}

/* What the length field of a section rightly says. */
static uint64_t
right_length(enum section s)
{
	struct forge *f = forge_new();

	forge_join(f);
	const uint64_t n = s == PAYLOAD ? f->index.n + f->pad.n + f->ct.n : f->text[s].n;
	forge_free(f);
	return n;
}

static void
refused_somehow(struct forge *f, const char *name)
{
	const struct attempt a = forge_attempt(f);

	named(a.at == STEP_OPEN && (a.status == TG_E_FORMAT || a.status == TG_E_LIMIT) &&
		a.delivered == 0,
	    "refused: %s", name);
	forge_free(f);
}

/* One more or one less: all that follows is read from the wrong place. */
static void
lengths_off_by_one(void)
{
	for (int s = HEADER; s <= PAYLOAD; s++)
		for (int d = -1; d <= 1; d += 2) {
			struct forge *f = forge_new();
			char name[64];

			forge_length(f, (enum section)s,
			    right_length((enum section)s) + (uint64_t)(int64_t)d);
			(void)snprintf(name, sizeof(name), "%s length %+d", section_name[s], d);
			refused_somehow(f, name);
		}
}

/* What one section loses the next one gains: the sum, and the end of the file, are right. */
static void
borders_moved(void)
{
	static const enum section order[] = { HEADER, MANIFEST, RECIPIENTS, PAYLOAD, SIGNATURE };

	for (size_t i = 0; i + 1 < TG_LEN(order); i++)
		for (int d = -1; d <= 1; d += 2) {
			struct forge *f = forge_new();
			char name[96];
			const uint64_t by = (uint64_t)(int64_t)d;

			forge_length(f, order[i], right_length(order[i]) + by);
			forge_length(f, order[i + 1], right_length(order[i + 1]) - by);
			(void)snprintf(name, sizeof(name), "border of %s and %s moved by %+d",
			    section_name[order[i]], section_name[order[i + 1]], d);
			refused_somehow(f, name);
		}
}

/* Header bytes moved into the manifest: both lengths agree with the bytes, nothing is dragged. */
static void
bytes_moved_between_header_and_manifest(void)
{
	struct forge *f = forge_new();

	forge_sign(f);
	f->text[HEADER].n--; /* its '}' */
	patch(&f->text[MANIFEST], 0, 0, tg_bytes_str("}"));
	refused(f, STEP_OPEN, TG_E_FORMAT, "header: ", "last byte of the header in the manifest");
	f = forge_new();
	forge_sign(f);
	patch(&f->text[HEADER], f->text[HEADER].n, 0, tg_bytes_str("{"));
	patch(&f->text[MANIFEST], 0, 1, (tg_bytes){ NULL, 0 });
	refused(f, STEP_OPEN, TG_E_FORMAT, "header: ", "first byte of the manifest in the header");
}

static void
bytes_behind_the_end(void)
{
	struct forge *f = forge_new();

	forge_join(f);
	put(&f->out, "\0", 1);
	refused(f, STEP_OPEN, TG_E_FORMAT, "1 bytes behind the end", "one byte appended");
	f = forge_new();
	forge_join(f);
	struct tg_buf twice = { .max = SIZE_MAX };
	put_view(&twice, tg_buf_view(&f->out));
	put_view(&f->out, tg_buf_view(&twice));
	tg_buf_done(&twice);
	refused(f, STEP_OPEN, TG_E_FORMAT, "behind the end", "the package twice");
}

/* A source that only pretends to be large: what is read of it is zeros. */
static tg_status
zeros_read(void *ctx, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	const tg_bytes *head = ctx;

	(void)err;
	memset(buf, 0, n);
	if (offset < head->n)
		memcpy(buf, head->p + offset, head->n - offset < n ? head->n - (size_t)offset : n);
	return TG_OK;
}

static void
huge_files_are_refused_without_reading_them(void)
{
	struct tg_trust *t = trust_of(author, NULL);
	struct tg_package *p = NULL;
	uint8_t head[64] = { 'T', 'G', 'S', 'P', 1, 0 };
	const tg_bytes view = { head, sizeof(head) };
	struct tg_source src = { zeros_read, (void *)(uintptr_t)&view, UINT64_MAX };

	OK_STATUS(tg_package_open(&src, t, &p, NULL), TG_E_FORMAT);
	memset(head + 6, 0xff, 4); /* "4 GiB of header", and the file has them */
	OK_STATUS(tg_package_open(&src, t, &p, NULL), TG_E_LIMIT);
	memset(head + 6, 0, 4);
	memset(head + 18, 0xff, 8); /* a payload of 2^64 - 1 bytes behind three empty sections */
	OK_STATUS(tg_package_open(&src, t, &p, NULL), TG_E_LIMIT);
	memset(head + 18, 0, 8);
	head[20] = 2; /* 2^41 of them, and an empty signature */
	OK_STATUS(tg_package_open(&src, t, &p, NULL), TG_E_FORMAT);
	OK(p == NULL);
	tg_trust_free(t);
}

/* ---- header.payload against the frame ---- */

static const struct {
	const char *name, *path, *value;
	tg_status want;
	const char *why;
} geometry[] = {
	{ "a chunk more", "payload.chunks", "4", TG_E_FORMAT, "4 chunks, plain_len makes 3" },
	{ "a chunk less", "payload.chunks", "2", TG_E_FORMAT, "2 chunks, plain_len makes 3" },
	{ "no chunk", "payload.chunks", "0", TG_E_FORMAT, "0 chunks" },
	{ "chunks negative", "payload.chunks", "-3", TG_E_FORMAT, "0 or more" },
	{ "65536 chunks", "payload.chunks", "65536", TG_E_FORMAT, "65536 chunks" },
	{ "65537 chunks", "payload.chunks", "65537", TG_E_LIMIT, "at most 65536" },
	{ "2^53-1 chunks", "payload.chunks", "9007199254740991", TG_E_LIMIT, "at most 65536" },
	{ "a byte more", "payload.plain_len", "8293", TG_E_FORMAT, "the header makes" },
	{ "a byte less", "payload.plain_len", "8291", TG_E_FORMAT, "the header makes" },
	{ "up to the end of the chunk", "payload.plain_len", "12288", TG_E_FORMAT,
	    "the header makes" },
	{ "a byte into the next chunk", "payload.plain_len", "12289", TG_E_FORMAT, "3 chunks" },
	{ "plain_len 0", "payload.plain_len", "0", TG_E_FORMAT, "3 chunks" },
	{ "plain_len negative", "payload.plain_len", "-8292", TG_E_FORMAT, "0 or more" },
	{ "plain_len 2^40", "payload.plain_len", "1099511627776", TG_E_LIMIT, "chunks, at most" },
	{ "plain_len 2^40+1", "payload.plain_len", "1099511627777", TG_E_LIMIT, "at most" },
	{ "plain_len 2^53-1", "payload.plain_len", "9007199254740991", TG_E_LIMIT, "at most" },
	{ "chunk_log2 0", "payload.chunk_log2", "0", TG_E_FORMAT, "chunk_log2 0" },
	{ "chunk_log2 11", "payload.chunk_log2", "11", TG_E_FORMAT, "chunk_log2 11" },
	{ "chunk_log2 13", "payload.chunk_log2", "13", TG_E_FORMAT, "3 chunks, plain_len makes 2" },
	{ "chunk_log2 24", "payload.chunk_log2", "24", TG_E_FORMAT, "3 chunks, plain_len makes 1" },
	{ "chunk_log2 25", "payload.chunk_log2", "25", TG_E_LIMIT, "at most 24" },
	{ "chunk_log2 64", "payload.chunk_log2", "64", TG_E_LIMIT, "at most 24" },
	{ "chunk_log2 2^32+12", "payload.chunk_log2", "4294967308", TG_E_LIMIT, "at most 24" },
	{ "chunk_log2 negative", "payload.chunk_log2", "-12", TG_E_FORMAT, "0 or more" },
};

static void
geometry_is_recomputed(void)
{
	for (size_t i = 0; i < TG_LEN(geometry); i++) {
		struct forge *f = forge_ready_for(HEADER);

		json_set(&f->text[HEADER], geometry[i].path, geometry[i].value);
		refused(f, STEP_OPEN, geometry[i].want, geometry[i].why, geometry[i].name);
	}
}

/* Another chunk size with everything that follows from it; only the key schedule and the index
 * know that it was another when the package was sealed. */
static void
chunk_size_is_bound_to_the_key(void)
{
	struct forge *f = forge_new();
	static const struct forge_file one[] = { { "a", 4000 } };

	/* one chunk of 4000 bytes, whatever the chunk size */
	forge_contents(f, one, 1, false);
	forge_seal(f);
	f->h.chunk_log2 = 13;
	forge_write_header(f);
	refused(
	    f, STEP_UNLOCK, TG_E_AUTH, "does not open with this key", "chunk_log2 of one chunk");
	for (unsigned log2 = 12; log2 <= 24; log2 += 6) {
		f = forge_new();
		f->chunk_log2 = log2;
		accepted(f, "chunk_log2 12, 18, 24");
	}
}

static void
padding_is_zero_and_of_its_length(void)
{
	static const size_t where[] = { 0, 1, 100 };

	for (size_t i = 0; i <= TG_LEN(where); i++) {
		struct forge *f = forge_new();

		forge_join(f);
		uint8_t *pad = memmem(f->out.p, f->out.n, f->index.p, f->index.n);
		pad += f->index.n;
		pad[i < TG_LEN(where) ? where[i] : f->pad.n - 1] = 1;
		refused(f, STEP_OPEN, TG_E_FORMAT, "padding byte", "padding that is not zero");
	}
	struct forge *f = forge_new();
	static const uint8_t zeros[8192];
	f->pad_forced = true;
	refused(f, STEP_OPEN, TG_E_FORMAT, "the header makes", "no padding");
	f = forge_new();
	forge_join(f);
	const size_t right = f->pad.n;
	forge_free(f);
	f = forge_new();
	f->pad_forced = true;
	put(&f->pad, zeros, right + 4096);
	refused(f, STEP_OPEN, TG_E_FORMAT, "the header makes", "a page of padding too much");
	f = forge_new();
	f->pad_forced = true;
	put(&f->pad, zeros, right);
	accepted(f, "the padding that is due");
}

/* ---- signatures ---- */

/* Give the signature another content before it becomes text. */
static struct forge *
signed_forge(void)
{
	struct forge *f = forge_new();

	forge_sign(f);
	return f;
}

static void
halves_are_not_dropped_or_mixed(void)
{
	struct forge *f = signed_forge(), *g = forge_new();

	memset(f->sig.content.classic, 0, sizeof(f->sig.content.classic));
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "author's signature", "classic half of the content zero");
	f = signed_forge();
	memset(f->sig.content.pqc, 0, sizeof(f->sig.content.pqc));
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "author's signature", "PQ half of the content zero");
	f = signed_forge();
	memset(f->sig.recipients.classic, 0, sizeof(f->sig.recipients.classic));
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "recipients' signature",
	    "classic half of the recipients zero");
	f = signed_forge();
	memset(f->sig.recipients.pqc, 0, sizeof(f->sig.recipients.pqc));
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "recipients' signature", "PQ half of the recipients zero");

	json_set(
	    &g->text[MANIFEST], "created_at", "1650000001"); /* another package of the author */
	forge_sign(g);
	f = signed_forge();
	memcpy(f->sig.content.classic, g->sig.content.classic, sizeof(f->sig.content.classic));
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "author's signature", "classic half of another package");
	f = signed_forge();
	memcpy(f->sig.content.pqc, g->sig.content.pqc, sizeof(f->sig.content.pqc));
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "author's signature", "PQ half of another package");
	f = signed_forge();
	f->sig.recipients = g->sig.recipients;
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "recipients' signature",
	    "recipients' signature of another package");
	forge_free(g);
}

static void
statements_do_not_stand_for_each_other(void)
{
	struct forge *f = signed_forge();
	const struct tg_composite_sig content = f->sig.content;

	f->sig.content = f->sig.recipients;
	f->sig.recipients = content;
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "author's signature", "the two signatures exchanged");
	f = signed_forge();
	f->sig.recipients = f->sig.content;
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "recipients' signature",
	    "content signature for the recipients");
	f = signed_forge();
	memcpy(f->sig.content.classic, f->sig.recipients.classic, 64);
	memcpy(f->sig.recipients.classic, content.classic, 64);
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "author's signature", "classic halves exchanged");
}

/* The bytes M of the content statement, from the text of the protocol. */
static void
content_statement_of(const struct forge *f, struct tg_buf *m)
{
	uint8_t len[4];

	tg_buf_init(m, SIZE_MAX);
	put(m, "TGSP-v1 content", 16);
	put(m, tgsp_magic, 6);
	tg_put_u32be(len, (uint32_t)f->text[HEADER].n);
	put(m, len, 4);
	put_view(m, tg_buf_view(&f->text[HEADER]));
	tg_put_u32be(len, (uint32_t)f->text[MANIFEST].n);
	put(m, len, 4);
	put_view(m, tg_buf_view(&f->text[MANIFEST]));
}

/* A half that signs M itself, or M' without the context, is no half of ours. */
static void
halves_of_plain_signatures_do_not_count(void)
{
	static const tg_bytes no_context = { (const uint8_t *)"", 0 };
	struct tg_pkey *const *half = author->private;
	struct forge *f = signed_forge();
	uint8_t composite[TG_COMPOSITE_MSG_LEN];
	const tg_bytes message = { composite, sizeof(composite) };
	struct tg_buf body;
	uint8_t *sig = f->sig.content.classic;

	content_statement_of(f, &body);
	const tg_bytes m = tg_buf_view(&body);
	MUST(tg_composite_message(&m, 1, composite, err));
	MUST(tg_sig_ed25519.sign(half[TG_CLASSIC], message, no_context, true, sig, err));
	forge_write_signature(f);
	accepted(f, "M' put together by hand");
	f = signed_forge();
	sig = f->sig.content.classic;
	MUST(tg_sig_ed25519.sign(half[TG_CLASSIC], m, no_context, true, sig, err));
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "author's signature", "Ed25519 over M instead of M'");
	f = signed_forge();
	sig = f->sig.content.pqc;
	MUST(tg_sig_mldsa65.sign(half[TG_PQC], message, no_context, true, sig, err));
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "author's signature", "ML-DSA without the context");
	tg_buf_done(&body);
}

/* S + L: the second encoding that a lax verifier would accept. */
static void
ed25519_is_not_malleable(void)
{
	static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6,
		0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
	struct forge *f = signed_forge();
	unsigned carry = 0;

	for (int i = 0; i < 32; i++) {
		carry += (unsigned)f->sig.content.classic[32 + i] + order[i];
		f->sig.content.classic[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "author's signature", "Ed25519 with S + L");
}

static void
signers_are_who_they_must_be(void)
{
	struct forge *f = forge_new();

	f->trusts = other_author;
	refused(f, STEP_OPEN, TG_E_AUTH, "not a trusted author", "author unknown to this reader");
	f = forge_new();
	f->trusts = NULL;
	refused(f, STEP_OPEN, TG_E_AUTH, "not a trusted author", "nobody is trusted");
	f = forge_new();
	f->trusts = other_author;
	f->trusts_delegate = author;
	refused(f, STEP_OPEN, TG_E_AUTH, "not a trusted author", "author trusted as delegate only");
	f = forge_new();
	f->signs = f->signs_recipients = other_author;
	f->trusts = other_author;
	refused(f, STEP_OPEN, TG_E_AUTH, "another key than the author",
	    "re-signed by another trusted author");
	f = forge_new();
	f->signs = other_author;
	forge_sign(f);
	memcpy(f->sig.key_id, tg_key_id(author), TG_KEY_ID_LEN);
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "author's signature", "another key under the author's id");
	f = forge_new();
	f->signs = delegate;
	f->trusts_delegate = delegate;
	refused(f, STEP_OPEN, TG_E_AUTH, "not a trusted author", "delegate as author");
	f = signed_forge();
	memset(f->sig.key_id, 0, TG_KEY_ID_LEN);
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "not a trusted author", "signer id zero");
}

static void
delegates_sign_recipients_where_both_sides_agree(void)
{
	struct forge *f = forge_new();

	f->signs_recipients = f->trusts_delegate = delegate;
	accepted(f, "delegate listed and trusted");
	f = forge_new();
	f->signs_recipients = delegate;
	refused(f, STEP_OPEN, TG_E_AUTH, "neither the author nor a trusted delegate",
	    "delegate listed, not trusted");
	f = forge_new();
	f->signs_recipients = f->trusts_delegate = delegate;
	json_drop(&f->text[MANIFEST], "delegates");
	refused(f, STEP_OPEN, TG_E_AUTH, "neither the author nor a trusted delegate",
	    "delegate trusted, not listed");
	f = forge_new();
	f->signs_recipients = f->trusts_delegate = delegate;
	json_set(&f->text[MANIFEST], "delegates", "[\"00000000000000000000000000000000\"]");
	refused(f, STEP_OPEN, TG_E_AUTH, "neither the author nor a trusted delegate",
	    "delegate trusted, another listed");
	f = forge_new();
	f->signs_recipients = other_author;
	f->trusts_delegate = delegate;
	refused(f, STEP_OPEN, TG_E_AUTH, "neither the author nor a trusted delegate",
	    "recipients signed by somebody else");
	f = forge_new();
	f->signs_recipients = other_author;
	f->trusts_delegate = delegate;
	forge_sign(f);
	memcpy(f->sig.recipients_key_id, tg_key_id(delegate), TG_KEY_ID_LEN);
	forge_write_signature(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "recipients' signature",
	    "another key under the delegate's id");
}

/* ---- replay and exchange of whole sections ---- */

static void
old_recipients_stay_valid_for_their_package(void)
{
	struct forge *old = signed_forge(), *f = forge_new();
	uint8_t hash[2][32];

	f->n_to = 1; /* re-keyed: the second reader is no longer there */
	forge_sign(f);
	forge_package_hash(old, hash[0]);
	forge_package_hash(f, hash[1]);
	OK(memcmp(hash[0], hash[1], 32) == 0);
	OK(!tg_bytes_equal(tg_buf_view(&f->text[RECIPIENTS]), tg_buf_view(&old->text[RECIPIENTS])));
	f->text[RECIPIENTS].n = 0;
	put_view(&f->text[RECIPIENTS], tg_buf_view(&old->text[RECIPIENTS]));
	f->sig.recipients = old->sig.recipients;
	forge_write_signature(f);
	f->reads = second_reader;
	accepted(f, "an old recipients block with its own signature (re-key does not revoke)");
	f = forge_new();
	f->n_to = 1;
	f->reads = second_reader;
	refused(f, STEP_UNLOCK, TG_E_POLICY, "not for this key", "a reader that was removed");
	forge_free(old);
}

/* Each section of another package of the same author in place of ours, as its bytes are. */
static void
sections_of_another_package(void)
{
	for (int s = HEADER; s <= SIGNATURE; s++) {
		struct forge *f = signed_forge(), *g = forge_new();
		char name[64];

		json_set(&g->text[MANIFEST], "model_name", "\"forgee\"");
		memset(g->dek.b, 0x78, 32);
		forge_sign(g);
		f->text[s].n = 0;
		put_view(&f->text[s], tg_buf_view(&g->text[s]));
		(void)snprintf(name, sizeof(name), "%s of another package", section_name[s]);
		refused(f, STEP_OPEN, TG_E_AUTH,
		    s == RECIPIENTS ? "recipients' signature" : "author's signature", name);
		forge_free(g);
	}
	for (int part = 0; part < 3; part++) {
		struct forge *f = signed_forge(), *g = forge_new();

		json_set(&g->text[MANIFEST], "model_name", "\"forgee\"");
		forge_sign(g);
		if (part != 1)
			memcpy(f->index.p, g->index.p, f->index.n);
		if (part != 0)
			memcpy(f->ct.p, g->ct.p, f->ct.n);
		if (part == 1)
			refused(f, STEP_VERIFY, TG_E_AUTH, "chunk 0 of 3 is not what was signed",
			    "ciphertext of another package");
		else
			refused(f, STEP_OPEN, TG_E_AUTH, "index is not what was signed",
			    part == 0 ? "index of another package" : "payload of another package");
		forge_free(g);
	}
}

static void
manifest_is_the_one_in_the_header(void)
{
	struct forge *f = forge_ready_for(HEADER);

	f->h.manifest_hash[31] ^= 1;
	forge_write_header(f);
	refused(
	    f, STEP_OPEN, TG_E_AUTH, "not the one in the header", "manifest hash in the header");
	f = forge_ready_for(HEADER);
	json_set(&f->text[MANIFEST], "model_name", "\"forgee\""); /* behind sealing */
	refused(
	    f, STEP_OPEN, TG_E_AUTH, "not the one in the header", "manifest changed and re-signed");
}

/* The whole envelope is right but for the manifest hash, which is right too: only the keys know. */
static void
manifest_is_bound_to_the_key(void)
{
	struct forge *f = forge_ready_for(HEADER);

	json_set(&f->text[MANIFEST], "model_name", "\"forgee\"");
	const tg_bytes m = tg_buf_view(&f->text[MANIFEST]);
	MUST(tg_sha256(&m, 1, f->h.manifest_hash, err));
	forge_write_header(f);
	refused(f, STEP_UNLOCK, TG_E_AUTH, "does not open with this key",
	    "manifest of an insider around another's ciphertext");
}

/* ---- recipients ---- */

static void
recipients_are_a_sorted_set(void)
{
	struct forge *f = forge_ready_for(RECIPIENTS);
	const struct tgsp_recipient first = f->block[0];

	f->block[0] = f->block[1];
	f->block[1] = first;
	forge_write_recipients(f);
	refused(f, STEP_OPEN, TG_E_FORMAT, "twice or out of order", "recipients out of order");
	f = forge_ready_for(RECIPIENTS);
	f->block[1] = f->block[0];
	forge_write_recipients(f);
	refused(f, STEP_OPEN, TG_E_FORMAT, "twice or out of order", "recipient twice");
	f = forge_ready_for(RECIPIENTS);
	memcpy(f->block[1].id, f->block[0].id, TG_KEY_ID_LEN);
	forge_write_recipients(f);
	refused(f, STEP_OPEN, TG_E_FORMAT, "twice or out of order", "two blocks of one id");
	f = forge_ready_for(RECIPIENTS);
	f->n_blocks = 0;
	forge_write_recipients(f);
	refused(f, STEP_OPEN, TG_E_FORMAT, "none, 1 ... 1000", "no recipient");
	f = forge_ready_for(RECIPIENTS);
	f->n_blocks = 1;
	forge_write_recipients(f);
	forge_sign(f);
	f->n_blocks = 2;
	forge_write_recipients(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "recipients' signature",
	    "recipient added behind the signature");
	f = signed_forge();
	f->n_blocks = 1;
	forge_write_recipients(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "recipients' signature",
	    "recipient removed behind the signature");
}

/* Blocks of made-up ids below the reader's own, up to n of them. */
static void
crowd(struct forge *f, size_t n)
{
	const struct tgsp_recipient own = *forge_block(f, reader);

	f->n_blocks = 0;
	for (size_t i = 0; i < n - 1; i++) {
		struct tgsp_recipient *b = &f->block[f->n_blocks++];

		*b = own;
		memset(b->id, 0, sizeof(b->id));
		tg_put_u32be(b->id + 4, (uint32_t)i);
	}
	f->block[f->n_blocks++] = own;
	forge_write_recipients(f);
}

static void
recipients_are_counted(void)
{
	struct forge *f = forge_ready_for(RECIPIENTS);

	crowd(f, 1000);
	accepted(f, "1000 recipients");
	f = forge_ready_for(RECIPIENTS);
	crowd(f, 1001);
	refused(f, STEP_OPEN, TG_E_LIMIT, "1001, at most 1000", "1001 recipients");
}

/* One bit of each part of our block, signed as it is. */
static void
block_parts_are_authentic(void)
{
	static const char same[] = "does not open with this key";
	struct forge *f = forge_ready_for(RECIPIENTS);

	forge_block(f, reader)->wrapper[0] ^= 1;
	forge_write_recipients(f);
	refused(f, STEP_UNLOCK, TG_E_AUTH, same, "wrapped key changed");
	f = forge_ready_for(RECIPIENTS);
	forge_block(f, reader)->wrapper[47] ^= 0x80;
	forge_write_recipients(f);
	refused(f, STEP_UNLOCK, TG_E_AUTH, same, "wrapper's tag changed");
	f = forge_ready_for(RECIPIENTS);
	forge_block(f, reader)->ct_pqc[0] ^= 1;
	forge_write_recipients(f);
	refused(f, STEP_UNLOCK, TG_E_AUTH, same, "ML-KEM ciphertext changed (implicit rejection)");
	f = forge_ready_for(RECIPIENTS);
	memset(forge_block(f, reader)->ct_pqc, 0, TG_MLKEM768_CT_LEN);
	forge_write_recipients(f);
	refused(f, STEP_UNLOCK, TG_E_AUTH, same, "ML-KEM ciphertext zero");
	f = forge_ready_for(RECIPIENTS);
	memset(forge_block(f, reader)->ct_pqc, 0xff, TG_MLKEM768_CT_LEN);
	forge_write_recipients(f);
	refused(f, STEP_UNLOCK, TG_E_AUTH, same, "ML-KEM ciphertext all ones");
	f = forge_ready_for(RECIPIENTS);
	forge_block(f, reader)->ek_classic[5] ^= 1;
	forge_write_recipients(f);
	refused(f, STEP_UNLOCK, TG_E_AUTH, same, "X25519 ephemeral changed");
	f = forge_ready_for(RECIPIENTS);
	forge_block(f, reader)->ek_classic[31] ^= 0x80; /* the same point to X25519 */
	forge_write_recipients(f);
	refused(f, STEP_UNLOCK, TG_E_AUTH, same, "X25519 ephemeral in its other encoding");
	f = forge_ready_for(RECIPIENTS);
	struct tgsp_recipient *a = forge_block(f, reader), *b = forge_block(f, second_reader);
	memcpy(a->ct_pqc, b->ct_pqc, TG_MLKEM768_CT_LEN);
	memcpy(a->ek_classic, b->ek_classic, 32);
	memcpy(a->wrapper, b->wrapper, 48);
	forge_write_recipients(f);
	refused(f, STEP_UNLOCK, TG_E_AUTH, same, "another reader's block under our id");
}

/* u of the points whose order divides 8, and their non-canonical twins (RFC 7748, curve25519). */
static const char *const low_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
	"4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
	"d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

/* A sender who knows that the shared secret will be zero could make the rest of the block right. */
static void
low_order_points_are_refused(void)
{
	for (size_t i = 0; i < TG_LEN(low_order); i++) {
		struct forge *f = forge_ready_for(RECIPIENTS);
		struct tgsp_recipient *b = forge_block(f, reader);
		static const uint8_t zero[32];
		static const uint8_t coins[32] = { 9 };
		uint8_t ss_m[32], aad[48], nonce[12] = { 0 };
		struct tg_key32 kek;
		struct tg_aead *aead = NULL;
		char name[64];

		OK(tg_hex_decode(b->ek_classic, 32, tg_bytes_str(low_order[i])));
		MUST(tg_kem_mlkem768.encaps(reader->public[TG_PQC], coins, b -> ct_pqc, ss_m, err));
		const struct tgsp_kem_transcript t = { zero, ss_m, b->ek_classic,
			reader->pk[TG_CLASSIC], b->ct_pqc, reader->pk[TG_PQC], f->h.manifest_hash };
		MUST(tgsp_kek(&t, &kek, err));
		MUST(tg_aead_new(kek.b, &aead, err));
		memcpy(aad, b->id, 16);
		memcpy(aad + 16, f->h.commit, 32);
		MUST(tg_aead_seal(aead, nonce, (tg_bytes){ aad, 48 }, f->dek.b, 32, b->wrapper,
		    b->wrapper + 32, err));
		tg_aead_free(aead);
		forge_write_recipients(f);
		(void)snprintf(name, sizeof(name), "X25519 point of low order %zu", i);
		refused(f, STEP_UNLOCK, TG_E_AUTH, "does not open with this key", name);
	}
}

static void
keys_that_do_not_fit(void)
{
	struct forge *f = forge_new();

	f->reads = stranger;
	refused(f, STEP_UNLOCK, TG_E_POLICY, "none of its 2 recipients", "no block for this key");
	f = forge_new();
	f->reads = author;
	refused(f, STEP_UNLOCK, TG_E_POLICY, "none of its 2 recipients", "a signing key");
	f = forge_new();
	struct tg_key *pub = public_half(reader);
	f->reads = pub;
	refused(f, STEP_UNLOCK, TG_E_USAGE, "private encryption key", "a public key");
	tg_key_free(pub);
	/* a block under our id that was made for another key */
	f = forge_ready_for(RECIPIENTS);
	memcpy(forge_block(f, second_reader)->id, tg_key_id(stranger), TG_KEY_ID_LEN);
	if (memcmp(f->block[0].id, f->block[1].id, TG_KEY_ID_LEN) > 0) {
		const struct tgsp_recipient b = f->block[0];

		f->block[0] = f->block[1];
		f->block[1] = b;
	}
	forge_write_recipients(f);
	f->reads = stranger;
	refused(f, STEP_UNLOCK, TG_E_AUTH, "does not open with this key",
	    "a block of another key under our id");
}

/* ---- commitment ---- */

static void
commitment_binds_the_key(void)
{
	struct forge *f = forge_ready_for(HEADER);
	struct tg_key32 second_dek;

	/* the header's value is changed alone: the wrapper's additional data tells */
	f->h.commit[0] ^= 1;
	forge_write_header(f);
	refused(f, STEP_UNLOCK, TG_E_AUTH, "does not open with this key", "commitment changed");
	/* and with blocks that were wrapped under it: only the comparison tells */
	f = forge_ready_for(HEADER);
	f->h.commit[0] ^= 1;
	f->n_blocks = 0;
	forge_wrap(f, reader, &f->dek);
	forge_write_header(f);
	forge_write_recipients(f);
	refused(f, STEP_UNLOCK, TG_E_AUTH, "does not open with this key",
	    "wrong commitment, blocks wrapped under it");
	f = forge_ready_for(HEADER);
	f->h.salt[0] ^= 1;
	forge_write_header(f);
	refused(f, STEP_UNLOCK, TG_E_AUTH, "does not open with this key", "salt changed");
	/* salamanders: the second reader is given another DEK for the same ciphertext */
	memset(second_dek.b, 0x66, 32);
	for (int who = 0; who < 2; who++) {
		f = forge_ready_for(RECIPIENTS);
		f->n_blocks = 0;
		forge_wrap(f, reader, &f->dek);
		forge_wrap(f, second_reader, &second_dek);
		forge_write_recipients(f);
		f->reads = who == 0 ? reader : second_reader;
		if (who == 0)
			accepted(f, "the reader whose DEK is committed to");
		else
			refused(f, STEP_UNLOCK, TG_E_AUTH, "does not open with this key",
			    "a second DEK for the same ciphertext");
	}
}

/* Step 8 has one answer, to the letter, for whatever is wrong. */
static void
failures_of_unlocking_cannot_be_told_apart(void)
{
	char text[4][TG_ERROR_TEXT_MAX];
	tg_status status[4];

	for (int i = 0; i < 4; i++) {
		struct forge *f = forge_ready_for(RECIPIENTS);
		struct tgsp_recipient *b = forge_block(f, reader);

		if (i == 0)
			b->wrapper[40] ^= 1;
		else if (i == 1)
			b->ct_pqc[9] ^= 1;
		else if (i == 2)
			memset(b->ek_classic, 0, 32);
		else
			f->h.salt[3] ^= 1;
		forge_write_header(f);
		forge_write_recipients(f);
		const struct attempt a = forge_attempt(f);
		status[i] = a.status;
		memcpy(text[i], a.err.text, sizeof(text[i]));
		forge_free(f);
	}
	for (int i = 1; i < 4; i++)
		OK(status[i] == TG_E_AUTH && status[0] == TG_E_AUTH &&
		    strcmp(text[i], text[0]) == 0);
}

/* ---- the payload ---- */

static void
swap_bytes(uint8_t *a, uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t t = a[i];

		a[i] = b[i];
		b[i] = t;
	}
}

static void
chunks_stay_where_they_were_signed(void)
{
	struct forge *f = signed_forge();

	swap_bytes(f->ct.p, f->ct.p + 4096, 4096);
	refused(f, STEP_VERIFY, TG_E_AUTH, "chunk 0 of 3 is not what was signed", "chunks swapped");
	f = signed_forge();
	swap_bytes(f->index.p, f->index.p + 48, 48);
	refused(f, STEP_OPEN, TG_E_AUTH, "index is not what was signed", "index records swapped");
	f = signed_forge();
	swap_bytes(f->ct.p, f->ct.p + 4096, 4096);
	swap_bytes(f->index.p, f->index.p + 48, 48);
	refused(f, STEP_OPEN, TG_E_AUTH, "index is not what was signed",
	    "chunks and their records swapped");
	f = signed_forge();
	memcpy(f->ct.p + 4096, f->ct.p, 4096);
	refused(
	    f, STEP_VERIFY, TG_E_AUTH, "chunk 1 of 3 is not what was signed", "chunk duplicated");
	f = signed_forge();
	swap_bytes(f->index.p + 32, f->index.p + 48 + 32, 16);
	refused(f, STEP_VERIFY, TG_E_AUTH, "chunk 0 of 3 is not what was signed",
	    "tags swapped (the root is over leaves)");
	f = signed_forge();
	f->index.p[5] ^= 1;
	refused(f, STEP_OPEN, TG_E_AUTH, "index is not what was signed", "leaf changed");
	f = signed_forge();
	f->ct.p[8291] ^= 0x80;
	refused(f, STEP_VERIFY, TG_E_AUTH, "chunk 2 of 3 is not what was signed",
	    "last byte of the ciphertext changed");
	f = signed_forge();
	f->ct.n -= 100; /* the last chunk, and the file ends a chunk early */
	refused(f, STEP_OPEN, TG_E_FORMAT, "the header makes", "last chunk dropped");
	f = signed_forge();
	f->ct.n -= 100;
	f->index.n -= 48;
	refused(f, STEP_OPEN, TG_E_FORMAT, "the header makes", "last chunk and its record dropped");
	f = forge_ready_for(HEADER);
	f->h.root[0] ^= 1;
	forge_write_header(f);
	refused(f, STEP_OPEN, TG_E_AUTH, "index is not what was signed", "root changed, re-signed");
}

/* The author's own hand: everything is signed, and only the AEAD can see what is wrong. */
static void
stream_positions_are_bound(void)
{
	struct forge *f = forge_ready_for(HEADER);

	forge_chunk(f, 2, 2, false);
	forge_root(f);
	forge_write_header(f);
	refused(
	    f, STEP_FILES, TG_E_AUTH, "chunk 2 of 3 does not open", "last chunk without the flag");
	f = forge_ready_for(HEADER);
	forge_chunk(f, 0, 0, true);
	forge_root(f);
	forge_write_header(f);
	refused(
	    f, STEP_FILES, TG_E_AUTH, "chunk 0 of 3 does not open", "first chunk with the flag");
	f = forge_ready_for(HEADER);
	forge_chunk(f, 1, 2, false);
	forge_root(f);
	forge_write_header(f);
	refused(f, STEP_FILES, TG_E_AUTH, "chunk 1 of 3 does not open", "counter one too high");
	f = forge_ready_for(HEADER);
	forge_chunk(f, 1, 1ull << 32 | 1, false);
	forge_root(f);
	forge_write_header(f);
	refused(f, STEP_FILES, TG_E_AUTH, "chunk 1 of 3 does not open", "counter 2^32 too high");
	/* swapped with everything around them re-signed */
	f = forge_ready_for(HEADER);
	swap_bytes(f->ct.p, f->ct.p + 4096, 4096);
	swap_bytes(f->index.p, f->index.p + 48, 48);
	forge_root(f);
	forge_write_header(f);
	refused(
	    f, STEP_FILES, TG_E_AUTH, "chunk 0 of 3 does not open", "chunks swapped and re-signed");
	/* a tag that does not belong, under a leaf that does */
	f = forge_ready_for(HEADER);
	f->index.p[32] ^= 1;
	struct tg_leaf leaf = { .ct = f->ct.p, .tag = f->index.p + 32 };
	MUST(tg_leaf_kernel_hash(&tg_leaf_portable, &leaf, 4096, err));
	memcpy(f->index.p, leaf.hash, 32);
	forge_root(f);
	forge_write_header(f);
	refused(
	    f, STEP_FILES, TG_E_AUTH, "chunk 0 of 3 does not open", "tag changed and re-signed");
	/* truncation to whole chunks by somebody who can sign: n says which one is last */
	f = forge_new();
	static const struct forge_file two[] = { { "a", 8192 } };
	forge_contents(f, two, 1, false);
	forge_seal(f);
	forge_chunk(f, 1, 1, false); /* as if a third chunk had followed */
	forge_root(f);
	forge_write_header(f);
	refused(f, STEP_FILES, TG_E_AUTH, "chunk 1 of 2 does not open",
	    "truncated at the border of a chunk");
}

/* The single-chunk forms of a leaf and a node must not be taken for each other. */
static void
leaves_and_nodes_differ(void)
{
	struct forge *f = forge_ready_for(HEADER);
	uint8_t node[32];

	/* leaf 0 := the node over leaves 0 and 1; with two records the root would be the same */
	MUST(tg_tree_node(f->index.p, f->index.p + 48, node, err));
	memcpy(f->index.p, node, 32);
	refused(f, STEP_OPEN, TG_E_AUTH, "index is not what was signed", "an inner node as leaf");
}

static void
gaps_are_zero(void)
{
	static const size_t where[] = { 5000, 6000, 8191 };

	for (size_t i = 0; i < TG_LEN(where); i++) {
		struct forge *f = forge_new();
		char why[64];

		f->plain.p[where[i]] = 1;
		(void)snprintf(why, sizeof(why), "plaintext byte %zu lies between files", where[i]);
		refused(f, STEP_FILES, TG_E_FORMAT, why, "plaintext hidden in a gap");
	}
}

/* A folder of our own, gone at the end. */
static char scratch[] = "/tmp/tg-negative-XXXXXX";

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* However the test ends. */
static void
remove_scratch(void)
{
	(void)nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool
is_empty_or_absent(const char *dir)
{
	return rmdir(dir) == 0 || access(dir, F_OK) != 0;
}

/* Signed by the author and wrong all the same: a file whose hash is another's. */
static void
file_hashes_are_compared(void)
{
	struct forge *f = forge_new();
	struct tg_trust *t = trust_of(author, NULL);
	struct tg_package *p = NULL;
	struct tg_secret *s = NULL;
	size_t delivered = 0;
	const struct tg_sink count = { sink_count, &delivered };
	char dir[64];

	json_set(&f->text[MANIFEST], "content_index.0.sha256",
	    "\"00000000000000000000000000000000000000000000000000000000000000aa\"");
	forge_join(f);
	const tg_bytes bytes = tg_buf_view(&f->out);
	const struct tg_source src = tg_source_bytes(&bytes);
	MUST(tg_package_open(&src, t, &p, err));
	OK_STATUS(tg_package_verify(p, 1, NULL, NULL), TG_OK);
	MUST(tg_package_unlock(p, reader, &f->policy, err));
	OK_STATUS(tg_package_load(p, 0, 1, &s, NULL), TG_E_AUTH);
	OK(s == NULL);
	OK_STATUS(tg_package_verify_files(p, 1, NULL, NULL), TG_E_AUTH);
	OK_STATUS(tg_package_copy(p, 0, 1, &count, NULL, NULL), TG_E_AUTH);
	(void)snprintf(dir, sizeof(dir), "%s/out", scratch);
	OK_STATUS(tg_package_extract(p, dir, 0, 1, NULL, NULL), TG_E_AUTH);
	OK(is_empty_or_absent(dir));
	OK(mkdir(dir, 0755) == 0);
	OK_STATUS(tg_package_extract(p, dir, 1, 1, NULL, NULL), TG_E_AUTH);
	OK(is_empty_or_absent(dir));
	delivered = 0;
	OK_STATUS(
	    tg_package_tar(p, 1, &count, NULL, NULL), TG_OK); /* bound by leaf and tag alone */
	OK(delivered == 512 + 5120 + 512 + 512 + 512 + 1024);
	OK_STATUS(tg_package_load(p, 2, 1, &s, NULL), TG_OK); /* the others are sound */
	tg_secret_free(s);
	tg_package_close(p);
	tg_trust_free(t);
	forge_free(f);
}

/* A chunk that fails in the middle: extraction leaves nothing, a stream ends without its end. */
static void
nothing_partial_stays(void)
{
	struct forge *f = signed_forge();
	struct tg_trust *t = trust_of(author, NULL);
	struct tg_package *p = NULL;
	struct tg_buf got;
	const struct tg_sink keep = keep_in(&got);
	static const uint8_t zeros[1024];
	char dir[64];

	f->ct.p[8200] ^= 1; /* the last chunk, with z.bin in it */
	forge_join(f);
	const tg_bytes bytes = tg_buf_view(&f->out);
	const struct tg_source src = tg_source_bytes(&bytes);
	MUST(tg_package_open(&src, t, &p, err));
	MUST(tg_package_unlock(p, reader, &f->policy, err));
	(void)snprintf(dir, sizeof(dir), "%s/out", scratch);
	for (unsigned threads = 1; threads <= 3; threads++) {
		OK_STATUS(tg_package_extract(p, dir, 0, threads, NULL, NULL), TG_E_AUTH);
		OK(is_empty_or_absent(dir));
		got.n = 0;
		OK_STATUS(tg_package_tar(p, threads, &keep, NULL, NULL), TG_E_AUTH);
		OK(got.n <= 512 + 5120 + 512 + 512);
		OK(got.n < 1024 || memcmp(got.p + got.n - 1024, zeros, 1024) != 0);
	}
	tg_package_close(p);
	tg_trust_free(t);
	tg_buf_done(&got);
	forge_free(f);
}

/* ---- a file that changes while it is read ---- */

struct fickle {
	tg_bytes good;
	unsigned calls, bad_from; /* from this call on one bit of each answer is another */
};

static tg_status
fickle_read(void *ctx, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	struct fickle *s = ctx;

	(void)err;
	if (offset > s->good.n || n > s->good.n - offset)
		return TG_E_IO;
	memcpy(buf, s->good.p + offset, n);
	if (s->calls++ >= s->bad_from && n > 0)
		((uint8_t *)buf)[n / 2] ^= 1;
	return TG_OK;
}

/* Whatever changes, at whatever moment: an error, or the bytes that were signed. */
static void
changing_files_never_give_other_bytes(void)
{
	struct forge *f = forge_new();
	struct tg_trust *t = trust_of(author, NULL);
	unsigned long wrong = 0, refusals = 0, n = 0;

	forge_join(f);
	for (unsigned bad = 0; bad < 40; bad++, n++) {
		struct fickle s = { tg_buf_view(&f->out), 0, bad };
		const struct tg_source src = { fickle_read, &s, f->out.n };
		struct tg_package *p = NULL;
		uint8_t got[8292];
		tg_status st = tg_package_open(&src, t, &p, NULL);

		if (st == TG_OK)
			st = tg_package_unlock(p, reader, &f->policy, NULL);
		if (st == TG_OK)
			st = tg_package_read(p, 0, got, sizeof(got), NULL);
		refusals += st != TG_OK;
		wrong += st == TG_OK && memcmp(got, f->plain.p, sizeof(got)) != 0;
		tg_package_close(p);
	}
	OK_NONE(wrong, n, "reads of a changing file");
	OK(refusals > 5 && refusals < n);
	tg_trust_free(t);
	forge_free(f);
}

/* ---- policy ---- */

static const struct {
	const char *name;
	struct tg_policy policy;
	const char *why; /* NULL: allowed */
} policies[] = {
	{ "the second before", { 1599999999, "edge", 5, "1.2.3" }, "not valid before" },
	{ "the first second", { 1600000000, "edge", 5, "1.2.3" }, NULL },
	{ "the last second", { 1800000000, "edge", 5, "1.2.3" }, NULL },
	{ "the second after", { 1800000001, "edge", 5, "1.2.3" }, "not valid after" },
	{ "before 1970", { -1, "edge", 5, "1.2.3" }, "not valid before" },
	{ "the end of time", { INT64_MAX, "edge", 5, "1.2.3" }, "not valid after" },
	{ "the beginning of time", { INT64_MIN, "edge", 5, "1.2.3" }, "not valid before" },
	{ "the other fleet", { 1700000000, "lab", 5, "1.2.3" }, NULL },
	{ "no fleet", { 1700000000, NULL, 5, "1.2.3" }, "this is no fleet" },
	{ "empty fleet", { 1700000000, "", 5, "1.2.3" }, "for fleet edge" },
	{ "unknown fleet", { 1700000000, "yard", 5, "1.2.3" }, "for fleet edge and others" },
	{ "fleet of another case", { 1700000000, "Edge", 5, "1.2.3" }, "for fleet edge" },
	{ "fleet's prefix", { 1700000000, "edg", 5, "1.2.3" }, "for fleet edge" },
	{ "fleet's extension", { 1700000000, "edge2", 5, "1.2.3" }, "for fleet edge" },
	{ "floor below", { 1700000000, "edge", 4, "1.2.3" }, NULL },
	{ "floor 0", { 1700000000, "edge", 0, "1.2.3" }, NULL },
	{ "floor equal", { 1700000000, "edge", 5, "1.2.3" }, NULL },
	{ "floor above", { 1700000000, "edge", 6, "1.2.3" }, "rollback_index 5 is below 6" },
	{ "floor far above", { 1700000000, "edge", UINT64_MAX, "1.2.3" }, "rollback_index 5" },
	{ "agent a patch older", { 1700000000, "edge", 5, "1.2.2" }, "needs version 1.2.3" },
	{ "agent a patch newer", { 1700000000, "edge", 5, "1.2.4" }, NULL },
	{ "agent a minor older", { 1700000000, "edge", 5, "1.1.9" }, "needs version 1.2.3" },
	{ "agent a minor newer", { 1700000000, "edge", 5, "1.3.0" }, NULL },
	{ "agent a major older", { 1700000000, "edge", 5, "0.9.9" }, "needs version 1.2.3" },
	{ "agent a major newer", { 1700000000, "edge", 5, "2.0.0" }, NULL },
	{ "agent newer by number, not by letter", { 1700000000, "edge", 5, "1.10.0" }, NULL },
	{ "agent unknown", { 1700000000, "edge", 5, NULL }, "needs version 1.2.3" },
	{ "agent that is no version", { 1700000000, "edge", 5, "dev" }, "needs version 1.2.3" },
};

static void
policies_are_enforced_on_both_sides_of_their_border(void)
{
	for (size_t i = 0; i < TG_LEN(policies); i++) {
		struct forge *f = forge_new();

		f->policy = policies[i].policy;
		if (policies[i].why == NULL)
			accepted(f, policies[i].name);
		else
			refused(f, STEP_UNLOCK, TG_E_POLICY, policies[i].why, policies[i].name);
	}
}

/* A manifest without conditions has no reader to refuse. */
static void
conditions_are_optional(void)
{
	static const char *const conditions[] = { "not_before", "not_after", "target_fleets",
		"min_agent_version" };
	struct forge *f = forge_new();

	for (size_t i = 0; i < TG_LEN(conditions); i++)
		json_drop(&f->text[MANIFEST], conditions[i]);
	f->policy = (struct tg_policy){ .now = 0, .floor = 5 };
	accepted(f, "no condition, a reader of no fleet and no version");
	f = forge_new();
	for (size_t i = 0; i < TG_LEN(conditions); i++)
		json_drop(&f->text[MANIFEST], conditions[i]);
	f->policy = (struct tg_policy){ .now = INT64_MAX, .fleet = "any", .floor = 0 };
	accepted(f, "no condition, a reader of any fleet");
}

/* The policy is reported as bits, each by itself, the first one in words. */
static void
policy_bits(void)
{
	struct forge *f = forge_new();
	struct tg_trust *t = trust_of(author, NULL);
	struct tg_package *p = NULL;
	struct tg_policy bad = { 1, NULL, 99, "0.0.1" };
	struct tg_error e = TG_ERROR_INIT;

	forge_join(f);
	const tg_bytes bytes = tg_buf_view(&f->out);
	const struct tg_source src = tg_source_bytes(&bytes);
	MUST(tg_package_open(&src, t, &p, err));
	OK(tg_package_policy(p, &f->policy, &e) == 0);
	OK(tg_package_policy(p, &bad, &e) ==
	    (TG_POLICY_WINDOW | TG_POLICY_FLEET | TG_POLICY_FLOOR | TG_POLICY_AGENT_VERSION));
	OK(strstr(e.text, "not valid before") != NULL && e.status == TG_E_POLICY);
	bad.now = 1700000000;
	OK(tg_package_policy(p, &bad, &e) ==
	    (TG_POLICY_FLEET | TG_POLICY_FLOOR | TG_POLICY_AGENT_VERSION));
	OK(strstr(e.text, "fleet") != NULL);
	bad.fleet = "lab";
	bad.floor = 5;
	OK(tg_package_policy(p, &bad, NULL) == TG_POLICY_AGENT_VERSION);
	/* a failure leaves the package locked */
	uint8_t byte;
	OK_STATUS(tg_package_unlock(p, reader, &bad, NULL), TG_E_POLICY);
	OK_STATUS(tg_package_read(p, 0, &byte, 1, NULL), TG_E_USAGE);
	OK_STATUS(tg_package_unlock(p, stranger, &f->policy, NULL), TG_E_POLICY);
	OK_STATUS(tg_package_read(p, 0, &byte, 1, NULL), TG_E_USAGE);
	tg_package_close(p);
	tg_trust_free(t);
	forge_free(f);
}

static void
attacks_on_the_frame(void)
{
	magic_is_fixed();
	lengths_are_checked();
	lengths_off_by_one();
	borders_moved();
	bytes_moved_between_header_and_manifest();
	bytes_behind_the_end();
	huge_files_are_refused_without_reading_them();
	geometry_is_recomputed();
	chunk_size_is_bound_to_the_key();
	padding_is_zero_and_of_its_length();
}

static void
attacks_on_signatures(void)
{
	halves_are_not_dropped_or_mixed();
	statements_do_not_stand_for_each_other();
	halves_of_plain_signatures_do_not_count();
	ed25519_is_not_malleable();
	signers_are_who_they_must_be();
	delegates_sign_recipients_where_both_sides_agree();
	old_recipients_stay_valid_for_their_package();
	sections_of_another_package();
	manifest_is_the_one_in_the_header();
	manifest_is_bound_to_the_key();
}

static void
attacks_on_recipients(void)
{
	recipients_are_a_sorted_set();
	recipients_are_counted();
	block_parts_are_authentic();
	low_order_points_are_refused();
	keys_that_do_not_fit();
	commitment_binds_the_key();
	failures_of_unlocking_cannot_be_told_apart();
}

static void
attacks_on_the_payload(void)
{
	chunks_stay_where_they_were_signed();
	stream_positions_are_bound();
	leaves_and_nodes_differ();
	gaps_are_zero();
	file_hashes_are_compared();
	nothing_partial_stays();
	changing_files_never_give_other_bytes();
}

int
main(void)
{
	if (mkdtemp(scratch) == NULL || atexit(remove_scratch) != 0)
		return 1;
	cast_make();
	accepted(forge_new(), "the package that all cases start from");
	attacks_on_the_frame();
	attacks_on_signatures();
	attacks_on_recipients();
	attacks_on_the_payload();
	policies_are_enforced_on_both_sides_of_their_border();
	conditions_are_optional();
	policy_bits();
	cast_done();
	OK(rmdir(scratch) == 0);
	return tap_done();
}
