#include <stdio.h>
#include <stdlib.h>

#include "tgsp/files.h"
#include "util/dir.h"
#include "util/try.h"

/* What must be taken back when a later file fails. */
struct extract {
	struct tg_dir *dir;
	bool force;
	struct tg_newfile *now;
	const struct tgsp_manifest *m;
	size_t committed; /* files 0 ... committed-1 have their names */
	bool *there;      /* which files stood there before */
	bool in_the_way;  /* any of them */
	char **made;      /* folders that were not there, parents first */
	size_t n_made;
};

static tg_status
extract_begin(void *ctx, const struct tg_package_file *f, struct tg_error *err)
{
	struct extract *x = ctx;

	return tg_newfile_create(x->dir, f->path, 0644, &x->now, err);
}

static tg_status
extract_data(void *ctx, const uint8_t *p, size_t n, struct tg_error *err)
{
	const struct extract *x = ctx;
	const struct tg_sink to = tg_newfile_sink(x->now);

	return to.write(to.ctx, p, n, err);
}

static tg_status
extract_end(void *ctx, const struct tg_package_file *f, struct tg_error *err)
{
	struct extract *x = ctx;

	(void)f;
	TG_TRY(tg_newfile_set_mtime(x->now, TGSP_MTIME, err));
	TG_TRY(tg_newfile_commit(x->now, x->force, err));
	tg_newfile_close(x->now);
	x->now = NULL;
	x->committed++;
	return TG_OK;
}

/* Remember the folders of `path` that are not there yet. */
static tg_status
note_folders(struct extract *x, const char *path, struct tg_error *err)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		char *folder = strndup(path, (size_t)(slash - path));
		char **more = NULL;

		TG_REQUIRE(folder != NULL, err, TG_E_NOMEM, "extract: out of memory");
		if (tg_dir_has(x->dir, folder) ||
		    (x->n_made > 0 && strcmp(x->made[x->n_made - 1], folder) == 0)) {
			free(folder);
			continue;
		}
		more = realloc(x->made, (x->n_made + 1) * sizeof(*more));
		if (more == NULL) {
			free(folder);
			return tg_fail(err, TG_E_NOMEM, "extract: out of memory");
		}
		x->made = more;
		x->made[x->n_made++] = folder;
	}
	return TG_OK;
}

/* Before anything is decrypted: is there a file in the way? */
static tg_status
look_first(struct extract *x, struct tg_error *err)
{
	for (size_t i = 0; i < x->m->n_files; i++) {
		const char *path = x->m->files[i].f.path;

		x->there[i] = tg_dir_has(x->dir, path);
		x->in_the_way |= x->there[i];
		TG_REQUIRE(x->force || !x->there[i], err, TG_E_CONFLICT,
		    "%s/%s: exists already (--force replaces it)", tg_dir_name(x->dir), path);
		TG_TRY(note_folders(x, path, err));
	}
	return TG_OK;
}

static void
take_back(struct extract *x)
{
	/* what has replaced an older file stays: the older one cannot be brought back */
	for (size_t i = 0; i < x->committed; i++)
		if (!x->there[i])
			tg_dir_remove(x->dir, x->m->files[i].f.path);
	for (size_t i = x->n_made; i > 0; i--)
		tg_dir_remove(x->dir, x->made[i - 1]);
}

static void
extract_done(struct extract *x)
{
	tg_newfile_close(x->now);
	for (size_t i = 0; i < x->n_made; i++)
		free(x->made[i]);
	free(x->made);
	free(x->there);
	tg_dir_close(x->dir);
}

tg_status
tgsp_extract(const struct tgsp_reader *r, const char *dir, bool force, struct tg_error *err)
{
	TG_AUTO(extract_done) struct extract x = { .force = force, .m = r->manifest };
	const struct tgsp_file_events events = { extract_begin, extract_data, extract_end, &x };
	bool made = false;

	x.there = calloc(x.m->n_files + 1, sizeof(*x.there));
	TG_REQUIRE(x.there != NULL, err, TG_E_NOMEM, "extract: out of memory");
	TG_TRY(tg_dir_make(dir, &x.dir, &made, err));
	tg_status s = look_first(&x, err);
	if (s == TG_OK && x.in_the_way) /* no old file is given up for a package that is not sound */
		s = tgsp_files_read(r, true, NULL, err);
	if (s == TG_OK)
		s = tgsp_files_read(r, true, &events, err);
	if (s != TG_OK) {
		take_back(&x);
		if (made)
			(void)remove(dir);
	}
	return s;
}
