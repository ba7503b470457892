/* A trust store's file: one JSON object, written and read here (docs/KEYS.md).
 * {"entries":[{"key":{a .pub},"label"?:text,"not_after"?:int,"not_before"?:int,
 *              "role":"author"|"delegate"}],"tensorguard_trust":1} */
#include <tensorguard/limits.h>

#include "crypto/key.h"
#include "json/json.h"
#include "tgsp/trust.h"
#include "tgsp/value.h"
#include "util/newfile.h"
#include "util/try.h"

static const char *const roles[] = {
	[TG_TRUST_AUTHOR] = "author",
	[TG_TRUST_DELEGATE] = "delegate",
};

/* ---- writing ---- */

static tg_status
set_bound(struct tg_json *o, const char *key, int64_t v, int64_t none)
{
	return v == none ? TG_OK : tg_json_set(o, key, tg_json_new_int(v));
}

/* The entry's object, added to the list. */
static tg_status
put_entry(struct tg_json *list, const struct tg_trust_entry *e, struct tg_error *err)
{
	struct tg_json *o = tg_json_new_object(), *key = NULL;

	TG_REQUIRE(o != NULL && tg_json_push(list, o) == TG_OK, err, TG_E_NOMEM,
	    "trust store: out of memory");
	TG_TRY(tg_key_public_json(e->key, &key, err));
	TG_REQUIRE(tg_json_set(o, "key", key) == TG_OK &&
		tg_json_set(o, "role", tg_json_new_str(tg_bytes_str(roles[e->role]))) == TG_OK &&
		(e->label == NULL ||
		    tg_json_set(o, "label", tg_json_new_str(tg_bytes_str(e->label))) == TG_OK) &&
		set_bound(o, "not_before", e->not_before, INT64_MIN) == TG_OK &&
		set_bound(o, "not_after", e->not_after, INT64_MAX) == TG_OK,
	    err, TG_E_NOMEM, "trust store: out of memory");
	return TG_OK;
}

static tg_status
store_json(const struct tg_trust *t, struct tg_json *o, struct tg_error *err)
{
	struct tg_json *list = tg_json_new_array();

	TG_REQUIRE(list != NULL && tg_json_set(o, "entries", list) == TG_OK &&
		tg_json_set(o, "tensorguard_trust", tg_json_new_int(1)) == TG_OK,
	    err, TG_E_NOMEM, "trust store: out of memory");
	for (size_t i = 0; i < tg_trust_count(t); i++) {
		const struct tg_trust_entry e = tg_trust_at(t, i);

		TG_TRY(put_entry(list, &e, err));
	}
	return TG_OK;
}

tg_status
tg_trust_save(const struct tg_trust *t, const char *path, struct tg_error *err)
{
	TG_AUTO(tg_json_freep) struct tg_json *o = tg_json_new_object();
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_TRUST_STORE };
	TG_AUTO(tg_newfile_closep) struct tg_newfile *f = NULL;

	TG_REQUIRE(o != NULL, err, TG_E_NOMEM, "trust store: out of memory");
	TG_TRY(store_json(t, o, err));
	TG_TRY(tg_json_write(o, &text, err));
	TG_REQUIRE(tg_buf_put_u8(&text, '\n') == TG_OK, err, TG_E_LIMIT, "%s: too long", path);
	TG_TRY(tg_newfile_create_path(path, 0644, &f, err));
	const struct tg_sink to = tg_newfile_sink(f);
	TG_TRY(to.write(to.ctx, text.p, text.n, err));
	return tg_newfile_commit(f, true, err);
}

/* ---- reading ---- */

bool
tgsp_is_store(const struct tg_json *j)
{
	return tg_json_typeof(j) == TG_JSON_OBJECT && tg_json_get(j, "tensorguard_trust") != NULL;
}

