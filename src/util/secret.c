#include <tensorguard/secret.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util/try.h"
#include "util/wipe.h"

struct tg_secret {
	uint8_t *map; /* guard page | data pages | guard page */
	size_t map_len;
	uint8_t *user;
	size_t len;
	bool locked;
};

/* What the operating system let us do is a fact about the process, so these two are global. */
static atomic_bool require_locked;
static atomic_size_t unlocked_bytes;

void
tg_secret_require_locked(void)
{
	atomic_store(&require_locked, true);
}

size_t
tg_secret_unlocked(void)
{
	return atomic_load(&unlocked_bytes);
}

static tg_status
protect(uint8_t *data, size_t n, bool *ret_locked, struct tg_error *err)
{
	TG_REQUIRE(mprotect(data, n, PROT_READ | PROT_WRITE) == 0, err, TG_E_NOMEM,
	    "protected memory: %zu bytes not to be had", n);
	TG_REQUIRE(madvise(data, n, MADV_DONTDUMP) == 0 && madvise(data, n, MADV_WIPEONFORK) == 0,
	    err, TG_E_UNSUPPORTED,
	    "protected memory: this kernel cannot keep %zu bytes out of core dumps and forks", n);
	*ret_locked = mlock(data, n) == 0;
	if (!*ret_locked && atomic_load(&require_locked)) {
		struct rlimit lim = { 0 };

		(void)getrlimit(RLIMIT_MEMLOCK, &lim);
		return tg_fail(err, TG_E_LIMIT,
		    "cannot lock %zu bytes into memory (RLIMIT_MEMLOCK is %llu): raise it with "
		    "'ulimit -l' or LimitMEMLOCK=, or go without '--require locked'",
		    n, (unsigned long long)lim.rlim_cur);
	}
	if (!*ret_locked)
		atomic_fetch_add(&unlocked_bytes, n);
	return TG_OK;
}

tg_status
tg_secret_new(size_t n, struct tg_secret **ret, struct tg_error *err)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	TG_REQUIRE(n > 0 && n < SIZE_MAX - 4 * page, err, TG_E_USAGE, "a secret of %zu bytes", n);
	struct tg_secret *s = calloc(1, sizeof(*s));
	TG_REQUIRE(s != NULL, err, TG_E_NOMEM, "protected memory: out of memory");
	const size_t data = (n + page - 1) / page * page;
	s->map_len = data + 2 * page;
	s->map = mmap(NULL, s->map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->map == MAP_FAILED) {
		free(s);
		return tg_fail(err, TG_E_NOMEM, "protected memory: %zu bytes not to be had", n);
	}
	tg_status st = protect(s->map + page, data, &s->locked, err);
	if (st != TG_OK) {
		munmap(s->map, s->map_len);
		free(s);
		return st;
	}
	s->user = s->map + page + data - n; /* an overrun hits the guard page */
	s->len = n;
	*ret = s;
	return TG_OK;
}

void
tg_secret_free(struct tg_secret *s)
{
	if (s == NULL)
		return;
	tg_wipe(s->user, s->len);
	munmap(s->map, s->map_len);
	free(s);
}

uint8_t *
tg_secret_bytes(const struct tg_secret *s)
{
	return s->user;
}

size_t
tg_secret_len(const struct tg_secret *s)
{
	return s->len;
}

int
tg_secret_is_locked(const struct tg_secret *s)
{
	return s->locked;
}
