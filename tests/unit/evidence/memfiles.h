/* tests/unit/evidence/memfiles.h - a log's files in memory: to copy, compare, damage, and to let
 * fail. */
#ifndef TG_TESTS_EVIDENCE_MEMFILES_H
#define TG_TESTS_EVIDENCE_MEMFILES_H

#include <errno.h>
#include <stdlib.h>

#include <tensorguard/log.h>

#include "util/try.h"

struct mem_file {
	char name[96];
	uint8_t *p;
	size_t n;
	uint8_t *safe; /* what a power failure leaves for certain; NULL: nothing */
	size_t safe_n;
};

/* Calls that change something, or make it durable. */
enum mem_call { MEM_OPEN, MEM_WRITE, MEM_TRUNCATE, MEM_SYNC, MEM_REPLACE, MEM_CALLS };

struct mem {
	struct tg_log_files files; /* of this very object */
	struct mem_file **file;
	size_t n;
	bool locked;
	unsigned long calls; /* so far, of all kinds */
	unsigned long
	    fail_at; /* this one fails, counted from 1, and all behind it if `forever`; 0: none */
	bool forever;
	bool half;	      /* a write that fails has written half */
	enum mem_call failed; /* what the last one to fail was */
};

static inline void
mem_check(const void *p)
{
	if (p != NULL)
		return;
	printf("Bail out! no memory\n");
	exit(1);
}

static inline struct mem_file *
mem_get(const struct mem *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->file[i]->name, name) == 0)
			return m->file[i];
	return NULL;
}

static inline void
mem_resize(struct mem_file *f, size_t n)
{
	uint8_t *p = malloc(n + 1);

	mem_check(p);
	if (f->p != NULL)
		memcpy(p, f->p, n < f->n ? n : f->n);
	if (n > f->n)
		memset(p + f->n, 0, n - f->n);
	free(f->p);
	f->p = p;
	f->n = n;
}

static inline struct mem_file *
mem_make(struct mem *m, const char *name)
{
	struct mem_file *f = mem_get(m, name);

	if (f != NULL)
		return f;
	struct mem_file **more = calloc(m->n + 1, sizeof(struct mem_file *));
	mem_check(more);
	if (m->n > 0)
		memcpy(more, m->file, m->n * sizeof(struct mem_file *));
	free(m->file);
	m->file = more;
	f = calloc(1, sizeof(*f));
	mem_check(f);
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	mem_resize(f, 0);
	m->file[m->n++] = f;
	return f;
}

static inline void
mem_put(struct mem *m, const char *name, const void *p, size_t n)
{
	struct mem_file *f = mem_make(m, name);

	mem_resize(f, n);
	if (n > 0)
		memcpy(f->p, p, n);
}

static inline void
mem_remove(struct mem *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->file[i]->name, name) == 0) {
			free(m->file[i]->p);
			free(m->file[i]->safe);
			free(m->file[i]);
			m->file[i] = m->file[--m->n];
			return;
		}
}

/* Everything whose name begins so. */
static inline void
mem_remove_all(struct mem *m, const char *prefix)
{
	for (size_t i = m->n; i-- > 0;)
		if (strncmp(m->file[i]->name, prefix, strlen(prefix)) == 0)
			mem_remove(m, m->file[i]->name);
}

static inline void
mem_make_safe(struct mem_file *f)
{
	free(f->safe);
	f->safe = malloc(f->n + 1);
	mem_check(f->safe);
	memcpy(f->safe, f->p, f->n);
	f->safe_n = f->n;
}

/* ---- as struct tg_log_files ---- */

static inline bool
mem_fails(struct mem *m, enum mem_call what)
{
	m->calls++;
	if (m->fail_at == 0 || m->calls < m->fail_at || (m->calls > m->fail_at && !m->forever))
		return false;
	m->failed = what;
	errno = ENOSPC;
	return true;
}

static inline tg_status
mem_open(void *ctx, const char *name, int create, void **ret, struct tg_error *err)
{
	struct mem *m = ctx;
	struct mem_file *f = mem_get(m, name);

	if (f == NULL && create != 0) {
		if (mem_fails(m, MEM_OPEN))
			return tg_fail(err, TG_E_IO, "%s: open: %m", name);
		f = mem_make(m, name);
		if (create == TG_LOG_CREATE)
			mem_make_safe(f);
	}
	TG_REQUIRE(f != NULL, err, TG_E_NOTFOUND, "%s: not there", name);
	*ret = f;
	return TG_OK;
}

static inline void
mem_close(void *ctx, void *file)
{
	(void)ctx, (void)file;
}

