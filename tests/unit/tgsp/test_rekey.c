/* Re-keying: who may do it, what it changes and what it never touches, what it refuses before
 * anything is signed, and what a removed recipient can still do. */
#include "forge.h"

#include <tensorguard/limits.h>
#include <tensorguard/rekey.h>

#include "tgsp/envelope.h"

/* ---- packages ---- */

static struct tg_policy policy; /* meets the forged manifest */
static struct tg_trust *trust;	/* the author, and the delegate as such */
static tg_bytes base;		/* for reader and second_reader */

/* The finished bytes of f, which is freed. */
static tg_bytes
finish(struct forge *f)
{
	forge_join(f);
	uint8_t *p = malloc(f->out.n);

	if (p == NULL)
		abort();
	memcpy(p, f->out.p, f->out.n);
	const tg_bytes ret = { p, f->out.n };
	forge_free(f);
	return ret;
}

static void
drop(tg_bytes b)
{
	free((void *)(uintptr_t)b.p);
}

/* What stands in a package. */
struct parts {
	struct tgsp_envelope *e;
	tg_bytes index, padding, ct;
};

static struct parts
parts_of(tg_bytes b)
{
	const struct tg_source src = tg_source_bytes(&b);
	struct parts p = { .e = NULL };

	MUST(tgsp_envelope_read(&src, &p.e, err));
	const struct tgsp_layout *l = &p.e->layout;
	p.index = (tg_bytes){ b.p + l->index_at, (size_t)l->index_len };
	p.padding = (tg_bytes){ p.index.p + p.index.n, (size_t)l->pad_len };
	p.ct = (tg_bytes){ b.p + l->ct_at, (size_t)l->plain_len };
	return p;
}

static void
parts_done(struct parts *p)
{
	tgsp_envelope_free(p->e);
}

static const struct tgsp_recipient *
block_in(const struct parts *p, const struct tg_key *k)
{
	return tgsp_recipients_find(&p->e->recipients, tg_key_id(k));
}

static bool
same_block(const struct parts *a, const struct parts *b, const struct tg_key *k)
{
	const struct tgsp_recipient *x = block_in(a, k), *y = block_in(b, k);

	return x != NULL && y != NULL && memcmp(x, y, sizeof(*x)) == 0;
}

/* ---- re-keying ---- */

static struct tg_rekey_spec
by(const struct tg_key *key, const struct tg_key *signer)
{
	return (struct tg_rekey_spec){ .key = key, .signer = signer, .policy = &policy };
}

static struct tg_rekey_spec
adding(const struct tg_key *const *add, size_t n)
{
	struct tg_rekey_spec s = by(reader, author);

	s.add = add;
	s.n_add = n;
	return s;
}

static struct tg_rekey_spec
removing(const uint8_t (*remove)[TG_KEY_ID_LEN], size_t n)
{
	struct tg_rekey_spec s = by(reader, author);

	s.remove = remove;
	s.n_remove = n;
	return s;
}

/* Head, the old ciphertext, tail: the new package. */
static tg_bytes
join(tg_bytes in, const struct tg_rekeyed *r)
{
	struct tg_buf out = { .max = SIZE_MAX };

	put_view(&out, r->head);
	put(&out, in.p + r->ct_from, (size_t)r->ct_len);
	put_view(&out, r->tail);
	return tg_buf_view(&out);
}

/* It must work; *counts keeps the numbers, not the memory. */
static tg_bytes
rekeyed(tg_bytes in, const struct tg_trust *t, const struct tg_rekey_spec *spec,
    struct tg_rekeyed *counts)
{
	const struct tg_source src = tg_source_bytes(&in);
	struct tg_rekeyed r = { .added = 99 };

	MUST(tg_rekey(&src, t, spec, &r, err));
	const tg_bytes out = join(in, &r);
	const struct tg_rekeyed numbers = r;
	tg_rekeyed_free(&r);
	if (counts != NULL)
		*counts = numbers;
	return out;
}

/* It must fail: with this status, for this reason, the result untouched, and before anything has
 * been signed: a signer without its private half could not have, and gives the same answer. */
static bool
refuses(tg_bytes in, const struct tg_trust *t, const struct tg_rekey_spec *spec, tg_status want,
    const char *why)
{
	const struct tg_source src = tg_source_bytes(&in);
	bool good = true;

	for (int strong = 1; strong >= 0; strong--) {
		struct tg_rekey_spec s = *spec;
		struct tg_key *weak = strong ? NULL : public_half(spec->signer);
		struct tg_rekeyed r, before;
		struct tg_error err = TG_ERROR_INIT;

		memset(&r, 0x5a, sizeof(r));
		before = r;
		if (weak != NULL)
			s.signer = weak;
		const tg_status got = tg_rekey(&src, t, &s, &r, &err);
		if (got != want || strstr(err.text, why) == NULL ||
		    memcmp(&r, &before, sizeof(r)) != 0) {
			good = false;
			printf("# got %s \"%s\", want %s \"%s\"\n", tg_status_name(got), err.text,
			    tg_status_name(want), why);
		}
		tg_key_free(weak);
	}
	return good;
}

/* ---- reading ---- */

/* Everything a reader can do, by one who trusts the author, and `d` as delegate unless NULL. */
static struct attempt
reads(tg_bytes b, const struct tg_key *key, const struct tg_key *d)
{
	struct tg_trust *t = trust_of(author, d);
	const struct attempt a = attempt(b, t, key, &policy);

	tg_trust_free(t);
	return a;
}

