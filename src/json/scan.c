/* The token check that runs before any JSON library sees a text: grammar, canonical form, limits,
 * with the position of the first byte that is wrong. */
#include <stdarg.h>
#include <stdio.h>
#include <tensorguard/limits.h>

#include "json/members.h"
#include "json/plain.h"
#include "util/text.h"
#include "util/try.h"

#define PATH_MAX_LEN 255

struct scan {
	tg_bytes in;
	size_t at;
	unsigned depth;
	unsigned values;
	bool canonical;
	const char *what;
	const struct tg_json_visitor *visitor;
	char path[PATH_MAX_LEN + 1];
	struct tg_json_member *members; /* of the outermost container; NULL: nobody asks */
	size_t max, n;
	struct tg_error *err;
};

#define BAD(s, ...) bad((s), (s)->at, __VA_ARGS__)

static tg_status bad(const struct scan *s, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static tg_status scan_value(struct scan *s);

static tg_status
bad(const struct scan *s, size_t at, const char *fmt, ...)
{
	char why[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return tg_fail(s->err, TG_E_FORMAT, "%s: byte %zu: %s", s->what, at, why);
}

static int
peek(const struct scan *s)
{
	return s->at < s->in.n ? s->in.p[s->at] : -1;
}

static tg_status
skip_space(struct scan *s)
{
	for (int c = peek(s); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(s)) {
		if (s->canonical)
			return BAD(s, "white space, which canonical JSON does not have");
		s->at++;
	}
	return TG_OK;
}

static tg_status
hex4(struct scan *s, unsigned *ret)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		int c = peek(s);
		int digit = c >= '0' && c <= '9' ? c - '0'
		    : c >= 'a' && c <= 'f'       ? c - 'a' + 10
		    : c >= 'A' && c <= 'F'       ? c - 'A' + 10
						 : -1;
		if (digit < 0)
			return BAD(s, "four hex digits expected in the escape");
		if (s->canonical && c >= 'A' && c <= 'F')
			return BAD(s, "upper-case hex digit in an escape");
		v = v << 4 | (unsigned)digit;
		s->at++;
	}
	*ret = v;
	return TG_OK;
}

static tg_status
scan_unicode_escape(struct scan *s, size_t start)
{
	unsigned v = 0, low = 0;

	TG_TRY(hex4(s, &v));
	if (v == 0)
		return bad(s, start, "U+0000 in a string");
	if (s->canonical && (v >= 0x20 || strchr("\b\t\n\f\r", (int)v) != NULL))
		return bad(s, start, "an escape that canonical JSON writes another way");
	if (v >= 0xdc00 && v <= 0xdfff)
		return bad(s, start, "lone surrogate in a string");
	if (v >= 0xd800 && v <= 0xdbff) {
		if (s->in.n - s->at < 2 || memcmp(s->in.p + s->at, "\\u", 2) != 0)
			return bad(s, start, "lone surrogate in a string");
		s->at += 2;
		TG_TRY(hex4(s, &low));
		if (low < 0xdc00 || low > 0xdfff)
			return bad(s, start, "lone surrogate in a string");
	}
	return TG_OK;
}

static tg_status
scan_escape(struct scan *s)
{
	const size_t start = s->at++;
	int c = peek(s);

	if (c == 'u') {
		s->at++;
		return scan_unicode_escape(s, start);
	}
	if (c <= 0 || strchr(s->canonical ? "btnfr\"\\" : "btnfr\"\\/", c) == NULL)
		return bad(s, start, "unknown escape");
	s->at++;
	return TG_OK;
}

/* A string token; *ret is what stands between the quotes. */
static tg_status
scan_string(struct scan *s, tg_bytes *ret)
{
	size_t run;

	if (peek(s) != '"')
		return BAD(s, "string expected");
	const size_t start = ++s->at;
	for (run = start;;) {
		bool ascii = true;

		s->at += tg_json_plain_run((tg_bytes){ s->in.p + s->at, s->in.n - s->at }, &ascii);
		int c = peek(s);

		if (c < 0)
			return BAD(s, "string without an end");
		if (c < 0x20)
			return BAD(s, "control character 0x%02x in a string", (unsigned)c);
		if (!ascii && !tg_utf8_valid((tg_bytes){ s->in.p + run, s->at - run }))
			return bad(s, run, "string is not UTF-8");
		if (c == '"')
			break;
		TG_TRY(scan_escape(s));
		run = s->at;
	}
	*ret = (tg_bytes){ s->in.p + start, s->at - start };
	s->at++;
	return TG_OK;
}