static inline tg_status
mem_size(void *ctx, void *file, uint64_t *ret, struct tg_error *err)
{
	(void)ctx, (void)err;
	*ret = ((struct mem_file *)file)->n;
	return TG_OK;
}

static inline tg_status
mem_read_at(void *ctx, void *file, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	const struct mem_file *f = file;

	(void)ctx;
	TG_REQUIRE(offset <= f->n && n <= f->n - offset, err, (errno = 0, TG_E_IO),
	    "%s: ends before byte %llu", f->name, (unsigned long long)(offset + n));
	if (n > 0)
		memcpy(buf, f->p + offset, n);
	return TG_OK;
}

static inline tg_status
mem_write_at(void *ctx, void *file, const void *p, size_t n, uint64_t offset, struct tg_error *err)
{
	struct mem *m = ctx;
	struct mem_file *f = file;
	const bool fails = mem_fails(m, MEM_WRITE);
	const size_t put = fails ? (m->half ? n / 2 : 0) : n;

	if (offset + put > f->n && put > 0)
		mem_resize(f, (size_t)offset + put);
	if (put > 0)
		memcpy(f->p + offset, p, put);
	return fails ? tg_fail(err, TG_E_IO, "%s: write: %m", f->name) : TG_OK;
}

static inline tg_status
mem_truncate(void *ctx, void *file, uint64_t size, struct tg_error *err)
{
	struct mem_file *f = file;

	if (mem_fails(ctx, MEM_TRUNCATE))
		return tg_fail(err, TG_E_IO, "%s: cut: %m", f->name);
	mem_resize(f, (size_t)size);
	return TG_OK;
}

static inline tg_status
mem_sync(void *ctx, void *file, struct tg_error *err)
{
	if (mem_fails(ctx, MEM_SYNC))
		return tg_fail(err, TG_E_IO, "%s: sync: %m", ((struct mem_file *)file)->name);
	mem_make_safe(file);
	return TG_OK;
}

static inline tg_status
mem_replace(void *ctx, const char *name, const void *p, size_t n, struct tg_error *err)
{
	if (mem_fails(ctx, MEM_REPLACE))
		return tg_fail(err, TG_E_IO, "%s: replace: %m", name);
	mem_put(ctx, name, p, n);
	mem_make_safe(mem_get(ctx, name));
	return TG_OK;
}

static inline tg_status
mem_list(void *ctx, const char *folder,
    tg_status (*found)(void *to, const char *name, struct tg_error *err), void *to,
    struct tg_error *err)
{
	const struct mem *m = ctx;
	const size_t n = strlen(folder);

	for (size_t i = 0; i < m->n; i++)
		if (strncmp(m->file[i]->name, folder, n) == 0 && m->file[i]->name[n] == '/')
			TG_TRY(found(to, m->file[i]->name + n + 1, err));
	return TG_OK;
}

static inline tg_status
mem_lock(void *ctx, unsigned wait_ms, void **ret, struct tg_error *err)
{
	struct mem *m = ctx;

	(void)wait_ms;
	TG_REQUIRE(!m->locked, err, TG_E_BUSY, "locked");
	m->locked = true;
	*ret = m;
	return TG_OK;
}

static inline void
mem_unlock(void *ctx, void *lock)
{
	(void)lock;
	((struct mem *)ctx)->locked = false;
}

static inline const struct tg_log_files *
mem_files(struct mem *m)
{
	m->files = (struct tg_log_files){ mem_open, mem_close, mem_size, mem_read_at, mem_write_at,
		mem_truncate, mem_sync, mem_replace, mem_list, mem_lock, mem_unlock, m };
	return &m->files;
}

/* ---- all of them ---- */

static inline void
mem_clear(struct mem *m)
{
	while (m->n > 0)
		mem_remove(m, m->file[0]->name);
	free(m->file);
	memset(m, 0, sizeof(*m));
}

/* What `to` held is gone. */
static inline void
mem_copy(struct mem *to, const struct mem *from)
{
	mem_clear(to);
	for (size_t i = 0; i < from->n; i++)
		mem_put(to, from->file[i]->name, from->file[i]->p, from->file[i]->n);
}

/* The same files with the same bytes; `lock` does not count. */
static inline bool
mem_same(const struct mem *a, const struct mem *b)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct mem_file *f = a->file[i], *g = mem_get(b, f->name);

		n++;
		if (g == NULL || g->n != f->n || memcmp(g->p, f->p, f->n) != 0) {
			printf("# %s is not the same\n", f->name);
			return false;
		}
	}
	return n == b->n;
}

#endif
