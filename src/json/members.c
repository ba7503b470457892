#include "json/members.h"

#include <tensorguard/limits.h>

#include "json/plain.h"

struct walk {
	const uint8_t *p, *end;
	struct tg_json_member *members; /* of the outermost object */
	size_t max, n;
};

static inline bool value(struct walk *w, unsigned depth, struct tg_json_member *m);

/* [a-z0-9_.-] */
static const bool key_byte[256] = {
	['-'] = true, ['.'] = true, ['_'] = true,
	['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true,
	['5'] = true, ['6'] = true, ['7'] = true, ['8'] = true, ['9'] = true,
	['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true, ['g'] = true,
	['h'] = true, ['i'] = true, ['j'] = true, ['k'] = true, ['l'] = true, ['m'] = true, ['n'] = true,
	['o'] = true, ['p'] = true, ['q'] = true, ['r'] = true, ['s'] = true, ['t'] = true, ['u'] = true,
	['v'] = true, ['w'] = true, ['x'] = true, ['y'] = true, ['z'] = true,
};

/* "key": */
static inline bool
key(struct walk *w, tg_bytes *ret)
{
	const uint8_t *p = w->p;

	if (p == w->end || *p++ != '"')
		return false;
	ret->p = p;
	while (p < w->end && key_byte[*p])
		p++;
	ret->n = (size_t)(p - ret->p);
	if (w->end - p < 2 || p[0] != '"' || p[1] != ':' || ret->n == 0)
		return false;
	w->p = p + 2;
	return true;
}

static inline bool
in_order(tg_bytes a, tg_bytes b)
{
	const size_t n = a.n < b.n ? a.n : b.n;
	size_t i = 0;

	if (n > 0 && a.p[0] != b.p[0]) /* most of the time */
		return a.p[0] < b.p[0];
	while (i < n && a.p[i] == b.p[i])
		i++;
	return i < n ? a.p[i] < b.p[i] : a.n < b.n;
}

static inline bool
string(struct walk *w, tg_bytes *ret)
{
	bool ascii = true;

	w->p++;
	ret->p = w->p;
	ret->n = tg_json_plain_run((tg_bytes){ w->p, (size_t)(w->end - w->p) }, &ascii);
	w->p += ret->n;
	return ascii && w->p < w->end && *w->p++ == '"';
}

static bool
number(struct walk *w, tg_bytes *ret)
{
	static const char most[] = "9007199254740991"; /* 2^53 - 1 */
	const uint8_t *start = w->p, *first;

	w->p += *w->p == '-';
	first = w->p;
	while (w->p < w->end && *w->p >= '0' && *w->p <= '9')
		w->p++;
	*ret = (tg_bytes){ start, (size_t)(w->p - start) };
	const size_t n = (size_t)(w->p - first);
	if (n >= sizeof(most) - 1 && (n > sizeof(most) - 1 || memcmp(first, most, n) > 0))
		return false;
	return n > 0 && (*first != '0' || (n == 1 && first == start));
}

static bool
word(struct walk *w, const char *text, size_t n, tg_bytes *ret)
{
	*ret = (tg_bytes){ w->p, n };
	if ((size_t)(w->end - w->p) < n || memcmp(w->p, text, n) != 0)
		return false;
	w->p += n;
	return true;
}

/* depth: of the object itself, 1 for the outermost */
static bool
object(struct walk *w, unsigned depth)
{
	struct tg_json_member inner, *m = &inner;
	tg_bytes last = { NULL, 0 };

	w->p++;
	if (w->p < w->end && *w->p == '}') {
		w->p++;
		return true;
	}
	for (;;) {
		if (depth == 1) {
			if (w->n == w->max)
				return false;
			m = &w->members[w->n++];
		}
		if (!key(w, &m->key) || (last.p != NULL && !in_order(last, m->key)) || !value(w, depth, m) ||
		    w->p == w->end)
			return false;
		last = m->key;
		if (*w->p++ == '}')
			return true;
		if (w->p[-1] != ',')
			return false;
	}
}

static bool
array(struct walk *w, unsigned depth)
{
	struct tg_json_member m;

	w->p++;
	if (w->p < w->end && *w->p == ']') {
		w->p++;
		return true;
	}
	for (;;) {
		if (!value(w, depth, &m) || w->p == w->end)
			return false;
		if (*w->p++ == ']')
			return true;
		if (w->p[-1] != ',')
			return false;
	}
}

static bool
container(struct walk *w, unsigned depth, struct tg_json_member *m)
{
	const uint8_t *start = w->p;

	if (depth >= TG_MAX_JSON_DEPTH)
		return false;
	m->type = *start == '{' ? TG_JSON_OBJECT : TG_JSON_ARRAY;
	if (!(*start == '{' ? object(w, depth + 1) : array(w, depth + 1)))
		return false;
	m->value = (tg_bytes){ start, (size_t)(w->p - start) };
	return true;
}

static inline bool
value(struct walk *w, unsigned depth, struct tg_json_member *m)
{
	m->plain = false;
	if (w->p == w->end)
		return false;
	switch (*w->p) {
	case '"':
		m->type = TG_JSON_STRING;
		m->plain = true;
		return string(w, &m->value);
	case '{':
	case '[':
		return container(w, depth, m);
	case 't':
		m->type = TG_JSON_BOOL;
		return word(w, "true", 4, &m->value);
	case 'f':
		m->type = TG_JSON_BOOL;
		return word(w, "false", 5, &m->value);
	default:
		m->type = TG_JSON_INT;
		return number(w, &m->value);
	}
}

bool
tg_json_members_plain(tg_bytes text, struct tg_json_member *ret, size_t max, size_t *ret_n)
{
	struct walk w = { text.p, text.p + text.n, ret, max, 0 };

	/* a text this short cannot hold more values than are allowed */
	if (text.n == 0 || *text.p != '{' || text.n > TG_MAX_JSON_VALUES || !object(&w, 1) || w.p != w.end)
		return false;
	*ret_n = w.n;
	return true;
}
