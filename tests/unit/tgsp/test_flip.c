/* Every byte of the smallest package, changed; every truncation; every extension by a byte: all are
 * refused, none delivers a byte, and none crashes. */
#include "pack.h"

#include "tgsp/envelope.h"

static struct tg_key *signer, *to;
static struct tg_trust *trust;
static tg_bytes good;
static struct tg_policy policy;

/* Two threads share the work: they only read what is above, and own a copy of the package. */
#define WORKERS 2

struct share {
	pthread_t id;
	size_t first; /* bytes first, first + WORKERS, ... */
	uint8_t *copy;
	const uint8_t *values; /* how many other values each byte gets: 255, or less */
	unsigned long tried, accepted, delivered, silent;
	size_t first_accepted;
};

static void
try_copy(struct share *s, size_t n, size_t at)
{
	const struct attempt a = attempt((tg_bytes){ s->copy, n }, trust, to, &policy);

	s->tried++;
	s->accepted += a.status == TG_OK;
	s->delivered += a.delivered != 0;
	s->silent += a.err.text[0] == '\0' || a.err.status != a.status;
	if (a.status == TG_OK && s->first_accepted == SIZE_MAX)
		s->first_accepted = at;
}

static void *
flip_share(void *arg)
{
	struct share *s = arg;

	for (size_t at = s->first; at < good.n; at += WORKERS) {
		const uint8_t was = s->copy[at];

		/* 255 stands for all; else a low bit, and for 2 a high bit too */
		for (unsigned v = 1; v < 256; v++) {
			const bool chosen =
			    s->values[at] == 255 || v == 1 || (s->values[at] == 2 && v == 0x80);

			if (!chosen)
				continue;
			s->copy[at] = (uint8_t)(was ^ v);
			try_copy(s, good.n, at);
		}
		s->copy[at] = was;
	}
	return NULL;
}

static void *
cut_share(void *arg)
{
	struct share *s = arg;

	for (size_t n = s->first; n < good.n; n += WORKERS) {
		/* a block of exactly this size, so that a sanitizer sees any byte too many */
		uint8_t *whole = s->copy, *cut = malloc(n == 0 ? 1 : n);

		if (cut == NULL)
			abort();
		memcpy(cut, whole, n);
		s->copy = cut;
		try_copy(s, n, n);
		s->copy = whole;
		free(cut);
	}
	return NULL;
}

static void *
extend_share(void *arg)
{
	struct share *s = arg;

	for (unsigned v = (unsigned)s->first; v < 256; v += WORKERS) {
		s->copy[good.n] = (uint8_t)v;
		try_copy(s, good.n + 1, v);
	}
	return NULL;
}

static void
in_shares(void *(*work)(void *), const uint8_t *values, const char *what)
{
	struct share share[WORKERS];
	unsigned long tried = 0, accepted = 0, delivered = 0, silent = 0;

	for (size_t i = 0; i < WORKERS; i++) {
		share[i] =
		    (struct share){ .first = i, .values = values, .first_accepted = SIZE_MAX };
		share[i].copy = malloc(good.n + 1);
		if (share[i].copy == NULL)
			abort();
		memcpy(share[i].copy, good.p, good.n);
		if (pthread_create(&share[i].id, NULL, work, &share[i]) != 0)
			abort();
	}
	for (size_t i = 0; i < WORKERS; i++) {
		pthread_join(share[i].id, NULL);
		free(share[i].copy);
		tried += share[i].tried;
		accepted += share[i].accepted;
		delivered += share[i].delivered;
		silent += share[i].silent;
		if (share[i].first_accepted != SIZE_MAX)
			printf("# accepted, byte %zu\n", share[i].first_accepted);
	}
	printf("# %s\n", what);
	OK_NONE(accepted, tried, "accepted packages");
	OK_NONE(delivered, tried, "packages that delivered something");
	OK_NONE(silent, tried, "refusals without a reason");
}

/* How many values each byte is given: all where it is structure or binary, one in long texts and
 * in the padding, whose every byte is treated alike. */
static uint8_t *
plan(void)
{
	const struct tg_source src = tg_source_bytes(&good);
	struct tgsp_envelope *e = NULL;
	uint8_t *values = malloc(good.n);

	if (values == NULL)
		abort();
	MUST(tgsp_envelope_read(&src, &e, err));
	const struct tgsp_layout *l = &e->layout;
	const size_t header = 6 + 4, manifest = header + e->frame.header.n + 4;
	const size_t recipients = manifest + e->frame.manifest.n + 4;
	const size_t payload = recipients + e->frame.recipients.n + 8;
	const size_t signature = (size_t)(l->ct_at + l->plain_len) + 4;

	memset(values, 255, good.n);
	memset(values + header, 2, e->frame.header.n);
	memset(values + manifest, 2, e->frame.manifest.n);
	memset(values + recipients, 2, e->frame.recipients.n);
	memset(values + payload, 2, (size_t)l->index_len);
	memset(values + payload + l->index_len, 1, (size_t)l->pad_len);
	memset(values + l->ct_at, 2, (size_t)l->plain_len);
	memset(values + signature, 1, e->frame.signature.n);
	printf("# %zu bytes: header %zu, manifest %zu, recipients %zu, index %llu, padding %llu, "
	       "ciphertext %llu, signature %zu\n",
	    good.n, e->frame.header.n, e->frame.manifest.n, e->frame.recipients.n,
	    (unsigned long long)l->index_len, (unsigned long long)l->pad_len,
	    (unsigned long long)l->plain_len, e->frame.signature.n);
	tgsp_envelope_free(e);
	return values;
}

int
main(void)
{
	struct mem_file file = { "m", tg_bytes_str("16 bytes of data") };
	const struct tg_key *recipients[1];

	signer = vector_signer();
	to = vector_recipient();
	trust = trust_of(signer, NULL);
	policy = easy_policy();
	recipients[0] = to;
	const struct tg_build_spec spec = { .signer = signer,
		.recipients = recipients,
		.n_recipients = 1,
		.model_name = "m",
		.model_version = "1" };
	MUST(pack(spec, &file, 1, NULL, &good, err));
	const struct attempt whole = attempt(good, trust, to, &policy);
	OK(whole.status == TG_OK && whole.at == STEP_DONE && whole.delivered > 16);
	uint8_t *values = plan();
	in_shares(flip_share, values, "every byte changed");
	in_shares(cut_share, NULL, "every truncation");
	in_shares(extend_share, NULL, "every extension by one byte");
	free(values);
	free((void *)(uintptr_t)good.p);
	tg_trust_free(trust);
	tg_key_free(signer);
	tg_key_free(to);
	return tap_done();
}
