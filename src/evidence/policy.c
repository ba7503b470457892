#include "evidence/policyrows.h"

#include <stdlib.h>

#include "util/text.h"
#include "util/try.h"

void
tg_log_policy_free(struct tg_log_policy *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n_logs; i++) {
		tg_note_key_free(p->logs[i].key);
		free(p->logs[i].url);
	}
	for (size_t i = 0; i < p->n_names; i++) {
		free(p->names[i].name);
		tg_note_key_free(p->names[i].key);
		free(p->names[i].url);
	}
	free(p);
}

/* ---- reading ---- */

/* The line that is being read, and what is left of it. */
struct line {
	const char *what; /* the file */
	size_t number;
	tg_bytes rest;
	struct tg_error *err;
};

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The next word; false when there is none. */
static bool
next(struct line *l, tg_bytes *ret)
{
	size_t n = 0;

	while (l->rest.n > 0 && is_space(l->rest.p[0]))
		l->rest = (tg_bytes){ l->rest.p + 1, l->rest.n - 1 };
	while (n < l->rest.n && !is_space(l->rest.p[n]))
		n++;
	*ret = (tg_bytes){ l->rest.p, n };
	l->rest = (tg_bytes){ l->rest.p + n, l->rest.n - n };
	return n > 0;
}

static bool
is(tg_bytes word, const char *s)
{
	return tg_bytes_equal(word, tg_bytes_str(s));
}

static int
shown(tg_bytes word)
{
	return word.n < 64 ? (int)word.n : 64;
}

static tg_status
copy_word(const struct line *l, tg_bytes word, char **ret)
{
	*ret = tg_bytes_text(word);
	TG_REQUIRE(*ret != NULL, l->err, TG_E_NOMEM, "%s: out of memory", l->what);
	return TG_OK;
}

/* The optional URL, and nothing behind it. */
static tg_status
read_url(struct line *l, char **ret)
{
	tg_bytes url, more;

	if (!next(l, &url))
		return TG_OK;
	TG_TRY(copy_word(l, url, ret));
	TG_REQUIRE(!next(l, &more), l->err, TG_E_FORMAT, "%s:%zu: \"%.*s\" behind the URL", l->what,
	    l->number, shown(more), more.p);
	return TG_OK;
}

/* One key, one line: neither the same bytes nor the same name and id twice. */
static tg_status
check_twice(const struct line *l, const struct tg_note_key *a, const struct tg_note_key *b)
{
	TG_REQUIRE(!tg_bytes_equal((tg_bytes){ a->pk, a->pk_len }, (tg_bytes){ b->pk, b->pk_len }),
	    l->err, TG_E_FORMAT, "%s:%zu: the key of %s a second time", l->what, l->number,
	    b->name);
	TG_REQUIRE(strcmp(a->name, b->name) != 0 ||
		!tg_bytes_equal(
		    (tg_bytes){ a->id, sizeof(a->id) }, (tg_bytes){ b->id, sizeof(b->id) }),
	    l->err, TG_E_FORMAT, "%s:%zu: two keys of the name and id of %s", l->what, l->number,
	    b->name);
	return TG_OK;
}

static tg_status
read_key(const struct tg_log_policy *p, struct line *l, enum tg_note_type other_type,
    struct tg_note_key **ret)
{
	TG_AUTO(tg_note_key_freep) struct tg_note_key *k = NULL;
	struct tg_error why = TG_ERROR_INIT;
	tg_bytes vkey;

	TG_REQUIRE(next(l, &vkey), l->err, TG_E_FORMAT, "%s:%zu: a verifier key expected", l->what,
	    l->number);
	tg_status s = tg_note_key_parse(vkey, &k, &why);
	TG_REQUIRE(s == TG_OK, l->err, s, "%s:%zu: %s", l->what, l->number, why.text);
	TG_REQUIRE(k->type == other_type || k->type == TG_NOTE_COSIG_MLDSA44, l->err,
	    TG_E_UNSUPPORTED, "%s:%zu: %s: key of type 0x%02x, 0x%02x or 0x06 expected", l->what,
	    l->number, k->name, (unsigned)k->type, (unsigned)other_type);
	for (size_t i = 0; i < p->n_logs; i++)
		TG_TRY(check_twice(l, k, p->logs[i].key));
	for (size_t i = 0; i < p->n_witnesses; i++)
		TG_TRY(check_twice(l, k, p->names[p->witness[i]].key));
	*ret = k;
	k = NULL;
	return TG_OK;
}

