#include <tensorguard/rekey.h>

#include <stdlib.h>

#include "crypto/rng.h"
#include "tgsp/package.h"
#include "util/text.h"
#include "util/try.h"

/* The author, or a delegate of the signed manifest: anybody else's signature would be refused. */
static tg_status
signer_check(const struct tgsp_manifest *m, const struct tg_key *signer, struct tg_error *err)
{
	bool may = memcmp(tg_key_id(signer), m->author, TG_KEY_ID_LEN) == 0;

	for (size_t i = 0; !may && i < m->n_delegates; i++)
		may = memcmp(tg_key_id(signer), m->delegates[i], TG_KEY_ID_LEN) == 0;
	TG_REQUIRE(may, err, TG_E_POLICY,
	    "the signing key is neither the author's nor one of the manifest's delegates");
	return TG_OK;
}

static tg_status
removal_check(const struct tgsp_recipients *old, const struct tg_rekey_spec *spec,
    struct tg_error *err)
{
	for (size_t i = 0; i < spec->n_remove; i++) {
		char id[2 * TG_KEY_ID_LEN + 1];

		tg_hex_encode(id, (tg_bytes){ spec->remove[i], TG_KEY_ID_LEN });
		TG_REQUIRE(tgsp_recipients_find(old, spec->remove[i]) != NULL, err, TG_E_NOTFOUND,
		    "%s is no recipient of the package", id);
	}
	return TG_OK;
}

static bool
is_removed(const struct tg_rekey_spec *spec, const uint8_t *id)
{
	for (size_t i = 0; i < spec->n_remove; i++)
		if (memcmp(spec->remove[i], id, TG_KEY_ID_LEN) == 0)
			return true;
	return false;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct tgsp_recipient *)a)->id, ((const struct tgsp_recipient *)b)->id,
	    TG_KEY_ID_LEN);
}

static tg_status
wrap_fresh(const struct tgsp_envelope *e, const struct tg_key *to, const struct tg_key32 *dek,
    struct tgsp_recipient *ret, struct tg_error *err)
{
	struct tgsp_coins coins;
	tg_status s = tg_random(&coins, sizeof(coins), err);

	if (s == TG_OK)
		s = tgsp_recipient_wrap(to, &coins, dek, e->header.manifest_hash, e->header.commit, ret,
		    err);
	tg_wipe(&coins, sizeof(coins));
	return s;
}

/* The old blocks but the removed ones, and fresh blocks for who is new. */
static tg_status
new_blocks(const struct tgsp_envelope *e, const struct tg_rekey_spec *spec,
    const struct tg_key32 *dek, struct tgsp_recipients *r, struct tg_rekeyed *count,
    struct tg_error *err)
{
	const struct tgsp_recipients *old = &e->recipients;

	r->at = calloc(old->n + spec->n_add, sizeof(*r->at));
	TG_REQUIRE(r->at != NULL, err, TG_E_NOMEM, "rekey: out of memory");
	for (size_t i = 0; i < old->n; i++)
		if (!is_removed(spec, old->at[i].id))
			r->at[r->n++] = old->at[i];
	count->removed = old->n - r->n;
	for (size_t i = 0; i < spec->n_add; i++) {
		if (tgsp_recipients_find(r, tg_key_id(spec->add[i])) != NULL)
			continue;
		TG_REQUIRE(r->n < TG_MAX_RECIPIENTS, err, TG_E_LIMIT, "more than %u recipients",
		    TG_MAX_RECIPIENTS);
		TG_TRY(wrap_fresh(e, spec->add[i], dek, &r->at[r->n], err));
		r->n++;
		count->added++;
	}
	TG_REQUIRE(r->n >= 1, err, TG_E_USAGE, "nobody could open the package any more");
	count->recipients = r->n;
	qsort(r->at, r->n, sizeof(*r->at), by_id);
	return TG_OK;
}

static tg_status
sign(const struct tgsp_envelope *e, const struct tg_key *signer, tg_bytes recipients,
    struct tg_buf *out, struct tg_error *err)
{
	struct tgsp_signature s = e->signature; /* the content's signature stays */
	TG_AUTO(tg_buf_done) struct tg_buf json = { .max = TG_MAX_TGSP_SIGNATURE };

