#include "tensor/protobuf.h"

#include <inttypes.h>
#include <tensorguard/limits.h>

#include "util/try.h"

tg_status
tg_pb_open(struct tg_window *in, struct tg_pb *ret, struct tg_error *err)
{
	TG_REQUIRE(in->src->size <= TG_MAX_PROTOBUF_FILE, err, TG_E_LIMIT,
	    "a protobuf of %" PRIu64 " bytes, at most %u can be", in->src->size,
	    TG_MAX_PROTOBUF_FILE);
	*ret = (struct tg_pb){ .in = in, .end = in->src->size };
	return TG_OK;
}

tg_status
tg_pb_varint(struct tg_pb *m, uint64_t *ret, struct tg_error *err)
{
	uint64_t v = 0, at = m->at;
	unsigned shift = 0;
	uint8_t b = 0;

	do {
		TG_REQUIRE(at < m->end, err, TG_E_FORMAT,
		    "offset %" PRIu64 ": the message ends inside a number", at);
		TG_TRY(tg_window_read(m->in, at, &b, 1, err));
		TG_REQUIRE(shift < 63 || b <= 1, err, TG_E_FORMAT,
		    "offset %" PRIu64 ": a number of more than 64 bits", m->at);
		v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
		at++;
	} while (b & 0x80);
	m->at = at;
	*ret = v;
	return TG_OK;
}

/* Where the contents of a field lie: m stands behind the tag. */
static tg_status
contents(struct tg_pb *m, struct tg_pb_field *f, struct tg_error *err)
{
	f->offset = m->at;
	switch (f->wire) {
	case TG_PB_VARINT:
		TG_TRY(tg_pb_varint(m, &f->value, err));
		f->size = m->at - f->offset;
		return TG_OK;
	case TG_PB_BYTES:
		TG_TRY(tg_pb_varint(m, &f->size, err));
		f->offset = m->at;
		break;
	case TG_PB_FIXED64:
		f->size = 8;
		break;
	case TG_PB_FIXED32:
		f->size = 4;
		break;
	}
	TG_REQUIRE(f->size <= m->end - m->at, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": field %" PRIu32 " has %" PRIu64
	    " bytes, its message ends after %" PRIu64,
	    f->offset, f->number, f->size, m->end - m->at);
	m->at += f->size;
	return TG_OK;
}

tg_status
tg_pb_next(struct tg_pb *m, struct tg_pb_field *ret, struct tg_error *err)
{
	struct tg_pb next = *m;
	struct tg_pb_field f = { 0 };
	uint64_t tag = 0;

	TG_TRY(tg_pb_varint(&next, &tag, err));
	TG_REQUIRE(tag <= UINT32_MAX && tag >> 3 != 0, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": field number %" PRIu64 ", 1 to 2^29-1 expected", m->at, tag >> 3);
	TG_REQUIRE((tag & 7) <= 2 || (tag & 7) == 5, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": wire type %u, expected 0, 1, 2 or 5", m->at, (unsigned)(tag & 7));
	f.number = (uint32_t)(tag >> 3);
	f.wire = (enum tg_pb_wire)(tag & 7);
	TG_TRY(contents(&next, &f, err));
	*m = next;
	*ret = f;
	return TG_OK;
}

tg_status
tg_pb_enter(const struct tg_pb *m, const struct tg_pb_field *f, struct tg_pb *ret,
    struct tg_error *err)
{
	TG_REQUIRE(f->wire == TG_PB_BYTES, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": field %" PRIu32 " is a number, a message is expected", f->offset,
	    f->number);
	TG_REQUIRE(m->depth < TG_MAX_PROTOBUF_DEPTH, err, TG_E_LIMIT,
	    "offset %" PRIu64 ": messages nest deeper than %u", f->offset, TG_MAX_PROTOBUF_DEPTH);
	*ret = (struct tg_pb){ .in = m->in,
		.at = f->offset,
		.end = f->offset + f->size,
		.depth = m->depth + 1 };
	return TG_OK;
}

tg_status
tg_pb_expect(const struct tg_pb_field *f, enum tg_pb_wire wire, struct tg_error *err)
{
	TG_REQUIRE(f->wire == wire, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": field %" PRIu32 " has wire type %d, %d expected", f->offset,
	    f->number, (int)f->wire, (int)wire);
	return TG_OK;
}

tg_status
tg_pb_once(const struct tg_pb_field *f, enum tg_pb_wire wire, uint32_t *seen, struct tg_error *err)
{
	TG_TRY(tg_pb_expect(f, wire, err));
	TG_REQUIRE(f->number < 32, err, TG_E_INTERNAL, "field %" PRIu32 " has no bit", f->number);
	TG_REQUIRE((*seen & 1u << f->number) == 0, err, TG_E_FORMAT,
	    "offset %" PRIu64 ": field %" PRIu32 " is given twice", f->offset, f->number);
	*seen |= 1u << f->number;
	return TG_OK;
}

tg_status
tg_pb_text(const struct tg_pb *m, const struct tg_pb_field *f, struct tg_pb_text *ret,
    struct tg_error *err)
{
	TG_TRY(tg_pb_expect(f, TG_PB_BYTES, err));
	ret->n = f->size < sizeof(ret->b) ? (size_t)f->size : sizeof(ret->b);
	return tg_window_read(m->in, f->offset, ret->b, ret->n, err);
}
