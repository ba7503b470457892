/* A package from a pipe waits whole in protected memory: its signature stands at its end, and
 * nothing may be released before that has been checked. */
#include <errno.h>
#include <unistd.h>

#include "cli/reader.h"
#include "util/try.h"

#define FIRST_BYTES (1u << 20)

/* Twice the memory, the old block wiped. */
static tg_status
grow(struct tg_secret **mem, size_t have, uint64_t limit, struct tg_error *err)
{
	const uint64_t twice = *mem == NULL ? FIRST_BYTES : 2 * (uint64_t)tg_secret_len(*mem);
	struct tg_secret *more = NULL;

	TG_TRY(tg_secret_new((size_t)(twice < limit ? twice : limit), &more, err));
	if (have > 0)
		memcpy(tg_secret_bytes(more), tg_secret_bytes(*mem), have);
	tg_secret_free(*mem);
	*mem = more;
	return TG_OK;
}

tg_status
quarantine_read(int fd, uint64_t limit, struct quarantine *ret, struct tg_error *err)
{
	TG_AUTO(tg_secret_freep) struct tg_secret *mem = NULL;
	size_t have = 0;

	for (;;) {
		/* one byte beyond the limit tells "exactly full" from "more to come" */
		if (mem == NULL || have == tg_secret_len(mem)) {
			TG_REQUIRE(have <= limit, err, TG_E_LIMIT,
			    "standard input: more than %llu MiB (--pipe-limit allows more, a file needs none)",
			    (unsigned long long)(limit >> 20));
			TG_TRY(grow(&mem, have, limit + 1, err));
		}
		ssize_t got = read(fd, tg_secret_bytes(mem) + have, tg_secret_len(mem) - have);

		if (got < 0 && errno == EINTR)
			continue;
		TG_REQUIRE(got >= 0, err, TG_E_IO, "standard input: %m");
		if (got == 0)
			break;
		have += (size_t)got;
	}
	TG_REQUIRE(have <= limit, err, TG_E_LIMIT,
	    "standard input: more than %llu MiB (--pipe-limit allows more, a file needs none)",
	    (unsigned long long)(limit >> 20));
	*ret = (struct quarantine){ mem, { tg_secret_bytes(mem), have } };
	mem = NULL;
	return TG_OK;
}
