#include "evidence/event.h"

#include <stdio.h>
#include <tensorguard/limits.h>

#include "util/try.h"

#define MAX_ROWS 64

struct judge {
	const char *what;
	struct tg_error *err;
};

static tg_status judge_object(const struct judge *j, const struct tg_value_rule *rule, tg_bytes text);

#define WRONG(j, key, ...) wrong((j), (key), __VA_ARGS__)

static tg_status
wrong(const struct judge *j, tg_bytes key, const char *expected)
{
	return tg_fail(j->err, TG_E_FORMAT, "%s: \"%.*s\": %s expected", j->what,
	    (int)(key.n < 80 ? key.n : 80), (const char *)key.p, expected);
}

/* No control characters, also not as escapes: of escapes only \" and \\ are left. */
static bool
text_clean(const struct tg_json_member *m)
{
	const tg_bytes s = m->value;

	if (m->plain)
		return true;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
		if (s.p[i] == 0xc2 && i + 1 < s.n && s.p[i + 1] >= 0x80 && s.p[i + 1] < 0xa0)
			return false;
		if (s.p[i] == '\\' && (++i == s.n || (s.p[i] != '"' && s.p[i] != '\\')))
			return false;
	}
	return true;
}

/* 16 at a time; gcc and clang make the processor's own vectors of it */
typedef uint8_t v16 __attribute__((vector_size(16)));

static bool
is_hex(tg_bytes s)
{
	v16 bad16 = { 0 };
	unsigned bad = 0;
	size_t i = 0;

	for (; s.n - i >= 16; i += 16) {
		v16 v;

		memcpy(&v, s.p + i, sizeof(v));
		bad16 |= (v16)((v - '0' > 9) & (v - 'a' > 5));
	}
	for (unsigned k = 0; k < 16; k++)
		bad |= bad16[k];
	for (; i < s.n; i++) {
		const unsigned digit = (unsigned)(s.p[i] - '0'), letter = (unsigned)(s.p[i] - 'a');

		bad |= (digit > 9) & (letter > 5);
	}
	return bad == 0;
}

