/* The token check: grammar, canonical form, limits, positions, visitor. */
#include "../../tap.h"
#include "util/try.h"
#include "json/json.h"

#include <stdlib.h>
#include <tensorguard/limits.h>

static tg_status
scan(const char *text, enum tg_json_profile profile, struct tg_error *err)
{
	return tg_json_scan(tg_bytes_str(text), profile, "text", NULL, err);
}

/* ---- what both profiles accept, what one does, what none does ---- */

static const struct {
	const char *text;
	tg_status canonical, ordinary;
} texts[] = {
	{ "{}", TG_OK, TG_OK },
	{ "[]", TG_OK, TG_OK },
	{ "0", TG_OK, TG_OK },
	{ "\"\"", TG_OK, TG_OK },
	{ "true", TG_OK, TG_OK },
	{ "false", TG_OK, TG_OK },
	{ "-1", TG_OK, TG_OK },
	{ "{\"a\":{\"b\":[1,\"x\",true]}}", TG_OK, TG_OK },
	{ "null", TG_E_FORMAT, TG_OK },
	{ " {}", TG_E_FORMAT, TG_OK },
	{ "{}\n", TG_E_FORMAT, TG_OK },
	{ "[1, 2]", TG_E_FORMAT, TG_OK },
	{ "\t\r\n {\t\"a\"\r:\n1 , \"b\" : [ ] } ", TG_E_FORMAT, TG_OK },
	{ "1.5", TG_E_FORMAT, TG_OK },
	{ "-0", TG_E_FORMAT, TG_OK },
	{ "-0.0e-0", TG_E_FORMAT, TG_OK },
	{ "1e5", TG_E_FORMAT, TG_OK },
	{ "1E+5", TG_E_FORMAT, TG_OK },
	{ "99999999999999999999", TG_E_FORMAT, TG_OK },
	{ "{\"b\":1,\"a\":1}", TG_E_FORMAT, TG_OK },
	{ "{\"\":1}", TG_E_FORMAT, TG_OK },
	{ "{\"A B\":1}", TG_E_FORMAT, TG_OK },
	{ "\"\\/\"", TG_E_FORMAT, TG_OK },
	{ "\"\\u0041\"", TG_E_FORMAT, TG_OK },
	{ "\"\\uD83D\\uDE00\"", TG_E_FORMAT, TG_OK },
	{ "\"\\u001f\"", TG_OK, TG_OK },
	{ "\"\\u001F\"", TG_E_FORMAT, TG_OK },
	{ "", TG_E_FORMAT, TG_E_FORMAT },
	{ " ", TG_E_FORMAT, TG_E_FORMAT },
	{ "{", TG_E_FORMAT, TG_E_FORMAT },
	{ "[", TG_E_FORMAT, TG_E_FORMAT },
	{ "[1", TG_E_FORMAT, TG_E_FORMAT },
	{ "[1,", TG_E_FORMAT, TG_E_FORMAT },
	{ "[1,]", TG_E_FORMAT, TG_E_FORMAT },
	{ "[,]", TG_E_FORMAT, TG_E_FORMAT },
	{ "]", TG_E_FORMAT, TG_E_FORMAT },
	{ "{\"a\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "{\"a\":", TG_E_FORMAT, TG_E_FORMAT },
	{ "{\"a\":1", TG_E_FORMAT, TG_E_FORMAT },
	{ "{\"a\":1,", TG_E_FORMAT, TG_E_FORMAT },
	{ "{\"a\":1,}", TG_E_FORMAT, TG_E_FORMAT },
	{ "{a:1}", TG_E_FORMAT, TG_E_FORMAT },
	{ "{\"a\" 1}", TG_E_FORMAT, TG_E_FORMAT },
	{ "{\"a\"::1}", TG_E_FORMAT, TG_E_FORMAT },
	{ "{}{}", TG_E_FORMAT, TG_E_FORMAT },
	{ "1 2", TG_E_FORMAT, TG_E_FORMAT },
	{ "01", TG_E_FORMAT, TG_E_FORMAT },
	{ "-", TG_E_FORMAT, TG_E_FORMAT },
	{ "-a", TG_E_FORMAT, TG_E_FORMAT },
	{ "+1", TG_E_FORMAT, TG_E_FORMAT },
	{ "1.", TG_E_FORMAT, TG_E_FORMAT },
	{ "1.e1", TG_E_FORMAT, TG_E_FORMAT },
	{ ".1", TG_E_FORMAT, TG_E_FORMAT },
	{ "1e", TG_E_FORMAT, TG_E_FORMAT },
	{ "1e+", TG_E_FORMAT, TG_E_FORMAT },
	{ "0x1", TG_E_FORMAT, TG_E_FORMAT },
	{ "nul", TG_E_FORMAT, TG_E_FORMAT },
	{ "nulll", TG_E_FORMAT, TG_E_FORMAT },
	{ "TRUE", TG_E_FORMAT, TG_E_FORMAT },
	{ "t", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"abc", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\\", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\\\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\\x\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\\u12\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\\u", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\\u0000\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\\uD800\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\\uD800\\n\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\\uD800\\u0041\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\\uD800\\uD800\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\\uDC00\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\\uDC00\\uD800\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\n\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\x7f\"", TG_OK, TG_OK },
	{ "\"\xff\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\"\xed\xa0\x80\"", TG_E_FORMAT, TG_E_FORMAT },
	{ "\xef\xbb\xbf{}", TG_E_FORMAT, TG_E_FORMAT },
	{ "{} \v", TG_E_FORMAT, TG_E_FORMAT },
	{ "\xc2\xa0{}", TG_E_FORMAT, TG_E_FORMAT },
	{ "//\n{}", TG_E_FORMAT, TG_E_FORMAT },
};

static void
grammar_of_both_profiles(void)
{
	for (size_t i = 0; i < TG_LEN(texts); i++) {
		OK_STATUS(scan(texts[i].text, TG_JSON_CANONICAL, NULL), texts[i].canonical);
		OK_STATUS(scan(texts[i].text, TG_JSON_ORDINARY, NULL), texts[i].ordinary);
	}
}

/* NUL is no terminator: not in, not behind, not after a backslash. */
static void
nul_bytes_are_bytes(void)
{
	static const struct {
		const char *text;
		size_t n;
	} with_nul[] = { { "\0", 1 }, { "{}\0", 3 }, { "\"a\0b\"", 5 }, { "\"\\\0\"", 4 },
		{ "\"\\\0", 3 }, { "{\"\0\":1}", 7 }, { "tru\0", 4 }, { "1\0", 2 }, { "\0{}", 3 },
		{ "\"\\u000\0\"", 8 } };

	for (size_t i = 0; i < TG_LEN(with_nul); i++) {
		const tg_bytes t = { (const uint8_t *)with_nul[i].text, with_nul[i].n };

		OK_STATUS(tg_json_scan(t, TG_JSON_CANONICAL, "text", NULL, NULL), TG_E_FORMAT);
		OK_STATUS(tg_json_scan(t, TG_JSON_ORDINARY, "text", NULL, NULL), TG_E_FORMAT);
	}
	/* what stands behind the given length is not looked at */
	OK_STATUS(tg_json_scan((tg_bytes){ (const uint8_t *)"[1]x", 3 }, TG_JSON_CANONICAL, "text",
		      NULL, NULL),
	    TG_OK);
	OK_STATUS(tg_json_scan((tg_bytes){ (const uint8_t *)"true", 3 }, TG_JSON_CANONICAL, "text",
		      NULL, NULL),
	    TG_E_FORMAT);
}

static const struct {
	const char *text, *where;
} positions[] = {
	{ "", "text: byte 0: value expected" },
	{ "[1,x]", "text: byte 3: value expected" },
	{ "{\"a\":01}", "text: byte 5: number with a needless zero or sign" },
	{ "{\"a\":1.5}", "text: byte 5: number that is not an integer" },
	{ "{\"a\":1,\"a\":2}", "text: byte 7: key twice or out of order" },
	{ "{\"a\":1, \"b\":2}", "text: byte 7: white space, which canonical JSON does not have" },
	{ "{\"a\":\"x\\q\"}", "text: byte 7: unknown escape" },
	{ "{\"a\":\"x\x01\"}", "text: byte 7: control character 0x01 in a string" },
	{ "{\"a\":\"\\u0041\"}", "text: byte 6: an escape that canonical JSON writes another way" },
	{ "{\"a\":null}", "text: byte 5: null, which never occurs here" },
	{ "{\"a\":1}}", "text: byte 7: end expected" },
	{ "{\"A\":1}", "text: byte 1: key outside [a-z0-9_.-]+" },
	{ "[\"ab", "text: byte 4: string without an end" },
	{ "[1;2]", "text: byte 2: ',' or ']' expected" },
	{ "[[[[[[[[[", "text: byte 8: more than 8 brackets deep" },
	{ "[9007199254740992]", "text: byte 1: number outside -(2^53-1) ... 2^53-1" },
};

static void
every_rejection_names_its_byte(void)
{
	for (size_t i = 0; i < TG_LEN(positions); i++) {
		struct tg_error err = TG_ERROR_INIT;

		(void)scan(positions[i].text, TG_JSON_CANONICAL, &err);
		OK(strcmp(err.text, positions[i].where) == 0);
		if (strcmp(err.text, positions[i].where) != 0)
			printf("# got  %s\n# want %s\n", err.text, positions[i].where);
	}
}

static void
integers_up_to_2_53(void)
{
	static const struct {
		const char *text;
		tg_status want;
	} numbers[] = { { "9007199254740991", TG_OK }, { "-9007199254740991", TG_OK },
		{ "9007199254740992", TG_E_FORMAT }, { "-9007199254740992", TG_E_FORMAT },
		{ "9007199254740989", TG_OK }, { "8999999999999999", TG_OK },
		{ "999999999999999", TG_OK }, { "9999999999999999", TG_E_FORMAT },
		{ "10000000000000000", TG_E_FORMAT }, { "18014398509481982", TG_E_FORMAT },
		{ "9007199254741000", TG_E_FORMAT } };

	for (size_t i = 0; i < TG_LEN(numbers); i++)
		OK_STATUS(scan(numbers[i].text, TG_JSON_CANONICAL, NULL), numbers[i].want);
}

/* ---- limits ---- */

static void
depth(void)
{
	char text[64];

	for (unsigned n = 1; n <= 10; n++)
		for (int object = 0; object <= 1; object++) {
			size_t at = 0;

			for (unsigned i = 0; i < n; i++)
				at += (size_t)snprintf(text + at, sizeof(text) - at, "%s",
				    i + 1 < n && object ? "{\"a\":" : "[");
			for (unsigned i = n; i-- > 0;)
				text[at++] = i + 1 < n && object ? '}' : ']';
			text[at] = '\0';
			OK_STATUS(scan(text, TG_JSON_CANONICAL, NULL), n <= 8 ? TG_OK : TG_E_LIMIT);
			OK_STATUS(scan(text, TG_JSON_ORDINARY, NULL), n <= 8 ? TG_OK : TG_E_LIMIT);
		}
	/* siblings do not add up */
	OK_STATUS(
	    scan("[[[[]]],[[[]]],{\"a\":[[]]},[[[[[[[]]]]]]]]", TG_JSON_CANONICAL, NULL), TG_OK);
}

static void
values(void)
{
	const size_t n = TG_MAX_JSON_VALUES;
	uint8_t *text = malloc(2 * n + 8);
	size_t at = 0;

	if (text == NULL)
		abort();
	text[at++] = '['; /* one value is the array itself */
	for (size_t i = 0; i + 1 < n; i++) {
		if (i > 0)
			text[at++] = ',';
		text[at++] = '1';
	}
	text[at++] = ']';
	OK_STATUS(
	    tg_json_scan((tg_bytes){ text, at }, TG_JSON_CANONICAL, "text", NULL, NULL), TG_OK);
	memcpy(text + at - 1, ",1]", 3);
	OK_STATUS(tg_json_scan((tg_bytes){ text, at + 2 }, TG_JSON_CANONICAL, "text", NULL, NULL),
	    TG_E_LIMIT);
	free(text);
}

/* A long run of brackets must not run away with the stack. */
static void
brackets_without_end(void)
{
	const size_t n = 1 << 20;
	uint8_t *text = malloc(n);

	if (text == NULL)
		abort();
	memset(text, '[', n);
	OK_STATUS(
	    tg_json_scan((tg_bytes){ text, n }, TG_JSON_ORDINARY, "text", NULL, NULL), TG_E_LIMIT);
	free(text);
}

/* ---- visitor ---- */

struct visited {
	char paths[512];
	tg_status then;
};

static tg_status
visit(void *ctx, const char *path, tg_bytes raw, struct tg_error *err)
{
	struct visited *v = ctx;
	const size_t at = strlen(v->paths);

	(void)snprintf(v->paths + at, sizeof(v->paths) - at, "<%s=%.*s>", path, (int)raw.n,
	    (const char *)raw.p);
	return v->then == TG_OK ? TG_OK : tg_fail(err, v->then, "no more");
}

static void
the_visitor_sees_every_string(void)
{
	struct visited v = { .paths = "" };
	const struct tg_json_visitor visitor = { visit, &v };

	OK_STATUS(tg_json_scan(
		      tg_bytes_str("{\"a\":\"1\",\"b\":{\"c\":\"\\n\",\"d\":[\"x\",{\"e\":\"\"}],"
				   "\"f\":7},\"g\":true,\"h\":\"z\"}"),
		      TG_JSON_CANONICAL, "text", &visitor, NULL),
	    TG_OK);
	OK(strcmp(v.paths, "<a=1><b.c=\\n><b.d=x><b.d.e=><h=z>") == 0);
	v.paths[0] = '\0';
	OK_STATUS(tg_json_scan(tg_bytes_str("\"top\""), TG_JSON_CANONICAL, "text", &visitor, NULL),
	    TG_OK);
	OK(strcmp(v.paths, "<=top>") == 0);
	v = (struct visited){ .paths = "", .then = TG_E_BUSY };
	OK_STATUS(
	    tg_json_scan(tg_bytes_str("[\"1\",\"2\"]"), TG_JSON_CANONICAL, "text", &visitor, NULL),
	    TG_E_BUSY);
	OK(strcmp(v.paths, "<=1>") == 0);
}

static void
paths_have_a_limit(void)
{
	struct visited v = { .paths = "" };
	const struct tg_json_visitor visitor = { visit, &v };
	char text[600], key[300];

	memset(key, 'k', sizeof(key));
	for (size_t n = 253; n <= 257; n++) {
		(void)snprintf(text, sizeof(text), "{\"%.*s\":1}", (int)n, key);
		OK_STATUS(
		    tg_json_scan(tg_bytes_str(text), TG_JSON_CANONICAL, "text", &visitor, NULL),
		    n < 255 ? TG_OK : TG_E_FORMAT);
		OK_STATUS(
		    tg_json_scan(tg_bytes_str(text), TG_JSON_CANONICAL, "text", NULL, NULL), TG_OK);
	}
}

int
main(void)
{
	grammar_of_both_profiles();
	nul_bytes_are_bytes();
	every_rejection_names_its_byte();
	integers_up_to_2_53();
	depth();
	values();
	brackets_without_end();
	the_visitor_sees_every_string();
	paths_have_a_limit();
	return tap_done();
}
