#include <tensorguard/trust.h>

#include <time.h>

#include "cli/recorder.h"
#include "util/dir.h"
#include "util/text.h"
#include "util/try.h"

struct trust_opts {
	const char *role, *label;
	int64_t not_before, not_after;
	bool has_before, has_after, json;
	struct recorder rec;
};

static const char *
role_name(enum tg_trust_role r)
{
	return r == TG_TRUST_AUTHOR ? "author" : "delegate";
}

/* ---- add ---- */

static tg_status
entry_of(const struct trust_opts *o, struct tg_trust_entry *ret, struct tg_error *err)
{
	*ret = (struct tg_trust_entry){ .role = TG_TRUST_AUTHOR, .label = o->label,
		.not_before = o->has_before ? o->not_before : INT64_MIN,
		.not_after = o->has_after ? o->not_after : INT64_MAX };
	TG_REQUIRE(ret->not_before <= ret->not_after, err, TG_E_USAGE,
	    "--not-before is later than --not-after");
	if (o->role != NULL && strcmp(o->role, "delegate") == 0)
		ret->role = TG_TRUST_DELEGATE;
	else
		TG_REQUIRE(o->role == NULL || strcmp(o->role, "author") == 0, err, TG_E_USAGE,
		    "--role: \"%s\", author or delegate expected", o->role);
	return TG_OK;
}

/* The store as it is to be: recorded, put in place of the one before, reported. */
static tg_status
save(struct trust_opts *o, const struct tg_trust *t, const char *store, struct tg_error *err)
{
	recorder_number(&o->rec, "detail", "entries", (int64_t)tg_trust_count(t));
	TG_TRY(recorder_success(&o->rec, "TRUST_CHANGED", err));
	TG_TRY(tg_trust_save(t, store, err));
	printf("%s: %zu entr%s\n", store, tg_trust_count(t), tg_trust_count(t) == 1 ? "y" : "ies");
	return TG_OK;
}

static void
tell_entry(struct trust_opts *o, const struct tg_trust_entry *e)
{
	recorder_text(&o->rec, "detail", "role", role_name(e->role));
	recorder_text(&o->rec, "detail", "label", e->label);
	if (o->has_before)
		recorder_number(&o->rec, "detail", "not_before", e->not_before);
	if (o->has_after)
		recorder_number(&o->rec, "detail", "not_after", e->not_after);
}

static tg_status
add(struct trust_opts *o, const char *store, const char *file, struct tg_error *err)
{
	TG_AUTO(tg_trust_freep) struct tg_trust *t = NULL;
	TG_AUTO(tg_fd_closep) int lock = -1;
	struct tg_trust_entry e;
	struct tg_key *k = NULL;

	TG_TRY(entry_of(o, &e, err));
	tell_entry(o, &e);
	TG_TRY(tg_lock_beside(store, &lock, err));
	TG_TRY(tg_trust_new(&t, err));
	if (tg_file_exists(store))
		TG_TRY(tg_trust_load(t, store, err));
	TG_TRY(tg_cli_key(file, TG_KEY_SIGNING, false, NULL, &k, err));
	recorder_id(&o->rec, "subject", "key_id", tg_key_id(k));
	TG_TRY(tg_trust_add_entry(t, &e, k, err));
	return save(o, t, store, err);
}

/* ---- remove ---- */

static tg_status
remove_key(struct trust_opts *o, const char *store, const char *id, struct tg_error *err)
{
	TG_AUTO(tg_trust_freep) struct tg_trust *t = NULL;
	TG_AUTO(tg_fd_closep) int lock = -1;
	uint8_t raw[TG_KEY_ID_LEN];

	TG_REQUIRE(tg_hex_decode(raw, sizeof(raw), tg_bytes_str(id)), err, TG_E_USAGE,
	    "\"%s\": a key id of 32 hex digits expected ('tensorguard trust list' shows them)", id);
	recorder_id(&o->rec, "subject", "key_id", raw);
	TG_TRY(tg_lock_beside(store, &lock, err));
	TG_TRY(tg_trust_new(&t, err));
	TG_TRY(tg_trust_load(t, store, err));
	TG_TRY(tg_trust_remove(t, raw, err));
	return save(o, t, store, err);
}

/* ---- list ---- */

static bool
valid_at(const struct tg_trust_entry *e, int64_t now)
{
	return now >= e->not_before && now <= e->not_after;
}

