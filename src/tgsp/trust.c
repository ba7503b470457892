#include "tgsp/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tensorguard/limits.h>

#include "crypto/key.h"
#include "json/json.h"
#include "tgsp/value.h"
#include "util/dir.h"
#include "util/try.h"

struct entry {
	struct tg_key *key;
	char *label;
	enum tg_trust_role role;
	int64_t not_before, not_after;
};

struct tg_trust {
	struct entry *at;
	size_t n;
	int64_t now;
	bool has_now;
};

tg_status
tg_trust_new(struct tg_trust **ret, struct tg_error *err)
{
	struct tg_trust *t = calloc(1, sizeof(*t));

	TG_REQUIRE(t != NULL, err, TG_E_NOMEM, "trust store: out of memory");
	*ret = t;
	return TG_OK;
}

void
tg_trust_set_time(struct tg_trust *t, int64_t now)
{
	t->now = now;
	t->has_now = true;
}

size_t
tg_trust_count(const struct tg_trust *t)
{
	return t->n;
}

struct tg_trust_entry
tg_trust_at(const struct tg_trust *t, size_t i)
{
	const struct entry *e = &t->at[i];

	return (struct tg_trust_entry){ e->role, e->key, e->label, e->not_before, e->not_after };
}

static tg_status append(struct tg_trust *t, const struct tg_trust_entry *e, struct tg_key *k,
    struct tg_error *err);

static bool
is_entry(const struct entry *e, enum tg_trust_role role, const uint8_t *id)
{
	return e->role == role && memcmp(tg_key_id(e->key), id, TG_KEY_ID_LEN) == 0;
}

tg_status
tg_trust_add(struct tg_trust *t, enum tg_trust_role role, struct tg_key *k, struct tg_error *err)
{
	const struct tg_trust_entry e = { .role = role, .not_before = INT64_MIN,
		.not_after = INT64_MAX };

	for (size_t i = 0; i < t->n; i++) {
		const struct entry *old = &t->at[i];

		if (is_entry(old, role, tg_key_id(k)) && old->not_before == INT64_MIN &&
		    old->not_after == INT64_MAX) {
			tg_key_free(k); /* trusted without bounds already */
			return TG_OK;
		}
	}
	return append(t, &e, k, err);
}

tg_status
tg_trust_add_entry(struct tg_trust *t, const struct tg_trust_entry *e, struct tg_key *k,
    struct tg_error *err)
{
	for (size_t i = 0; i < t->n; i++)
		if (is_entry(&t->at[i], e->role, tg_key_id(k))) {
			tg_key_free(k);
			return tg_fail(err, TG_E_CONFLICT,
			    "the key is in the store already, in the same role");
		}
	return append(t, e, k, err);
}

/* One row more; whether it may stand there twice is the caller's affair. Takes k over. */
static tg_status
append(struct tg_trust *t, const struct tg_trust_entry *e, struct tg_key *k, struct tg_error *err)
{
	TG_AUTO(tg_key_freep) struct tg_key *own = k;
	struct entry *more;
	char *label = NULL;

	TG_REQUIRE(tg_key_use_of(k) == TG_KEY_SIGNING, err, TG_E_USAGE,
	    "a trust store holds signing keys, not %s ones", tg_key_alg(k));
	TG_REQUIRE(t->n < TG_MAX_TRUST_FILES, err, TG_E_LIMIT, "trust store: more than %u keys",
	    TG_MAX_TRUST_FILES);
	TG_REQUIRE(!tg_key_has_private(k), err, TG_E_USAGE,
	    "a private key; its .pub is what is trusted");
	if (e->label != NULL)
		TG_TRY(tgsp_name_check(tg_bytes_str(e->label), "label", err));
	more = realloc(t->at, (t->n + 1) * sizeof(*t->at));
	TG_REQUIRE(more != NULL, err, TG_E_NOMEM, "trust store: out of memory");
	t->at = more;
	label = e->label == NULL ? NULL : strdup(e->label);
	TG_REQUIRE(label != NULL || e->label == NULL, err, TG_E_NOMEM, "trust store: out of memory");
	t->at[t->n++] = (struct entry){ own, label, e->role, e->not_before, e->not_after };
	own = NULL;
	return TG_OK;
}

tg_status
tg_trust_remove(struct tg_trust *t, const uint8_t *key_id, struct tg_error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (memcmp(tg_key_id(t->at[i].key), key_id, TG_KEY_ID_LEN) != 0) {
			t->at[kept++] = t->at[i];
			continue;
		}
		tg_key_free(t->at[i].key);
		free(t->at[i].label);
	}
	TG_REQUIRE(kept < t->n, err, TG_E_NOTFOUND, "no such key in the store");
	t->n = kept;
	return TG_OK;
}

/* Before a JSON library copies what should not be copied. */
static tg_status
note_private(void *ctx, const char *path, tg_bytes raw, struct tg_error *err)
{
	(void)raw, (void)err;
	*(bool *)ctx |= strncmp(path, "private.", 8) == 0;
	return TG_OK;
}