static bool
opens(tg_bytes b, const struct tg_key *key)
{
	const struct attempt a = reads(b, key, delegate);

	if (a.status != TG_OK)
		printf("# step %d: %s\n", (int)a.at, a.err.text);
	return a.status == TG_OK && a.at == STEP_DONE;
}

/* The key has no block in it: refused at unlocking, nothing delivered. */
static bool
shut(tg_bytes b, const struct tg_key *key)
{
	const struct attempt a = reads(b, key, delegate);

	return a.status == TG_E_POLICY && a.at == STEP_UNLOCK && a.delivered == 0 &&
	    strstr(a.err.text, "not for this key") != NULL;
}

/* The plaintext as this key reads it. */
static struct tg_buf
plain_of(tg_bytes b, const struct tg_key *key)
{
	const struct tg_source src = tg_source_bytes(&b);
	struct tg_package *p = NULL;
	struct tg_buf out = { .max = SIZE_MAX };
	uint8_t *to = NULL;

	MUST(tg_package_open(&src, trust, &p, err));
	MUST(tg_package_unlock(p, key, &policy, err));
	MUST(((void)err, tg_buf_grow(&out, (size_t)tg_package_plain_len(p), &to)));
	MUST(tg_package_read(p, 0, to, out.n, err));
	tg_package_close(p);
	return out;
}

static bool
same_plain(tg_bytes a, const struct tg_key *ka, tg_bytes b, const struct tg_key *kb)
{
	struct tg_buf x = plain_of(a, ka), y = plain_of(b, kb);
	const bool same = x.n > 0 && tg_bytes_equal(tg_buf_view(&x), tg_buf_view(&y));

	tg_buf_done(&x);
	tg_buf_done(&y);
	return same;
}

/* What re-keying never changes, and what makes the rest a good package. */
static bool
same_contents(tg_bytes old, tg_bytes new)
{
	struct parts a = parts_of(old), b = parts_of(new);
	const bool same =
	    tg_bytes_equal(tg_buf_view(&a.e->frame.header), tg_buf_view(&b.e->frame.header)) &&
	    tg_bytes_equal(tg_buf_view(&a.e->frame.manifest), tg_buf_view(&b.e->frame.manifest)) &&
	    memcmp(a.e->package_hash, b.e->package_hash, 32) == 0 &&
	    memcmp(a.e->signature.key_id, b.e->signature.key_id, TG_KEY_ID_LEN) == 0 &&
	    memcmp(&a.e->signature.content, &b.e->signature.content,
		sizeof(a.e->signature.content)) == 0 &&
	    tg_bytes_equal(a.index, b.index) && tg_bytes_equal(a.ct, b.ct);
	bool zero = b.padding.n < 4096;

	for (size_t i = 0; i < b.padding.n; i++)
		zero = zero && b.padding.p[i] == 0;
	const bool aligned = b.e->layout.ct_at % 4096 == 0;
	parts_done(&a);
	parts_done(&b);
	return same && zero && aligned;
}

/* ---- what it does ---- */

static void
adds(void)
{
	const struct tg_key *add[] = { stranger };
	const struct tg_rekey_spec spec = adding(add, 1);
	struct tg_rekeyed n;
	const tg_bytes out = rekeyed(base, trust, &spec, &n);
	struct parts a = parts_of(base), b = parts_of(out);

	OK(n.recipients == 3 && n.added == 1 && n.removed == 0);
	OK(b.e->recipients.n == 3);
	OK(same_contents(base, out));
	OK(n.ct_from == a.e->layout.ct_at && n.ct_to == b.e->layout.ct_at &&
	    n.ct_len == a.e->layout.plain_len);
	OK(n.ct_from % 4096 == 0 && n.ct_to % 4096 == 0);
	OK(same_block(&a, &b, reader) && same_block(&a, &b, second_reader));
	OK(shut(base, stranger));
	OK(opens(out, reader) && opens(out, second_reader) && opens(out, stranger));
	OK(same_plain(base, reader, out, reader));
	OK(same_plain(base, reader, out, second_reader));
	OK(same_plain(base, reader, out, stranger));
	OK(memcmp(b.e->signature.recipients_key_id, tg_key_id(author), TG_KEY_ID_LEN) == 0);
	OK(memcmp(&a.e->signature.recipients, &b.e->signature.recipients,
	       sizeof(a.e->signature.recipients)) != 0);
	parts_done(&a);
	parts_done(&b);
	drop(out);
}

/* A public key is all that is needed of who is added. */
static void
adds_by_public_key(void)
{
	struct tg_key *pub = public_half(stranger);
	const struct tg_key *add[] = { pub, pub };
	const struct tg_rekey_spec spec = adding(add, 2);
	struct tg_rekeyed n;
	const tg_bytes out = rekeyed(base, trust, &spec, &n);

	OK(n.added == 1 && n.recipients == 3); /* the same key twice is one */
	OK(opens(out, stranger));
	tg_key_free(pub);
	drop(out);
}

static void
draws_fresh_coins(void)
{
	const struct tg_key *add[] = { stranger };
	const struct tg_rekey_spec spec = adding(add, 1);
	const tg_bytes one = rekeyed(base, trust, &spec, NULL),
		       two = rekeyed(base, trust, &spec, NULL);
	struct parts a = parts_of(one), b = parts_of(two);
	const struct tgsp_recipient *x = block_in(&a, stranger), *y = block_in(&b, stranger);

	OK(memcmp(x->ek_classic, y->ek_classic, sizeof(x->ek_classic)) != 0);
	OK(memcmp(x->ct_pqc, y->ct_pqc, sizeof(x->ct_pqc)) != 0);
	OK(memcmp(x->wrapper, y->wrapper, sizeof(x->wrapper)) != 0);
	OK(same_plain(one, stranger, two, stranger));
	parts_done(&a);
	parts_done(&b);
	drop(one);
	drop(two);
}

