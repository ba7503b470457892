#include "tensor/tar.h"

#include <inttypes.h>

#include "util/try.h"

#define BLOCK        512u
#define EXTENDED_MAX (64u << 10)

/* Places in a header block. */
enum { NAME_LEN = 100, SIZE_AT = 124, SIZE_LEN = 12, SUM_AT = 148, SUM_LEN = 8, TYPE_AT = 156 };

/* An octal number that a space or NUL may end. */
static bool
octal_get(const uint8_t *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0'); /* 12 digits at most: 36 bits */
	if (i < n && p[i] != ' ' && p[i] != '\0')
		return false;
	*ret = v;
	return true;
}

/* Octal, or big-endian binary with the top bit as its sign. */
static bool
size_get(const uint8_t block[static BLOCK], uint64_t *ret)
{
	const uint8_t *p = block + SIZE_AT;
	uint64_t v = 0;

	if (p[0] != 0x80)
		return octal_get(p, SIZE_LEN, ret);
	for (size_t i = 1; i < SIZE_LEN; i++) {
		if (v >> 56 != 0)
			return false;
		v = v << 8 | p[i];
	}
	*ret = v;
	return true;
}

/* The sum over the block, its own field taken as spaces; old writers summed signed bytes. */
static bool
sum_is_right(const uint8_t block[static BLOCK])
{
	uint64_t want = 0;
	int64_t plain = 0, sign = 0;

	if (!octal_get(block + SUM_AT, SUM_LEN, &want))
		return false;
	for (size_t i = 0; i < BLOCK; i++) {
		uint8_t c = i >= SUM_AT && i < SUM_AT + SUM_LEN ? ' ' : block[i];

		plain += c;
		sign += (int8_t)c;
	}
	return (int64_t)want == plain || (int64_t)want == sign;
}

/* *ret is false at the end of the archive. */
static tg_status
header_read(struct tg_tar *t, uint8_t block[static BLOCK], bool *ret, struct tg_error *err)
{
	*ret = false;
	if (t->at > t->in.src->size || t->in.src->size - t->at < BLOCK)
		return TG_OK;
	TG_TRY(tg_window_read(&t->in, t->at, block, BLOCK, err));
	*ret = sum_is_right(block);
	return TG_OK;
}

void
tg_tar_init(struct tg_tar *t, const struct tg_source *src)
{
	tg_window_init(&t->in, src);
	t->at = 0;
}

tg_status
tg_tar_probe(const struct tg_source *src, bool *ret, struct tg_error *err)
{
	uint8_t block[BLOCK];
	struct tg_tar t;

	tg_tar_init(&t, src);
	return header_read(&t, block, ret, err);
}

/* Has the extended header at `offset` something to say about sizes? */
static tg_status
extended_check(struct tg_tar *t, uint64_t offset, uint64_t size, struct tg_error *err)
{
	uint8_t text[1024];
	size_t kept = 0; /* of the block before: a key may lie across the border */

	TG_REQUIRE(size <= EXTENDED_MAX, err, TG_E_LIMIT,
	    "offset %" PRIu64 ": an extended tar header of %" PRIu64 " bytes, at most %u expected",
	    offset, size, EXTENDED_MAX);
	while (size > 0) {
		size_t n = size < sizeof(text) - kept ? (size_t)size : sizeof(text) - kept;

		TG_TRY(tg_window_read(&t->in, offset, text + kept, n, err));
		TG_REQUIRE(memmem(text, kept + n, "size=", 5) == NULL &&
			memmem(text, kept + n, "sparse", 6) == NULL,
		    err, TG_E_FORMAT, "offset %" PRIu64 ": a tar with sizes in extended headers",
		    offset);
		offset += n;
		size -= n;
		kept = kept + n < 8 ? kept + n : 8;
		memmove(text, text + (sizeof(text) - 8), size > 0 ? 8 : 0);
	}
	return TG_OK;
}

/* How many bytes follow the header. Links, devices, folders have none, whatever they say. */
static tg_status
contents_get(struct tg_tar *t, const uint8_t block[static BLOCK], uint64_t *ret,
    struct tg_error *err)
{
	uint8_t type = block[TYPE_AT];
	uint64_t size = 0;

	TG_REQUIRE(size_get(block, &size), err, TG_E_FORMAT,
	    "offset %" PRIu64 ": a tar member without a size", t->at);
	TG_REQUIRE(type != 'S', err, TG_E_FORMAT, "offset %" PRIu64 ": a sparse tar member", t->at);
	if (type >= '1' && type <= '6')
		size = 0;
	if (type == '\0') {
		size_t n = strnlen((const char *)block, NAME_LEN);

		TG_REQUIRE(size == 0 || n == 0 || block[n - 1] != '/', err, TG_E_FORMAT,
		    "offset %" PRIu64 ": a tar folder with contents", t->at);
	}
	*ret = size;
	return TG_OK;
}

tg_status
tg_tar_next(struct tg_tar *t, struct tg_tar_member *ret, bool *ret_found, struct tg_error *err)
{
	uint64_t left, size = 0;
	uint8_t block[BLOCK];

	do {
		TG_TRY(header_read(t, block, ret_found, err));
		if (!*ret_found)
			return TG_OK;
		TG_TRY(contents_get(t, block, &size, err));
		t->at += BLOCK;
	} while (size == 0);
	left = t->in.src->size - t->at;
	ret->offset = t->at;
	ret->size = size < left ? size : left; /* a cut archive is read up to the cut */
	memcpy(ret->name, block, NAME_LEN);
	ret->name[NAME_LEN] = '\0';
	if (block[TYPE_AT] == 'x' || block[TYPE_AT] == 'g' || block[TYPE_AT] == 'X')
		TG_TRY(extended_check(t, ret->offset, ret->size, err));
	t->at += ret->size;
	t->at += (BLOCK - ret->size % BLOCK) % BLOCK;
	return TG_OK;
}
