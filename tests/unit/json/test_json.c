/* Trees: that our scanner and jansson agree, typed access, closed schemas. */
#include "../../tap.h"
#include "util/try.h"
#include "json/json.h"

#include <jansson.h>
#include <stdlib.h>

static tg_status
parse(const char *text, enum tg_json_profile profile, struct tg_json **ret, struct tg_error *err)
{
	return tg_json_parse(tg_bytes_str(text), profile, "text", ret, err);
}

/* ---- agreement ---- */

static const char *const seeds[] = {
	"{\"a\":[1,-2,0,{\"b\":\"x\\n\\u001f\\\"\\\\\"}],\"c\":true,\"d\":false,\"e\":{}}",
	"[\"\\ud83d\\ude00\",\"\xf0\x9f\x98\x80\",1.5e+10,-0.0,null]",
	"{ \"key\" : [ 1 , 2 ] }",
	"[[[[1]]],{\"a\":{\"a\":{\"a\":1}}}]",
	"\"\\b\\t\\f\\r\\/\\u00e9\"",
	"9007199254740991",
};

/* Bytes that matter to a scanner turn up more often than others. */
static uint8_t
likely_byte(uint32_t v)
{
	static const char often[] = "{}[]:,\"\\/0123456789eE+-.truefalsnu \n\x80\xc3\xed\xa0";

	return v % 8 == 0 ? (uint8_t)(v >> 8) : (uint8_t)often[(v >> 8) % (sizeof(often) - 1)];
}

static bool
jansson_accepts(const char *p, size_t n, json_error_t *why)
{
	json_t *j = json_loadb(p, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, why);
	const bool there = j != NULL;

	json_decref(j);
	return there;
}

struct tally {
	unsigned long n, accepted, canonical, wrong;
};

/* One text: both scanners, the parser, jansson. */
static void
compare(const char *p, size_t n, struct tally *t)
{
	const tg_bytes text = { (const uint8_t *)p, n };
	json_error_t why;
	struct tg_json *j = NULL;
	struct tg_error err = TG_ERROR_INIT;
	const tg_status scanned = tg_json_scan(text, TG_JSON_ORDINARY, "t", NULL, &err);
	const bool theirs = jansson_accepts(p, n, &why);
	const enum json_error_code code = theirs ? json_error_unknown : json_error_code(&why);

	t->n++;
	/* what we let through may still be a number out of range, or a key twice, for jansson */
	if (scanned == TG_OK && !theirs && code != json_error_numeric_overflow &&
	    code != json_error_duplicate_key) {
		printf("# jansson refuses '%.*s': %s\n", (int)n, p, why.text);
		t->wrong++;
	}
	if (scanned == TG_E_FORMAT && theirs) {
		printf("# jansson accepts '%.*s', we say %s\n", (int)n, p, err.text);
		t->wrong++;
	}
	const tg_status ordinary = tg_json_parse(text, TG_JSON_ORDINARY, "t", &j, NULL);
	t->wrong += (ordinary == TG_OK) != (scanned == TG_OK && theirs);
	t->accepted += ordinary == TG_OK;
	if (ordinary == TG_OK)
		tg_json_free(j);
	/* canonical texts are a part of the ordinary ones, and re-encode to themselves */
	if (tg_json_parse(text, TG_JSON_CANONICAL, "t", &j, NULL) == TG_OK) {
		struct tg_buf again;

		tg_buf_init(&again, n);
		t->wrong += ordinary != TG_OK || tg_json_write(j, &again, NULL) != TG_OK ||
		    !tg_bytes_equal(tg_buf_view(&again), text);
		tg_buf_done(&again);
		tg_json_free(j);
		t->canonical++;
	}
}

static void
our_scanner_and_jansson_agree(void)
{
	struct tally t = { 0 };
	uint32_t v = 1;

	for (size_t s = 0; s < TG_LEN(seeds); s++)
		for (int round = 0; round < 8000; round++) {
			char text[128];
			size_t n = strlen(seeds[s]);

			memcpy(text, seeds[s], n);
			for (int edits = 1 + round % 3; edits > 0; edits--) {
				v = v * 1664525u + 1013904223u;
				const size_t at = v / 7 % n;

				v = v * 1664525u + 1013904223u;
				if (v >> 30 == 0 && n > 1) {
					memmove(text + at, text + at + 1, n - at - 1);
					n--;
				} else if (v >> 30 == 1 && n < sizeof(text)) {
					memmove(text + at + 1, text + at, n - at);
					text[at] = (char)likely_byte(v);
					n++;
				} else {
					text[at] = (char)likely_byte(v);
				}
			}
			compare(text, n, &t);
		}
	OK_NONE(t.wrong, t.n, "altered texts");
	OK(t.accepted > 1000 && t.canonical > 100 && t.accepted < t.n);
	printf("# %lu texts, %lu accepted, %lu canonical\n", t.n, t.accepted, t.canonical);
}

/* ---- access ---- */

