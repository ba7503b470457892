/* Events: what each type's form takes and what it refuses, member by member; what the log sets
 * itself. */
#include <stdlib.h>
#include <tensorguard/limits.h>

#include "../../tap.h"
#include "evidence/draft.h"
#include "util/try.h"
#include "json/json.h"

#define HEX  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UUID "01234567-89ab-4def-8123-456789abcdef"

static unsigned long wrong, tried;
static struct tg_error err;

/* A good value of each member, as it stands in the text. */
static const char *const good[TG_MEMBERS] = {
	[TG_M_ACTOR] = "{\"id\":\"a\",\"type\":\"user\"}",
	[TG_M_AGENT_ID] = "\"agent\"",
	[TG_M_ARTIFACTS] = "[{\"name\":\"report.html\",\"sha256\":\"" HEX "\"}]",
	[TG_M_ATTESTATION_ID] = "\"att-1\"",
	[TG_M_CLAIMS_HASH] = "\"" HEX "\"",
	[TG_M_CONTENT_HASH] = "\"" HEX "\"",
	[TG_M_DETAIL] = "{\"count\":3,\"ok\":true,\"text\":\"x\"}",
	[TG_M_EVENT_ID] = "\"" UUID "\"",
	[TG_M_EVENT_TYPE] = "\"NOTE_ADDED\"",
	[TG_M_FLEET_ID] = "\"fleet\"",
	[TG_M_LOG_ORIGIN] = "\"example.com/log\"",
	[TG_M_MANIFEST_HASH] = "\"" HEX "\"",
	[TG_M_METRICS] = "{\"loss\":\"0.125\",\"ok\":false,\"steps\":10}",
	[TG_M_NOTE] = "\"written down\"",
	[TG_M_PACKAGE_HASH] = "\"" HEX "\"",
	[TG_M_PAYLOAD_HASH] = "\"" HEX "\"",
	[TG_M_POLICY_HASH] = "\"" HEX "\"",
	[TG_M_RECIPIENTS_HASH] = "\"" HEX "\"",
	[TG_M_RESULT] = "{\"status\":\"success\"}",
	[TG_M_SEQUENCE] = "7",
	[TG_M_SIGNATURE] = "{\"alg\":\"a\",\"key_id\":\"k\",\"sig\":\"s\"}",
	[TG_M_SUBJECT] = "{\"model_ref\":\"m\"}",
	[TG_M_TENANT_ID] = "\"default\"",
	[TG_M_TIMESTAMP] = "1700000000000000",
};

/* An event of the type with these members; `as` stands in for the value of `m`. */
static struct tg_buf
event_text(const char *type, uint32_t members, unsigned m, const char *as)
{
	struct tg_buf b = { .max = 1 << 20 };
	bool ok = tg_buf_put_str(&b, "{") == TG_OK;

	for (unsigned i = 0; i < TG_MEMBERS; i++) {
		if ((members & TG_M_BIT(i)) == 0)
			continue;
		ok = ok && tg_buf_put_str(&b, b.n > 1 ? ",\"" : "\"") == TG_OK &&
		    tg_buf_put_str(&b, tg_member_rules[i].key) == TG_OK &&
		    tg_buf_put_str(&b, "\":") == TG_OK;
		if (i == m && as != NULL)
			ok = ok && tg_buf_put_str(&b, as) == TG_OK;
		else if (i == TG_M_EVENT_TYPE)
			ok = ok && tg_buf_put_str(&b, "\"") == TG_OK &&
			    tg_buf_put_str(&b, type) == TG_OK && tg_buf_put_str(&b, "\"") == TG_OK;
		else
			ok = ok && tg_buf_put_str(&b, good[i]) == TG_OK;
	}
	ok = ok && tg_buf_put_str(&b, "}") == TG_OK;
	if (!ok) {
		printf("Bail out! no memory\n");
		exit(1);
	}
	return b;
}

static tg_status
read_text(tg_bytes text, uint32_t missing)
{
	struct tg_event e;
	uint8_t *exact = malloc(text.n + 1); /* a sanitizer sees every step outside */

	memcpy(exact, text.p, text.n);
	err = (struct tg_error)TG_ERROR_INIT;
	const tg_status s =
	    tg_event_read((tg_bytes){ exact, text.n }, missing, true, "event", &e, &err);
	free(exact);
	return s;
}