static bool
is_uuid4(tg_bytes s)
{
	if (s.n != 36 || s.p[8] != '-' || s.p[13] != '-' || s.p[18] != '-' || s.p[23] != '-')
		return false;
	return s.p[14] == '4' && s.p[19] != '\0' && strchr("89ab", s.p[19]) != NULL &&
	    is_hex((tg_bytes){ s.p, 8 }) && is_hex((tg_bytes){ s.p + 9, 4 }) &&
	    is_hex((tg_bytes){ s.p + 14, 4 }) && is_hex((tg_bytes){ s.p + 19, 4 }) &&
	    is_hex((tg_bytes){ s.p + 24, 12 });
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)? */
static bool
is_decimal(tg_bytes s)
{
	size_t i = s.n > 0 && s.p[0] == '-', start = i;

	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	if (i == start || (s.p[start] == '0' && i > start + 1))
		return false;
	if (i == s.n)
		return true;
	start = i + 1;
	for (i = start; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
		i++;
	return s.p[start - 1] == '.' && i > start && i == s.n;
}

static bool
is_choice(tg_bytes s, const char *const *of)
{
	for (; *of != NULL; of++)
		if (tg_bytes_equal(s, tg_bytes_str(*of)))
			return true;
	return false;
}

static tg_status
judge_map(const struct judge *j, const struct tg_value_rule *rule, tg_bytes text)
{
	struct tg_json_member m[MAX_ROWS];
	const bool measures = rule->form == TG_V_MEASURES;
	size_t n = 0;

	TG_TRY(tg_json_members(text, j->what, m, rule->max, &n, j->err));
	for (size_t i = 0; i < n; i++) {
		const bool string = m[i].type == TG_JSON_STRING;

		if (m[i].type == TG_JSON_OBJECT || m[i].type == TG_JSON_ARRAY)
			return WRONG(j, m[i].key, "a string, integer or boolean");
		if (measures && string && (m[i].value.n > 64 || !is_decimal(m[i].value)))
			return WRONG(j, m[i].key, "a number in decimal notation");
		if (!measures && string && (m[i].value.n > 8192 || !text_clean(&m[i])))
			return WRONG(j, m[i].key, "text of at most 8192 bytes without control characters");
	}
	return n >= rule->min ? TG_OK : WRONG(j, tg_bytes_str(rule->key), "at least one member");
}

static tg_status
judge_list(const struct judge *j, const struct tg_value_rule *rule, tg_bytes text)
{
	struct tg_json_member m[MAX_ROWS];
	size_t n = 0;

	TG_TRY(tg_json_elements(text, j->what, m, rule->max, &n, j->err));
	for (size_t i = 0; i < n; i++) {
		if (m[i].type != TG_JSON_OBJECT)
			return WRONG(j, tg_bytes_str(rule->key), "an array of objects");
		TG_TRY(judge_object(j, rule, m[i].value));
	}
	return n >= rule->min ? TG_OK : WRONG(j, tg_bytes_str(rule->key), "at least one element");
}

static tg_status
judge_value(const struct judge *j, const struct tg_value_rule *rule, const struct tg_json_member *m)
{
	switch (rule->form) {
	case TG_V_TEXT:
		if (m->type != TG_JSON_STRING || m->value.n < rule->min || m->value.n > rule->max ||
		    !text_clean(m))
			break;
		return TG_OK;
	case TG_V_HEX64:
		if (m->type != TG_JSON_STRING || m->value.n != 64 || !is_hex(m->value))
			return WRONG(j, m->key, "64 lower-case hex digits");
		return TG_OK;
	case TG_V_UUID:
		return m->type == TG_JSON_STRING && is_uuid4(m->value)
		    ? TG_OK
		    : WRONG(j, m->key, "a version 4 UUID in lower case");
	case TG_V_COUNT:
		return m->type == TG_JSON_INT && m->value.p[0] != '-'
		    ? TG_OK
		    : WRONG(j, m->key, "an integer, 0 or more,");
	case TG_V_CHOICE:
		return m->type == TG_JSON_STRING && is_choice(m->value, rule->choice)
		    ? TG_OK
		    : WRONG(j, m->key, "one of the values of the protocol");
	case TG_V_OBJECT:
		return m->type == TG_JSON_OBJECT ? judge_object(j, rule, m->value)
						 : WRONG(j, m->key, "an object");
	case TG_V_MEASURES:
	case TG_V_DETAIL:
		return m->type == TG_JSON_OBJECT ? judge_map(j, rule, m->value)
						 : WRONG(j, m->key, "an object");
	case TG_V_LIST:
		return m->type == TG_JSON_ARRAY ? judge_list(j, rule, m->value)
						: WRONG(j, m->key, "an array");
	}
	char expected[80];
	(void)snprintf(expected, sizeof(expected), "text of %u to %u bytes without control characters",
	    rule->min, rule->max);
	return WRONG(j, m->key, expected);
}

static bool
is_key(tg_bytes key, const struct tg_value_rule *r)
{
	return key.n == r->key_len && key.p[0] == r->key[0] && memcmp(key.p, r->key, key.n) == 0;
}

/* The members and the rules are both sorted, so one walk over both is enough. */
static tg_status
judge_object(const struct judge *j, const struct tg_value_rule *rule, tg_bytes text)
{
	struct tg_json_member m[MAX_ROWS];
	const struct tg_value_rule *r = rule->members;
	size_t n = 0;

	TG_TRY(tg_json_members(text, j->what, m, TG_LEN(m), &n, j->err));
	for (size_t i = 0; i < n; i++, r++) {
		for (; r->key != NULL && !is_key(m[i].key, r); r++)
			if (r->required)
				return WRONG(j, tg_bytes_str(rule->key), "more members");
		if (r->key == NULL)
			return WRONG(j, m[i].key, "no such member");
		TG_TRY(judge_value(j, r, &m[i]));
	}
	for (; r->key != NULL; r++)
		if (r->required)
			return WRONG(j, tg_bytes_str(rule->key), "more members");
	return n >= rule->min ? TG_OK : WRONG(j, tg_bytes_str(rule->key), "more members");
}

/* Names the first member of a set. */
static const char *
first_of(uint32_t set)
{
	return tg_member_rules[__builtin_ctz(set)].key;
}

static tg_status
judge_set(const struct judge *j, const struct tg_event *e, uint32_t missing)
{
	const uint32_t required = TG_M_ALWAYS & ~missing, forbidden = missing & TG_M_BY_LOG;

	TG_REQUIRE((e->has & forbidden) == 0, j->err, TG_E_FORMAT, "%s: \"%s\" is set by the log itself",
	    j->what, first_of(e->has & forbidden));
	TG_REQUIRE((required & ~e->has) == 0, j->err, TG_E_FORMAT, "%s: \"%s\" is missing", j->what,
	    first_of(required & ~e->has));
	if (e->type == NULL)
		return TG_OK;
	const uint32_t lacking = e->type->required & ~e->has;
	const uint32_t surplus = e->has & ~(TG_M_ALWAYS | e->type->required | e->type->allowed);
	TG_REQUIRE(lacking == 0, j->err, TG_E_FORMAT, "%s: \"%s\" is missing, which %s has", j->what,
	    first_of(lacking), e->type->name);
	TG_REQUIRE(surplus == 0, j->err, TG_E_FORMAT, "%s: \"%s\" has no place in %s", j->what,
	    first_of(surplus), e->type->name);
	return TG_OK;
}

/* What kind of event it is, which says what its members may be. */
static tg_status
find_type(const struct judge *j, const struct tg_json_member *m, size_t n, bool known,
    const struct tg_event_type **ret)
{
	size_t i = 0;

	while (i < n && !is_key(m[i].key, &tg_member_rules[TG_M_EVENT_TYPE]))
		i++;
	TG_REQUIRE(i < n, j->err, TG_E_FORMAT, "%s: \"event_type\" is missing", j->what);
	TG_TRY(judge_value(j, &tg_member_rules[TG_M_EVENT_TYPE], &m[i]));
	*ret = tg_event_type_find(m[i].value);
	TG_REQUIRE(*ret != NULL || !known, j->err, TG_E_FORMAT,
	    "%s: \"%.*s\" is no event type (docs/PROTOCOL.evidence.md section 2 lists them)", j->what,
	    (int)m[i].value.n, (const char *)m[i].value.p);
	return TG_OK;
}

tg_status
tg_event_read(tg_bytes text, uint32_t missing, bool known, const char *what, struct tg_event *ret,
    struct tg_error *err)
{
	const struct judge j = { what, err };
	struct tg_json_member m[MAX_ROWS];
	tg_bytes stranger = { NULL, 0 };
	unsigned at = 0;
	size_t n = 0;

	ret->has = 0;
	TG_TRY(tg_json_members(text, what, m, TG_LEN(m), &n, err));
	TG_TRY(find_type(&j, m, n, known, &ret->type));
	for (size_t i = 0; i < n; i++) {
		unsigned k = at; /* both are sorted: what has been passed does not come any more */

		while (k < TG_MEMBERS && !is_key(m[i].key, &tg_member_rules[k]))
			k++;
		if (k == TG_MEMBERS || (ret->type == NULL && (TG_M_ALWAYS & TG_M_BIT(k)) == 0)) {
			stranger = m[i].key;
			continue;
		}
		TG_TRY(judge_value(&j, &tg_member_rules[k], &m[i]));
		ret->has |= TG_M_BIT(k);
		ret->value[k] = m[i].value;
		at = k + 1;
	}
	TG_REQUIRE(stranger.p == NULL || ret->type == NULL, err, TG_E_FORMAT,
	    "%s: \"%.*s\" is no member of an event", what, (int)(stranger.n < 80 ? stranger.n : 80),
	    (const char *)stranger.p);
	return judge_set(&j, ret, missing);
}

int64_t
tg_event_int(tg_bytes value)
{
	const bool minus = value.p[0] == '-';
	int64_t v = 0;

	for (size_t i = minus; i < value.n; i++)
		v = 10 * v + (value.p[i] - '0');
	return minus ? -v : v;
}
