/* A policy that is accepted has no key twice; and what it asks for is asked of everybody: a
 * checkpoint that is good with some cosignatures is good with more of them. */
#include "../unit/evidence/parties.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* notes[i]: signed by the log and the first i witnesses of parties.h */
static struct tg_buf notes[4];

static void
make_notes(void)
{
	static const char *const names[] = { "wa", "wb", "wc" };
	const struct tg_checkpoint c = checkpoint(3, 9);
	struct tg_key *log = party(1);

	notes[0].max = TG_MAX_NOTE;
	must(tg_checkpoint_sign(&c, log, NOW, &notes[0], NULL));
	tg_key_free(log);
	for (uint8_t i = 1; i < TG_LEN(notes); i++) {
		struct tg_key *witness = party((uint8_t)(i + 1));

		notes[i].max = TG_MAX_NOTE;
		must(tg_buf_put(&notes[i], notes[i - 1].p, notes[i - 1].n));
		must(tg_checkpoint_cosign(&c, names[i - 1], witness, NOW, &notes[i], NULL));
		tg_key_free(witness);
	}
}

static const struct tg_note_key *
key_at(const struct tg_log_policy *p, size_t i)
{
	const size_t logs = tg_log_policy_logs(p);

	return i < logs ? tg_log_policy_log(p, i) : tg_log_policy_witness(p, i - logs).key;
}

static void
check_keys(const struct tg_log_policy *p)
{
	const size_t n = tg_log_policy_logs(p) + tg_log_policy_witnesses(p);

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++) {
			const struct tg_note_key *a = key_at(p, i), *b = key_at(p, j);

			if (a->pk_len == b->pk_len && memcmp(a->pk, b->pk, a->pk_len) == 0)
				__builtin_trap();
		}
}

static void
check_quorum(const struct tg_log_policy *p)
{
	struct tg_checkpoint c;
	bool good = false;

	for (size_t i = 0; i < TG_LEN(notes); i++) {
		const tg_bytes note = tg_buf_view(&notes[i]);
		const bool now = tg_log_policy_check(p, note, "note", true, &c, NULL) == TG_OK;

		if ((good && !now) || (now && c.size != 3) ||
		    (now && tg_log_policy_check(p, note, "note", false, &c, NULL) != TG_OK))
			__builtin_trap();
		good = now;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tg_log_policy *policy_read = NULL;
	struct tg_error err = TG_ERROR_INIT;

	if (notes[0].n == 0)
		make_notes();
	const tg_status s = tg_log_policy_parse((tg_bytes){ p, n }, "policy", &policy_read, &err);
	if (s != TG_OK) {
		if (err.status != s || err.text[0] == '\0' || policy_read != NULL)
			__builtin_trap();
		return 0;
	}
	check_keys(policy_read);
	check_quorum(policy_read);
	tg_log_policy_free(policy_read);
	return 0;
}