static void
print_bound(int64_t v, int64_t none)
{
	struct tm tm;
	char text[32];
	const time_t t = (time_t)v;

	if (v == none || gmtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		printf(" %-20s", "-");
	else
		printf(" %-20s", text);
}

static void
print_entry(const struct tg_trust_entry *e, int64_t now)
{
	char id[2 * TG_KEY_ID_LEN + 1];

	tg_hex_encode(id, (tg_bytes){ tg_key_id(e->key), TG_KEY_ID_LEN });
	printf("%s %-8s %-7s", id, role_name(e->role), valid_at(e, now) ? "valid" : "INVALID");
	print_bound(e->not_before, INT64_MIN);
	print_bound(e->not_after, INT64_MAX);
	putchar(' ');
	tg_print_text(stdout, e->label == NULL ? "" : e->label);
	putchar('\n');
}

static tg_status
entry_json(const struct tg_trust_entry *e, int64_t now, struct tg_json *list)
{
	struct tg_json *o = tg_json_new_object();

	if (o == NULL || tg_json_push(list, o) != TG_OK)
		return TG_E_NOMEM;
	TG_TRY(tg_json_set(o, "key_id", tg_json_new_hex((tg_bytes){ tg_key_id(e->key), TG_KEY_ID_LEN })));
	TG_TRY(tg_json_set(o, "role", tg_json_new_str(tg_bytes_str(role_name(e->role)))));
	TG_TRY(tg_json_set(o, "valid", tg_json_new_bool(valid_at(e, now))));
	if (e->label != NULL)
		TG_TRY(tg_json_set(o, "label", tg_json_new_str(tg_bytes_str(e->label))));
	if (e->not_before != INT64_MIN)
		TG_TRY(tg_json_set(o, "not_before", tg_json_new_int(e->not_before)));
	if (e->not_after != INT64_MAX)
		TG_TRY(tg_json_set(o, "not_after", tg_json_new_int(e->not_after)));
	return TG_OK;
}

static tg_status
list_json(const struct tg_trust *t, int64_t now, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *list = tg_json_new_array();
	tg_status s = list == NULL ? TG_E_NOMEM : TG_OK;

	for (size_t i = 0; s == TG_OK && i < tg_trust_count(t); i++) {
		const struct tg_trust_entry e = tg_trust_at(t, i);

		s = entry_json(&e, now, list);
	}
	TG_REQUIRE(s == TG_OK, err, s, "trust: out of memory");
	return tg_print_json(list, err);
}

static tg_status
list(const struct trust_opts *o, const char *store, struct tg_error *err)
{
	TG_AUTO(tg_trust_freep) struct tg_trust *t = NULL;
	const int64_t now = time(NULL);

	TG_TRY(tg_trust_new(&t, err));
	TG_TRY(tg_trust_load(t, store, err));
	if (o->json)
		return list_json(t, now, err);
	printf("%-32s %-8s %-7s %-20s %-20s %s\n", "key_id", "role", "now", "not_before", "not_after",
	    "label");
	for (size_t i = 0; i < tg_trust_count(t); i++) {
		const struct tg_trust_entry e = tg_trust_at(t, i);

		print_entry(&e, now);
	}
	return TG_OK;
}

static void
opts_done(struct trust_opts *o)
{
	recorder_done(&o->rec);
}

/* words: add STORE FILE.pub, or remove STORE KEY_ID */
static tg_status
change(struct trust_opts *o, const char **words, struct tg_error *err)
{
	TG_TRY(recorder_start(&o->rec, err));
	recorder_text(&o->rec, "subject", "path", words[1]);
	recorder_text(&o->rec, "detail", "change", words[0]);
	tg_status s = strcmp(words[0], "add") == 0 ? add(o, words[1], words[2], err)
						   : remove_key(o, words[1], words[2], err);
	return s == TG_OK ? TG_OK : recorder_failure(&o->rec, "TRUST_CHANGE_DENIED", s, err);
}

static tg_status
run(int argc, char **argv, struct tg_error *err)
{
	TG_AUTO(opts_done) struct trust_opts o = { .role = NULL };
	const struct tg_opt opts[] = {
		{ "role", TG_OPT_STRING, &o.role, NULL, "ROLE", "author (default) or delegate" },
		{ "label", TG_OPT_STRING, &o.label, NULL, "TEXT", "whose key it is" },
		{ "not-before", TG_OPT_TIME, &o.not_before, &o.has_before, "TIME",
		    "first second it is trusted" },
		{ "not-after", TG_OPT_TIME, &o.not_after, &o.has_after, "TIME", "the last one" },
		{ "json", TG_OPT_FLAG, &o.json, NULL, NULL, "list as JSON" },
		RECORDER_OPTS(&o.rec),
	};
	const char *words[3];
	size_t n = 0;
	bool help = false;

	TG_TRY(tg_opts_parse(&tg_cmd_trust, argc, argv, opts, TG_LEN(opts), words, 3, &n, &help, err));
	if (help)
		return TG_OK;
	if (n == 3 && (strcmp(words[0], "add") == 0 || strcmp(words[0], "remove") == 0))
		return change(&o, words, err);
	if (n == 2 && strcmp(words[0], "list") == 0)
		return list(&o, words[1], err);
	return tg_fail(err, TG_E_USAGE,
	    "add STORE FILE.pub, list STORE or remove STORE KEY_ID expected (try 'tensorguard trust -h')");
}

const struct tg_cmd tg_cmd_trust = {
	.name = "trust",
	.run = run,
	.synopsis = "add STORE FILE.pub [OPTION...] | list STORE [--json] | remove STORE KEY_ID",
	.summary = "keep a store of trusted signing keys\n"
		   "A store is one file; --trust takes it wherever it takes a key. Every entry has a "
		   "role, and may\nhave a label and a time window.",
	.example = "tensorguard trust add ./trust.json ./keys/signing.pub --label \"vision team\" "
		   "--not-after 2030-01-01T00:00:00Z",
};