static size_t
digits(struct scan *s)
{
	size_t n = 0;

	for (; peek(s) >= '0' && peek(s) <= '9'; n++)
		s->at++;
	return n;
}

/* -?(0|[1-9][0-9]*), then what RFC 8259 allows behind it unless canonical. */
static tg_status
scan_number(struct scan *s)
{
	const size_t start = s->at;

	if (peek(s) == '-')
		s->at++;
	const size_t first = s->at;
	const size_t n = digits(s);
	if (n == 0)
		return bad(s, start, "value expected");
	if (s->in.p[first] == '0' && (n > 1 || (s->canonical && first > start)))
		return bad(s, start, "number with a needless zero or sign");
	if (s->canonical) {
		static const char max[] = "9007199254740991";

		if (peek(s) == '.' || peek(s) == 'e' || peek(s) == 'E')
			return bad(s, start, "number that is not an integer");
		if (n > sizeof(max) - 1 ||
		    (n == sizeof(max) - 1 && memcmp(s->in.p + first, max, n) > 0))
			return bad(s, start, "number outside -(2^53-1) ... 2^53-1");
		return TG_OK;
	}
	if (peek(s) == '.') {
		s->at++;
		if (digits(s) == 0)
			return BAD(s, "digit expected");
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		if (digits(s) == 0)
			return BAD(s, "digit expected");
	}
	return TG_OK;
}

static bool
key_canonical(tg_bytes key)
{
	for (size_t i = 0; i < key.n; i++) {
		uint8_t c = key.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
			c == '-'))
			return false;
	}
	return key.n > 0;
}

static int
key_order(tg_bytes a, tg_bytes b)
{
	int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return d != 0 ? d : (a.n > b.n) - (a.n < b.n);
}

/* Append ".key" to the path; returns the old length, to cut it back to. */
static tg_status
path_push(struct scan *s, tg_bytes key, size_t *ret_old)
{
	const size_t old = strlen(s->path);

	*ret_old = old;
	if (s->visitor == NULL)
		return TG_OK;
	if (key.n + 1 > PATH_MAX_LEN - old)
		return BAD(s, "key too long");
	(void)snprintf(s->path + old, sizeof(s->path) - old, "%s%.*s", old > 0 ? "." : "",
	    (int)key.n, (const char *)key.p);
	return TG_OK;
}

static enum tg_json_type
type_of(int c)
{
	return c == '{' ? TG_JSON_OBJECT
	    : c == '['  ? TG_JSON_ARRAY
	    : c == '"'  ? TG_JSON_STRING
	    : c == 't' || c == 'f' ? TG_JSON_BOOL
				   : TG_JSON_INT;
}

/* A value within a container; of the outermost one it is noted, when somebody asks. */
static tg_status
scan_item(struct scan *s, tg_bytes key)
{
	const size_t start = s->at;

	if (s->members == NULL || s->depth != 1)
		return scan_value(s);
	const enum tg_json_type type = type_of(peek(s));
	const size_t quote = type == TG_JSON_STRING;
	TG_TRY(scan_value(s));
	TG_REQUIRE(s->n < s->max, s->err, TG_E_LIMIT, "%s: byte %zu: more than %zu members", s->what,
	    start, s->max);
	s->members[s->n++] = (struct tg_json_member){ key, type,
		{ s->in.p + start + quote, s->at - start - 2 * quote }, false };
	return TG_OK;
}

static tg_status
scan_member(struct scan *s, tg_bytes *key)
{
	const tg_bytes before = *key;
	const size_t start = s->at;
	size_t old = 0;

	TG_TRY(scan_string(s, key));
	if (s->canonical && !key_canonical(*key))
		return bad(s, start, "key outside [a-z0-9_.-]+");
	if (s->canonical && before.p != NULL && key_order(before, *key) >= 0)
		return bad(s, start, "key twice or out of order");
	TG_TRY(skip_space(s));
	if (peek(s) != ':')
		return BAD(s, "':' expected");
	s->at++;
	TG_TRY(skip_space(s));
	TG_TRY(path_push(s, *key, &old));
	TG_TRY(scan_item(s, *key));
	s->path[old] = '\0';
	return skip_space(s);
}