static void
removes(void)
{
	uint8_t ids[1][TG_KEY_ID_LEN];
	const struct tg_rekey_spec spec = removing((const uint8_t(*)[TG_KEY_ID_LEN])ids, 1);
	struct tg_rekeyed n;

	memcpy(ids[0], tg_key_id(second_reader), TG_KEY_ID_LEN);
	const tg_bytes out = rekeyed(base, trust, &spec, &n);
	struct parts a = parts_of(base), b = parts_of(out);

	OK(n.recipients == 1 && n.added == 0 && n.removed == 1);
	OK(same_contents(base, out));
	OK(same_block(&a, &b, reader) && block_in(&b, second_reader) == NULL);
	OK(opens(out, reader));
	OK(shut(out, second_reader));
	OK(same_plain(base, reader, out, reader));
	parts_done(&a);
	parts_done(&b);
	drop(out);
}

static void
removes_an_id_given_twice_once(void)
{
	uint8_t ids[2][TG_KEY_ID_LEN];
	const struct tg_rekey_spec spec = removing((const uint8_t(*)[TG_KEY_ID_LEN])ids, 2);
	struct tg_rekeyed n;

	memcpy(ids[0], tg_key_id(second_reader), TG_KEY_ID_LEN);
	memcpy(ids[1], tg_key_id(second_reader), TG_KEY_ID_LEN);
	const tg_bytes out = rekeyed(base, trust, &spec, &n);
	OK(n.removed == 1 && n.recipients == 1);
	drop(out);
}

/* Whoever re-keys may leave himself out. */
static void
removes_oneself(void)
{
	uint8_t ids[1][TG_KEY_ID_LEN];
	const struct tg_rekey_spec spec = removing((const uint8_t(*)[TG_KEY_ID_LEN])ids, 1);

	memcpy(ids[0], tg_key_id(reader), TG_KEY_ID_LEN);
	const tg_bytes out = rekeyed(base, trust, &spec, NULL);
	OK(shut(out, reader) && opens(out, second_reader));
	/* and cannot come back by himself */
	const struct tg_key *add[] = { reader };
	const struct tg_rekey_spec back = adding(add, 1);
	OK(refuses(out, trust, &back, TG_E_POLICY, "not for this key"));
	drop(out);
}

static void
adds_and_removes(void)
{
	const struct tg_key *add[] = { stranger };
	uint8_t ids[1][TG_KEY_ID_LEN];
	struct tg_rekey_spec spec = adding(add, 1);
	struct tg_rekeyed n;

	memcpy(ids[0], tg_key_id(second_reader), TG_KEY_ID_LEN);
	spec.remove = (const uint8_t(*)[TG_KEY_ID_LEN])ids;
	spec.n_remove = 1;
	const tg_bytes out = rekeyed(base, trust, &spec, &n);
	OK(n.recipients == 2 && n.added == 1 && n.removed == 1);
	OK(same_contents(base, out));
	OK(opens(out, reader) && opens(out, stranger) && shut(out, second_reader));
	OK(same_plain(out, reader, out, stranger));
	drop(out);
}

/* The same key removed and added gets a fresh block. */
static void
renews_a_block(void)
{
	const struct tg_key *add[] = { second_reader };
	uint8_t ids[1][TG_KEY_ID_LEN];
	struct tg_rekey_spec spec = adding(add, 1);
	struct tg_rekeyed n;

	memcpy(ids[0], tg_key_id(second_reader), TG_KEY_ID_LEN);
	spec.remove = (const uint8_t(*)[TG_KEY_ID_LEN])ids;
	spec.n_remove = 1;
	const tg_bytes out = rekeyed(base, trust, &spec, &n);
	struct parts a = parts_of(base), b = parts_of(out);

	OK(n.recipients == 2 && n.added == 1 && n.removed == 1);
	OK(same_block(&a, &b, reader) && !same_block(&a, &b, second_reader));
	OK(opens(out, reader) && opens(out, second_reader));
	parts_done(&a);
	parts_done(&b);
	drop(out);
}

static void
leaves_present_blocks_alone(void)
{
	const struct tg_key *add[] = { second_reader, reader };
	const struct tg_rekey_spec spec = adding(add, 2);
	struct tg_rekeyed n;
	const tg_bytes out = rekeyed(base, trust, &spec, &n);
	struct parts a = parts_of(base), b = parts_of(out);

	OK(n.recipients == 2 && n.added == 0 && n.removed == 0);
	OK(tg_bytes_equal(
	    tg_buf_view(&a.e->frame.recipients), tg_buf_view(&b.e->frame.recipients)));
	OK(same_contents(base, out) && opens(out, reader));
	parts_done(&a);
	parts_done(&b);
	drop(out);
}

