#include "evidence/segments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <tensorguard/limits.h>

#include "util/try.h"

#define DIGITS 20

void
tg_segment_name(char out[static TG_SEGMENT_NAME_MAX], uint64_t first)
{
	(void)snprintf(out, TG_SEGMENT_NAME_MAX, "segments/%020" PRIu64 ".jsonl", first);
}

void
tg_checkpoint_name(char out[static TG_SEGMENT_NAME_MAX], uint64_t size)
{
	(void)snprintf(out, TG_SEGMENT_NAME_MAX, "checkpoints/%020" PRIu64, size);
}

/* ---- which there are ---- */

struct listing {
	struct tg_numbers *to;
	const char *ending;
};

static tg_status
found(void *ctx, const char *name, struct tg_error *err)
{
	const struct listing *l = ctx;
	uint64_t v = 0;
	int i = 0;

	for (; i < DIGITS && name[i] >= '0' && name[i] <= '9'; i++)
		if (!tg_mul_u64(v, 10, &v) || !tg_add_u64(v, (uint64_t)(name[i] - '0'), &v))
			return TG_OK;
	if (i < DIGITS || strcmp(name + DIGITS, l->ending) != 0)
		return TG_OK;
	if (l->to->n == l->to->cap) {
		const size_t cap = l->to->cap == 0 ? 64 : 2 * l->to->cap;
		uint64_t *more = realloc(l->to->at, cap * sizeof(*more));

		TG_REQUIRE(more != NULL, err, TG_E_NOMEM, "log: out of memory");
		l->to->at = more;
		l->to->cap = cap;
	}
	l->to->at[l->to->n++] = v;
	return TG_OK;
}

