/* Members and elements without a tree, against the tree; runs of plain bytes against the slow way.
 */
#include <stdlib.h>

#include "../../tap.h"
#include "util/try.h"
#include "json/json.h"
#include "json/plain.h"

enum { MAX = 8 };

static uint64_t seed = 0x9e3779b97f4a7c15;

static unsigned
draw(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 33) % below);
}

/* ---- what is handed out ---- */

static bool
is(const struct tg_json_member *m, const char *key, enum tg_json_type type, const char *value)
{
	return tg_bytes_equal(m->key, tg_bytes_str(key)) && m->type == type &&
	    tg_bytes_equal(m->value, tg_bytes_str(value));
}

static void
members_by_hand(void)
{
	static const char text[] =
	    "{\"a\":\"x\\\"y\",\"b\":-5,\"c\":true,\"d\":false,\"e\":{\"x\":[1,2]},"
	    "\"f\":[{\"a\":\"}\"}],\"g\":\"\",\"h\":{}}";
	struct tg_json_member m[MAX];
	size_t n = 77;

	OK_STATUS(tg_json_members(tg_bytes_str(text), "t", m, MAX, &n, NULL), TG_OK);
	OK(n == 8 && is(&m[0], "a", TG_JSON_STRING, "x\\\"y") &&
	    is(&m[1], "b", TG_JSON_INT, "-5") && is(&m[2], "c", TG_JSON_BOOL, "true") &&
	    is(&m[3], "d", TG_JSON_BOOL, "false") &&
	    is(&m[4], "e", TG_JSON_OBJECT, "{\"x\":[1,2]}") &&
	    is(&m[5], "f", TG_JSON_ARRAY, "[{\"a\":\"}\"}]") &&
	    is(&m[6], "g", TG_JSON_STRING, "") && is(&m[7], "h", TG_JSON_OBJECT, "{}"));
	OK(m[0].value.p == (const uint8_t *)text + 6);
	n = 77;
	OK_STATUS(tg_json_members(tg_bytes_str(text), "t", m, MAX - 1, &n, NULL), TG_E_LIMIT);
	OK(n == 77);
	OK_STATUS(tg_json_members(tg_bytes_str("{}"), "t", m, 0, &n, NULL), TG_OK);
	OK(n == 0);
}

static void
elements_by_hand(void)
{
	static const char text[] = "[\"x\",0,[],{\"a\":1},true]";
	struct tg_json_member m[MAX];
	size_t n = 77;

	OK_STATUS(tg_json_elements(tg_bytes_str(text), "t", m, MAX, &n, NULL), TG_OK);
	OK(n == 5 && is(&m[0], "", TG_JSON_STRING, "x") && is(&m[1], "", TG_JSON_INT, "0") &&
	    is(&m[2], "", TG_JSON_ARRAY, "[]") && is(&m[3], "", TG_JSON_OBJECT, "{\"a\":1}") &&
	    is(&m[4], "", TG_JSON_BOOL, "true"));
	n = 77;
	OK_STATUS(tg_json_elements(tg_bytes_str(text), "t", m, 4, &n, NULL), TG_E_LIMIT);
	OK(n == 77);
	OK_STATUS(tg_json_elements(tg_bytes_str("[]"), "t", m, 0, &n, NULL), TG_OK);
	OK(n == 0);
}

static void
other_texts(void)
{
	static const char *const neither[] = { "", " ", "1", "\"x\"", "true", "null", "{", "[",
		"{}{}", "[][]", "{} ", " {}", "[] ", "{]", "[}", "{\"a\":1,}", "[1,]",
		"{\"b\":1,\"a\":1}", "{\"a\":1,\"a\":1}", "[1.5]", "[null]", "[01]", "{\"a\":-0}",
		"[[[[[[[[[]]]]]]]]]" };
	struct tg_json_member m[MAX];
	size_t n = 77;

	for (size_t i = 0; i < TG_LEN(neither); i++) {
		OK(tg_json_members(tg_bytes_str(neither[i]), "t", m, MAX, &n, NULL) != TG_OK &&
		    n == 77);
		OK(tg_json_elements(tg_bytes_str(neither[i]), "t", m, MAX, &n, NULL) != TG_OK &&
		    n == 77);
	}
	OK_STATUS(tg_json_members(tg_bytes_str("[]"), "t", m, MAX, &n, NULL), TG_E_FORMAT);
	OK_STATUS(tg_json_elements(tg_bytes_str("{}"), "t", m, MAX, &n, NULL), TG_E_FORMAT);
	OK_STATUS(tg_json_members((tg_bytes){ NULL, 0 }, "t", m, MAX, &n, NULL), TG_E_FORMAT);
}

/* ---- against the tree ---- */

static char *
put_value(char *p, unsigned depth)
{
	static const char *const scalars[] = { "0", "-1", "9007199254740991", "true", "false",
		"\"\"", "\"a\"", "\"\\\\\"", "\"\\\"\"", "\"\\n\"", "\"\xc3\xa9\"",
		"\"0123456789abcdef0123\"" };
	const unsigned kind = depth >= 6 ? 2 : draw(6);
	const unsigned n = draw(5);

	if (kind > 1)
		return p + snprintf(p, 64, "%s", scalars[draw(TG_LEN(scalars))]);
	*p++ = kind == 0 ? '{' : '[';
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			*p++ = ',';
		if (kind == 0)
			p += snprintf(p, 16, "\"k%u\":", i);
		p = put_value(p, depth + 1 + (depth > 2));
	}
	*p++ = kind == 0 ? '}' : ']';
	*p = '\0';
	return p;
}