/* With nothing to add or remove the recipients are signed anew: so the author takes over. */
static void
only_signs_again(void)
{
	const struct tg_rekey_spec handed = by(reader, delegate), back = by(reader, author);
	const tg_bytes theirs = rekeyed(base, trust, &handed, NULL);
	const tg_bytes ours = rekeyed(theirs, trust, &back, NULL);
	struct parts a = parts_of(base), b = parts_of(ours);

	OK(reads(theirs, reader, NULL).status == TG_E_AUTH);
	OK(reads(ours, reader, NULL).status == TG_OK);
	OK(tg_bytes_equal(
	    tg_buf_view(&a.e->frame.recipients), tg_buf_view(&b.e->frame.recipients)));
	parts_done(&a);
	parts_done(&b);
	drop(theirs);
	drop(ours);
}

/* Packages without any byte of ciphertext. */
static void
empty_packages(void)
{
	static const struct forge_file one[] = { { "empty", 0 } };
	const struct tg_key *add[] = { stranger };
	const struct tg_rekey_spec spec = adding(add, 1);

	for (size_t files = 0; files <= 1; files++) {
		struct forge *f = forge_new();
		struct tg_rekeyed n;

		forge_contents(f, one, files, false);
		const tg_bytes in = finish(f);
		const tg_bytes out = rekeyed(in, trust, &spec, &n);
		named(n.ct_len == 0 && n.ct_to % 4096 == 0 && same_contents(in, out) &&
			opens(out, stranger) && opens(out, reader),
		    "a package of %zu empty files is re-keyed", files);
		drop(in);
		drop(out);
	}
}

/* ---- many recipients ---- */

/* Key i of a crowd, public. */
static struct tg_key *
one_of_many(size_t i)
{
	struct tg_key *k =
	    fixed_key(TG_KEY_ENCRYPTION, (uint8_t)(100 + i / 200), (uint8_t)(i % 200));
	struct tg_key *pub = public_half(k);

	tg_key_free(k);
	return pub;
}

/* One more each time: wherever the index ends, the ciphertext starts at a multiple of 4096. */
static void
padding_follows_the_recipients(void)
{
	struct forge *f = forge_new();
	unsigned long bad = 0, moved = 0;
	uint64_t last = 0;
	uint8_t ids[39][TG_KEY_ID_LEN];

	f->n_to = 1;
	tg_bytes now = finish(f);
	for (size_t n = 1; n <= 40; n++) {
		struct parts p = parts_of(now);
		const bool good = p.e->recipients.n == n && p.e->layout.ct_at % 4096 == 0 &&
		    p.padding.n < 4096 && same_contents(base, now) &&
		    reads(now, reader, NULL).status == TG_OK;

		if (!good)
			printf("# %zu recipients\n", n);
		bad += !good;
		moved += p.e->layout.ct_at != last;
		last = p.e->layout.ct_at;
		parts_done(&p);
		if (n == 40)
			break;
		struct tg_key *k = one_of_many(n);
		const struct tg_key *add[] = { k };
		const struct tg_rekey_spec spec = adding(add, 1);
		const tg_bytes next = rekeyed(now, trust, &spec, NULL);
		memcpy(ids[n - 1], tg_key_id(k), TG_KEY_ID_LEN);
		tg_key_free(k);
		drop(now);
		now = next;
	}
	OK_NONE(bad, 40, "ciphertext at a multiple of 4096, for 1 ... 40 recipients");
	OK(moved > 10); /* it did move on the way */

	/* and all of it back at once: the very layout of the beginning */
	const struct tg_rekey_spec spec = removing((const uint8_t(*)[TG_KEY_ID_LEN])ids, 39);
	struct tg_rekeyed n;
	const tg_bytes alone = rekeyed(now, trust, &spec, &n);
	OK(n.removed == 39 && n.recipients == 1 && n.ct_to < n.ct_from);
	OK(same_contents(base, alone) && reads(alone, reader, NULL).status == TG_OK);
	drop(now);
	drop(alone);
}

static void
at_most_a_thousand(void)
{
	enum { ROOM = TG_MAX_RECIPIENTS - 2 };
	static struct tg_key *crowd[ROOM + 1];
	const struct tg_key *const *all = (const struct tg_key *const *)crowd;
	struct tg_rekeyed n;

	for (size_t i = 0; i <= ROOM; i++)
		crowd[i] = one_of_many(i);
	struct tg_rekey_spec spec = adding(all, ROOM + 1);
	OK(refuses(base, trust, &spec, TG_E_LIMIT, "more than 1000"));
	spec.n_add = ROOM;
	const tg_bytes full = rekeyed(base, trust, &spec, &n);
	OK(n.recipients == TG_MAX_RECIPIENTS && n.added == ROOM);
	OK(same_contents(base, full) && opens(full, second_reader));

	spec = adding(all + ROOM, 1);
	OK(refuses(full, trust, &spec, TG_E_LIMIT, "more than 1000"));
	spec = adding(all, ROOM); /* who is there needs no room */
	const tg_bytes again = rekeyed(full, trust, &spec, &n);
	OK(n.recipients == TG_MAX_RECIPIENTS && n.added == 0);
	drop(again);
	uint8_t ids[1][TG_KEY_ID_LEN];
	memcpy(ids[0], tg_key_id(crowd[0]), TG_KEY_ID_LEN);
	spec = adding(all + ROOM, 1); /* one goes, one comes */
	spec.remove = (const uint8_t(*)[TG_KEY_ID_LEN])ids;
	spec.n_remove = 1;
	const tg_bytes swapped = rekeyed(full, trust, &spec, &n);
	OK(n.recipients == TG_MAX_RECIPIENTS && n.added == 1 && n.removed == 1);
	OK(opens(swapped, reader));
	drop(swapped);
	drop(full);
	for (size_t i = 0; i <= ROOM; i++)
		tg_key_free(crowd[i]);
}