static void
expect(const char *type, uint32_t members, unsigned m, const char *as, tg_status want)
{
	struct tg_buf b = event_text(type, members, m, as);
	const tg_status s = read_text(tg_buf_view(&b), 0);

	tried++;
	if (s != want) {
		wrong++;
		printf("# %s, \"%s\" as %.60s: %s (%s)\n", type,
		    m < TG_MEMBERS ? tg_member_rules[m].key : "-", as == NULL ? "usual" : as,
		    tg_status_name(s), err.text);
	}
	tg_buf_done(&b);
}

/* ---- the table ---- */

static void
table_is_sorted(void)
{
	for (size_t i = 0; i < tg_event_type_count; i++) {
		const struct tg_event_type *t = &tg_event_types[i];

		tried++;
		wrong += i > 0 && strcmp(t[-1].name, t->name) >= 0;
		wrong += tg_event_type_find(tg_bytes_str(t->name)) != t;
		wrong += t->when == NULL || t->when[0] == '\0' || strchr(t->name, ' ') != NULL;
		wrong += ((t->required | t->allowed) & TG_M_ALWAYS) != 0;
	}
	OK_NONE(wrong, tried, "types");
	wrong = tried = 0;
	for (unsigned m = 0; m < TG_MEMBERS; m++) {
		tried++;
		wrong += m > 0 && strcmp(tg_member_rules[m - 1].key, tg_member_rules[m].key) >= 0;
		for (const struct tg_value_rule *r = tg_member_rules[m].members;
		     r != NULL && r->key != NULL && r[1].key != NULL; r++)
			wrong += strcmp(r->key, r[1].key) >= 0;
	}
	OK_NONE(wrong, tried, "members");
	OK(tg_event_type_find(tg_bytes_str("")) == NULL);
	OK(tg_event_type_find(tg_bytes_str("NOTE_ADDE")) == NULL);
	OK(tg_event_type_find(tg_bytes_str("NOTE_ADDED_")) == NULL);
	OK(tg_event_type_find(tg_bytes_str("note_added")) == NULL);
	OK(tg_event_type_find(tg_bytes_str("AAAA")) == NULL);
	OK(tg_event_type_find(tg_bytes_str("ZZZZ")) == NULL);
}

/* ---- which members ---- */

static void
members_of(const struct tg_event_type *t)
{
	const uint32_t least = TG_M_ALWAYS | t->required;

	expect(t->name, least, TG_MEMBERS, NULL, TG_OK);
	expect(t->name, least | t->allowed, TG_MEMBERS, NULL, TG_OK);
	for (unsigned m = 0; m < TG_MEMBERS; m++) {
		if ((least & TG_M_BIT(m)) != 0)
			expect(t->name, (least | t->allowed) & ~TG_M_BIT(m), TG_MEMBERS, NULL,
			    TG_E_FORMAT);
		else if ((t->allowed & TG_M_BIT(m)) != 0)
			expect(t->name, least | TG_M_BIT(m), TG_MEMBERS, NULL, TG_OK);
		else
			expect(t->name, least | TG_M_BIT(m), TG_MEMBERS, NULL, TG_E_FORMAT);
	}
}

static void
every_type(void)
{
	wrong = tried = 0;
	for (size_t i = 0; i < tg_event_type_count; i++)
		members_of(&tg_event_types[i]);
	OK_NONE(wrong, tried, "sets of members");
}

/* ---- what a member says ---- */

/* A type that may have this member. */
static const struct tg_event_type *
type_with(unsigned m)
{
	const struct tg_event_type *t = tg_event_types;

	while ((TG_M_ALWAYS & TG_M_BIT(m)) == 0 && ((t->required | t->allowed) & TG_M_BIT(m)) == 0)
		t++;
	return t;
}

static void
with(unsigned m, const char *as, tg_status want)
{
	const struct tg_event_type *t = type_with(m);

	expect(t->name, TG_M_ALWAYS | t->required | TG_M_BIT(m), m, as, want);
}

static const char *const other_types[] = { "1", "-1", "true", "false", "\"x\"", "\"\"", "{}", "[]",
	"[1]", "[{}]", "{\"a\":1}", "{\"a\":{}}" };
