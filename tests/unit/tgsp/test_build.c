/* What tg_build() refuses, and that a build that fails has signed nothing. */
#include "pack.h"

#include "tgsp/envelope.h"

static struct tg_key *signer, *to, *other;

static struct tg_build_spec
plain_spec(void)
{
	static const struct tg_key *recipients[1];

	recipients[0] = to;
	return (struct tg_build_spec){ .signer = signer,
		.recipients = recipients,
		.n_recipients = 1,
		.model_name = "m",
		.threads = 2 };
}

static struct mem_file *
two_files(void)
{
	static struct mem_file files[2];

	files[0] = (struct mem_file){ "a", tg_bytes_str("first") };
	files[1] = (struct mem_file){ "b", tg_bytes_str("second") };
	return files;
}

static void
refused(
    struct tg_build_spec spec, struct mem_file *files, size_t n, tg_status want, const char *why)
{
	struct tg_error e = TG_ERROR_INIT;
	struct tg_build_result r = { .package_size = 77 };
	tg_bytes out = { NULL, 0 };
	const tg_status s = pack(spec, files, n, &r, &out, &e);

	named(s == want && strstr(e.text, why) != NULL && out.p == NULL && r.package_size == 77,
	    "refused: %s", why);
	if (s != want || strstr(e.text, why) == NULL)
		printf("# %s: %s\n", tg_status_name(s), e.text);
}

/* ---- the spec ---- */

static void
keys_of_the_wrong_kind(void)
{
	struct tg_build_spec s = plain_spec();
	struct tg_key *pub = public_half(signer), *enc_pub = public_half(to);
	const struct tg_key *list[2] = { signer, to };

	s.signer = pub;
	refused(s, two_files(), 2, TG_E_USAGE, "private signing key");
	s.signer = to;
	refused(s, two_files(), 2, TG_E_USAGE, "private signing key");
	s = plain_spec();
	s.n_recipients = 0;
	refused(s, two_files(), 2, TG_E_USAGE, "no recipient");
	s.recipients = list;
	s.n_recipients = 2;
	refused(s, two_files(), 2, TG_E_USAGE, "a recipient needs an encryption key");
	tg_key_free(pub);
	tg_key_free(enc_pub);
}

static void
numbers_and_names_out_of_range(void)
{
	struct tg_build_spec s = plain_spec();
	static const char *const twice[] = { "a", "a" }, *const empty[] = { "" };
	static const uint64_t huge = UINT64_MAX;
	static uint8_t many[65][TG_KEY_ID_LEN];

	s.created_at = -1;
	refused(s, two_files(), 2, TG_E_USAGE, "created_at before 1970");
	s = plain_spec();
	s.created_at = INT64_MAX;
	refused(s, two_files(), 2, TG_E_FORMAT, "outside");
	s = plain_spec();
	s.rollback_index = 1ull << 53;
	refused(s, two_files(), 2, TG_E_FORMAT, "outside");
	s.rollback_index = UINT64_MAX;
	refused(s, two_files(), 2, TG_E_FORMAT, "rollback_index");
	s = plain_spec();
	s.not_after = &huge;
	refused(s, two_files(), 2, TG_E_FORMAT, "not_after");
	s = plain_spec();
	s.kind = "data";
	refused(s, two_files(), 2, TG_E_FORMAT, "kind");
	s = plain_spec();
	s.model_name = "";
	refused(s, two_files(), 2, TG_E_FORMAT, "model_name");
	s = plain_spec();
	s.model_version = "a\nb";
	refused(s, two_files(), 2, TG_E_FORMAT, "model_version");
	s = plain_spec();
	s.fleets = twice;
	s.n_fleets = 2;
	refused(s, two_files(), 2, TG_E_FORMAT, "target_fleets");
	s.fleets = empty;
	s.n_fleets = 1;
	refused(s, two_files(), 2, TG_E_FORMAT, "target_fleets");
	s = plain_spec();
	for (uint8_t i = 0; i < 65; i++)
		many[i][0] = i;
	s.delegates = (const uint8_t(*)[TG_KEY_ID_LEN])many;
	s.n_delegates = 65;
	refused(s, two_files(), 2, TG_E_LIMIT, "delegates");
	s.n_delegates = 2;
	many[1][0] = 0;
	refused(s, two_files(), 2, TG_E_FORMAT, "delegates");
	s = plain_spec();
	s.min_agent_version = "1.2";
	refused(s, two_files(), 2, TG_E_FORMAT, "MAJOR.MINOR.PATCH");
}

