#include "evidence/tail.h"

#include <stdio.h>
#include <stdlib.h>

#include "util/text.h"
#include "util/try.h"

/* One line of fixed length, its own SHA-256 at the end:
 * "tail 2 RECORDS CHAIN ROOT SEGMENT AT SEGMENT AT SHA256\n" */
#define HEAD	 "tail 2 "
#define NUMBER	 20
#define BODY_LEN (sizeof(HEAD) - 1 + NUMBER + 2 * (1 + TG_HEX_HASH) + 4 * (1 + NUMBER) + 1)
#define LINE_LEN (BODY_LEN + TG_HEX_HASH + 1)

static tg_status
seal(const uint8_t *body, uint8_t hex[static TG_HEX_HASH], struct tg_error *err)
{
	struct tg_sha256_job job = { .body = { body, BODY_LEN } };

	TG_TRY(tg_sha256_many(&job, 1, err));
	tg_hex_hash(hex, job.hash);
	return TG_OK;
}

tg_status
tg_tail_write(
    const struct tg_log_files *files, void *file, const struct tg_tail *t, struct tg_error *err)
{
	char line[LINE_LEN + 1];
	uint8_t root[TG_HEX_HASH];

	tg_hex_hash(root, t->root);
	(void)snprintf(line, sizeof(line),
	    HEAD "%020llu %.64s %.64s %020llu %020llu %020llu %020llu ",
	    (unsigned long long)t->mark.records, (const char *)t->mark.chain, (const char *)root,
	    (unsigned long long)t->mark_spot.segment, (unsigned long long)t->mark_spot.at,
	    (unsigned long long)t->end.segment, (unsigned long long)t->end.at);
	TG_TRY(seal((const uint8_t *)line, (uint8_t *)line + BODY_LEN, err));
	line[LINE_LEN - 1] = '\n';
	return files->write_at(files->ctx, file, line, LINE_LEN, 0, err);
}

static uint64_t
number(const uint8_t **p)
{
	uint64_t v = 0;

	for (int i = 0; i < NUMBER; i++)
		v = 10 * v + (uint64_t)(*(*p)++ - '0');
	++*p;
	return v;
}

static tg_status
parse(const uint8_t *line, struct tg_tail *ret, struct tg_error *err)
{
	const uint8_t *p = line + sizeof(HEAD) - 1;
	uint8_t hex[TG_HEX_HASH];

	TG_TRY(seal(line, hex, err));
	TG_REQUIRE(memcmp(line, HEAD, sizeof(HEAD) - 1) == 0 &&
		memcmp(line + BODY_LEN, hex, TG_HEX_HASH) == 0 && line[LINE_LEN - 1] == '\n',
	    err, TG_E_NOTFOUND, "tail: not as it was written");
	ret->mark.records = number(&p);
	memcpy(ret->mark.chain, p, TG_HEX_HASH);
	p += TG_HEX_HASH + 1;
	TG_REQUIRE(tg_hex_decode(ret->root, sizeof(ret->root), (tg_bytes){ p, TG_HEX_HASH }), err,
	    TG_E_NOTFOUND, "tail: not as it was written");
	p += TG_HEX_HASH + 1;
	ret->mark_spot.segment = number(&p);
	ret->mark_spot.at = number(&p);
	ret->end.segment = number(&p);
	ret->end.at = number(&p);
	return TG_OK;
}

tg_status
tg_tail_read(const struct tg_log_files *files, struct tg_tail *ret, struct tg_error *err)
{
	uint8_t line[LINE_LEN];
	uint64_t size = 0;
	void *f = NULL;

	TG_TRY(files->open(files->ctx, "tail", 0, &f, err));
	tg_status s = files->size(files->ctx, f, &size, err);
	if (s == TG_OK && size < LINE_LEN)
		s = tg_fail(err, TG_E_NOTFOUND, "tail: shorter than it was written");
	if (s == TG_OK)
		s = files->read_at(files->ctx, f, line, LINE_LEN, 0, err);
	files->close(files->ctx, f);
	return s == TG_OK ? parse(line, ret, err) : s;
}
