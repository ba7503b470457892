/* Every way in which a section's JSON can differ from the profile of section 2 of the protocol,
 * inside packages that are whole and well signed otherwise. */
#include "forge.h"

/* ---- the text around the values, in each of the four sections ---- */

static void
put_before(struct tg_buf *b, const char *s)
{
	patch(b, 0, 0, tg_bytes_str(s));
}

static void
put_behind(struct tg_buf *b, tg_bytes s)
{
	patch(b, b->n, 0, s);
}

/* Path of the section's first object. */
static const char *
object_of(enum section s)
{
	return s == RECIPIENTS ? "0" : "";
}

/* Where the first and the second member of the section's first object stand. */
static void
two_members(struct tg_buf *b, enum section s, struct json_span *first, struct json_span *second)
{
	struct json_span m;
	const struct json_span o = json_find(tg_buf_view(b), object_of(s), &m);
	const struct json_span key = json_value(tg_buf_view(b), o.at + 1);
	const struct json_span value = json_value(tg_buf_view(b), key.at + key.n + 1);

	*first = (struct json_span){ key.at, value.at + value.n - key.at };
	const struct json_span key2 = json_value(tg_buf_view(b), first->at + first->n + 1);
	const struct json_span value2 = json_value(tg_buf_view(b), key2.at + key2.n + 1);
	*second = (struct json_span){ key2.at, value2.at + value2.n - key2.at };
}

static void
bom(struct tg_buf *b, enum section s)
{
	(void)s;
	put_before(b, "\xef\xbb\xbf");
}

static void
space_before(struct tg_buf *b, enum section s)
{
	(void)s;
	put_before(b, " ");
}

static void
space_behind(struct tg_buf *b, enum section s)
{
	(void)s;
	put_behind(b, tg_bytes_str(" "));
}

static void
newline_behind(struct tg_buf *b, enum section s)
{
	(void)s;
	put_behind(b, tg_bytes_str("\n"));
}

static void
nul_behind(struct tg_buf *b, enum section s)
{
	(void)s;
	put_behind(b, (tg_bytes){ (const uint8_t *)"", 1 });
}

static void
bracket_behind(struct tg_buf *b, enum section s)
{
	put_behind(b, tg_bytes_str(s == RECIPIENTS ? "]" : "}"));
}

static void
text_behind(struct tg_buf *b, enum section s)
{
	(void)s;
	put_behind(b, tg_bytes_str("{}"));
}

static void
last_byte_gone(struct tg_buf *b, enum section s)
{
	(void)s;
	b->n--;
}

static void
nothing_at_all(struct tg_buf *b, enum section s)
{
	(void)s;
	b->n = 0;
}

static void
space_behind_colon(struct tg_buf *b, enum section s)
{
	struct json_span first, second;

	two_members(b, s, &first, &second);
	const struct json_span key = json_value(tg_buf_view(b), first.at);
	patch(b, key.at + key.n + 1, 0, tg_bytes_str(" "));
}

static void
tab_behind_comma(struct tg_buf *b, enum section s)
{
	struct json_span first, second;

	two_members(b, s, &first, &second);
	patch(b, second.at, 0, tg_bytes_str("\t"));
}

static void
newline_in_object(struct tg_buf *b, enum section s)
{
	struct json_span first, second;

	two_members(b, s, &first, &second);
	patch(b, first.at, 0, tg_bytes_str("\r\n"));
}

static void
duplicate_key(struct tg_buf *b, enum section s)
{
	struct json_span first, second;
	char text[4096];

	two_members(b, s, &first, &second);
	(void)snprintf(text, sizeof(text), "%.*s,", (int)first.n, (const char *)b->p + first.at);
	patch(b, first.at, 0, tg_bytes_str(text));
}

static void
reordered_keys(struct tg_buf *b, enum section s)
{
	struct json_span first, second;
	char text[32768];

	two_members(b, s, &first, &second);
	(void)snprintf(text, sizeof(text), "%.*s,%.*s", (int)second.n,
	    (const char *)b->p + second.at, (int)first.n, (const char *)b->p + first.at);
	patch(b, first.at, first.n + 1 + second.n, tg_bytes_str(text));
}

static void
comma_too_many(struct tg_buf *b, enum section s)
{
	struct json_span first, second;

	two_members(b, s, &first, &second);
	patch(b, first.at, 0, tg_bytes_str(","));
}

static void
comma_missing(struct tg_buf *b, enum section s)
{
	struct json_span first, second;

	two_members(b, s, &first, &second);
	patch(b, first.at + first.n, 1, (tg_bytes){ NULL, 0 });
}

static void
comma_at_the_end(struct tg_buf *b, enum section s)
{
	struct json_span m;
	const struct json_span o = json_find(tg_buf_view(b), object_of(s), &m);

	patch(b, o.at + o.n - 1, 0, tg_bytes_str(","));
}