static void
free_parts_outside_the_profile(void)
{
	static const struct {
		const char *text;
		tg_status want;
	} texts[] = { { "", TG_E_FORMAT }, { "[]", TG_E_USAGE }, { "\"x\"", TG_E_USAGE },
		{ "{\"a\":1.5}", TG_E_FORMAT }, { "{\"a\":null}", TG_E_FORMAT },
		{ "{\"A\":1}", TG_E_FORMAT }, { "{\"a\":1,\"a\":1}", TG_E_FORMAT },
		{ "{\"a\":9007199254740992}", TG_E_FORMAT }, { "{\"a\":\"\\u0000\"}", TG_E_FORMAT },
		{ "{\"a\":[[[[[[[1]]]]]]]}", TG_E_LIMIT } };

	for (size_t i = 0; i < TG_LEN(texts); i++)
		for (int part = 0; part < 5; part++) {
			struct tg_build_spec s = plain_spec();
			const char **const parts[] = { &s.provenance, &s.model_card, &s.policy,
				&s.preprocessing, &s.custom };
			tg_bytes out = { NULL, 0 };

			*parts[part] = texts[i].text;
			named(pack(s, two_files(), 2, NULL, &out, NULL) == texts[i].want,
			    "refused: free part %d, %s", part, texts[i].text);
		}
}

static void
paths_that_no_reader_takes(void)
{
	static const char *const bad[] = { "", "/a", "a/", "../a", "a//b", "a\\b", "a\nb", "\xff" };
	struct mem_file files[2] = { { "a", tg_bytes_str("x") }, { "A", tg_bytes_str("y") } };

	for (size_t i = 0; i < TG_LEN(bad); i++) {
		files[0].path = bad[i];
		refused(plain_spec(), files, 1, TG_E_FORMAT, "path");
	}
	files[0].path = "a";
	refused(plain_spec(), files, 2, TG_E_FORMAT, "up to upper and lower case");
	files[1].path = "a/b";
	refused(plain_spec(), files, 2, TG_E_FORMAT, "another file's name is its folder");
	files[1].path = "a";
	refused(plain_spec(), files, 2, TG_E_FORMAT, "twice");
}

static void
secrets_of_another_length(void)
{
	static const size_t lengths[] = { 1, 31, 33, 64 };

	for (size_t i = 0; i < TG_LEN(lengths); i++) {
		struct tg_build_spec s = plain_spec();
		struct tg_secret *repro = NULL;

		MUST(tg_secret_new(lengths[i], &repro, err));
		s.reproducible = repro;
		refused(s, two_files(), 2, TG_E_USAGE, "32 expected");
		tg_secret_free(repro);
	}
}

static void
code_is_refused_unless_allowed(void)
{
	static const uint8_t pickle[] = { 0x80, 2, '}', '.' };
	struct mem_file file = { "model.bin", { pickle, sizeof(pickle) } };
	struct tg_build_spec s = plain_spec();
	tg_bytes out = { NULL, 0 };

	refused(s, &file, 1, TG_E_POLICY, "model.bin");
	s.allow_code = 1;
	OK_STATUS(pack(s, &file, 1, NULL, &out, NULL), TG_OK);
	free((void *)(uintptr_t)out.p);
}

/* ---- inputs that change, fail, or end early ---- */

enum mischief { NONE, OTHER_BYTES, OTHER_SIZE, READ_FAILS, OPEN_FAILS };

struct moody {
	const char *name;
	enum mischief what;
	unsigned from; /* from this opening on */
	unsigned opened, closed;
	uint8_t bytes[200000];
};

static tg_status
moody_read(void *ctx, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	const struct moody *m = ctx;
	const bool now = m->opened >= m->from;

	if (now && m->what == READ_FAILS && offset + n > 150000)
		return tg_fail(err, TG_E_BUSY, "no more today");
	memcpy(buf, m->bytes + offset, n);
	if (now && m->what == OTHER_BYTES && offset <= 199999 && offset + n > 199999)
		((uint8_t *)buf)[199999 - offset] ^= 1;
	return TG_OK;
}

