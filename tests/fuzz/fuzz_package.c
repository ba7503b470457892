/* What the envelope reader accepts accounts for every byte of the file. It is then signed by a key
 * that is trusted, so that the checks behind the signatures see it too: whatever passes them all
 * gives the files that its manifest promises, or fails without giving other bytes. */
#include "../unit/tgsp/pack.h"
#include "crypto/hash.h"
#include "tgsp/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
accounts_for(const struct tgsp_envelope *e, size_t n)
{
	const struct tgsp_layout *l = &e->layout;
	const uint64_t head =
	    6 + 4 + e->frame.header.n + 4 + e->frame.manifest.n + 4 + e->frame.recipients.n + 8;

	if (l->index_at != head || l->index_len != 48 * l->chunks ||
	    l->ct_at != head + l->index_len + l->pad_len || l->ct_at % 4096 != 0 ||
	    l->pad_len > 4095 || l->ct_at + l->plain_len + 4 + e->frame.signature.n != n ||
	    l->plain_len != e->header.plain_len || l->chunks != e->header.chunks)
		__builtin_trap();
}

/* The same package with signatures by `author`, whoever had signed it. */
static bool
sign(const struct tgsp_envelope *e, const struct tg_key *author, tg_bytes input, struct tg_buf *out)
{
	const tg_bytes header = tg_buf_view(&e->frame.header);
	const tg_bytes manifest = tg_buf_view(&e->frame.manifest);
	struct tgsp_signature s;
	struct tg_buf text;
	bool good;

	memcpy(s.key_id, tg_key_id(author), TG_KEY_ID_LEN);
	memcpy(s.recipients_key_id, tg_key_id(author), TG_KEY_ID_LEN);
	tg_buf_init(&text, SIZE_MAX);
	tg_buf_init(out, SIZE_MAX);
	good = tgsp_content_sign(author, header, manifest, true, &s.content, NULL) == TG_OK &&
	    tgsp_recipients_sign(author, e->package_hash, tg_buf_view(&e->frame.recipients), true,
		&s.recipients, NULL) == TG_OK &&
	    tgsp_signature_write(&s, &text, NULL) == TG_OK &&
	    tg_buf_put(out, input.p, (size_t)(e->layout.ct_at + e->layout.plain_len)) == TG_OK &&
	    tgsp_frame_write_tail(tg_buf_view(&text), out, NULL) == TG_OK;
	tg_buf_done(&text);
	return good;
}

/* Whatever was loaded has the hash that the manifest says. */
static void
use(struct tg_package *p, const struct tg_key *to)
{
	const struct tg_policy policy = {
		.now = 1700000000, .fleet = "edge", .agent_version = "9.9.9"
	};

	const tg_status leaves = tg_package_verify(p, 1, NULL, NULL);

	if (tg_package_unlock(p, to, &policy, NULL) != TG_OK)
		return;
	for (size_t i = 0; i < tg_package_file_count(p); i++) {
		const struct tg_package_file f = tg_package_file(p, i);
		struct tg_secret *s = NULL;
		uint8_t hash[32];

		if (f.size == 0 || tg_package_load(p, i, 1, &s, NULL) != TG_OK)
			continue;
		const tg_bytes data = { tg_secret_bytes(s), tg_secret_len(s) };
		if (tg_sha256(&data, 1, hash, NULL) != TG_OK || memcmp(hash, f.sha256, 32) != 0)
			__builtin_trap();
		tg_secret_free(s);
	}
	/* sound files have sound chunks */
	if (tg_package_verify_files(p, 1, NULL, NULL) == TG_OK && leaves != TG_OK)
		__builtin_trap();
}

static void
open_signed(const struct tgsp_envelope *e, tg_bytes input)
{
	static struct tg_key *author, *to;
	static struct tg_trust *trust;
	struct tg_package *p = NULL;
	struct tg_buf signed_again;

	if (author == NULL) {
		author = vector_signer();
		to = vector_recipient();
		trust = trust_of(author, NULL);
	}
	if (sign(e, author, input, &signed_again)) {
		const tg_bytes view = tg_buf_view(&signed_again);
		const struct tg_source src = tg_source_bytes(&view);

		if (tg_package_open(&src, trust, &p, NULL) == TG_OK)
			use(p, to);
		tg_package_close(p);
	}
	tg_buf_done(&signed_again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const tg_bytes input = { p, n };
	const struct tg_source src = tg_source_bytes(&input);
	struct tgsp_envelope *e = NULL;
	struct tg_error err = TG_ERROR_INIT;
	const tg_status s = tgsp_envelope_read(&src, &e, &err);

	if (s != TG_OK) {
		if (err.status != s || err.text[0] == '\0' || e != NULL)
			__builtin_trap();
		return 0;
	}
	accounts_for(e, n);
	open_signed(e, input);
	tgsp_envelope_free(e);
	return 0;
}