static void
key_without_quotes(struct tg_buf *b, enum section s)
{
	struct json_span first, second;

	two_members(b, s, &first, &second);
	patch(b, first.at, 1, (tg_bytes){ NULL, 0 });
}

static void
comment(struct tg_buf *b, enum section s)
{
	struct json_span first, second;

	two_members(b, s, &first, &second);
	patch(b, first.at, 0, tg_bytes_str("/**/"));
}

static void
escaped_key(struct tg_buf *b, enum section s)
{
	struct json_span first, second;
	char text[8];

	two_members(b, s, &first, &second);
	(void)snprintf(text, sizeof(text), "\\u%04x", b->p[first.at + 1]);
	patch(b, first.at + 1, 1, tg_bytes_str(text));
}

static void
upper_case_key(struct tg_buf *b, enum section s)
{
	struct json_span first, second;

	two_members(b, s, &first, &second);
	b->p[first.at + 1] = (uint8_t)(b->p[first.at + 1] - 'a' + 'A');
}

static const struct {
	const char *name;
	void (*change)(struct tg_buf *b, enum section s);
	const char *why;
} shapes[] = {
	{ "byte order mark", bom, "byte 0: value expected" },
	{ "space before", space_before, "byte 0: white space" },
	{ "space behind", space_behind, "white space" },
	{ "newline behind", newline_behind, "white space" },
	{ "NUL behind", nul_behind, "end expected" },
	{ "bracket behind", bracket_behind, "end expected" },
	{ "second text behind", text_behind, "end expected" },
	{ "last byte gone", last_byte_gone, "' expected" },
	{ "empty", nothing_at_all, "byte 0: value expected" },
	{ "space behind a colon", space_behind_colon, "white space" },
	{ "tab behind a comma", tab_behind_comma, "white space" },
	{ "newline in an object", newline_in_object, "white space" },
	{ "key twice", duplicate_key, "key twice or out of order" },
	{ "keys out of order", reordered_keys, "key twice or out of order" },
	{ "comma too many", comma_too_many, "string expected" },
	{ "comma missing", comma_missing, "' expected" },
	{ "comma at the end", comma_at_the_end, "string expected" },
	{ "key without quotes", key_without_quotes, "string expected" },
	{ "comment", comment, "string expected" },
	{ "key with an escape", escaped_key, "an escape that canonical JSON writes another way" },
	{ "key in upper case", upper_case_key, "key outside [a-z0-9_.-]+" },
};

static void
shapes_are_refused(void)
{
	for (int s = HEADER; s <= SIGNATURE; s++)
		for (size_t i = 0; i < TG_LEN(shapes); i++) {
			struct forge *f = forge_ready_for((enum section)s);
			char name[128];

			(void)snprintf(
			    name, sizeof(name), "%s: %s", section_name[s], shapes[i].name);
			shapes[i].change(&f->text[s], (enum section)s);
			refused(f, STEP_OPEN, TG_E_FORMAT, shapes[i].why, name);
		}
}

/* ---- values: tried in manifest.custom, where any value of the profile is free to stand ---- */

static struct forge *
with_custom(const char *value)
{
	struct forge *f = forge_new();
	char text[1024];

	(void)snprintf(text, sizeof(text), "{\"v\":%s}", value);
	json_set(&f->text[MANIFEST], "custom", text);
	return f;
}