static size_t
find_name(const struct tg_log_policy *p, tg_bytes name)
{
	for (size_t i = 0; i < p->n_names; i++)
		if (is(name, p->names[i].name))
			return i;
	return TG_NOBODY;
}

/* A row for a name that is new. It counts only when n_names does. */
static tg_status
new_name(struct tg_log_policy *p, struct line *l, struct tg_name_row **ret)
{
	struct tg_name_row *row = &p->names[p->n_names];
	tg_bytes name;

	TG_REQUIRE(
	    next(l, &name), l->err, TG_E_FORMAT, "%s:%zu: a name expected", l->what, l->number);
	TG_REQUIRE(!is(name, "none") && find_name(p, name) == TG_NOBODY, l->err, TG_E_FORMAT,
	    "%s:%zu: the name \"%.*s\" is taken", l->what, l->number, shown(name), name.p);
	TG_REQUIRE(p->n_names < TG_LEN(p->names), l->err, TG_E_LIMIT, "%s: more than %zu names",
	    l->what, TG_LEN(p->names));
	*row = (struct tg_name_row){ .member = TG_NOBODY };
	TG_TRY(copy_word(l, name, &row->name));
	p->n_names++; /* from here on it is released with the policy */
	*ret = row;
	return TG_OK;
}

static tg_status
read_log(struct tg_log_policy *p, struct line *l)
{
	struct tg_log_row *row = &p->logs[p->n_logs];

	TG_REQUIRE(p->n_logs < TG_MAX_LOG_POLICY_KEYS, l->err, TG_E_LIMIT, "%s: more than %u logs",
	    l->what, TG_MAX_LOG_POLICY_KEYS);
	TG_TRY(read_key(p, l, TG_NOTE_ED25519, &row->key));
	p->n_logs++;
	return read_url(l, &row->url);
}

static tg_status
read_witness(struct tg_log_policy *p, struct line *l)
{
	struct tg_name_row *row = NULL;

	TG_REQUIRE(p->n_witnesses < TG_MAX_LOG_POLICY_KEYS, l->err, TG_E_LIMIT,
	    "%s: more than %u witnesses", l->what, TG_MAX_LOG_POLICY_KEYS);
	TG_TRY(new_name(p, l, &row));
	TG_TRY(read_key(p, l, TG_NOTE_COSIG_ED25519, &row->key));
	p->witness[p->n_witnesses++] = p->n_names - 1;
	return read_url(l, &row->url);
}

/* Members of the group that was just added, which is none of them itself. */
static tg_status
read_members(struct tg_log_policy *p, struct line *l, size_t *ret_n)
{
	const size_t group = p->n_names - 1;
	tg_bytes name;
	size_t n = 0;

	for (; next(l, &name); n++) {
		const size_t i = find_name(p, name);

		TG_REQUIRE(i < group, l->err, TG_E_FORMAT,
		    "%s:%zu: \"%.*s\" is no witness or group of the lines before", l->what,
		    l->number, shown(name), name.p);
		TG_REQUIRE(p->names[i].member == TG_NOBODY, l->err, TG_E_FORMAT,
		    "%s:%zu: \"%s\" is the member of a group already", l->what, l->number,
		    p->names[i].name);
		p->names[i].member = group;
	}
	TG_REQUIRE(
	    n > 0, l->err, TG_E_FORMAT, "%s:%zu: a group without members", l->what, l->number);
	*ret_n = n;
	return TG_OK;
}