static const char *const not_json_here[] = { "null", "", "1.5", "1e3", "01", "-0", "+1", ".5",
	"9007199254740992", "-9007199254740992", "'x'", "\"x", "x", "\"\\x\"", "\"\\ud800\"",
	"\"\\u0041\"", "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", " 1", "1 ",
	"{\"b\":1,\"a\":2}", "{\"a\":1,\"a\":1}", "{\"A\":1}", "{\"\":1}", "{\"a\":null}", "[null]",
	"NaN", "\"a\nb\"", "\"\\u0000\"" };
/* control characters, as bytes and as escapes */
static const char *const controls[] = { "\x01", "\x1f", "\x7f", "\xc2\x80", "\xc2\x85", "\xc2\x9f",
	"\\b", "\\t", "\\n", "\\f", "\\r", "\\u0001", "\\u001b", "\\u001f" };
static const char *const fine[] = { "\\\"", "\\\\", "\\\\\\\\n", "\xc2\xa0", "\xc3\xa9",
	"\xe2\x80\xa8", "\xf0\x9f\x98\x80", "~", " ", "/" };

/* Which of other_types a form takes. */
static bool
takes(enum tg_value_form form, const char *value)
{
	if (form == TG_V_MEASURES || form == TG_V_DETAIL)
		return strcmp(value, "{\"a\":1}") == 0;
	return (form == TG_V_TEXT && strcmp(value, "\"x\"") == 0) ||
	    (form == TG_V_COUNT && strcmp(value, "1") == 0);
}

static void
quoted(unsigned m, const char *before, const char *middle, const char *after, tg_status want)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "%s%s%s", before, middle, after);
	with(m, text, want);
}

/* `n` characters between two texts. */
static void
long_text(unsigned m, const char *before, size_t n, const char *after, tg_status want)
{
	char *text = malloc(n + 256);

	const int at = snprintf(text, 128, "%s", before);
	memset(text + at, 'x', n);
	(void)snprintf(text + at + n, 128, "%s", after);
	with(m, text, want);
	free(text);
}

static void
text_member(unsigned m, const char *before, const char *after, size_t max)
{
	for (size_t i = 0; i < TG_LEN(controls); i++) {
		quoted(m, before, controls[i], after, TG_E_FORMAT);
		/* behind enough for the fast way, and behind what is not ASCII */
		char text[64];
		(void)snprintf(
		    text, sizeof(text), "0123456789abcdef%s0123456789abcdef", controls[i]);
		quoted(m, before, text, after, TG_E_FORMAT);
		(void)snprintf(text, sizeof(text), "\xc3\xa9%s\xc3\xa9", controls[i]);
		quoted(m, before, text, after, TG_E_FORMAT);
		(void)snprintf(text, sizeof(text), "\\\\%s\\\"", controls[i]);
		quoted(m, before, text, after, TG_E_FORMAT);
	}
	for (size_t i = 0; i < TG_LEN(fine); i++)
		quoted(m, before, fine[i], after, TG_OK);
	long_text(m, before, max, after, TG_OK);
	long_text(m, before, max + 1, after, TG_E_FORMAT);
}

static void
every_form(void)
{
	wrong = tried = 0;
	for (unsigned m = 0; m < TG_MEMBERS; m++) {
		const struct tg_value_rule *r = &tg_member_rules[m];

		for (size_t i = 0; m != TG_M_EVENT_TYPE && i < TG_LEN(other_types); i++)
			with(m, other_types[i],
			    takes(r->form, other_types[i]) ? TG_OK : TG_E_FORMAT);
		for (size_t i = 0; i < TG_LEN(not_json_here); i++)
			with(m, not_json_here[i], TG_E_FORMAT);
		if (r->form == TG_V_TEXT && m != TG_M_EVENT_TYPE)
			text_member(m, "\"", "\"", r->max);
	}
	OK_NONE(wrong, tried, "values of members");
}

