#include "tgsp/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tensorguard/limits.h>

#include "util/dir.h"
#include "util/try.h"

struct entry {
	enum tg_trust_role role;
	struct tg_key *key;
};

struct tg_trust {
	struct entry *at;
	size_t n;
};

tg_status
tg_trust_new(struct tg_trust **ret, struct tg_error *err)
{
	struct tg_trust *t = calloc(1, sizeof(*t));

	TG_REQUIRE(t != NULL, err, TG_E_NOMEM, "trust store: out of memory");
	*ret = t;
	return TG_OK;
}

tg_status
tg_trust_add(struct tg_trust *t, enum tg_trust_role role, struct tg_key *k, struct tg_error *err)
{
	TG_AUTO(tg_key_freep) struct tg_key *own = k;
	struct entry *more;

	TG_REQUIRE(tg_key_use_of(k) == TG_KEY_SIGNING, err, TG_E_USAGE,
	    "a trust store holds signing keys, not %s ones", tg_key_alg(k));
	TG_REQUIRE(t->n < TG_MAX_TRUST_FILES, err, TG_E_LIMIT, "trust store: more than %u keys",
	    TG_MAX_TRUST_FILES);
	more = realloc(t->at, (t->n + 1) * sizeof(*t->at));
	TG_REQUIRE(more != NULL, err, TG_E_NOMEM, "trust store: out of memory");
	t->at = more;
	t->at[t->n++] = (struct entry){ role, own };
	own = NULL;
	return TG_OK;
}

static tg_status
add_file(struct tg_trust *t, enum tg_trust_role role, const char *path, struct tg_error *err)
{
	struct tg_key *k = NULL;
	struct tg_error why = TG_ERROR_INIT;

	TG_TRY(tg_key_load(path, NULL, &k, err));
	tg_status s = tg_trust_add(t, role, k, &why);
	TG_REQUIRE(s == TG_OK, err, s, "%s: %s", path, why.text);
	return TG_OK;
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
	TG_TRY(tg_key_load(path, NULL, &k, err));
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
		tg_key_free(t->at[i].key);
	free(t->at);
	free(t);
}

const struct tg_key *
tgsp_trust_find(const struct tg_trust *t, enum tg_trust_role role,
    const uint8_t id[static TG_KEY_ID_LEN])
{
	for (size_t i = 0; i < t->n; i++)
		if (t->at[i].role == role && memcmp(tg_key_id(t->at[i].key), id, TG_KEY_ID_LEN) == 0)
			return t->at[i].key;
	return NULL;
}
