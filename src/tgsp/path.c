#include "tgsp/path.h"

#include <stdlib.h>
#include <tensorguard/limits.h>

#include "util/text.h"
#include "util/try.h"

/* How much of a path a message quotes, so that the reason behind it is not cut off. */
static int
shown(tg_bytes path)
{
	return path.n > 200 ? 200 : (int)path.n;
}

static tg_status
component_check(tg_bytes path, size_t from, size_t to, struct tg_error *err)
{
	const size_t n = to - from;
	const uint8_t *c = path.p + from;

	TG_REQUIRE(n > 0, err, TG_E_FORMAT, "path \"%.*s\": empty component", shown(path), path.p);
	TG_REQUIRE(n <= TG_MAX_PATH_COMPONENT, err, TG_E_FORMAT,
	    "path \"%.*s\": component longer than %u bytes", shown(path), path.p,
	    TG_MAX_PATH_COMPONENT);
	TG_REQUIRE(!(n == 1 && c[0] == '.') && !(n == 2 && c[0] == '.' && c[1] == '.'), err,
	    TG_E_FORMAT, "path \"%.*s\": \".\" or \"..\" in it", shown(path), path.p);
	return TG_OK;
}

tg_status
tgsp_path_check(tg_bytes path, struct tg_error *err)
{
	size_t from = 0;

	TG_REQUIRE(path.n > 0 && path.n <= TG_MAX_PATH_LEN, err, TG_E_FORMAT,
	    "path of %zu bytes, 1 ... %u expected", path.n, TG_MAX_PATH_LEN);
	TG_REQUIRE(tg_utf8_valid(path), err, TG_E_FORMAT, "path that is not UTF-8");
	for (size_t i = 0; i <= path.n; i++) {
		if (i == path.n || path.p[i] == '/') {
			TG_TRY(component_check(path, from, i, err));
			from = i + 1;
		} else {
			TG_REQUIRE(path.p[i] >= 0x20 && path.p[i] != 0x7f && path.p[i] != '\\', err,
			    TG_E_FORMAT, "path \"%.*s\": byte 0x%02x in it", shown(path), path.p,
			    path.p[i]);
		}
	}
	return TG_OK;
}

static int
by_text(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;

	return strcmp(x, y);
}

static void
fold(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

struct folded {
	char **at;
	size_t n;
};

static void
folded_done(struct folded *f)
{
	for (size_t i = 0; i < f->n && f->at != NULL; i++)
		free(f->at[i]);
	free(f->at);
}

/* Is one of this path's leading directories itself a path? */
static bool
under_a_file(const struct folded *f, char *path)
{
	for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		const bool found = bsearch(&path, f->at, f->n, sizeof(*f->at), by_text) != NULL;
		*slash = '/';
		if (found)
			return true;
	}
	return false;
}

static tg_status
folded_check(const struct folded *f, struct tg_error *err)
{
	for (size_t i = 1; i < f->n; i++)
		TG_REQUIRE(strcmp(f->at[i - 1], f->at[i]) != 0, err, TG_E_FORMAT,
		    "path \"%.200s\": there twice, up to upper and lower case", f->at[i]);
	for (size_t i = 0; i < f->n; i++) {
		/* a copy, as bsearch compares with the list while the path is cut */
		char copy[TG_MAX_PATH_LEN + 1];

		memcpy(copy, f->at[i], strlen(f->at[i]) + 1);
		TG_REQUIRE(!under_a_file(f, copy), err, TG_E_FORMAT,
		    "path \"%.200s\": another file's name is its folder", f->at[i]);
	}
	return TG_OK;
}

tg_status
tgsp_paths_check(const char *const *paths, size_t n, struct tg_error *err)
{
	TG_AUTO(folded_done) struct folded f = { calloc(n + 1, sizeof(char *)), n };

	TG_REQUIRE(f.at != NULL, err, TG_E_NOMEM, "paths: out of memory");
	for (size_t i = 0; i < n; i++) {
		TG_TRY(tgsp_path_check(tg_bytes_str(paths[i]), err));
		TG_REQUIRE(i == 0 || strcmp(paths[i - 1], paths[i]) < 0, err, TG_E_FORMAT,
		    "path \"%.200s\": twice or out of order", paths[i]);
		f.at[i] = strdup(paths[i]);
		TG_REQUIRE(f.at[i] != NULL, err, TG_E_NOMEM, "paths: out of memory");
		fold(f.at[i]);
	}
	qsort(f.at, n, sizeof(*f.at), by_text);
	return folded_check(&f, err);
}