static const struct {
	const char *value, *why;
} bad_values[] = {
	/* numbers */
	{ "1.0", "number that is not an integer" },
	{ "0.5", "number that is not an integer" },
	{ "1e3", "number that is not an integer" },
	{ "1E3", "number that is not an integer" },
	{ "1e-3", "number that is not an integer" },
	{ "1e400", "number that is not an integer" },
	{ "-0", "needless zero or sign" },
	{ "-0.0", "needless zero or sign" },
	{ "00", "needless zero or sign" },
	{ "01", "needless zero or sign" },
	{ "-01", "needless zero or sign" },
	{ "+1", "value expected" },
	{ "-", "value expected" },
	{ "--1", "value expected" },
	{ ".5", "value expected" },
	{ "0x10", "expected" },
	{ "1_000", "expected" },
	{ "9007199254740992", "outside -(2^53-1)" },
	{ "-9007199254740992", "outside -(2^53-1)" },
	{ "9007199254740993", "outside -(2^53-1)" },
	{ "9223372036854775808", "outside -(2^53-1)" },
	{ "18446744073709551617", "outside -(2^53-1)" },
	{ "99999999999999999999999999999999999999999", "outside -(2^53-1)" },
	{ "NaN", "value expected" },
	{ "Infinity", "value expected" },
	/* words */
	{ "null", "null, which never occurs" },
	{ "[null]", "null, which never occurs" },
	{ "True", "value expected" },
	{ "tru", "value expected" },
	{ "truee", "expected" },
	{ "falsE", "value expected" },
	{ "undefined", "value expected" },
	{ "'x'", "value expected" },
	{ "", "value expected" },
	/* escapes */
	{ "\"\\/\"", "unknown escape" },
	{ "\"\\a\"", "unknown escape" },
	{ "\"\\'\"", "unknown escape" },
	{ "\"\\x41\"", "unknown escape" },
	{ "\"\\U0041\"", "unknown escape" },
	{ "\"\\u0041\"", "writes another way" },
	{ "\"\\u007f\"", "writes another way" },
	{ "\"\\u2028\"", "writes another way" },
	{ "\"\\u000a\"", "writes another way" },
	{ "\"\\u0008\"", "writes another way" },
	{ "\"\\u000c\"", "writes another way" },
	{ "\"\\u0022\"", "writes another way" },
	{ "\"\\u005c\"", "writes another way" },
	{ "\"\\u001F\"", "upper-case hex" },
	{ "\"\\u000B\"", "upper-case hex" },
	{ "\"\\u00\"", "four hex digits" },
	{ "\"\\u001g\"", "four hex digits" },
	{ "\"\\u\"", "four hex digits" },
	{ "\"\\u0000\"", "U+0000" },
	{ "\"a\\u0000b\"", "U+0000" },
	{ "\"\\ud83d\\ude00\"", "writes another way" },
	{ "\"\\ud800\"", "" },
	{ "\"\\udc00\"", "" },
	{ "\"\\udfff\\ud800\"", "" },
	/* raw bytes */
	{ "\"\x01\"", "control character 0x01" },
	{ "\"\x1f\"", "control character 0x1f" },
	{ "\"\t\"", "control character 0x09" },
	{ "\"\n\"", "control character 0x0a" },
	{ "\"\x80\"", "not UTF-8" },
	{ "\"\xbf\"", "not UTF-8" },
	{ "\"\xc0\x80\"", "not UTF-8" },
	{ "\"\xc1\xbf\"", "not UTF-8" },
	{ "\"\xc3\"", "not UTF-8" },
	{ "\"\xc3x\"", "not UTF-8" },
	{ "\"\xe0\x80\x80\"", "not UTF-8" },
	{ "\"\xe2\x82\"", "not UTF-8" },
	{ "\"\xed\xa0\x80\"", "not UTF-8" },
	{ "\"\xed\xbf\xbf\"", "not UTF-8" },
	{ "\"\xed\xa0\xbd\xed\xb8\x80\"", "not UTF-8" },
	{ "\"\xf0\x80\x80\x80\"", "not UTF-8" },
	{ "\"\xf0\x9f\x98\"", "not UTF-8" },
	{ "\"\xf4\x90\x80\x80\"", "not UTF-8" },
	{ "\"\xf5\x80\x80\x80\"", "not UTF-8" },
	{ "\"\xff\"", "not UTF-8" },
	{ "\"\xfe\xff\"", "not UTF-8" },
	/* objects and arrays */
	{ "{\"a\":1,\"a\":1}", "key twice or out of order" },
	{ "{\"a\":1,\"a\":2}", "key twice or out of order" },
	{ "{\"b\":1,\"a\":2}", "key twice or out of order" },
	{ "{\"aa\":1,\"a\":2}", "key twice or out of order" },
	{ "{\"A\":1}", "key outside" },
	{ "{\"\":1}", "key outside" },
	{ "{\"a b\":1}", "key outside" },
	{ "{\"a/b\":1}", "key outside" },
	{ "{\"\xc3\xa9\":1}", "key outside" },
	{ "{\"a\\n\":1}", "key outside" },
	{ "{\"a\":1,}", "string expected" },
	{ "{,\"a\":1}", "string expected" },
	{ "{\"a\"}", "':' expected" },
	{ "{\"a\":}", "value expected" },
	{ "{\"a\" :1}", "white space" },
	{ "{1:1}", "string expected" },
	{ "[1,]", "value expected" },
	{ "[,1]", "value expected" },
	{ "[1 ,2]", "white space" },
	{ "[1 2]", "white space" },
	{ "[1}", "',' or ']' expected" },
	{ "{\"a\":1]", "',' or '}' expected" },
	{ "[ ]", "white space" },
	{ "{ }", "white space" },
};

static void
values_are_refused(void)
{
	for (size_t i = 0; i < TG_LEN(bad_values); i++) {
		char name[256];

		(void)snprintf(
		    name, sizeof(name), "manifest.custom value %zu: %s", i, bad_values[i].value);
		for (char *p = name; *p != '\0'; p++)
			if (*p < 0x20 || *p > 0x7e)
				*p = '?';
		refused(with_custom(bad_values[i].value), STEP_OPEN, TG_E_FORMAT, bad_values[i].why,
		    name);
	}
}