	memcpy(s.recipients_key_id, tg_key_id(signer), TG_KEY_ID_LEN);
	TG_TRY(tgsp_recipients_sign(signer, e->package_hash, recipients, false, &s.recipients, err));
	TG_TRY(tgsp_signature_write(&s, &json, err));
	return tgsp_frame_write_tail(tg_buf_view(&json), out, err);
}

/* Frame, index and padding, up to where the ciphertext starts. */
static tg_status
write_head(const struct tg_package *p, tg_bytes recipients, struct tg_buf *out,
    struct tgsp_layout *ret, struct tg_error *err)
{
	const struct tgsp_envelope *e = p->envelope;
	struct tgsp_layout l;
	uint8_t *zeros = NULL;

	TG_TRY(tgsp_layout(e->header.plain_len, e->header.chunk_log2,
	    tgsp_frame_payload_at(e->frame.header.n, e->frame.manifest.n, recipients.n), &l, err));
	TG_TRY(tgsp_frame_write_head(tg_buf_view(&e->frame.header), tg_buf_view(&e->frame.manifest),
	    recipients, l.payload_len, out, err));
	TG_REQUIRE(tg_buf_put(out, p->payload.index, (size_t)l.index_len) == TG_OK &&
		tg_buf_grow(out, (size_t)l.pad_len, &zeros) == TG_OK,
	    err, TG_E_NOMEM, "rekey: out of memory");
	memset(zeros, 0, (size_t)l.pad_len);
	*ret = l;
	return TG_OK;
}

static tg_status
rekey(const struct tg_package *p, const struct tg_rekey_spec *spec, struct tg_buf *head,
    struct tg_buf *tail, struct tg_rekeyed *r, struct tg_error *err)
{
	const struct tgsp_envelope *e = p->envelope;
	TG_AUTO(tg_key32_done) struct tg_key32 dek = { { 0 } }, payload = { { 0 } };
	TG_AUTO(tgsp_recipients_done) struct tgsp_recipients blocks = { NULL, 0 };
	TG_AUTO(tg_buf_done) struct tg_buf json = { .max = TG_MAX_TGSP_RECIPIENTS };
	struct tgsp_layout l;

	TG_TRY(signer_check(e->manifest, spec->signer, err));
	TG_TRY(removal_check(&e->recipients, spec, err));
	TG_TRY(tgsp_package_dek(p, spec->key, spec->policy, &dek, &payload, err)); /* step 8 */
	TG_TRY(new_blocks(e, spec, &dek, &blocks, r, err));
	TG_TRY(tgsp_recipients_write(&blocks, &json, err));
	TG_TRY(write_head(p, tg_buf_view(&json), head, &l, err));
	TG_TRY(sign(e, spec->signer, tg_buf_view(&json), tail, err));
	r->ct_from = e->layout.ct_at;
	r->ct_to = l.ct_at;
	r->ct_len = l.plain_len;
	return TG_OK;
}

tg_status
tg_rekey(const struct tg_source *src, const struct tg_trust *trust,
    const struct tg_rekey_spec *spec, struct tg_rekeyed *ret, struct tg_error *err)
{
	TG_AUTO(tg_package_closep) struct tg_package *p = NULL;
	struct tg_buf head = { .max = SIZE_MAX }, tail = { .max = SIZE_MAX };
	struct tg_rekeyed r = { .added = 0 };

	TG_TRY(tg_package_open(src, trust, &p, err)); /* steps 1 to 7 */
	tg_status s = rekey(p, spec, &head, &tail, &r, err);
	if (s != TG_OK) {
		tg_buf_done(&head);
		tg_buf_done(&tail);
		return s;
	}
	r.head = tg_buf_view(&head);
	r.tail = tg_buf_view(&tail);
	*ret = r;
	return TG_OK;
}

void
tg_rekeyed_free(struct tg_rekeyed *r)
{
	free((void *)(uintptr_t)r->head.p);
	free((void *)(uintptr_t)r->tail.p);
	*r = (struct tg_rekeyed){ .added = 0 };
}
