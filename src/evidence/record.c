#include "evidence/record.h"

#include <tensorguard/limits.h>

#include "util/try.h"

const char tg_record_genesis[TG_HEX_HASH + 1] =
    "0000000000000000000000000000000000000000000000000000000000000000";

static const uint8_t open_brace[] = { '{' }, leaf_prefix[] = { 0 };

typedef uint8_t v16 __attribute__((vector_size(16)));

/* 16 bytes into 32 digits; gcc and clang make the processor's own vectors of it. */
static void
hex16(uint8_t *out, const uint8_t *in)
{
	v16 v, high, low, text;

	memcpy(&v, in, sizeof(v));
	high = v >> 4;
	low = v & 15;
	/* 'a' is 39 behind what '0' + 10 would be */
	high += '0' + ((v16)(high > 9) & 39);
	low += '0' + ((v16)(low > 9) & 39);
	text = __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
	memcpy(out, &text, sizeof(text));
	text = __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
	    31);
	memcpy(out + 16, &text, sizeof(text));
}

void
tg_hex_hash(uint8_t out[static TG_HEX_HASH], const uint8_t hash[static 32])
{
	hex16(out, hash);
	hex16(out + 32, hash + 16);
}

#define STANDS(p, at, text) (memcmp((p) + (at) - (sizeof(text) - 1), text, sizeof(text) - 1) == 0)

/* Digits without a needless zero, within what JSON integers may be. */
static bool
number(const uint8_t *p, size_t n, size_t *at, uint64_t *ret)
{
	const size_t start = *at;
	uint64_t v = 0;

	for (; *at < n && p[*at] >= '0' && p[*at] <= '9' && *at - start < 17; ++*at)
		v = 10 * v + (uint64_t)(p[*at] - '0');
	*ret = v;
	return *at > start && (p[start] != '0' || *at == start + 1) && v <= TG_MAX_JSON_INT;
}

tg_status
tg_record_split(uint8_t *p, size_t n, const char *what, struct tg_record *ret, struct tg_error *err)
{
	size_t at = TG_RECORD_SEQUENCE_AT;

	TG_REQUIRE(n <= TG_MAX_LOG_RECORD, err, TG_E_LIMIT, "%s: %zu bytes, a record has at most %u", what,
	    n, TG_MAX_LOG_RECORD);
	ret->p = p;
	ret->n = n;
	TG_REQUIRE(n > TG_RECORD_SEQUENCE_AT + 4 && STANDS(p, TG_RECORD_CHAIN_AT, TG_RECORD_CHAIN) &&
		STANDS(p, TG_RECORD_EVENT_AT, TG_RECORD_EVENT) &&
		STANDS(p, TG_RECORD_PREV_AT, TG_RECORD_PREV) &&
		STANDS(p, TG_RECORD_SEQUENCE_AT, TG_RECORD_SEQUENCE) && number(p, n, &at, &ret->sequence) &&
		n - at > 2 && p[at] == '}' && p[at + 1] == ',',
	    err, TG_E_FORMAT, "%s: it does not begin with \"_chain\" as a record does", what);
	ret->rest = at + 1;
	return TG_OK;
}

uint8_t *
tg_record_begin(uint8_t *p, uint64_t sequence)
{
	char digits[20];
	size_t n = 0;

	memcpy(p, TG_RECORD_CHAIN, sizeof(TG_RECORD_CHAIN) - 1);
	memcpy(p + TG_RECORD_CHAIN_AT + TG_HEX_HASH, TG_RECORD_EVENT, sizeof(TG_RECORD_EVENT) - 1);
	memcpy(p + TG_RECORD_EVENT_AT + TG_HEX_HASH, TG_RECORD_PREV, sizeof(TG_RECORD_PREV) - 1);
	memcpy(p + TG_RECORD_PREV_AT + TG_HEX_HASH, TG_RECORD_SEQUENCE, sizeof(TG_RECORD_SEQUENCE) - 1);
	do
		digits[n++] = (char)('0' + sequence % 10);
	while ((sequence /= 10) > 0);
	p += TG_RECORD_SEQUENCE_AT;
	while (n > 0)
		*p++ = (uint8_t)digits[--n];
	*p++ = '}';
	*p++ = ',';
	return p;
}

struct tg_sha256_job
tg_record_leaf_job(const struct tg_record *r)
{
	return (struct tg_sha256_job){ { leaf_prefix, 1 }, { r->p, r->n }, { 0 } };
}

struct tg_sha256_job
tg_record_event_job(const struct tg_record *r)
{
	return (struct tg_sha256_job){ { open_brace, 1 }, { r->p + r->rest + 1, r->n - r->rest - 1 },
		{ 0 } };
}

void
tg_record_link(const struct tg_record *r, uint8_t out[static TG_RECORD_LINK_LEN])
{
	memcpy(out, r->p + TG_RECORD_PREV_AT, TG_HEX_HASH);
	out[TG_HEX_HASH] = ':';
	memcpy(out + TG_HEX_HASH + 1, r->p + TG_RECORD_EVENT_AT, TG_HEX_HASH);
}

tg_status
tg_record_event(const struct tg_record *r, const char *what, struct tg_event *ret,
    struct tg_error *err)
{
	r->p[r->rest] = '{';
	tg_status s = tg_event_read((tg_bytes){ r->p + r->rest, r->n - r->rest }, 0, false, what, ret, err);
	r->p[r->rest] = ',';
	if (s != TG_OK)
		return s;
	TG_REQUIRE((uint64_t)tg_event_int(ret->value[TG_M_SEQUENCE]) == r->sequence, err, TG_E_FORMAT,
	    "%s: \"sequence\" of the event and of \"_chain\" differ", what);
	return TG_OK;
}

tg_status
tg_record_check(const struct tg_record *r, const char *what, struct tg_event *ret,
    struct tg_error *err)
{
	struct tg_sha256_job job = tg_record_event_job(r);
	uint8_t text[TG_RECORD_LINK_LEN], hex[TG_HEX_HASH];

	TG_TRY(tg_record_event(r, what, ret, err));
	TG_TRY(tg_sha256_many(&job, 1, err));
	tg_hex_hash(hex, job.hash);
	TG_REQUIRE(memcmp(hex, r->p + TG_RECORD_EVENT_AT, TG_HEX_HASH) == 0, err, TG_E_AUTH,
	    "%s: the event is not the one that event_hash was taken over", what);
	tg_record_link(r, text);
	job = (struct tg_sha256_job){ .body = { text, sizeof(text) } };
	TG_TRY(tg_sha256_many(&job, 1, err));
	tg_hex_hash(hex, job.hash);
	TG_REQUIRE(memcmp(hex, r->p + TG_RECORD_CHAIN_AT, TG_HEX_HASH) == 0, err, TG_E_AUTH,
	    "%s: chain_hash is not that of prev_hash and event_hash", what);
	return TG_OK;
}