/* ---- what it refuses ---- */

static void
refuses_an_unknown_removal(void)
{
	uint8_t ids[2][TG_KEY_ID_LEN];
	char hex[2 * TG_KEY_ID_LEN + 1];
	struct tg_rekey_spec spec = removing((const uint8_t(*)[TG_KEY_ID_LEN])ids, 2);
	const struct tg_key *add[] = { stranger };

	memcpy(ids[0], tg_key_id(second_reader), TG_KEY_ID_LEN);
	memcpy(ids[1], tg_key_id(stranger), TG_KEY_ID_LEN);
	tg_hex_encode(hex, (tg_bytes){ ids[1], TG_KEY_ID_LEN });
	OK(refuses(base, trust, &spec, TG_E_NOTFOUND, hex));
	spec.add = add; /* who is only now added was no recipient either */
	spec.n_add = 1;
	OK(refuses(base, trust, &spec, TG_E_NOTFOUND, hex));
}

static void
refuses_to_leave_nobody(void)
{
	uint8_t ids[2][TG_KEY_ID_LEN];
	const struct tg_rekey_spec spec = removing((const uint8_t(*)[TG_KEY_ID_LEN])ids, 2);

	memcpy(ids[0], tg_key_id(reader), TG_KEY_ID_LEN);
	memcpy(ids[1], tg_key_id(second_reader), TG_KEY_ID_LEN);
	OK(refuses(base, trust, &spec, TG_E_USAGE, "nobody could open"));
}

static void
refuses_other_signers(void)
{
	const struct tg_key *add[] = { stranger };
	struct tg_rekey_spec spec = adding(add, 1);
	struct tg_trust *more = trust_of(author, other_author);

	spec.signer = other_author;
	OK(refuses(base, trust, &spec, TG_E_POLICY, "neither the author's nor"));
	/* being trusted as delegate is not enough, the manifest has to list it */
	OK(refuses(base, more, &spec, TG_E_POLICY, "neither the author's nor"));
	MUST(tg_trust_add(more, TG_TRUST_AUTHOR, public_half(other_author), err));
	OK(refuses(base, more, &spec, TG_E_POLICY, "neither the author's nor"));
	tg_trust_free(more);

	struct forge *f = forge_new();
	json_drop(&f->text[MANIFEST], "delegates");
	const tg_bytes no_delegates = finish(f);
	spec.signer = delegate;
	OK(refuses(no_delegates, trust, &spec, TG_E_POLICY, "neither the author's nor"));
	spec.signer = author;
	drop(rekeyed(no_delegates, trust, &spec, NULL));
	OK(true);
	drop(no_delegates);

	/* keys that cannot sign at all */
	struct tg_key *pub = public_half(author);
	const struct tg_source src = tg_source_bytes(&base);
	struct tg_rekeyed r = { .added = 77 };
	spec.signer = pub;
	OK_STATUS(tg_rekey(&src, trust, &spec, &r, NULL), TG_E_USAGE);
	spec.signer = reader;
	OK_STATUS(tg_rekey(&src, trust, &spec, &r, NULL), TG_E_POLICY);
	OK(r.added == 77);
	tg_key_free(pub);
}

/* A delegate may; but only who trusts it as one takes the result. */
static void
delegates_may(void)
{
	const struct tg_key *add[] = { stranger };
	struct tg_rekey_spec spec = adding(add, 1);
	struct tg_trust *only_author = trust_of(author, NULL);

	spec.signer = delegate;
	const tg_bytes out = rekeyed(base, only_author, &spec, NULL);
	struct parts p = parts_of(out);
	OK(memcmp(p.e->signature.recipients_key_id, tg_key_id(delegate), TG_KEY_ID_LEN) == 0);
	OK(memcmp(p.e->signature.key_id, tg_key_id(author), TG_KEY_ID_LEN) == 0);
	parts_done(&p);
	OK(same_contents(base, out));
	OK(reads(out, stranger, delegate).status == TG_OK);

	const struct attempt a = reads(out, stranger, NULL), b = reads(out, reader, NULL);
	OK(a.status == TG_E_AUTH && a.at == STEP_OPEN && a.delivered == 0);
	OK(b.status == TG_E_AUTH && b.at == STEP_OPEN);
	OK(reads(out, stranger, other_author).status == TG_E_AUTH);

	/* the next one to re-key has to trust the delegate too, author or not */
	spec.signer = author;
	OK(refuses(
	    out, only_author, &spec, TG_E_AUTH, "neither the author nor a trusted delegate"));
	const tg_bytes back = rekeyed(out, trust, &spec, NULL);
	OK(reads(back, stranger, NULL).status == TG_OK);
	drop(back);

	/* trusted as an author, which is more */
	struct tg_trust *both = trust_of(author, NULL);
	MUST(tg_trust_add(both, TG_TRUST_AUTHOR, public_half(delegate), err));
	OK(attempt(out, both, stranger, &policy).status == TG_OK);
	tg_trust_free(both);
	/* trusted as a delegate, the author's key signs no contents */
	struct tg_trust *less = trust_of(delegate, author);
	OK(attempt(out, less, stranger, &policy).status == TG_E_AUTH);
	tg_trust_free(less);
	tg_trust_free(only_author);
	drop(out);
}