static tg_status
scan_container(struct scan *s, int close)
{
	tg_bytes key = { NULL, 0 };

	TG_REQUIRE(s->depth < TG_MAX_JSON_DEPTH, s->err, TG_E_LIMIT,
	    "%s: byte %zu: more than %u brackets deep", s->what, s->at, TG_MAX_JSON_DEPTH);
	s->depth++;
	s->at++;
	TG_TRY(skip_space(s));
	if (peek(s) == close) {
		s->at++;
		s->depth--;
		return TG_OK;
	}
	for (;;) {
		if (close == '}') {
			TG_TRY(scan_member(s, &key));
		} else {
			TG_TRY(scan_item(s, key));
			TG_TRY(skip_space(s));
		}
		if (peek(s) == close)
			break;
		if (peek(s) != ',')
			return BAD(s, "',' or '%c' expected", close);
		s->at++;
		TG_TRY(skip_space(s));
	}
	s->at++;
	s->depth--;
	return TG_OK;
}

static tg_status
scan_word(struct scan *s, const char *word)
{
	const size_t n = strlen(word);

	if (s->in.n - s->at < n || memcmp(s->in.p + s->at, word, n) != 0)
		return BAD(s, "value expected");
	s->at += n;
	return TG_OK;
}

static tg_status
scan_value(struct scan *s)
{
	TG_REQUIRE(++s->values <= TG_MAX_JSON_VALUES, s->err, TG_E_LIMIT,
	    "%s: byte %zu: more than %u values", s->what, s->at, TG_MAX_JSON_VALUES);
	switch (peek(s)) {
	case '{':
		return scan_container(s, '}');
	case '[':
		return scan_container(s, ']');
	case '"': {
		tg_bytes raw = { NULL, 0 };

		TG_TRY(scan_string(s, &raw));
		return s->visitor == NULL
		    ? TG_OK
		    : s->visitor->string(s->visitor->ctx, s->path, raw, s->err);
	}
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return s->canonical ? BAD(s, "null, which never occurs here") : scan_word(s, "null");
	default:
		return scan_number(s);
	}
}

static tg_status
scan_all(struct scan *s)
{
	TG_TRY(skip_space(s));
	TG_TRY(scan_value(s));
	TG_TRY(skip_space(s));
	if (s->at != s->in.n)
		return BAD(s, "end expected");
	return TG_OK;
}

tg_status
tg_json_scan(tg_bytes text, enum tg_json_profile profile, const char *what,
    const struct tg_json_visitor *visitor, struct tg_error *err)
{
	struct scan s = {
		.in = text,
		.canonical = profile == TG_JSON_CANONICAL,
		.what = what,
		.visitor = visitor,
		.err = err,
	};

	return scan_all(&s);
}

static tg_status
scan_container_of(tg_bytes text, int open, const char *what, struct tg_json_member *ret, size_t max,
    size_t *ret_n, struct tg_error *err)
{
	struct scan s = {
		.in = text,
		.canonical = true,
		.what = what,
		.members = ret,
		.max = max,
		.err = err,
	};

	if (peek(&s) != open)
		return BAD(&s, "%s expected", open == '{' ? "object" : "array");
	TG_TRY(scan_all(&s));
	*ret_n = s.n;
	return TG_OK;
}

tg_status
tg_json_members(tg_bytes text, const char *what, struct tg_json_member *ret, size_t max,
    size_t *ret_n, struct tg_error *err)
{
	if (tg_json_members_plain(text, ret, max, ret_n))
		return TG_OK;
	return scan_container_of(text, '{', what, ret, max, ret_n, err);
}

tg_status
tg_json_elements(tg_bytes text, const char *what, struct tg_json_member *ret, size_t max,
    size_t *ret_n, struct tg_error *err)
{
	return scan_container_of(text, '[', what, ret, max, ret_n, err);
}
