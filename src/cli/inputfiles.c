#include "cli/inputfiles.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tensorguard/limits.h>

#include "util/try.h"

struct inputfile {
	const struct tg_dir *dir;
	char *rel;
	struct tg_file *file; /* while it is open */
};

void
inputfiles_done(struct inputfiles *in)
{
	for (size_t i = 0; i < in->n; i++)
		free(in->at[i].rel);
	free(in->at);
	free(in->rows);
	tg_dir_close(in->dir);
}

static tg_status
input_open(void *ctx, struct tg_source *ret, struct tg_error *err)
{
	struct inputfile *i = ctx;

	TG_TRY(tg_dir_file(i->dir, i->rel, &i->file, err));
	*ret = tg_file_source(i->file);
	return TG_OK;
}

static void
input_close(void *ctx, struct tg_source *src)
{
	struct inputfile *i = ctx;

	(void)src;
	tg_file_close(i->file);
	i->file = NULL;
}

static tg_status
found(void *ctx, const char *rel, uint64_t size, struct tg_error *err)
{
	struct inputfiles *in = ctx;

	(void)size;
	TG_REQUIRE(in->n < TG_MAX_INPUT_FILES, err, TG_E_LIMIT,
	    "%s: more than %u files do not fit into a package", tg_dir_name(in->dir),
	    TG_MAX_INPUT_FILES);
	if (in->n == in->cap) {
		const size_t cap = in->cap == 0 ? 64 : 2 * in->cap;
		struct inputfile *more = realloc(in->at, cap * sizeof(*more));

		TG_REQUIRE(more != NULL, err, TG_E_NOMEM, "build: out of memory");
		in->at = more;
		in->cap = cap;
	}
	in->at[in->n] = (struct inputfile){ in->dir, strdup(rel), NULL };
	TG_REQUIRE(in->at[in->n].rel != NULL, err, TG_E_NOMEM, "build: out of memory");
	in->n++;
	return TG_OK;
}

/* A package that is replaced from its own input folder would swallow the one before it. */
static tg_status
refuse_own_output(const struct inputfiles *in, const char *out, struct tg_error *err)
{
	struct stat old, st;

	if (stat(out, &old) != 0)
		return TG_OK;
	for (size_t i = 0; i < in->n; i++)
		TG_REQUIRE(fstatat(tg_dir_fd(in->dir), in->at[i].rel, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
			st.st_dev != old.st_dev || st.st_ino != old.st_ino,
		    err, TG_E_USAGE, "%s: lies in the input folder, and would be packaged itself", out);
	return TG_OK;
}

tg_status
inputfiles_list(const char *path, const char *out, struct inputfiles *in, struct tg_error *err)
{
	TG_TRY(tg_dir_open(path, &in->dir, err));
	TG_TRY(tg_dir_walk(in->dir, found, in, err));
	TG_REQUIRE(in->n > 0, err, TG_E_USAGE, "%s: no file in it, nothing to package", path);
	TG_TRY(refuse_own_output(in, out, err));
	in->rows = calloc(in->n, sizeof(*in->rows));
	TG_REQUIRE(in->rows != NULL, err, TG_E_NOMEM, "build: out of memory");
	for (size_t i = 0; i < in->n; i++)
		in->rows[i] = (struct tg_build_input){ in->at[i].rel, input_open, input_close,
			&in->at[i] };
	return TG_OK;
}