static void
hashes_and_ids(void)
{
	static const char *const bad_hex[] = { "\"" HEX "0\"", "\"0\"", "\"\"",
		"\"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"",
		"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg\"",
		"\"/123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
		"\":123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
		"\"`123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"" };
	static const char *const bad_uuid[] = { "\"01234567-89ab-4def-8123-456789abcde\"",
		"\"01234567-89ab-4def-8123-456789abcdef0\"",
		"\"01234567-89ab-1def-8123-456789abcdef\"",
		"\"01234567-89ab-4def-7123-456789abcdef\"",
		"\"01234567-89ab-4def-c123-456789abcdef\"",
		"\"01234567-89AB-4def-8123-456789abcdef\"",
		"\"0123456789ab-4def-8123-456789abcdef---\"",
		"\"01234567-89ab-4def-8123_456789abcdef\"",
		"\"01234567-89ab-4def-\\\\123-456789abcdef\"",
		"\"g1234567-89ab-4def-8123-456789abcdef\"", "\"" HEX "\"" };

	wrong = tried = 0;
	for (unsigned m = 0; m < TG_MEMBERS; m++)
		for (size_t i = 0; tg_member_rules[m].form == TG_V_HEX64 && i < TG_LEN(bad_hex);
		     i++)
			with(m, bad_hex[i], TG_E_FORMAT);
	for (size_t i = 0; i < TG_LEN(bad_uuid); i++)
		with(TG_M_EVENT_ID, bad_uuid[i], TG_E_FORMAT);
	for (const char *c = "89ab"; *c != '\0'; c++) {
		char text[] = "\"" UUID "\"";

		text[20] = *c;
		with(TG_M_EVENT_ID, text, TG_OK);
	}
	OK_NONE(wrong, tried, "hashes and ids");
}

static void
objects(void)
{
	static const struct {
		unsigned m;
		const char *as;
		tg_status want;
	} rows[] = {
		{ TG_M_ACTOR, "{\"id\":\"a\",\"ip\":\"::1\",\"name\":\"n\",\"type\":\"device\"}",
		    TG_OK },
		{ TG_M_ACTOR, "{\"id\":\"a\",\"type\":\"service\"}", TG_OK },
		{ TG_M_ACTOR, "{\"id\":\"a\",\"type\":\"system\"}", TG_OK },
		{ TG_M_ACTOR, "{\"id\":\"a\",\"type\":\"User\"}", TG_E_FORMAT },
		{ TG_M_ACTOR, "{\"id\":\"a\",\"type\":\"\"}", TG_E_FORMAT },
		{ TG_M_ACTOR, "{\"id\":\"a\"}", TG_E_FORMAT },
		{ TG_M_ACTOR, "{\"type\":\"user\"}", TG_E_FORMAT },
		{ TG_M_ACTOR, "{\"id\":\"\",\"type\":\"user\"}", TG_E_FORMAT },
		{ TG_M_ACTOR, "{\"id\":\"a\",\"type\":\"user\",\"zone\":\"z\"}", TG_E_FORMAT },
		{ TG_M_ACTOR, "{\"a\":\"z\",\"id\":\"a\",\"type\":\"user\"}", TG_E_FORMAT },
		{ TG_M_ACTOR, "{\"id\":\"a\",\"mail\":\"m\",\"type\":\"user\"}", TG_E_FORMAT },
		{ TG_M_ACTOR, "{\"type\":\"user\",\"id\":\"a\"}", TG_E_FORMAT },
		{ TG_M_ACTOR, "{\"id\":\"a\",\"id\":\"a\",\"type\":\"user\"}", TG_E_FORMAT },
		{ TG_M_ACTOR, "{\"id\":1,\"type\":\"user\"}", TG_E_FORMAT },
		{ TG_M_ACTOR, "{\"id\":{\"a\":\"a\"},\"type\":\"user\"}", TG_E_FORMAT },
		{ TG_M_ARTIFACTS, "[{\"name\":\"a\"}]", TG_E_FORMAT },
		{ TG_M_ARTIFACTS, "[{\"sha256\":\"" HEX "\"}]", TG_E_FORMAT },
		{ TG_M_ARTIFACTS, "[{\"name\":\"a\",\"sha256\":\"" HEX "\"},1]", TG_E_FORMAT },
		{ TG_M_ARTIFACTS, "[{\"name\":\"a\",\"sha256\":\"" HEX "\"},{}]", TG_E_FORMAT },
		{ TG_M_ARTIFACTS, "[{\"name\":\"a\",\"sha256\":\"" HEX "\",\"size\":1}]",
		    TG_E_FORMAT },
		{ TG_M_ARTIFACTS, "[[{\"name\":\"a\",\"sha256\":\"" HEX "\"}]]", TG_E_FORMAT },
		{ TG_M_DETAIL, "{\"a\":-9007199254740991,\"b\":\"\",\"c\":false}", TG_OK },
		{ TG_M_DETAIL, "{\"a\":[]}", TG_E_FORMAT },
		{ TG_M_DETAIL, "{\"a\":{}}", TG_E_FORMAT },
		{ TG_M_DETAIL, "{\"a\":\"\\t\"}", TG_E_FORMAT },
		{ TG_M_DETAIL, "{\"a\":\"\xc2\x81\"}", TG_E_FORMAT },
		{ TG_M_METRICS,
		    "{\"a\":\"-0.5\",\"b\":\"10\",\"c\":\"0\",\"d\":\"1.000\",\"e\":\"-0\"}",
		    TG_OK },
		{ TG_M_METRICS, "{\"a\":\"\"}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":\"-\"}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":\"1.\"}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":\".5\"}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":\"00\"}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":\"01.5\"}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":\"1e5\"}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":\"1.5.5\"}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":\"1,5\"}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":\" 1\"}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":\"--1\"}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":\"nan\"}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":0.5}", TG_E_FORMAT },
		{ TG_M_METRICS, "{\"a\":[1]}", TG_E_FORMAT },
		{ TG_M_RESULT, "{\"code\":\"auth\",\"reason\":\"no\",\"status\":\"denied\"}",
		    TG_OK },
		{ TG_M_RESULT, "{\"status\":\"failure\"}", TG_OK },
		{ TG_M_RESULT, "{\"status\":\"ok\"}", TG_E_FORMAT },
		{ TG_M_RESULT, "{\"reason\":\"no\"}", TG_E_FORMAT },
		{ TG_M_RESULT, "{\"reason\":\"\",\"status\":\"denied\"}", TG_E_FORMAT },
		{ TG_M_RESULT, "{\"reason\":\"\\n\",\"status\":\"denied\"}", TG_E_FORMAT },
		{ TG_M_SIGNATURE, "{\"alg\":\"a\",\"key_id\":\"k\"}", TG_E_FORMAT },
		{ TG_M_SIGNATURE, "{\"alg\":\"a\",\"key_id\":\"k\",\"sig\":\"s\",\"time\":1}",
		    TG_E_FORMAT },
		{ TG_M_SUBJECT,
		    "{\"deployment_id\":\"d\",\"key_id\":\"k\",\"model_ref\":\"m\",\"model_"
		    "version\":\"v\","
		    "\"path\":\"p\",\"policy_id\":\"p\",\"round_id\":\"r\",\"tgsp_ref\":\"t\"}",
		    TG_OK },
		{ TG_M_SUBJECT, "{\"path\":\"p\",\"zzz\":\"t\"}", TG_E_FORMAT },
		{ TG_M_SUBJECT, "{\"path\":1}", TG_E_FORMAT },
		{ TG_M_SEQUENCE, "0", TG_OK },
		{ TG_M_SEQUENCE, "9007199254740991", TG_OK },
		{ TG_M_TIMESTAMP, "0", TG_OK },
	};

	wrong = tried = 0;
	for (size_t i = 0; i < TG_LEN(rows); i++)
		with(rows[i].m, rows[i].as, rows[i].want);
	text_member(TG_M_ACTOR, "{\"id\":\"", "\",\"type\":\"user\"}", 255);
	text_member(TG_M_ARTIFACTS, "[{\"name\":\"", "\",\"sha256\":\"" HEX "\"}]", 1024);
	text_member(TG_M_RESULT, "{\"reason\":\"", "\",\"status\":\"failure\"}", 1024);
	text_member(TG_M_SIGNATURE, "{\"alg\":\"a\",\"key_id\":\"k\",\"sig\":\"", "\"}", 8192);
	text_member(TG_M_SUBJECT, "{\"tgsp_ref\":\"", "\"}", 1024);
	text_member(TG_M_DETAIL, "{\"x\":\"", "\"}", 8192);
	OK_NONE(wrong, tried, "members within members");
}

/* "OPEN" row "," row ... "CLOSE", rows numbered so that keys ascend. */
static void
rows(unsigned m, unsigned n, const char *open, const char *row, const char *close, tg_status want)
{
	char *text = malloc(n * 160 + 16), *p = text;

	p += snprintf(p, 16, "%s", open);
	for (unsigned i = 0; i < n; i++) {
		p += snprintf(p, 8, "%s", i > 0 ? "," : "");
		if (m == TG_M_ARTIFACTS)
			p += snprintf(p, 128, "%s", row);
		else
			p += snprintf(p, 128, "\"k%03u\":%s", i, row);
	}
	(void)snprintf(p, 8, "%s", close);
	with(m, text, want);
	free(text);
}

static void
counts(void)
{
	wrong = tried = 0;
	rows(TG_M_METRICS, 64, "{", "1", "}", TG_OK);
	rows(TG_M_METRICS, 65, "{", "1", "}", TG_E_LIMIT);
	rows(TG_M_DETAIL, 64, "{", "\"x\"", "}", TG_OK);
	rows(TG_M_DETAIL, 65, "{", "\"x\"", "}", TG_E_LIMIT);
	rows(TG_M_ARTIFACTS, 64, "[", "{\"name\":\"a\",\"sha256\":\"" HEX "\"}", "]", TG_OK);
	rows(TG_M_ARTIFACTS, 65, "[", "{\"name\":\"a\",\"sha256\":\"" HEX "\"}", "]", TG_E_LIMIT);
	rows(TG_M_SUBJECT, 65, "{", "\"x\"", "}", TG_E_LIMIT);
	/* the event is one bracket, its member's value seven more, or eight */
	with(TG_M_DETAIL, "[[[[[[[]]]]]]]", TG_E_FORMAT);
	with(TG_M_DETAIL, "[[[[[[[[]]]]]]]]", TG_E_LIMIT);
	with(TG_M_DETAIL, "{\"a\":[[[[[[[]]]]]]]}", TG_E_LIMIT);
	OK_NONE(wrong, tried, "how many and how deep");
}

/* ---- the whole text ---- */

static void
whole_texts(void)
{
	static const char *const not_events[] = { "", "{}", "[]", "1", "\"x\"", "null", "{", "}",
		"{}{}", "{\"event_type\":1}", "{\"event_type\":\"NOTE_ADDED\"}",
		"{\"note\":\"x\"}" };
	struct tg_buf b =
	    event_text("NOTE_ADDED", TG_M_ALWAYS | TG_M_BIT(TG_M_NOTE), TG_MEMBERS, NULL);
	struct tg_event e;

	for (size_t i = 0; i < TG_LEN(not_events); i++)
		OK_STATUS(read_text(tg_bytes_str(not_events[i]), 0), TG_E_FORMAT);
	OK_STATUS(read_text(tg_buf_view(&b), 0), TG_OK);
	wrong = tried = 0;
	for (size_t n = 0; n < b.n; n++, tried++)
		wrong += read_text((tg_bytes){ b.p, n }, 0) != TG_E_FORMAT;
	OK_NONE(wrong, tried, "beginnings of an event");
	OK_STATUS(tg_event_read(tg_buf_view(&b), 0, true, "event", &e, &err), TG_OK);
	OK(e.has == (TG_M_ALWAYS | TG_M_BIT(TG_M_NOTE)) &&
	    e.type == tg_event_type_find(tg_bytes_str("NOTE_ADDED")));
	OK(tg_event_int(e.value[TG_M_SEQUENCE]) == 7);
	OK(tg_event_int(e.value[TG_M_TIMESTAMP]) == 1700000000000000);
	OK(tg_event_int(tg_bytes_str("-9007199254740991")) == -TG_MAX_JSON_INT);
	OK(tg_bytes_equal(e.value[TG_M_NOTE], tg_bytes_str("written down")));
	OK_STATUS(tg_buf_put_str(&b, " "), TG_OK);
	OK_STATUS(read_text(tg_buf_view(&b), 0), TG_E_FORMAT);
	tg_buf_done(&b);

	/* a message names what is wrong, in one line */
	expect("NOTE_ADDED", TG_M_ALWAYS | TG_M_BIT(TG_M_NOTE) | TG_M_BIT(TG_M_RESULT), TG_MEMBERS,
	    NULL, TG_E_FORMAT);
	OK(strstr(err.text, "\"result\"") != NULL && strstr(err.text, "NOTE_ADDED") != NULL);
	expect("NOTE_ADDED", TG_M_ALWAYS, TG_MEMBERS, NULL, TG_E_FORMAT);
	OK(strstr(err.text, "\"note\"") != NULL && strstr(err.text, "missing") != NULL);
}

static void
strangers(void)
{
	static const char head[] =
	    "{\"actor\":{\"id\":\"a\",\"type\":\"user\"},\"event_id\":\"" UUID "\","
	    "\"event_type\":\"%s\",\"log_origin\":\"l\",%s\"sequence\":1,"
	    "\"tenant_id\":\"t\",\"timestamp\":1%s}";
	static const char *const places[][2] = { { "\"m\":1,", "" }, { "", ",\"zzz\":\"\"" },
		{ "\"note\":\"x\",\"note_\":1,", "" }, { "\"notd\":1,\"note\":\"x\",", "" },
		{ "\"note\":\"x\",", ",\"_chain\":1" }, { "\"note\":\"x\",\"note\":\"x\",", "" } };
	char text[1024];
	struct tg_event e;

	for (size_t i = 0; i < TG_LEN(places); i++) {
		(void)snprintf(text, sizeof(text), head, "NOTE_ADDED", places[i][0], places[i][1]);
		OK_STATUS(read_text(tg_bytes_str(text), 0), TG_E_FORMAT);
	}
	/* of a type to come: the common members are judged, others let through, unless it must be
	 * known */
	(void)snprintf(
	    text, sizeof(text), head, "TYPE_TO_COME", "\"m\":[{\"x\":1}],", ",\"zzz\":\"\"");
	OK_STATUS(tg_event_read(tg_bytes_str(text), 0, true, "event", &e, &err), TG_E_FORMAT);
	OK(strstr(err.text, "TYPE_TO_COME") != NULL);
	OK_STATUS(tg_event_read(tg_bytes_str(text), 0, false, "event", &e, &err), TG_OK);
	OK(e.type == NULL && e.has == TG_M_ALWAYS);
	text[11] = 'I'; /* "id" */
	OK_STATUS(tg_event_read(tg_bytes_str(text), 0, false, "event", &e, &err), TG_E_FORMAT);
	(void)snprintf(text, sizeof(text), head, "TYPE_TO_COME", "\"metrics\":[7],\"note\":5,", "");
	OK_STATUS(tg_event_read(tg_bytes_str(text), 0, false, "event", &e, &err), TG_OK);
	OK(e.type == NULL && e.has == TG_M_ALWAYS);
	(void)snprintf(text, sizeof(text), head, "TYPE_TO_COME", "", ",\"timestamp\":1");
	OK_STATUS(tg_event_read(tg_bytes_str(text), 0, false, "event", &e, &err), TG_E_FORMAT);
}

/* ---- an author's event ---- */

static const struct tg_draft_defaults defaults = {
	.origin = "\"log_origin\":\"example.com/log\"",
	.tenant = "\"tenant_id\":\"default\"",
	.actor = "\"actor\":{\"id\":\"d\",\"type\":\"system\"}",
};

/* What is drafted and written is a record that holds what the author said. */
static void
drafted(const struct tg_event_type *t, uint32_t members, bool with_actor)
{
	struct tg_draft_defaults d = defaults;
	struct tg_buf b = event_text(t->name, members, TG_MEMBERS, NULL);
	struct tg_draft draft;
	struct tg_event e;

	if (!with_actor)
		d.actor = NULL;
	const tg_status want =
	    with_actor || (members & TG_M_BIT(TG_M_ACTOR)) != 0 ? TG_OK : TG_E_FORMAT;
	const tg_status s = tg_draft_prepare(tg_buf_view(&b), &d, &draft, &err);
	tried++;
	wrong += s != want;
	if (s == TG_OK) {
		uint8_t *p = malloc(draft.room);
		const struct tg_record r = tg_draft_write(&draft, 42, 99, UUID, p);

		wrong += r.n + 1 > draft.room || p[r.n] != '\n';
		wrong += tg_record_event(&r, "record", &e, &err) != TG_OK || e.type != t ||
		    e.has != (members | TG_M_ALWAYS) || tg_event_int(e.value[TG_M_TIMESTAMP]) != 99;
		for (unsigned m = 0; m < TG_MEMBERS; m++) {
			const size_t quote = good[m][0] == '"';

			if ((members & TG_M_BIT(m)) != 0 && m != TG_M_EVENT_TYPE)
				wrong += !tg_bytes_equal(e.value[m],
				    (tg_bytes){ (const uint8_t *)good[m] + quote,
					strlen(good[m]) - 2 * quote });
		}
		free(p);
	}
	tg_buf_done(&b);
}

static void
authors(void)
{
	struct tg_draft draft;

	wrong = tried = 0;
	for (size_t i = 0; i < tg_event_type_count; i++) {
		const struct tg_event_type *t = &tg_event_types[i];
		const uint32_t least = TG_M_BIT(TG_M_EVENT_TYPE) | t->required,
			       all = least | t->allowed;
		static const uint32_t may[] = { 0, TG_M_BIT(TG_M_ACTOR), TG_M_BIT(TG_M_EVENT_ID),
			TG_M_BIT(TG_M_TENANT_ID), TG_M_ALWAYS & ~TG_M_BY_LOG };

		for (size_t k = 0; k < TG_LEN(may); k++)
			for (int actor = 0; actor < 2; actor++) {
				drafted(t, least | may[k], actor);
				drafted(t, all | may[k], actor);
			}
	}
	OK_NONE(wrong, tried, "drafts");
	for (unsigned m = 0; m < TG_MEMBERS; m++) {
		if ((TG_M_BY_LOG & TG_M_BIT(m)) == 0)
			continue;
		struct tg_buf b = event_text("NOTE_ADDED",
		    TG_M_BIT(TG_M_EVENT_TYPE) | TG_M_BIT(TG_M_NOTE) | TG_M_BIT(m), TG_MEMBERS,
		    NULL);
		OK_STATUS(tg_draft_prepare(tg_buf_view(&b), &defaults, &draft, &err), TG_E_FORMAT);
		OK(strstr(err.text, tg_member_rules[m].key) != NULL &&
		    strstr(err.text, "log itself") != NULL);
		tg_buf_done(&b);
	}
	OK_STATUS(tg_draft_prepare(
		      tg_bytes_str("{\"_chain\":{},\"event_type\":\"NOTE_ADDED\",\"note\":\"x\"}"),
		      &defaults, &draft, &err),
	    TG_E_FORMAT);
	OK_STATUS(tg_draft_prepare((tg_bytes){ NULL, 0 }, &defaults, &draft, &err), TG_E_FORMAT);
}

/* The longest record there may be. */
static void
longest(void)
{
	static const char head[] = "{\"detail\":{",
			  mid[] = "},\"event_type\":\"NOTE_ADDED\",\"note\":\"x\"}";
	char *text = malloc(1 << 18);
	struct tg_draft draft;
	size_t fits = 0;

	wrong = tried = 0;
	for (size_t n = 0; n < 4096; n++) {
		char *p = text + snprintf(text, 32, "%s", head);

		for (unsigned i = 0; i < 8; i++) {
			const size_t len = i < 7 ? 8192 : 4096 + n;

			p += snprintf(p, 32, "%s\"k%u\":\"", i > 0 ? "," : "", i);
			memset(p, 'y', len);
			p += len;
			*p++ = '"';
		}
		p += snprintf(p, 128, "%s", mid);
		const tg_status s = tg_draft_prepare(
		    (tg_bytes){ (uint8_t *)text, (size_t)(p - text) }, &defaults, &draft, &err);
		tried++;
		wrong += s != TG_OK && s != TG_E_LIMIT;
		wrong += s == TG_OK && (fits != n || draft.room > TG_MAX_LOG_RECORD);
		fits += s == TG_OK;
	}
	OK(fits > 0 && fits < 4096);
	OK_NONE(wrong, tried, "lengths about the limit");
	OK_STATUS(tg_draft_prepare((tg_bytes){ (uint8_t *)text, 1 << 17 }, &defaults, &draft, &err),
	    TG_E_LIMIT);
	free(text);
}

static void
uuids(void)
{
	uint8_t raw[16] = { 0 };
	char text[TG_UUID_TEXT + 1];

	tg_uuid4_text(raw, text);
	OK(strcmp(text, "00000000-0000-4000-8000-000000000000") == 0);
	memset(raw, 0xff, sizeof(raw));
	tg_uuid4_text(raw, text);
	OK(strcmp(text, "ffffffff-ffff-4fff-bfff-ffffffffffff") == 0);
}

int
main(void)
{
	table_is_sorted();
	every_type();
	every_form();
	hashes_and_ids();
	objects();
	counts();
	whole_texts();
	strangers();
	authors();
	longest();
	uuids();
	return tap_done();
}
