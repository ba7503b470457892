/*
 * All files of a package into a folder. They are written without names, and get their names when
 * the whole package has proved sound, so that nothing of an unsound or interrupted one is ever
 * seen. Where a process may not hold that many files open, everything is verified first, and the
 * files get their names in turns.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tgsp/files.h"
#include "util/newfile.h"
#include "util/try.h"

struct extract {
	struct tg_dir *dir;
	bool force;
	const struct tgsp_manifest *m;
	struct tg_newfile **file; /* one for each of the package; NULL before and after its time */
	size_t next;              /* file to begin */
	size_t committed;         /* files 0 ... committed-1 have their names */
	size_t most;              /* files held open at a time */
	bool *there;              /* which files stood there before */
	char **made;              /* folders that were not there, parents first */
	size_t n_made;
};

static tg_status
extract_begin(void *ctx, const struct tg_package_file *f, struct tg_error *err)
{
	struct extract *x = ctx;

	return tg_newfile_create(x->dir, f->path, 0644, &x->file[x->next], err);
}

static tg_status
extract_data(void *ctx, const uint8_t *p, size_t n, struct tg_error *err)
{
	const struct extract *x = ctx;
	const struct tg_sink to = tg_newfile_sink(x->file[x->next]);

	return to.write(to.ctx, p, n, err);
}

/* Names for all files that are complete. */
static tg_status
commit_all(struct extract *x, struct tg_error *err)
{
	for (; x->committed < x->next; x->committed++) {
		struct tg_newfile **f = &x->file[x->committed];

		TG_TRY(tg_newfile_commit(*f, x->force, err));
		tg_newfile_close(*f);
		*f = NULL;
	}
	return TG_OK;
}

static tg_status
extract_end(void *ctx, const struct tg_package_file *f, struct tg_error *err)
{
	struct extract *x = ctx;

	(void)f;
	TG_TRY(tg_newfile_set_mtime(x->file[x->next], TGSP_MTIME, err));
	x->next++;
	return x->next - x->committed < x->most ? TG_OK : commit_all(x, err);
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
		TG_REQUIRE(x->force || !x->there[i], err, TG_E_CONFLICT,
		    "%s/%s: exists already (--force replaces it)", tg_dir_name(x->dir), path);
		TG_TRY(note_folders(x, path, err));
	}
	return TG_OK;
}

/* Giving names failed half-way: take them back. What has replaced an older file stays, as the
 * older one cannot be brought back; it is complete and verified. */
static void
take_back(struct extract *x)
{
	for (size_t i = 0; i < x->committed; i++)
		if (!x->there[i])
			tg_dir_remove(x->dir, x->m->files[i].f.path);
	for (size_t i = x->n_made; i > 0; i--)
		tg_dir_remove(x->dir, x->made[i - 1]);
}

static void
extract_done(struct extract *x)
{
	for (size_t i = 0; x->file != NULL && i < x->m->n_files; i++)
		tg_newfile_close(x->file[i]);
	for (size_t i = 0; i < x->n_made; i++)
		free(x->made[i]);
	free(x->file);
	free(x->made);
	free(x->there);
	tg_dir_close(x->dir);
}

static tg_status
extract(struct extract *x, const struct tgsp_reader *r, struct tg_error *err)
{
	const struct tgsp_file_events events = { extract_begin, extract_data, extract_end, x };

	TG_TRY(look_first(x, err));
	if (x->most < x->m->n_files)
		TG_TRY(tgsp_files_read(r, true, NULL, err));
	TG_TRY(tgsp_files_read(r, true, &events, err));
	return commit_all(x, err);
}

tg_status
tgsp_extract(const struct tgsp_reader *r, const char *dir, bool force, struct tg_error *err)
{
	const size_t n = r->manifest->n_files;
	TG_AUTO(extract_done) struct extract x = { .force = force, .m = r->manifest,
		.most = tg_files_allowed(n + 1) };
	bool made = false;

	TG_REQUIRE(x.most > 0, err, TG_E_LIMIT, "extract: no more files may be open (RLIMIT_NOFILE)");
	x.there = calloc(n + 1, sizeof(*x.there));
	x.file = calloc(n + 1, sizeof(*x.file));
	TG_REQUIRE(x.there != NULL && x.file != NULL, err, TG_E_NOMEM, "extract: out of memory");
	TG_TRY(tg_dir_make(dir, &x.dir, &made, err));
	tg_status s = extract(&x, r, err);
	if (s != TG_OK) {
		take_back(&x);
		if (made)
			(void)remove(dir);
	}
	return s;
}