static void
values_by_type(void)
{
	struct tg_json *j = NULL;

	OK_STATUS(parse("{\"a\":[1,\"x\\u0001\",true,false,{},[]],\"b\":-5}", TG_JSON_CANONICAL, &j,
		      NULL),
	    TG_OK);
	const struct tg_json *a = tg_json_get(j, "a"), *b = tg_json_get(j, "b");
	OK(tg_json_typeof(j) == TG_JSON_OBJECT && tg_json_count(j) == 2);
	OK(tg_json_typeof(a) == TG_JSON_ARRAY && tg_json_count(a) == 6);
	OK(tg_json_typeof(b) == TG_JSON_INT && tg_json_int(b) == -5 && tg_json_count(b) == 0);
	OK(tg_json_typeof(tg_json_at(a, 0)) == TG_JSON_INT && tg_json_int(tg_json_at(a, 0)) == 1);
	OK(tg_bytes_equal(tg_json_str(tg_json_at(a, 1)), tg_bytes_str("x\x01")));
	OK(tg_json_typeof(tg_json_at(a, 2)) == TG_JSON_BOOL && tg_json_bool(tg_json_at(a, 2)));
	OK(tg_json_typeof(tg_json_at(a, 3)) == TG_JSON_BOOL && !tg_json_bool(tg_json_at(a, 3)));
	OK(tg_json_at(a, 6) == NULL && tg_json_get(j, "c") == NULL && tg_json_at(b, 0) == NULL);
	OK(tg_json_str(NULL).p == NULL && tg_json_str(b).p == NULL && tg_json_str(b).n == 0);
	OK(tg_json_iter(tg_json_at(a, 4)) == NULL);
	unsigned members = 0;
	for (void *it = tg_json_iter(j); it != NULL; it = tg_json_iter_next(j, it))
		members +=
		    strcmp(tg_json_iter_key(it), "a") == 0 ? tg_json_iter_value(it) == a : 10;
	OK(members == 11);
	tg_json_free(j);
	tg_json_free(NULL);
}

static void
other_values_have_a_type_too(void)
{
	struct tg_json *j = NULL;

	OK_STATUS(parse("[null,1.5]", TG_JSON_ORDINARY, &j, NULL), TG_OK);
	OK(tg_json_typeof(tg_json_at(j, 0)) == TG_JSON_OTHER);
	OK(tg_json_typeof(tg_json_at(j, 1)) == TG_JSON_OTHER);
	tg_json_free(j);
}

static void
duplicate_keys_are_refused_in_every_spelling(void)
{
	struct tg_json *j = NULL;

	OK_STATUS(parse("{\"a\":1,\"b\":2,\"a\":3}", TG_JSON_ORDINARY, &j, NULL), TG_E_FORMAT);
	OK_STATUS(parse("{\"a\":1,\"\\u0061\":3}", TG_JSON_ORDINARY, &j, NULL), TG_E_FORMAT);
	OK_STATUS(parse("[{\"x\":{\"k\":1,\"k\":1}}]", TG_JSON_ORDINARY, &j, NULL), TG_E_FORMAT);
	OK_STATUS(parse("{\"a\":{\"a\":1},\"b\":{\"a\":1}}", TG_JSON_ORDINARY, &j, NULL), TG_OK);
	tg_json_free(j);
}

/* ---- closed schemas ---- */

static const struct tg_json_field schema[] = {
	{ "array", TG_JSON_ARRAY, false },
	{ "flag", TG_JSON_BOOL, false },
	{ "name", TG_JSON_STRING, true },
	{ "size", TG_JSON_INT, true },
};

static const struct {
	const char *text;
	tg_status want;
	const char *why;
} objects[] = {
	{ "{\"name\":\"x\",\"size\":1}", TG_OK, "" },
	{ "{\"array\":[],\"flag\":true,\"name\":\"x\",\"size\":1}", TG_OK, "" },
	{ "{}", TG_E_FORMAT, "w: no \"name\"" },
	{ "{\"name\":\"x\"}", TG_E_FORMAT, "w: no \"size\"" },
	{ "{\"name\":1,\"size\":1}", TG_E_FORMAT, "w: \"name\" is an integer, a string expected" },
	{ "{\"name\":\"x\",\"size\":\"1\"}", TG_E_FORMAT, "\"size\" is a string, an integer" },
	{ "{\"flag\":0,\"name\":\"x\",\"size\":1}", TG_E_FORMAT, "\"flag\" is an integer" },
	{ "{\"array\":{},\"name\":\"x\",\"size\":1}", TG_E_FORMAT, "\"array\" is an object" },
	{ "{\"name\":\"x\",\"size\":1,\"zz\":1}", TG_E_FORMAT, "w: unknown key \"zz\"" },
	{ "{\"nam\":1,\"name\":\"x\",\"size\":1}", TG_E_FORMAT, "w: unknown key \"nam\"" },
	{ "[]", TG_E_FORMAT, "w: an array, where an object is expected" },
	{ "\"name\"", TG_E_FORMAT, "w: a string, where an object is expected" },
	{ "7", TG_E_FORMAT, "w: an integer, where an object is expected" },
	{ "true", TG_E_FORMAT, "w: true or false, where an object is expected" },
};

static void
schemas_are_closed(void)
{
	for (size_t i = 0; i < TG_LEN(objects); i++) {
		const struct tg_json *f[TG_LEN(schema)] = { NULL };
		struct tg_json *j = NULL;
		struct tg_error err = TG_ERROR_INIT;

		OK_STATUS(parse(objects[i].text, TG_JSON_CANONICAL, &j, NULL), TG_OK);
		OK_STATUS(tg_json_fields(j, "w", schema, TG_LEN(schema), f, &err), objects[i].want);
		OK(strstr(err.text, objects[i].why) != NULL);
		if (objects[i].want == TG_OK)
			OK(tg_json_int(f[3]) == 1 && (f[0] == NULL) == (f[1] == NULL));
		tg_json_free(j);
	}
}

int
main(void)
{
	our_scanner_and_jansson_agree();
	values_by_type();
	other_values_have_a_type_too();
	duplicate_keys_are_refused_in_every_spelling();
	schemas_are_closed();
	return tap_done();
}