static const char *const good_values[] = {
	"0",
	"-1",
	"9007199254740991",
	"-9007199254740991",
	"true",
	"false",
	"\"\"",
	"[]",
	"{}",
	"[[],{},[0]]",
	"\"\\b\\t\\n\\f\\r\\\"\\\\\"",
	"\"\\u0001\\u000b\\u000e\\u001f\"",
	"\"/ \x7f ' <>&\"",
	"\"\xe2\x80\xa8\xe2\x80\xa9\"",
	"\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
	"\"\xed\x9f\xbf\xee\x80\x80\"",
	"{\"-\":1,\".\":1,\"0\":1,\"9\":1,\"_\":1,\"a\":1,\"aa\":1,\"z\":1}",
};

static void
values_of_the_profile_are_accepted(void)
{
	for (size_t i = 0; i < TG_LEN(good_values); i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "manifest.custom value %zu", i);
		accepted(with_custom(good_values[i]), name);
	}
}

/* NUL bytes cannot stand in the tables above. */
static void
nul_bytes_are_refused(void)
{
	struct forge *f = with_custom("\"a@b\"");
	uint8_t *p = memchr(f->text[MANIFEST].p, '@', f->text[MANIFEST].n);

	*p = 0;
	refused(f, STEP_OPEN, TG_E_FORMAT, "control character 0x00", "NUL in a string");
	f = with_custom("\"a\\@b\"");
	p = memchr(f->text[MANIFEST].p, '@', f->text[MANIFEST].n);
	*p = 0;
	refused(f, STEP_OPEN, TG_E_FORMAT, "unknown escape", "NUL behind a backslash");
	f = with_custom("{\"a@\":1}");
	p = memchr(f->text[MANIFEST].p, '@', f->text[MANIFEST].n);
	*p = 0;
	refused(f, STEP_OPEN, TG_E_FORMAT, "control character 0x00", "NUL in a key");
}

static void
depth_is_limited(void)
{
	/* the manifest is 1, custom 2 */
	accepted(with_custom("[[[[[[]]]]]]"), "8 brackets deep");
	refused(with_custom("[[[[[[[]]]]]]]"), STEP_OPEN, TG_E_LIMIT, "more than 8 brackets deep",
	    "9 brackets deep");
	accepted(
	    with_custom("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}"), "8 objects deep");
	refused(with_custom("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}"), STEP_OPEN,
	    TG_E_LIMIT, "more than 8 brackets deep", "9 objects deep");
}

/* A number of header and manifest that is checked as an integer too. */
static void
number_as(const char *path, const char *form)
{
	struct forge *f = forge_ready_for(HEADER);
	struct json_span m;
	char value[32], text[64], name[128];
	const struct json_span v = json_find(tg_buf_view(&f->text[HEADER]), path, &m);
	const char *at = strstr(form, "%s");

	(void)snprintf(
	    value, sizeof(value), "%.*s", (int)v.n, (const char *)f->text[HEADER].p + v.at);
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - form), form, value, at + 2);
	json_set(&f->text[HEADER], path, text);
	(void)snprintf(name, sizeof(name), "header %s as %s", path, text);
	refused(f, STEP_OPEN, TG_E_FORMAT, "header", name);
}

static void
numbers_in_other_places(void)
{
	static const char *const paths[] = { "payload.chunk_log2", "payload.chunks",
		"payload.plain_len" };
	static const char *const forms[] = { "%s.0", "0%s", "%se0", "-%s", "+%s", " %s", "\"%s\"" };

	for (size_t p = 0; p < TG_LEN(paths); p++)
		for (size_t i = 0; i < TG_LEN(forms); i++)
			number_as(paths[p], forms[i]);
}

/* A million and one values in 4 MiB: refused by count, before a tree is made of them. */
static void
values_are_counted(void)
{
	struct forge *f = forge_new();
	const size_t n = 2 * (1u << 20) + 8;
	char *text = malloc(n + 16);
	size_t at = 0;

	if (text == NULL)
		abort();
	at += (size_t)sprintf(text, "{\"a\":[0");
	for (size_t i = 0; i < 1u << 20; i++) {
		text[at++] = ',';
		text[at++] = '0';
	}
	memcpy(text + at, "]}", 3);
	json_set(&f->text[MANIFEST], "custom", text);
	free(text);
	refused(f, STEP_OPEN, TG_E_LIMIT, "more than 1048576 values", "too many values");
}

int
main(void)
{
	cast_make();
	accepted(forge_new(), "the package that all cases start from");
	shapes_are_refused();
	values_are_refused();
	values_of_the_profile_are_accepted();
	nul_bytes_are_refused();
	depth_is_limited();
	numbers_in_other_places();
	values_are_counted();
	cast_done();
	return tap_done();
}
