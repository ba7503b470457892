/* RFC 8785 output: strings, key order, numbers, and that it reads back as itself. */
#include "../../tap.h"
#include "util/try.h"
#include "json/json.h"

#include <stdlib.h>
#include <tensorguard/limits.h>

static bool
writes(const struct tg_json *j, const char *want)
{
	struct tg_buf out;

	tg_buf_init(&out, 1 << 16);
	const bool good = tg_json_write(j, &out, NULL) == TG_OK &&
	    tg_bytes_equal(tg_buf_view(&out), tg_bytes_str(want));
	if (!good)
		printf("# got  %.*s\n# want %s\n", (int)out.n, (const char *)out.p, want);
	tg_buf_done(&out);
	return good;
}

static bool
string_writes(tg_bytes s, const char *want)
{
	struct tg_json *j = tg_json_new_str(s);
	const bool good = j != NULL && writes(j, want);

	tg_json_free(j);
	return good;
}

/* RFC 8785 section 3.2.2.2: each of U+0001 ... U+007F by itself. */
static void
every_ascii_character(void)
{
	unsigned long wrong = 0, n = 0;

	for (unsigned c = 1; c < 0x80; c++, n++) {
		const uint8_t s[1] = { (uint8_t)c };
		char want[16];
		const char *named = c == 8 ? "\\b"
		    : c == 9		   ? "\\t"
		    : c == 10		   ? "\\n"
		    : c == 12		   ? "\\f"
		    : c == 13		   ? "\\r"
		    : c == '"'		   ? "\\\""
		    : c == '\\'		   ? "\\\\"
					   : NULL;

		if (named != NULL)
			(void)snprintf(want, sizeof(want), "\"%s\"", named);
		else if (c < 0x20)
			(void)snprintf(want, sizeof(want), "\"\\u%04x\"", c);
		else
			(void)snprintf(want, sizeof(want), "\"%c\"", (int)c);
		wrong += !string_writes((tg_bytes){ s, 1 }, want);
	}
	OK_NONE(wrong, n, "characters");
}

static void
strings(void)
{
	/* the example of RFC 8785 section 3.2.2 */
	OK(string_writes(tg_bytes_str("\xe2\x82\xac$\x0f\nA'B\"\\\\\"/"),
	    "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\""));
	OK(string_writes(tg_bytes_str(""), "\"\""));
	OK(string_writes((tg_bytes){ NULL, 0 }, "\"\""));
	OK(string_writes(
	    tg_bytes_str("</script>\xe2\x80\xa8\x7f"), "\"</script>\xe2\x80\xa8\x7f\""));
	OK(tg_json_new_str((tg_bytes){ (const uint8_t *)"a\0b", 3 }) == NULL);
	OK(tg_json_new_str(tg_bytes_str("\xff")) == NULL);
	OK(tg_json_new_str(tg_bytes_str("\xed\xa0\x80")) == NULL);
}

static void
numbers(void)
{
	static const struct {
		int64_t v;
		const char *want; /* NULL: refused */
	} list[] = { { 0, "0" }, { -1, "-1" }, { 42, "42" },
		{ TG_MAX_JSON_INT, "9007199254740991" }, { -TG_MAX_JSON_INT, "-9007199254740991" },
		{ TG_MAX_JSON_INT + 1, NULL }, { -TG_MAX_JSON_INT - 1, NULL }, { INT64_MAX, NULL },
		{ INT64_MIN, NULL } };

	for (size_t i = 0; i < TG_LEN(list); i++) {
		struct tg_json *j = tg_json_new_int(list[i].v);
		struct tg_buf out;

		tg_buf_init(&out, 64);
		if (list[i].want != NULL)
			OK(writes(j, list[i].want));
		else
			OK_STATUS(tg_json_write(j, &out, NULL), TG_E_FORMAT);
		tg_buf_done(&out);
		tg_json_free(j);
	}
}

static void
keys_are_sorted_bytewise(void)
{
	static const char *const keys[] = { "b", "a", "aa", "a_", "a.", "a-", "a0", "0", "_", "-",
		"." };
	struct tg_json *o = tg_json_new_object();

	for (size_t i = 0; i < TG_LEN(keys); i++)
		OK_STATUS(tg_json_set(o, keys[i], tg_json_new_bool(i % 2 == 0)), TG_OK);
	OK(writes(o,
	    "{\"-\":false,\".\":true,\"0\":false,\"_\":true,\"a\":false,\"a-\":false,"
	    "\"a.\":true,\"a0\":true,\"a_\":false,\"aa\":true,\"b\":true}"));
	OK_STATUS(tg_json_set(o, "a", tg_json_new_int(7)), TG_OK); /* replaces */
	OK(tg_json_count(o) == TG_LEN(keys) && tg_json_int(tg_json_get(o, "a")) == 7);
	tg_json_free(o);
}

static void
nested_values(void)
{
	struct tg_json *a = tg_json_new_array(), *o = tg_json_new_object();

	OK_STATUS(tg_json_push(a, tg_json_new_object()), TG_OK);
	OK_STATUS(tg_json_push(a, tg_json_new_hex(tg_bytes_str("\x01\xab"))), TG_OK);
	OK_STATUS(tg_json_push(a, tg_json_new_base64(tg_bytes_str("\xff\xfe"))), TG_OK);
	OK_STATUS(tg_json_push(a, tg_json_new_base64(tg_bytes_str(""))), TG_OK);
	OK_STATUS(tg_json_set(o, "list", a), TG_OK);
	OK_STATUS(tg_json_set(o, "copy", tg_json_copy(a)), TG_OK);
	OK_STATUS(tg_json_push(a, NULL), TG_E_NOMEM);
	OK_STATUS(tg_json_set(o, "none", NULL), TG_E_NOMEM);
	OK_STATUS(tg_json_push(a, tg_json_new_int(1)), TG_OK); /* the copy does not follow */
	OK(writes(
	    o, "{\"copy\":[{},\"01ab\",\"//4\",\"\"],\"list\":[{},\"01ab\",\"//4\",\"\",1]}"));
	tg_json_free(o);
}

static void
what_the_profile_lacks_is_not_written(void)
{
	struct tg_json *j = NULL;
	struct tg_buf out;

	tg_buf_init(&out, 64);
	OK_STATUS(tg_json_parse(tg_bytes_str("[null]"), TG_JSON_ORDINARY, "t", &j, NULL), TG_OK);
	OK_STATUS(tg_json_write(j, &out, NULL), TG_E_FORMAT);
	tg_json_free(j);
	OK_STATUS(tg_json_parse(tg_bytes_str("[1.5]"), TG_JSON_ORDINARY, "t", &j, NULL), TG_OK);
	OK_STATUS(tg_json_write(j, &out, NULL), TG_E_FORMAT);
	tg_json_free(j);
	tg_buf_done(&out);
	tg_buf_init(&out, 4);
	j = tg_json_new_str(tg_bytes_str("too long"));
	OK_STATUS(tg_json_write(j, &out, NULL), TG_E_LIMIT);
	tg_json_free(j);
	tg_buf_done(&out);
}

int
main(void)
{
	every_ascii_character();
	strings();
	numbers();
	keys_are_sorted_bytewise();
	nested_values();
	what_the_profile_lacks_is_not_written();
	return tap_done();
}