static tg_status
refuse_private(tg_bytes text, const char *path, struct tg_error *err)
{
	bool found = false;
	const struct tg_json_visitor visitor = { note_private, &found };

	TG_TRY(tg_json_scan(text, TG_JSON_ORDINARY, path, &visitor, err));
	TG_REQUIRE(!found, err, TG_E_USAGE, "%s: a private key; its .pub is what is trusted", path);
	return TG_OK;
}

/* Within a store a key stands once in a role; several stores may well have the same. */
static tg_status
add_store(struct tg_trust *t, const struct tg_json *j, const char *path, struct tg_error *err)
{
	TG_AUTO(tg_trust_freep) struct tg_trust *one = NULL;

	TG_TRY(tg_trust_new(&one, err));
	TG_TRY(tgsp_store_read(one, j, path, err));
	for (size_t i = 0; i < one->n; i++) {
		const struct tg_trust_entry row = tg_trust_at(one, i);
		struct tg_key *k = one->at[i].key;

		one->at[i].key = NULL; /* append() has it now, whatever comes of it */
		TG_TRY(append(t, &row, k, err));
	}
	return TG_OK;
}

/* A key or a store: the text says which. */
static tg_status
add_file(struct tg_trust *t, enum tg_trust_role role, const char *path, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_TRUST_STORE };
	TG_AUTO(tg_json_freep) struct tg_json *j = NULL;
	struct tg_key *k = NULL;
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(tg_file_read(path, &text, err));
	TG_TRY(refuse_private(tg_buf_view(&text), path, err));
	if (tg_json_parse(tg_buf_view(&text), TG_JSON_ORDINARY, path, &j, NULL) == TG_OK &&
	    tgsp_is_store(j)) {
		TG_REQUIRE(role == TG_TRUST_AUTHOR, err, TG_E_USAGE,
		    "%s: a trust store says itself who is an author and who a delegate: give it with --trust",
		    path);
		return add_store(t, j, path, err);
	}
	TG_TRY(tg_key_parse(tg_buf_view(&text), path, NULL, &k, err));
	tg_status s = tg_trust_add(t, role, k, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", path, why.text);
	return TG_OK;
}

static tg_status
load_public(const char *path, struct tg_key **ret, struct tg_error *err)
{
	TG_AUTO(tg_buf_done) struct tg_buf text = { .max = TG_MAX_KEY_FILE };

	TG_TRY(tg_file_read(path, &text, err));
	TG_TRY(refuse_private(tg_buf_view(&text), path, err));
	return tg_key_parse(tg_buf_view(&text), path, NULL, ret, err);
}

struct folder {
	struct tg_trust *t;
	enum tg_trust_role role;
	const char *path;
	size_t added;
};

static tg_status
add_found(void *ctx, const char *rel, uint64_t size, struct tg_error *err)
{
	struct folder *f = ctx;
	const size_t n = strlen(rel);
	char path[2 * TG_MAX_PATH_LEN + 2];
	struct tg_key *k = NULL;

	(void)size;
	if (n < 4 || strcmp(rel + n - 4, ".pub") != 0)
		return TG_OK;
	TG_REQUIRE((size_t)snprintf(path, sizeof(path), "%s/%s", f->path, rel) < sizeof(path), err,
	    TG_E_LIMIT, "%s/%s: path too long", f->path, rel);
	TG_TRY(load_public(path, &k, err));
	if (tg_key_use_of(k) != TG_KEY_SIGNING) { /* keygen --type both puts one beside it */
		tg_key_free(k);
		return TG_OK;
	}
	TG_TRY(tg_trust_add(f->t, f->role, k, err));
	f->added++;
	return TG_OK;
}

tg_status
tg_trust_add_path(struct tg_trust *t, enum tg_trust_role role, const char *path,
    struct tg_error *err)
{
	TG_AUTO(tg_dir_closep) struct tg_dir *d = NULL;
	struct folder f = { t, role, path, 0 };
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return add_file(t, role, path, err);
	TG_TRY(tg_dir_open(path, &d, err));
	TG_TRY(tg_dir_walk(d, add_found, &f, err));
	TG_REQUIRE(f.added > 0, err, TG_E_NOTFOUND, "%s: no .pub file of a signing key in it", path);
	return TG_OK;
}

void
tg_trust_free(struct tg_trust *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
	{
		tg_key_free(t->at[i].key);
		free(t->at[i].label);
	}
	free(t->at);
	free(t);
}

/* Within its bounds; one that has bounds is not valid where nobody has said what time it is. */
static bool
is_valid(const struct tg_trust *t, const struct entry *e)
{
	if (e->not_before == INT64_MIN && e->not_after == INT64_MAX)
		return true;
	return t->has_now && t->now >= e->not_before && t->now <= e->not_after;
}

const struct tg_key *
tgsp_trust_find(const struct tg_trust *t, enum tg_trust_role role,
    const uint8_t id[static TG_KEY_ID_LEN])
{
	for (size_t i = 0; i < t->n; i++)
		if (is_entry(&t->at[i], role, id) && is_valid(t, &t->at[i]))
			return t->at[i].key;
	return NULL;
}