static int
ascending(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static tg_status
list_numbers(const struct tg_log_files *files, const char *folder, const char *ending,
    struct tg_numbers *ret, struct tg_error *err)
{
	struct listing l = { ret, ending };

	*ret = (struct tg_numbers){ NULL, 0, 0 };
	tg_status s = files->list(files->ctx, folder, found, &l, err);
	if (s != TG_OK)
		tg_numbers_done(ret);
	else if (ret->n > 0)
		qsort(ret->at, ret->n, sizeof(*ret->at), ascending);
	return s;
}

tg_status
tg_segments_list(const struct tg_log_files *files, struct tg_numbers *ret, struct tg_error *err)
{
	return list_numbers(files, "segments", ".jsonl", ret, err);
}

tg_status
tg_checkpoints_list(const struct tg_log_files *files, struct tg_numbers *ret, struct tg_error *err)
{
	return list_numbers(files, "checkpoints", "", ret, err);
}

void
tg_numbers_done(struct tg_numbers *l)
{
	free(l->at);
	*l = (struct tg_numbers){ NULL, 0, 0 };
}

/* ---- reading on ---- */

static void
leave_file(struct tg_segments *s)
{
	if (s->file != NULL)
		s->files->close(s->files->ctx, s->file);
	s->file = NULL;
}

static tg_status
enter_file(struct tg_segments *s, uint64_t at, struct tg_error *err)
{
	char name[TG_SEGMENT_NAME_MAX];

	leave_file(s);
	tg_segment_name(name, s->list.at[s->i]);
	TG_TRY(s->files->open(s->files->ctx, name, 0, &s->file, err));
	TG_TRY(s->files->size(s->files->ctx, s->file, &s->size, err));
	s->spot = (struct tg_spot){ s->list.at[s->i], at };
	TG_REQUIRE(at <= s->size, err, TG_E_FORMAT, "%s: %llu bytes, at least %llu expected", name,
	    (unsigned long long)s->size, (unsigned long long)at);
	return TG_OK;
}

tg_status
tg_segments_open(struct tg_segments *s, const struct tg_log_files *files, struct tg_spot from,
    struct tg_error *err)
{
	*s = (struct tg_segments){ .files = files };
	TG_TRY(tg_segments_list(files, &s->list, err));
	while (s->i < s->list.n && s->list.at[s->i] != from.segment)
		s->i++;
	tg_status st = TG_OK;
	if (s->i < s->list.n)
		st = enter_file(s, from.at, err);
	else
		st = tg_fail(
		    err, TG_E_NOTFOUND, "segments/%020" PRIu64 ".jsonl: not there", from.segment);
	if (st != TG_OK)
		tg_segments_close(s);
	return st;
}

void
tg_segments_close(struct tg_segments *s)
{
	leave_file(s);
	tg_numbers_done(&s->list);
}

tg_status
tg_segments_next(
    struct tg_segments *s, struct tg_block *b, struct tg_spot *ret_at, struct tg_error *err)
{
	b->n = 0;
	while (s->spot.at == s->size) {
		if (s->i + 1 >= s->list.n)
			return TG_OK;
		s->i++;
		TG_TRY(enter_file(s, 0, err));
	}
	const uint64_t left = s->size - s->spot.at;
	size_t n = left < b->cap ? (size_t)left : b->cap;

	TG_TRY(s->files->read_at(s->files->ctx, s->file, b->bytes, n, s->spot.at, err));
	const uint8_t *end = memrchr(b->bytes, '\n', n);
	if (end != NULL)
		n = (size_t)(end - b->bytes) + 1;
	*ret_at = s->spot;
	s->spot.at += n;
	b->n = n;
	return TG_OK;
}

tg_status
tg_segments_left(struct tg_segments *s, uint64_t *ret, struct tg_error *err)
{
	uint64_t sum = s->size - s->spot.at;

	for (size_t i = s->i + 1; i < s->list.n; i++) {
		char name[TG_SEGMENT_NAME_MAX];
		uint64_t size = 0;
		void *f = NULL;

		tg_segment_name(name, s->list.at[i]);
		TG_TRY(s->files->open(s->files->ctx, name, 0, &f, err));
		const tg_status st = s->files->size(s->files->ctx, f, &size, err);
		s->files->close(s->files->ctx, f);
		TG_TRY(st);
		sum += size;
	}
	*ret = sum;
	return TG_OK;
}

/* ---- finding one ---- */

/* Behind the first newline at or after `at`; s->size when there is none. */
static tg_status
behind_newline(const struct tg_segments *s, uint64_t at, uint64_t *ret, struct tg_error *err)
{
	uint8_t window[4096];

	for (; at < s->size; at += sizeof(window)) {
		const size_t n =
		    s->size - at < sizeof(window) ? (size_t)(s->size - at) : sizeof(window);

		TG_TRY(s->files->read_at(s->files->ctx, s->file, window, n, at, err));
		const uint8_t *end = memchr(window, '\n', n);
		if (end != NULL) {
			*ret = at + (uint64_t)(end - window) + 1;
			return TG_OK;
		}
	}
	*ret = s->size;
	return TG_OK;
}

/* The line that holds byte `at`, or the next one when `at` is within a line: its start and number.
 * *ret_start == size: there is none. */
static tg_status
line_from(const struct tg_segments *s, uint64_t at, uint64_t *ret_start, uint64_t *ret_sequence,
    struct tg_error *err)
{
	uint8_t buf[TG_RECORD_HEAD_MAX];
	struct tg_record r;
	struct tg_error why = TG_ERROR_INIT;
	uint64_t next = 0;

	if (at > 0)
		TG_TRY(behind_newline(s, at - 1, &at, err));
	*ret_start = s->size;
	if (at >= s->size || s->size - at < sizeof(buf))
		return TG_OK;
	TG_TRY(s->files->read_at(s->files->ctx, s->file, buf, sizeof(buf), at, err));
	if (tg_record_split(buf, sizeof(buf), "record", &r, &why) != TG_OK) {
		TG_TRY(behind_newline(s, at, &next, err));
		TG_REQUIRE(next == s->size, err, TG_E_FORMAT, "%s", why.text);
		return TG_OK; /* an unfinished write */
	}
	*ret_start = at;
	*ret_sequence = r.sequence;
	return TG_OK;
}

static tg_status
find_in(const struct tg_segments *s, uint64_t sequence, uint64_t *ret, struct tg_error *err)
{
	uint64_t low = 0, high = s->size, start = 0, got = 0;

	if (sequence == s->list.at[s->i])
		high = 0; /* the first, whatever lies behind it */
	/* every line that starts before low has a smaller number; high starts none that is smaller
	 */
	while (low < high) {
		const uint64_t mid = low + (high - low) / 2;

		TG_TRY(line_from(s, mid, &start, &got, err));
		if (start < s->size && got < sequence)
			low = start + 1;
		else
			high = mid;
	}
	TG_TRY(line_from(s, low, &start, &got, err));
	TG_REQUIRE(start < s->size && got == sequence, err, TG_E_NOTFOUND,
	    "record %llu is not in the log", (unsigned long long)sequence);
	*ret = start;
	return TG_OK;
}

tg_status
tg_segments_find(
    const struct tg_log_files *files, uint64_t sequence, struct tg_spot *ret, struct tg_error *err)
{
	struct tg_segments s = { .files = files };
	size_t i = 0;

	TG_TRY(tg_segments_list(files, &s.list, err));
	while (i + 1 < s.list.n && s.list.at[i + 1] <= sequence)
		i++;
	s.i = i;
	tg_status st = TG_OK;
	if (s.list.n > 0 && s.list.at[0] <= sequence)
		st = enter_file(&s, 0, err);
	else
		st = tg_fail(err, TG_E_NOTFOUND, "record %llu is not in the log",
		    (unsigned long long)sequence);
	if (st == TG_OK)
		st = find_in(&s, sequence, &ret->at, err);
	if (st == TG_OK)
		ret->segment = s.list.at[i];
	tg_segments_close(&s);
	return st;
}

tg_status
tg_segments_record(
    const struct tg_log_files *files, uint64_t sequence, struct tg_buf *out, struct tg_error *err)
{
	struct tg_segments s;
	struct tg_block b;
	struct tg_spot spot = { 0, 0 };
	struct tg_record r;
	struct tg_event event;

	TG_TRY(tg_segments_find(files, sequence, &spot, err));
	TG_TRY(tg_block_init(&b, TG_MAX_LOG_RECORD + 1, err));
	tg_status st = tg_segments_open(&s, files, spot, err);
	if (st == TG_OK) {
		st = tg_segments_next(&s, &b, &spot, err);
		tg_segments_close(&s);
	}
	const uint8_t *end = memchr(b.bytes, '\n', b.n);
	if (st == TG_OK && end == NULL)
		st = tg_fail(
		    err, TG_E_FORMAT, "record %llu has no end", (unsigned long long)sequence);
	if (st == TG_OK)
		st = tg_record_split(b.bytes, (size_t)(end - b.bytes), "record", &r, err);
	if (st == TG_OK)
		st = tg_record_check(&r, "record", &event, err);
	if (st == TG_OK && tg_buf_put(out, r.p, r.n) != TG_OK)
		st = tg_fail(err, TG_E_NOMEM, "log: out of memory");
	tg_block_done(&b);
	return st;
}