static void
refuses_who_cannot_open_it(void)
{
	const struct tg_key *add[] = { stranger };
	struct tg_rekey_spec spec = adding(add, 1);
	struct tg_key *pub = public_half(reader);

	spec.key = stranger;
	OK(refuses(base, trust, &spec, TG_E_POLICY, "not for this key"));
	spec.key = author; /* a signing key */
	OK(refuses(base, trust, &spec, TG_E_POLICY, "not for this key"));
	spec.key = pub;
	OK(refuses(base, trust, &spec, TG_E_USAGE, "private encryption key"));
	tg_key_free(pub);
}

static void
refuses_to_add_a_signing_key(void)
{
	const struct tg_key *add[] = { stranger, delegate };
	const struct tg_rekey_spec spec = adding(add, 2);

	OK(refuses(base, trust, &spec, TG_E_USAGE, "encryption key"));
}

static void
refuses_unknown_authors(void)
{
	const struct tg_key *add[] = { stranger };
	const struct tg_rekey_spec spec = adding(add, 1);
	struct tg_trust *none = trust_of(NULL, NULL), *other = trust_of(other_author, author);

	OK(refuses(base, none, &spec, TG_E_AUTH, "not a trusted author"));
	OK(refuses(base, other, &spec, TG_E_AUTH, "not a trusted author"));
	tg_trust_free(none);
	tg_trust_free(other);
}

static void
refuses_what_the_policy_forbids(void)
{
	static const struct {
		const char *name, *why;
		struct tg_policy p;
	} rows[] = {
		{ "expired", "not valid after", { 1800000001, "edge", 5, "1.2.3" } },
		{ "too early", "not valid before", { 1599999999, "edge", 5, "1.2.3" } },
		{ "before 1970", "not valid before", { -1, "edge", 5, "1.2.3" } },
		{ "no fleet", "this is no fleet", { 1700000000, NULL, 5, "1.2.3" } },
		{ "another fleet", "this is fleet edges", { 1700000000, "edges", 5, "1.2.3" } },
		{ "below the floor", "is below 6", { 1700000000, "edge", 6, "1.2.3" } },
		{ "agent too old", "needs version 1.2.3", { 1700000000, "edge", 5, "1.2.2" } },
		{ "no agent version", "needs version 1.2.3", { 1700000000, "edge", 5, NULL } },
	};
	const struct tg_key *add[] = { stranger };

	for (size_t i = 0; i < TG_LEN(rows); i++) {
		struct tg_rekey_spec spec = adding(add, 1);

		spec.policy = &rows[i].p;
		named(refuses(base, trust, &spec, TG_E_POLICY, rows[i].why), "refused: %s",
		    rows[i].name);
		spec.signer = delegate;
		named(refuses(base, trust, &spec, TG_E_POLICY, rows[i].why),
		    "refused for a delegate: %s", rows[i].name);
	}
	/* at the very bounds it works */
	for (int late = 0; late <= 1; late++) {
		struct tg_policy p = policy;
		struct tg_rekey_spec spec = adding(add, 1);

		p.now = late ? 1800000000 : 1600000000;
		spec.policy = &p;
		drop(rekeyed(base, trust, &spec, NULL));
		named(true, "re-keyed in the %s second", late ? "last" : "first");
	}
}

/* ---- tampered packages ---- */

/* The bit at `at` flipped for one call. */
static bool
refuses_flipped(size_t at, const struct tg_rekey_spec *spec, tg_status *ret)
{
	uint8_t *p = (uint8_t *)(uintptr_t)base.p + at;
	const struct tg_source src = tg_source_bytes(&base);
	struct tg_rekeyed r = { .added = 77 };

	*p ^= 0x10;
	*ret = tg_rekey(&src, trust, spec, &r, NULL);
	*p ^= 0x10;
	return r.added == 77 && r.head.p == NULL && r.tail.p == NULL &&
	    (*ret == TG_E_AUTH || *ret == TG_E_FORMAT || *ret == TG_E_LIMIT ||
		*ret == TG_E_UNSUPPORTED);
}

/* Steps 1 to 8 read neither the ciphertext nor its tags, which only a leaf covers (step 9). */
static bool
left_to_the_leaves(const struct tgsp_layout *l, size_t at)
{
	if (at >= l->ct_at)
		return at < l->ct_at + l->plain_len;
	return at >= l->index_at && at < l->index_at + l->index_len &&
	    (at - l->index_at) % TGSP_INDEX_RECORD >= 32;
}

/* Outside of that no byte is without a check. */
static void
refuses_any_tampering(void)
{
	const struct tg_key *add[] = { stranger };
	struct tg_rekey_spec spec = adding(add, 1);
	struct parts p = parts_of(base);
	struct tg_key *pub = public_half(author);
	unsigned long bad = 0, of = 0, auth = 0;

	for (size_t at = 0; at < base.n; at += 17) {
		tg_status got = TG_OK, weak = TG_OK;

		if (left_to_the_leaves(&p.e->layout, at))
			continue;
		spec.signer = author;
		bool good = refuses_flipped(at, &spec, &got);
		spec.signer = pub; /* which cannot sign: the refusal comes before that */
		good = refuses_flipped(at, &spec, &weak) && good && got == weak;
		if (!good)
			printf(
			    "# byte %zu: %s, %s\n", at, tg_status_name(got), tg_status_name(weak));
		bad += !good;
		auth += got == TG_E_AUTH;
		of++;
	}
	OK_NONE(bad, of, "a flipped bit outside of ciphertext and tags");
	OK(of > 500 && auth > 100 && auth < of);
	tg_key_free(pub);
	parts_done(&p);
}