static tg_status
read_role(const struct tg_json *j, const char *path, enum tg_trust_role *ret, struct tg_error *err)
{
	for (size_t i = 0; i < TG_LEN(roles); i++)
		if (tg_bytes_equal(tg_json_str(j), tg_bytes_str(roles[i]))) {
			*ret = (enum tg_trust_role)i;
			return TG_OK;
		}
	return tg_fail(err, TG_E_FORMAT, "%s: role \"%.32s\", author or delegate expected", path,
	    (const char *)tg_json_str(j).p);
}

/* The key's object goes through the reader of .pub files, as text. */
static tg_status
read_key(const struct tg_json *j, const char *path, struct tg_key **ret, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_KEY_FILE };

	TG_REQUIRE(tg_json_get(j, "private") == NULL, err, TG_E_FORMAT,
	    "%s: a private key in a trust store", path);
	TG_TRY(tg_json_write(j, &text, err));
	return tg_key_parse(tg_buf_view(&text), path, NULL, ret, err);
}

/* Within what can be written again. */
static tg_status
read_time(const struct tg_json *j, const char *path, int64_t *ret, struct tg_error *err)
{
	const int64_t v = tg_json_int(j);

	TG_REQUIRE(v >= -TG_MAX_JSON_INT && v <= TG_MAX_JSON_INT, err, TG_E_FORMAT,
	    "%s: time %lld, -(2^53-1) ... 2^53-1 expected", path, (long long)v);
	*ret = v;
	return TG_OK;
}

static tg_status
read_entry(struct tg_trust *t, const struct tg_json *j, const char *path, struct tg_error *err)
{
	enum { KEY, LABEL, AFTER, BEFORE, ROLE, N };
	static const struct tg_json_field fields[N] = {
		[KEY] = { "key", TG_JSON_OBJECT, true },
		[LABEL] = { "label", TG_JSON_STRING, false },
		[AFTER] = { "not_after", TG_JSON_INT, false },
		[BEFORE] = { "not_before", TG_JSON_INT, false },
		[ROLE] = { "role", TG_JSON_STRING, true },
	};
	const struct tg_json *f[N] = { NULL };
	struct tg_trust_entry e = { .not_before = INT64_MIN, .not_after = INT64_MAX };
	struct tg_key *k = NULL;
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(tg_json_fields(j, path, fields, N, f, err));
	TG_TRY(read_role(f[ROLE], path, &e.role, err));
	e.label = f[LABEL] == NULL ? NULL : (const char *)tg_json_str(f[LABEL]).p;
	if (f[AFTER] != NULL)
		TG_TRY(read_time(f[AFTER], path, &e.not_after, err));
	if (f[BEFORE] != NULL)
		TG_TRY(read_time(f[BEFORE], path, &e.not_before, err));
	TG_TRY(read_key(f[KEY], path, &k, err));
	tg_status s = tg_trust_add_entry(t, &e, k, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", path, why.text);
	return TG_OK;
}

tg_status
tgsp_store_read(struct tg_trust *t, const struct tg_json *j, const char *path, struct tg_error *err)
{
	static const struct tg_json_field fields[] = {
		{ "entries", TG_JSON_ARRAY, true },
		{ "tensorguard_trust", TG_JSON_INT, true },
	};
	const struct tg_json *f[TG_LEN(fields)] = { NULL };

	TG_TRY(tg_json_fields(j, path, fields, TG_LEN(fields), f, err));
	TG_REQUIRE(tg_json_int(f[1]) == 1, err, TG_E_UNSUPPORTED, "%s: trust store version %lld, 1 expected",
	    path, (long long)tg_json_int(f[1]));
	for (size_t i = 0; i < tg_json_count(f[0]); i++)
		TG_TRY(read_entry(t, tg_json_at(f[0], i), path, err));
	return TG_OK;
}

tg_status
tg_trust_load(struct tg_trust *t, const char *path, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_TRUST_STORE };
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;

	TG_TRY(tg_file_read(path, &text, err));
	TG_TRY(tg_json_parse(tg_buf_view(&text), TG_JSON_ORDINARY, path, &j, err));
	TG_REQUIRE(tgsp_is_store(j), err, TG_E_FORMAT, "%s: not a trust store", path);
	return tgsp_store_read(t, j, path, err);
}