static tg_status
moody_open(void *ctx, struct tg_source *ret, struct tg_error *err)
{
	struct moody *m = ctx;

	m->opened++;
	if (m->opened >= m->from && m->what == OPEN_FAILS) {
		m->closed++; /* nothing to close then */
		return tg_fail(err, TG_E_BUSY, "not now");
	}
	*ret = (struct tg_source){ moody_read, m,
		m->opened >= m->from && m->what == OTHER_SIZE ? 199000 : 200000 };
	return TG_OK;
}

static void
moody_close(void *ctx, struct tg_source *src)
{
	struct moody *m = ctx;

	(void)src;
	m->closed++;
}

/* What a package's last section would start with: its signature. */
static bool
is_signed(const struct mem_target *t)
{
	return t->n > 0 && memmem(t->p, t->n, "\"sig_classic\"", 13) != NULL;
}

static void
changes_in_any_opening(void)
{
	static const struct {
		enum mischief what;
		tg_status want;
	} kinds[] = { { OTHER_BYTES, TG_E_CONFLICT }, { OTHER_SIZE, TG_E_CONFLICT },
		{ READ_FAILS, TG_E_BUSY }, { OPEN_FAILS, TG_E_BUSY } };
	struct moody *m = calloc(1, sizeof(*m));

	if (m == NULL)
		abort();
	fill(m->bytes, sizeof(m->bytes), 1);
	for (size_t k = 0; k < TG_LEN(kinds); k++)
		for (unsigned from = 1; from <= 4; from++) {
			struct mem_target mem;
			const struct tg_target out = mem_target(&mem);
			struct mem_file first = { "a", tg_bytes_str("first") };
			struct tg_build_input inputs[2] = { mem_input(&first),
				{ "m.bin", moody_open, moody_close, m } };
			struct tg_build_spec s = plain_spec();
			struct tg_build_result r;

			m->what = kinds[k].what;
			m->from = from;
			m->opened = m->closed = 0;
			s.inputs = inputs;
			s.n_inputs = 2;
			const tg_status got = tg_build(&s, &out, &r, NULL);
			/* it is opened three times: size, first pass, second pass; what is the same
			 * in all three is a file like any other */
			const bool same =
			    from > m->opened || (from == 1 && (kinds[k].what == OTHER_SIZE));
			const bool bytes_same = kinds[k].what == OTHER_BYTES && from <= 2;
			named(m->opened == m->closed, "change %zu from opening %u: all are closed",
			    k, from);
			if (same || bytes_same)
				named(got == TG_OK && is_signed(&mem),
				    "change %zu from opening %u: too late or too early", k, from);
			else
				named(got == kinds[k].want && !is_signed(&mem),
				    "change %zu from opening %u: %s, and nothing signed", k, from,
				    tg_status_name(got));
			free(mem.p);
		}
	free(m);
}

/* ---- a target that fails ---- */

struct failing_target {
	unsigned calls, at;
	bool signature_seen;
	pthread_mutex_t lock;
};

static tg_status
failing_write(void *ctx, const void *p, size_t n, uint64_t offset, struct tg_error *err)
{
	struct failing_target *t = ctx;
	tg_status s = TG_OK;

	(void)offset;
	pthread_mutex_lock(&t->lock);
	t->signature_seen |= n > 0 && memmem(p, n, "\"sig_classic\"", 13) != NULL;
	if (++t->calls == t->at)
		s = tg_fail(err, TG_E_NOMEM, "target: call %u", t->at);
	pthread_mutex_unlock(&t->lock);
	return s;
}

static void
every_write_may_fail(void)
{
	struct mem_file file = { "a", filled(300000, 1) };
	struct tg_build_input input = mem_input(&file);
	struct tg_build_spec s = plain_spec();
	unsigned at = 1;
	bool done = false;

	s.inputs = &input;
	s.n_inputs = 1;
	for (; at < 50 && !done; at++) {
		struct failing_target t = { .at = at, .lock = PTHREAD_MUTEX_INITIALIZER };
		const struct tg_target out = { failing_write, &t };
		struct tg_build_result r;
		const tg_status got = tg_build(&s, &out, &r, NULL);

		done = t.calls < at;
		if (done)
			OK(got == TG_OK);
		else
			named(got == TG_E_NOMEM, "write %u fails: so does the build", at);
	}
	OK(at > 5 && at < 50);
	free((void *)(uintptr_t)file.data.p);
}