/* One byte of each section, named. */
static void
refuses_tampering_in_each_section(void)
{
	const struct tg_key *add[] = { stranger };
	const struct tg_rekey_spec spec = adding(add, 1);
	struct parts p = parts_of(base);
	const struct tgsp_layout *l = &p.e->layout;
	const size_t h = TGSP_MAGIC_LEN + 4, m = h + p.e->frame.header.n + 4,
		     r = m + p.e->frame.manifest.n + 4, sig = (size_t)(l->ct_at + l->plain_len) + 4;
	const struct {
		const char *name;
		size_t at;
	} rows[] = {
		{ "magic", 4 },
		{ "header", h + p.e->frame.header.n / 2 },
		{ "manifest", m + p.e->frame.manifest.n / 2 },
		{ "length of the recipients", r - 1 },
		{ "recipients", r + p.e->frame.recipients.n / 2 },
		{ "length of the payload", (size_t)l->index_at - 1 },
		{ "index: leaf", (size_t)l->index_at + 5 },
		{ "index: last leaf", (size_t)(l->index_at + l->index_len) - 17 },
		{ "padding", (size_t)(l->index_at + l->index_len) },
		{ "last byte of padding", (size_t)l->ct_at - 1 },
		{ "signature", sig + p.e->frame.signature.n / 2 },
	};
	tg_status got;

	for (size_t i = 0; i < TG_LEN(rows); i++) {
		const bool good = refuses_flipped(rows[i].at, &spec, &got);

		named(good, "refused: tampered %s (%s)", rows[i].name, tg_status_name(got));
	}
	parts_done(&p);
}

static void
refuses_truncation(void)
{
	const struct tg_key *add[] = { stranger };
	const struct tg_rekey_spec spec = adding(add, 1);
	unsigned long bad = 0, of = 0;

	for (size_t n = 0; n < base.n; n += 251) {
		const tg_bytes cut = { base.p, n };
		const struct tg_source src = tg_source_bytes(&cut);
		struct tg_rekeyed r = { .added = 77 };
		const tg_status s = tg_rekey(&src, trust, &spec, &r, NULL);

		bad += (s != TG_E_FORMAT && s != TG_E_LIMIT) || r.added != 77;
		of++;
	}
	OK_NONE(bad, of, "a package cut short");
}

/* They are copied unread: what readers refused before they refuse afterwards. */
static void
broken_ciphertext_stays_broken(void)
{
	const struct tg_key *add[] = { stranger };
	const struct tg_rekey_spec spec = adding(add, 1);

	for (int tag = 0; tag <= 1; tag++) {
		struct forge *f = forge_new();

		forge_seal(f);
		*(tag ? &f->index.p[TGSP_INDEX_RECORD + 40] : &f->ct.p[4096]) ^= 1;
		const tg_bytes in = finish(f), out = rekeyed(in, trust, &spec, NULL);
		const struct attempt a = reads(out, stranger, NULL);
		named(a.status == TG_E_AUTH && a.at == STEP_VERIFY && a.delivered == 0,
		    "a broken %s stays broken", tag ? "tag" : "chunk");
		drop(in);
		drop(out);
	}
}

/* Blocks that the author signed, and that do not open. */
static void
refuses_at_step_8(void)
{
	static const char *const what[] = { "wrapper", "ct_pqc", "ek_classic", "another DEK",
		"another commitment" };
	const struct tg_key *add[] = { stranger };

	for (size_t i = 0; i < TG_LEN(what); i++) {
		struct forge *f = forge_new();
		struct tg_rekey_spec spec = adding(add, 1);
		struct tg_key32 other;

		forge_seal(f);
		struct tgsp_recipient *b = forge_block(f, reader);
		memset(other.b, 0x78, sizeof(other.b));
		if (i == 0)
			b->wrapper[3] ^= 1;
		else if (i == 1)
			b->ct_pqc[500] ^= 1;
		else if (i == 2)
			b->ek_classic[7] ^= 1;
		else if (i == 3) {
			f->n_blocks = 0;
			forge_wrap(f, second_reader, &f->dek);
			forge_wrap(f, reader, &other);
		} else {
			f->h.commit[0] ^= 1;
			forge_write_header(f);
		}
		forge_write_recipients(f);
		const tg_bytes in = finish(f);
		named(refuses(in, trust, &spec, TG_E_AUTH, "does not open with this key"),
		    "refused: %s", what[i]);
		if (i < 4) { /* the other one can, and carries the broken block along */
			spec.key = second_reader;
			const tg_bytes out = rekeyed(in, trust, &spec, NULL);
			named(opens(out, stranger) && opens(out, second_reader) &&
				reads(out, reader, NULL).status == TG_E_AUTH,
			    "%s: the other recipient re-keys", what[i]);
			drop(out);
		}
		drop(in);
	}
}

/* ---- what a removed recipient can do ---- */