/* What the tree has there is what was handed out: it is written as the same bytes. */
static bool
same_value(const struct tg_json *j, const struct tg_json_member *m)
{
	struct tg_buf b = { .max = 1 << 16 };
	const size_t quote = m->type == TG_JSON_STRING;
	const tg_bytes whole = { m->value.p - quote, m->value.n + 2 * quote };

	const bool same = tg_json_typeof(j) == m->type && tg_json_write(j, &b, NULL) == TG_OK &&
	    tg_bytes_equal(tg_buf_view(&b), whole);
	tg_buf_done(&b);
	return same;
}

static bool
agree(tg_bytes text)
{
	struct tg_json_member m[MAX];
	struct tg_json *j = NULL;
	size_t n = 0;
	char key[64];

	const tg_status tree = tg_json_parse(text, TG_JSON_CANONICAL, "t", &j, NULL);
	const enum tg_json_type type = j == NULL ? TG_JSON_OTHER : tg_json_typeof(j);
	const tg_status members = tg_json_members(text, "t", m, MAX, &n, NULL);
	bool same = (members == TG_OK) ==
	    (tree == TG_OK && type == TG_JSON_OBJECT && tg_json_count(j) <= MAX);

	if (members == TG_OK) {
		same = same && n == tg_json_count(j);
		for (size_t i = 0; same && i < n; i++) {
			(void)snprintf(
			    key, sizeof(key), "%.*s", (int)m[i].key.n, (const char *)m[i].key.p);
			same =
			    tg_json_get(j, key) != NULL && same_value(tg_json_get(j, key), &m[i]);
		}
	}
	const tg_status elements = tg_json_elements(text, "t", m, MAX, &n, NULL);
	same = same &&
	    (elements == TG_OK) ==
		(tree == TG_OK && type == TG_JSON_ARRAY && tg_json_count(j) <= MAX);
	for (size_t i = 0; elements == TG_OK && same && i < n; i++)
		same = same_value(tg_json_at(j, i), &m[i]);
	tg_json_free(j);
	return same;
}

static void
random_texts(void)
{
	static char text[1 << 20];
	unsigned long wrong = 0, tried = 0;

	for (unsigned i = 0; i < 3000; i++, tried++) {
		const size_t n = (size_t)(put_value(text, 0) - text);

		if (n > 20000)
			continue;
		uint8_t *exact = malloc(n + 1);
		memcpy(exact, text, n);
		wrong += !agree((tg_bytes){ exact, n });
		for (unsigned k = 0; k < 20; k++) { /* and damaged */
			const size_t at = draw((unsigned)n);
			const uint8_t was = exact[at];

			exact[at] =
			    (uint8_t)(draw(2) == 0 ? was ^ 1u << draw(8)
						   : (unsigned char)"{}[]\",:01\\atn"[draw(13)]);
			wrong += !agree((tg_bytes){ exact, n });
			exact[at] = was;
		}
		wrong += !agree((tg_bytes){ exact, draw((unsigned)n) });
		free(exact);
	}
	OK_NONE(wrong, tried, "texts against the tree");
}

/* ---- runs ---- */

static bool
same_run(tg_bytes s)
{
	bool a = true, b = true;

	const size_t n = tg_json_plain_run(s, &a), m = tg_json_plain_run_slow(s, &b);
	bool c = false, d = false; /* false stays false */
	(void)tg_json_plain_run(s, &c);
	(void)tg_json_plain_run_slow(s, &d);
	return n == m && a == b && !c && !d;
}

static void
runs(void)
{
	unsigned long wrong = 0, tried = 0;

	/* each byte at each place of three blocks, and one that is not ASCII before or behind it */
	for (unsigned c = 0; c < 256; c++)
		for (size_t n = 0; n < 49; n++)
			for (size_t at = 0; at < n; at++) {
				uint8_t *exact = malloc(n);

				memset(exact, 'a', n);
				exact[at] = (uint8_t)c;
				wrong += !same_run((tg_bytes){ exact, n });
				exact[(at * 7 + 3) % n] = 0xc3;
				wrong += !same_run((tg_bytes){ exact, n });
				tried += 2;
				free(exact);
			}
	OK_NONE(wrong, tried, "runs with one byte");
	wrong = tried = 0;
	for (unsigned i = 0; i < 200000; i++, tried++) {
		uint8_t s[80];
		const size_t n = draw(sizeof(s)), skip = n == 0 ? 0 : draw((unsigned)n);

		for (size_t k = 0; k < n; k++)
			s[k] = draw(40) == 0 ? (uint8_t)draw(256) : (uint8_t)(0x20 + draw(0x70));
		wrong += !same_run((tg_bytes){ s + skip, n - skip });
	}
	OK_NONE(wrong, tried, "random runs");
	OK(same_run((tg_bytes){ (const uint8_t *)"", 0 }));
}

int
main(void)
{
	members_by_hand();
	elements_by_hand();
	other_texts();
	random_texts();
	runs();
	return tap_done();
}