static tg_status
read_group(struct tg_log_policy *p, struct line *l)
{
	struct tg_name_row *row = NULL;
	tg_bytes how;
	uint64_t k = 1;
	size_t n = 0;

	TG_TRY(new_name(p, l, &row));
	TG_REQUIRE(
	    next(l, &how) && (is(how, "any") || is(how, "all") || tg_decimal_decode(how, &k)),
	    l->err, TG_E_FORMAT, "%s:%zu: group: any, all or a number expected", l->what,
	    l->number);
	TG_TRY(read_members(p, l, &n));
	if (is(how, "all"))
		k = n;
	TG_REQUIRE(k >= 1 && k <= n, l->err, TG_E_FORMAT,
	    "%s:%zu: group: 1 ... %zu expected, not %llu", l->what, l->number, n,
	    (unsigned long long)k);
	row->need = (size_t)k;
	return TG_OK;
}

static tg_status
read_quorum(struct tg_log_policy *p, struct line *l)
{
	tg_bytes name, more;

	TG_REQUIRE(
	    !p->has_quorum, l->err, TG_E_FORMAT, "%s:%zu: a second quorum", l->what, l->number);
	TG_REQUIRE(next(l, &name) && !next(l, &more), l->err, TG_E_FORMAT,
	    "%s:%zu: quorum: one name expected", l->what, l->number);
	p->quorum = find_name(p, name);
	TG_REQUIRE(p->quorum != TG_NOBODY || is(name, "none"), l->err, TG_E_FORMAT,
	    "%s:%zu: \"%.*s\" is no witness or group of the lines before", l->what, l->number,
	    shown(name), name.p);
	p->has_quorum = true;
	return TG_OK;
}

static tg_status
read_line(struct tg_log_policy *p, struct line *l)
{
	static const struct {
		const char *name;
		tg_status (*read)(struct tg_log_policy *p, struct line *l);
	} kinds[] = {
		{ "log", read_log },
		{ "witness", read_witness },
		{ "group", read_group },
		{ "quorum", read_quorum },
	};
	tg_bytes word;

	for (size_t i = 0; i < l->rest.n; i++)
		TG_REQUIRE(l->rest.p[i] == '\t' || (l->rest.p[i] >= 0x20 && l->rest.p[i] != 0x7f),
		    l->err, TG_E_FORMAT, "%s:%zu: a control character", l->what, l->number);
	if (!next(l, &word) || word.p[0] == '#')
		return TG_OK;
	for (size_t i = 0; i < TG_LEN(kinds); i++)
		if (is(word, kinds[i].name))
			return kinds[i].read(p, l);
	return tg_fail(l->err, TG_E_FORMAT,
	    "%s:%zu: \"%.*s\", log, witness, group or quorum expected", l->what, l->number,
	    shown(word), word.p);
}

tg_status
tg_log_policy_parse(
    tg_bytes text, const char *what, struct tg_log_policy **ret, struct tg_error *err)
{
	TG_AUTO(tg_log_policy_freep) struct tg_log_policy *p = NULL;
	struct line l = { .what = what, .err = err };
	tg_bytes rest = text;

	TG_REQUIRE(text.n <= TG_MAX_LOG_POLICY, err, TG_E_LIMIT, "%s: a policy above %u bytes",
	    what, TG_MAX_LOG_POLICY);
	p = calloc(1, sizeof(*p));
	TG_REQUIRE(p != NULL, err, TG_E_NOMEM, "%s: out of memory", what);
	while (tg_line_take(&rest, &l.rest)) {
		l.number++;
		TG_TRY(read_line(p, &l));
	}
	TG_REQUIRE(rest.n == 0, err, TG_E_FORMAT, "%s: the last line does not end", what);
	TG_REQUIRE(p->has_quorum, err, TG_E_FORMAT,
	    "%s: no quorum; \"quorum none\" is a policy without witnesses", what);
	*ret = p;
	p = NULL;
	return TG_OK;
}

/* ---- looking in ---- */

size_t
tg_log_policy_witnesses(const struct tg_log_policy *p)
{
	return p->n_witnesses;
}

struct tg_log_policy_witness
tg_log_policy_witness(const struct tg_log_policy *p, size_t i)
{
	const struct tg_name_row *row = &p->names[p->witness[i]];

	return (struct tg_log_policy_witness){ row->name, row->key, row->url };
}

size_t
tg_log_policy_logs(const struct tg_log_policy *p)
{
	return p->n_logs;
}

const struct tg_note_key *
tg_log_policy_log(const struct tg_log_policy *p, size_t i)
{
	return p->logs[i].key;
}