/* New contents with these recipients and this signature section. */
static tg_bytes
patchwork(tg_bytes contents, tg_bytes recipients_of, tg_bytes signature_of)
{
	struct parts c = parts_of(contents), r = parts_of(recipients_of),
		     s = parts_of(signature_of);
	struct tg_buf out = { .max = SIZE_MAX };
	const tg_bytes recipients = tg_buf_view(&r.e->frame.recipients);
	static const uint8_t zeros[4096];
	struct tgsp_layout l;

	MUST(tgsp_layout(c.e->header.plain_len, c.e->header.chunk_log2,
	    tgsp_frame_payload_at(c.e->frame.header.n, c.e->frame.manifest.n, recipients.n), &l,
	    err));
	MUST(tgsp_frame_write_head(tg_buf_view(&c.e->frame.header),
	    tg_buf_view(&c.e->frame.manifest), recipients, l.payload_len, &out, err));
	put_view(&out, c.index);
	put(&out, zeros, (size_t)l.pad_len);
	put_view(&out, c.ct);
	MUST(tgsp_frame_write_tail(tg_buf_view(&s.e->frame.signature), &out, err));
	parts_done(&c);
	parts_done(&r);
	parts_done(&s);
	return tg_buf_view(&out);
}

/* Section 5: every earlier recipients block stays valid for the same package_hash. */
static void
removal_is_not_revocation(void)
{
	uint8_t ids[1][TG_KEY_ID_LEN];
	struct tg_rekey_spec spec = removing((const uint8_t(*)[TG_KEY_ID_LEN])ids, 1);

	memcpy(ids[0], tg_key_id(second_reader), TG_KEY_ID_LEN);
	const tg_bytes now = rekeyed(base, trust, &spec, NULL);
	OK(shut(now, second_reader));

	/* the old statement over the new package is as good as ever */
	const tg_bytes replayed = patchwork(now, base, base);
	OK(opens(replayed, second_reader) && opens(replayed, reader));
	OK(tg_bytes_equal(replayed, base));
	OK(same_plain(replayed, second_reader, now, reader));
	drop(replayed);

	/* but a statement covers its own recipients only */
	const tg_bytes old_recipients = patchwork(now, base, now);
	const tg_bytes old_signature = patchwork(now, now, base);
	const struct attempt a = reads(old_recipients, second_reader, delegate);
	const struct attempt b = reads(old_signature, reader, delegate);
	OK(a.status == TG_E_AUTH && a.at == STEP_OPEN && a.delivered == 0);
	OK(b.status == TG_E_AUTH && b.at == STEP_OPEN && b.delivered == 0);
	drop(old_recipients);
	drop(old_signature);
	drop(now);
}

/* A statement of one package is none of another, though author, recipients and keys be the same. */
static void
statements_belong_to_one_package(void)
{
	struct forge *f = forge_new();
	const struct tg_key *add[] = { stranger };
	const struct tg_rekey_spec spec = adding(add, 1);

	edit(&f->text[MANIFEST], "\"1.0.0\"", "\"1.0.1\"");
	const tg_bytes other = finish(f), ours = rekeyed(base, trust, &spec, NULL),
		       theirs = rekeyed(other, trust, &spec, NULL);
	struct parts p = parts_of(ours), q = parts_of(theirs);
	struct tgsp_signature s = p.e->signature;
	struct tg_buf json = { .max = SIZE_MAX };

	OK(memcmp(p.e->package_hash, q.e->package_hash, 32) != 0);
	/* our contents and content signature, their recipients and statement */
	s.recipients = q.e->signature.recipients;
	MUST(tgsp_signature_write(&s, &json, err));
	const tg_bytes mixed = patchwork(ours, theirs, ours);
	struct tg_buf whole = { .max = SIZE_MAX };
	put(&whole, mixed.p, mixed.n - p.e->frame.signature.n - 4);
	MUST(tgsp_frame_write_tail(tg_buf_view(&json), &whole, err));
	const struct attempt a = reads(tg_buf_view(&whole), stranger, delegate);
	OK(a.status == TG_E_AUTH && a.at == STEP_OPEN);
	OK(strstr(a.err.text, "recipients' signature does not verify") != NULL);
	tg_buf_done(&json);
	tg_buf_done(&whole);
	parts_done(&p);
	parts_done(&q);
	drop(mixed);
	drop(other);
	drop(ours);
	drop(theirs);
}

static void
freeing_twice_is_fine(void)
{
	const struct tg_rekey_spec spec = by(reader, author);
	const struct tg_source src = tg_source_bytes(&base);
	struct tg_rekeyed r = { .added = 0 };

	tg_rekeyed_free(&r);
	MUST(tg_rekey(&src, trust, &spec, &r, err));
	tg_rekeyed_free(&r);
	OK(r.head.p == NULL && r.tail.p == NULL && r.recipients == 0);
	tg_rekeyed_free(&r);
}

int
main(void)
{
	struct forge *f;

	cast_make();
	f = forge_new();
	policy = f->policy;
	base = finish(f);
	trust = trust_of(author, delegate);

	adds();
	adds_by_public_key();
	draws_fresh_coins();
	removes();
	removes_an_id_given_twice_once();
	removes_oneself();
	adds_and_removes();
	renews_a_block();
	leaves_present_blocks_alone();
	only_signs_again();
	empty_packages();
	padding_follows_the_recipients();
	at_most_a_thousand();
	refuses_an_unknown_removal();
	refuses_to_leave_nobody();
	refuses_other_signers();
	delegates_may();
	refuses_who_cannot_open_it();
	refuses_to_add_a_signing_key();
	refuses_unknown_authors();
	refuses_what_the_policy_forbids();
	refuses_any_tampering();
	refuses_tampering_in_each_section();
	refuses_truncation();
	broken_ciphertext_stays_broken();
	refuses_at_step_8();
	removal_is_not_revocation();
	statements_belong_to_one_package();
	freeing_twice_is_fine();

	tg_trust_free(trust);
	drop(base);
	cast_done();
	return tap_done();
}
