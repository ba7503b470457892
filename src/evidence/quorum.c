#include "evidence/policyrows.h"
#include "util/try.h"

static bool
names_key(const struct tg_note_line *line, const struct tg_note_key *key)
{
	return tg_bytes_equal(line->name, tg_bytes_str(key->name)) &&
	    tg_bytes_equal(
		(tg_bytes){ line->id, sizeof(line->id) }, (tg_bytes){ key->id, sizeof(key->id) });
}

const struct tg_note_key *
tg_log_policy_log_key(
    const struct tg_log_policy *p, const char *origin, const struct tg_note_line *line)
{
	for (size_t i = 0; i < p->n_logs; i++)
		if (strcmp(p->logs[i].key->name, origin) == 0 && names_key(line, p->logs[i].key))
			return p->logs[i].key;
	return NULL;
}

/* Index of the witness, TG_NOBODY for an unknown one. */
static size_t
find_witness(const struct tg_log_policy *p, const struct tg_note_line *line)
{
	for (size_t i = 0; i < p->n_witnesses; i++)
		if (names_key(line, p->names[p->witness[i]].key))
			return p->witness[i];
	return TG_NOBODY;
}

const struct tg_note_key *
tg_log_policy_witness_key(const struct tg_log_policy *p, const struct tg_note_line *line)
{
	const size_t i = find_witness(p, line);

	return i == TG_NOBODY ? NULL : p->names[i].key;
}

/* Types of keys, as bits. */
static unsigned
type_bit(const struct tg_note_key *k)
{
	return 1u << (unsigned)k->type;
}

static tg_status
check_line(const struct tg_note *note, size_t i, const struct tg_note_key *key, const char *what,
    const struct tg_checkpoint *c, struct tg_error *err)
{
	struct tg_error why = TG_ERROR_INIT;
	int64_t time = 0;
	const tg_status s =
	    tg_checkpoint_check_line(c, note->text, &note->line[i], key, &time, &why);

	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", what, why.text);
	return TG_OK;
}

/* Every type of key that the policy has for the origin must have signed. */
static tg_status
check_log(const struct tg_log_policy *p, const struct tg_note *note, const char *what,
    const struct tg_checkpoint *c, struct tg_error *err)
{
	unsigned wanted = 0, signed_by = 0;

	for (size_t i = 0; i < p->n_logs; i++)
		if (strcmp(p->logs[i].key->name, c->origin) == 0)
			wanted |= type_bit(p->logs[i].key);
	TG_REQUIRE(wanted != 0, err, TG_E_NOTFOUND,
	    "%s: checkpoint of %s, a log the policy does not know", what, c->origin);
	for (size_t i = 0; i < note->n; i++) {
		const struct tg_note_key *key = tg_log_policy_log_key(p, c->origin, &note->line[i]);

		if (key == NULL)
			continue;
		TG_TRY(check_line(note, i, key, what, c, err));
		signed_by |= type_bit(key);
	}
	TG_REQUIRE(signed_by != 0, err, TG_E_AUTH, "%s: checkpoint of %s without its signature",
	    what, c->origin);
	TG_REQUIRE(
	    (signed_by & 1u << TG_NOTE_COSIG_MLDSA44) == (wanted & 1u << TG_NOTE_COSIG_MLDSA44),
	    err, TG_E_AUTH, "%s: checkpoint of %s without its post-quantum signature", what,
	    c->origin);
	TG_REQUIRE(signed_by == wanted, err, TG_E_AUTH,
	    "%s: checkpoint of %s without its Ed25519 signature", what, c->origin);
	return TG_OK;
}

/* have[i]: members of group i that cosigned; of a witness: whether it did. */
static tg_status
count_cosigners(const struct tg_log_policy *p, const struct tg_note *note, const char *what,
    const struct tg_checkpoint *c, size_t *have, struct tg_error *err)
{
	for (size_t i = 0; i < note->n; i++) {
		const size_t w = find_witness(p, &note->line[i]);

		if (w == TG_NOBODY)
			continue;
		TG_TRY(check_line(note, i, p->names[w].key, what, c, err));
		have[w] = 1;
	}
	/* members stand before their group, so that each count is complete when it is looked at */
	for (size_t i = 0; i < p->n_names; i++) {
		const struct tg_name_row *row = &p->names[i];
		const bool good = row->key != NULL ? have[i] != 0 : have[i] >= row->need;

		if (good && row->member != TG_NOBODY)
			have[row->member]++;
	}
	return TG_OK;
}

static tg_status
check_quorum(const struct tg_log_policy *p, const struct tg_note *note, const char *what,
    const struct tg_checkpoint *c, struct tg_error *err)
{
	size_t have[TG_LEN(p->names)] = { 0 };

	TG_TRY(count_cosigners(p, note, what, c, have, err));
	if (p->quorum == TG_NOBODY)
		return TG_OK;
	const struct tg_name_row *row = &p->names[p->quorum];
	const size_t need = row->key != NULL ? 1 : row->need;
	TG_REQUIRE(have[p->quorum] >= need, err, TG_E_AUTH,
	    "%s: checkpoint of %s: %zu of the %zu cosignatures that %s needs", what, c->origin,
	    have[p->quorum], need, row->name);
	return TG_OK;
}

tg_status
tg_log_policy_check(const struct tg_log_policy *p, tg_bytes note, const char *what, bool quorum,
    struct tg_checkpoint *ret, struct tg_error *err)
{
	TG_AUTO(tg_note_done) struct tg_note n = { .n = 0 };
	struct tg_checkpoint c;

	TG_TRY(tg_note_parse(note, what, &n, err));
	TG_TRY(tg_checkpoint_parse(n.text, what, &c, err));
	TG_TRY(check_log(p, &n, what, &c, err));
	if (quorum)
		TG_TRY(check_quorum(p, &n, what, &c, err));
	*ret = c;
	return TG_OK;
}