/* ---- what differs, and what does not ---- */

static void
two_builds_share_only_the_contents(void)
{
	struct mem_file file = { "a", filled(70000, 1) };
	struct tg_build_result r[2];
	tg_bytes out[2];
	struct tgsp_envelope *e[2] = { NULL };

	for (int i = 0; i < 2; i++) {
		MUST(pack(plain_spec(), &file, 1, &r[i], &out[i], err));
		const struct tg_source src = tg_source_bytes(&out[i]);
		MUST(tgsp_envelope_read(&src, &e[i], err));
	}
	OK(memcmp(r[0].content_hash, r[1].content_hash, 32) == 0);
	OK(memcmp(r[0].package_hash, r[1].package_hash, 32) != 0);
	OK(memcmp(e[0]->header.salt, e[1]->header.salt, 32) != 0);
	OK(memcmp(e[0]->header.commit, e[1]->header.commit, 32) != 0);
	OK(memcmp(e[0]->header.root, e[1]->header.root, 32) != 0);
	OK(strcmp(e[0]->manifest->package_id, e[1]->manifest->package_id) != 0);
	OK(memcmp(e[0]->recipients.at[0].ek_classic, e[1]->recipients.at[0].ek_classic, 32) != 0);
	OK(memcmp(e[0]->recipients.at[0].ct_pqc, e[1]->recipients.at[0].ct_pqc, 100) != 0);
	for (int i = 0; i < 2; i++) {
		tgsp_envelope_free(e[i]);
		free((void *)(uintptr_t)out[i].p);
	}
	free((void *)(uintptr_t)file.data.p);
}

/* A recipient given several times is one; any order gives the same sorted list. */
static void
recipients_are_a_set(void)
{
	const struct tg_key *list[] = { to, other, to, to, other };
	struct tg_build_spec s = plain_spec();
	struct tgsp_envelope *e = NULL;
	tg_bytes out = { NULL, 0 };

	s.recipients = list;
	s.n_recipients = TG_LEN(list);
	MUST(pack(s, two_files(), 2, NULL, &out, err));
	const struct tg_source src = tg_source_bytes(&out);
	MUST(tgsp_envelope_read(&src, &e, err));
	OK(e->recipients.n == 2);
	tgsp_envelope_free(e);
	free((void *)(uintptr_t)out.p);
}

static void
a_thousand_recipients_and_one(void)
{
	static const struct tg_key *list[1001];
	struct tg_build_spec s = plain_spec();
	struct tg_trust *t = trust_of(signer, NULL);
	const struct tg_policy policy = easy_policy();
	tg_bytes out = { NULL, 0 };

	for (size_t i = 0; i < 1001; i++) {
		struct tg_key *k = NULL;

		MUST(tg_key_generate(TG_KEY_ENCRYPTION, 0, &k, err));
		list[i] = k;
	}
	s.recipients = list;
	s.n_recipients = 1001;
	refused(s, two_files(), 2, TG_E_LIMIT, "1001 recipients, at most 1000");
	s.n_recipients = 1000;
	OK_STATUS(pack(s, two_files(), 2, NULL, &out, NULL), TG_OK);
	for (size_t i = 0; i < 1001; i += 125) {
		const struct attempt a = attempt(out, t, list[i], &policy);

		OK_STATUS(a.status, i == 1000 ? TG_E_POLICY : TG_OK);
	}
	for (size_t i = 0; i < 1001; i++)
		tg_key_free((struct tg_key *)(uintptr_t)list[i]);
	tg_trust_free(t);
	free((void *)(uintptr_t)out.p);
}

int
main(void)
{
	signer = vector_signer();
	to = vector_recipient();
	other = fixed_key(TG_KEY_ENCRYPTION, 8, 9);
	keys_of_the_wrong_kind();
	numbers_and_names_out_of_range();
	free_parts_outside_the_profile();
	paths_that_no_reader_takes();
	secrets_of_another_length();
	code_is_refused_unless_allowed();
	changes_in_any_opening();
	every_write_may_fail();
	two_builds_share_only_the_contents();
	recipients_are_a_set();
	a_thousand_recipients_and_one();
	tg_key_free(signer);
	tg_key_free(to);
	tg_key_free(other);
	return tap_done();
}
