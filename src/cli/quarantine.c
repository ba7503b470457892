/* A package from a pipe waits whole in protected memory: its signature stands at its end, and
 * nothing may be released before that has been checked. */
#include <errno.h>
#include <unistd.h>

#include "cli/reader.h"
#include "util/try.h"

#define FIRST_BYTES (1u << 20)

void
quarantine_done(struct quarantine *q)
{
	for (unsigned i = 0; i < q->n; i++)
		tg_secret_free(q->block[i]);
	q->n = 0;
}

/* As much again as there is, so that nothing has to be copied, and never above the limit. */
static tg_status
add_block(struct quarantine *q, uint64_t limit, struct tg_error *err)
{
	const uint64_t want = q->size == 0 ? FIRST_BYTES : q->size;
	const uint64_t left = limit - q->size;

	TG_REQUIRE(q->n < TG_LEN(q->block), err, TG_E_INTERNAL, "standard input: too many blocks");
	TG_TRY(tg_secret_new((size_t)(want < left ? want : left), &q->block[q->n], err));
	q->n++;
	return TG_OK;
}

static tg_status
read_some(int fd, void *to, size_t n, size_t *ret, struct tg_error *err)
{
	ssize_t got;

	do
		got = read(fd, to, n);
	while (got < 0 && errno == EINTR);
	TG_REQUIRE(got >= 0, err, TG_E_IO, "standard input: %m");
	*ret = (size_t)got;
	return TG_OK;
}

/* Fill the last block; *ret_more is false when the input ended. */
static tg_status
fill_block(int fd, struct quarantine *q, bool *ret_more, struct tg_error *err)
{
	struct tg_secret *b = q->block[q->n - 1];
	size_t have = 0, got = 1;

	while (have < tg_secret_len(b) && got > 0) {
		TG_TRY(read_some(fd, tg_secret_bytes(b) + have, tg_secret_len(b) - have, &got, err));
		have += got;
	}
	q->size += have;
	*ret_more = got > 0;
	return TG_OK;
}

static tg_status
read_all(int fd, uint64_t limit, struct quarantine *q, struct tg_error *err)
{
	bool more = true;

	while (more && q->size < limit) {
		TG_TRY(add_block(q, limit, err));
		TG_TRY(fill_block(fd, q, &more, err));
	}
	if (more) { /* exactly full: is that all? */
		uint8_t byte;
		size_t got = 0;

		TG_TRY(read_some(fd, &byte, 1, &got, err));
		TG_REQUIRE(got == 0, err, TG_E_LIMIT,
		    "standard input: more than %llu MiB (--pipe-limit allows more, a file needs none)",
		    (unsigned long long)(limit >> 20));
	}
	return TG_OK;
}

tg_status
quarantine_read(int fd, uint64_t limit, struct quarantine *ret, struct tg_error *err)
{
	struct quarantine q = { .n = 0 };
	tg_status s = read_all(fd, limit, &q, err);

	if (s != TG_OK) {
		quarantine_done(&q);
		return s;
	}
	*ret = q;
	return TG_OK;
}

static tg_status
quarantine_read_at(void *ctx, void *buf, size_t n, uint64_t offset, struct tg_error *err)
{
	const struct quarantine *q = ctx;
	uint8_t *to = buf;
	uint64_t start = 0;

	TG_REQUIRE(offset <= q->size && n <= q->size - offset, err, TG_E_USAGE,
	    "read of %zu bytes at %llu, past the end", n, (unsigned long long)offset);
	for (unsigned i = 0; n > 0 && i < q->n; i++) {
		const size_t len = tg_secret_len(q->block[i]);

		if (offset < start + len) {
			const size_t at = (size_t)(offset - start), run = len - at < n ? len - at : n;

			memcpy(to, tg_secret_bytes(q->block[i]) + at, run);
			to += run;
			offset += run;
			n -= run;
		}
		start += len;
	}
	return TG_OK;
}

struct tg_source
quarantine_source(struct quarantine *q)
{
	return (struct tg_source){ quarantine_read_at, q, q->size };
}
