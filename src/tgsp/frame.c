#include "tgsp/frame.h"

#include <tensorguard/limits.h>

#include "util/try.h"

const uint8_t tgsp_magic[TGSP_MAGIC_LEN] = { 'T', 'G', 'S', 'P', 1, 0 };

void
tgsp_frame_init(struct tgsp_frame *f)
{
	*f = (struct tgsp_frame){ 0 };
	tg_buf_init(&f->header, TG_MAX_TGSP_HEADER);
	tg_buf_init(&f->manifest, TG_MAX_TGSP_MANIFEST);
	tg_buf_init(&f->recipients, TG_MAX_TGSP_RECIPIENTS);
	tg_buf_init(&f->signature, TG_MAX_TGSP_SIGNATURE);
}

void
tgsp_frame_done(struct tgsp_frame *f)
{
	tg_buf_done(&f->header);
	tg_buf_done(&f->manifest);
	tg_buf_done(&f->recipients);
	tg_buf_done(&f->signature);
}

/* Reads a source from front to back; every length is checked against what is left first. */
struct cursor {
	const struct tg_source *src;
	uint64_t at;
};

static tg_status
take(struct cursor *c, void *to, uint64_t n, const char *what, struct tg_error *err)
{
	TG_REQUIRE(n <= c->src->size - c->at, err, TG_E_FORMAT,
	    "%s: %llu bytes expected at offset %llu, the file ends after %llu", what,
	    (unsigned long long)n, (unsigned long long)c->at,
	    (unsigned long long)(c->src->size - c->at));
	TG_TRY(c->src->read_at(c->src->ctx, to, (size_t)n, c->at, err));
	c->at += n;
	return TG_OK;
}

static tg_status
section(struct cursor *c, struct tg_buf *to, const char *what, struct tg_error *err)
{
	uint8_t len[4];
	uint8_t *p = NULL;

	TG_TRY(take(c, len, sizeof(len), what, err));
	const uint32_t n = tg_get_u32be(len);
	TG_REQUIRE(n <= to->max, err, TG_E_LIMIT, "%s: %u bytes, at most %zu allowed", what, n,
	    to->max);
	TG_REQUIRE(n <= c->src->size - c->at, err, TG_E_FORMAT,
	    "%s: %u bytes expected at offset %llu, the file ends after %llu", what, n,
	    (unsigned long long)c->at, (unsigned long long)(c->src->size - c->at));
	TG_REQUIRE(tg_buf_grow(to, n, &p) == TG_OK, err, TG_E_NOMEM, "%s: out of memory", what);
	return take(c, p, n, what, err);
}

static tg_status
read_sections(const struct tg_source *src, struct tgsp_frame *f, struct tg_error *err)
{
	struct cursor c = { src, 0 };
	uint8_t magic[TGSP_MAGIC_LEN], len[8];

	TG_TRY(take(&c, magic, sizeof(magic), "magic", err));
	TG_REQUIRE(memcmp(magic, tgsp_magic, sizeof(magic)) == 0, err, TG_E_FORMAT,
	    "not a TGSP 1.0 package (magic bytes %02x %02x %02x %02x %02x %02x)", magic[0], magic[1],
	    magic[2], magic[3], magic[4], magic[5]);
	TG_TRY(section(&c, &f->header, "header", err));
	TG_TRY(section(&c, &f->manifest, "manifest", err));
	TG_TRY(section(&c, &f->recipients, "recipients", err));
	TG_TRY(take(&c, len, sizeof(len), "payload length", err));
	f->payload_len = tg_get_u64be(len);
	f->payload_at = c.at;
	TG_REQUIRE(f->payload_len <= TG_MAX_PAYLOAD_LEN, err, TG_E_LIMIT,
	    "payload: %llu bytes, at most 2^41 allowed", (unsigned long long)f->payload_len);
	TG_REQUIRE(f->payload_len <= src->size - c.at, err, TG_E_FORMAT,
	    "payload: %llu bytes expected at offset %llu, the file ends after %llu",
	    (unsigned long long)f->payload_len, (unsigned long long)c.at,
	    (unsigned long long)(src->size - c.at));
	c.at += f->payload_len;
	TG_TRY(section(&c, &f->signature, "signature", err));
	TG_REQUIRE(c.at == src->size, err, TG_E_FORMAT, "%llu bytes behind the end of the package",
	    (unsigned long long)(src->size - c.at));
	return TG_OK;
}

tg_status
tgsp_frame_read(const struct tg_source *src, struct tgsp_frame *f, struct tg_error *err)
{
	tg_status s = read_sections(src, f, err);

	if (s != TG_OK) {
		tgsp_frame_done(f);
		tgsp_frame_init(f);
	}
	return s;
}

static tg_status
put_section(tg_bytes json, struct tg_buf *out)
{
	TG_TRY(tg_buf_put_u32be(out, (uint32_t)json.n));
	return tg_buf_put(out, json.p, json.n);
}

tg_status
tgsp_frame_write_head(tg_bytes header, tg_bytes manifest, tg_bytes recipients, uint64_t payload_len,
    struct tg_buf *out, struct tg_error *err)
{
	tg_status s = tg_buf_put(out, tgsp_magic, sizeof(tgsp_magic));

	if (s == TG_OK)
		s = put_section(header, out);
	if (s == TG_OK)
		s = put_section(manifest, out);
	if (s == TG_OK)
		s = put_section(recipients, out);
	if (s == TG_OK)
		s = tg_buf_put_u64be(out, payload_len);
	TG_REQUIRE(s == TG_OK, err, s, "package head: out of memory");
	return TG_OK;
}

tg_status
tgsp_frame_write_tail(tg_bytes signature, struct tg_buf *out, struct tg_error *err)
{
	tg_status s = put_section(signature, out);

	TG_REQUIRE(s == TG_OK, err, s, "package tail: out of memory");
	return TG_OK;
}
